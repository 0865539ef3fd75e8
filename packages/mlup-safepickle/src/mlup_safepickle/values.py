"""The opcodes for plain values and containers. They move data, and are bounded by what is there.

Items are added to lists, dicts, sets and their subclasses alone, by the type's own methods: what a
pickle put into an object's ``__dict__`` is never called.
"""

from __future__ import annotations

import codecs
import pickle
from collections import deque
from collections.abc import Iterable
from struct import unpack
from typing import TYPE_CHECKING, Any, Final

from mlup_safepickle.refusing import Refused

if TYPE_CHECKING:
    from mlup_safepickle.unpickler import Unpickler

LINE: Final = 64 * 1024  # bytes of a number or a name; texts have a limit of their own
_TEXT: Final = 2**31
_LONG: Final = 4096
_TAKEN_FOR_ARRAYS: Final = frozenset(
    {"__array__", "__array_interface__", "__array_struct__", "__array_function__"}
    | {"__array_ufunc__", "__cuda_array_interface__", "__dlpack__", "__buffer__"}
)
"""Attributes by which NumPy and others ask any object for its memory."""


# Bytes that a value takes beside its contents (CPython 3.11, 64 bits).
_LIST, _DICT, _SET, _TUPLE = 56, 64, 216, 48

# -- values -----------------------------------------------------------------------------


def sized(machine: Unpickler, width: int) -> bytes:
    size = int.from_bytes(machine.reader.read(width), "little")
    value = machine.reader.read(size)
    if size > _LONG:
        machine.budget.take(-2 * size)  # it is there, so it may be copied once
    return value


def push_integer(machine: Unpickler) -> None:
    line = machine.reader.line(LINE)
    machine.stack.append(
        {b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line, 0)
    )


def push_long_line(machine: Unpickler) -> None:
    machine.stack.append(int(machine.reader.line(LINE).removesuffix(b"L"), 0))


def push_signed(machine: Unpickler) -> None:
    machine.stack.append(int.from_bytes(machine.reader.read(4), "little", signed=True))


def push_unsigned(machine: Unpickler, width: int) -> None:
    machine.stack.append(int.from_bytes(machine.reader.read(width), "little"))


def push_long(machine: Unpickler, width: int) -> None:
    machine.stack.append(int.from_bytes(sized(machine, width), "little", signed=True))


def push_float_line(machine: Unpickler) -> None:
    machine.stack.append(float(machine.reader.line(LINE)))


def push_float(machine: Unpickler) -> None:
    machine.stack.append(unpack(">d", machine.reader.read(8))[0])


def push_string_line(machine: Unpickler) -> None:
    line = machine.reader.line(_TEXT)
    if len(line) < 2 or line[0] != line[-1] or line[0] not in b"\"'":
        raise pickle.UnpicklingError("the STRING opcode's argument is not quoted")
    machine.stack.append(str(codecs.escape_decode(line[1:-1])[0], machine.encoding))


def push_string(machine: Unpickler, width: int) -> None:
    machine.stack.append(str(sized(machine, width), machine.encoding))


def push_unicode_line(machine: Unpickler) -> None:
    machine.stack.append(str(machine.reader.line(_TEXT), "raw-unicode-escape"))


def push_unicode(machine: Unpickler, width: int) -> None:
    machine.stack.append(str(sized(machine, width), "utf-8", "surrogatepass"))


def push_bytes(machine: Unpickler, width: int) -> None:
    machine.stack.append(sized(machine, width))


def push_bytearray(machine: Unpickler) -> None:
    machine.stack.append(bytearray(sized(machine, 8)))


def read_only(machine: Unpickler) -> None:
    # Follows NEXT_BUFFER alone; of an array, it would be a view of memory that is freed later.
    raise Refused("it makes a buffer read-only, which no pickle does that has all its data in it")


# -- containers -------------------------------------------------------------------------


def push_list(machine: Unpickler) -> None:
    machine.budget.take(_LIST)
    machine.stack.append([])


def push_dict(machine: Unpickler) -> None:
    machine.budget.take(_DICT)
    machine.stack.append({})


def push_set(machine: Unpickler) -> None:
    machine.budget.take(_SET)
    machine.stack.append(set())


def tuple_of_1(machine: Unpickler) -> None:
    machine.budget.take(_TUPLE)
    machine.stack[-1] = (machine.stack[-1],)


def tuple_of_2(machine: Unpickler) -> None:
    machine.budget.take(_TUPLE)
    second = machine.stack.pop()
    machine.stack[-1] = (machine.stack[-1], second)


def tuple_of_3(machine: Unpickler) -> None:
    machine.budget.take(_TUPLE)
    third = machine.stack.pop()
    second = machine.stack.pop()
    machine.stack[-1] = (machine.stack[-1], second, third)


def tuple_of_items(machine: Unpickler) -> None:
    machine.budget.take(_TUPLE)
    items = machine.since_mark()
    machine.stack.append(tuple(items))


def list_of_items(machine: Unpickler) -> None:
    machine.budget.take(_LIST)
    items = machine.since_mark()
    machine.stack.append(items)


def dict_of_items(machine: Unpickler) -> None:
    items = machine.since_mark()
    push_dict(machine)
    set_items(machine, items)


def frozen_set(machine: Unpickler) -> None:
    machine.budget.take(_SET)
    items = machine.since_mark()
    machine.budget.hashed(items, items)
    machine.stack.append(frozenset(items))


def append(machine: Unpickler) -> None:
    item = machine.stack.pop()
    extend(machine, [item])


def appends(machine: Unpickler) -> None:
    extend(machine, machine.since_mark())


def extend(machine: Unpickler, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, (list, deque)):
        add: Any = type(target).extend
        add(target, items)
    else:
        machine.actions.other(target, items)


def set_item(machine: Unpickler) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    set_items(machine, [key, value])


def set_marked_items(machine: Unpickler) -> None:
    set_items(machine, machine.since_mark())


def taken_for_array(keys: Iterable[Any]) -> bool:
    """Whether one of these keys makes an object an array, if it becomes an attribute of it."""
    return not _TAKEN_FOR_ARRAYS.isdisjoint(keys)


def set_items(machine: Unpickler, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, dict):
        machine.actions.other(target, items)
        return
    keys = items[::2]
    machine.budget.hashed(keys, target)
    if taken_for_array(keys):
        raise Refused("it would have an object taken for an array at an address of its choice")
    if type(target) is dict:
        target.update(zip(keys, items[1::2], strict=True))
    else:
        put = type(target).__setitem__
        for key, value in zip(keys, items[1::2], strict=True):
            put(target, key, value)


def add_items(machine: Unpickler) -> None:
    items = machine.since_mark()
    target = machine.stack[-1]
    if not isinstance(target, set):
        machine.actions.other(target, items)
        return
    machine.budget.hashed(items, target)
    type(target).update(target, items)
