"""The configurations in a Keras file: the JSON that Keras builds objects from."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from mlup_tensorflow.keras_files import CONFIG
from mlup_tensorflow.keras_path import KerasPath

_TRAINING: Final = "training_config"
_CONFIGURATIONS: Final = ("model_config", _TRAINING)


def configurations(at: KerasPath) -> list[Any]:
    """All of them, of an archive or of HDF5."""
    if at.kind == "zip":
        with zipfile.ZipFile(at.path) as archive:
            return [json.loads(archive.read(CONFIG))]
    import h5py

    with h5py.File(at.path, "r") as file:
        texts = [file.attrs[name] for name in _CONFIGURATIONS if name in file.attrs]
    return [json.loads(text) for text in texts]


def training_config(at: KerasPath) -> dict[str, Any]:
    """What HDF5 says of the compilation; empty for everything else."""
    if at.kind != "hdf5":
        return {}
    import h5py

    with h5py.File(at.path, "r") as file:
        training = json.loads(file.attrs.get(_TRAINING, "{}"))
    return training if isinstance(training, dict) else {}


def mappings(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a JSON value."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            yield each
            todo += each.values()
        elif isinstance(each, list):
            todo += each
