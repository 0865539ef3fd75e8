"""Keras models: ``.keras`` archives, full HDF5 files, and the folder that an archive unpacks to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import mlup
from mlup_tensorflow.keras_files import HDF5, ZIP, in_folder, in_hdf5, in_zip

__version__ = "0.1.0"

extensions: Final = (".keras", ".h5", ".hdf5")
requires: Final = ("tensorflow",)
options: Final = {
    "compile": "false: leave aside the optimizer, the loss and the metrics that it was trained with",
    "custom_objects": "a mapping of names to your own classes and functions (in Python only)",
}


def safe_list() -> frozenset[str]:
    """What a configuration may name: Keras's own classes and functions, and operations on tensors."""
    from mlup_tensorflow.keras_names import names

    listed = names()
    operations = frozenset(f"tensorflow.{each}" for each in listed.operations)
    return listed.classes | listed.functions | operations


_ZEROS: Final = bytes(8)


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """A configuration and weights as Keras stores them: 0.95, and 0.05 more for the extension.

    HDF5 whose attributes are out of reach, but which has Keras's group of weights, is worth 0.5,
    and 0.3 more for the extension. Not recognised: weights without a configuration, which are no
    model.
    """
    if head.startswith(ZIP):
        found = in_zip(path)
    # A user block of zeros, as h5py leaves it, may stand in front of an HDF5 file.
    elif head.startswith((HDF5, _ZEROS)):
        found = in_hdf5(path)
    elif not head:
        found = in_folder(path)
    else:
        return None
    if found is None:
        return None
    confidence, reason = found
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, confidence + (0.05 if confidence > 0.5 else 0.3))
    return mlup.Score(confidence, reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The Keras model, by ``tensorflow.keras.models.load_model``, whichever Keras that is.

    What its configuration names is checked before, and Keras's safe mode is on; with ``trust``
    neither. A file of Keras 2 that Keras 3 refuses is loaded by
    ``tf_keras``, where that is installed.

    Raises:
        UnsafeModelError: it names what is neither Keras's and safe, nor the caller's own.
        OptionError: ``compile`` is no bool, or ``custom_objects`` no mapping of names.
        ModelBinarizationError: Keras refused the file.
    """
    from mlup_tensorflow.keras_loading import load

    return load(file, _checked(file.options))


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The classes and functions that the configuration names, each with its verdict."""
    from mlup_tensorflow.keras_inspection import inspect

    return inspect(file)


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    compiled = given.get("compile", True)
    if not isinstance(compiled, bool):
        raise mlup.OptionError(f"compile={compiled!r}: expected True or False.")
    objects = given.get("custom_objects")
    if objects is None:
        objects = {}
    if not isinstance(objects, Mapping) or not all(isinstance(name, str) for name in objects):
        raise mlup.OptionError(
            f"custom_objects={objects!r}: expected a mapping of names to classes or functions, "
            'such as {"MyLayer": MyLayer}.'
        )
    return {"compile": compiled, "custom_objects": dict(objects)}
