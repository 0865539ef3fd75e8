"""A path as Keras wants it: with the suffix by which it chooses its reader."""

from __future__ import annotations

import contextlib
import os
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

import mlup
from mlup import probe
from mlup_tensorflow.keras_files import METADATA, VERSION, ZIP, keras_version


class KerasPath(NamedTuple):
    """What Keras is given.

    Attributes:
        path: a file, or a folder with a separator at its end.
        kind: ``"zip"``, ``"hdf5"`` or ``"folder"``.
    """

    path: str
    kind: str

    def saved_by(self) -> str | None:
        """The version of Keras that wrote it; ``None`` where it does not say."""
        try:
            if self.kind == "hdf5":
                found = re.match(
                    VERSION, probe.hdf5_text(self.path, "keras_version") or "", re.ASCII
                )
                return found and found[0]
            if self.kind == "folder":
                with open(os.path.join(self.path, METADATA), "rb") as metadata:
                    return keras_version(metadata.read(4096))
            with zipfile.ZipFile(self.path) as archive, archive.open(METADATA) as member:
                return keras_version(member.read(4096))
        except (OSError, KeyError, RuntimeError, zipfile.BadZipFile):  # damaged, or without it
            return None


@contextlib.contextmanager
def path_for_keras(file: mlup.LoadedFile) -> Iterator[KerasPath]:
    """Keras goes by the suffix, in lower case; here the content says which it gets."""
    if file.on_disk is not None and os.path.isdir(file.on_disk):
        # With the separator even a folder called x.keras is taken for a folder.
        yield KerasPath(os.path.join(file.on_disk, ""), "folder")
        return
    with file.open() as stream:
        start = stream.tell()
        is_zip = stream.read(len(ZIP)) == ZIP
        stream.seek(start)
    with file.as_path(".keras" if is_zip else ".h5") as path:
        yield KerasPath(path, "zip" if is_zip else "hdf5")
