"""NumPy: dtypes that lie about their bytes, and shapes that are larger than their data.

An array's state is its memory. A dtype that says that there are no objects where there are some
turns numbers of the file's choice into pointers, so a dtype's flags must be those that its parts
have. The dtypes that NumPy has one of for the whole process (``dtype("f8")``) take a state too: only
a copy of one may get one.

Source: ``array_setstate`` and ``arraydescr_setstate`` of NumPy 2.4.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

_OBJECT_FLAGS: Final = (
    0x3F  # what dtype("O") has: refcounted, list-pickled, pointer, initialised, …
)
_OF_OBJECTS: Final = 0x01 | 0x02  # NPY_ITEM_REFCOUNT, NPY_LIST_PICKLE: set where there are any
_TEXT: Final = re.compile(r"[<>|=]?(\?|[bBhHiIlLqQefdgFDG]|[biufcOSUVMmT]\d{0,9})")
_FLEXIBLE: Final = "SUV"
_LARGEST: Final = 2**31 - 1
_MOST_AXES: Final = 64


def dtype_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``dtype("f8", False, True)``: a copy, of a type that a text names."""
    import numpy as np

    record = len(args) == 3 and args[0] is np.record
    named = len(args) == 3 and type(args[0]) is str and _TEXT.fullmatch(args[0])
    if kwargs or not (record or named):
        return "a dtype is made of something else than a type's name, 'align' and 'copy'"
    if not args[2]:
        return "the dtype is no copy, and the whole process has but one of it"
    return None


def dtype_state(state: Any, dtype: Any) -> str | None:
    """What ``dtype.__reduce__`` gives, versions 3 and 4."""
    if type(state) is not tuple or not 8 <= len(state) <= 9 or state[0] not in (3, 4):
        return "it is of an unknown version"
    _, order, base, names, fields, size, alignment, flags = state[:8]
    if order not in ("<", ">", "|", "="):
        return "its byte order is none"
    if not all(type(each) is int for each in (size, alignment, flags)):
        return "its sizes are no numbers"
    if not -1 <= size <= _LARGEST or not -1 <= alignment <= 64:
        return "its size is none"
    if dtype.kind in _FLEXIBLE and (size < 0 or (dtype.kind == "U" and size % 4)):
        return "its size is none"
    parts: list[tuple[int, Any]] = []
    if base is not None:
        if type(base) is not tuple or len(base) != 2:
            return "its base is none"
        shape = base[1] if type(base[1]) is tuple else (base[1],)
        if not _is_dtype(base[0]) or not _is_shape(shape):
            return "its base is none"
        if base[0].itemsize * math.prod(shape) != size:
            return "its base has another size"
        parts.append((0, base[0]))
    if (names is None) != (fields is None):
        return "it has names without fields"
    if fields is not None:
        if type(fields) is not dict or type(names) is not tuple or not set(names) <= set(fields):
            return "its names are not those of its fields"
        for field in fields.values():
            if type(field) is not tuple or len(field) not in (2, 3) or not _is_dtype(field[0]):
                return "it has a field without a dtype"
            kind, offset = field[:2]
            if type(offset) is not int or not 0 <= offset <= size - kind.itemsize:
                return "it has a field outside itself"
            parts.append((offset, kind))
    against = _objects_apart(parts)
    if against:
        return against
    expected = _OF_OBJECTS if any(kind.hasobject for _, kind in parts) else 0
    if flags != _OBJECT_FLAGS if dtype.kind == "O" else flags & _OF_OBJECTS != expected:
        return "its flags are those of another type"
    if dtype.kind not in _FLEXIBLE and (parts or size not in (-1, dtype.itemsize)):
        return "its size is that of another type"
    return None


def _objects_apart(parts: list[tuple[int, Any]]) -> str | None:
    """Where there are objects among fields, no other field may lie over them."""
    if not any(kind.hasobject for _, kind in parts):
        return None
    end = 0
    for offset, kind in sorted(parts, key=lambda part: part[0]):
        if offset < end:
            return "it has other fields where its objects are"
        end = offset + kind.itemsize
    return None


def _is_shape(shape: Any) -> bool:
    known = type(shape) is tuple and len(shape) <= _MOST_AXES
    return known and all(type(n) is int and 0 <= n < 2**63 for n in shape)


def _is_dtype(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.dtype)


def reconstruct(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_reconstruct(ndarray, (0,), b"b")``: an empty array, whose state comes next."""
    import numpy as np

    if kwargs or len(args) != 3 or not isinstance(args[0], type):
        return "there are other arguments"
    if not issubclass(args[0], np.ndarray):
        return "it is no array"
    if args[1] not in ((0,), [0]) or args[2] not in (b"b", "b"):
        return "the array is not empty"
    return None


def array_state(state: Any, array: Any) -> str | None:
    """A shape with as many items as there are."""
    if type(state) is not tuple or len(state) not in (4, 5):
        return "it is of an unknown version"
    shape, dtype, _, data = state[-4:]
    return _shaped(shape, dtype, data)


def _shaped(shape: Any, dtype: Any, data: Any) -> str | None:
    if not _is_shape(shape):
        return "its shape is none"
    if not _is_dtype(dtype):
        return "it has no dtype"
    count = math.prod(shape)
    if dtype.hasobject:
        if type(data) is not list or len(data) != count:
            return "it has another number of objects than items"
    elif not isinstance(data, (bytes, bytearray, str)) or (
        len(data) != count * dtype.itemsize  # a str is Latin-1, from Python 2
    ):
        return "it has another number of bytes than its items have"
    return None


def scalar(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``scalar(dtype, bytes)``; of objects, the object itself."""
    if kwargs or len(args) != 2 or not _is_dtype(args[0]):
        return "there are other arguments"
    if args[0].hasobject:
        return None
    if not isinstance(args[1], (bytes, str)) or len(args[1]) != args[0].itemsize:
        return "it has another size than its dtype"
    return None


def from_buffer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_frombuffer(bytes, dtype, shape, order)``: what protocol 5 writes for arrays.

    NumPy 2.3 and later give the order of the axes too, where it is neither C nor Fortran.
    """
    if kwargs or len(args) not in (4, 5) or args[3] not in ("C", "F", "A", "K"):
        return "there are other arguments"
    if not _is_dtype(args[1]) or not (len(args) == 4 or type(args[4]) in (tuple, type(None))):
        return "there are other arguments"
    if not isinstance(args[0], (bytes, bytearray, memoryview)) or args[1].hasobject:
        return "it is not of bytes"
    shape = args[2] if type(args[2]) is tuple else (args[2],)
    if not _is_shape(shape):
        return "its shape is none"
    size = args[0].nbytes if isinstance(args[0], memoryview) else len(args[0])
    return None if math.prod(shape) * args[1].itemsize == size else "it has another size"


def masked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_mareconstruct(MaskedArray, ndarray, (0,), "b")``."""
    import numpy as np

    if kwargs or len(args) != 4 or not all(isinstance(each, type) for each in args[:2]):
        return "there are other arguments"
    if not issubclass(args[0], np.ma.MaskedArray) or not issubclass(args[1], np.ndarray):
        return "it is no masked array"
    return None if args[2] in ((0,), [0]) and args[3] in (b"b", "b") else "the array is not empty"


def masked_state(state: Any, array: Any) -> str | None:
    """An array's state, and a mask of as many items."""
    if type(state) is not tuple or len(state) != 7:
        return "it is of an unknown version"
    _, shape, dtype, _, data, mask, _ = state
    against = _shaped(shape, dtype, data)
    if against:
        return against
    if not isinstance(mask, (bytes, str)) or len(mask) < math.prod(shape):
        return "its mask has another size"
    return None
