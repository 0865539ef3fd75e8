"""Pickles from expressions: names, calls of them, and plain data; the rest is opcodes by hand.

``{py}``, ``{sh}`` and ``{marker}`` in a text stand for Python source and a shell command that
create the marker, and for its path; ``NESTED`` for a pickle that creates it, ``MARSHALLED`` for
its marshalled code.
"""

from __future__ import annotations

import marshal
import pickle
import struct
from typing import Any, NamedTuple

STOP, MARK, REDUCE, BUILD, TUPLE, POP = b".", b"(", b"R", b"b", b"t", b"0"
NEWOBJ, NEWOBJ_EX, STACK_GLOBAL, OBJ = b"\x81", b"\x92", b"\x93", b"o"
APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS = b"a", b"e", b"s", b"u", b"\x90"


class Code(bytes):
    """Opcodes, as they are."""


class Ref(NamedTuple):
    """A name that the file imports."""

    module: str
    name: str


class Call:
    """A call of an expression, by REDUCE."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args


class New:
    """``cls.__new__(cls, *args)`` by NEWOBJ, then perhaps a state by BUILD."""

    def __init__(self, cls: Any, *args: Any, state: Any = None) -> None:
        self.cls, self.args, self.state = cls, args, state


class Built:
    """A state for whatever an expression gives, by BUILD."""

    def __init__(self, what: Any, state: Any) -> None:
        self.what, self.state = what, state


class _Filled(NamedTuple):
    what: str


NESTED, MARSHALLED = _Filled("nested"), _Filled("marshalled")


def source(marker: str) -> str:
    """Python, an expression and a statement, that creates the marker."""
    return f"open({marker!r}, 'w').close()"


def command(marker: str) -> str:
    """The same for a shell."""
    return f": > '{marker}'"


def filled(text: str, marker: str) -> str:
    """A text with what its placeholders stand for."""
    for name, value in (
        ("{py}", source(marker)),
        ("{sh}", command(marker)),
        ("{marker}", marker),
    ):
        text = text.replace(name, value)
    return text


def text(value: str) -> Code:
    """BINUNICODE."""
    data = value.encode("utf-8", "surrogatepass")
    return Code(b"X" + struct.pack("<I", len(data)) + data)


def global_(module: str, name: str) -> Code:
    """GLOBAL."""
    return Code(f"c{module}\n{name}\n".encode())


def stack_global(module: str, name: str) -> Code:
    """STACK_GLOBAL, with its two texts."""
    return Code(text(module) + text(name) + STACK_GLOBAL)


def number(value: int) -> Code:
    """BININT, or LONG1."""
    if -(2**31) <= value < 2**31:
        return Code(b"J" + struct.pack("<i", value))
    data = pickle.encode_long(value)
    return Code(b"\x8a" + bytes([len(data)]) + data)


def code(value: Any, marker: str = "", named: Any = global_) -> Code:
    """The opcodes that leave an expression's value on the stack."""
    if isinstance(value, Code):
        return value
    if isinstance(value, _Filled):
        return code(_payload(value.what, marker))
    if isinstance(value, Ref):
        return named(*value)  # type: ignore[no-any-return]
    if isinstance(value, Call):
        function = code(value.function, marker, named)
        return Code(function + code(value.args, marker, named) + REDUCE)
    if isinstance(value, New):
        made = Code(code(value.cls, marker, named) + code(value.args, marker, named) + NEWOBJ)
        return made if value.state is None else code(Built(made, value.state), marker, named)
    if isinstance(value, Built):
        return Code(code(value.what, marker, named) + code(value.state, marker, named) + BUILD)
    if value is None or isinstance(value, bool):
        return Code({None: b"N", True: b"\x88", False: b"\x89"}[value])
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return Code(b"G" + struct.pack(">d", value))
    if isinstance(value, str):
        return text(filled(value, marker))
    if isinstance(value, (bytes, bytearray)):
        return Code(b"B" + struct.pack("<I", len(value)) + bytes(value))
    ends = {tuple: TUPLE, list: b"l", dict: b"d"}
    if isinstance(value, dict):
        items: list[Any] = [each for pair in value.items() for each in pair]
    else:
        items = list(value)
    return Code(MARK + b"".join(code(each, marker, named) for each in items) + ends[type(value)])


def _payload(what: str, marker: str) -> bytes:
    if what == "nested":
        return stream(Call(Ref("builtins", "exec"), "{py}"), marker)
    return marshal.dumps(compile(source(marker), "payload", "exec"))


def stream(value: Any, marker: str = "", protocol: int | None = 4, named: Any = global_) -> bytes:
    """A whole pickle."""
    head = b"" if protocol is None else b"\x80" + bytes([protocol])
    return head + code(value, marker, named) + STOP


def names(value: Any) -> tuple[str, ...]:
    """The names that an expression imports, in their order, as ``allow`` takes them."""
    if isinstance(value, Ref):
        return (f"{value.module}.{value.name}",)
    if isinstance(value, Call):
        return (*names(value.function), *names(value.args))
    if isinstance(value, New):
        return (*names(value.cls), *names(value.args), *names(value.state))
    if isinstance(value, Built):
        return (*names(value.what), *names(value.state))
    if isinstance(value, (tuple, list)):
        return tuple(name for each in value for name in names(each))
    if isinstance(value, dict):
        return (*names(list(value)), *names(list(value.values())))
    return ()


def pickled(value: Any) -> Code:
    """A real object, by the real pickler, as a piece of a stream (protocol 2)."""
    return Code(pickle.dumps(value, 2)[2:-1])
