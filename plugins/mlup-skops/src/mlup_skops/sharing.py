"""How nodes hold each other: an object that recurs has its ``__id__`` wherever it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mlup_skops.members import SchemaError

_UNDER_WAY: Final = 0


class Sharing:
    """The nodes of a schema, by their ``__id__``; those without one are each their own."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._kinds: list[tuple[Any, ...]] = []
        self._held: list[list[list[int]]] = []  # node → each time it is there → what it holds
        self._sizes: list[int] = []
        self._top: list[int] = []
        self._holder = self._top

    @contextmanager
    def node(self, node: dict[str, Any], loader: str, size: int) -> Iterator[None]:
        """A node; those that are added within it are what it holds.

        Args:
            node: the schema's.
            loader: its kind.
            size: bytes that it reads.

        Raises:
            SchemaError: its ``__id__`` is none, or another object's.
        """
        number = self._number(node, loader)
        self._sizes[number] = max(size, self._sizes[number])
        self._holder.append(number)
        held: list[int] = []
        self._held[number].append(held)
        outer, self._holder = self._holder, held
        yield
        self._holder = outer

    def loaded(self) -> int:
        """Bytes that all of them read: skops makes each object once."""
        return sum(self._sizes)

    def visits(self) -> int:
        """How many nodes skops' check looks at, at most: each as often as it is held.

        Raises:
            SchemaError: an object holds itself, which skops does not write.
            RecursionError: they hold each other too deeply.
        """
        counted: dict[int, int] = {}
        return sum(self._counted(each, counted) for each in self._top)

    def _counted(self, number: int, counted: dict[int, int]) -> int:
        known = counted.get(number)
        if known is None:
            counted[number] = _UNDER_WAY
            known = 1 + max(
                sum([self._counted(each, counted) for each in held]) for held in self._held[number]
            )
            counted[number] = known
        elif known == _UNDER_WAY:
            raise SchemaError("an object in it holds itself")
        return known

    def _number(self, node: dict[str, Any], loader: str) -> int:
        key = node.get("__id__")
        if isinstance(key, (dict, list)):
            raise SchemaError("a node's __id__ is none")
        said = node.get("content") if loader == "JsonNode" else None
        kind = (loader, node.get("__module__"), node.get("__class__"), said)
        number = self._numbers.get(key) if key else None
        if number is None:
            number = len(self._kinds)
            self._kinds.append(kind)
            self._held.append([])
            self._sizes.append(0)
            if key:
                self._numbers[key] = number
        elif self._kinds[number] != kind:
            raise SchemaError("two objects in it have one __id__")
        return number
