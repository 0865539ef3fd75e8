"""What a load may cost, measured by the bytes that are really there."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any, Final

from mlup_safepickle.refusing import Refused

_MEMORY: Final = 64 * 1024 * 1024
_MEMORY_PER_BYTE: Final = 24
_OPCODES: Final = 6 * 1024 * 1024
_OPCODES_PER_BYTE: Final = 16
_COMPRESSED_MEMORY: Final = 160 * 1024 * 1024
_COMPRESSED_MEMORY_PER_BYTE: Final = 128

CALL: Final = 200
"""Bytes of opcodes that a call counts for: it takes as much longer."""

CHECKED_CALL: Final = 100
"""What a call that has to be checked counts for beside that."""

MOST_HASHED: Final = 4096
"""Values in one key: those that are in it several times count as often."""

_DEEPEST_KEY: Final = 64
_MOST_ALIKE: Final = 8  # hash(-1) == hash(-2): 2 ** 8 tuples of these are one to a dict
_LONGEST_INTEGER: Final = 2**64  # from there on, thousands of integers may have one hash
_PLAIN: Final = frozenset({str, float, bytes, bool, type(None)})


class Budget:
    """What is left of it.

    Attributes:
        memory: bytes that containers and objects may take beside their contents, roughly.
        opcodes: bytes of opcodes that may still come, beside the long values in between.
    """

    __slots__ = ("memory", "opcodes")

    def __init__(self, size: int, *, compressed: bool = False) -> None:
        """The budget of a file of ``size`` bytes; ``compressed`` ones make more of a byte."""
        self.memory = _MEMORY + _MEMORY_PER_BYTE * size
        self.opcodes = _OPCODES + _OPCODES_PER_BYTE * size
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

    def count(self, opcodes: int) -> None:
        """Count bytes of opcodes, which only a compressed file can have too many of.

        Raises:
            Refused: so many cannot come from an ordinary file.
        """
        self.opcodes -= opcodes
        if self.opcodes < 0:
            raise Refused("it has far more opcodes than its size accounts for, as a bomb does")

    def hashed(self, keys: Iterable[Any]) -> None:
        """Make sure that hashing and comparing keys takes little time and little of the C stack.

        A tuple that holds another one twice takes twice its time: 150 bytes of these take for ever.

        Raises:
            Refused: it would not.
        """
        kinds = set(map(type, keys)) - _PLAIN
        if kinds:
            self.count(sum(_nodes(each) for each in keys if type(each) in kinds))


def _nodes(key: Any) -> int:
    """How many values hashing it goes through."""
    nodes = alike = 0
    todo = [(key, 0)]
    while todo:
        each, depth = todo.pop()
        nodes += 1
        if type(each) is int:
            alike += each in (-1, -2)
            if not -_LONGEST_INTEGER < each < _LONGEST_INTEGER:
                raise Refused("a key of it is an integer of more than 64 bits")
        elif isinstance(each, (tuple, frozenset)):
            nodes += len(each)
            if nodes < MOST_HASHED:
                todo += [(inner, depth + 1) for inner in each]
        elif isinstance(type(each).__hash__, types.FunctionType):
            todo += [(inner, depth + 1) for inner in _attributes(each)]
        if nodes >= MOST_HASHED or depth > _DEEPEST_KEY or alike > _MOST_ALIKE:
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
