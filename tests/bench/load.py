"""``mlup.load`` of 100 MB files, against the framework's own call: time and peak memory.

Each load is a process of its own, all imports done before the clock starts, taken in turn.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import numpy as np
from measuring import Row, ratio, show

MEGABYTES, ROUNDS, GOAL = 100, 15, 1.05

CHILD = """
import json, pickle, resource, sys, time
import joblib, numpy, mlup
path, how = sys.argv[1:]
mlup.load(pickle.dumps(None))
def by_pickle(path):
    with open(path, "rb") as file:
        return pickle.load(file)
call = {"pickle": by_pickle, "joblib": joblib.load, "mlup": mlup.load}[how]
started = time.perf_counter()
model = call(path)
seconds = time.perf_counter() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def main() -> None:
    """Print two rows for each file."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        generator = np.random.default_rng(0)
        half = MEGABYTES * 1024 * 1024 // 16
        model = {"first": generator.random(half), "second": generator.random((half // 8, 8))}
        objects = [{"name": str(at), "weights": [at * 0.5] * 40} for at in range(250_000)]
        writers: list[tuple[str, str, Callable[[Path], Any]]] = [
            ("pickle, arrays", "pickle", lambda path: path.write_bytes(pickle.dumps(model, 5))),
            ("pickle, objects", "pickle", lambda path: path.write_bytes(pickle.dumps(objects, 5))),
            ("joblib, raw", "joblib", lambda path: joblib.dump(model, path)),
        ]
        for name, native, write in writers:
            path = Path(folder, "model")
            write(path)
            size = os.path.getsize(path) / 1e6
            rows += compare(f"{name}, {size:.0f} MB", str(path), native)
    show("load, against the native call", rows)


def compare(what: str, path: str, native: str) -> list[Row]:
    """The medians of several processes each way, in turn: building objects is noisy."""
    seen: dict[str, list[list[float]]] = {native: [], "mlup": []}
    for _ in range(ROUNDS):
        for how, so_far in seen.items():
            done = subprocess.run(
                [sys.executable, "-c", CHILD, path, how], capture_output=True, check=True
            )
            so_far.append(json.loads(done.stdout))
    times, peaks = zip(*seen[native], strict=True)
    our_times, our_peaks = zip(*seen["mlup"], strict=True)
    ours, theirs = (f"{median(each) * 1e3:.1f}" for each in (our_times, times))
    memory, our_memory = median(peaks), median(our_peaks)
    return [
        Row(f"{what}: time", ratio(our_times, times), GOAL, f"{ours} ms, {native} {theirs}"),
        Row(
            f"{what}: peak memory",
            our_memory / memory,
            GOAL,
            f"{our_memory / 1024:.1f} MiB, {native} {memory / 1024:.1f}",
        ),
    ]


if __name__ == "__main__":
    main()
