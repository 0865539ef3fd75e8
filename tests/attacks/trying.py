"""Writes the files of cases and has the runner try them: two runners beside each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attacks.case import Case

Said = dict[str, Any]
MODULES = (
    "numpy",
    "joblib",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.tree",
    "sklearn.neighbors",
    *(name for name in ("lightgbm", "xgboost") if find_spec(name)),
)
"""What is imported before anything is tried: what the benign files of the cases need."""

RUNNERS = 2
SECONDS = 120
"""After which one case is ended from outside. What a case may take is much less."""


def written(cases: Sequence[Case], folder: Path, native: bool) -> list[Said]:
    """The files of the cases, as the runner is told of them."""
    told = []
    for number, case in enumerate(cases):
        place = folder / str(number)
        place.mkdir(parents=True)
        marker = str(folder / f"marker-{number}")
        path = place / case.file
        content = case.make(marker)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path, marker)
        told.append(
            {
                "name": case.name,
                "path": str(path),
                "marker": marker,
                "binarizers": case.binarizers,
                "runs": case.runs,
                "native": native,
                "bytes": path.is_file(),
                "bomb": case.bomb,
            }
        )
    return told


def tried(
    cases: Sequence[Case],
    folder: Path,
    *,
    native: bool = False,
    modules: Sequence[str] = MODULES,
    benign: Sequence[str] = (),
    fork: bool = True,
) -> dict[str, Said]:
    """What the runner saw, by the cases' names."""
    told = written(cases, folder, native)
    if fork:
        shares = [told[number::RUNNERS] for number in range(RUNNERS)]
    else:
        shares = [told]
    with ThreadPoolExecutor(len(shares)) as pool:
        found = pool.map(lambda share: _run(share, folder, modules, benign, fork), shares)
    return {name: said for each in found for name, said in each.items()}


def _run(
    told: list[Said], folder: Path, modules: Sequence[str], benign: Sequence[str], fork: bool
) -> dict[str, Said]:
    if not told:
        return {}
    job = {
        "cases": told,
        "modules": list(modules),
        "benign": list(benign),
        "seconds": SECONDS,
        "fork": fork,
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLUP_", "_MLUP", "PYTHON", "COV"))
    }
    kept |= {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    kept |= {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "BROWSER": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    kept["TMPDIR"] = str(folder / "temporary")
    (folder / "temporary").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "attacks.runner"],
        input=json.dumps(job).encode(),
        capture_output=True,
        cwd=folder,
        env=kept,
        timeout=600,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {line.pop("name"): line for line in lines}
    if len(found) < len(told):  # without forks the one that killed the process is the next one
        missing = told[len(found)]["name"]
        found[missing] = {"died": f"{done.returncode}: {done.stderr.decode()[-2000:]}"}
    return found
