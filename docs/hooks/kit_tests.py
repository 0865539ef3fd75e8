"""The tests that a plugin inherits from ``mlup_testkit``, as their docstrings describe them.

The source is read, not imported: the kit needs pytest, and the site does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import docstrings
import repository

KIT: Final = repository.ROOT / "packages" / "mlup-testkit" / "src" / "mlup_testkit"


def tests() -> Iterator[tuple[str, str]]:
    """Each inherited test's name and docstring, in the order of the source."""
    for path in sorted(KIT.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield from _tests_of(node)


def _tests_of(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
            yield each.name, ast.get_docstring(each) or ""


def listed() -> str:
    """All of them as Markdown."""
    return "\n\n".join(f"#### `{name}`\n\n{docstrings.markdown(said)}" for name, said in tests())
