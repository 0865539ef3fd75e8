"""Which operations of a SavedModel are refused: the table in ``operations.json``, and file names.

``tools/operations.py`` writes the table from TensorFlow's own registry of operations.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

from mlup_tensorflow.graph_files import NAMES_AT, misused
from mlup_tensorflow.graphs import Graph, Message, Node

_STREAMS: Final = (b"", b"stdout", b"stderr", b"log(info)", b"log(warning)", b"log(error)")
_CACHES: Final = ("CacheDataset", "CacheDatasetV2")


class Table(NamedTuple):
    """``refused`` says why; ``checked`` is safe where the file names are; the rest of it is safe."""

    refused: dict[str, str]
    safe: frozenset[str]


class Used(NamedTuple):
    """An operation that a graph holds, and why it is refused; ``None``: it is safe."""

    name: str
    wrong: str | None


@functools.lru_cache(maxsize=1)
def table() -> Table:
    """The table, read once."""
    data = json.loads(files("mlup_tensorflow").joinpath("operations.json").read_text("utf-8"))
    refused = {name: why for why, some in data["refused"].items() for name in some}
    return Table(refused, frozenset(data["safe"]) | frozenset(data["checked"]))


def used(message: Message) -> list[Used]:
    """The operations of all graphs, each once.

    Raises:
        NotAMessageError: the bytes are not well-formed.
    """
    found: dict[str, str | None] = {}
    for graph in message.graphs():
        for name, wrong in _of(message, graph):
            found[name] = found.get(name) or wrong
    return [Used(name, wrong) for name, wrong in found.items()]


def outside_assets(message: Message) -> list[str]:
    """Assets that are not in the model's folder, by the names the message has for them."""
    return [
        filename
        for graph in message.graphs()
        for _, filename in graph.assets
        if _leads_elsewhere(filename)
    ]


def _leads_elsewhere(filename: str) -> bool:
    parts = re.split(r"[/\\]", filename)
    return filename.startswith(("/", "\\", "~")) or ":" in filename or ".." in parts


def _of(message: Message, graph: Graph) -> Iterator[Used]:
    library = {each.name for each in graph.functions}
    for body in (graph.body, *graph.functions):
        nodes = {node.name: node for node in body.nodes}
        for name in dict.fromkeys(node.op for node in body.nodes):
            yield Used(name, verdict(name, library))
        for node in body.nodes:
            wrong = _wrong_use(message, node, nodes)
            if wrong:
                yield Used(node.op, wrong)
    for op in misused(message, graph):
        writes = op.startswith(("Save", "Merge"))
        yield Used(op, f"{'writes' if writes else 'reads'} a file of the graph's own choice")


def verdict(op: str, library: set[str] | frozenset[str] = frozenset()) -> str | None:
    """Why an operation is refused whatever it works on; ``None``: it is not.

    Args:
        op: its name.
        library: the functions of the graph, which may be operations too.
    """
    known = table()
    if op in known.refused:
        return known.refused[op]
    if op in known.safe or op in library:
        return None
    return "is not known as safe"


def _wrong_use(message: Message, node: Node, nodes: dict[str, Node]) -> str | None:
    if node.op == "PrintV2" and message.bytes_of(node, "output_stream") not in _STREAMS:
        return "writes files"
    if node.op == "FixedUnigramCandidateSampler" and message.bytes_of(node, "vocab_file"):
        return "reads files"
    if node.op in _CACHES:
        name = node.inputs[1].partition(":")[0] if len(node.inputs) > 1 else ""
        where = nodes.get(name)
        if where is None or where.op != "Const" or message.strings(where) not in ([], [""]):
            return "writes files"
    return None


CHECKED_BY_NAME: Final = frozenset({*NAMES_AT, *_CACHES, "PrintV2", "FixedUnigramCandidateSampler"})
"""Operations that a list of names alone does not decide."""
