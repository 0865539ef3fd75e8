"""Whether an installed version is one that another distribution asks for.

``pip`` itself decides when it installs; this is for ``mlup doctor``, which looks at what became of it.
It knows release numbers and whether a version is before its release, and no local versions and no
epochs: of what it does not know it says so. Source: the version specifiers of
https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest
from typing import Final, NamedTuple

_REQUIREMENT: Final = re.compile(
    r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?", re.ASCII
)
_VERSION: Final = re.compile(
    r"v?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview|dev|post|rev|r)[-_.]?\d*)*",
    re.ASCII | re.IGNORECASE,
)
_CLAUSE: Final = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*")
_AFTER: Final = ("post", "rev", "r")

Key = tuple[tuple[int, ...], int]
"""A release, and -1 for what is before it, 1 for what is after it."""


class Requirement(NamedTuple):
    """One line ``Requires-Dist``.

    Attributes:
        name: of the distribution that is required.
        specifier: its versions, such as ``">=8.1,<9"``; ``""``: any.
        marker: when, such as ``"extra == 'torch'"``; ``""``: always.
    """

    name: str
    specifier: str
    marker: str

    @classmethod
    def of(cls, line: str) -> Requirement | None:
        """From its text; ``None`` where it is written in another way."""
        match = _REQUIREMENT.fullmatch(line)
        if match is None:
            return None
        name, specifier, marker = match.groups()
        return cls(name, specifier.strip(), (marker or "").strip())

    @property
    def optional(self) -> bool:
        """Whether it is an extra's."""
        return "extra" in self.marker

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}"


def satisfied(specifier: str, version: str) -> bool | None:
    """Whether a version is one of a specifier's; ``None`` where that cannot be told.

    Args:
        specifier: such as ``">=8.1,!=8.2.0"``.
        version: such as ``"8.1.7"``.
    """
    found = _key(version)
    answers: list[bool | None] = []
    for clause in filter(None, specifier.split(",")):
        match = _CLAUSE.fullmatch(clause)
        wanted = match and _key(match[2].removesuffix(".*"))
        if match is None or found is None or wanted is None:
            answers.append(None)
        elif match[1] == "~=" or match[2].endswith(".*"):
            answers.append(_prefixed(match[1], found, wanted))
        else:
            answers.append(_COMPARED[match[1]](*_padded(found, wanted)))
    if False in answers:
        return False
    return None if None in answers else True


_COMPARED: Final[dict[str, Callable[[Key, Key], bool]]] = {
    "==": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">=": lambda found, wanted: found >= wanted,
    # "<2" leaves out what is before the release 2, ">2" what is after it.
    "<": lambda found, wanted: found < (wanted[0], min(wanted[1], -1)),
    ">": lambda found, wanted: found > (wanted[0], max(wanted[1], 1)),
}


def _prefixed(operator: str, found: Key, wanted: Key) -> bool | None:
    length = len(wanted[0]) - (operator == "~=")
    release = (*found[0], *(0,) * length)[:length]
    same = release == wanted[0][:length]
    if operator == "~=":
        padded, least = _padded(found, wanted)
        return same and padded >= least
    return {"==": same, "!=": not same}.get(operator)


def _padded(one: Key, other: Key) -> tuple[Key, Key]:
    pairs = list(zip_longest(one[0], other[0], fillvalue=0))
    return (tuple(a for a, _ in pairs), one[1]), (tuple(b for _, b in pairs), other[1])


def _key(version: str) -> Key | None:
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        return None
    kind = (match[2] or "").lower()
    return tuple(map(int, match[1].split("."))), (kind in _AFTER) - (
        bool(kind) and kind not in _AFTER
    )
