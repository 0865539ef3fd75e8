"""What all probes share: they take any kind of path, and remember their answer on it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from mlup.files import ModelPath

P = ParamSpec("P")
R = TypeVar("R")
_UNKNOWN = object()  # None is an answer


def reader(
    function: Callable[Concatenate[ModelPath, P], R],
) -> Callable[Concatenate[ModelPath | str | os.PathLike[str], P], R]:
    """Decorate a function of a ``ModelPath``: it takes a plain path too, and remembers its answer.

    For plugins' own readers as well as for those of :mod:`mlup.probe`. What is remembered is
    shared by all plugins of a detection; exceptions are not remembered.
    """

    @functools.wraps(function)
    def remembered(
        path: ModelPath | str | os.PathLike[str], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        if not isinstance(path, ModelPath):
            with ModelPath.of(path) as opened:
                return function(opened, *args, **kwargs)
        key: Any = (function, args, *kwargs.items()) if args or kwargs else function
        answer = path.remembered.get(key, _UNKNOWN)
        if answer is _UNKNOWN:
            answer = path.remembered[key] = function(path, *args, **kwargs)
        return answer  # type: ignore[no-any-return]

    return remembered  # type: ignore[return-value]  # wraps() hides that path is positional
