"""What a refusal of TensorFlow's over a SavedModel means, and what to do about it."""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from typing import Final

from mlup_tensorflow.refusals import brief
from mlup_tensorflow.saved_files import BINARY, INDEX, TEXT, VARIABLES

_NO_INDEX: Final = "Failed to find any matching files for"
_SEVERAL: Final = re.compile(r"`tags=` argument.* with tag sets: (\[.*\])")
_NO_FILE: Final = re.compile(r"^(.+); No such file or directory", re.MULTILINE)
_NO_MESSAGE: Final = "Cannot parse file"
_DECODING: Final = {"DecodeError", "UnicodeDecodeError"}  # protobuf's own, and of its text format
_RESTORING: Final = {"_restore_checkpoint", "restore_variables"}  # of objects, and of TensorFlow 1
_IN_INDEX: Final = re.compile(r"sstable|variables\.index")
_LFS: Final = b"version https://git-lfs"
POINTER: Final = "a pointer of Git LFS, not the file itself; git lfs pull"
UNREADABLE: Final = "no SavedModel message, or a damaged one"
_SHOWN: Final = 3  # files


def explained(error: Exception, folder: str, home: str | None) -> str:
    """What was seen, and what to do.

    Args:
        error: what TensorFlow raised.
        folder: the one that TensorFlow was given.
        home: the one that the user knows of; ``None``: of bytes.
    """
    said = str(error)
    several = _SEVERAL.search(said)
    if several and several[1] == "[]":
        return "it holds no graph: it is empty or damaged"
    if several:
        return (
            f'it holds several graphs; choose one by its tags, options={{"tags": …}}: {several[1]}'
        )
    if _is_unreadable(error):
        if any(_is_pointer(Path(folder, name)) for name in (BINARY, TEXT)):
            return f"it is {POINTER}"
        return f"it is {UNREADABLE}"
    return (
        _missing(said, folder, home)
        or _damaged_variables(error, folder, home)
        or brief(error, said.replace(folder, home or "."))
    )


def _is_unreadable(error: Exception) -> bool:
    return type(error).__name__ in _DECODING or _NO_MESSAGE in str(error)


def _missing(said: str, folder: str, home: str | None) -> str | None:
    not_found = _NO_FILE.search(said)
    if _NO_INDEX in said:
        missing = INDEX
    elif not_found:
        missing = os.path.relpath(not_found[1], folder)
    else:
        return None
    if home is None:
        return f"it needs {missing} beside it; give the folder that the model was saved to"
    if os.path.exists(os.path.join(folder, missing)):
        return (
            f"TensorFlow did not find {os.path.join(home, missing)}, because it takes characters "
            "such as [ ] { } * ? in a path for a pattern; rename the folder"
        )
    return (
        f"it needs {os.path.join(home, missing)}, which is not there; copy the whole folder that "
        "the model was saved to"
    )


def _damaged_variables(error: Exception, folder: str, home: str | None) -> str | None:
    frames = traceback.walk_tb(error.__traceback__)
    if home is None or not any(frame.f_code.co_name in _RESTORING for frame, _ in frames):
        return None
    files = sorted(Path(folder, VARIABLES).glob("variables.*"))
    pointers = [each for each in files if _is_pointer(each)]
    if not pointers:
        in_index = _IN_INDEX.search(str(error)) is not None
        files = [each for each in files if (each.suffix == ".index") == in_index]
    names = [os.path.join(home, VARIABLES, each.name) for each in pointers or files]
    shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    if pointers:
        return f"{shown}: {POINTER}, or copy the whole folder that the model was saved to again"
    return (
        f"{shown}: cut off, damaged, or of another model; copy the whole folder that the model was "
        "saved to again"
    )


def is_pointer(data: bytes) -> bool:
    """Whether the bytes are what Git LFS leaves in place of a file."""
    return data.startswith(_LFS)


def _is_pointer(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return is_pointer(file.read(len(_LFS)))
