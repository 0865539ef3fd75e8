"""What Keras writes: the members of a ``.keras`` archive, the root of an HDF5 file.

Sources: ``keras/src/saving/saving_lib.py`` (archive and folder) and
``keras/src/legacy/saving/legacy_h5_format.py`` (HDF5), the same in Keras 2.12 to 3.15.
"""

from __future__ import annotations

import re
from typing import Final

import mlup
from mlup import probe

ZIP: Final = b"PK\x03\x04"
HDF5: Final = b"\x89HDF\r\n\x1a\n"

CONFIG: Final = "config.json"
METADATA: Final = "metadata.json"
WEIGHTS: Final = "model.weights.h5"
"""Weights in shards (``model.weights.json``) are for ``load_weights`` alone."""

VERSION: Final = r"[\w.+-]{1,30}"
_VERSION_IN_JSON: Final = rb'"keras_version":\s*"(%s)"' % VERSION.encode()
_PRESET: Final = rb'"keras_(hub|nlp)_version"\s*:'

Found = tuple[float, str]


def keras_version(metadata: bytes) -> str | None:
    """The version of Keras that wrote it, from the beginning of ``metadata.json``."""
    found = re.search(_VERSION_IN_JSON, metadata)
    return found[1].decode() if found else None


def is_preset(metadata: bytes) -> bool:
    """Whether it is of a KerasHub preset, which has files of the same names beside its own."""
    return re.search(_PRESET, metadata) is not None


@probe.reader
def in_zip(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for the members of an archive."""
    directory = probe.zip_directory(path)
    if directory is None:
        return None
    names = frozenset(directory.names)
    if CONFIG not in names or WEIGHTS not in names:
        return None
    version = keras_version(path.head)  # metadata.json comes first, and is stored
    return 0.95, f"archive of a Keras model ({CONFIG} and weights{_of(version)})"


@probe.reader
def in_folder(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for the files of a folder: what ``save(zipped=False)`` writes."""
    names = path.members()
    if not {CONFIG, METADATA, WEIGHTS}.issubset(names):
        return None
    # Other libraries' folders have files of these names too.
    member = path.member(METADATA)
    metadata = member.read_at(0, 4096) if member else b""
    version = keras_version(metadata)
    if version is None or is_preset(metadata):
        return None
    return 0.95, f"folder of a Keras model ({CONFIG} and weights{_of(version)})"


@probe.reader
def in_hdf5(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for the attributes at the root of an HDF5 file."""
    root = probe.hdf5_root(path)
    if root is None or root.truncated:
        return None
    if "model_config" in root.attributes:
        return 0.95, "Keras model in HDF5 (model_config)"
    if not root.complete and "model_weights" in root.links:
        return 0.5, "HDF5 with Keras's group model_weights; its attributes are out of reach"
    return None


def _of(version: str | None) -> str:
    return f", of Keras {version}" if version else ""
