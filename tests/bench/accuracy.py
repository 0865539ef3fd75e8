"""Who is chosen, over folders of labelled files: ``manifest.jsonl`` beside ``files/``.

A row of the manifest has ``path``, ``label`` (the binarizer that should be chosen; anything else
should be nobody's) and ``acceptable`` (others that give an equal object). Labels of binarizers
that are not installed count as "nobody should claim this". Three passes: names as they are, the
extension removed, and an extension of another format. Ends with 1 where a row is wrong.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import mlup

MISLEADING = (".pkl", ".joblib", ".txt", ".pt", ".h5", ".keras", ".onnx", ".pb", ".zip", ".bin")


def main() -> int:
    """Print a table for each pass over each folder; the number of wrong rows is the result."""
    return sum(measure(Path(folder)) for folder in sys.argv[1:])


def measure(corpus: Path) -> int:
    """The three passes over one folder."""
    if not (corpus / "manifest.jsonl").exists():
        print(f"\naccuracy: {corpus} has no manifest.jsonl: nothing measured")
        return 1
    with (corpus / "manifest.jsonl").open(encoding="utf-8") as lines:
        listed = [json.loads(line) for line in lines]
    rows = [row for row in listed if (corpus / "files" / row["path"]).exists()]
    print(f"\n{corpus.resolve().name}: {len(rows)} of {len(listed)} labelled files are here")
    if not rows:
        return 1
    installed = {info.name for info in mlup.plugins()}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for title in ("names as they are", "extensions removed", "misleading extensions"):
            table: dict[str, Counter[str]] = {}
            said = []
            for at, row in enumerate(rows):
                path = corpus / "files" / row["path"]
                if title != "names as they are":
                    extension = misleading(path, at) if title.startswith("misl") else ""
                    link = Path(folder, f"{title[:4]}-{at}{extension}")
                    link.symlink_to(path.resolve())
                    path = link
                detection = mlup.detect(path)
                name = detection.best.binarizer if detection.best else "none"
                word = judge(row, name, installed)
                table.setdefault(group(row, installed), Counter())[word] += 1
                said += [f"{row['path']}: {problem}" for problem in detection.problems]
                if word == "wrong":
                    said.append(f"{row['path']}: {row['label']}, taken for {name}")
            show(title, table, said)
            wrong += len(said)
    return wrong


def misleading(path: Path, at: int) -> str:
    """An extension that is not the file's own, another one for each row."""
    others = [each for each in MISLEADING if each != path.suffix.lower()]
    return others[at % len(others)]


def group(row: dict[str, Any], installed: set[str]) -> str:
    """The row's label, or what stands for the labels that nobody here should claim."""
    label: str = row["label"]
    return label if label in installed or label == "none" else "other formats"


def judge(row: dict[str, Any], name: str, installed: set[str]) -> str:
    """``right``, ``acceptable`` (another loader gives an equal object) or ``wrong``."""
    wanted = row["label"] if row["label"] in installed else "none"
    if name == wanted:
        return "right"
    return "acceptable" if name in row.get("acceptable", ()) else "wrong"


def show(title: str, table: dict[str, Counter[str]], wrong: list[str]) -> None:
    """Print one pass."""
    print(f"\naccuracy, {title}")
    for label, counts in [*sorted(table.items()), ("in all", sum(table.values(), Counter()))]:
        total = sum(counts.values())
        good = counts["right"] + counts["acceptable"]
        print(
            f"  {label:<17} {good / total:7.1%}  right {counts['right']:>3}, "
            f"acceptable {counts['acceptable']:>2}, wrong {counts['wrong']} of {total}"
        )
    for each in wrong:
        print(f"    {each}")


if __name__ == "__main__":
    os.environ.pop("MLUP_PLUGINS", None)
    sys.exit(min(1, main()))
