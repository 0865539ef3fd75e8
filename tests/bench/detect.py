"""``mlup.detect`` on 2,000 warm local files, against opening them and reading both ends."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
from measuring import Row, in_turn, ratio, show
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import mlup

FILES, ROUNDS = 2000, 15


def raw(path: str) -> int:
    """What any detection must do: open, fstat, the first and the last 100 bytes."""
    fd = os.open(path, os.O_RDONLY)
    size = os.fstat(fd).st_size
    os.pread(fd, 100, 0)
    os.pread(fd, 100, max(0, size - 100))
    os.close(fd)
    return size


def main() -> None:
    """Print a row for each kind of file, and one for all."""
    model = LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True))
    writers: dict[str, Callable[[str], Any]] = {
        "pickle, protocol 5": lambda path: Path(path).write_bytes(pickle.dumps(model, 5)),
        "pickle, protocol 2": lambda path: Path(path).write_bytes(pickle.dumps(model, 2)),
        "pickle, protocol 0": lambda path: Path(path).write_bytes(pickle.dumps(model, 0)),
        "joblib, raw": lambda path: joblib.dump(model, path),
        "joblib, zlib": lambda path: joblib.dump(model, path, compress=3),
        "no model (noise)": lambda path: Path(path).write_bytes(b"\x7e" + os.urandom(999)),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        everything: list[str] = []
        for kind, write in writers.items():
            paths = [os.path.join(folder, f"{len(everything)}-{at}") for at in range(FILES // 5)]
            for path in paths:
                write(path)
            rows.append(compare(kind, paths, goal=8))
            if kind != "no model (noise)":
                everything += paths
        rows.append(compare("all models", everything, goal=4))
    show(f"detect, {len(everything)} warm local files", rows)


def compare(what: str, paths: list[str], goal: float) -> Row:
    """One row: the same files, both ways, in turn."""

    def each(function: Callable[[str], object]) -> None:
        for path in paths:
            function(path)

    reading, detecting = in_turn([lambda: each(raw), lambda: each(mlup.detect)], ROUNDS)
    ours, theirs = (min(times) / len(paths) * 1e6 for times in (detecting, reading))
    detail = f"{ours:.1f} us against {theirs:.1f} us a file"
    return Row(what, ratio(detecting, reading), goal, detail)


if __name__ == "__main__":
    main()
