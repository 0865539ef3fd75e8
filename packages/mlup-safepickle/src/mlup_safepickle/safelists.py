"""The safe lists of all installed distributions, as one table.

A list is data: a file ``safelist.json`` in a package that an entry point of the group
``mlup.safelists`` names. It is read where it lies; the package is not imported. Those of
libraries that are no plugin's (the standard library, NumPy, scikit-learn …) are in ``lists/``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlup import log
from mlup.environment import STRICT
from mlup.errors import PluginError
from mlup_safepickle.names import today

if TYPE_CHECKING:
    from mlup.registry import Registry

GROUP: Final = "mlup.safelists"
FILE: Final = "safelist.json"

REFERENCE: Final = 0
"""It may be named and handed on, never called."""
NEW: Final = 1
"""Also, instances of it may be made without its constructor, and given a state."""
CALL: Final = 2
"""Also, it may be called."""

_ROLES: Final = {"reference": REFERENCE, "new": NEW, "call": CALL}
_KEYS: Final = frozenset(
    {"role", "call_check", "state_check", "whole", "functions", "needed_by", "versions"}
)

Check = Callable[..., "str | None"]


class Entry(NamedTuple):
    """What may be done with a name.

    Attributes:
        role: :data:`REFERENCE`, :data:`NEW` or :data:`CALL`.
        call_checks: each ``module:function`` that is asked before a call: ``(args, kwargs)`` to a
            reason against it, or ``None``.
        state_checks: the same before a state is set: ``(state, instance)``.
        whole: what a call returns is complete, or is the process's only one: it gets no state.
        functions: it takes functions among its arguments, which a check of it looks at.
    """

    role: int
    call_checks: tuple[str, ...] = ()
    state_checks: tuple[str, ...] = ()
    whole: bool = False
    functions: bool = False


Table = dict[tuple[str, str], Entry]
"""(module, qualified name) → what may be done with it."""


def table() -> Table:
    """What every list says, of the distributions that take part (see ``MLUP_PLUGINS``)."""
    from mlup.registry import current

    return _table(current())  # a registry is made anew when what is installed changes


def listed_names() -> frozenset[str]:
    """The names in the table, as ``allow`` takes them: ``"numpy.ndarray"``."""
    return frozenset(f"{module}.{name}" for module, name in table())


@lru_cache(maxsize=2)
def _table(registry: Registry) -> Table:
    found: Table = {}
    for each in _lists():
        if each.error is not None:
            if registry.strict:
                raise PluginError(f"{each.said} ({STRICT} is set)") from each.error
            log.failure("%s; it is left out", each.said, error=each.error)
        for key, entry in each.entries.items():
            found[key] = _both(found[key], entry) if key in found else entry
    return found


class List(NamedTuple):
    """One safe list.

    Attributes:
        source: the distribution that has it.
        file: where it is, or the package that should have it.
        entries: what it says; nothing where it could not be read.
        error: why it could not.
    """

    source: str
    file: str
    entries: Table
    error: Exception | None = None

    @property
    def said(self) -> str:
        """What is wrong with it."""
        return f"the safe list of {self.source} ({self.file}) cannot be read: {self.error}"


def unreadable() -> list[List]:
    """The lists with a mistake in them, which cost nothing but themselves."""
    return [each for each in _lists() if each.error is not None]


def _lists() -> Iterator[List]:
    for source, file, read in (*_own(), *_contributed()):
        try:
            file, text = read()
            yield List(source, file, parse(text))
        except Exception as error:  # whatever a list's author got wrong costs that list alone
            yield List(source, file, {}, error)


def _both(one: Entry, other: Entry) -> Entry:
    """Two lists on one name: the wider role, and every check."""
    return Entry(
        max(one.role, other.role),
        tuple(dict.fromkeys(one.call_checks + other.call_checks)),
        tuple(dict.fromkeys(one.state_checks + other.state_checks)),
        one.whole or other.whole,
        one.functions and other.functions,
    )


def parse(text: str | bytes) -> Table:
    """A list from its JSON.

    Raises:
        ValueError: it is none.
    """
    found: Table = {}
    whole = json.loads(text)
    names = whole.get("names") if isinstance(whole, dict) else None
    if not isinstance(names, dict):
        raise ValueError(  # noqa: TRY004 (of a file's text)
            'it is no object with "names", such as {"names": {"acme:Tree": {"role": "new"}}}'
        )
    for key, given in names.items():
        module, colon, name = key.partition(":")
        if not colon or not module or not name or "*" in key:
            raise ValueError(f"{key!r} is no exact 'module:name', such as 'acme.models:Tree'")
        _check_keys(key, given)
        entry = Entry(
            _ROLES[given["role"]],
            _checks(key, "call_check", given),
            _checks(key, "state_check", given),
            given.get("whole") is True,
            given.get("functions") is True,
        )
        known = found.get((today(module), name))
        found[today(module), name] = _both(known, entry) if known else entry
    return found


def _check_keys(key: str, given: object) -> None:
    if not isinstance(given, dict):
        raise ValueError(  # noqa: TRY004 (of a file's text)
            f'{key!r} is {given!r}, not an object such as {{"role": "new"}}'
        )
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise ValueError(
            f"{key!r} has the key {', '.join(map(repr, unknown))}; allowed are "
            f"{', '.join(sorted(_KEYS))}"
        )
    role = given.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise ValueError(f"{key!r} has the role {role!r}; allowed are {', '.join(_ROLES)}")


def _checks(key: str, kind: str, entry: dict[str, Any]) -> tuple[str, ...]:
    given = entry.get(kind)
    if given is None:
        return ()
    if isinstance(given, str) and given.count(":") == 1 and all(given.split(":")):
        return (given,)
    raise ValueError(
        f"{key!r} has the {kind} {given!r}; allowed is one 'module:function', such as "
        "'acme.checks:tree'"
    )


Source = tuple[str, str, Callable[[], tuple[str, bytes]]]
"""Who has a list, where it should be, and what gives its file and its text."""


def _own() -> Iterator[Source]:
    from importlib.resources import files

    for each in sorted(files(__package__).joinpath("lists").iterdir(), key=lambda file: file.name):
        if each.name.endswith(".json"):
            yield "mlup-safepickle", each.name, partial(_read_own, each)


def _read_own(file: Any) -> tuple[str, bytes]:
    return file.name, file.read_bytes()


def _contributed() -> Iterator[Source]:
    from mlup.discovery import find_entry_points
    from mlup.environment import Environment

    environment = Environment.read()
    for each in find_entry_points(GROUP):
        if not environment.excludes(each.name, each.distribution):
            yield each.distribution, f"package {each.value}", partial(_read, each.value)


def _read(package: str) -> tuple[str, bytes]:
    """The list in a package, which is found and not imported, and where it is."""
    from importlib.util import find_spec

    top, *inner = package.split(".")
    spec = find_spec(top)
    for place in (spec and spec.submodule_search_locations) or ():
        path = os.path.join(place, *inner, FILE)
        loader: Any = spec and spec.loader
        try:
            if hasattr(loader, "get_data"):  # of a folder, or of a zip
                return path, loader.get_data(path)
            with open(path, "rb") as stream:  # of a namespace package
                return path, stream.read()
        except OSError:
            continue
    raise FileNotFoundError(f"the package {package} has no file {FILE}")
