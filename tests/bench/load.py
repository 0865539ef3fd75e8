"""``mlup.load`` of large files, against the framework's own call: time and peak memory.

``nox -s bench -- load`` measures every kind of :mod:`models`. Each load is a process of its own
that has loaded a small model of that kind both ways before the clock starts; the two are taken
in turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measuring import Row, ratio, show
from models import KINDS

ROUNDS, GOAL = 7, 1.05


def main() -> None:
    """Print two rows for each kind of file, as they come: all of them take a quarter of an hour.

    ``tests/bench/load.py KIND ...`` measures some of them, where everything is installed.
    """
    for name in sys.argv[1:] or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"model{KINDS[name].suffix}")
            child("write", name, path)
            show("load, against the native call", compare(name, path))


def child(*arguments: str) -> list[float]:
    """Run this program again, with something to do; the line it ends with."""
    command = [sys.executable, __file__, *arguments]
    # glibc moves its threshold for mmap as it runs: by chance, a freed block is kept or given back.
    settled = {"MALLOC_MMAP_THRESHOLD_": "1048576", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment = {**os.environ, **settled}
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    answer: list[float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(name: str, path: str, how: str) -> list[float]:
    """In a process of its own: seconds, and peak memory in KiB."""
    import resource

    import mlup

    kind = KINDS[name]
    small = os.path.join(os.path.dirname(path), f"small-{os.getpid()}{kind.suffix}")
    kind.write(small, 0.01)
    kind.native(small)
    mlup.load(small)
    call = kind.native if how == "native" else mlup.load
    started = time.perf_counter()
    model = call(path)
    seconds = time.perf_counter() - started
    del model
    return [seconds, float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)]


def compare(name: str, path: str) -> list[Row]:
    """The medians of several processes each way."""
    seen: dict[str, list[list[float]]] = {"native": [], "mlup": []}
    for at in range(ROUNDS):
        for how in sorted(seen, reverse=bool(at % 2)):  # each goes first in every other round
            seen[how].append(child("measure", name, path, how))
    times, peaks = zip(*seen["native"], strict=True)
    our_times, our_peaks = zip(*seen["mlup"], strict=True)
    ours, theirs = (f"{median(each) * 1e3:.0f} ms" for each in (our_times, times))
    memory, our_memory = median(peaks), median(our_peaks)
    what = f"{name}, {size_of(Path(path)) / 1e6:.0f} MB"
    return [
        Row(f"{what}: time", ratio(our_times, times), GOAL, f"{ours}, native {theirs}"),
        Row(
            f"{what}: peak memory",
            our_memory / memory,
            GOAL,
            f"{our_memory / 1024:.0f} MiB, native {memory / 1024:.0f}",
        ),
    ]


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file())


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(*sys.argv[2:])))
    elif sys.argv[1:2] == ["write"]:
        KINDS[sys.argv[2]].write(sys.argv[3], KINDS[sys.argv[2]].megabytes)
        print("[]")
    else:
        main()
