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
from typing import Any, Final, NamedTuple

from mlup import log
from mlup_safepickle.names import today

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


@lru_cache(maxsize=2)
def _table(registry: object) -> Table:
    found: Table = {}
    for source, read in (*_own(), *_contributed()):
        try:
            entries = parse(read())
        except Exception as error:  # whatever a list's author got wrong costs that list alone
            log.failure("the safe list of %s is left out: %s", source, error, error=error)
            continue
        for key, entry in entries.items():
            found[key] = _both(found[key], entry) if key in found else entry
    return found


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
    for key, given in json.loads(text)["names"].items():
        module, colon, name = key.partition(":")
        role = _ROLES.get(given.get("role"))
        if not colon or not module or not name or "*" in key:
            raise ValueError(f"{key!r} is no exact 'module:name'")
        if role is None or not _KEYS.issuperset(given):
            raise ValueError(
                f"{key!r}: {given!r} has another role or key than {_ROLES} and {_KEYS}"
            )
        entry = Entry(
            role,
            _checks(given.get("call_check")),
            _checks(given.get("state_check")),
            given.get("whole") is True,
            given.get("functions") is True,
        )
        known = found.get((today(module), name))
        found[today(module), name] = _both(known, entry) if known else entry
    return found


def _checks(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str) and given.count(":") == 1:
        return (given,)
    raise ValueError(f"{given!r} is no 'module:function'")


def _own() -> Iterator[tuple[str, Callable[[], Any]]]:
    from importlib.resources import files

    for each in sorted(files(__package__).joinpath("lists").iterdir(), key=lambda file: file.name):
        if each.name.endswith(".json"):
            yield f"mlup-safepickle ({each.name})", each.read_bytes


def _contributed() -> Iterator[tuple[str, Callable[[], Any]]]:
    from mlup.discovery import find_entry_points
    from mlup.environment import Environment

    environment = Environment.read()
    for each in find_entry_points(GROUP):
        if not environment.excludes(each.name, each.distribution):
            yield each.distribution, partial(_read, each.value)


def _read(package: str) -> bytes:
    """The list in a package, which is found and not imported."""
    from importlib.util import find_spec

    top, *inner = package.split(".")
    spec = find_spec(top)
    for place in (spec and spec.submodule_search_locations) or ():
        path = os.path.join(place, *inner, FILE)
        loader: Any = spec and spec.loader
        try:
            if hasattr(loader, "get_data"):  # of a folder, or of a zip
                data: bytes = loader.get_data(path)
                return data
            with open(path, "rb") as stream:  # of a namespace package
                return stream.read()
        except OSError:
            continue
    raise FileNotFoundError(f"the package {package} has no file {FILE}")
