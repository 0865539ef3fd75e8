"""PyTorch checkpoints: whatever torch.save wrote, as a zip archive or in the format before 1.6."""

from __future__ import annotations

from typing import Final

import mlup
from mlup_torch.marks import ZIP, is_legacy

__version__ = "0.1.0"

extensions: Final = (".pt", ".pth", ".bin", ".ckpt", ".pth.tar")
requires: Final = ("torch",)
options: Final = {
    "map_location": "where tensors are put, such as 'cpu' or 'cuda:0'; the CPU where there is no CUDA device",
    "mmap": "maps the tensors of a zip archive into memory: true or false",
}


def safe_list() -> frozenset[str]:
    """What a checkpoint may name: the safe lists of all installed distributions."""
    from mlup_safepickle.safelists import listed_names

    return listed_names()


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """An archive of torch.save's records, or a whole file of the format before 1.6: 0.95.

    The older format is worth 0.9 where its pickles are too long to say whether all of it is
    there. The extension adds 0.05, up to 0.99. Not recognised: TorchScript archives, which are
    left to ``torch-jit``.
    """
    # What looks further is imported where it is needed: a fresh process mostly sees other files.
    if head.startswith(ZIP):
        from mlup_torch.archive import archive

        found = archive(path)
        if found is None or found.script:
            return None
        whole, reason = True, found.reason
    elif is_legacy(head):
        from mlup_torch.legacy import legacy

        file = legacy(path)
        if file is None:
            return None
        whole, reason = file
    else:
        return None
    if str(path).lower().endswith(extensions):
        return mlup.Score(0.99 if whole else 0.95, reason)
    return mlup.Score(0.95 if whole else 0.9, reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """What was saved, such as a ``state_dict`` or a module; a module is put in ``eval()``.

    Weights are loaded by ``torch.load(weights_only=True)``, whole modules by ``torch.load`` with
    ``mlup_safepickle`` in the place of ``pickle``; with ``trust`` by ``pickle`` itself.
    """
    from mlup_torch.loading import load

    return load(file)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The classes and functions that the pickle in it would import, each with its verdict."""
    from mlup_torch.inspecting import inspect

    return inspect(file)
