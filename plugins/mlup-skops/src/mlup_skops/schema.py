"""``schema.json``, followed as skops follows it, without making anything of what it names.

Source: ``get_tree`` and the nodes' ``get_unsafe_set`` in ``skops/io`` of skops 0.15 and 0.16. A node is
an object with a ``__loader__``; its children are the nodes anywhere within it. One whose ``__id__``
was there before is that one again, whatever else it says.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NamedTuple

from mlup import report
from mlup_skops import trusted
from mlup_skops.archive import SCHEMA

_FREE: Final = 128 * 1024 * 1024  # bytes that any file may hold
_FREE_SCHEMA: Final = 16 * 1024 * 1024  # bytes of a schema, which takes twenty times as much memory
_RATIO: Final = 20  # and so many for each byte of its own
_NODE: Final = 32  # bytes of text that a node has at least; skops writes one again where it recurs
_ZIP: Final = b"PK\x03\x04"

_UNCHECKED: Final = ("JsonNode", "SliceNode")  # skops makes the same of them, whatever they name
_REFERENCES: Final = ("FunctionNode", "TypeNode")
_ADDED: Final = {
    "TreeNode": ("sklearn.tree._tree", "Tree"),
    "QuantileForestNode": ("quantile_forest._quantile_forest_fast", "QuantileForest"),
}
"""What a node makes, whatever class it names."""


class SchemaError(ValueError):
    """It is no schema that skops would read. The message says why."""


class BombError(ValueError):
    """It grows beyond what its size accounts for. The message says how."""


class Name(NamedTuple):
    """What a node names.

    Attributes:
        module: the module.
        name: the class or function in it; ``Class.method`` for a bound method.
        role: :data:`mlup.report.CALL` or :data:`mlup.report.REFERENCE`.
        trusted: skops trusts it there by default.
    """

    module: str
    name: str
    role: str
    trusted: bool

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Schema(NamedTuple):
    """What a skops file says of itself.

    Attributes:
        names: what its nodes name, in their order; one may be there more than once.
        protocol: the format's version: 0 in skops 0.3, 1 in 0.6, 2 in 0.11.
        version: the skops that wrote it, ``""`` where it does not say.
    """

    names: tuple[Name, ...]
    protocol: int
    version: str


def read(stream: BinaryIO) -> Schema:
    """What the file names, if it is none that grows.

    Args:
        stream: the file; it is left anywhere.

    Raises:
        BombError: it holds far more than its size accounts for.
        SchemaError: its schema is none.
        zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError: the archive is none, or damaged.
        RecursionError: it is nested too deeply, for skops too.
    """
    size = stream.seek(0, 2)
    with zipfile.ZipFile(stream) as archive:
        _check(sum(each.file_size for each in archive.infolist()), size)
        _check(archive.getinfo(SCHEMA).file_size, size, _FREE_SCHEMA)
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        sizes.update((name, _unpacked(archive, name)) for name in sizes if _is_zip(archive, name))
        text = archive.read(SCHEMA)
    try:
        state = json.loads(text)
    except ValueError as error:
        raise SchemaError(f"its {SCHEMA} is no JSON ({error})") from error
    if not isinstance(state, dict) or type(state.get("protocol")) is not int:
        raise SchemaError(f"its {SCHEMA} has no protocol of skops'")
    walk = _Walk(state["protocol"], sizes)
    if walk.visit(state) > len(text) // _NODE:
        raise BombError("its nodes refer to each other more often than they are there")
    _check(walk.loaded, size)
    version = state.get("_skops_version")
    return Schema(tuple(walk.names), state["protocol"], version if isinstance(version, str) else "")


def _is_zip(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as member:
        return member.read(len(_ZIP)) == _ZIP


def _unpacked(archive: zipfile.ZipFile, name: str) -> int:
    """Bytes in an archive within the archive: a sparse matrix is one."""
    try:
        with archive.open(name) as member, zipfile.ZipFile(member) as inner:
            return sum(each.file_size for each in inner.infolist())
    except zipfile.BadZipFile:
        return archive.getinfo(name).file_size


def _check(loaded: int, size: int, free: int = _FREE) -> None:
    if loaded > free + _RATIO * size:
        raise BombError(
            f"{loaded >> 20:,} MiB would come out of it, far more than its size accounts for "
            f"({_RATIO} times its size and {free >> 20} MiB)"
        )


class _Walk:
    """One pass over the nodes.

    Attributes:
        names: what they name.
        loaded: bytes of the members that they would read, each as often as it is read.
    """

    def __init__(self, protocol: int, sizes: Mapping[str, int]) -> None:
        self.names: list[Name] = []
        self.loaded = 0
        self._protocol = protocol
        self._sizes = sizes
        self._known = trusted.by_loader()
        self._visits: dict[Any, int] = {}

    def visit(self, value: Any) -> int:
        """How many nodes skops' check looks at here: shared ones as often as they are referred to."""
        if isinstance(value, list):
            return sum(map(self.visit, value))
        if not isinstance(value, dict):
            return 0
        loader = value.get("__loader__")
        if not isinstance(loader, str):
            return sum(map(self.visit, value.values()))
        key = value.get("__id__")
        if isinstance(key, (dict, list)):
            raise SchemaError("a node's __id__ is none")
        if key in self._visits:
            return self._visits[key]
        if key:
            self._visits[key] = 1  # of a node within itself, skops' check returns at once
        self._name(value, loader)
        visits = 1 + sum(map(self.visit, value.values()))
        if key:
            self._visits[key] = visits
        return visits

    def _name(self, node: dict[str, Any], loader: str) -> None:
        known = self._known.get(loader)
        if known is None:
            raise SchemaError(f"it has a node of a kind that skops does not know ({loader:.60})")
        file = node.get("file")
        if isinstance(file, str):
            self.loaded += self._sizes.get(file, 0)
        if loader in _UNCHECKED:
            return
        module, name = _word(node, "__module__"), _word(node, "__class__")
        content = node.get("content")
        if loader == "FunctionNode" and self._protocol == 0:
            module, name = _word(content, "module_path"), _word(content, "function")
        role = report.REFERENCE if loader in _REFERENCES else report.CALL
        self._add(module, name, role, f"{module}.{name}" in known)
        if loader in _ADDED:
            self._add(*_ADDED[loader], report.CALL, False)
        elif loader == "MethodNode":
            method = f"{name}.{_word(content, 'func')}"
            self._add(module, method, report.REFERENCE, False)
        elif loader == "RandomGeneratorNode":
            name = _bit_generator(content)
            self._add("numpy.random", name, report.CALL, f"numpy.random.{name}" in known)

    def _add(self, module: str, name: str, role: str, known: bool) -> None:
        self.names.append(Name(module, name, role, known))


def _word(node: Any, key: str) -> str:
    found = node.get(key) if isinstance(node, dict) else None
    if not isinstance(found, str):
        raise SchemaError(f"a node has no {key}")
    return found


def _bit_generator(content: Any) -> str:
    """The name within the state of a ``numpy.random.Generator``, in JSON once more."""
    try:
        found = json.loads(content["bit_generator"]["content"]["bit_generator"]["content"])
    except (KeyError, TypeError, ValueError):
        found = None
    if not isinstance(found, str):
        raise SchemaError("a random generator has no name")
    return found
