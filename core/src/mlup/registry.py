"""Which binarizers are installed, and in what state: discovery, isolation, status.

This module knows nothing of ranking order or loading. A plugin that fails to import or to
validate costs itself: it is listed with its problem, and the others go on.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

import pluggy

from mlup import hookspecs, log
from mlup.adapting import Binarizer as Binarizer
from mlup.adapting import scorer_function, validated
from mlup.discovery import AUTO as AUTO
from mlup.discovery import (
    SAFE_LISTS,
    EntryPoint,
    find_entry_points,
    misnamed,
    names_in,
    without_repeats,
)
from mlup.environment import ONLY, STRICT, Environment
from mlup.errors import PluginError
from mlup.plugin_info import MisfitError, PluginInfo, availability, broken
from mlup.ranking import Problem, Scorer, in_order


class Registry:
    """The plugins of this process, found once. Made by :func:`current`."""

    def __init__(self, entry_points: Iterable[EntryPoint], environment: Environment) -> None:
        self.strict = environment.strict
        self._environment = environment
        self._lock = threading.Lock()
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._binarizers: list[Binarizer] = []
        self._others: list[PluginInfo] = []
        self._adopted: dict[str, Binarizer] = {}  # by import line
        self._hooks: dict[Binarizer, pluggy.HookRelay] = {}
        self.conflicts: tuple[Problem, ...] = ()
        self._conflicts_said = False
        found = without_repeats(entry_points)
        owners: dict[str, set[str]] = {}
        for each in found:
            if not (each.refused() or environment.excludes(each.name, each.distribution)):
                owners.setdefault(each.name, set()).add(each.distribution)
        for each in found:
            self._add(each, sorted(owners.get(each.name, set()) - {each.distribution}))
        self.scorers: tuple[Scorer, ...] = self._scorers()
        self._warn_of_unknown_names(found)

    # -- looking up -------------------------------------------------------------------------

    def get(self, name: str) -> Binarizer | None:
        """The binarizer of that name, or of ``distribution:name``; ``None`` where there is none."""
        for each in self._binarizers:
            if each.info.kind == "wrapper":
                continue
            if name == f"{each.info.distribution}:{each.info.name}":
                return each
            if name == each.info.name and each.info.status != "conflict":
                return each
        return None

    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every entry point of the group, by name, with its status as of now."""
        return tuple(info for info, _ in self.entries())

    def entries(self) -> list[tuple[PluginInfo, Binarizer | None]]:
        """The same, each with what was imported; ``None`` where nothing was."""
        found: list[tuple[PluginInfo, Binarizer | None]]
        found = [(availability(each.info), each) for each in self._binarizers]
        found += [(info, None) for info in self._others]
        return sorted(found, key=lambda each: (each[0].name, each[0].distribution))

    def names(self) -> tuple[str, ...]:
        """The names that can be asked for."""
        infos = (each.info for each in self._binarizers if each.info.kind == "binarizer")
        return tuple(
            sorted(
                f"{info.distribution}:{info.name}" if info.status == "conflict" else info.name
                for info in infos
            )
        )

    def names_of(self, extension: str) -> list[str]:
        """The binarizers that list an extension, and take part in detections."""
        scoring = {each.binarizer for each in self.scorers}
        infos = (each.info for each in self._binarizers if each.info.name in scoring)
        return [info.name for info in infos if extension in info.extensions]

    def hooks_of(self, binarizer: Binarizer) -> pluggy.HookRelay:
        """The hooks of one binarizer, ``deserialize`` surrounded by every installed wrapper.

        Each binarizer has a plugin manager of its own, with the wrappers and nothing else: what
        another thread adopts meanwhile can never be called instead.
        """
        hooks = self._hooks.get(binarizer)
        if hooks is None:
            hooks = self._hooks[binarizer] = self._alone(binarizer)
        return hooks

    def _alone(self, binarizer: Binarizer) -> pluggy.HookRelay:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(binarizer.plugin, name=binarizer.registered_as)
        for each in self._binarizers:
            if each.info.kind == "wrapper":
                manager.register(each.plugin, name=f"wrapper {each.registered_as}")
        return manager.hook

    def say_conflicts(self) -> None:
        """Warn, once, of the names that nothing is chosen by; for whoever leaves the choice to us."""
        if self.conflicts and not self._conflicts_said:
            self._conflicts_said = True
            for each in self.conflicts:
                log.failure("plugin %r of %s %s", *each[:3], error=None)

    # -- adding -----------------------------------------------------------------------------

    def adopt(self, name: str, target: object) -> Binarizer:
        """Take in a class, instance or module of the caller's own, named by its import line.

        It is never chosen by ``auto``; it is called through pluggy like any other, so that
        wrappers see its loads.

        Raises:
            TypeError, ValueError: it has no ``deserialize``, or its hooks do not fit.
        """
        with self._lock:
            for each in (*self._binarizers, *self._adopted.values()):
                if each.target is target and each.info.kind == "binarizer":
                    return each  # installed, or named before, perhaps in another way
            info = PluginInfo(name, "import line", "", "ok", entry_point=name)
            adopted = validated(self._manager, info, target, name)
            if adopted.info.kind == "wrapper":
                raise TypeError("it is a wrapper around loads, not a binarizer")
            self._hooks[adopted] = self._alone(adopted)
            stale = self._adopted.get(name)  # a notebook's cell was run again, say
            self._adopted = {**self._adopted, name: adopted}  # anew: others may be reading it
            if stale is not None:
                self._hooks.pop(stale, None)
            return adopted

    def _add(self, entry_point: EntryPoint, rivals: list[str]) -> None:
        info = PluginInfo(
            entry_point.name,
            entry_point.distribution,
            entry_point.version,
            "ok",
            entry_point=entry_point.value,
        )
        refused = entry_point.refused()
        if refused:
            self._others.append(info._replace(status="broken", problem=refused))
            self._report(self._others[-1], None)
            return
        excluded = self._environment.excludes(info.name, info.distribution)
        if excluded:
            self._others.append(info._replace(status="disabled", problem=excluded))
            return
        registered_as = info.name
        if rivals:
            registered_as = f"{info.distribution}:{info.name}"
            said = (
                f"{', '.join(rivals)} claims the name {info.name!r} too, so neither is chosen "
                f"automatically; ask for {registered_as!r}"
                + "".join(f" or '{each}:{info.name}'" for each in rivals)
                + ", or uninstall one"
            )
            info = info._replace(status="conflict", problem=said)
            if self.strict:
                self._report(info, None)
            self.conflicts += (Problem(info.name, info.distribution, f"is in conflict: {said}"),)
        try:
            self._binarizers.append(self._register(info, entry_point.load(), registered_as))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # importing a plugin runs its code: anything may come
            self._others.append(broken(info, error))
            self._report(self._others[-1], error)

    def _register(self, info: PluginInfo, target: object, registered_as: str) -> Binarizer:
        found = validated(self._manager, info, target, registered_as)
        if self._manager.is_registered(found.plugin):
            raise ValueError(
                f"{info.entry_point!r} is registered already, as "
                f"{self._manager.get_name(found.plugin)!r}; every binarizer needs a module of its own"
            )
        try:
            self._manager.register(found.plugin, name=registered_as)
        except BaseException:  # pluggy before 1.7 may have added some of its hooks by then
            if self._manager.is_registered(found.plugin):
                self._manager.unregister(found.plugin)
            raise
        return found

    def _scorers(self) -> tuple[Scorer, ...]:
        by_plugin = {id(impl.plugin): impl for impl in self._manager.hook.score.get_hookimpls()}
        scorers = []
        for each in self._binarizers:
            impl = by_plugin.get(id(each.plugin))
            if impl is not None and each.info.kind == "binarizer" and each.info.status == "ok":
                tier = impl.trylast - impl.tryfirst
                score = scorer_function(impl.function, tuple(impl.argnames))
                scorers.append(Scorer(each.info.name, each.info.distribution, tier, score))
        return in_order(scorers)

    def _warn_of_unknown_names(self, found: Iterable[EntryPoint]) -> None:
        installed = {name for each in found for name in each.names()}
        for variable, names in self._environment.named().items():
            unknown = names - installed
            for name in sorted(unknown and unknown - names_in(SAFE_LISTS)):
                said, meant = misnamed(variable, name, found)
                if not (meant or variable == ONLY):  # to leave out what is not here is no mistake
                    continue
                if self.strict:
                    raise PluginError(f"{said} ({STRICT} is set)")
                log.failure("%s", said, error=None)

    def _report(self, info: PluginInfo, error: BaseException | None) -> None:
        said = f"plugin {info.name!r} of {info.distribution} is {info.standing}: {info.problem}"
        if self.strict:
            raise PluginError(f"{said} ({STRICT} is set)") from error
        where = f", at {info.failed_at}" if isinstance(error, MisfitError) else ""
        # A traceback that does not go through the plugin's code tells its author nothing.
        own = info.failed_at and not isinstance(error, MisfitError)
        log.failure("%s%s", said, where, error=error if own or log.tracebacks else None)


class _Current(NamedTuple):
    """The registry, and what it was found with."""

    registry: Registry
    found_with: tuple[Any, ...]  # the three variables and sys.path
    glance: tuple[int, list[str]]  # cheap signs that they may have changed


_current: _Current | None = None
_current_lock = threading.RLock()
_discovering = False


def current() -> Registry:
    """The registry of this process.

    Discovery is repeated when ``sys.path`` or one of the three variables has changed since, and
    after :func:`refresh`. Reading a variable costs as much as reading a file's head, so they are
    read again only when the *number* of variables changed; after changing the value of one, or
    setting one and unsetting another, call :func:`refresh`.

    Raises:
        PluginError: a plugin is broken, and ``MLUP_STRICT_PLUGINS`` is set.
    """
    global _current, _discovering
    known = _current
    if known is not None and known.glance == (len(os.environ), sys.path):
        return known.registry
    with _current_lock:
        glance = (len(os.environ), list(sys.path))
        environment = Environment.read()
        found_with = (environment, *sys.path)
        if _current is not None and _current.found_with == found_with:
            _current = _current._replace(glance=glance)
        else:
            if _discovering:  # this thread, further up: a plugin asks while it is imported
                raise PluginError(
                    "a plugin asked for the plugins while they were being imported; ask inside "
                    "score() or deserialize() instead"
                )
            _discovering = True
            try:
                registry = Registry(find_entry_points(), environment)
            finally:
                _discovering = False
            _current = _Current(registry, found_with, glance)
        return _current.registry


def refresh() -> None:
    """Forget what was found, so that plugins installed meanwhile are seen."""
    global _current
    import importlib

    importlib.invalidate_caches()
    with _current_lock:
        _current = None


def plugins() -> tuple[PluginInfo, ...]:
    """Every installed binarizer with its status, the broken ones included.

    Raises:
        PluginError: a plugin is broken, and ``MLUP_STRICT_PLUGINS`` is set.
    """
    return current().plugins()
