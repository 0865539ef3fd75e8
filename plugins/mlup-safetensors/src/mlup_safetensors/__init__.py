"""Tensors in safetensors files, as NumPy arrays or PyTorch tensors."""

from __future__ import annotations

from typing import Final

import mlup

__version__ = "0.1.0"

extensions: Final = (".safetensors",)
requires: Final = ("safetensors", "numpy", "ml_dtypes")
options: Final = {
    "framework": "'numpy' (without it) or 'torch': whose tensors are returned",
    "device": "where PyTorch puts them, such as 'cpu' (without it) or 'cuda:0'",
}
safe_list: Final = ()  # a file names nothing to import

_BRACE: Final = 8  # behind the length of the header


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """0.95 for a header whose tensors fill the file exactly.

    0.9 for one of more than 256 KiB, of which the beginning and the end are read: they name tensors
    within the file, but not its last byte. The extension adds 0.05, up to 0.99. A truncated file is
    nobody's, and so is one with bytes that belong to no tensor.
    """
    if head[_BRACE : _BRACE + 1] != b"{":
        return None
    from mlup_safetensors.header import header  # a fresh process mostly sees other files

    found = header(path)
    if found is None:
        return None
    confidence = 0.95 if found.whole else 0.9
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, round(confidence + 0.05, 2))
    return mlup.Score(confidence, found.described())


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """A ``dict`` of tensors by their names, with the file's metadata in its ``metadata``.

    NumPy arrays, of the types of ``ml_dtypes`` where NumPy has none; with ``framework="torch"``
    PyTorch's tensors. There is no model: what to do with them only its code knows.
    """
    from mlup_safetensors.loading import load

    return load(file)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """How many tensors there are; they import and run nothing."""
    from mlup_safetensors.header import header

    with mlup.ModelPath.of(file) as path:
        found = header(path)
    if found is None:
        said = "its header and its size are not those of a safetensors file"
        return mlup.Report(notes=(f"it would be refused: {said}",), stopped=said)
    return mlup.Report(notes=(f"{found.described()}: it imports and runs nothing",))
