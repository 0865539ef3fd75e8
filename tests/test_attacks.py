"""No attack file runs, writes, opens, imports or changes anything; none kills, hangs or floods.

The files are in ``tests/attacks``; every one is looked at, loaded with ``auto`` and by name, from
its path and from memory, in a process of its own.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from attacks.case import ANY, UNSAFE, Case
from attacks.tables import all_cases
from attacks.trying import MODULES, Said, tried

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each attack is tried in a fork")

CASES = all_cases()
FRAMEWORKS = {
    "torch": ("numpy", "torch", "torch.serialization"),
    "tensorflow": ("tensorflow", "keras"),
    "onnx": ("onnx", "onnxruntime"),
    "": (),
}
"""What is imported before a framework's own files are tried, beside what the others need."""
SECONDS = 10
"""Of the processor: how many others want it is not the file's doing."""
MEGABYTES = 512
ASKED = 1536
"""Address space that may be asked for, in megabytes: a bomb may not even try."""


@pytest.fixture(scope="session")
def benign(tmp_path_factory):
    """Ordinary files of the kinds that are attacked; loading them imports what loading imports."""
    import joblib
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    folder = tmp_path_factory.mktemp("benign")
    X, y = np.eye(4), [0, 1, 0, 1]
    model = make_pipeline(LogisticRegression()).fit(X, y)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "tree.pkl").write_bytes(pickle.dumps(DecisionTreeClassifier().fit(X, y)))
    (folder / "old.pkl").write_bytes(pickle.dumps({"text": "\u00e9"}, 0))
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("archive/other", b"")
    joblib.dump(model, folder / "model.joblib")
    joblib.dump({"o": np.array([1, "x", None], dtype=object)}, folder / "objects.joblib")
    for compressor in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        joblib.dump(model, folder / f"model.joblib.{compressor}", compress=(compressor, 3))
    return sorted(str(path) for path in folder.iterdir())


def _chosen(request, test: str) -> dict[str, list[Case]]:
    """What pytest's own selection leaves, by the framework that has to be there first."""
    items = [item for item in request.session.items if item.originalname == test]
    names = {item.callspec.params["case"].name for item in items}
    chosen = {framework: [] for framework in FRAMEWORKS}
    for case in CASES:
        if case.name in names:
            chosen[_framework(case)].append(case)
    return {framework: cases for framework, cases in chosen.items() if cases}


def _framework(case: Case) -> str:
    return next((name for name in FRAMEWORKS if name in case.needs), "")


@pytest.fixture(scope="session")
def seen(request, tmp_path_factory, benign):
    found = {}
    for framework, cases in _chosen(request, "test_attack").items():
        folder = tmp_path_factory.mktemp(framework or "plain")
        models = [*benign, *(_torch_models(folder) if framework == "torch" else [])]
        found |= tried(cases, folder, modules=FRAMEWORKS[framework] or MODULES, benign=models)
    return found


@pytest.fixture(scope="session")
def really(request, tmp_path_factory):
    found = {}
    for framework, cases in _chosen(request, "test_the_attack_is_real").items():
        modules = FRAMEWORKS[framework] or ("numpy", "joblib")
        folder = tmp_path_factory.mktemp("real")
        found |= tried(cases, folder, native=True, modules=modules)
    return found


def _torch_models(folder: Path) -> list[str]:
    import torch

    module = torch.nn.Linear(2, 2)
    torch.save(module.state_dict(), folder / "state.pt")
    torch.save(module, folder / "module.pt")
    torch.save(module, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    return [str(folder / name) for name in ("state.pt", "module.pt", "legacy.pt")]


def _faults(case: Case, said: Said) -> list[str]:
    """What a case did that it may not do."""
    if "died" in said:
        return [f"the process died: {said['died']}"]
    faults = []
    for name, step in said["done"].items():
        faults += [f"{name}: {fault}" for fault in _of_step(case, name, step)]
    if said["marker"]:
        faults.append("the marker is there")
    faults += [f"changed: {each}" for each in said["changed"]]
    faults += [f"imported: {each}" for each in said["imported"]]
    if said["megabytes"] > MEGABYTES:
        faults.append(f"{said['megabytes']} MB")
    if said["asked"] > ASKED:
        faults.append(f"{said['asked']} MB were asked for")
    return faults


def _of_step(case: Case, name: str, step: Said) -> list[str]:
    faults = list(step["events"])
    if step["seconds"] > SECONDS:
        faults.append(f"{step['seconds']} seconds")
    if step["end"] == "raised":
        faults.append(step["error"])
    if "MemoryError" in str(step.get("chain")):
        faults.append("only the limit of the memory stopped it")
    if step.get("length", 0) > 10_000:
        faults.append(f"a message of {step['length']} characters")
    if name.startswith("look"):
        return faults
    if step["end"] == "loaded" and case.must != ANY:
        faults.append(f"loaded a {step['value']}")
    named = name.split()[1:2]
    if case.must == UNSAFE and named and step["end"] == "refused":
        faults.append(f"{step['error']}, no UnsafeModelError: {step['message'][:300]}")
    if step["end"] == "unsafe" and case.names and not set(case.names) & set(step["refused"]):
        faults.append(f"refused names {step['refused'][:5]}, none of {case.names[:5]}")
    return faults


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=case.name, marks=[pytest.mark.slow, pytest.mark.bomb] if case.bomb else []
        )
        for case in CASES
    ],
)
def test_attack(case, seen):
    assert _faults(case, seen[case.name]) == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.runs], ids=[case.name for case in CASES if case.runs]
)
def test_the_attack_is_real(case, really):
    """The framework's own loader runs it: what is refused is worth refusing."""
    said = really[case.name]
    error = said.get("native", "")
    if not said.get("marker") and ("ModuleNotFoundError" in error or "t get attribute" in error):
        pytest.skip(f"not in this Python: {error}")
    assert said.get("marker"), said


def test_refusals_that_have_a_name_give_it(seen):
    """95 of 100 at least; the table says which names would do."""
    named = [case for case in CASES if case.names and case.must == UNSAFE and case.name in seen]
    assert named
    given = [
        case
        for case in named
        if all(
            set(case.names) & set(step.get("refused", ()))
            for name, step in seen[case.name].get("done", {}).items()
            if name.startswith("load ")
        )
    ]
    assert len(given) >= 0.95 * len(named)


def test_the_runner_sees_what_it_should(tmp_path, benign):
    """A file that is allowed to run makes the marker, and is told of; so is one that kills."""
    assert importlib.util.find_spec("attacks") is not None
    real = [case for case in CASES if case.name in ("gadget_os_system", "gadget_eval")]
    said = tried(real, tmp_path / "real", native=True, modules=("numpy",))
    assert [each["marker"] for each in said.values()] == [True, True]
    killed = Case("kills", lambda marker: b"cos\nabort\n(tR.", runs="pickle")
    hangs = tried([killed], tmp_path / "kills", native=True, modules=("numpy",))
    assert hangs["kills"]["died"] == "signal 6, during the beginning"
