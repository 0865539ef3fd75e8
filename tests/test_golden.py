"""Every golden file is given to the right binarizer: whatever it is called, however it comes.

``golden/README.md`` says what the files are; they are shipped with the kit. No framework is needed, and any subset of the plugins
may be installed: what belongs to one that is not here must be nobody's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest

import mlup
from mlup_testkit import golden

FILES = golden.FILES
ROWS = [
    json.loads(line)
    for line in (golden.FOLDER / "manifest.jsonl").read_text("utf-8").splitlines()
    if line
]
LABELS = {
    "pickle": 70,
    "joblib": 100,
    "lightgbm": 25,
    "torch": 50,
    "torch-jit": 20,
    "tensorflow": 25,
    "tensorflow-saved": 20,
    "onnx": 50,
    "safetensors": 5,
    "skops": 3,
    "xgboost": 6,
}
"""The official binarizers, and how many rows there are at least of each."""

HEARD = {info.name for info in mlup.plugins() if info.status in ("ok", "unavailable")}
MISLEADING = (".pkl", ".joblib", ".txt", ".pt", ".h5", ".keras", ".onnx", ".pb", ".zip", ".bin")
FRAMEWORKS = {
    "numpy",
    "scipy",
    "pandas",
    "sklearn",
    "joblib",
    "lz4",
    "cloudpickle",
    "dill",
    "lightgbm",
    "torch",
    "tensorflow",
    "keras",
    "tf_keras",
    "h5py",
    "google",
    "onnx",
    "onnxruntime",
    "xgboost",
    "catboost",
    "safetensors",
    "skops",
}

each_row = pytest.mark.parametrize("row", ROWS, ids=[row["path"] for row in ROWS])
each_file = pytest.mark.parametrize(
    "row",
    [row for row in ROWS if (FILES / row["path"]).is_file()],
    ids=[row["path"] for row in ROWS if (FILES / row["path"]).is_file()],
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for links under other names."""
    return tmp_path_factory.mktemp("golden")


def allowed(row):
    """The binarizers that may be chosen; ``none`` stands for nobody."""
    label = row["label"]
    return {label if label in HEARD else "none", *row["acceptable"]}


def chosen(source):
    """Who is chosen for a source, and all the candidates with their scores."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert detection.tied == ()
    scores = [(each.binarizer, float(each.score)) for each in detection.candidates]
    return (detection.best.binarizer if detection.best else "none"), scores


def renamed(row, place, extension):
    """The same file or folder under a name that says nothing but, maybe, something wrong."""
    path = FILES / row["path"]
    target = place / f"{ROWS.index(row)}{extension}"
    if path.name in ("saved_model.pb", "saved_model.pbtxt"):  # only its folder can be renamed
        return link(path.parent, target) / path.name
    return link(path, target)


def link(path, target):
    try:
        target.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:  # Windows without the privilege
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, target)
    return target


@each_row
def test_it_is_chosen_under_its_own_name(row):
    assert chosen(FILES / row["path"])[0] in allowed(row)


@each_row
def test_it_is_chosen_without_an_extension(row, place):
    assert chosen(renamed(row, place, ""))[0] in allowed(row)


@each_row
def test_it_is_chosen_under_a_misleading_extension(row, place):
    at = ROWS.index(row)
    for extension in (MISLEADING[at % len(MISLEADING)], MISLEADING[(at + 3) % len(MISLEADING)]):
        assert chosen(renamed(row, place, extension))[0] in allowed(row)


@each_file
def test_bytes_and_streams_are_what_the_file_is(row, tmp_path):
    path = FILES / row["path"]
    data = path.read_bytes()
    nameless = tmp_path / "x"
    nameless.write_bytes(data)
    of_file = chosen(nameless)
    if path.name not in ("saved_model.pb", "saved_model.pbtxt"):  # there the folder has a say
        assert of_file[0] in allowed(row)
    assert chosen(data) == of_file
    with nameless.open("rb") as stream:
        assert chosen(stream) == of_file
        assert stream.tell() == 0


def test_nothing_of_a_framework_is_imported():
    code = "import sys, json, os, mlup\n"
    code += "for path in json.load(sys.stdin):\n"
    code += "    mlup.detect(path)\n"
    code += "    if os.path.isfile(path):\n"
    code += "        with open(path, 'rb') as stream:\n"
    code += "            mlup.detect(stream.read())\n"
    code += "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([str(FILES / row["path"]) for row in ROWS]),
        env={name: value for name, value in os.environ.items() if not name.startswith("MLUP_")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    modules = set(json.loads(done.stdout))
    assert {"mlup", "json"} <= modules
    assert not modules & FRAMEWORKS


def test_the_manifest_and_the_files_are_the_same_set():
    paths = [row["path"] for row in ROWS]
    assert paths == sorted(set(paths))
    missing = [path for path in paths if not (FILES / path).exists()]
    assert missing == []
    folders = tuple(f"{path}/" for path in paths if (FILES / path).is_dir())
    listed = set(paths)
    there = {each.relative_to(FILES).as_posix() for each in FILES.rglob("*") if each.is_file()}
    unlisted = [each for each in sorted(there - listed) if not each.startswith(folders)]
    assert unlisted == []


def test_the_kit_gives_the_same_rows():
    assert [(row.path, row.label, list(row.acceptable)) for row in golden.rows()] == [
        (row["path"], row["label"], row["acceptable"]) for row in ROWS
    ]
    assert all(row.file.exists() for row in golden.rows())


def test_there_are_enough_of_every_kind():
    counts = Counter(row["label"] for row in ROWS)
    assert {label: counts[label] for label in LABELS if counts[label] < LABELS[label]} == {}
    truncated = {row["label"] for row in ROWS if row["label"].startswith("truncated-")}
    assert {f"truncated-{label}" for label in LABELS} <= truncated
    assert counts["none"] >= 100
    assert sum(each.stat().st_size for each in FILES.rglob("*") if each.is_file()) < 3_500_000


def test_every_labelled_file_was_loaded_when_it_was_written():
    loaded = {row["path"] for row in ROWS if row.get("loads") is True}
    assert [r["path"] for r in ROWS if r["label"] in LABELS and r["path"] not in loaded] == []
    truncated = [r for r in ROWS if r["label"].removeprefix("truncated-") in LABELS]
    assert [r["path"] for r in truncated if r["label"] not in LABELS and r["loads"]] == []


def test_line_ends_came_through_the_checkout():
    assert (FILES / "lightgbm" / "crlf.txt").read_bytes().startswith(b"tree\r\nversion=v4\r\n")
    assert (FILES / "lightgbm" / "regression.txt").read_bytes().startswith(b"tree\nversion=v4\n")
