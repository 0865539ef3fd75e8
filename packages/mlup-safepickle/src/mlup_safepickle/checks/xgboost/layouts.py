"""How an object of UBJSON lies, so that the next ones like it are read in few steps.

The trees of a model are thousands of objects with the same names in the same order: only the
lengths of their arrays and texts and what these hold differ. What is between them is compared as
it stands; an object that lies in another way is left to :mod:`.ubjson`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from mlup_safepickle.checks.xgboost.values import NUMBERS, raw, text

_TEXT: Final = 0
_WIDTHS: Final = {kind: struct.calcsize(">" + code) for kind, code in NUMBERS.items()}


# A value, and the bytes from the one before it: what unpacks those bytes and the number that the
# value or its length is; what the bytes have to be; the size of both; the width of an item of the
# array or text that follows, 0 for a number; the kind of the array, or _TEXT.
_Field: TypeAlias = tuple[Callable[[Any, int], tuple[Any, ...]], bytes, int, int, int]


class Layout:
    """The way one object lies."""

    def __init__(self) -> None:
        self._fields: list[_Field] = []
        # Objects in the order in which they end: where their values are among those of all fields,
        # once the objects that ended before are one value each.
        self._objects: list[tuple[int, int, tuple[str, ...]]] = []
        self._rest = b""

    @classmethod
    def of(cls, made: dict[str, Any], data: bytes | bytearray, start: int) -> Layout | None:
        """That of an object that was read at ``start``; ``None`` if it holds lists or constants."""
        layout = cls()
        try:
            begun, at, _ = layout._add(made, data, start, start, 0)
        except KeyError:
            return None
        layout._rest = bytes(data[begun:at])
        return layout

    def _add(
        self, made: dict[str, Any], data: bytes | bytearray, begun: int, at: int, first: int
    ) -> tuple[int, int, int]:
        """Fields for the values of an object at ``at``; bytes from ``begun`` on are in none yet."""
        at += 1
        place = first
        for name, value in made.items():
            at += 9 + len(raw(name))
            if type(value) is dict:
                begun, at, place = self._add(value, data, begun, at, place)
                continue
            if type(value) is tuple:
                kind, length, code = value[0], value[1], "q"
                width = _WIDTHS[kind]
                at += 5  # [$l#L
            elif type(value) is str:
                kind, width, length, code = _TEXT, 1, len(raw(value)), "q"
                at += 2  # SL
            else:
                kind, width, length, code = data[at], 0, 0, NUMBERS[data[at]]
                at += 1
            form = struct.Struct(f">{at - begun}s{code}")
            self._fields.append((form.unpack_from, bytes(data[begun:at]), form.size, width, kind))
            begun = at = begun + form.size + length * width
            place += 1
        self._objects.append((first, place, tuple(made)))
        return begun, at + 1, first + 1

    def take(self, data: bytes | bytearray, at: int, left: int, into: list[Any]) -> tuple[int, int]:
        """Read the objects from ``at`` on that lie so, at most ``left`` unless that is negative.

        Returns:
            Where the first begins that does not, and what is left.
        """
        while left and data[at : at + 1] == b"{":
            try:
                after, made = self._one(data, at)
            except struct.error:  # it lies otherwise, or breaks off
                break
            if made is None:
                break
            into.append(made)
            at = after
            left -= left > 0
        return at, left

    def _one(self, data: bytes | bytearray, at: int) -> tuple[int, dict[str, Any] | None]:
        values: list[Any] = []
        add, end = values.append, len(data)
        for unpack, before, size, width, kind in self._fields:
            found, length = unpack(data, at)
            at += size
            if found != before:
                return at, None
            if not width:
                add(length)
                continue
            if not 0 <= length <= end:
                return at, None
            start = at
            at += length * width
            if kind:
                add((kind, length, data, start, at))
            else:
                add(text(data[start:at]))
        if at > end or not data.startswith(self._rest, at):
            return at, None
        for first, last, names in self._objects:
            values[first:last] = [dict(zip(names, values[first:last], strict=True))]
        return at + len(self._rest), values[0]
