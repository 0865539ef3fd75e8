"""The pickle machine: a stack, a memo and a table of opcodes. It decides nothing, imports nothing.

What a pickle may *do* (import a name, call it, make an instance, set a state) goes through an
:class:`Actions`, of which there are two: :mod:`~mlup_safepickle.acting` asks the safe lists and does
it, :mod:`~mlup_safepickle.watching` writes it down and does not. Everything else here only moves
plain values, and is bounded by the bytes that are really there (:mod:`~mlup_safepickle.budget`).

Where it differs from :class:`pickle.Unpickler`, on purpose:

* items are added to lists, dicts, sets and their subclasses alone, by the type's own methods; what a
  pickle put into an object's ``__dict__`` is never called;
* the extension registry, out-of-band buffers and, unless the caller resolves them, persistent ids
  are refused;
* frames are not looked at: a pickle means the same with any frames or none.

Source: ``Lib/pickle.py`` and ``Lib/pickletools.py`` of CPython 3.13.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from struct import unpack
from typing import Any, Final, Protocol

from mlup_safepickle.budget import Budget
from mlup_safepickle.names import of_python_3
from mlup_safepickle.opcodes import HANDLERS, Stop
from mlup_safepickle.reader import Reader
from mlup_safepickle.refusing import Refused

_MEMO: Final = 64  # bytes that an entry of the memo takes


class Actions(Protocol):
    """What a pickle may do. Each may raise :class:`Refused`."""

    def find(self, module: str, name: str) -> Any:
        """What a name stands for."""

    def call(self, function: Any, arguments: Any) -> Any:
        """``function(*arguments)``."""

    def new(self, cls: Any, arguments: Any, keywords: Any) -> Any:
        """``cls.__new__(cls, *arguments, **keywords)``."""

    def build(self, instance: Any, state: Any) -> Any:
        """Set the state of an instance; returns what stands for it from then on."""

    def other(self, container: Any, items: list[Any]) -> None:
        """Items for something that is no list, dict or set."""


class Unpickler:
    """One pickle stream.

    Attributes:
        stack: values, the last on top; those since the last MARK.
        memo: values by number.
        protocol: what the stream says; 0 until it does.
        persistent_load: resolves persistent ids; ``None``: they are refused.
        encoding: of texts that Python 2 wrote.
    """

    persistent_load: Callable[[Any], Any] | None = None
    encoding: str = "ascii"

    def __init__(self, reader: Reader, actions: Actions, budget: Budget) -> None:
        self.reader = reader
        self.actions = actions
        self.budget = budget
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.protocol = 0

    def load(self) -> Any:
        """The object, up to STOP.

        Raises:
            Refused: the stream wants what it may not.
            EOFError, pickle.UnpicklingError: it breaks off, or is no pickle.
        """
        try:
            self._run()
        except Stop as stop:
            return stop.args[0]
        except (IndexError, KeyError) as error:  # of the stack or the memo
            raise pickle.UnpicklingError(
                "the pickle is damaged, or an object in it cannot be rebuilt here "
                f"({type(error).__name__}: {error})"
            ) from error

    def _run(self) -> None:
        reader, memo, handlers = self.reader, self.memo, HANDLERS
        memorised = 0
        while True:
            # The most frequent opcodes, while all of their bytes are surely there. They are in the
            # table as well; this is for speed alone.
            data, at, stack = reader.data, reader.at, self.stack
            last = len(data) - 270
            started = at
            while at < last:
                opcode = data[at]
                if opcode == 0x94:  # MEMOIZE
                    memo[len(memo)] = stack[-1]
                    at += 1
                elif opcode == 0x8C:  # SHORT_BINUNICODE
                    end = at + 2 + data[at + 1]
                    try:
                        text = data[at + 2 : end].decode()
                    except UnicodeDecodeError:
                        text = data[at + 2 : end].decode("utf-8", "surrogatepass")
                    stack.append(text)
                    at = end
                    if data[at] == 0x94:  # nearly always
                        memo[len(memo)] = text
                        at += 1
                elif opcode == 0x68:  # BINGET
                    stack.append(memo[data[at + 1]])
                    at += 2
                elif opcode == 0x4D:  # BININT2
                    stack.append(data[at + 1] | data[at + 2] << 8)
                    at += 3
                elif opcode == 0x4B:  # BININT1
                    stack.append(data[at + 1])
                    at += 2
                elif opcode == 0x47:  # BINFLOAT
                    stack.append(unpack(">d", data[at + 1 : at + 9])[0])
                    at += 9
                elif opcode == 0x4A:  # BININT
                    stack.append(int.from_bytes(data[at + 1 : at + 5], "little", signed=True))
                    at += 5
                elif opcode == 0x71:  # BINPUT
                    memo[data[at + 1]] = stack[-1]
                    at += 2
                else:
                    reader.at = at + 1
                    handlers[opcode](self)
                    if reader.data is not data:
                        break
                    at, stack = reader.at, self.stack
            else:
                reader.at = at
            self.budget.count(max(0, at - started))  # an opcode has a byte at least
            self.budget.take(_MEMO * (len(memo) - memorised))
            memorised = len(memo)
            if len(reader.data) - reader.at <= 270:
                reader.more()
                if len(reader.data) - reader.at <= 270:  # the end of the stream
                    handlers[reader.read(1)[0]](self)

    def since_mark(self) -> list[Any]:
        """Take the values since the last MARK."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def named(self, module: str, name: str) -> Any:
        """What a name stands for, as this protocol spells it."""
        if self.protocol < 3:
            module, name = of_python_3(module, name)
        return self.find_class(module, name)

    # -- what formats have their own of ---------------------------------------------------------

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for. PyTorch has its own for storages."""
        return self.actions.find(module, name)

    def build(self) -> None:
        """Set a state. joblib reads an array then."""
        state = self.stack.pop()
        self.stack[-1] = self.actions.build(self.stack[-1], state)

    def persistent(self, identifier: Any) -> None:
        """Resolve a persistent id."""
        if self.persistent_load is None:
            raise Refused("it refers to objects outside the file by persistent ids")
        self.stack.append(self.persistent_load(identifier))
