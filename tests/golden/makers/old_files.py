"""``old/``: what releases wrote that are still met in the field, and that today's libraries load.

``GOLDEN_OLD_PYTHONS`` names the interpreters that have them, with colons in between.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from makers import models
from makers.book import Book, finite
from makers.lightgbm_files import tried as lightgbm_tried

PYTHONS = os.environ.get("GOLDEN_OLD_PYTHONS", "").split(os.pathsep)
if not any(PYTHONS):
    raise ImportError("GOLDEN_OLD_PYTHONS names no interpreter")


def make(book: Book) -> None:
    """Write the folder."""
    script = Path(__file__).with_name("old_releases.py")
    for python in PYTHONS:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [python, "-W", "ignore", str(script), folder], check=True, stdout=subprocess.PIPE
            )
            rows = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == b"{"]
            named = {row["path"] for row in rows}
            for each in sorted(Path(folder).iterdir()):
                if each.name not in named:
                    note = "an array of another file, which needs it to load"
                    producer = "joblib 0.9.4"
                    data = each.read_bytes()
                    book.add(each.name, "none", "joblib-part", producer, data, notes=note)
            for row in rows:
                data = Path(folder, row.pop("path"))
                book.add(
                    data.name,
                    content=data.read_bytes(),
                    check=_CHECKS[row["label"]],
                    acceptable=("joblib",) if row["label"] == "pickle" else (),
                    **row,
                )


def _session(path: str) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    finite(session.run(None, {"x": np.ones((1, 2), "f4")}))
    return session


def _pickled(path: str) -> Any:
    with open(path, "rb") as stream:
        return pickle.load(stream)


_CHECKS: dict[str, Callable[[str], Any]] = {
    "pickle": models.checked(_pickled),
    "joblib": models.checked(joblib.load),
    "lightgbm": lightgbm_tried,
    "onnx": _session,
}
