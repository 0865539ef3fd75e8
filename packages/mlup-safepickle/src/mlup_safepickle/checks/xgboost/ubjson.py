"""UBJSON as XGBoost reads it. Source: ``UBJReader`` in ``src/common/json.cc``, XGBoost 1.6 to 3.2.

It is the format of ubjson.org (draft 12) with lengths of eight bytes, and typed arrays. XGBoost
believes each length, and goes down in calls.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from mlup_safepickle.checks.xgboost.layouts import Layout
from mlup_safepickle.checks.xgboost.values import (
    DEEPEST,
    NUMBERS,
    DamagedError,
    HostileError,
    text,
)

_NUMBERS: Final = {kind: struct.Struct(">" + code) for kind, code in NUMBERS.items()}
_WIDTHS: Final = {kind: number.size for kind, number in _NUMBERS.items()}
_CONSTANTS: Final = {ord("Z"): None, ord("T"): True, ord("F"): False}
_LENGTH: Final = struct.Struct(">q")


def read(data: bytes | bytearray) -> dict[str, Any]:
    """The document; typed arrays are counted and left where they lie.

    Raises:
        DamagedError: it is no UBJSON, it breaks off, or something follows its end.
        HostileError: a name stands twice in an object, or it is nested too deep.
    """
    try:
        return _walk(data)
    except (IndexError, struct.error):
        raise DamagedError("its UBJSON breaks off") from None


def _walk(data: bytes | bytearray) -> dict[str, Any]:
    if data[:1] != b"{":
        raise DamagedError("it does not begin with an object")
    end = len(data)
    length_of = _LENGTH.unpack_from
    document: dict[str, Any] = {}
    layout: Layout | None = None  # of the last object in an array: the next one is mostly alike
    # The open containers around the innermost one: (container, items left of an array or -1),
    # and where the one in it begins.
    outer: list[tuple[Any, int, int]] = []
    inside: Any = document
    left = -1
    at = 1
    while True:
        name = ""
        if type(inside) is dict:
            mark = data[at]
            if mark == 0x7D:  # }
                at += 1
                if not outer:
                    break
                closed, (inside, left, begun) = inside, outer.pop()
                if type(inside) is list and left:
                    layout = Layout.of(closed, data, begun)
                continue
            at, raw = _string(data, at)
            name = text(raw)
            if name in inside:
                raise HostileError(f"an object in it has the name {name!a} twice")
        elif left == 0 or (left < 0 and data[at] == 0x5D):  # ]
            at += left < 0
            inside, left, _ = outer.pop()
            continue
        else:
            if layout is not None:
                at, left = layout.take(data, at, left, inside)
                layout = None
                continue
            left -= left > 0
        opened, kind = at, data[at]
        at += 1
        value: Any
        items = -1
        if kind == 0x5B and data[at] == 0x24:  # [$
            width = _WIDTHS.get(data[at + 1], 0)
            if not width or data[at + 2] != 0x23 or data[at + 3] != 0x4C:  # #L
                raise DamagedError(f"at byte {at} begins an array of a type that is none")
            (count,) = length_of(data, at + 4)
            start = at + 12
            if not 0 <= count <= (end - start) // width:
                raise DamagedError(f"at byte {at} begins an array of {count} that ends behind it")
            value = data[at + 1], count, data, start, start + count * width
            at = value[-1]
        elif kind == 0x53:  # S
            at, raw = _string(data, at)
            value = text(raw)
        elif kind == 0x5B:  # [
            value = []
            if data[at] == 0x23:  # #
                if data[at + 1] != 0x4C:
                    raise DamagedError(f"at byte {at} stands no length")
                (items,) = length_of(data, at + 2)
                at += 10
                if not 0 <= items <= end - at:
                    raise DamagedError(f"at byte {at} begins an array of {items}, past its end")
        elif kind == 0x7B:  # {
            value = {}
        elif kind in _NUMBERS:
            number = _NUMBERS[kind]
            (value,) = number.unpack_from(data, at)
            at += number.size
        elif kind in _CONSTANTS:
            value = _CONSTANTS[kind]
        else:
            raise DamagedError(f"at byte {at - 1} stands no value")
        if type(inside) is dict:
            inside[name] = value
        else:
            inside.append(value)
        if kind == 0x7B or (kind == 0x5B and type(value) is list):
            outer.append((inside, left, opened))
            if len(outer) >= DEEPEST:
                raise HostileError("it is nested too deep")
            inside, left = value, items
    if at != end:
        raise DamagedError(f"{end - at} bytes follow its end")
    return document


def _string(data: bytes | bytearray, at: int) -> tuple[int, bytes | bytearray]:
    if data[at] != 0x4C:  # L
        raise DamagedError(f"at byte {at} stands no length")
    (length,) = _LENGTH.unpack_from(data, at + 1)
    after = at + 9 + length
    if not at + 9 <= after <= len(data):
        raise DamagedError(f"at byte {at} begins a string of {length}, past its end")
    return after, data[at + 9 : after]
