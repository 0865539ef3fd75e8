"""The operators of a model in the ORT format.

Source: ort.fbs of ONNX Runtime (the fields' places below are their order there) and the flatbuffers'
internals document. The tensors of such a model are in it, always: ONNX Runtime reads an
``external_data_offset`` for training checkpoints alone.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from mlup_onnx.model_contents import Contents, DamagedModelError, operator_name

_SESSION_MODEL: Final = 1
_MODEL_GRAPH: Final = 7
_GRAPH_NODES: Final = 2
_NODE_DOMAIN, _NODE_OP_TYPE, _NODE_ATTRIBUTES = 2, 5, 10
_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS = 7, 12

_WINDOW: Final = 16 * 1024
_LONGEST_TEXT: Final = 4096
_DEPTH: Final = 100


class OrtReader:
    """Reads a model's nodes; what it has found stays where it raises."""

    def __init__(self, stream: BinaryIO) -> None:
        """``stream`` can seek; the model is what stands from here on."""
        self.found = Contents({}, [])
        self._stream = stream
        self._start = stream.tell()
        self._size = stream.seek(0, os.SEEK_END) - self._start
        self._at = 0
        self._window = b""
        self._seen: set[int] = set()
        self._left = self._size  # every step of a whole model has bytes of its own

    def read(self) -> Contents:
        """Look into all graphs.

        Raises:
            DamagedModelError: it points to where it does not reach, or into itself.
        """
        model = self._table(self._number(0, 4), _SESSION_MODEL)
        graph = self._table(model, _MODEL_GRAPH) if model else None
        if graph:
            self._graph(graph, 1)
        return self.found

    def _graph(self, graph: int, depth: int) -> None:
        if depth > _DEPTH:
            raise DamagedModelError("its graphs are nested too deeply")
        for node in self._tables(graph, _GRAPH_NODES):
            if node in self._seen:
                continue
            self._seen.add(node)
            name = self._text(node, _NODE_OP_TYPE)
            if name:
                self.found.operators[operator_name(self._text(node, _NODE_DOMAIN), name)] = None
            for attribute in self._tables(node, _NODE_ATTRIBUTES):
                inner = self._table(attribute, _ATTRIBUTE_GRAPH)
                for each in ([inner] if inner else []) + self._tables(attribute, _ATTRIBUTE_GRAPHS):
                    self._graph(each, depth + 1)

    def _tables(self, table: int, field: int) -> list[int]:
        """The tables in a vector."""
        vector = self._table(table, field)
        if not vector:
            return []
        count = self._number(vector, 4)
        if count > (self._size - vector) // 4:
            raise DamagedModelError("a list of it ends behind its end")
        places = range(vector + 4, vector + 4 + 4 * count, 4)
        return [place + self._number(place, 4) for place in places]

    def _table(self, table: int, field: int) -> int | None:
        """Where a field points to; ``None``: it is not there."""
        vtable = table - self._number(table, 4, signed=True)
        place = 4 + 2 * field
        if self._number(vtable, 2) <= place:
            return None
        offset = self._number(vtable + place, 2)
        return table + offset + self._number(table + offset, 4) if offset else None

    def _text(self, table: int, field: int) -> str:
        text = self._table(table, field)
        if text is None:
            return ""
        size = self._number(text, 4)
        if size > _LONGEST_TEXT:
            raise DamagedModelError(f"it has a name of {size} bytes")
        return self._bytes(text + 4, size).decode("utf-8", "surrogateescape")

    def _number(self, at: int, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._bytes(at, size), "little", signed=signed)

    def _bytes(self, at: int, size: int) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise DamagedModelError("it refers to the same parts over and over")
        if not 0 <= at <= self._size - size:
            raise DamagedModelError("it points to behind its end")
        if not self._at <= at <= self._at + len(self._window) - size:
            self._at = max(0, at - _WINDOW // 4)  # what it points to stands on both sides
            self._stream.seek(self._start + self._at)
            self._window = self._stream.read(_WINDOW)
        return self._window[at - self._at : at - self._at + size]
