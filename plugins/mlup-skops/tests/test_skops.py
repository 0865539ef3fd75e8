"""What is a skops file, and what a load gives."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from handmade_skops import file_of, items, node
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators

import mlup
import mlup_skops
from mlup import ModelPath
from mlup.files import BUDGET

X, Y = make_classification(60, 5, random_state=0)
TREE = "sklearn.tree._tree.Tree"
PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
PIPELINE = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
DATA = skops.io.dumps(PIPELINE)


def score(data: bytes) -> float | None:
    with ModelPath.of(data) as path:
        found = mlup_skops.score(path, path.head, path.tail)
        assert not path.overdrawn
    return None if found is None else float(found)


# -- detection ----------------------------------------------------------------------------------

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_every_compression_of_skops_is_recognised(method):
    data = skops.io.dumps(PIPELINE, compression=method)
    assert score(data) == (0.95 if method in METHODS[:2] else 0.9)
    assert np.array_equal(mlup.load(data).predict(X), PIPELINE.predict(X))


def test_the_reason_says_what_is_in_it():
    version = skops.__version__
    assert (
        mlup.detect(DATA).best.reason
        == f"skops file of sklearn.pipeline.Pipeline (skops {version})"
    )


def zipped(members: dict[str, bytes], method: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


SCHEMA = json.dumps(node("ListNode", "builtins.list", content=[])).encode()
NOBODYS = {
    "a JSON schema": {"schema.json": b'{"$schema": "https://json-schema.org", "type": "object"}'},
    "a JSON schema with data": {"a.npy": b"\x93NUMPY", "schema.json": b'{"type": "object"}'},
    "an empty schema": {"a.npy": b"\x93NUMPY", "schema.json": b""},
    "a schema among files": {"readme.md": b"", "schema.json": SCHEMA},
    "a schema in a folder": {"data/schema.json": SCHEMA},
    "arrays in a folder": {"data/a.npy": b"", "schema.json": SCHEMA},
    "npz": {"a.npy": b"\x93NUMPY"},
    "keras": {"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b""},
    "torch": {"archive/data.pkl": b"\x80\x02.", "archive/version": b"3\n"},
    "nothing": {},
}


@pytest.mark.parametrize("method", METHODS[:2])
@pytest.mark.parametrize("name", NOBODYS)
def test_another_zip_is_nobodys(name, method):
    assert score(zipped(NOBODYS[name], method)) is None


def test_two_schemas_are_nobodys():
    stream = io.BytesIO(DATA)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("schema.json", SCHEMA)
    assert score(stream.getvalue()) is None


def test_a_file_cut_anywhere_is_nobodys():
    for length in [*range(200), *range(200, len(DATA), 97), *range(len(DATA) - 120, len(DATA))]:
        assert score(DATA[:length]) is None


def test_a_directory_too_long_to_be_read_is_recognised():
    members = {f"{140_000_000_000_000 + i}.npy": b"" for i in range(9_000)}
    assert score(file_of(items("ListNode"), members)) == 0.9
    assert score(zipped(members)) is None
    with ModelPath.of(file_of(items("ListNode"), members)) as path:
        mlup_skops.score(path, path.head, path.tail)
        assert path.left > BUDGET // 4


@settings(max_examples=200, deadline=None)
@given(
    field=st.integers(0, 40),
    value=st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]),
    which=st.sampled_from([b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"]),
    last=st.booleans(),
)
def test_lying_numbers_never_make_detection_raise(field, value, which, last):
    at = DATA.rfind(which) if last else DATA.find(which)
    data = bytearray(DATA)
    data[at + 4 + field : at + 8 + field] = struct.pack("<L", value)
    score(bytes(data))


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), byte=st.integers(0, 255))
def test_mutations_load_as_a_model_or_are_an_error(at, byte):
    data = bytearray(DATA)
    data[at] = byte
    score(bytes(data))
    try:
        mlup.load(bytes(data), "skops")
    except mlup.ModelLoadError:
        pass


# -- loading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["path", "bytes", "stream", "file"])
def test_a_model_comes_back_from_every_source(tmp_path, source):
    path = tmp_path / "m.skops"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        given = {"path": path, "bytes": DATA, "stream": io.BytesIO(DATA), "file": file}[source]
        loaded = mlup.load(given)
    assert np.array_equal(loaded.predict_proba(X), PIPELINE.predict_proba(X))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (RandomForestClassifier(3, random_state=0), TREE),
        (HistGradientBoostingClassifier(max_iter=3), PREDICTOR),
    ],
)
def test_trees_are_loaded_by_name(model, name):
    data = skops.io.dumps(model.fit(X, Y))
    with pytest.raises(mlup.UnsafeModelError, match="ends the process when it predicts") as caught:
        mlup.load(data)
    assert caught.value.refused == mlup.inspect(data).refused == (name,)
    for loaded in (mlup.load(data, allow=caught.value.refused), mlup.load(data, trust=True)):
        assert np.array_equal(loaded.predict(X), model.predict(X))
    assert mlup.inspect(data, allow=[name]).refused == ()


def test_a_function_of_ones_own_package_is_allowed_as_a_whole(tmp_path, monkeypatch):
    (tmp_path / "acme_of_tests").mkdir()
    (tmp_path / "acme_of_tests" / "__init__.py").write_text(
        "from os.path import exists\ndef twice(x):\n    return 2 * x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import acme_of_tests

    data = skops.io.dumps(FunctionTransformer(acme_of_tests.twice))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert caught.value.refused == ("acme_of_tests.twice",)
    for allow in (["acme_of_tests.twice"], ["acme_of_tests.*"]):
        assert mlup.load(data, allow=allow).transform(np.ones((1, 1))) == 2
        assert mlup.inspect(data, allow=allow).refused == ()
    through = file_of(node("FunctionNode", "acme_of_tests.exists"))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(through, allow=["acme_of_tests.*"])
    assert caught.value.refused == ("acme_of_tests.exists",)


def test_a_file_without_skops_schema_says_so():
    for data in (zipped({"a.npy": b""}), zipped({"schema.json": b"[]"}), b"PK\x03\x04", b""):
        with pytest.raises(mlup.ModelBinarizationError, match=r"skops\.io\.dump"):
            mlup.load(data, "skops")


def test_a_newer_protocol_says_what_to_do():
    with pytest.raises(mlup.ModelBinarizationError, match="update skops"):
        mlup.load(file_of(items("ListNode"), protocol=99))


@pytest.mark.filterwarnings("ignore:Trying to unpickle:UserWarning")  # of scikit-learn 1.2.2
@pytest.mark.parametrize(("version", "protocol"), [("0.3.0", 0), ("0.6.0", 1), ("0.11.0", 2)])
def test_files_of_older_releases_load(version, protocol):
    path = Path(__file__).parent / "data" / f"{version}.skops"
    best = mlup.detect(path).best
    reason = f"skops file of sklearn.preprocessing._data.StandardScaler (skops {version})"
    assert (best.score, best.reason) == (0.99, reason)
    report = mlup.inspect(path)
    assert (report.refused, report.stopped) == ((), "")
    assert f"skops {version}, in version {protocol}" in report.notes[0]
    assert mlup.load(path).mean_.tolist() == [1.5, 1.5]


# -- inspect ------------------------------------------------------------------------------------


def made() -> list[object]:
    found = []
    for _, estimator in all_estimators():
        try:
            found.append(estimator())
        except TypeError:  # it wants an argument
            continue
    return found


@pytest.mark.filterwarnings("ignore::FutureWarning")  # estimators that are on their way out
def test_verdicts_are_those_of_skops_for_every_estimator():
    looked = 0
    for model in made():
        try:
            data = skops.io.dumps(model)
        except TypeError:  # Birch, which skops does not write
            continue
        report = mlup.inspect(data)
        assert (set(report.refused), report.stopped) == (
            {*skops.io.get_untrusted_types(data=data)},
            "",
        )
        assert mlup.detect(data).best.binarizer == "skops"
        looked += 1
    assert looked > 150


VALUES = [
    np.float64(1.5),
    np.array([1, "a", None], dtype=object),
    np.ma.array([1, 2], mask=[0, 1]),
    np.dtype("f4"),
    np.random.default_rng(0),
    np.random.RandomState(0),
    {1: 2, "a": (3, {4}, [5])},
    slice(1, 2),
    b"bytes",
    bytearray(b"more"),
    np.add,
    int,
    PIPELINE.predict,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value).partition(" at 0x")[0])
def test_verdicts_are_those_of_skops_for_values(value):
    data = skops.io.dumps(value)
    untrusted = skops.io.get_untrusted_types(data=data)
    assert sorted(mlup.inspect(data).refused) == untrusted
    if untrusted:
        with pytest.raises(mlup.UnsafeModelError) as caught:
            mlup.load(data)
        assert list(caught.value.refused) == untrusted
    mlup.load(data, allow=untrusted)


def test_inspect_tells_names_roles_and_where_it_is_from():
    report = mlup.inspect(skops.io.dumps([GaussianNB(), np.add]))
    found = {str(each): (each.role, each.verdict) for each in report.imports}
    assert found["sklearn.naive_bayes.GaussianNB"] == ("call", "safe")
    assert ("reference", "safe") in found.values()
    assert f"skops {skops.__version__}" in report.notes[0]
    assert mlup.inspect(DATA[:500], "skops").stopped


def test_neither_detection_nor_inspection_imports_a_framework(tmp_path):
    (tmp_path / "m").write_bytes(DATA)
    code = (
        "import mlup, sys; mlup.detect(sys.argv[1]); assert mlup.inspect(sys.argv[1]).imports\n"
        "print([m for m in ('numpy', 'sklearn', 'scipy', 'skops', 'joblib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "m"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "skops")
    assert (info.distribution, info.status, info.problem) == ("mlup-skops", "ok", None)
    names = mlup_skops.safe_list()
    assert "sklearn.naive_bayes.GaussianNB" in names
    assert TREE not in names
    assert not any(name.startswith(("os.", "subprocess.", "operator.")) for name in names)
