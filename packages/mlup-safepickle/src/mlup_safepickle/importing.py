"""Importing what was decided to be imported: a name of a list, or of a package of the caller's."""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterable
from typing import Any

from mlup.allowing import PACKAGE
from mlup_safepickle.names import before, today
from mlup_safepickle.refusing import Refused


def imported(module: str, name: str) -> Any:
    """A name that is spelled out in a list, with its dots.

    Raises:
        ImportError, AttributeError: it is not there.
    """
    newer, older = today(module), before(today(module))
    try:
        value: Any = importlib.import_module(newer)
    except ModuleNotFoundError:
        if older == newer:
            raise
        value = importlib.import_module(older)
    for part in name.split("."):
        value = getattr(value, part)
    return value


def packages_of(allow: Iterable[str]) -> tuple[str, ...]:
    """The packages that are allowed as a whole: ``my_package`` for ``"my_package.*"``."""
    return tuple(each.removesuffix(PACKAGE) for each in allow if each.endswith(PACKAGE))


def package_of(packages: Iterable[str], module: str, name: str) -> str | None:
    """The allowed package that a name may be defined in: without a dotted walk, or a start."""
    if "." in name or "__main__" in module.split("."):
        return None
    within = (each for each in packages if module == each or module.startswith(each + "."))
    return next(within, None)


def defined(module: str, name: str, package: str) -> Any:
    """A class or function of a package that the caller allows as a whole.

    Raises:
        Refused: it is another thing, or another package's.
    """
    value = getattr(importlib.import_module(module), name)
    home = getattr(value, "__module__", None)
    own = isinstance(home, str) and (home == package or home.startswith(package + "."))
    if not own or not isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        raise Refused(
            f"it would use {module}.{name}, which is no class or function that {package} defines",
            (f"{module}.{name}",),
        )
    return value
