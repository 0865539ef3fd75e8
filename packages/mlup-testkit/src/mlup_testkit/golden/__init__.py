"""Golden files: small real files of many formats, labelled with who should load them.

>>> from mlup_testkit import golden
>>> [row.path for row in golden.rows() if row.label == "lightgbm"][:1]
['lightgbm/accented.txt']

How each was written is in its row; the programs that wrote them are in mlup's repository, in
``tests/golden``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""Where ``manifest.jsonl`` and ``files`` are."""

FILES: Final = FOLDER / "files"

NOBODY: Final = "nobody"
"""Whose a file is that no installed binarizer may claim."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file or folder.

    Attributes:
        path: inside :data:`FILES`, with ``/``.
        label: the binarizer that must be chosen. ``none``, ``truncated-…`` or the name of a format
            without a binarizer: nobody may be.
        format: which kind of file of that format it is.
        acceptable: other binarizers that give an equal object; ``none``: nobody is fine too.
        producer: the framework that wrote it, with its version, or the specification it follows.
        notes: what is special about it.
        loads: whether the framework loaded it when it was written; ``None``: not tried.
        loads_how: what that needed.
        type: of which class the model is.
    """

    path: str
    label: str
    format: str
    acceptable: tuple[str, ...]
    producer: str
    notes: str
    loads: bool | None = None
    loads_how: str = ""
    type: str = ""

    @property
    def file(self) -> Path:
        """Where it is on this machine."""
        return FILES / self.path


@cache
def rows() -> tuple[Row, ...]:
    """All of them, in the order of their paths."""
    lines = (FOLDER / "manifest.jsonl").read_text("utf-8").splitlines()
    return tuple(_row(line) for line in lines if line)


def _row(line: str) -> Row:
    fields = json.loads(line)
    fields["acceptable"] = tuple(fields["acceptable"])
    return Row(**fields)
