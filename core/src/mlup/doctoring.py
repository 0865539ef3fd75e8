"""What is wrong with an installation, and what to do: :func:`examine`, for ``mlup doctor``.

Nothing that is broken stops it, and no framework is imported.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import mlup
from mlup import log, registry
from mlup.discovery import SAFE_LISTS, find_entry_points, misnamed, names_in, unread
from mlup.environment import DISABLED, ONLY, STRICT, Environment
from mlup.hookspecs import GROUP
from mlup.installed import Dependency, Problem, at_odds, core_dependencies, look_around
from mlup.plugin_details import counted_safe_list, to_do
from mlup.plugin_info import PluginInfo
from mlup.registry import Binarizer

ERROR: Final = "error"
WARNING: Final = "warning"
_ERRORS: Final = ("broken", "conflict", "incompatible")


class Examination(NamedTuple):
    """What ``mlup doctor`` shows; its JSON has these keys.

    Attributes:
        mlup: ``version``, and ``file``: the folder of the package.
        python: ``version``, and ``executable``.
        platform: the system, as Python names it.
        environment: the three variables with their values, ``None`` where one is not set.
        dependencies: what mlup-core requires, and what is installed.
        binarizers: as ``mlup plugins`` has them.
        problems: errors first.
    """

    mlup: dict[str, str]
    python: dict[str, str]
    platform: str
    environment: dict[str, str | None]
    dependencies: tuple[Dependency, ...]
    binarizers: tuple[PluginInfo, ...]
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Whether there is an error among the problems."""
        return any(each.level == ERROR for each in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """The keys of ``mlup doctor --json``."""
        return {
            **self._asdict(),
            "dependencies": [each._asdict() for each in self.dependencies],
            "binarizers": [each.as_dict() for each in self.binarizers],
            "problems": [each._asdict() for each in self.problems],
        }


def examine() -> Examination:
    """Look at the environment, the distributions, the plugins and their safe lists."""
    variables = {name: os.environ.get(name) for name in (ONLY, DISABLED, STRICT)}
    with _lenient():
        entries = registry.current().entries()
        dependencies, of_distributions = _of_distributions()
        problems = [
            *_of_plugins(entries),
            *_of_safe_lists(entries),
            *of_distributions,
            *_of_names(Environment.read(), [info for info, _ in entries]),
        ]
    return Examination(
        {"version": mlup.__version__, "file": os.path.dirname(os.path.abspath(mlup.__file__))},
        {"version": platform.python_version(), "executable": sys.executable},
        platform.platform(),
        variables,
        dependencies,
        tuple(info for info, _ in entries),
        tuple(sorted(problems, key=lambda each: each.level != ERROR)),
    )


@contextmanager
def _lenient() -> Iterator[None]:
    """Without ``MLUP_STRICT_PLUGINS``, which would end it at the first problem; nothing is logged."""
    strict = os.environ.pop(STRICT, None)
    before = log.silent
    log.silent = True
    registry.refresh()
    try:
        yield
    finally:
        log.silent = before
        if strict is not None:
            os.environ[STRICT] = strict
        registry.refresh()


def _of_plugins(entries: list[tuple[PluginInfo, Binarizer | None]]) -> Iterator[Problem]:
    for info, _ in entries:
        if info.status in ("ok", "disabled"):
            continue
        where = f", at {info.failed_at}" if info.failed_at else ""
        yield Problem(
            ERROR if info.status in _ERRORS else WARNING,
            f"the binarizer {info.name} of {info.distribution} {info.version} is {info.standing}: "
            f"{info.problem}{where}",
            to_do(info) or "",
        )


def _of_safe_lists(entries: list[tuple[PluginInfo, Binarizer | None]]) -> Iterator[Problem]:
    for info, binarizer in entries:
        wrong = binarizer and counted_safe_list(binarizer)[1]
        if wrong:
            yield Problem(
                ERROR,
                f"the safe list of the binarizer {info.name} ({info.distribution}) cannot be read: "
                f"{wrong}",
                f"pip install --upgrade {info.distribution}, or tell its authors",
            )
    try:
        from mlup_safepickle.safelists import unreadable
    except ImportError:  # no installed binarizer reads such lists
        return
    for each in unreadable():
        yield Problem(
            ERROR,
            f"{each.said}; its names are refused",
            f"pip install --upgrade {each.source}, or tell its authors; "
            f"docs/security.md has the format",
        )


def _of_distributions() -> tuple[tuple[Dependency, ...], list[Problem]]:
    try:
        found = core_dependencies()
        return found, [*_of_dependencies(found), *look_around(found), *at_odds()]
    except ModuleNotFoundError as error:  # one of those dependencies compares the versions
        said = (
            f"{error.name} cannot be imported, so versions were not compared: mlup-core requires it"
        )
        return (), [Problem(ERROR, said, "pip install --force-reinstall mlup-core")]


def _of_dependencies(dependencies: tuple[Dependency, ...]) -> Iterator[Problem]:
    if not dependencies:
        yield Problem(
            WARNING,
            f"mlup is imported from {os.path.dirname(mlup.__file__)}, and no distribution mlup-core "
            "is installed: what it depends on is not known",
            "pip install mlup-core",
        )
    for each in dependencies:
        if each.satisfied is False:
            yield Problem(
                ERROR,
                f"mlup-core requires {each.name}{each.required}, and {each.version or 'none'} is "
                "installed",
                f"pip install '{each.name}{each.required}'",
            )


def _of_names(environment: Environment, infos: list[PluginInfo]) -> Iterator[Problem]:
    known = names_in(GROUP) | names_in(SAFE_LISTS)
    spelled = sorted({info.name for info in infos})
    found = find_entry_points()
    for variable, names in environment.named().items():
        for name in sorted(names - known):
            yield Problem(
                WARNING,
                misnamed(variable, name, found)[0],
                f"take it out, or write one of {', '.join(spelled) or 'none'}",
            )
    for _, said in unread():
        yield Problem(WARNING, said, f"write {GROUP} in its pyproject.toml and install it again")
