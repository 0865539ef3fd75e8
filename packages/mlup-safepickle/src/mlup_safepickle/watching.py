"""The same opcodes with inert stand-ins: what a pickle would do is written down, and not done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlup import report
from mlup_safepickle.checks import plain
from mlup_safepickle.importing import package_of, packages_of
from mlup_safepickle.names import today
from mlup_safepickle.refusing import Refused
from mlup_safepickle.safelists import CALL, NEW, REFERENCE, Entry, Table


class Named:
    """What stands for something to import."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Made:
    """What stands for an object.

    Attributes:
        of: what it was made by, a :class:`Named` if it is any good.
        arguments: and of what.
        state: what was set on it.
    """

    __slots__ = ("arguments", "of", "state")

    def __init__(self, of: Any, arguments: Any) -> None:
        self.of = of
        self.arguments = arguments
        self.state: Any = None

    def is_of(self, module: str, name: str) -> bool:
        """Whether it was made by that name."""
        of = self.of
        return type(of) is Named and (of.module, of.name) == (module, name)


class Watching:
    """What one file would do.

    What only the objects themselves would show is not seen: a check of NumPy's arrays, or whether a
    name of an allowed package is defined there.

    Attributes:
        notes: what else was seen.
    """

    def __init__(self, table: Table, allow: Iterable[str]) -> None:
        self._table = table
        self._allow = frozenset(allow)
        self._packages = packages_of(self._allow)
        self._roles: dict[tuple[str, str], int] = {}
        self._refused: set[tuple[str, str]] = set()
        self.notes: list[str] = []

    def find(self, module: str, name: str) -> Any:
        """A stand-in."""
        self._roles.setdefault((module, name), REFERENCE)
        return Named(module, name)

    def _use(self, value: Any, role: int, verb: str) -> Entry | None:
        if type(value) is Named:
            key = value.module, value.name
            self._roles[key] = max(self._roles.get(key, REFERENCE), role)
            return self._entry(*key)
        if not isinstance(value, type):  # a format's own stand-in is a class
            self._note(f"it would {verb} an object that it made itself")
        return None

    def _note(self, said: str) -> None:
        if said not in self.notes:
            self.notes.append(said)

    def call(self, function: Any, arguments: Any) -> Any:
        """A stand-in for what would be returned."""
        entry = self._use(function, CALL, "call")
        if type(function) is not Named or type(arguments) is not tuple or not arguments:
            return Made(function, arguments)
        if function.module in ("copyreg", "copy_reg"):  # makes an instance of its first argument
            return self.new(arguments[0], (), {})
        first, *others = arguments
        dotted = type(first) is Named and len(others) == 1 and type(others[0]) is str
        if dotted and (function.module, function.name) == ("builtins", "getattr"):
            return self.find(first.module, f"{first.name}.{others[0]}")  # a name, before protocol 4
        if entry is not None and self._against(entry, arguments):
            self._refused.add((function.module, function.name))
        return Made(function, arguments)

    def _against(self, entry: Entry, arguments: tuple[Any, ...]) -> bool:
        """Whether a check of plain values refuses the arguments; the others need the libraries."""
        for check in entry.call_checks:
            module, _, name = check.partition(":")
            if module == plain.__name__:
                try:
                    if getattr(plain, name)(arguments, {}) and not _stand_ins(arguments):
                        return True
                except Refused:
                    return True
        return False

    def new(self, cls: Any, arguments: Any, keywords: Any) -> Any:
        """A stand-in for the instance."""
        entry = self._use(cls, NEW, "make an instance of")
        if (arguments or keywords) and entry is not None and entry.role < CALL:
            self._note(f"it would make an instance of {cls} from values of its own choice")
        return Made(cls, arguments)

    def build(self, instance: Any, state: Any) -> Any:
        """Keep the state."""
        if type(instance) is Made:
            instance.state = state
        else:
            self._note(
                f"it would change {instance if type(instance) is Named else 'a value'} itself"
            )
        return instance

    def other(self, container: Any, items: list[Any]) -> None:
        """Nothing is done, for what may be a list or a dict when it is there."""
        if type(container) not in (Named, Made):
            self._note("it would add items to a value that is no container")

    def imports(self) -> tuple[report.Import, ...]:
        """The names so far, in the order of their appearance."""
        return tuple(
            report.Import(module, name, report.CALL if role else report.REFERENCE, verdict)
            for (module, name), role in self._roles.items()
            for verdict in [self._verdict(module, name, role)]
        )

    def _entry(self, module: str, name: str) -> Entry | None:
        if f"{module}.{name}" in self._allow:
            return Entry(CALL)
        known = self._table.get((today(module), name))
        if known is None and package_of(self._packages, module, name):
            return Entry(CALL)
        return known

    def _verdict(self, module: str, name: str, role: int) -> str:
        entry = self._entry(module, name)
        safe = entry is not None and entry.role >= role and (module, name) not in self._refused
        return report.SAFE if safe else report.REFUSED


def _stand_ins(arguments: Iterable[Any]) -> bool:
    return any(type(each) in (Named, Made) for each in arguments)
