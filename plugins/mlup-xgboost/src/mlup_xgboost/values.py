"""What a model's document is made of, once it is read: dicts, lists, and arrays left as they are.

A document is a dict of names to strings, numbers, ``None``, dicts, lists and :class:`Packed`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers: TypeAlias = npt.NDArray[np.int64]

DEEPEST: Final = 64
"""Objects and arrays within each other. XGBoost reads them by calls within calls, and writes ten."""

JSON: Final = 0
"""The :attr:`Packed.kind` of an array of a JSON text."""

FORMS: Final = {
    ord("d"): ">f4",
    ord("D"): ">f8",
    ord("U"): ">u1",
    ord("i"): ">i1",
    ord("I"): ">i2",
    ord("l"): ">i4",
    ord("L"): ">i8",
}
"""The numbers of UBJSON that XGBoost reads, as NumPy names them (``UBJReader``, json.cc)."""


class DamagedError(ValueError):
    """It is no whole model; the message says where it stops being one."""


class HostileError(ValueError):
    """It is a whole document that XGBoost would read past an end for. The message says why."""


class IncompatibleError(ValueError):
    """It is a whole model, for another version of XGBoost. The message says which."""


class Packed(NamedTuple):
    """An array of numbers that was counted, not read.

    Attributes:
        kind: the mark of its UBJSON type, or :data:`JSON`.
        size: how many.
        data: their bytes, or their text without brackets.
    """

    kind: int
    size: int
    data: bytes | memoryview


def length(value: Any) -> int:
    """How many an array holds; -1 for what is none."""
    if type(value) is Packed:
        return value.size
    return len(value) if type(value) is list else -1


def integers(arrays: list[Any], what: str) -> Integers:
    """The numbers of many arrays, one after the other.

    Raises:
        HostileError: one holds something else than integers of 64 bits. ``what`` names them.
    """
    import numpy as np

    kinds = {array.kind if type(array) is Packed else -1 for array in arrays}
    if len(kinds) != 1:  # as no writer does it
        parts = [_integers([array], what) for array in arrays]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
    return _integers(arrays, what)


def _integers(arrays: list[Any], what: str) -> Integers:
    import numpy as np

    first = arrays[0]
    if type(first) is Packed and first.kind != JSON:
        found = np.frombuffer(b"".join(array.data for array in arrays), FORMS[first.kind])
    else:
        found = np.array(_listed(arrays, what))
        if not len(found):
            return np.empty(0, np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1 or found.dtype == np.uint64:
        raise HostileError(f"its {what} are not all integers")
    return found.astype(np.int64)


def _listed(arrays: list[Any], what: str) -> list[Any]:
    try:
        if type(arrays[0]) is Packed:
            texts = b",".join(bytes(array.data) for array in arrays if array.size)
            found: list[Any] = json.loads(b"[" + texts + b"]")
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


def shown(value: Any) -> str:
    """Something of a file, fit for a message."""
    if isinstance(value, (dict, list, Packed)):
        return "an array" if isinstance(value, (list, Packed)) else "an object"
    text = ascii(value)
    return text if len(text) <= 40 else text[:37] + "..."
