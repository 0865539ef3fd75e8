"""The golden files and their manifest: what is written, and the proof that it loads."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LARGEST = 120_000  # bytes of one file: the whole set is read by every clone

Writer = Callable[[str], object]  # writes the file or folder it is given the path of
Check = Callable[[str], object]  # loads it natively, tries it, returns what was loaded


class Book:
    """The files of one folder as they are written, and their rows for the manifest."""

    def __init__(self, root: Path, folder: str) -> None:
        self.files = root / "files"
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        shutil.rmtree(self.files / folder, ignore_errors=True)

    def add(
        self,
        name: str,
        label: str,
        format: str,
        producer: str,
        content: bytes | str | Writer,
        *,
        check: Check | None = None,
        acceptable: Iterable[str] = (),
        how: str = "direct",
        notes: str = "",
    ) -> Path:
        """Write one file or folder, load it if ``check`` says how, and note it.

        Args:
            name: its path inside the folder.
            label: the binarizer that must be chosen, or who else it belongs to (``none``).
            format: a finer name for people.
            producer: the framework and its version, or the specification it follows.
            content: the bytes, or a function that writes them to a path.
            check: loads it with the native loader, looks whether it predicts, returns it.
            acceptable: other binarizers that give an equal object.
            how: what the native loader needs beside the path.
            notes: what is special about it.
        """
        path = self.files / self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(path)
        if isinstance(content, (bytes, str)):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            content(str(path))
        self._refuse_what_does_not_belong_here(path)
        _without_empty_folders(path)  # a clone has none: git keeps files alone
        row: dict[str, Any] = {
            "path": path.relative_to(self.files).as_posix(),
            "label": label,
            "format": format,
            "acceptable": list(acceptable),
            "producer": producer,
            "notes": notes,
        }
        if check is not None:
            loaded = check(str(path))
            kind = type(loaded)
            row |= {"loads": True, "loads_how": how}
            row["type"] = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        self.rows.append(row)
        return path

    def note(self, row: dict[str, Any]) -> None:
        """A row for something that is there already (a file inside a folder)."""
        if not (self.files / row["path"]).exists():
            raise FileNotFoundError(row["path"])
        self.rows.append(row)

    def _refuse_what_does_not_belong_here(self, path: Path) -> None:
        here = [os.path.expanduser("~"), sys.prefix, str(self.files.parents[2])]
        for each in (path,) if path.is_file() else path.rglob("*"):
            if each.is_file():
                each.chmod(0o644)  # some writers keep their files to themselves
                data = each.read_bytes()
                if len(data) > LARGEST:
                    raise ValueError(f"{each} has {len(data)} bytes, more than {LARGEST}")
                if any(place.encode() in data for place in here if len(place) > 1):
                    raise ValueError(f"{each} names a path of this machine")


def _without_empty_folders(path: Path) -> None:
    for each in sorted(path.rglob("*"), reverse=True) if path.is_dir() else ():
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()


def finite(values: Any) -> None:
    """Fail unless every number in an array (or a list of arrays) is finite.

    Raises:
        ValueError: one is not.
    """
    if isinstance(values, (list, tuple)):
        for each in values:
            finite(each)
    elif isinstance(values, dict):
        finite(list(values.values()))
    elif isinstance(values, float):
        if not math.isfinite(values):
            raise ValueError(f"a prediction is {values}")
    else:
        import numpy as np

        array = np.asarray(values)
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise ValueError("a prediction is not finite")


def save_manifest(root: Path, books: Iterable[Book]) -> None:
    """Replace the rows of these books' folders; the rows of other folders stay."""
    manifest = root / "manifest.jsonl"
    books = list(books)
    made = {book.folder for book in books}
    rows = [row for book in books for row in book.rows]
    if manifest.exists():
        for line in manifest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["path"].split("/", 1)[0] not in made:
                rows.append(row)
    rows.sort(key=lambda row: row["path"])
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    manifest.write_text(text, encoding="utf-8", newline="\n")
