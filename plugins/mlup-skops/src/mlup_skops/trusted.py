"""What skops trusts without being told: ``trusted.json``, made by ``tests/make_trusted.py``."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any


@functools.cache
def _table() -> dict[str, Any]:
    text = files("mlup_skops").joinpath("trusted.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


@functools.cache
def by_loader() -> dict[str, frozenset[str]]:
    """The trusted names of each kind of node, as the schema has it in ``__loader__``."""
    lists: dict[str, list[str]] = _table()["lists"]
    loaders: dict[str, list[str]] = _table()["loaders"]
    return {
        loader: frozenset(name for each in trusted for name in lists[each])
        for loader, trusted in loaders.items()
    }


def names() -> frozenset[str]:
    """All of them."""
    return frozenset().union(*by_loader().values())


def versions() -> str:
    """Of what they are the lists, for the user."""
    found: dict[str, list[str]] = _table()["versions"]
    return ", ".join(
        f"{name} {known[0]}" + (f" to {known[-1]}" if len(known) > 1 else "")
        for name, known in found.items()
    )
