"""Which names a benign pickle needs, and as what: a symbolic run of its opcodes.

Nothing is imported and nothing is called; what a call would give is a stand-in. For files of our own
making only: there are no budgets here. (The opcodes that pickle and joblib really write are covered,
anything else raises KeyError.)
"""

from __future__ import annotations

import _compat_pickle
import pickletools
from dataclasses import dataclass, field
from typing import Any, BinaryIO

REFERENCE, NEW, CALL = "reference", "new", "call"
ROLES = (REFERENCE, NEW, CALL)
"""From the least to the most that a name may do."""

MARK = object()
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING"}
_TEXTS |= {"SHORT_BINSTRING"}
_VALUES = _TEXTS | {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8", "NONE", "NEWTRUE", "NEWFALSE"),
}
_EMPTY = {"EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"}
_MARKED = {"LIST", "DICT", "FROZENSET"}
_INTO = {"APPENDS", "SETITEMS", "ADDITEMS"}
_IGNORED = {"PROTO", "FRAME", "STOP", "READONLY_BUFFER"}


@dataclass(frozen=True)
class Global:
    key: str
    """``module:qualname``, as today's libraries and Python 3 spell it."""


@dataclass
class Made:
    """What a call, a constructor or a persistent id gives: nothing is known of it."""


@dataclass
class Names:
    """``roles`` of every name that was seen, and the names whose instances were given a state."""

    roles: dict[str, str] = field(default_factory=dict)
    stateful: set[str] = field(default_factory=set)

    def see(self, key: str, role: str) -> None:
        known = self.roles.get(key, REFERENCE)
        self.roles[key] = max(known, role, key=ROLES.index)

    def add(self, other: Names) -> None:
        for key, role in other.roles.items():
            self.see(key, role)
        self.stateful |= other.stateful


def today(module: str, name: str, protocol: int) -> str:
    """The key of a name, with Python 2's names (protocols 0 to 2) and ``numpy.core`` mapped."""
    if protocol < 3:
        if (module, name) in _compat_pickle.NAME_MAPPING:
            module, name = _compat_pickle.NAME_MAPPING[module, name]
        else:
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    if module == "numpy.core" or module.startswith("numpy.core."):
        module = "numpy._core" + module.removeprefix("numpy.core")
    return f"{module}:{name}"


def names_in(stream: bytes | BinaryIO) -> Names:
    """The names of one pickle. Raises ValueError or KeyError for what no pickler of ours writes."""
    names, stack, memo, protocol = Names(), [], {}, 0
    made: dict[int, str] = {}  # id of a stand-in -> the class or function that it came from
    keep: list[Any] = []

    def to_mark() -> list[Any]:
        at = len(stack) - 1 - stack[::-1].index(MARK)
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def instance(function: Any, role: str, arguments: Any = ()) -> Made:
        result = Made()
        keep.append(result)
        if isinstance(function, Global):
            new = {"copyreg:_reconstructor", "copyreg:__newobj__", "copyreg:__newobj_ex__"}
            if function.key in new and arguments and isinstance(arguments[0], Global):
                names.see(function.key, CALL)
                function, role = arguments[0], NEW
            names.see(function.key, role)
            made[id(result)] = function.key
        return result

    for opcode, argument, _ in pickletools.genops(stream):
        code = opcode.name
        if code == "PROTO":
            protocol = argument
        elif code in _IGNORED:
            pass
        elif code == "MARK":
            stack.append(MARK)
        elif code in _VALUES:
            stack.append(argument)
        elif code in _EMPTY:
            stack.append(Made())
        elif code == "EMPTY_TUPLE":
            stack.append(())
        elif code == "TUPLE":
            stack.append(tuple(to_mark()))
        elif code in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(code[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif code in _MARKED:
            to_mark()
            stack.append(Made())
        elif code in _INTO:
            to_mark()
        elif code == "APPEND":
            stack.pop()
        elif code == "SETITEM":
            del stack[-2:]
        elif code == "POP":
            stack.pop()
        elif code == "POP_MARK":
            to_mark()
        elif code == "DUP":
            stack.append(stack[-1])
        elif code == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif code in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif code in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif code == "NEXT_BUFFER":
            stack.append(Made())
        elif code in ("GLOBAL", "STACK_GLOBAL"):
            if code == "GLOBAL":
                module, name = argument.split(" ", 1)
            else:
                name, module = stack.pop(), stack.pop()
            key = today(module, name, protocol)
            names.see(key, REFERENCE)
            stack.append(Global(key))
        elif code == "REDUCE":
            arguments = stack.pop()
            stack.append(instance(stack.pop(), CALL, arguments))
        elif code == "NEWOBJ":
            arguments = stack.pop()
            stack.append(instance(stack.pop(), NEW))
        elif code == "NEWOBJ_EX":
            del stack[-2:]
            stack.append(instance(stack.pop(), NEW))
        elif code == "INST":
            to_mark()
            module, name = argument.split(" ", 1)
            stack.append(instance(Global(today(module, name, protocol)), CALL))
        elif code == "OBJ":
            stack.append(instance(to_mark()[0], CALL))
        elif code == "BUILD":
            stack.pop()
            if id(stack[-1]) in made:
                names.stateful.add(made[id(stack[-1])])
        elif code in ("PERSID", "BINPERSID"):
            if code == "BINPERSID":
                stack.pop()
            stack.append(Made())
        else:
            raise KeyError(code)
    return names
