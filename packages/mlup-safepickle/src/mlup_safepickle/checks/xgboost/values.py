"""What a model's document is made of, once it is read: dicts, lists, and arrays left as they are.

A document is a dict of names to strings, numbers, ``None``, dicts, lists and :data:`Packed`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers: TypeAlias = npt.NDArray[np.int64]

DEEPEST: Final = 64
"""Objects and arrays within each other. XGBoost reads them by calls within calls, and writes ten."""

JSON: Final = 0
"""The mark of an array of a JSON text."""

NUMBERS: Final = {
    ord("U"): "B",
    ord("i"): "b",
    ord("I"): "h",
    ord("l"): "i",
    ord("L"): "q",
    ord("d"): "f",
    ord("D"): "d",
}
"""The numbers of UBJSON that XGBoost reads, as :mod:`struct` names them (``UBJReader``, json.cc)."""

FORMS: Final = {
    ord("d"): ">f4",
    ord("D"): ">f8",
    ord("U"): ">u1",
    ord("i"): ">i1",
    ord("I"): ">i2",
    ord("l"): ">i4",
    ord("L"): ">i8",
}
"""The numbers of UBJSON that XGBoost reads, as NumPy names them."""


class DamagedError(ValueError):
    """It is no whole model; the message says where it stops being one."""


class HostileError(ValueError):
    """It is a whole document that XGBoost would read past an end for. The message says why."""


class IncompatibleError(ValueError):
    """It is a whole model, for another version of XGBoost. The message says which."""


Packed: TypeAlias = tuple[int, int, "bytes | bytearray", int, int]
"""An array of numbers that was counted, not read; nothing else in a document is a tuple.

The mark of its UBJSON type or :data:`JSON`; how many; the document that its bytes are in, or its text
without brackets; where they start and stop. There are tens of thousands in a model, and a class of its own
would take three times as long to make.
"""


def bytes_of(arrays: list[Packed]) -> bytes:
    """What arrays of one document and one kind hold, one after the other."""
    if not arrays:
        return b""
    if arrays[0][0] == JSON:
        return b",".join([source for _, size, source, _, _ in arrays if size])
    view = memoryview(arrays[0][2])  # a slice of it is no copy
    return b"".join([view[start:stop] for _, _, _, start, stop in arrays])


def length(value: Any) -> int:
    """How many an array holds; -1 for what is none."""
    if type(value) is tuple:
        size: int = value[1]
        return size
    return len(value) if type(value) is list else -1


def integers(arrays: list[Any], what: str) -> Integers:
    """The numbers of many arrays, one after the other.

    Raises:
        HostileError: one holds something else than integers of 64 bits. ``what`` names them.
    """
    import numpy as np

    kinds = {array[0] if type(array) is tuple else -1 for array in arrays}
    if len(kinds) != 1:  # as no writer does it
        parts = [_integers([array], what) for array in arrays]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
    return _integers(arrays, what)


def _integers(arrays: list[Any], what: str) -> Integers:
    import numpy as np

    first = arrays[0]
    if type(first) is tuple and first[0] != JSON:
        found = np.frombuffer(bytes_of(arrays), FORMS[first[0]])
    else:
        found = np.array(_listed(arrays, what))
        if not len(found):
            return np.empty(0, np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1 or found.dtype == np.uint64:
        raise HostileError(f"its {what} are not all integers")
    return found.astype(np.int64)


def _listed(arrays: list[Any], what: str) -> list[Any]:
    try:
        if type(arrays[0]) is tuple:
            found: list[Any] = json.loads(b"[" + bytes_of(arrays) + b"]")
        else:
            found = [each for array in arrays for each in array]
    except (ValueError, RecursionError, TypeError):
        raise HostileError(f"its {what} are not all numbers") from None
    if not all(type(each) is int for each in found):
        raise HostileError(f"its {what} are not all integers")
    return found


def number(value: Any, what: str) -> int:
    """A size: XGBoost writes them as strings of digits.

    Raises:
        HostileError: it is none. ``what`` names it.
    """
    if type(value) is not str or not value.isascii() or not value.isdigit() or len(value) > 10:
        raise HostileError(f"its {what} is {shown(value)}, no number of up to ten digits")
    return int(value)


def text(data: bytes | bytearray) -> str:
    """A text of the document; what is no UTF-8 in it stays as it is."""
    return data.decode("utf-8", "surrogateescape")


def raw(text: str) -> bytes:
    """The bytes that :func:`text` was given."""
    return text.encode("utf-8", "surrogateescape")


def shown(value: Any) -> str:
    """Something of a file, fit for a message."""
    if isinstance(value, (dict, list, tuple)):
        return "an array" if isinstance(value, (list, tuple)) else "an object"
    text = ascii(value)
    return text if len(text) <= 40 else text[:37] + "..."
