"""What is done in a process of its own, from the side that asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SECONDS = 240  # without an answer: of one load, not of all that a busy machine does
_DEATHS = 5  # of loading processes, before it is given up

MADE_ITS_MARKER = "what is in the file ran, and made its marker"

_COST = """
import sys, time
start = time.process_time()
import mlup.registry, mlup.loading
mlup.registry.current()
core = time.process_time() - start
start = time.process_time()
__import__(sys.argv[1])
print(time.process_time() - start, core)
"""


class Scored(NamedTuple):
    """What a process did that only scored."""

    modules: frozenset[str]
    """Top-level names of what was imported."""
    opened: tuple[str, ...]


class Outcome(NamedTuple):
    """How one load in a process of its own ended.

    Attributes:
        said: ``loaded``, or the error's type and message.
        refused: a ``ModelBinarizationError`` or an ``UnsafeModelError``; where no binarizer was
            named, also that it is nobody's.
        done: what was done that must not be: a marker made, a process started, text run as Python.
    """

    said: str
    refused: bool
    done: tuple[str, ...]

    @property
    def loaded(self) -> bool:
        """Whether a model came out."""
        return self.said == "loaded"


def cost_of_import(module: str, tries: int = 4) -> tuple[float, float]:
    """Seconds of processor time for a module, and for mlup before it: the best of several tries."""
    environment = _environment({"MLUP_PLUGINS": "memory"})
    costs = []
    for _ in range(tries):
        command = [sys.executable, "-c", _COST, module]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
        assert done.returncode == 0, f"importing {module} failed:\n{done.stderr}"
        mine, core = done.stdout.split()[-2:]
        costs.append((float(mine), float(core)))
    return min(cost[0] for cost in costs), min(cost[1] for cost in costs)


def scored_in_a_fresh_process(binarizer: str, paths: Iterable[Path]) -> Scored:
    """Score files with one binarizer alone, and say what was imported and opened meanwhile."""
    said = _run("scoring", {"paths": [str(path) for path in paths]}, {"MLUP_PLUGINS": binarizer})
    assert said.lines, f"the process that scores ended with {said.ended}:\n{said.stderr}"
    return Scored(frozenset(said.lines[0]["modules"]), tuple(said.lines[0]["opened"]))


def loaded_in_fresh_processes(
    binarizer: str, own: str, warm_up: Sequence[Path], cases: Sequence[Mapping[str, Any]]
) -> dict[str, Outcome]:
    """Load files under the default trust, and say how each ended.

    Args:
        binarizer: the one under contract.
        own: the module whose code, with what is below it, may run nothing that it is given.
        warm_up: files that are loaded first, so that what frameworks do once is not the file's.
        cases: each with ``key``, ``path``, ``binarizer`` and ``marker``.

    Returns:
        by ``key``. What ended the process has that as its outcome.
    """
    found: dict[str, Outcome] = {}
    left = list(cases)
    for _ in range(_DEATHS):
        warm = [[str(path), binarizer] for path in warm_up]
        job = {"own": own, "warm": warm, "cases": left}
        said = _run("loading", job, {})
        for line in said.lines:
            found[line["key"]] = Outcome(line["said"], line["refused"], tuple(line["done"]))
        left = [case for case in left if case["key"] not in found]
        if not left:
            return found
        where = f"{said.ended}: {said.stderr[-600:]}"
        if not said.ready:
            raise AssertionError(f"loading its own files ended the process, {where}")
        fatal = left.pop(0)
        done = (MADE_ITS_MARKER,) if Path(fatal["marker"]).exists() else ()
        found[fatal["key"]] = Outcome(f"the process ended, {where}", False, done)
    raise AssertionError(f"{_DEATHS} loads ended the process, the last {where}")


class _Said(NamedTuple):
    lines: list[Any]
    ready: bool
    ended: str
    stderr: str


def _run(what: str, job: Mapping[str, Any], variables: Mapping[str, str]) -> _Said:
    with tempfile.TemporaryDirectory(prefix="mlup-testkit-") as folder:
        answers = Path(folder, "answers")  # a framework may print whatever it wants
        answers.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", f"mlup_testkit.{what}_process", str(answers)],
            env=_environment(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        stderr, ended = _watched(process, json.dumps(job), answers)
        lines = [json.loads(line) for line in answers.read_text("utf-8").splitlines() if line]
    ready = any("ready" in line for line in lines)
    return _Said([line for line in lines if "ready" not in line], ready, ended, stderr)


def _watched(process: subprocess.Popen[str], job: str, answers: Path) -> tuple[str, str]:
    """What a process wrote to standard error, and how it ended; one that no longer answers is killed."""
    said: str | None = job
    while True:
        before = answers.stat().st_size
        try:
            _, stderr = process.communicate(said, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            said = None  # it has it
            if answers.stat().st_size > before:
                continue
            process.kill()
            return process.communicate()[1], f"no answer within {_SECONDS} s"
        return stderr, f"exit code {process.returncode}"


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLUP_")}
    kept["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return {**kept, **variables}
