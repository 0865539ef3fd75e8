"""Protobuf messages taken apart and written in other ways that every reader understands."""

from __future__ import annotations


def varint(number: int, width: int = 0) -> bytes:
    """A number in base 128, in ``width`` bytes where more than it needs are asked for."""
    out = bytearray()
    while number > 127 or len(out) < width - 1:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value: int | bytes, width: int = 0) -> bytes:
    """One field: a number, or bytes behind their length, which may be written in ``width`` bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value, width)
    return varint(number << 3 | 2) + varint(len(value), width) + value


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of a message that has only numbers and bytes, in their order."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        key, at = _read(data, at)
        value, at = _read(data, at)
        if key & 7 == 0:
            found.append((key >> 3, value))
        else:
            found.append((key >> 3, data[at : at + value]))
            at += value
    return found


def joined(parts: list[tuple[int, int | bytes]], width: int = 0) -> bytes:
    """A message of these fields, in this order."""
    return b"".join(field(number, value, width) for number, value in parts)


def _read(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at
