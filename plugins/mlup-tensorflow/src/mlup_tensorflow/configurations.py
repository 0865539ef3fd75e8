"""The configurations in a Keras file: the JSON that Keras builds objects from."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from mlup_tensorflow.keras_files import CONFIG
from mlup_tensorflow.keras_path import KerasPath

_MODEL: Final = "model_config"
_TRAINING: Final = "training_config"


def configurations(at: KerasPath, compile: bool = True) -> list[Any]:
    """All of them.

    Args:
        at: where the file is.
        compile: also what the model was compiled with.

    Raises:
        Exception: any that a damaged file makes zipfile, h5py or json raise.
    """
    if at.kind == "hdf5":
        import h5py

        with h5py.File(at.path, "r") as file:
            names = (_MODEL, _TRAINING) if compile else (_MODEL,)
            # Always UTF-8, as Keras has it: of bytes json would guess the encoding.
            texts = [_text(file.attrs[name]) for name in names if name in file.attrs]
    elif at.kind == "zip":
        with zipfile.ZipFile(at.path) as archive:
            texts = [archive.read(CONFIG)]
    else:
        with open(os.path.join(at.path, CONFIG), "rb") as config:
            texts = [_text(config.read())]
    return decoded(texts, compile)


def _text(value: Any) -> Any:
    return value.decode("utf-8") if hasattr(value, "decode") else value


def decoded(texts: list[Any], compile: bool = True) -> list[Any]:
    """The JSON values of texts, the model's first, without what it was compiled with on demand."""
    found = [json.loads(text) for text in texts]
    if not compile and found and isinstance(found[0], dict):
        found[0].pop("compile_config", None)  # as Keras does
    return found


def training_config(at: KerasPath) -> dict[str, Any]:
    """What HDF5 says of the compilation; empty for everything else."""
    if at.kind != "hdf5":
        return {}
    import h5py

    with h5py.File(at.path, "r") as file:
        training = json.loads(file.attrs.get(_TRAINING, "{}"))
    return training if isinstance(training, dict) else {}


def mappings(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a JSON value, in its order."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            yield each
            todo += reversed(each.values())
        elif isinstance(each, list):
            todo += reversed(each)
