"""The entry points of distributions, read without importing what they name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlup import log
from mlup.hookspecs import GROUP

if TYPE_CHECKING:
    import importlib_metadata


SAFE_LISTS: Final = "mlup.safelists"
"""The group of the packages that hold a safe list; ``mlup-safepickle`` reads them."""

_GROUPS: Final = (GROUP, SAFE_LISTS)
_LIKE_OURS: Final = re.compile(
    r"mlup(?:[._-]?(?:core|plugin|binari[sz]er|safe[._-]?list)s?)?$", re.IGNORECASE
)

AUTO: Final = "auto"
_RESERVED: Final = (AUTO, "memory")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class EntryPoint(NamedTuple):
    """One line of a distribution's ``entry_points.txt``."""

    name: str
    value: str
    distribution: str
    version: str
    source: Any = None

    def names(self) -> tuple[str, str]:
        """How it may be spoken of: alone, and with its distribution."""
        return self.name, f"{self.distribution}:{self.name}"

    def refused(self) -> str | None:
        """Why it cannot have its name, or ``None``. Core's own names cost no conflict."""
        taken = self.name in _RESERVED and self.distribution != "mlup-core"
        if not taken and self.name != AUTO and _NAME.fullmatch(self.name):
            return None
        return (
            f"{self.name!r} cannot be a binarizer's name ('auto' and 'memory' are taken; "
            "letters, digits, '.', '_' and '-'): rename the entry point"
        )

    def load(self) -> object:
        """Import what it names. Whatever that raises is the plugin's own failure."""
        return self.source.load()


def find_entry_points(group: str = GROUP) -> list[EntryPoint]:
    """The entry points of a group, of every distribution on ``sys.path``."""
    import importlib_metadata

    try:
        found = list(importlib_metadata.entry_points(group=group))
    except Exception:  # one unreadable entry_points.txt fails them all: read them one by one
        found = _one_by_one(group)
    return [_entry_point(each) for each in found]


def unread() -> list[tuple[EntryPoint, str]]:
    """Entry points in misspelt groups, each with what is wrong with it."""
    return [
        (
            each,
            (
                f"{each.distribution} {each.version} has the entry point {each.name!r} in the group "
                f"{group!r}, which mlup does not read"
            ),
        )
        for group in _foreign_groups()
        for each in find_entry_points(group)
    ]


def nearest_module(wanted: str, distribution: str) -> str:
    """``"; did you mean …?"`` of a distribution's modules; ``""`` where none is near."""
    from difflib import get_close_matches
    from importlib.util import find_spec

    import importlib_metadata

    modules = {normal(distribution).replace("-", "_")}  # an editable install lists no modules
    try:
        found = importlib_metadata.distribution(distribution)
        modules.update((found.read_text("top_level.txt") or "").split())
        for line in (found.read_text("RECORD") or "").splitlines():
            modules.add(re.split(r"[./,]", line, maxsplit=1)[0])
    except (importlib_metadata.PackageNotFoundError, OSError, ValueError):  # damaged metadata
        pass
    for each in get_close_matches(wanted, modules, n=3):
        if each.isidentifier() and find_spec(each) is not None:
            return f"; did you mean {each}?"
    return ""


def _foreign_groups() -> list[str]:
    """The groups that look like ours and are not."""
    import importlib_metadata

    try:
        groups = importlib_metadata.entry_points().groups
    except Exception:  # a foreign distribution's damaged metadata; doctor says so elsewhere
        return []
    return sorted(each for each in groups if _LIKE_OURS.match(each) and each not in _GROUPS)


def names_in(group: str) -> set[str]:
    """The names in a group, each alone and with its distribution."""
    return {name for each in find_entry_points(group) for name in each.names()}


def misnamed(variable: str, name: str, found: Iterable[EntryPoint]) -> tuple[str, bool]:
    """What is wrong with a name in a variable that no entry point has.

    Returns:
        The sentence, and whether an installed one was meant, as far as can be told.
    """
    from difflib import get_close_matches

    found = list(found)
    meant = [each for each in found if normal(each.distribution) == normal(name)]
    if meant:
        names = ", ".join(each.name for each in meant)
        said = f"{variable} names {name!r}, a distribution; write its binarizer: {names}"
        return f"{said}, or {meant[0].names()[1]}", True
    close = get_close_matches(name, [each.name for each in found], n=1, cutoff=0.75)
    said = f"{variable} names {name!r}, which is not installed"
    return said + (f"; did you mean {close[0]!r}?" if close else ""), bool(close)


def _one_by_one(group: str) -> list[importlib_metadata.EntryPoint]:
    import importlib_metadata

    found: list[importlib_metadata.EntryPoint] = []
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        name = normal(name_and_version(distribution)[0])
        if name in seen and name != "unknown":
            continue  # shadowed by one that stands earlier on sys.path
        seen.add(name)
        try:
            found.extend(distribution.entry_points.select(group=group))
        except Exception as error:  # a foreign distribution's damaged metadata costs only itself
            where = getattr(distribution, "_path", distribution)
            log.failure(
                "the entry points of %s cannot be read (%s: %s); its plugins, if any, are left out",
                where,
                type(error).__name__,
                error,
                error=None,
            )
    return found


def _entry_point(found: importlib_metadata.EntryPoint) -> EntryPoint:
    name, version = name_and_version(found.dist)
    return EntryPoint(found.name, found.value, name, version, found)


def normal(distribution: str) -> str:
    """A distribution's name as all its spellings: ``Foo_Bar`` and ``foo.bar`` are ``foo-bar``."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def name_and_version(distribution: Any) -> tuple[str, str]:
    """Read from the first headers: ``distribution.metadata`` would import :mod:`email`."""
    fields = {"name": "", "version": ""}
    text = ""
    if distribution is not None:
        try:
            text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        except (OSError, ValueError):  # unreadable, or not UTF-8: the plugin stays, without a name
            pass
    for line in text.splitlines():
        if not line.strip():
            break  # the description follows
        key, _, value = line.partition(":")
        if key.lower() in fields and not fields[key.lower()]:
            fields[key.lower()] = value.strip()
    return fields["name"] or "unknown", fields["version"]


def without_repeats(entry_points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Sorted, and each (name, value) once: an editable install is often found twice."""
    ordered = sorted(entry_points, key=lambda each: (each.name, each.distribution, each.value))
    return list({(each.name, each.value): each for each in reversed(ordered)}.values())[::-1]
