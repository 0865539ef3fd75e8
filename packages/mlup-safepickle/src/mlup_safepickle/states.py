"""Setting the state of an object: by its class's ``__setstate__``, its ``__dict__`` or its slots."""

from __future__ import annotations

import types
from collections import OrderedDict, deque
from typing import Any, Final

from mlup_safepickle.refusing import Refused

_STATES: Final = frozenset(
    {dict, tuple, list, set, frozenset, OrderedDict, str, bytes, bytearray, int, float, bool}
    | {type(None)}
)
"""What a ``__setstate__`` gets: it may call methods of its state, and these have only their own."""

_WIDTHS: Final[dict[type, int]] = {
    **dict.fromkeys((str, bytes, bytearray), 1),
    **dict.fromkeys((list, tuple, dict, set, frozenset, deque, OrderedDict), 8),  # a pointer
}
"""Bytes that a copy takes for each of a value's items, at least."""

_WORTH_COUNTING: Final = 4096

_VERSION: Final = "_sklearn_version"
_LONGEST_VERSION: Final = 64

_PLAIN_DUNDERS: Final = frozenset(
    {"__annotations__", "__dict__", "__doc__", "__module__", "__name__", "__orig_class__",
     "__qualname__", "__wrapped__"}
)  # fmt: skip


def kind(value: Any) -> str:
    """The name of an object's class, for a message."""
    return name_of(type(value))


def name_of(cls: type) -> str:
    """A class's name, with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"


def size_of_copy(value: Any) -> int:
    """Bytes that a copy of a value takes, where they are many: of a tuple, one of each item."""
    size = 0
    for each in value if type(value) is tuple else (value,):
        width = _WIDTHS.get(type(each))
        if width:
            size += width * len(each)
    return size if size > _WORTH_COUNTING else 0


def set_state(instance: Any, state: Any) -> None:
    """As ``pickle`` does; but nothing that a file put into an object's ``__dict__`` is called.

    Raises:
        Refused: the state is none, or would run more of the class than its ``__setstate__``.
    """
    own = getattr(type(instance), "__setstate__", None)
    if own is not None:
        if type(state) not in _STATES:
            raise Refused(f"it would give an object of {kind(instance)} a state of {kind(state)}")
        if type(state) is dict:
            _check_names(instance, state)
            state = dict(state)  # what it changes there is not the file's to use
        elif type(state) is tuple and dict in map(type, state):
            # A dtype keeps the dict of its fields, and a partial that of its attributes: what the
            # file puts into its own later was not checked.
            state = tuple(dict(each) if type(each) is dict else each for each in state)
        own(instance, state)
        return
    in_slots = None
    if type(state) is tuple and len(state) == 2:
        state, in_slots = state
    if state:
        _set_attributes(instance, state)
    if in_slots:
        _set_slots(instance, in_slots)


def _set_attributes(instance: Any, state: Any) -> None:
    if type(state) is not dict or not all(type(key) is str for key in state):
        raise Refused(
            f"it would give an object of {kind(instance)} a state that is no dict of names"
        )
    _check_names(instance, state)
    instance.__dict__.update(state)


def is_special(name: object) -> bool:
    """Whether others would look for a method of that name: also by a subclass of ``str``."""
    if not isinstance(name, str) or name in _PLAIN_DUNDERS:
        return False
    return str.startswith(name, "__") and str.endswith(name, "__")


def _check_names(instance: Any, state: dict[Any, Any]) -> None:
    """No ``__setstate__`` and the like, which ``copy`` and others look for on an object itself."""
    for name in state:
        if is_special(name):
            raise Refused(f"it would set {name:.100} of an object of {kind(instance)}")
    version = state.get(_VERSION, "")  # scikit-learn shows it in a warning, whatever it is
    if type(version) is not str or len(version) > _LONGEST_VERSION or not version.isprintable():
        raise Refused(f"{_VERSION} of an object of {kind(instance)} is no version")


def _set_slots(instance: Any, state: Any) -> None:
    """Values of ``__slots__``. A property of the class would run its code instead: refused."""
    if type(state) is not dict or not all(type(key) is str for key in state):
        raise Refused(
            f"it would give an object of {kind(instance)} slots that are no dict of names"
        )
    for name, value in state.items():
        for each in type(instance).__mro__:
            found = vars(each).get(name)
            if found is not None and not (
                isinstance(found, types.MemberDescriptorType) and "__slots__" in vars(each)
            ):
                raise Refused(
                    f"it would set {name:.100} of an object of {kind(instance)}, no slot of it"
                )
        object.__setattr__(instance, name, value)
