"""What the caller asked for, as an installed binarizer: names, legacy names, import lines."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable
from enum import Enum
from typing import Any

from mlup.discovery import normal, unread
from mlup.errors import BinarizerNotFoundError, described
from mlup.hookspecs import GROUP
from mlup.names import BINARIZER_NAMES, OFFICIAL_EXTRAS, install_line
from mlup.plugin_info import MisfitError, PluginInfo, cure, missing_requirements
from mlup.registry import AUTO as AUTO
from mlup.registry import Binarizer, Registry


def is_name(choice: object) -> bool:
    """Whether a choice is made by name; otherwise it is the caller's own class or module."""
    return not isinstance(choice, (type, types.ModuleType))


def canonical(choice: object) -> str:
    """Today's name of a choice: ``BinarizationType.PICKLE`` and its dotted value → ``"pickle"``.

    Raises:
        BinarizerNotFoundError: it is neither text nor a member of ``BinarizationType``.
    """
    value = choice.value if isinstance(choice, Enum) else choice
    if not isinstance(value, str) or not value.strip():
        raise BinarizerNotFoundError(
            f"binarizer={choice!r} is no name: give 'auto', a binarizer's name, a "
            "BinarizationType, or the import line of your own ('my_module.MyBinarizer')."
        )
    value = value.strip()
    return BINARIZER_NAMES.get(value, value)


def resolve(choice: object, registry: Registry) -> Binarizer:
    """The binarizer that was asked for by name, legacy name, import line, or as an object.

    Raises:
        BinarizerNotFoundError: it is not installed, is broken, needs a framework that is not
            importable, or cannot be imported. The message says what to install.
    """
    if isinstance(choice, type):
        return _adopt(f"{choice.__module__}.{choice.__qualname__}", choice, registry)
    if isinstance(choice, types.ModuleType):
        return _adopt(choice.__name__, choice, registry)
    name = canonical(choice)
    binarizer = registry.get(name)
    if binarizer is None:
        _refuse_if_listed(name, registry)
        if not _looks_importable(name):
            raise BinarizerNotFoundError(_not_installed(name, registry))
        return _adopt(name, _import(name, registry), registry)
    missing = missing_requirements(binarizer.info)
    if missing:
        raise BinarizerNotFoundError(
            f"The binarizer {name!r} needs {', '.join(missing)}, which cannot be imported here: "
            f"{cure(binarizer.info)}."
        )
    return binarizer


def check(choice: object, registry: Registry, *places: str) -> Binarizer | None:
    """As :func:`resolve`, but an import line of the caller's own is only looked for, not imported.

    Args:
        choice: a name.
        registry: the installed binarizers.
        places: folders, beside those of ``sys.path``, in which a module may lie.

    Returns:
        The installed binarizer, or ``None`` for an import line.

    Raises:
        BinarizerNotFoundError: as :func:`resolve`.
    """
    name = canonical(choice)
    if registry.get(name) is not None:
        return resolve(name, registry)
    _refuse_if_listed(name, registry)
    if _looks_importable(name) and _exists(name.partition(":")[0].partition(".")[0], places):
        return None
    raise BinarizerNotFoundError(_not_installed(name, registry))


def _exists(module: str, places: tuple[str, ...]) -> bool:
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    if module in sys.modules:  # __main__ too, of which find_spec() would not hear
        return True
    return (find_spec(module) or PathFinder.find_spec(module, [*places])) is not None


def _refuse_if_listed(name: str, registry: Registry) -> None:
    """A name that is installed, but not usable, is never tried as an import line."""
    for info in registry.plugins():
        if name not in (info.name, f"{info.distribution}:{info.name}"):
            continue
        if info.kind == "wrapper":
            raise BinarizerNotFoundError(
                f"{name!r} is a wrapper around loads, not a binarizer; it cannot be asked for."
            )
        raise BinarizerNotFoundError(
            f"The binarizer {name!r} of {info.distribution} cannot be used ({info.standing}): "
            f"{info.problem}"
        )


def _looks_importable(name: str) -> bool:
    module, _, attribute = name.partition(":")
    parts = module.split(".") + (attribute.split(".") if attribute else [])
    # An official name without its plugin means "not installed", not "import the framework".
    return name not in OFFICIAL_EXTRAS and all(part.isidentifier() for part in parts)


def _not_installed(name: str, registry: Registry) -> str:
    line = install_line(name)
    if line:
        return f"The binarizer {name!r} is not installed: {line}"
    import difflib

    names = registry.names()
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"No binarizer is called {name!r}.{hint} Installed: {', '.join(names) or 'none'}."


def unknown_plugin(name: str, plugins: Iterable[PluginInfo]) -> str:
    """What to say of a name that no entry point has, usable or not: the nearest, and what to install."""
    line = install_line(name)
    if line:
        return f"The binarizer {name!r} is not installed: {line}"
    infos = list(plugins)
    held = [info.name for info in infos if normal(info.distribution) == normal(name)]
    if held:
        return f"{name!r} is a distribution; it has {', '.join(held)}: mlup plugins {held[0]}"
    for each, wrong in unread():
        if name in each.names() or normal(each.distribution) == normal(name):
            return f"{wrong}: write {GROUP} in its pyproject.toml and install it again"
    import difflib

    names = dict.fromkeys(info.name for info in infos)
    close = difflib.get_close_matches(name, [*names, *OFFICIAL_EXTRAS], n=3)
    lines = [each if each in names else f"{each} ({install_line(each)})" for each in close]
    hint = f" Did you mean {' or '.join(dict.fromkeys(lines))}?" if close else ""
    return f"No binarizer is called {name!r}.{hint} Installed: {', '.join(names) or 'none'}."


def _import(line: str, registry: Registry) -> Any:
    """The object that ``package.module.Name``, ``package.module:Name`` or ``module`` names."""
    from importlib import import_module

    module_name, colon, attributes = line.partition(":")
    parts = [] if not colon else attributes.split(".")
    while True:
        try:
            target: Any = import_module(module_name)
            break
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the caller's own module may raise anything
            parent, _, last = module_name.rpartition(".")
            # Only "there is no such module" sends us to its parent; a failure inside it does not.
            absent = isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(
                f"{error.name}."  # it, or a class that was taken for its package
            )
            if absent and parent and not colon:
                module_name, parts = parent, [last, *parts]
                continue
            if absent and "." not in line and not colon:
                raise BinarizerNotFoundError(_not_installed(line, registry)) from error
            raise BinarizerNotFoundError(
                f"The binarizer {line!r} was taken for an import line, and importing "
                f"{module_name} failed: {described(error)}. "
                f"Installed binarizers: {', '.join(registry.names()) or 'none'}."
            ) from error
    for part in parts:
        try:
            target = getattr(target, part)
        except AttributeError as error:
            raise BinarizerNotFoundError(
                f"The binarizer {line!r} cannot be imported: {module_name} has no {part!r}."
            ) from error
    return target


def _adopt(line: str, target: object, registry: Registry) -> Binarizer:
    try:
        return registry.adopt(line, target)
    except Exception as error:  # whatever validating the caller's own object brings up
        said = str(error) if isinstance(error, MisfitError) else described(error)
        raise BinarizerNotFoundError(
            f"{line} cannot serve as a binarizer: {said}. It needs deserialize(file), as a "
            "BaseBinarizer subclass, or as a class or module with @mlup.hookimpl."
        ) from error
