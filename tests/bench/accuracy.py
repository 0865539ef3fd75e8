"""Who is chosen, over a folder of labelled files: ``manifest.jsonl`` beside ``files/``.

Without one (``../shared/corpus``, or the folder given) there is nothing to measure. Labels of
binarizers that are not installed count as "no binarizer should claim this". Two passes: names as
they are, and extensions removed.
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

DEFAULT = Path(__file__).parents[2].parent / "shared" / "corpus"


def main() -> None:
    """Print a table for each pass."""
    corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not (corpus / "manifest.jsonl").exists():
        print(f"\naccuracy: no labelled corpus at {corpus.name}/: nothing measured")
        return
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if (corpus / "files" / row["path"]).exists()]
    installed = {info.name for info in mlup.plugins()}
    for title, rename in (("names as they are", False), ("extensions removed", True)):
        with tempfile.TemporaryDirectory() as folder:
            table: dict[str, Counter[str]] = {}
            wrong = []
            for at, row in enumerate(rows):
                path = corpus / "files" / row["path"]
                if rename:
                    link = Path(folder, f"file{at}")
                    link.symlink_to(path)
                    path = link
                found = mlup.detect(path).best
                name = found.binarizer if found else "none"
                word = judge(row, name, installed)
                table.setdefault(group(row, installed), Counter())[word] += 1
                if word == "wrong":
                    wrong.append(f"{row['path']}: {row['label']}, taken for {name}")
        show(title, table, wrong)


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
    for label, counts in sorted(table.items()):
        total = sum(counts.values())
        good = counts["right"] + counts["acceptable"]
        print(
            f"  {label:<14} {good / total:7.1%}  right {counts['right']}, "
            f"acceptable {counts['acceptable']}, wrong {counts['wrong']} of {total}"
        )
    for each in wrong:
        print(f"    wrong: {each}")


if __name__ == "__main__":
    os.environ.pop("MLUP_PLUGINS", None)
    main()
