"""What a load may cost, measured by the bytes that are really there."""

from __future__ import annotations

import re
import types
from collections import Counter
from collections.abc import Collection
from typing import Any, Final

from mlup_safepickle.refusing import Refused

_MEMORY: Final = 64 * 1024 * 1024
_MEMORY_PER_BYTE: Final = 24
_OPCODES: Final = 6 * 1024 * 1024
_OPCODES_PER_BYTE: Final = 16
_COMPRESSED_MEMORY: Final = 160 * 1024 * 1024
_COMPRESSED_MEMORY_PER_BYTE: Final = 128

_COMPILED: Final = 65536
"""Characters of regular expressions, of which the slowest take 0.03 ms each (measured)."""
_WIDE_SET: Final = 200  # characters that a set beyond ASCII counts for: it takes up to 4 ms
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]|\\[uUNx0-9]")

_OBJECT: Final = 64  # bytes that an object takes beside its contents
CALL: Final = 200
"""Bytes of opcodes that a call counts for: it takes as much longer."""

CHECKED_CALL: Final = 100
"""What a call that has to be checked counts for beside that."""

CHECKED_STATE: Final = 400
"""What a state that has to be checked counts for."""

MOST_HASHED: Final = 4096
"""Values in one key: those that are in it several times count as often."""

_DEEPEST_KEY: Final = 64
_MOST_ALIKE: Final = 512  # keys of one hash, of which each is compared with all the others
_LONGEST_INTEGER: Final = 2**64  # from there on, thousands of integers have one hash
_CONTAINERS: Final = (list, dict, set)
_PLAIN: Final = frozenset({str, float, bytes, bool, type(None)})


class Budget:
    """What is left of it.

    Attributes:
        memory: bytes that containers and objects may take beside their contents, roughly.
        opcodes: bytes of opcodes that may still come, beside the long values in between.
    """

    __slots__ = ("_compiled", "_hashes", "memory", "opcodes")

    def __init__(self, size: int, *, compressed: bool = False) -> None:
        """The budget of a file of ``size`` bytes; ``compressed`` ones make more of a byte."""
        self.memory = _MEMORY + _MEMORY_PER_BYTE * size
        self.opcodes = _OPCODES + _OPCODES_PER_BYTE * size
        self._compiled = _COMPILED
        self._hashes: dict[int, tuple[object, Counter[int]]] = {}  # by id() of the container
        if compressed:
            self.memory += min(_COMPRESSED_MEMORY, _COMPRESSED_MEMORY_PER_BYTE * size)
            self.opcodes -= _OPCODES_PER_BYTE * size // 2

    def take(self, memory: int) -> None:
        """Count ``memory`` bytes.

        Raises:
            Refused: so much cannot come from an ordinary file.
        """
        self.memory -= memory
        if self.memory < 0:
            raise Refused("it makes far more objects than its size accounts for, as a bomb does")

    def call(self) -> None:
        """Count a call, and the object that it makes.

        Raises:
            Refused: so many cannot come from an ordinary file.
        """
        self.memory -= _OBJECT
        self.opcodes -= CALL
        if self.memory < 0 or self.opcodes < 0:
            raise Refused("it makes far more objects than its size accounts for, as a bomb does")

    def count(self, opcodes: int) -> None:
        """Count bytes of opcodes, which only a compressed file can have too many of.

        Raises:
            Refused: so many cannot come from an ordinary file.
        """
        self.opcodes -= opcodes
        if self.opcodes < 0:
            raise Refused("it has far more opcodes than its size accounts for, as a bomb does")

    def compile(self, pattern: str | bytes) -> None:
        """Count a regular expression, however large the file: compiling takes a time of its own.

        Raises:
            Refused: so many cannot come from a model.
        """
        self._compiled -= len(pattern)
        if isinstance(pattern, str) and _BEYOND_ASCII.search(pattern):
            self._compiled -= _WIDE_SET * pattern.count("[")
        if self._compiled < 0:
            raise Refused("it has regular expressions that would take far too long to compile")

    def hashed(self, keys: Collection[Any], container: object) -> None:
        """Make sure that hashing and comparing keys takes little time and little of the C stack.

        A tuple that holds another one twice takes twice its time: 150 bytes of these take for ever.
        Keys of one hash take the square of their number.

        Args:
            keys: for
            container: a dict or a set.

        Raises:
            Refused: it would not.
        """
        kinds = set(map(type, keys)) - _PLAIN
        if not kinds:
            return
        if int in kinds and not all(
            -_LONGEST_INTEGER < each < _LONGEST_INTEGER for each in keys if type(each) is int
        ):
            raise Refused("a key of it is an integer of more than 64 bits")
        kinds.discard(int)
        if kinds:
            others = [each for each in keys if type(each) in kinds]
            self.count(sum(map(_nodes, others)))
            self._compared(others, container)

    def _compared(self, keys: list[Any], container: object) -> None:
        _, seen = self._hashes.setdefault(id(container), (container, Counter()))
        hashes = list(map(hash, keys))
        seen.update(hashes)
        if max(map(seen.__getitem__, hashes)) > _MOST_ALIKE:
            raise Refused("too many keys of it have one hash, so that they would never be compared")


def _nodes(key: Any) -> int:
    """How many values hashing it goes through."""
    nodes = 0
    todo = [(key, 0, False)]
    while todo:
        each, depth, within = todo.pop()
        nodes += 1
        if isinstance(each, (tuple, frozenset)) or (within and isinstance(each, _CONTAINERS)):
            nodes += len(each)
            if nodes < MOST_HASHED:
                inner = (*each, *each.values()) if isinstance(each, dict) else each
                todo += [(one, depth + 1, within) for one in inner]
        elif isinstance(type(each).__hash__, types.FunctionType):  # may well hash its repr()
            todo += [(one, depth + 1, True) for one in _attributes(each)]
        if nodes >= MOST_HASHED or depth > _DEEPEST_KEY:
            raise Refused("a key of it is nested so deeply that it would never be hashed")
    return nodes


def _attributes(value: Any) -> list[Any]:
    """What a class's own ``__hash__`` may go through."""
    found = list(getattr(value, "__dict__", {}).values())
    for cls in type(value).__mro__:
        for each in vars(cls).values():
            if isinstance(each, types.MemberDescriptorType):
                try:
                    found.append(each.__get__(value))
                except AttributeError:  # a slot that is not set
                    continue
    return found
