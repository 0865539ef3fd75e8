"""The table of all opcodes of pickle, and those of them that do something.

Source: ``Lib/pickletools.py`` of CPython 3.13, protocols 0 to 5.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from mlup_safepickle import values
from mlup_safepickle.refusing import Refused
from mlup_safepickle.values import LINE

if TYPE_CHECKING:
    from mlup_safepickle.unpickler import Unpickler

_MOST_MARKS: Final = (
    100_000  # of containers within each other; pickle itself ends at some thousands
)


class Stop(Exception):  # noqa: N818 - how the STOP opcode leaves the loop
    """The value on top of the stack when a pickle ends."""


# -- control ----------------------------------------------------------------------------


def _proto(machine: Unpickler) -> None:
    machine.protocol = machine.reader.read(1)[0]
    if machine.protocol > pickle.HIGHEST_PROTOCOL:
        raise pickle.UnpicklingError(f"pickle protocol {machine.protocol} is not known")


def _frame(machine: Unpickler) -> None:
    machine.reader.read(8)


def _stop(machine: Unpickler) -> None:
    value = machine.stack.pop()
    if machine.stack or machine.marks:  # a damaged one; frames are not looked at
        raise pickle.UnpicklingError("the pickle is damaged: values are left over at its end")
    raise Stop(value)


def _mark(machine: Unpickler) -> None:
    machine.marks.append(machine.stack)
    if len(machine.marks) > _MOST_MARKS:
        raise Refused("its containers are nested far deeper than any pickler writes them")
    machine.stack = []


def _pop(machine: Unpickler) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _pop_mark(machine: Unpickler) -> None:
    machine.since_mark()


def _dup(machine: Unpickler) -> None:
    machine.stack.append(machine.stack[-1])


# -- the memo ---------------------------------------------------------------------------


def _put(machine: Unpickler, number: int) -> None:
    machine.memo[number] = machine.stack[-1]


def _put_line(machine: Unpickler) -> None:
    _put(machine, int(machine.reader.line(LINE)))


def _get_line(machine: Unpickler) -> None:
    machine.stack.append(machine.memo[int(machine.reader.line(LINE))])


def _put_wide(machine: Unpickler, width: int) -> None:
    _put(machine, int.from_bytes(machine.reader.read(width), "little"))


def _get_wide(machine: Unpickler, width: int) -> None:
    machine.stack.append(machine.memo[int.from_bytes(machine.reader.read(width), "little")])


def _memoize(machine: Unpickler) -> None:
    _put(machine, len(machine.memo))


# -- what a pickle does: the five kinds of opcodes that matter -----------------------------


def _global_line(machine: Unpickler) -> None:
    module = str(machine.reader.line(LINE), "utf-8")
    machine.stack.append(machine.named(module, str(machine.reader.line(LINE), "utf-8")))


def _global_of_stack(machine: Unpickler) -> None:
    name = machine.stack.pop()
    module = machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise pickle.UnpicklingError("the name to import is no text")
    machine.stack.append(machine.named(module, name))


def _reduce(machine: Unpickler) -> None:
    machine.budget.call()
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.actions.call(machine.stack[-1], arguments)


def _new_object(machine: Unpickler) -> None:
    machine.budget.call()
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.actions.new(machine.stack[-1], arguments, {})


def _new_object_with_keywords(machine: Unpickler) -> None:
    machine.budget.call()
    keywords = machine.stack.pop()
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.actions.new(machine.stack[-1], arguments, keywords)


def _instance_line(machine: Unpickler) -> None:
    module = str(machine.reader.line(LINE), "utf-8")
    cls = machine.named(module, str(machine.reader.line(LINE), "utf-8"))
    _instance_of(machine, cls, machine.since_mark())


def _instance(machine: Unpickler) -> None:
    items = machine.since_mark()
    _instance_of(machine, items[0], items[1:])


def _instance_of(machine: Unpickler, cls: Any, arguments: list[Any]) -> None:
    machine.budget.call()
    made = (
        machine.actions.call(cls, tuple(arguments))
        if arguments
        else machine.actions.new(cls, (), {})
    )
    machine.stack.append(made)


def _persistent_line(machine: Unpickler) -> None:
    machine.persistent(str(machine.reader.line(LINE), "ascii"))


def _persistent_of_stack(machine: Unpickler) -> None:
    machine.persistent(machine.stack.pop())


def _extension(machine: Unpickler, width: int) -> None:
    code = int.from_bytes(machine.reader.read(width), "little")
    raise Refused(f"it names code {code} of the extension registry, which may stand for anything")


def _buffer(machine: Unpickler) -> None:
    raise Refused("its data is in buffers outside the file (out-of-band pickling)")


def _wide(handler: Callable[[Unpickler, int], None], width: int) -> Callable[[Unpickler], None]:
    return lambda unpickler: handler(unpickler, width)


OPCODES: Final[dict[int, Callable[[Unpickler], None]]] = {
    0x80: _proto,  # PROTO
    0x95: _frame,  # FRAME
    0x2E: _stop,  # STOP
    0x28: _mark,  # MARK
    0x30: _pop,  # POP
    0x31: _pop_mark,  # POP_MARK
    0x32: _dup,  # DUP
    0x4E: lambda machine: machine.stack.append(None),  # NONE
    0x88: lambda machine: machine.stack.append(True),  # NEWTRUE
    0x89: lambda machine: machine.stack.append(False),  # NEWFALSE
    0x49: values.push_integer,  # INT
    0x4C: values.push_long_line,  # LONG
    0x4A: values.push_signed,  # BININT
    0x4B: _wide(values.push_unsigned, 1),  # BININT1
    0x4D: _wide(values.push_unsigned, 2),  # BININT2
    0x8A: _wide(values.push_long, 1),  # LONG1
    0x8B: _wide(values.push_long, 4),  # LONG4
    0x46: values.push_float_line,  # FLOAT
    0x47: values.push_float,  # BINFLOAT
    0x53: values.push_string_line,  # STRING
    0x54: _wide(values.push_string, 4),  # BINSTRING
    0x55: _wide(values.push_string, 1),  # SHORT_BINSTRING
    0x56: values.push_unicode_line,  # UNICODE
    0x8C: _wide(values.push_unicode, 1),  # SHORT_BINUNICODE
    0x58: _wide(values.push_unicode, 4),  # BINUNICODE
    0x8D: _wide(values.push_unicode, 8),  # BINUNICODE8
    0x43: _wide(values.push_bytes, 1),  # SHORT_BINBYTES
    0x42: _wide(values.push_bytes, 4),  # BINBYTES
    0x8E: _wide(values.push_bytes, 8),  # BINBYTES8
    0x96: values.push_bytearray,  # BYTEARRAY8
    0x98: values.read_only,  # READONLY_BUFFER
    0x5D: values.push_list,  # EMPTY_LIST
    0x7D: values.push_dict,  # EMPTY_DICT
    0x8F: values.push_set,  # EMPTY_SET
    0x29: lambda machine: machine.stack.append(()),  # EMPTY_TUPLE
    0x85: values.tuple_of_1,  # TUPLE1
    0x86: values.tuple_of_2,  # TUPLE2
    0x87: values.tuple_of_3,  # TUPLE3
    0x74: values.tuple_of_items,  # TUPLE
    0x6C: values.list_of_items,  # LIST
    0x64: values.dict_of_items,  # DICT
    0x91: values.frozen_set,  # FROZENSET
    0x61: values.append,  # APPEND
    0x65: values.appends,  # APPENDS
    0x73: values.set_item,  # SETITEM
    0x75: values.set_marked_items,  # SETITEMS
    0x90: values.add_items,  # ADDITEMS
    0x70: _put_line,  # PUT
    0x71: _wide(_put_wide, 1),  # BINPUT
    0x72: _wide(_put_wide, 4),  # LONG_BINPUT
    0x94: _memoize,  # MEMOIZE
    0x67: _get_line,  # GET
    0x68: _wide(_get_wide, 1),  # BINGET
    0x6A: _wide(_get_wide, 4),  # LONG_BINGET
    0x63: _global_line,  # GLOBAL
    0x93: _global_of_stack,  # STACK_GLOBAL
    0x52: _reduce,  # REDUCE
    0x81: _new_object,  # NEWOBJ
    0x92: _new_object_with_keywords,  # NEWOBJ_EX
    0x69: _instance_line,  # INST
    0x6F: _instance,  # OBJ
    0x62: lambda machine: machine.build(),  # BUILD; a format may have its own
    0x50: _persistent_line,  # PERSID
    0x51: _persistent_of_stack,  # BINPERSID
    0x82: _wide(_extension, 1),  # EXT1
    0x83: _wide(_extension, 2),  # EXT2
    0x84: _wide(_extension, 4),  # EXT4
    0x97: _buffer,  # NEXT_BUFFER
}
"""All 68 opcodes of protocols 0 to 5."""


def _unknown(machine: Unpickler) -> None:
    code = machine.reader.data[machine.reader.at - 1]
    raise pickle.UnpicklingError(f"0x{code:02x} is no opcode of pickle's")


HANDLERS: Final = [OPCODES.get(code, _unknown) for code in range(256)]
"""The same by number."""
