"""ONNX Runtime's own format, a flatbuffer: its mark, and the version in its root table.

Source: ort.fbs of ONNX Runtime (``file_identifier "ORTM"``; the first field of ``InferenceSession``
is the string ``ort_version``), and the flatbuffers' internals document: all numbers little-endian;
bytes 0 to 3 point to the root table, a table begins with the distance back to its vtable, a vtable
has two lengths and then the place of every field in the table; strings are counted.
"""

from __future__ import annotations

from typing import Final

import mlup
from mlup import probe

MARK: Final = b"ORTM"
"""What stands at byte 4."""

_FIRST_FIELD: Final = 4  # its place in a vtable
_MAX_VERSION: Final = 3  # digits; the version of 2026 is 6


def is_ort_format(head: bytes) -> bool:
    """Whether the first bytes of a file are those of the ORT format."""
    return head[4:8] == MARK


@probe.reader
def described(path: mlup.ModelPath) -> str | None:
    """What the model says of itself, for the user; ``None``: it is none, or is truncated."""
    root = _number(path, 0, 4)
    vtable = root - _number(path, root, 4, signed=True)
    if vtable < 0 or _number(path, vtable, 2) <= _FIRST_FIELD:
        return None
    place = _number(path, vtable + _FIRST_FIELD, 2)
    if place == 0:
        return None
    text = root + place + _number(path, root + place, 4)
    # A flatbuffer is written from its end: this string, made first, is the last thing in the file.
    size = _number(path, text, 4)
    version = path.read_at(text + 4, min(size, _MAX_VERSION))
    if len(version) != size or not version.isdigit():
        return None
    return f"ONNX Runtime model, ORT format version {version.decode()}"


def _number(path: mlup.ModelPath, at: int, size: int, *, signed: bool = False) -> int:
    """0 where it would lie past the end."""
    return int.from_bytes(path.read_at(at, size), "little", signed=signed)
