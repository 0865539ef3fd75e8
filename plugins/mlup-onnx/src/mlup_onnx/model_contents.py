"""The operators of an ONNX model and the files that its tensors are in, without reading its weights.

Source: onnx.proto of ONNX 1.23, and the encoding of protocol buffers. Every place where a tensor may
stand is looked into (a test compares the tables below with ONNX's own description): initializers,
sparse ones, attributes, graphs within attributes, functions and training information. A field that
stands twice is looked into twice, since readers merge the two. Whatever ``data_location`` says, a
tensor with a location has external data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

_GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE, _FUNCTION, _TRAINING = range(7)

MODEL: Final = {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION}
WITHIN: Final[dict[int, dict[int, int]]] = {
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _TENSOR: {},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
}
"""Of each message, the fields that are looked into, by number."""

_OP_TYPE, _DOMAIN = 4, 7  # of a node
_TENSOR_NAME, _EXTERNAL_DATA = 8, 13  # of a tensor
_KEY, _VALUE = 1, 2  # of an entry of external_data

_DEPTH: Final = 100  # protobuf's own limit
_WINDOW: Final = 16 * 1024
_HEADER: Final = 20  # bytes of a tag and a length, at most
_LARGEST_TAG: Final = 0xFFFFFFFF
_LONGEST_TEXT: Final = 4096  # of a name or a path
_REMEMBERED: Final = 4096
_SHORT: Final = 128  # bytes of an attribute that is remembered: models repeat theirs


class DamagedModelError(ValueError):
    """The bytes are no whole message. ONNX Runtime refuses such a model, too."""


class ExternalData(NamedTuple):
    """Where a tensor's values are, as the model says.

    Attributes:
        tensor: its name.
        location: a path from the model's folder.
        offset: where they begin in there, as text; ``""`` where it is not said.
        length: how many bytes they are, likewise.
    """

    tensor: str
    location: str
    offset: str
    length: str


class Contents(NamedTuple):
    """What a model refers to.

    Attributes:
        operators: ``Add``, or ``com.microsoft.Gelu`` where the domain is not ONNX's own; ordered.
        external: each tensor that is in another file.
    """

    operators: dict[str, None]
    external: list[ExternalData]


def operator_name(domain: str, op_type: str) -> str:
    """``MatMul``, or ``com.microsoft.Gelu``: as mlup spells it."""
    return f"{domain}.{op_type}" if domain not in ("", "ai.onnx") else op_type


class ModelReader:
    """Reads a model's structure; what it has found stays where it raises."""

    def __init__(self, stream: BinaryIO) -> None:
        """``stream`` can seek; the model is what stands from here on."""
        self.found = Contents({}, [])
        self._stream = stream
        self._start = stream.tell()
        self._size = stream.seek(0, os.SEEK_END) - self._start
        self._at = 0  # where the window begins
        self._window = b""
        self._harmless: set[bytes] = set()

    def read(self) -> Contents:
        """Look into all of it.

        Raises:
            DamagedModelError: it is no whole model.
        """
        for number, begin, end in self._fields(0, self._size):
            kind = MODEL.get(number)
            if kind is not None:
                self._message(kind, begin, end, 1)
        return self.found

    def _message(self, kind: int, begin: int, end: int, depth: int) -> None:
        if kind == _TENSOR:
            self._tensor(begin, end)
            return
        if depth > _DEPTH:
            raise DamagedModelError("its graphs are nested too deeply")
        if kind == _ATTRIBUTE and end - begin <= _SHORT:
            data = self._bytes(begin, end)
            if data in self._harmless:
                return
            before = (len(self.found.operators), len(self.found.external))
            self._parts(kind, begin, end, depth)
            if len(self._harmless) < _REMEMBERED and before == (
                len(self.found.operators),
                len(self.found.external),
            ):
                self._harmless.add(data)
        else:
            self._parts(kind, begin, end, depth)

    def _parts(self, kind: int, begin: int, end: int, depth: int) -> None:
        within = WITHIN[kind]
        node = kind == _NODE
        op_type = domain = ""
        for number, start, stop in self._fields(begin, end):
            part = within.get(number)
            if part is not None:
                self._message(part, start, stop, depth + 1)
            elif node and number == _OP_TYPE:
                op_type = self._text(start, stop)
            elif node and number == _DOMAIN:
                domain = self._text(start, stop)
        if op_type:
            self.found.operators[operator_name(domain, op_type)] = None

    def _tensor(self, begin: int, end: int) -> None:
        name = ""
        said = {"location": "", "offset": "", "length": ""}
        locations = []
        for number, start, stop in self._fields(begin, end):
            if number == _TENSOR_NAME:
                name = self._text(start, stop)
            elif number == _EXTERNAL_DATA:
                entry = {_KEY: "", _VALUE: ""}
                for part, at, until in self._fields(start, stop):
                    if part in entry:
                        entry[part] = self._text(at, until)
                said[entry[_KEY]] = entry[_VALUE]
                if entry[_KEY] == "location":
                    locations.append(entry[_VALUE])
        self.found.external.extend(
            ExternalData(name, location, said["offset"], said["length"]) for location in locations
        )

    def _fields(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(number, begin, end) of those fields that have a length; others are skipped."""
        while at < end:
            place = at - self._at
            if not 0 <= place <= len(self._window) - _HEADER:
                self._load(at)
                place = 0
            data, base = self._window, self._at
            tag, place = _varint(data, place)
            if tag > _LARGEST_TAG:  # of which protobuf takes the lower bits
                raise DamagedModelError("it has a field that is none of ONNX's")
            wire = tag & 7
            if wire == 2:
                size, place = _varint(data, place)
                begin = base + place
                at = begin + size
                yield tag >> 3, begin, min(at, end)  # of what is cut, what there is
                continue
            if wire == 0:
                _, place = _varint(data, place)
            elif wire == 1:
                place += 8
            elif wire == 5:
                place += 4
            else:  # groups, which nothing in ONNX is
                raise DamagedModelError("it has a field that is none of ONNX's")
            at = base + place
        if at != end:
            raise DamagedModelError("a field of it ends behind its end")

    def _load(self, at: int) -> None:
        self._stream.seek(self._start + at)
        self._window = self._stream.read(_WINDOW)
        self._at = at

    def _bytes(self, begin: int, end: int) -> bytes:
        if begin < self._at or end > self._at + len(self._window):
            self._load(begin)
        return self._window[begin - self._at : end - self._at]

    def _text(self, begin: int, end: int) -> str:
        if end - begin > _LONGEST_TEXT:
            raise DamagedModelError(f"it has a name of {end - begin} bytes")
        return self._bytes(begin, end).decode("utf-8", "surrogateescape")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """The number there, and where it ends."""
    try:
        value = data[place]
        if value < 0x80:
            return value, place + 1
        value &= 0x7F
        for shift in range(7, 70, 7):
            place += 1
            byte = data[place]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, place + 1
    except IndexError:
        raise DamagedModelError("it is truncated") from None
    raise DamagedModelError("it has a number of more than ten bytes")
