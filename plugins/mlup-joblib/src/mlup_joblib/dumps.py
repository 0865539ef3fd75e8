"""A joblib dump: a pickle stream with the bytes of arrays between its opcodes.

Where a ``NumpyArrayWrapper`` gets its state, its array's bytes stand next in the file: a byte with the
length of the padding and the padding (since joblib 1.2), then the items; or, for objects, another
pickle. joblib's own class is never imported: it would read these with the plain unpickler.

Source: ``joblib/numpy_pickle.py``, 1.2 to 1.6.
"""

from __future__ import annotations

import ctypes
import math
import pickle
import re
import struct
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from mlup_joblib.decompressing import BOMB
from mlup_safepickle import Acting, Budget, Made, Reader, Refused, Unpickler, Watching
from mlup_safepickle.safelists import NEW

if TYPE_CHECKING:
    import numpy as np

MODULE: Final = "joblib.numpy_pickle"
WRAPPER: Final = "NumpyArrayWrapper"

OLD: Final = (
    "it was dumped by joblib before 0.10, which keeps arrays in ways that cannot be checked; load it "
    "once with trust=True if you trust it, and dump it again"
)
_OLD_NAMES: Final = frozenset({"NDArrayWrapper", "ZNDArrayWrapper"})
_OLD_MODULES: Final = frozenset({MODULE, "joblib.numpy_pickle_compat"})

_ALIGNED: Final = 16  # bytes, to which joblib aligns arrays since 1.2
_DIMENSIONS: Final = 64  # NumPy's own limit
_PIECE: Final = 1024 * 1024

_KIND: Final = re.compile(r"[<>|=]?([biufcOSUVMm])(\d{1,9})")
_LETTERS: Final = {letter: struct.calcsize(letter) for letter in "?bBhHiIlLqQefd"} | {
    "g": ctypes.sizeof(ctypes.c_longdouble),
    "F": 8,
    "D": 16,
    "G": 2 * ctypes.sizeof(ctypes.c_longdouble),
}


class Wrapper:
    """What stands for an array until its bytes are read; its state is that of joblib's class."""


class LoadedDump(Unpickler):
    """A dump that is loaded.

    Args:
        longest: how many bytes may still come.
        mapped: the file to map arrays from; ``None``: they are read.
        mode: how they are to be mapped; ``None``: not, and they get this machine's byte order.
        compressed: whether there is a limit to what comes out of it.
    """

    def __init__(
        self,
        reader: Reader,
        acting: Acting,
        budget: Budget,
        longest: Callable[[], int],
        mapped: BinaryIO | None = None,
        mode: str | None = None,
        *,
        compressed: bool = False,
    ) -> None:
        super().__init__(reader, acting, budget)
        acting.admit(MODULE, WRAPPER, Wrapper, NEW)
        self._longest = longest
        self._mapped = mapped
        self._mode = mode
        self._compressed = compressed

    def find_class(self, module: str, name: str) -> Any:
        """A name; that of an old wrapper says how old the file is."""
        if module in _OLD_MODULES and name in _OLD_NAMES:
            raise Refused(OLD, (f"{module}.{name}",), allowable=False)
        return super().find_class(module, name)

    def build(self) -> None:
        """A wrapper that got its state becomes its array."""
        super().build()
        if type(self.stack[-1]) is Wrapper:
            self.stack[-1] = self._array(vars(self.stack[-1]))

    def _array(self, state: dict[str, Any]) -> Any:
        import numpy as np

        shape, dtype = _shape(state), state.get("dtype")
        if not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("an array of it has no dtype")
        if dtype.hasobject:
            array = Unpickler(self.reader, self.actions, self.budget).load()
            if not isinstance(array, np.ndarray):
                raise pickle.UnpicklingError("what stands in the place of an array is none")
        else:
            unaligned = _skip_padding(self.reader, state) is None
            self._check_length(shape, dtype)
            if self._mapped is not None and state.get("allow_mmap") is True:
                array = self._map(shape, dtype, state.get("order"), unaligned)
            else:
                array = self._read(shape, dtype, state.get("order"))
        if self._mode is None and _swapped(array.dtype):
            array = array.byteswap().view(array.dtype.newbyteorder("="))
        # joblib writes three types so; of a memmap, it writes and gives an ordinary array.
        return array.view(np.matrix) if state.get("subclass") is np.matrix else array

    def _check_length(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        count = math.prod(shape)
        size, left = count * dtype.itemsize, self._longest()
        if size > left and self._compressed:
            raise Refused(BOMB)
        if size > left or (count and not dtype.itemsize):
            raise EOFError(
                f"an array of the shape {shape}, of {size} bytes, is longer than what may still come, "
                f"{left} bytes"
            )

    def _read(self, shape: tuple[int, ...], dtype: np.dtype[Any], order: Any) -> Any:
        import numpy as np

        array = np.empty(math.prod(shape), dtype)
        if array.size:
            self.reader.fill(memoryview(array.view(np.uint8)))
        return array.reshape(shape[::-1]).transpose() if order == "F" else array.reshape(shape)

    def _map(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], order: Any, unaligned: bool
    ) -> Any:
        import numpy as np

        file = self._mapped
        assert file is not None
        self.reader.give_back()
        offset = file.tell()
        order = "F" if order == "F" else "C"
        memmap: Any = np.memmap
        array = memmap(file, dtype, self._mode, offset, shape, order)
        file.seek(offset + array.nbytes)
        if unaligned and offset % _ALIGNED:
            warnings.warn(
                f"an array of the shape {shape} is mapped from {file.name} where it is not aligned, "
                "and some libraries crash over such arrays; dump it again with joblib 1.2 or newer",
                stacklevel=2,
            )
        return array


class SeenDump(Unpickler):
    """A dump that is only looked through."""

    def __init__(self, reader: Reader, watching: Watching, budget: Budget) -> None:
        super().__init__(reader, watching, budget)
        self._watching = watching

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in; the wrapper is read here, and nobody's business."""
        if (module, name) == (MODULE, WRAPPER):
            return Wrapper
        if module in _OLD_MODULES and name in _OLD_NAMES and OLD not in self._watching.notes:
            self._watching.notes.append(OLD)
        return super().find_class(module, name)

    def build(self) -> None:
        """Skip the bytes of an array."""
        super().build()
        wrapper = self.stack[-1]
        if (
            type(wrapper) is not Made
            or wrapper.of is not Wrapper
            or type(wrapper.state) is not dict
        ):
            return
        state = wrapper.state
        size = _item_size(state.get("dtype"))
        if size is None:
            self.stack[-1] = Unpickler(self.reader, self.actions, self.budget).load()
            return
        _skip_padding(self.reader, state)
        left = size * math.prod(_shape(state))
        while left:
            left -= len(self.reader.read(min(left, _PIECE)))


def _shape(state: dict[str, Any]) -> tuple[int, ...]:
    shape = state.get("shape")
    if type(shape) is tuple and len(shape) <= _DIMENSIONS:
        lengths = [n for n in shape if type(n) is int and 0 <= n <= sys.maxsize]
        if len(lengths) == len(shape):
            return shape
    raise pickle.UnpicklingError(f"an array of it has the shape {_short(shape)}")


def _short(value: Any) -> str:
    return f"{value}" if type(value) in (int, float, type(None)) else f"{type(value).__name__}"


def _skip_padding(reader: Reader, state: dict[str, Any]) -> int | None:
    """The length of the padding; ``None``: there is none."""
    if state.get("numpy_array_alignment_bytes") is None:
        return None
    length = reader.read(1)[0]
    reader.read(length)
    return length


def _swapped(dtype: np.dtype[Any]) -> bool:
    """Whether all of it has the other byte order: then joblib gives it this machine's."""
    foreign = ">" if sys.byteorder == "little" else "<"
    parts = [field[0] for field in dtype.fields.values()] if dtype.fields else [dtype]
    return all(part.byteorder == foreign for part in parts)


def _item_size(dtype: Any) -> int | None:
    """The size of an item in bytes, from how a dtype is pickled; ``None``: items are objects.

    Raises:
        ValueError: it cannot be told.
    """
    if type(dtype) is not Made or not dtype.arguments:
        raise ValueError("the dtype of an array cannot be told")
    if dtype.is_of("numpy._core._internal", "_convert_to_stringdtype_kwargs"):
        return None
    text, state = dtype.arguments[0], dtype.state
    if dtype.is_of("numpy", "dtype"):
        found = _KIND.fullmatch(text) if type(text) is str else None
        if found and found[1] == "O":
            return None
        sized = type(state) is tuple and len(state) >= 8 and type(state[5]) is int
        if sized and state[5] >= 0:  # of texts, bytes and records
            return None if type(state[7]) is int and state[7] & 1 else int(state[5])
        if found:
            return int(found[2]) * (4 if found[1] == "U" else 1)
        if type(text) is str and text[-1:] in _LETTERS:
            return _LETTERS[text[-1]]
    raise ValueError("the dtype of an array cannot be told")
