"""Where the file names in a graph come from.

Every SavedModel has operations that write and read its variables, and many read vocabularies when they
are loaded. They are harmless as long as the name is one that TensorFlow hands over (an argument, a
placeholder, an asset), with constants around it that do not lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mlup_tensorflow.graphs import ASSET, CONSTANT, Body, Graph, Message, Node

NAMES_AT: Final = {  # the inputs that are file names
    "SaveV2": (0,), "Save": (0,), "SaveSlices": (0,), "RestoreV2": (0,), "Restore": (0,),
    "RestoreSlice": (0,), "MergeV2Checkpoints": (0, 1),
    "InitializeTableFromTextFile": (1,), "InitializeTableFromTextFileV2": (1,),
}  # fmt: skip
_TABLES: Final = {"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"}
_CALLS: Final = {"PartitionedCall", "StatefulPartitionedCall"}
_THROUGH: Final = {  # operations that make a name of others, and which inputs they take it from
    "Identity": None, "StringJoin": None, "Pack": None, "Merge": None, "Add": None, "AddV2": None,
    "ConcatV2": None, "IdentityN": None, "StopGradient": None, "Fill": (1,),
    "ShardedFilename": (0,), "Reshape": (0,), "ExpandDims": (0,), "Squeeze": (0,), "Switch": (0,),
    "Select": (1, 2), "SelectV2": (1, 2), "PlaceholderWithDefault": (0,),
}  # fmt: skip
_GIVEN: Final = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"}
_ELSEWHERE: Final = re.compile(r"^[/\\~]|^\w:|://|(^|[/\\])\.\.($|[/\\])")
_PASSES: Final = 100


class Sources(NamedTuple):
    """What a file name is made of.

    Attributes:
        texts: constants.
        arguments: of the function, by number.
        given: whether a placeholder or an asset is in it.
        unclear: whether anything else is.
    """

    texts: frozenset[str]
    arguments: frozenset[int]
    given: bool
    unclear: bool


class _Place:
    """A body that can be searched backwards."""

    def __init__(self, message: Message, body: Body, assets: frozenset[str]) -> None:
        self.body = body
        self._message = message
        self._nodes = {node.name: node for node in body.nodes}
        self._arguments = {name: number for number, name in enumerate(body.arguments)}
        self._assets = assets

    def sources(self, reference: str) -> Sources:
        texts: set[str] = set()
        arguments: set[int] = set()
        given = unclear = False
        todo, seen = [reference], set()
        while todo:
            name = todo.pop().partition(":")[0]
            if name in seen or name.startswith("^"):
                continue
            seen.add(name)
            node = self._nodes.get(name)
            if name in self._arguments:
                arguments.add(self._arguments[name])
            elif name in self._assets:
                given = True
            elif node is None:
                unclear = True
            elif node.op == "Const":
                strings = self._message.strings(node)
                unclear = unclear or strings is None
                texts.update(strings or ())
            elif node.op == "ReadVariableOp":
                assigned = list(self._assigned(node))
                unclear = unclear or not assigned
                todo += assigned
            else:
                given = given or node.op in _GIVEN
                inputs = [each for each in node.inputs if not each.startswith("^")]
                places = _THROUGH.get(node.op, ())
                todo += (
                    inputs if places is None else [inputs[at] for at in places if at < len(inputs)]
                )
                unclear = unclear or not (node.op in _THROUGH or node.op in _GIVEN)
        return Sources(frozenset(texts), frozenset(arguments), given, unclear)

    def _assigned(self, read: Node) -> Iterator[str]:
        """What is assigned to a variable: as TensorFlow 2 keeps the path of an asset."""
        variable = self._variable(read)
        for node in self.body.nodes:
            if node.op == "AssignVariableOp" and variable and self._variable(node) == variable:
                yield node.inputs[1] if len(node.inputs) > 1 else "^"

    def _variable(self, node: Node) -> bytes | None:
        handle = self._nodes.get(node.inputs[0].partition(":")[0]) if node.inputs else None
        if handle is None or handle.op != "VarHandleOp":
            return None
        return self._message.bytes_of(handle, "shared_name") or handle.name.encode()


def misused(message: Message, graph: Graph) -> Iterator[str]:
    """The operations on files whose file name is not one that TensorFlow hands over."""
    assets = frozenset(tensor for tensor, _ in graph.assets)
    main = _Place(message, graph.body, assets)
    places = [main, *(_Place(message, each, frozenset()) for each in graph.functions)]
    # Which arguments of which function end up as a file name, of which operations.
    names: dict[str, dict[int, set[str]]] = {}
    for _ in range(_PASSES):
        before = {name: {at: set(ops) for at, ops in each.items()} for name, each in names.items()}
        for place in places:
            for op, reference in _sinks(message, place, names):
                sources = place.sources(reference)
                if _is_wrong(op, sources):
                    yield op
                for argument in sources.arguments:
                    names.setdefault(place.body.name, {}).setdefault(argument, set()).add(op)
        if names == before:
            break
    else:
        yield from {op for each in names.values() for ops in each.values() for op in ops}
    yield from _passed_on(message, places, names)
    yield from _bound(message, graph, main, names)


def _sinks(
    message: Message, place: _Place, names: dict[str, dict[int, set[str]]]
) -> Iterator[tuple[str, str]]:
    """(operation, reference) of each file name in a body, also of those that it passes on."""
    for node in place.body.nodes:
        inputs = [each for each in node.inputs if not each.startswith("^")]
        if node.op in NAMES_AT:
            for at in NAMES_AT[node.op]:
                yield node.op, inputs[at] if at < len(inputs) else "^"
            continue
        function = _function_of(message, node, names)
        for at, ops in names.get(function, {}).items():
            for op in ops:
                if at < len(inputs):
                    yield op, inputs[at]


def _function_of(message: Message, node: Node, names: dict[str, dict[int, set[str]]]) -> str:
    if node.op in names:  # a function may be an operation of its name
        return node.op
    return message.called(node) if names and node.op in _CALLS else ""


def _is_wrong(op: str, sources: Sources) -> bool:
    if sources.unclear or any(_ELSEWHERE.search(text) for text in sources.texts):
        return True
    return op not in _TABLES and not (sources.given or sources.arguments)


def _passed_on(
    message: Message, places: list[_Place], names: dict[str, dict[int, set[str]]]
) -> Iterator[str]:
    """Of functions on files that are handed to anything but a plain call."""
    spelled = {name: name.encode() for name in names if name}
    for place in places if spelled else ():
        for node in place.body.nodes:
            if node.op in _CALLS or node.op in ("Const", *NAMES_AT) or node.op in names:
                continue
            for name, text in spelled.items():
                if message.data.find(text, node.start, node.end) >= 0:
                    yield from {op for ops in names[name].values() for op in ops}


def _bound(
    message: Message, graph: Graph, main: _Place, names: dict[str, dict[int, set[str]]]
) -> Iterator[str]:
    """Of functions that have captured their file name: an asset, or else."""
    length = {each.name: len(each.arguments) for each in graph.functions}
    for function, captures in graph.bound.items():
        first = length.get(function, 0) - len(captures)
        for at, ops in names.get(function, {}).items():
            if at < first:
                continue
            number = captures[at - first]
            kind, node = graph.objects[number] if number < len(graph.objects) else (0, "")
            if kind == ASSET:
                continue
            sources = main.sources(node) if kind == CONSTANT else None
            yield from (op for op in ops if sources is None or _is_wrong(op, sources))
