"""Mutants and noise in a process that watches itself: nothing is imported, opened or run."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import io, pickle, random, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
import argparse, collections, datetime, decimal, functools, pathlib, re, types, uuid, copyreg
import _codecs, zoneinfo, _operator, math, encodings.unicode_escape
import mlup_safepickle

random = random.Random(int(sys.argv[1]))
seeds = [
    pickle.dumps(value, protocol)
    for protocol in range(6)
    for value in (
        [1, 2.5, {"a": (b"x", None, {3})}, frozenset({4}), bytearray(b"y"), range(5), 2**80],
        [collections.OrderedDict(a=1), collections.deque([1]), collections.Counter("aab"),
         collections.defaultdict(list, a=[1]), uuid.UUID(int=5), decimal.Decimal("1.5"),
         datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), argparse.Namespace(a=1)],
    )
] + [
    b"(cos\\nsystem\\nVtouch x\\ntR.", b"cbuiltins\\neval\\n(V1\\ntR.", b"(Vx\\nios\\nsystem\\n.",
    b"\\x80\\x04\\x8c\\x02os\\x8c\\x06system\\x93(Vx\\nt\\x81.", b"cos\\nsystem\\n}b.",
    b"cbuiltins\\ngetattr\\n(cos\\nsystem\\nV__globals__\\ntR.",
]
for each in seeds:  # what is listed is imported once, before anything is watched
    try:
        mlup_safepickle.load(io.BytesIO(each))
    except mlup_safepickle.Refused:
        pass
bad = []
WATCHED = ("import", "open", "exec", "compile", "os.", "subprocess.", "socket.", "ctypes.", "shutil.")
def hook(event, args):
    if event.startswith(WATCHED) and watching:
        bad.append((event, str(args)[:200]))
watching = False
sys.addaudithook(hook)
OPCODES = bytes(mlup_safepickle.opcodes.OPCODES) if hasattr(mlup_safepickle, "opcodes") else bytes(range(256))
results = collections.Counter()
for number in range(int(sys.argv[2])):
    if number % 3 == 0:
        data = bytes(random.choice(OPCODES) for _ in range(random.randrange(1, 60)))
    else:
        data = bytearray(random.choice(seeds))
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(data))
            kind = random.randrange(4)
            if kind == 0:
                data[at] = random.randrange(256)
            elif kind == 1:
                del data[at : at + random.randrange(1, 9)]
                data = data or bytearray(b".")
            elif kind == 2:
                data[at:at] = bytes([random.choice(OPCODES)])
            else:
                other = random.choice(seeds)
                start = random.randrange(len(other))
                data[at:at] = other[start : start + random.randrange(1, 40)]
        data = bytes(data)
    watching = True
    try:
        mlup_safepickle.load(io.BytesIO(data))
        results["loaded"] += 1
    except mlup_safepickle.Refused:
        results["refused"] += 1
    except RecursionError as error:
        bad.append(("RecursionError", data))
    except MemoryError as error:
        bad.append(("MemoryError", data))
    except Exception as error:
        results["damaged"] += 1
    mlup_safepickle.inspect(io.BytesIO(data))
    watching = False
print(dict(results))
print(bad[:5])
assert not bad, bad[:5]
assert len(results) == 3, results
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
@pytest.mark.parametrize("seed", [1, 2])
def test_mutants_do_nothing(seed: int) -> None:
    tried = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(seed), "2500"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert tried.returncode == 0, tried.stdout[-1000:] + tried.stderr[-1000:]
