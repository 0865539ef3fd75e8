"""Everything about one plugin: ``mlup plugins NAME``. None of it is gathered before it is asked for."""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import sys
import types
from collections.abc import Mapping
from contextlib import redirect_stdout
from itertools import islice
from typing import Any, Final, NamedTuple

import pluggy

from mlup import hookspecs
from mlup.adapting import HOOKS, Adapted, Binarizer
from mlup.discovery import name_and_version
from mlup.environment import DISABLED, ONLY
from mlup.errors import described
from mlup.ml.binarization.base import BaseBinarizer
from mlup.plugin_info import PluginInfo, cure, missing_requirements

_SECTION: Final = re.compile(r"^(Args|Arguments|Returns|Raises|Yields|Attributes):$", re.MULTILINE)


_OFFERED: Final = "; ".join(
    f"{hook}() may declare {', '.join(arguments)}" for hook, arguments in HOOKS.items()
)


class Framework(NamedTuple):
    """What a plugin requires, and what of it is here.

    Attributes:
        name: the import name, as the plugin's ``requires`` has it.
        distribution: which one it comes with; ``None`` where that is not known.
        version: that distribution's version, or ``None``.
        found: whether it can be imported. It was not.
    """

    name: str
    distribution: str | None
    version: str | None
    found: bool


class PluginDetails(NamedTuple):
    """What ``mlup plugins NAME`` shows.

    Attributes:
        info: what ``mlup plugins`` shows.
        file: the file of its module; ``None`` where it cannot be found.
        hooks: the names of the hooks that it implements.
        options: each option with the line that says what it does, or ``None``; ``None`` for all:
            the plugin did not say.
        frameworks: what it requires.
        safe_list_size: how many names its files may name; ``None``: it did not say.
        safe_list_problem: why they could not be counted, or ``None``.
        recognises: what ``score`` says of itself, or ``None``.
        returns: the same of ``deserialize``.
        inspects: the same of ``inspect``.
    """

    info: PluginInfo
    file: str | None = None
    hooks: tuple[str, ...] = ()
    options: dict[str, str | None] | None = None
    frameworks: tuple[Framework, ...] = ()
    safe_list_size: int | None = None
    safe_list_problem: str | None = None
    recognises: str | None = None
    returns: str | None = None
    inspects: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The keys of ``mlup plugins NAME --json``; ``problem`` says what to do as well."""
        info = self.info
        return {
            **info.as_dict(),
            "problem": whole_problem(info),
            "kind": info.kind,
            "entry_point": info.entry_point,
            "file": self.file,
            "hooks": list(self.hooks),
            "options": self.options,
            "requires": list(info.requires),
            "frameworks": [each._asdict() for each in self.frameworks],
            "safe_list_size": self.safe_list_size,
            "recognises": self.recognises,
            "returns": self.returns,
            "inspects": self.inspects,
        }


def details_of(info: PluginInfo, binarizer: Binarizer | None) -> PluginDetails:
    """Look at one plugin closely.

    Args:
        info: its line, as :meth:`mlup.registry.Registry.entries` has it.
        binarizer: what was imported of it; ``None``: nothing was, and nothing is for this.
    """
    if binarizer is None:
        return PluginDetails(info, file=_found_file(info.entry_point))
    docs = _docs(binarizer)
    size, problem = counted_safe_list(binarizer)
    return PluginDetails(
        info,
        file=_file_of(binarizer.target),
        hooks=tuple(sorted(docs)),
        options=_options(binarizer),
        frameworks=frameworks_of(info),
        safe_list_size=size,
        safe_list_problem=problem,
        recognises=docs.get("score"),
        returns=docs.get("deserialize"),
        inspects=docs.get("inspect"),
    )


_MOST_NAMES: Final = 1_000_000


def counted_safe_list(binarizer: Binarizer) -> tuple[int | None, str | None]:
    """How many names a plugin's ``safe_list`` has, and why they could not be counted."""
    try:
        value: Any = getattr(binarizer.plugin, "safe_list", None)
        if callable(value):
            with redirect_stdout(io.StringIO()):  # what it prints is no part of our JSON
                value = value()
            if value is None or isinstance(value, (str, bytes)):
                raise TypeError(f"safe_list() returned {value!r}, not a collection of names")
        if value is None:
            return None, None
        names = set(islice(value, _MOST_NAMES))
        if len(names) == _MOST_NAMES:
            raise ValueError(f"safe_list has {_MOST_NAMES} names or more; is there an end?")
        other = next((each for each in names if not isinstance(each, str)), None)
        if other is not None:
            raise TypeError(f"safe_list has {other!r}, which is no text")
        return len(names), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's function: whatever it raises costs this line alone
        return None, described(error)


def to_do(info: PluginInfo) -> str | None:
    """What to do about a plugin's status; ``None`` where it is ``ok``."""
    name, distribution = info.name, info.distribution
    offered = f"; authors: {_OFFERED}" if info.status == "incompatible" else ""
    if info.status in ("broken", "incompatible"):
        file = _file_of_one_s_own(info)
        if file is not None:
            other = "" if info.status == "broken" else ", or pip install --upgrade mlup-core"
            return (
                f"look at {info.failed_at or file}, from which {distribution} is imported{other}; "
                f"leave it out meanwhile: {DISABLED}={name}{offered}"
            )
    if info.status == "broken":
        return (
            f"pip install --upgrade {distribution}; if that does not help, send its authors what "
            f"'mlup --debug plugins' shows, and leave it out meanwhile: {DISABLED}={name}"
        )
    if info.status == "incompatible":
        return f"pip install --upgrade mlup-core {distribution}{offered}"
    if info.status == "conflict":
        return (
            f"pip uninstall the one that you do not use, or leave this one out: "
            f"{DISABLED}={distribution}:{name}"
        )
    if info.status == "unavailable":
        return cure(info)
    if info.status == "disabled":
        kept_out = (info.problem or "").startswith("not in")
        return f"to use it, {f'add it to {ONLY}' if kept_out else f'take it out of {DISABLED}'}"
    return None


def _file_of_one_s_own(info: PluginInfo) -> str | None:
    """The plugin's module where pip did not copy it: an upgrade would not change that file."""
    import importlib_metadata

    file = _found_file(info.entry_point)
    try:
        distribution = importlib_metadata.distribution(info.distribution)
        direct = json.loads(distribution.read_text("direct_url.json") or "{}")
        editable = bool(direct.get("dir_info", {}).get("editable"))  # PEP 610
    except (importlib_metadata.PackageNotFoundError, ValueError, AttributeError, OSError):
        return None
    place = os.path.realpath(str(distribution.locate_file("")))
    beside = file is not None and os.path.realpath(file).startswith(os.path.join(place, ""))
    return None if beside and not editable else file


def whole_problem(info: PluginInfo) -> str | None:
    """What is wrong, where, and what to do, as one text; ``None`` where nothing is."""
    if info.problem is None:
        return None
    where = f", at {info.failed_at}" if info.failed_at else ""
    done = "" if info.status == "unavailable" else f". To do: {to_do(info)}"
    return f"{info.problem}{where}{done}"


def frameworks_of(info: PluginInfo) -> tuple[Framework, ...]:
    """What a plugin requires, with the versions that are installed. Nothing is imported for it."""
    missing = missing_requirements(info)
    found = []
    for name in info.requires:
        top = name.partition(".")[0]
        here = top not in missing
        distribution, version = _distribution_of(top) if here else (None, None)
        found.append(Framework(name, distribution, version, here))
    return tuple(found)


def _distribution_of(module: str) -> tuple[str, str] | tuple[None, None]:
    import importlib_metadata

    if module in sys.stdlib_module_names:
        return None, None
    try:  # mostly they have one name
        return name_and_version(importlib_metadata.distribution(module))
    except importlib_metadata.PackageNotFoundError:
        pass
    # Not packages_distributions(): it makes an object of every installed file, which takes seconds.
    in_record = re.compile(rf"^{re.escape(module)}(?:/|\.[^/,]+,)", re.MULTILINE)
    for each in importlib_metadata.distributions():
        try:
            tops = (each.read_text("top_level.txt") or "").split()
            if module in tops or in_record.search(each.read_text("RECORD") or ""):
                return name_and_version(each)
        except (OSError, ValueError):  # damaged metadata
            continue
    return None, None


def _docs(binarizer: Binarizer) -> dict[str, str | None]:
    """Each hook that a plugin implements, with what it says of itself."""
    plugin = binarizer.plugin
    if isinstance(plugin, Adapted):  # the predecessor's way
        functions = {"score": "is_this_type", "deserialize": "deserialize"}
        inherited = {BaseBinarizer.is_this_type.__doc__, BaseBinarizer.deserialize.__doc__}
        found = {hook: getattr(plugin.target, name, None) for hook, name in functions.items()}
        return {
            hook: None if function.__doc__ in inherited else _prose(function)
            for hook, function in found.items()
            if function is not None
        }
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    return {
        caller.name: _prose(each.function)
        for caller in manager.get_hookcallers(plugin) or ()
        for each in caller.get_hookimpls()
    }


def _prose(function: Any) -> str | None:
    """A docstring up to its sections."""
    doc = getattr(function, "__doc__", None)
    if not isinstance(doc, str):
        return None
    return _SECTION.split(inspect.cleandoc(doc))[0].strip() or None


def _options(binarizer: Binarizer) -> dict[str, str | None] | None:
    if binarizer.info.options is None:
        return None
    told = getattr(binarizer.plugin, "options", None)
    lines: Mapping[str, str] = told if isinstance(told, Mapping) else {}
    return {name: lines.get(name) for name in binarizer.info.options}


def _file_of(target: Any) -> str | None:
    if not isinstance(target, (type, types.ModuleType)):
        target = type(target)
    module = target if isinstance(target, types.ModuleType) else sys.modules.get(target.__module__)
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def _found_file(entry_point: str) -> str | None:
    """Where the module of an entry point lies, found as an import would, without one."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *inner = entry_point.partition(":")[0].strip().split(".")
    name = top
    try:
        spec = find_spec(top)
        for each in inner:
            name += f".{each}"
            spec = spec and PathFinder.find_spec(name, spec.submodule_search_locations)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec.origin if spec and spec.origin and os.path.isabs(spec.origin) else None
