"""``mlup.detect`` on warm local files, against opening them and reading both ends.

The files are the golden ones that have a model, by binarizer; every installed plugin is asked. Raw
is what a program does to look at both ends of a file: ``stat``, ``open()``, two reads of 100 bytes.
The same by bare system calls is shown beside it. Then the memory that a 1 GB ONNX file takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measuring import Row, in_turn, show

import mlup

ROUNDS = 60
GOLDEN = Path(__file__).parents[2] / "packages/mlup-testkit/src/mlup_testkit/golden"

PEAK = """
import resource, sys
import mlup
mlup.detect(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = mlup.detect(sys.argv[1]).best
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, found and found.binarizer)
"""


def raw(path: str) -> int:
    """``stat``, ``open()``, and the first and the last 100 bytes."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        file.read(100)
        file.seek(max(0, size - 100))
        file.read(100)
    return size


def bare(path: str) -> int:
    """The same without a file object: less cannot be done."""
    fd = os.open(path, os.O_RDONLY)
    size = os.fstat(fd).st_size
    os.pread(fd, 100, 0)
    os.pread(fd, 100, max(0, size - 100))
    os.close(fd)
    return size


def main() -> None:
    """Print a row for each binarizer, zips apart, and one for all."""
    with (GOLDEN / "manifest.jsonl").open(encoding="utf-8") as lines:
        listed = [json.loads(line) for line in lines]
    installed = {info.name for info in mlup.plugins()}
    kinds: dict[str, list[Path]] = {}
    for row in listed:
        path = GOLDEN / "files" / row["path"]
        if row["label"] in installed and path.is_file():
            zipped = path.read_bytes()[:4] == b"PK\x03\x04"
            kinds.setdefault(f"{row['label']}{', zip' if zipped else ''}", []).append(path)
    rows, everything = [], []
    for kind, files in sorted(kinds.items()):
        measured = [measure(path) for path in files]
        everything += measured
        rows.append(row_of(kind, measured, 8 if "zip" in kind else 4))
    rows.append(row_of("all of them", everything, 4))
    show(f"detect, {len(installed)} binarizers: the median file", rows)
    with tempfile.TemporaryDirectory() as folder:
        memory(folder, everything[0].path)


class Measured(NamedTuple):
    """Microseconds for one file, the best of :data:`ROUNDS` in turn."""

    path: str
    raw: float
    bare: float
    detect: float


def measure(path: Path) -> Measured:
    """The three ways, in turn."""
    name = str(path)
    times = in_turn([lambda: raw(name), lambda: bare(name), lambda: mlup.detect(name)], ROUNDS)
    return Measured(name, *(min(each) * 1e6 for each in times))


def row_of(kind: str, measured: list[Measured], goal: float) -> Row:
    """The median file of a kind, and its slowest one."""
    slowest = max(measured, key=lambda each: each.detect)
    bare_ratio = median(each.detect / each.bare for each in measured)
    detail = (
        f"{median(each.detect for each in measured):.0f} us; {bare_ratio:.1f}x bare system calls; "
    )
    detail += f"slowest: {slowest.detect:.0f} us, {Path(slowest.path).name}"
    what = f"{kind} ({len(measured)} models)"
    return Row(what, median(each.detect / each.raw for each in measured), goal, detail)


def memory(folder: str, small: str) -> None:
    """A sparse file of 1 GB, most of it one tensor of an ONNX graph."""
    tensor = _field(9, 1024**3)  # raw_data
    initializer = _field(5, len(tensor) + 1024**3) + tensor
    graph = _field(7, len(initializer) + 1024**3) + initializer
    path = os.path.join(folder, "large")
    with open(path, "wb") as file:
        file.write(b"\x08\x08" + graph)
        file.seek(1024**3, os.SEEK_CUR)
        file.write(_field(8, 2) + b"\x10\x11")  # opset_import
    command = [sys.executable, "-c", PEAK, path, small]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    grown, name = done.stdout.split()
    size = os.path.getsize(path) / 1e9
    print(
        f"\ndetect, a file of {size:.2f} GB ({name}): peak memory grew by {grown} KiB (goal 1024)"
    )


def _field(number: int, length: int) -> bytes:
    """The tag and the length of a length-delimited protobuf field."""
    out = bytes([number << 3 | 2])
    while length > 127:
        out += bytes([length & 127 | 128])
        length >>= 7
    return out + bytes([length])


if __name__ == "__main__":
    main()
