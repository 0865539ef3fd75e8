"""The installed distributions that have to do with mlup: their versions, and how they fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlup.discovery import SAFE_LISTS, name_and_version, normal
from mlup.hookspecs import GROUP

if TYPE_CHECKING:
    from packaging.requirements import Requirement

CORE: Final = "mlup-core"
_OURS: Final = "mlup-"


class Problem(NamedTuple):
    """Something that ``mlup doctor`` found.

    Attributes:
        level: ``"error"``, or ``"warning"`` for what may be meant so.
        what: is wrong.
        do: how to mend it.
    """

    level: str
    what: str
    do: str


class Dependency(NamedTuple):
    """A distribution that mlup-core requires.

    Attributes:
        name: of the distribution.
        required: its versions, such as ``">=8.1"``.
        version: the one that is installed; ``None``: none is.
        satisfied: whether that is one of them; ``None`` where it cannot be told.
    """

    name: str
    required: str
    version: str | None
    satisfied: bool | None


def core_dependencies() -> tuple[Dependency, ...]:
    """What mlup-core always requires; nothing where its metadata are not installed."""
    found = []
    for each in _requirements(_distribution(CORE)):
        if each.marker and not each.marker.evaluate({"extra": ""}):
            continue
        distribution = _distribution(each.name)
        version = name_and_version(distribution)[1] if distribution is not None else None
        fits = satisfied(each, version) if version is not None else False
        found.append(Dependency(each.name, str(each.specifier), version, fits))
    return tuple(found)


def look_around(dependencies: Iterable[Dependency]) -> Iterator[Problem]:
    """Distributions of ours of which there are two, and entry points that cannot be read.

    Args:
        dependencies: as :func:`core_dependencies` has them; they are looked at as well.
    """
    import importlib_metadata

    versions: dict[str, dict[str, str]] = {}  # name → version → place, in the order of sys.path
    required = {normal(each.name) for each in dependencies}
    for each in importlib_metadata.distributions():
        name, version = name_and_version(each)
        key = normal(name)
        try:
            groups = {point.group for point in each.entry_points}
        except Exception as error:  # a foreign distribution's damaged metadata
            yield Problem(
                "warning",
                f"the entry points of {getattr(each, '_path', name)} cannot be read "
                f"({type(error).__name__}: {error}); its plugins, if any, are left out",
                f"pip install --force-reinstall {name}" if name != "unknown" else "remove it",
            )
            continue
        if key.startswith(_OURS) or key in required or groups & {GROUP, SAFE_LISTS}:
            versions.setdefault(key, {}).setdefault(version, str(each.locate_file("")))
    for name, places in sorted(versions.items()):
        if len(places) > 1:
            used, *others = [f"{version} in {place}" for version, place in places.items()]
            yield Problem(
                "warning",
                f"{len(places)} versions of {name} are on sys.path: {used}, which is used, and "
                f"{', '.join(others)}",
                f"pip uninstall {name} until none is left, and install it again; or take the other "
                "folder out of PYTHONPATH",
            )


def at_odds() -> Iterator[Problem]:
    """Distributions of ours that ask for other versions of each other than are installed."""
    import importlib_metadata

    ours: dict[str, Any] = {}  # the first of a name is the one that is imported
    for each in importlib_metadata.distributions():
        ours.setdefault(normal(name_and_version(each)[0]), each)
    for key, distribution in sorted(ours.items()):
        if not (key.startswith(_OURS) or _has_our_entry_points(distribution)):
            continue
        name, version = name_and_version(distribution)
        for required in _requirements(distribution):
            wanted = ours.get(normal(required.name))
            if wanted is None or not normal(required.name).startswith(_OURS):
                continue
            found = name_and_version(wanted)[1]
            if _meant(required, distribution) and satisfied(required, found) is False:
                yield Problem(
                    "warning",
                    f"{name} {version} requires {required.name}{required.specifier}, and {found} "
                    "is installed",
                    f"pip install --upgrade {name} {required.name}",
                )


def _has_our_entry_points(distribution: Any) -> bool:
    try:
        return any(point.group in (GROUP, SAFE_LISTS) for point in distribution.entry_points)
    except Exception:  # told by look_around()
        return False


def _distribution(name: str) -> Any:
    import importlib_metadata

    try:
        return importlib_metadata.distribution(name)
    except importlib_metadata.PackageNotFoundError:
        return None


def _requirements(distribution: Any) -> list[Requirement]:
    """What a distribution requires, without the lines that are not written as the standard has it."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    try:
        lines = (distribution.requires if distribution is not None else None) or ()
    except Exception:  # damaged metadata
        return []
    for line in lines:
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return found


def _meant(required: Requirement, distribution: Any) -> bool:
    """Whether it holds here: always, under this Python or system, or for an extra."""
    extras = ("", *(distribution.metadata.get_all("Provides-Extra") or ()))
    return required.marker is None or any(
        required.marker.evaluate({"extra": extra}) for extra in extras
    )


def satisfied(required: Requirement, version: str) -> bool | None:
    """Whether a version is one that is required; ``None`` where that cannot be told.

    Args:
        required: a line ``Requires-Dist``.
        version: such as ``"8.1.7"``.
    """
    from packaging.version import InvalidVersion, Version

    if required.url:
        return None
    try:
        return required.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return None
