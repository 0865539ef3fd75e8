"""What a pickle may do: import, call, make and change what the safe lists and the caller allow."""

from __future__ import annotations

import copyreg
import enum
import re
import types
from collections.abc import Callable, Iterable
from typing import Any, Final

from mlup_safepickle.asking import Checks
from mlup_safepickle.budget import CHECKED_CALL, CHECKED_STATE, Budget
from mlup_safepickle.importing import defined, imported, package_of, packages_of
from mlup_safepickle.names import today
from mlup_safepickle.refusing import Refused
from mlup_safepickle.safelists import CALL, NEW, REFERENCE, Entry, Table
from mlup_safepickle.states import kind, set_state, size_of_copy

_ALLOWED: Final = Entry(CALL)
_SHARED: Final = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.GenericAlias,
    property,
    staticmethod,
    classmethod,
    enum.Enum,
)
"""What the whole process has one of: a state set on it would be everybody's."""

_COMPILE: Final = re._compile  # type: ignore[attr-defined]
_GETATTR: Final = "builtins.getattr"
_LONGEST_NAME: Final = 1000

_PLAIN: Final = (int, float, complex, str, bytes, tuple, list, dict, set, frozenset)


class _Callee:
    """What a file holds of a function that it may call: nothing that can be called by others.

    Attributes:
        function: which :meth:`Acting.call` calls.
    """

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function


class Acting:
    """The names, calls and states of one load.

    Args:
        table: what the safe lists say.
        allow: what the caller lets the file use beside it.
        budget: of this load.
    """

    def __init__(self, table: Table, allow: Iterable[str], budget: Budget) -> None:
        self._table = table
        self._allow = frozenset(allow)
        self._packages = packages_of(self._allow)
        self._budget = budget
        self._found: dict[tuple[str, str], Any] = {}
        self._entries: dict[int, tuple[str, Entry]] = {}  # by id(): all of it is kept in _found
        self._checks = Checks(table, self._allow)
        # Also by id(). Of classes whose states are checked: what has not got one yet, nor was used.
        # A later state would give it another size behind the back of its user.
        self._open: dict[int, Any] = {}
        self._whole: dict[int, Any] = {}  # what never gets a state

    # -- names ------------------------------------------------------------------------------

    def find(self, module: str, name: str) -> Any:
        """Import a name that is listed or allowed. Nothing is imported before that is known."""
        try:
            return self._found[module, name]
        except KeyError:
            pass
        said = f"{module}.{name}"
        if len(said) > _LONGEST_NAME:
            raise Refused(f"it would import something with a name of {len(said)} characters")
        entry = _ALLOWED if said in self._allow else self._table.get((today(module), name))
        if entry is not None:
            # An array that was mapped from a file comes back in memory: it is no map any more.
            mapped = (module, name) == ("numpy", "memmap") and entry is not _ALLOWED
            value = imported(module, "ndarray" if mapped else name)
        elif (package := package_of(self._packages, module, name)) is not None:
            value, entry = defined(module, name, package), _ALLOWED
        else:
            raise Refused(f"it would import {said}, which is not on the safe list", (said,))
        if entry.role == CALL and entry is not _ALLOWED and not isinstance(value, type):
            value = _Callee(value)
        self._found[module, name] = value
        known = self._entries.get(id(value))
        if known is None or entry.role > known[1].role or entry is _ALLOWED:
            self._entries[id(value)] = said, entry
        return value

    def admit(self, module: str, name: str, value: Any, role: int) -> None:
        """Let ``value`` stand for a name, for a format that reads it in a way of its own."""
        self._found[module, name] = value
        self._entries[id(value)] = f"{module}.{name}", Entry(role)

    def _entry(self, value: Any, role: int, verb: str) -> Entry:
        """The entry of something that was found, for a use that needs ``role``."""
        said, entry = self._entries.get(id(value), ("", None))
        if entry is None:
            raise Refused(f"it would {verb} an object that it made itself, of {kind(value)}")
        if entry.role < role:
            raise Refused(f"it would {verb} {said}, which it may only refer to", (said,))
        return entry

    def _name(self, value: Any) -> str:
        return self._entries[id(value)][0]

    # -- calls ------------------------------------------------------------------------------

    def call(self, function: Any, arguments: Any) -> Any:
        """Call what the lists let be called, with arguments that its checks have nothing against."""
        entry = self._entry(function, CALL, "call")
        if type(arguments) is not tuple:
            raise Refused("it would call something with arguments that are no tuple")
        real = function
        if type(function) is _Callee:
            real = function.function
            if id(real) in _MAKERS:
                return _MAKERS[id(real)](self, *arguments)
        if entry.functions:  # a check of it looks at them
            arguments = tuple(
                each.function if type(each) is _Callee else each for each in arguments
            )
        self._check_call(function, entry, arguments, {})
        if real is _COMPILE and entry is not _ALLOWED:
            self._budget.compile(arguments[0])
        made = real(*arguments)
        if entry.whole:
            self._whole[id(made)] = made
            return made
        return self._counted(made)

    def new(self, cls: Any, arguments: Any, keywords: Any) -> Any:
        """Make an instance without its constructor."""
        entry = self._entry(cls, NEW, "make an instance of")
        if not isinstance(cls, type) or type(arguments) is not tuple or type(keywords) is not dict:
            raise Refused(
                f"it would make an instance of {self._name(cls)} in a way that no class has",
                (self._name(cls),),
                allowable=False,
            )
        if (arguments or keywords) and entry.role < CALL and not _holds_plain(cls, arguments):
            raise Refused(
                f"it would make an instance of {self._name(cls)} from values of its own choice",
                (self._name(cls),),
            )
        self._check_call(cls, entry, arguments, keywords)
        return self._counted(cls.__new__(cls, *arguments, **keywords))

    def reconstruct(self, cls: Any, base: Any, state: Any) -> Any:
        """``copyreg._reconstructor``, which protocols 0 and 1 use for all objects."""
        if base is object:
            return self.new(cls, (), {})
        self._entry(cls, NEW, "make an instance of")
        if not any(base is each for each in _PLAIN) or not isinstance(cls, type):
            raise Refused(f"it would make an instance of {self._name(cls)} by another class")
        if not issubclass(cls, base) or type(state) is not base:
            raise Refused(f"it would make an instance of {self._name(cls)} from another type")
        made = base.__new__(cls, state)
        if base.__init__ is not object.__init__:
            base.__init__(made, state)
        return self._counted(made)

    def method_of(self, instance: Any, name: Any, *default: Any) -> Any:
        """``getattr(instance, "method")``: how a bound method is pickled. Nothing else of an object.

        It may be kept by a model; the file cannot call it, for it is no name.
        """
        if type(name) is not str or default or name.startswith("__"):
            raise Refused(
                "it would take an attribute in another way than by a name",
                (_GETATTR,),
                allowable=False,
            )
        if isinstance(instance, type):  # a name with a dot, before protocol 4
            self._entry(instance, REFERENCE, "use")
            return self.find(instance.__module__, f"{instance.__qualname__}.{name}")
        cls = type(instance)
        method = next((vars(each)[name] for each in cls.__mro__ if name in vars(each)), None)
        listed = id(cls) in self._entries  # it was made of a name
        if type(method) is not types.FunctionType or not listed or id(instance) in self._entries:
            said = (
                f"it would take {name:.100} of an object of {kind(instance)}, no method of a model"
            )
            raise Refused(said, (_GETATTR,), allowable=False)
        return types.MethodType(method, instance)

    def _check_call(self, function: Any, entry: Entry, arguments: Any, keywords: Any) -> None:
        if self._open:
            self._close((arguments, keywords))
        size = size_of_copy(arguments)
        if size:
            self._budget.take(size)
        for check in entry.call_checks:
            self._budget.count(CHECKED_CALL)
            against = self._checks.named(check)(arguments, keywords)
            if against:
                name = self._name(function)
                said = f"it would call {name} with arguments that are not safe: {against}"
                raise Refused(said, (name,))

    def _counted(self, made: Any) -> Any:
        cls = type(made)
        self._budget.take(cls.__basicsize__)
        check = self._checks.of_states(cls)
        if check is not None and check.once and id(made) not in self._entries:
            self._open[id(made)] = made
        return made

    def _close(self, value: Any) -> None:
        """What is used now gets no state any more."""
        seen: set[int] = set()
        todo: list[tuple[Any, ...]] = [(value,)]
        while todo:
            for each in todo.pop():
                cls = type(each)
                if cls is not tuple and cls is not dict:
                    if id(each) in self._open:
                        del self._open[id(each)]
                elif id(each) not in seen:
                    seen.add(id(each))
                    todo.append(each if cls is tuple else tuple(each.values()))

    # -- states -----------------------------------------------------------------------------

    def build(self, instance: Any, state: Any) -> Any:
        """Set the state of an object that this file made; where states are checked, once."""
        if isinstance(instance, _SHARED) or id(instance) in self._entries:
            name = self._entries.get(id(instance), (f"objects of {kind(instance)}",))[0]
            raise Refused(
                f"it would change {name} itself, for the whole process", (name,), allowable=False
            )
        check = self._checks.of_states(type(instance))
        complete = check is not None and check.once
        if complete and self._open.pop(id(instance), None) is not None:
            complete = False
        if complete or id(instance) in self._whole:
            raise Refused(f"it would change an object of {kind(instance)} that is in use")
        if self._open:
            self._close(state)
        for each in check.checks if check else ():
            self._budget.count(CHECKED_STATE)
            against = self._checks.named(each)(state, instance)
            if against:
                said = f"it would give an object of {kind(instance)} a state that is not safe: {against}"
                raise Refused(said, (check.name,) if check else ())
        size = size_of_copy(state)
        if size:
            self._budget.take(size)
        set_state(instance, state)
        return instance

    def other(self, container: Any, items: list[Any]) -> None:
        """Objects that only have a method called ``append``, ``add`` or ``__setitem__``."""
        raise Refused(
            f"it would add items to an object of {kind(container)}, which is no container"
        )


def _holds_plain(cls: type, arguments: tuple[Any, ...]) -> bool:
    """Whether its instances are plain values, of which these are one: a tuple's items, a number."""
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return True
    return issubclass(cls, _PLAIN) and len(arguments) == 1 and issubclass(cls, type(arguments[0]))


def _make(acting: Acting, cls: Any, *arguments: Any) -> Any:
    return acting.new(cls, arguments, {})


def _make_with_keywords(acting: Acting, cls: Any, arguments: Any, keywords: Any) -> Any:
    return acting.new(cls, arguments, keywords)


_MAKERS: Final[dict[int, Callable[..., Any]]] = {
    id(getattr): Acting.method_of,
    id(copyreg._reconstructor): Acting.reconstruct,  # type: ignore[attr-defined]
    id(copyreg.__newobj__): _make,  # type: ignore[attr-defined]
    id(copyreg.__newobj_ex__): _make_with_keywords,  # type: ignore[attr-defined]
}
"""What uses another name that is among its arguments: done by the rules for that one."""
