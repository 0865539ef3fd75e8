"""What hides a call for later: ``functools.partial``."""

from __future__ import annotations

import functools
import types
from typing import Any

from mlup_safepickle.states import is_special

_NO_FUNCTIONS = (type, functools.partial, types.MethodType)


def partial_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``partial(function)``: how it is pickled; the rest is its state."""
    if kwargs or len(args) != 1:
        return "there are other arguments"
    return _of_function(args[0])


def partial_state(state: Any, instance: Any) -> str | None:
    """(function, arguments, keyword arguments, attributes)."""
    if type(state) is not tuple or len(state) != 4:
        return "it is of an unknown version"
    function, args, kwargs, attributes = state
    if type(args) is not tuple or type(kwargs) not in (dict, type(None)):
        return "its arguments are none"
    if type(attributes) not in (dict, type(None)):
        return "its attributes are no dict"
    if any(map(is_special, attributes or ())):
        return "its attributes have a name that is looked up on an object itself"
    return _of_function(function)


def _of_function(function: Any) -> str | None:
    if not callable(function) or isinstance(function, _NO_FUNCTIONS):
        return "it is not of a function"
    return None
