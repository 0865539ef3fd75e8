"""The fields of a protobuf message, one level deep: lengths are skipped, not read.

Source: the protobuf encoding guide (tags are ``number << 3 | wire type``; numbers are varints,
little-endian in groups of seven bits). Protobuf has no magic: whether a message is of some kind is
for the caller to say, from the numbers, the wire types and that the walk comes out at the end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mlup.files import ModelPath
from mlup.probe.remembering import reader

MAX_FIELDS: Final = 1000
"""Fields that are walked, at most."""

# Read at once: neighbouring small fields cost one read together. With MAX_FIELDS it stays below
# the 1 MiB that a plugin may read.
_WINDOW: Final = 512
_HEADER: Final = 20  # a tag and a length, ten bytes each at most
_MAX_NUMBER: Final = 2**29 - 1

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
_FIXED: Final = {FIXED64: 8, FIXED32: 4}


class ProtobufField(NamedTuple):
    """One field of a message.

    Attributes:
        number: the field's number.
        wire: its wire type: :data:`VARINT`, :data:`FIXED64`, :data:`BYTES` or :data:`FIXED32`.
        value: a varint's value; 0 for the others.
        offset: where its content begins, in bytes from the beginning of the source.
        size: length of its content in bytes; 0 for a varint.
    """

    number: int
    wire: int
    value: int
    offset: int
    size: int


class ProtobufMessage(NamedTuple):
    """The fields of a message, in their order.

    Attributes:
        fields: those that were walked.
        complete: whether the walk came out exactly at the message's end.
        overrun: bytes by which the last field claims to run past it: a truncated message.
    """

    fields: tuple[ProtobufField, ...]
    complete: bool
    overrun: int = 0

    @property
    def limited(self) -> bool:
        """Whether the walk ended at :data:`MAX_FIELDS`, and not at something wrong."""
        return not self.complete and not self.overrun and len(self.fields) == MAX_FIELDS

    def first(self, number: int) -> ProtobufField | None:
        """The first field with a number; ``None``: there is none."""
        return next((field for field in self.fields if field.number == number), None)


@reader
def protobuf_fields(
    path: ModelPath, start: int = 0, size: int | None = None
) -> ProtobufMessage | None:
    """Walk the message that lies at ``start``, ``size`` bytes long (to the end, if not given).

    Returns:
        Its fields, up to :data:`MAX_FIELDS`, or to the one that is not well-formed or runs past
        the end; ``None`` where not even the first is well-formed.
    """
    end = path.size if size is None else min(path.size, start + size)
    fields: list[ProtobufField] = []
    window, base = (path.head[:end], 0) if start == 0 else (b"", start)
    at = start
    overrun = 0
    while at < end and len(fields) < MAX_FIELDS:
        if at + _HEADER > base + len(window) and base + len(window) < end:
            window, base = path.read_at(at, min(_WINDOW, end - at)), at
        tag, here = _varint(window, at - base)
        value, then = _varint(window, here)
        number, wire = tag >> 3, tag & 7
        if tag < 0 or not 0 < number <= _MAX_NUMBER:
            break
        if wire == BYTES and value >= 0:
            field = ProtobufField(number, wire, 0, base + then, value)
        elif wire == VARINT and value >= 0:
            field = ProtobufField(number, wire, value, base + then, 0)
        elif wire in _FIXED:
            field = ProtobufField(number, wire, 0, base + here, _FIXED[wire])
        else:  # groups are long deprecated, and nobody's model
            break
        at = field.offset + field.size
        if at > end:
            overrun = at - end
            break
        fields.append(field)
    if not fields and not overrun:
        return None
    whole = at == end and (size is None or end == start + size)
    return ProtobufMessage(tuple(fields), complete=whole, overrun=overrun)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, where it ends); the value is -1 where it breaks off or has more than 64 bits."""
    value = shift = 0
    for byte in data[at : at + 10]:
        at += 1
        if byte < 0x80:
            value |= byte << shift
            return (value, at) if value < 2**64 else (-1, at)
        value |= (byte & 0x7F) << shift
        shift += 7
    return -1, at
