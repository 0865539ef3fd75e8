"""TensorFlow SavedModels: the folder, or the ``saved_model.pb`` or ``.pbtxt`` in it."""

from __future__ import annotations

from typing import Final

import mlup
from mlup_tensorflow.saved_files import START, TEXT_START, in_binary, in_folder, in_text

extensions: Final = (".pb", ".pbtxt", ".savedmodel")
requires: Final = ("tensorflow",)
options: Final = {
    "tags": "which of its graphs is loaded, where it has several: a list such as ['serve']",
}


def safe_list() -> frozenset[str]:
    """The operations that its graphs may hold; some of them only with file names of its folder."""
    from mlup_tensorflow.graph_checks import table

    return table().safe


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """A SavedModel message, alone or in its folder: 0.95. The extension adds 0.05, up to 0.99.

    The text format is worth 0.8, and 0.9 in its folder under its own name.
    """
    if head.startswith(START):
        found = in_binary(path)
    elif head.startswith(TEXT_START):
        found = in_text(path)
    elif not head:
        found = in_folder(path)
    else:
        return None
    if found is None:
        return None
    confidence, reason = found
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, confidence + 0.05)
    return mlup.Score(confidence, reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The restored object, by ``tf.saved_model.load``.

    Without ``trust``, operations that do more than compute are refused before. A file is loaded with the ``variables`` and ``assets`` beside it, whatever its own name is.

    Raises:
        UnsafeModelError: it holds operations that are refused, or files outside of its folder.
        ModelBinarizationError: TensorFlow refused it, or its variables are missing.
    """
    from mlup_tensorflow.saved_loading import load

    return load(file, file.options.get("tags"))


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The operations of all its graphs and functions, each with its verdict."""
    from mlup_tensorflow.saved_inspection import inspect

    return inspect(file)
