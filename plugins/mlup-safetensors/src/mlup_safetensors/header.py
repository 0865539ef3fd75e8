"""The header of a safetensors file, read within bounds.

Source: the format's description in the README of safetensors, and what safetensors 0.7 and 0.8
accept: eight bytes with the header's length, little-endian; the header, JSON that begins with ``{``
and may end in spaces; the tensors, without a gap, overlap or rest::

    {"__metadata__": {"format": "pt"},
     "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}

``data_offsets`` count from the end of the header.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple, TypeGuard

from mlup import ModelPath, probe

LONGEST: Final = 100_000_000
"""Bytes of a header, at most: safetensors' own limit."""

_LENGTH: Final = 8
_WHOLE: Final = 256 * 1024  # a header up to here is read whole: about 2,500 tensors
_PART: Final = 64 * 1024  # of a longer one, at either end
_METADATA: Final = "__metadata__"
_SHOWN: Final = 3  # types in a reason

_NAME: Final = re.compile(rb'\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*\{', re.DOTALL)
_OFFSETS: Final = re.compile(rb'"data_offsets"\s*:\s*\[\s*(\d{1,19})\s*,\s*(\d{1,19})\s*\]')
_END: Final = re.compile(rb"\}\s*\}\s*$")
_DTYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,15}")


class Header(NamedTuple):
    """What a header says.

    Attributes:
        size: its length in bytes.
        tensors: their number; ``None`` where the header is too long to be read whole.
        dtypes: their types in the format's spelling, by the alphabet; of a long header, none.
        whole: the last tensor ends where the file does. Otherwise it was not seen.
    """

    size: int
    tensors: int | None
    dtypes: tuple[str, ...]
    whole: bool

    def described(self) -> str:
        """The same for the user."""
        if self.tensors is None:
            return f"safetensors with a header of {self.size:,} bytes"
        some = ", ".join(self.dtypes[:_SHOWN]) + (", …" if len(self.dtypes) > _SHOWN else "")
        noun = "tensor" if self.tensors == 1 else "tensors"
        return f"safetensors of {self.tensors:,} {noun}" + (f" ({some})" if some else "")


@probe.reader
def header(path: ModelPath) -> Header | None:
    """What the header says; ``None`` where it is none, or not that of a file of this size."""
    length = int.from_bytes(path.head[:_LENGTH], "little")
    data = path.size - _LENGTH - length
    if not 2 <= length <= LONGEST or data < 0 or path.head[_LENGTH : _LENGTH + 1] != b"{":
        return None
    if length <= _WHOLE:
        return _read(path.read_at(_LENGTH, length), data)
    return _glanced(
        path.read_at(_LENGTH, _PART), path.read_at(_LENGTH + length - _PART, _PART), length, data
    )


def _read(text: bytes, data: int) -> Header | None:
    try:
        entries: Any = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    metadata = entries.pop(_METADATA, None)
    if not isinstance(metadata, (dict, type(None))):
        return None
    spans, dtypes = [], set()
    for entry in entries.values():
        span = _span(entry)
        if span is None:
            return None
        spans.append(span)
        dtypes.add(entry["dtype"])
    end = 0
    for begins, ends in sorted(spans):
        if begins != end:
            return None
        end = ends
    if end != data:
        return None
    return Header(len(text), len(spans), tuple(sorted(dtypes)), whole=True)


def _span(entry: Any) -> tuple[int, int] | None:
    """Where a tensor begins and ends; ``None`` where the entry is that of none."""
    if not isinstance(entry, dict):
        return None
    dtype, shape = entry.get("dtype"), entry.get("shape")
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        return None
    offsets = entry.get("data_offsets")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        return None
    begins, ends = offsets
    return (begins, ends) if begins <= ends else None


def _sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)


def _glanced(beginning: bytes, end: bytes, length: int, data: int) -> Header | None:
    """Of a header too long to be read: it begins and ends like one, with tensors in the file.

    Writers put the tensors into the header as they lie in the file, so the last one is mostly in sight.
    """
    if not _NAME.match(beginning) or not _END.search(end):
        return None
    spans = [tuple(map(int, span)) for span in _OFFSETS.findall(beginning) + _OFFSETS.findall(end)]
    if not spans or not all(begins <= ends <= data for begins, ends in spans):
        return None
    return Header(length, None, (), whole=any(ends == data for _, ends in spans))
