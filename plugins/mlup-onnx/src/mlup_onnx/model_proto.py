"""What an ONNX file is made of: the fields of ModelProto and, one level down, of GraphProto.

Source: onnx.proto of ONNX 1.23 (field numbers and types). ONNX has no magic, and its fields may
stand in any order, so what counts is that every field is one of a ModelProto's, that those are there
without which ONNX Runtime loads nothing (IR version, graph, opset), that the walk comes out at the end
of the file, and that the graph begins as graphs do.
"""

from __future__ import annotations

from typing import Final

import mlup
from mlup import probe

FIRST_BYTES: Final = frozenset(
    bytes([byte]) for byte in b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca\xd2"
)
"""The first bytes of the tags of ModelProto's fields."""

_FIRST_WRITTEN: Final = b"\x08"  # the IR version's: all writers but odd ones go by the numbers
_VARINT_TAGS: Final = (b"\x08", b"\x28")

_VARINT, _BYTES = 0, 2  # wire types
_IR_VERSION, _PRODUCER, _PRODUCER_VERSION, _GRAPH, _OPSETS = 1, 2, 3, 7, 8
_MODEL: Final = frozenset(
    {(number, _VARINT) for number in (_IR_VERSION, 5)}
    | {(number, _BYTES) for number in (2, 3, 4, 6, _GRAPH, _OPSETS, 14, 20, 25, 26)}
)
_NEWER: Final = range(27, 128)  # numbers that a later ONNX may give to fields; readers skip those
_GRAPH_FIELDS: Final = frozenset((number, _BYTES) for number in (1, 2, 5, *range(10, 17)))
_GRAPH_BYTES: Final = frozenset(bytes([n << 3 | _BYTES]) for n, _ in _GRAPH_FIELDS if n < 16)

# ONNX counts its IR versions up, one or two a year: 14 in 2026. A tag's worth of bits is ages.
_MAX_IR_VERSION: Final = 127

_GRAPH_PIECE: Final = 128  # bytes of the graph that are looked at, at most
_MAX_NAME: Final = 60


@probe.reader
def described(path: mlup.ModelPath) -> str | None:
    """What the model says of itself, for the user; ``None``: it is no ONNX model."""
    if not _goes_on(path.head):
        return None
    message = probe.protobuf_fields(path)
    if message is None or not (message.complete or message.limited):
        return None
    first: dict[int, probe.ProtobufField] = {}
    for field in message.fields:
        if field[:2] not in _MODEL and field.number not in _NEWER:
            return None
        first.setdefault(field.number, field)
    version, graph = first.get(_IR_VERSION), first.get(_GRAPH)
    if version is None or not 0 < version.value <= _MAX_IR_VERSION or _OPSETS not in first:
        return None
    if graph is None or not _is_graph(path, graph):
        return None
    said = f"ONNX model, IR version {version.value}"
    producer = _text(path.head, first.get(_PRODUCER))
    if producer:
        said += f", by {producer} {_text(path.head, first.get(_PRODUCER_VERSION))}".rstrip()
    return said


def _goes_on(head: bytes) -> bool:
    """Whether the fields in the first bytes are ModelProto's, for texts that begin like one."""
    if head[:1] == _FIRST_WRITTEN:
        return True
    at = 0
    while at + 2 < len(head):
        tag = head[at : at + 1]
        if tag not in FIRST_BYTES:
            return False
        at += 1 if tag < b"\x80" else 2
        if head[at] >= 0x80:  # longer than the first bytes
            break
        at += 1 if tag in _VARINT_TAGS else 1 + head[at]
    return True


def _is_graph(path: mlup.ModelPath, graph: probe.ProtobufField) -> bool:
    """Whether it begins with a field of GraphProto, and goes on with nothing else."""
    tag = path.read_at(graph.offset, min(graph.size, 2))
    if tag[:1] not in _GRAPH_BYTES and tag != b"\x82\x01":  # the tag of 16 takes two bytes
        return False
    # One look: a first field that is longer, a node or a tensor, is the caller's to load.
    piece = probe.protobuf_fields(path, graph.offset, min(graph.size, _GRAPH_PIECE))
    if piece is None or (graph.size <= _GRAPH_PIECE and not piece.complete):
        return False
    return all(field[:2] in _GRAPH_FIELDS for field in piece.fields)


def _text(head: bytes, field: probe.ProtobufField | None) -> str:
    """A short text that is within the first bytes; ``""``: there is none."""
    if field is None or field.size > _MAX_NAME or field.offset + field.size > len(head):
        return ""
    text = head[field.offset : field.offset + field.size].decode(errors="replace")
    return text if text.isprintable() else ""
