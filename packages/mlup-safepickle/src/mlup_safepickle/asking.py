"""The checks that the safe lists name: asked before a call, or before an object gets its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mlup_safepickle.importing import imported
from mlup_safepickle.names import today
from mlup_safepickle.safelists import Table
from mlup_safepickle.states import name_of


class StateCheck(NamedTuple):
    """What is asked before an object of a class, which ``name`` says, gets its state.

    Attributes:
        name: of the class.
        checks: which are asked.
        once: part of it is compiled, and others may hold on to its memory.
    """

    name: str
    checks: tuple[str, ...]
    once: bool


class Checks:
    """Those of one load.

    Args:
        table: what the safe lists say.
        allow: names whose states are not checked.
    """

    def __init__(self, table: Table, allow: frozenset[str]) -> None:
        self._table = table
        self._allow = allow
        self._named: dict[str, Callable[[Any, Any], str | None]] = {}
        self._of_states: dict[type, StateCheck | None] = {}

    def named(self, name: str) -> Callable[[Any, Any], str | None]:
        """The check that a list spells ``module:function``."""
        try:
            return self._named[name]
        except KeyError:
            check: Callable[[Any, Any], str | None] = imported(*name.split(":"))
            self._named[name] = check
            return check

    def of_states(self, cls: type) -> StateCheck | None:
        """What to ask before an object of a class gets its state; nothing if that is allowed."""
        try:
            return self._of_states[cls]
        except KeyError:
            pass
        found = None
        for each in cls.__mro__:
            entry = self._table.get((today(each.__module__), each.__qualname__))
            if entry is not None and entry.state_checks:
                if not {name_of(each), name_of(cls)} & self._allow:
                    once = not all(base.__dictoffset__ for base in cls.__mro__[:-1])
                    found = StateCheck(name_of(cls), entry.state_checks, once)
                break
        self._of_states[cls] = found
        return found
