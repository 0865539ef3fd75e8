"""Who is chosen for which golden file: the confusion matrix of all installed binarizers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import mlup
from mlup_testkit.golden import NOBODY, Row, rows


@dataclass(frozen=True, slots=True)
class Wrong:
    """A golden file that went to the wrong binarizer."""

    path: str
    label: str
    chosen: str
    said: str

    def __str__(self) -> str:
        return f"{self.path}: {self.label}, chosen: {self.chosen} ({self.said})"


@dataclass(slots=True)
class Confusion:
    """The matrix.

    Attributes:
        binarizers: the columns, without ``nobody``.
        matrix: label -> who was chosen -> files.
        acceptable: the same, of files that went to another who gives an equal object.
        wrong: what should not be.
    """

    binarizers: tuple[str, ...]
    matrix: dict[str, Counter[str]] = field(default_factory=dict)
    acceptable: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every file went where it belongs."""
        return not self.wrong

    @property
    def files(self) -> int:
        """How many were looked at."""
        return sum(counts.total() for counts in self.matrix.values())

    def add(self, row: Row, chosen: str, said: str) -> None:
        """One file."""
        self.matrix.setdefault(row.label, Counter())[chosen] += 1
        if said:
            self.wrong.append(Wrong(row.path, row.label, chosen, said))
        elif chosen != (row.label if row.label in self.binarizers else NOBODY):
            if chosen in row.acceptable or (chosen == NOBODY and "none" in row.acceptable):
                self.acceptable.setdefault(row.label, Counter())[chosen] += 1
            else:
                wanted = row.label if row.label in self.binarizers else NOBODY
                self.wrong.append(Wrong(row.path, row.label, chosen, f"expected {wanted}"))

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "binarizers": list(self.binarizers),
            "files": self.files,
            "clean": self.clean,
            "matrix": {label: dict(counts) for label, counts in sorted(self.matrix.items())},
            "acceptable": {label: dict(each) for label, each in sorted(self.acceptable.items())},
            "wrong": [
                {"path": each.path, "label": each.label, "chosen": each.chosen, "said": each.said}
                for each in self.wrong
            ],
        }

    def lines(self) -> Iterable[str]:
        """As text: what went to an acceptable one has a ``~``, what went wrong an ``!``."""
        columns = (*self.binarizers, NOBODY)
        widths = [max(len(name), 5) for name in columns]
        first = max(len(label) for label in self.matrix)
        yield " " * first + "".join(f"  {n:>{w}}" for n, w in zip(columns, widths, strict=True))
        bad = Counter((each.label, each.chosen) for each in self.wrong)
        own = [label for label in self.binarizers if label in self.matrix]
        for label in (*own, *sorted(set(self.matrix) - set(own))):
            cells = [self._cell(label, name, bad[label, name]) for name in columns]
            yield f"{label:<{first}}" + "".join(
                f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
            )
        yield ""
        fine = sum(counts.total() for counts in self.acceptable.values())
        yield (
            f"{self.files} files: {len(self.wrong)} wrong (!), {fine} given to another binarizer "
            "that returns an equal object (~)"
        )
        for each in self.wrong:
            yield f"  {each}"

    def _cell(self, label: str, chosen: str, bad: int) -> str:
        files = self.matrix[label][chosen]
        if not files:
            return "."
        mark = "!" if bad else "~" if self.acceptable.get(label, Counter())[chosen] else ""
        return f"{files}{mark}"


def confusion() -> Confusion:
    """Ask all installed binarizers about all golden files. No framework is imported.

    A binarizer that only loads (it has no ``score``) is no column, and a label whose plugin is not
    installed must be nobody's.
    """
    from mlup import registry

    found = Confusion(tuple(sorted(each.binarizer for each in registry.current().scorers)))
    for row in rows():
        detection = mlup.detect(row.file)
        said = [str(each) for each in detection.problems if each.error]  # not the merely slow
        if detection.tied:
            said.append(f"a tie of {' and '.join(each.binarizer for each in detection.tied)}")
        best = detection.best
        found.add(row, best.binarizer if best else NOBODY, "; ".join(said))
    return found
