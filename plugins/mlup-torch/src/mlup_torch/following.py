"""A pickle's persistent ids, found by following its opcodes. Nothing is imported, called or built.

Of the unpickler's stack only texts (as ``bytes``), numbers, names (``module.name`` as ``str``) and
tuples of them are kept; everything else is ``None``, and so are numbers and names longer than any
that torch writes. What bounds memory: a text is cut out of the data once, where it stands (a GET
pushes the same object again), a name is short, and an opcode pushes one item or two, or makes a
tuple of items that are on the stack. So it takes a few times the data, and some bytes an opcode.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from mlup.probe.pickle_opcodes import (
    ANYTHING,
    COUNT_BYTES,
    LINE,
    OPCODES,
    PUSH_MARK,
    TO_MARK,
    TWO_LINES,
)

_PLAIN, _TEXT, _NUMBER, _DIGITS, _PUT, _GET, _TUPLE, _IMPORT, _STACK_IMPORT, _ID, _STOP = range(11)
_KINDS: Final = {
    **dict.fromkeys(map(ord, "XUT\x8c\x8d"), _TEXT),
    **dict.fromkeys(map(ord, "KMJ\x8a"), _NUMBER),
    **dict.fromkeys(map(ord, "IL"), _DIGITS),
    **dict.fromkeys(map(ord, "pqr\x94"), _PUT),
    **dict.fromkeys(map(ord, "ghj"), _GET),
    **dict.fromkeys(map(ord, ")t\x85\x86\x87"), _TUPLE),
    ord("c"): _IMPORT,
    0x93: _STACK_IMPORT,
    ord("Q"): _ID,
    ord("."): _STOP,
}
_ROWS: Final = tuple(
    None if row is None else (row.argument, row.pops, row.pushes, _KINDS.get(code, _PLAIN))
    for code, row in enumerate(OPCODES)
)
_UNSIGNED: Final = frozenset(map(ord, "KM"))
_MEMOIZE: Final = 0x94
_MAX_NAME: Final = 200  # bytes of a module's name and a class's
_MAX_DIGITS: Final = 40  # the magic number has 24; longer ones cost more than their length to read


class Unfinished(Exception):  # noqa: N818  # no error: more data may follow
    """The pickle does not end in the data."""


class TooLong(Exception):  # noqa: N818  # no error: it may be a pickle
    """The pickle has more opcodes than are followed."""


class Damaged(ValueError):  # noqa: N818  # says what the pickle is
    """It is no pickle: an opcode cannot stand where it does."""


class Pickled(NamedTuple):
    """What was found.

    Attributes:
        end: the offset just behind STOP.
        top: the object, where it is a text, a number, a name or a tuple.
        persistent: the persistent ids, in order.
        first_name: the first ``module.name`` that is imported.
        opcodes: how many there were.
    """

    end: int
    top: object
    persistent: list[object]
    first_name: str | None
    opcodes: int


def follow(data: bytes, start: int, most: int) -> Pickled:
    """Follow the pickle that begins at ``start``, for ``most`` opcodes.

    Raises:
        TooLong: it has more opcodes.
        Unfinished: it goes on behind ``data``.
        Damaged: it is none.
    """
    try:
        return _follow(data, start, most)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # An item that is not on the stack or not in the memo, a name that is no text, digits that
        # are none: the loop does not ask first.
        raise Damaged(f"no pickle at byte {start}") from error


def _follow(data: bytes, start: int, most: int) -> Pickled:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, object] = {}
    ids: list[object] = []
    first_name = None
    position, length = start, len(data)
    for count in range(1, most + 1):
        if position >= length:
            raise Unfinished
        code = data[position]
        row = _ROWS[code]
        if row is None:
            raise Damaged(f"no opcode at byte {position}")
        argument, pops, pushes, kind = row
        start = position + 1
        position = start + argument
        if argument < 0:
            start, position = _span(data, start, argument)
        if position > length:
            raise Unfinished
        if kind == _PUT:
            if argument == 1:
                index = data[start]
            elif code == _MEMOIZE:
                index = len(memo)
            else:
                index = _index(data, start, position, argument)
            memo[index] = stack[-1]
        elif kind == _TEXT:
            stack.append(data[start:position])
        elif kind == _GET:
            index = data[start] if argument == 1 else _index(data, start, position, argument)
            stack.append(memo[index])
        elif kind == _NUMBER:
            signed = code not in _UNSIGNED
            stack.append(int.from_bytes(data[start:position], "little", signed=signed))
        elif kind == _TUPLE:
            at = marks.pop() if pops == TO_MARK else len(stack) - pops
            stack[at:] = [tuple(stack[at:])]
        elif kind == _IMPORT:
            name = None
            if position - start <= _MAX_NAME:
                name = data[start : position - 1].decode().replace("\n", ".")
            first_name = first_name or name
            stack.append(name)
        elif kind == _STACK_IMPORT:
            last, module = stack.pop(), stack.pop()
            name = None
            if len(module) + len(last) <= _MAX_NAME:
                name = f"{module.decode()}.{last.decode()}"
            first_name = first_name or name
            stack.append(name)
        elif kind == _ID:
            ids.append(stack.pop())
            stack.append(None)
        elif kind == _DIGITS:
            short = position - start <= _MAX_DIGITS
            stack.append(int(data[start:position].rstrip().rstrip(b"L")) if short else None)
        elif kind == _STOP:
            return Pickled(position, stack.pop(), ids, first_name, count)
        elif pops == PUSH_MARK:
            marks.append(len(stack))
        else:
            if pops == TO_MARK or (pops == ANYTHING and marks and marks[-1] == len(stack)):
                del stack[marks.pop() :]
            elif pops:
                del stack[-1 if pops == ANYTHING else -pops :]
            stack += [None] * pushes
    raise TooLong


def _span(data: bytes, start: int, argument: int) -> tuple[int, int]:
    """Where a variable argument begins and ends; behind ``data`` where it is not in there."""
    width = COUNT_BYTES.get(argument)
    if width is not None:
        body = start + width
        return body, body + int.from_bytes(data[start:body], "little")
    end = data.find(b"\n", start)
    if argument == TWO_LINES and end >= 0:
        end = data.find(b"\n", end + 1)
    return start, end + 1 if end >= 0 else len(data) + 1


def _index(data: bytes, start: int, end: int, argument: int) -> int:
    digits = data[start:end]
    if argument != LINE:
        return int.from_bytes(digits, "little")
    if len(digits) > _MAX_DIGITS:
        raise ValueError("no place in a memo")
    return int(digits)
