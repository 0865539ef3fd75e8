"""The graphs in a SavedModel message, read without TensorFlow.

Sources: ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``node_def.proto``,
``function.proto``, ``attr_value.proto``, ``tensor.proto``, ``saved_object_graph.proto`` of TensorFlow, and the
encoding of protocol buffers: what occurs twice is merged, the last of two single values counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

MOST_NODES: Final = 2_000_000
"""Operations of one SavedModel, at most; the largest models have some ten thousand."""

_VARINT, _BYTES = 0, 2
_FIXED: Final = {1: 8, 5: 4}
ASSET: Final = 5
CONSTANT: Final = 9
_KINDS: Final = range(4, 13)  # fields of SavedObject.kind
_ASSETS_OF_1: Final = b"saved_model_assets"  # where TensorFlow 1 has them


class NotAMessageError(Exception):
    """The bytes are no protobuf message, or more than is read."""


class Node(NamedTuple):
    """An operation: ``inputs`` are names, ``[start, end)`` is where it stands."""

    name: str
    op: str
    inputs: tuple[str, ...]
    start: int
    end: int


class Body(NamedTuple):
    """A graph, or a function with the names of its arguments."""

    name: str
    arguments: tuple[str, ...]
    nodes: list[Node]


class Graph(NamedTuple):
    """One MetaGraphDef.

    Attributes:
        body: its own nodes.
        functions: its library.
        assets: file names, by the tensor that stands for each.
        objects: kind of each object and, of a constant, its node.
        bound: of each function with captures, the objects that it captured.
    """

    body: Body
    functions: list[Body]
    assets: list[tuple[str, str]]
    objects: list[tuple[int, str]]
    bound: dict[str, tuple[int, ...]]


class Message:
    """The bytes of a SavedModel."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = MOST_NODES

    def graphs(self) -> list[Graph]:
        """All of them.

        Raises:
            NotAMessageError: the bytes are not well-formed.
        """
        return [
            self._graph(start, end)
            for number, start, end in self.fields(0, len(self.data))
            if number == 2
        ]

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(number, start, end) of each field; a number's value is its start, with an end of -1."""
        data = self.data
        while at < end:
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if wire == _BYTES:
                size, at = self._varint(at, end)
                start, at = at, at + size
                if at > end:
                    raise NotAMessageError("it breaks off")
                yield number, start, at
            elif wire == _VARINT:
                value, at = self._varint(at, end)
                yield number, value, -1
            elif wire in _FIXED:
                at += _FIXED[wire]
            else:
                raise NotAMessageError("it has a field of an unknown kind")
        if at != end or end > len(data):
            raise NotAMessageError("it breaks off")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        for byte in self.data[at : min(end, at + 10)]:
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
            shift += 7
        raise NotAMessageError("it breaks off")

    def text(self, start: int, end: int) -> str:
        """A field's text."""
        if end < 0:
            raise NotAMessageError("it has a number where a name should be")
        return self.data[start:end].decode("utf-8", "backslashreplace")

    def _parts(self, start: int, end: int, *numbers: int) -> Iterator[tuple[int, int, int]]:
        for number, at, to in self.fields(start, end):
            if number in numbers and to >= 0:
                yield number, at, to

    def _graph(self, start: int, end: int) -> Graph:
        nodes: list[Node] = []
        functions: list[Body] = []
        assets: list[tuple[str, str]] = []
        objects: list[tuple[int, str]] = []
        bound: dict[str, tuple[int, ...]] = {}
        for number, at, to in self._parts(start, end, 2, 4, 6, 7):
            if number == 2:
                for part, here, there in self._parts(at, to, 1, 2):
                    if part == 1:
                        nodes.append(self._node(here, there))
                    else:
                        functions += [
                            self._function(*each) for _, *each in self._parts(here, there, 1)
                        ]
            elif number == 6:
                assets.append(self._asset(at, to))
            elif number == 4:
                assets += self._collected(at, to)
            else:
                for part, here, there in self._parts(at, to, 1, 2):
                    if part == 1:
                        objects.append(self._object(here, there))
                    else:
                        name, captures = self._captures(here, there)
                        bound[name] = captures
        return Graph(Body("", (), nodes), functions, assets, objects, bound)

    def _node(self, start: int, end: int) -> Node:
        self._left -= 1
        if self._left < 0:
            raise NotAMessageError(f"it has more than {MOST_NODES} operations")
        name = op = ""
        inputs = []
        for number, at, to in self.fields(start, end):
            if number == 1:
                name = self.text(at, to)
            elif number == 2:
                op = self.text(at, to)
            elif number == 3:
                inputs.append(self.text(at, to))
        return Node(name, op, tuple(inputs), start, end)

    def _function(self, start: int, end: int) -> Body:
        name, arguments, nodes = "", [], []
        for number, at, to in self._parts(start, end, 1, 3):
            if number == 3:
                nodes.append(self._node(at, to))
                continue
            for part, here, there in self._parts(at, to, 1, 2):
                if part == 1:
                    name = self.text(here, there)
                else:
                    arguments += [self.text(*each) for _, *each in self._parts(here, there, 1)][-1:]
        return Body(name, tuple(arguments), nodes)

    def _asset(self, start: int, end: int) -> tuple[str, str]:
        tensor = filename = ""
        for number, at, to in self._parts(start, end, 1, 2):
            if number == 2:
                filename = self.text(at, to)
            else:
                tensor = next((self.text(*each) for _, *each in self._parts(at, to, 1)), tensor)
        return tensor.partition(":")[0], filename

    def _collected(self, start: int, end: int) -> Iterator[tuple[str, str]]:
        key, lists = b"", []
        for number, at, to in self._parts(start, end, 1, 2):
            if number == 1:
                key = self.data[at:to]
            else:
                lists.append((at, to))
        for at, to in lists if key == _ASSETS_OF_1 else ():
            for _, *any_list in self._parts(at, to, 5):
                for _, *each in self._parts(*any_list, 1):
                    for _, *value in self._parts(*each, 2):
                        yield self._asset(*value)

    def _object(self, start: int, end: int) -> tuple[int, str]:
        kind, node = 0, ""
        for number, at, to in self.fields(start, end):
            if number in _KINDS and number != 11 and to >= 0:
                kind = number
                if kind == CONSTANT:
                    node = next((self.text(*each) for _, *each in self._parts(at, to, 1)), "")
        return kind, node

    def _captures(self, start: int, end: int) -> tuple[str, tuple[int, ...]]:
        name, captures = "", []
        for number, at, to in self._parts(start, end, 1, 2):
            if number == 1:
                name = self.text(at, to)
                continue
            for part, here, there in self.fields(at, to):
                if part == 2 and there < 0:
                    captures.append(here)
                elif part == 2:
                    while here < there:
                        value, here = self._varint(here, there)
                        captures.append(value)
        return name, tuple(captures)

    # -- attributes of a node

    def attribute(self, node: Node, name: str) -> tuple[int, int] | None:
        """Where the value of an attribute stands; the last of that name counts."""
        found = None
        for _, at, to in self._parts(node.start, node.end, 5):
            key, value = "", None
            for part, here, there in self._parts(at, to, 1, 2):
                if part == 1:
                    key = self.text(here, there)
                else:
                    value = here, there
            if key == name:
                found = value
        return found

    def bytes_of(self, node: Node, name: str) -> bytes:
        """An attribute that is text."""
        where = self.attribute(node, name)
        texts = [self.data[at:to] for _, at, to in self._parts(*where, 2)] if where else []
        return texts[-1] if texts else b""

    def called(self, node: Node, name: str = "f") -> str:
        """The function that an attribute names."""
        where = self.attribute(node, name)
        for _, *function in self._parts(*where, 10) if where else ():
            for _, *each in self._parts(*function, 1):
                return self.text(*each)
        return ""

    def strings(self, node: Node) -> list[str] | None:
        """The strings of a constant; ``None`` where they are not spelled out."""
        where = self.attribute(node, "value")
        found: list[str] = []
        for _, *tensor in self._parts(*where, 8) if where else ():
            for number, at, to in self.fields(*tensor):
                if number == 8:
                    found.append(self.text(at, to))
                elif number == 4 and at != to:
                    return None
        return found
