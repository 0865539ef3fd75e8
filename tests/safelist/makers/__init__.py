"""Benign models: what people really put into files, one module for each library.

Each module has ``REQUIRES`` (the distributions whose releases change what it pickles; it takes part
where all of them are installed) and ``models()``, which yields every :class:`Benign` of it.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # models this small take longer with more


class NotInThisRelease(Exception):
    """The library's installed release cannot make this model."""


def nothing(_: Any) -> None:
    """For models that answer no question."""


@dataclass(frozen=True)
class Benign:
    """A model, and what is asked of it to see that it came back whole."""

    name: str
    make: Callable[[], Any]
    use: Callable[[Any], Any] = nothing


def installed() -> dict[str, ModuleType]:
    """The makers whose libraries are installed, by name."""
    found = {}
    for each in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        if each.name.startswith("_"):
            continue
        required = _required(each.name)
        if all(_version(library) for library in required):
            found[each.name] = importlib.import_module(f"{__name__}.{each.name}")
    return found


def versions(module: ModuleType) -> dict[str, str]:
    """The releases that a maker's record is for."""
    return {library: _version(library) for library in module.REQUIRES}


def every(module: ModuleType) -> Iterator[Benign]:
    """The maker's models; a name that is used twice is an error of the maker."""
    seen: set[str] = set()
    for benign in module.models():
        if benign.name in seen:
            raise ValueError(f"two benign models are called {benign.name!r}")
        seen.add(benign.name)
        yield benign


def _required(name: str) -> tuple[str, ...]:
    # Read from the source: importing the module would need the libraries.
    tree = ast.parse(Path(__path__[0], f"{name}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REQUIRES":
            required: tuple[str, ...] = ast.literal_eval(node.value)
            return required
    raise ValueError(f"{name} has no REQUIRES")


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
