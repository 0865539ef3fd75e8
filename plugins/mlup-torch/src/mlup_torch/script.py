"""TorchScript modules: what torch.jit.save wrote, the lite interpreter's archives included."""

from __future__ import annotations

from typing import Final

import mlup
from mlup_torch.marks import ZIP

extensions: Final = (".pt", ".pth", ".jit", ".torchscript", ".ts", ".ptl")
requires: Final = ("torch",)
options: Final = {
    "map_location": "where tensors are put, such as 'cpu' or 'cuda:0'; the CPU where there is no CUDA device",
}


def safe_list() -> frozenset[str]:
    """What its code may name; a whole namespace of operations, such as ``aten::*``, is one entry."""
    from mlup_torch.script_operations import entries

    return entries()


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """An archive with TorchScript's records: 0.95. The extension adds 0.05, up to 0.99."""
    if not head.startswith(ZIP):
        return None
    from mlup_torch.archive import archive

    found = archive(path)
    if found is None or not found.script:
        return None
    named = str(path).lower().endswith(extensions)
    return mlup.Score(0.99 if named else 0.95, found.reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The ``ScriptModule``, by ``torch.jit.load``, in ``eval()``.

    Without ``trust``, what its code does other than compute is refused before torch compiles it.
    Bytes and streams go through a temporary file.
    """
    # Of a stream, torch.jit.load makes three copies in memory, and takes longer.
    from mlup_torch.script_loading import load

    return load(file)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The operations that its code names, and the C++ classes in its pickles, with verdicts."""
    from mlup_torch.script_loading import inspect as inspected

    return inspected(file)
