"""``schema.json``, followed as skops follows it, without making anything of what it names.

Source: ``get_tree`` and the nodes' ``get_unsafe_set`` in ``skops/io`` of skops 0.15 and 0.16. A node is
an object with a ``__loader__``; its children are the nodes anywhere within it. For skops, one whose
``__id__`` was there before is that one again, whatever else it says, and which one was there before
depends on the order in which each kind of node is read. So here all that go by an ``__id__`` count.
"""

from __future__ import annotations

import json
import zipfile
from typing import Any, BinaryIO, Final, NamedTuple

from mlup import report
from mlup_skops import trusted
from mlup_skops.archive import SCHEMA
from mlup_skops.members import BombError, Members, SchemaError, check
from mlup_skops.sharing import Sharing

_FREE_SCHEMA: Final = 16 * 1024 * 1024  # bytes of a schema, which takes twenty times as much memory
_NODE: Final = 32  # bytes of text that a node has at least; skops writes one again where it recurs
_POOL: Final = "pool_size"  # of a seed: NumPy takes its square in time
_LARGEST_POOL: Final = 64  # it is 4, if nobody asked for more

_UNCHECKED: Final = ("JsonNode", "SliceNode")  # skops makes the same of them, whatever they name
_REFERENCES: Final = ("FunctionNode", "TypeNode")
_ADDED: Final = {
    "TreeNode": ("sklearn.tree._tree", "Tree"),
    "QuantileForestNode": ("quantile_forest._quantile_forest_fast", "QuantileForest"),
}
"""What a node makes, whatever class it names."""
_KINDS: Final = {"bytes_": "S", "void": "V"}


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
        check(archive.getinfo(SCHEMA).file_size, size, _FREE_SCHEMA)
        members = Members(archive, stream, size)
        text = archive.read(SCHEMA)
        try:
            state = json.loads(text)
        except ValueError as error:
            raise SchemaError(f"its {SCHEMA} is no JSON ({error})") from error
        if not isinstance(state, dict) or type(state.get("protocol")) is not int:
            raise SchemaError(f"its {SCHEMA} has no protocol of skops'")
        walk = _Walk(state["protocol"], members)
        walk.visit(state)
    walk.check_seeds()
    if walk.sharing.visits() > len(text) // _NODE:
        raise BombError("its nodes refer to each other more often than they are there")
    check(walk.sharing.loaded(), size)
    version = state.get("_skops_version")
    return Schema(tuple(walk.names), state["protocol"], version if isinstance(version, str) else "")


class _Walk:
    """One pass over the nodes.

    Attributes:
        names: what they name.
        sharing: how they hold each other.
    """

    def __init__(self, protocol: int, members: Members) -> None:
        self.names: list[Name] = []
        self.sharing = Sharing()
        self._protocol = protocol
        self._members = members
        self._known = trusted.by_loader()
        self._pools: list[Any] = []
        self._generators = False

    def visit(self, value: Any, within: str = "") -> None:
        """Look at all nodes here.

        Args:
            value: a part of the schema.
            within: ``"LossNode"`` if it is part of one.
        """
        if isinstance(value, list):
            for each in value:
                self.visit(each, within)
            return
        if not isinstance(value, dict):
            return
        if _POOL in value:
            self._pools.append(value[_POOL])
        loader = value.get("__loader__")
        if not isinstance(loader, str):
            for each in value.values():
                self.visit(each, within)
            return
        if loader == "LossNode":
            if within:  # for each, skops makes its list of what is trusted longer
                raise SchemaError("a loss holds a loss")
            within = loader
        self._name(value, loader)
        with self.sharing.node(value, loader, self._size(value)):
            for each in value.values():
                self.visit(each, within)

    def check_seeds(self) -> None:
        """A seed's pool is what the time and the memory for it depend on.

        Raises:
            BombError: it is larger than anybody's.
        """
        for pool in self._pools if self._generators else ():
            try:
                size = json.loads(pool["content"]) if pool["__loader__"] == "JsonNode" else None
            except (KeyError, TypeError, ValueError):
                size = None
            if type(size) is not int or size > _LARGEST_POOL:
                raise BombError("the pool of a random seed is far more than any has")

    def _size(self, node: dict[str, Any]) -> int:
        file = node.get("file")
        return self._members.sizes.get(file, 0) if isinstance(file, str) else 0

    def _name(self, node: dict[str, Any], loader: str) -> None:
        known = self._known.get(loader)
        if known is None:
            raise SchemaError(f"it has a node of a kind that skops does not know ({loader:.60})")
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
        elif loader == "NdArrayNode" and name != "ndarray" and f"{module}.{name}" in known:
            self._check_number(node, name)
        elif loader == "RandomGeneratorNode":
            self._generators = True
            seed = content.get("seed_seq") if isinstance(content, dict) else None
            if self._protocol and _word(seed, "__loader__") != "DictNode":
                raise SchemaError("the seed of a random generator is none")
            name = _bit_generator(content)
            self._add("numpy.random", name, report.CALL, f"numpy.random.{name}" in known)

    def _check_number(self, node: dict[str, Any], name: str) -> None:
        """NumPy makes ``bytes_(n)`` and ``void(n)`` of n bytes, and a type's array of any array."""
        if node.get("type") != "numpy":
            raise SchemaError("a number is no array of NumPy's")
        dtype, shape = self._members.array(_word(node, "file"))
        kind = _KINDS.get(name)
        if shape != () or (kind and isinstance(dtype, str) and dtype[1:2] != kind):
            raise SchemaError(f"the value of a numpy.{name} is none")

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
