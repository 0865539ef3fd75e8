"""The opcodes of pickle protocols 0 to 5, as a table: argument, what it pops, what it pushes.

Source: the standard library's ``pickletools.opcodes``; a test compares the two. The table is
written out because importing :mod:`pickletools` costs more than a whole detection.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Arguments: a number of bytes, or one of
LINE: Final = -1  # up to a newline
TWO_LINES: Final = -2  # module and name, each up to a newline
COUNT1: Final = -11  # a length of 1 byte, then as many bytes
COUNT4: Final = -14
COUNT8: Final = -18
COUNT_BYTES: Final = {COUNT1: 1, COUNT4: 4, COUNT8: 8}

# What is popped: a number of items, or one of
PUSH_MARK: Final = -1
TO_MARK: Final = -2  # everything above the last mark, and the mark
ANYTHING: Final = -3  # one item, or a mark (POP)


class Opcode(NamedTuple):
    """One row. ``below``: items that must lie under the mark, and stay."""

    name: str
    argument: int = 0
    pops: int = 0
    pushes: int = 0
    below: int = 0


_ROWS: Final[dict[bytes, Opcode]] = {
    b"(": Opcode("MARK", pops=PUSH_MARK),
    b".": Opcode("STOP", pops=1),
    b"0": Opcode("POP", pops=ANYTHING),
    b"1": Opcode("POP_MARK", pops=TO_MARK),
    b"2": Opcode("DUP", pops=1, pushes=2),
    b"F": Opcode("FLOAT", LINE, pushes=1),
    b"I": Opcode("INT", LINE, pushes=1),
    b"J": Opcode("BININT", 4, pushes=1),
    b"K": Opcode("BININT1", 1, pushes=1),
    b"L": Opcode("LONG", LINE, pushes=1),
    b"M": Opcode("BININT2", 2, pushes=1),
    b"N": Opcode("NONE", pushes=1),
    b"P": Opcode("PERSID", LINE, pushes=1),
    b"Q": Opcode("BINPERSID", pops=1, pushes=1),
    b"R": Opcode("REDUCE", pops=2, pushes=1),
    b"S": Opcode("STRING", LINE, pushes=1),
    b"T": Opcode("BINSTRING", COUNT4, pushes=1),
    b"U": Opcode("SHORT_BINSTRING", COUNT1, pushes=1),
    b"V": Opcode("UNICODE", LINE, pushes=1),
    b"X": Opcode("BINUNICODE", COUNT4, pushes=1),
    b"a": Opcode("APPEND", pops=2, pushes=1),
    b"b": Opcode("BUILD", pops=2, pushes=1),
    b"c": Opcode("GLOBAL", TWO_LINES, pushes=1),
    b"d": Opcode("DICT", pops=TO_MARK, pushes=1),
    b"}": Opcode("EMPTY_DICT", pushes=1),
    b"e": Opcode("APPENDS", pops=TO_MARK, below=1),
    b"g": Opcode("GET", LINE, pushes=1),
    b"h": Opcode("BINGET", 1, pushes=1),
    b"i": Opcode("INST", TWO_LINES, pops=TO_MARK, pushes=1),
    b"j": Opcode("LONG_BINGET", 4, pushes=1),
    b"l": Opcode("LIST", pops=TO_MARK, pushes=1),
    b"]": Opcode("EMPTY_LIST", pushes=1),
    b"o": Opcode("OBJ", pops=TO_MARK, pushes=1),
    b"p": Opcode("PUT", LINE, pops=1, pushes=1),
    b"q": Opcode("BINPUT", 1, pops=1, pushes=1),
    b"r": Opcode("LONG_BINPUT", 4, pops=1, pushes=1),
    b"s": Opcode("SETITEM", pops=3, pushes=1),
    b"t": Opcode("TUPLE", pops=TO_MARK, pushes=1),
    b")": Opcode("EMPTY_TUPLE", pushes=1),
    b"u": Opcode("SETITEMS", pops=TO_MARK, below=1),
    b"G": Opcode("BINFLOAT", 8, pushes=1),
    b"\x80": Opcode("PROTO", 1),
    b"\x81": Opcode("NEWOBJ", pops=2, pushes=1),
    b"\x82": Opcode("EXT1", 1, pushes=1),
    b"\x83": Opcode("EXT2", 2, pushes=1),
    b"\x84": Opcode("EXT4", 4, pushes=1),
    b"\x85": Opcode("TUPLE1", pops=1, pushes=1),
    b"\x86": Opcode("TUPLE2", pops=2, pushes=1),
    b"\x87": Opcode("TUPLE3", pops=3, pushes=1),
    b"\x88": Opcode("NEWTRUE", pushes=1),
    b"\x89": Opcode("NEWFALSE", pushes=1),
    b"\x8a": Opcode("LONG1", COUNT1, pushes=1),
    b"\x8b": Opcode("LONG4", COUNT4, pushes=1),
    b"B": Opcode("BINBYTES", COUNT4, pushes=1),
    b"C": Opcode("SHORT_BINBYTES", COUNT1, pushes=1),
    b"\x8c": Opcode("SHORT_BINUNICODE", COUNT1, pushes=1),
    b"\x8d": Opcode("BINUNICODE8", COUNT8, pushes=1),
    b"\x8e": Opcode("BINBYTES8", COUNT8, pushes=1),
    b"\x8f": Opcode("EMPTY_SET", pushes=1),
    b"\x90": Opcode("ADDITEMS", pops=TO_MARK, below=1),
    b"\x91": Opcode("FROZENSET", pops=TO_MARK, pushes=1),
    b"\x92": Opcode("NEWOBJ_EX", pops=3, pushes=1),
    b"\x93": Opcode("STACK_GLOBAL", pops=2, pushes=1),
    b"\x94": Opcode("MEMOIZE", pops=1, pushes=1),
    b"\x95": Opcode("FRAME", 8),
    b"\x96": Opcode("BYTEARRAY8", COUNT8, pushes=1),
    b"\x97": Opcode("NEXT_BUFFER", pushes=1),
    b"\x98": Opcode("READONLY_BUFFER", pops=1, pushes=1),
}

OPCODES: Final[tuple[Opcode | None, ...]] = tuple(_ROWS.get(bytes([code])) for code in range(256))
"""By byte; ``None`` where no opcode has it."""
