"""What an attack is: a name, a file, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Content = bytes | Callable[[Path, str], None]
"""The file, or what writes it (and what belongs to it) at a path, given the marker's path."""

UNSAFE = "unsafe"
"""``mlup.UnsafeModelError`` when the binarizer is named."""
REFUSED = "refused"
"""``mlup.UnsafeModelError`` or another ``mlup.ModelLoadError``."""
ANY = "any"
"""Refused, or something inert comes out."""


class Case(NamedTuple):
    """An attack file.

    Attributes:
        name: of the test; it holds the advisory's id where there is one.
        make: from the marker's path: the file.
        file: its name.
        binarizers: by which it is also loaded by name; it is always loaded with ``auto`` too.
        names: at least one of them must stand in ``UnsafeModelError.refused``; empty: no name.
        must: ``UNSAFE``, ``REFUSED`` or ``ANY``.
        runs: by which loader of the framework itself it creates the marker ("pickle", "joblib",
            "torch"); None where it does something else, or nothing in every version.
        bomb: it is about time and memory: 10 seconds, 512 MB.
        needs: distributions without which there is nothing to attack.
    """

    name: str
    make: Callable[[str], Content]
    file: str = "model.pkl"
    binarizers: tuple[str, ...] = ("pickle",)
    names: tuple[str, ...] = ()
    must: str = UNSAFE
    runs: str | None = None
    bomb: bool = False
    needs: tuple[str, ...] = ()
