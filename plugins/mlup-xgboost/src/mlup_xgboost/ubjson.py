"""UBJSON as XGBoost reads it. Source: ``UBJReader`` in ``src/common/json.cc``, XGBoost 1.6 to 3.2.

It is the format of ubjson.org (draft 12) with lengths of eight bytes, and typed arrays. XGBoost
believes each length, and goes down in calls.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from mlup_xgboost.values import DEEPEST, FORMS, DamagedError, HostileError, Packed

_NUMBERS: Final = {
    ord("U"): struct.Struct(">B"),
    ord("i"): struct.Struct(">b"),
    ord("I"): struct.Struct(">h"),
    ord("l"): struct.Struct(">i"),
    ord("L"): struct.Struct(">q"),
    ord("d"): struct.Struct(">f"),
    ord("D"): struct.Struct(">d"),
}
_WIDTHS: Final = {kind: int(form[-1]) for kind, form in FORMS.items()}
_CONSTANTS: Final = {ord("Z"): None, ord("T"): True, ord("F"): False}
_LENGTH: Final = struct.Struct(">q")


def read(data: bytes | bytearray) -> dict[str, Any]:
    """The document; typed arrays are counted and left where they lie.

    Raises:
        DamagedError: it is no UBJSON, it breaks off, or something follows its end.
        HostileError: a name stands twice in an object, or it is nested too deep.
    """
    try:
        return _walk(bytes(data))
    except (IndexError, struct.error):
        raise DamagedError("its UBJSON breaks off") from None


def _walk(data: bytes) -> dict[str, Any]:
    if data[:1] != b"{":
        raise DamagedError("it does not begin with an object")
    view = memoryview(data)  # a slice of it is no copy
    end = len(data)
    length_of = _LENGTH.unpack_from
    names: dict[bytes, str] = {}
    document: dict[str, Any] = {}
    # The open containers around the innermost one: (container, items left of an array or -1).
    outer: list[tuple[Any, int]] = []
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
                inside, left = outer.pop()
                continue
            at, raw = _string(data, at)
            name = names.get(raw) or names.setdefault(raw, _text(raw))
            if name in inside:
                raise HostileError(f"an object in it has the name {name!a} twice")
        elif left == 0 or (left < 0 and data[at] == 0x5D):  # ]
            at += left < 0
            inside, left = outer.pop()
            continue
        else:
            left -= left > 0
        kind = data[at]
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
            value = Packed(data[at + 1], count, view[start : start + count * width])
            at = start + count * width
        elif kind == 0x53:  # S
            at, raw = _string(data, at)
            value = _text(raw)
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
            outer.append((inside, left))
            if len(outer) >= DEEPEST:
                raise HostileError("it is nested too deep")
            inside, left = value, items
    if at != end:
        raise DamagedError(f"{end - at} bytes follow its end")
    return document


def _string(data: bytes, at: int) -> tuple[int, bytes]:
    if data[at] != 0x4C:  # L
        raise DamagedError(f"at byte {at} stands no length")
    (length,) = _LENGTH.unpack_from(data, at + 1)
    after = at + 9 + length
    if not at + 9 <= after <= len(data):
        raise DamagedError(f"at byte {at} begins a string of {length}, past its end")
    return after, data[at + 9 : after]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
