"""The lightgbm binarizer: text models of every kind, written here by LightGBM, and what is none."""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import pickle
import re
import tempfile
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from lightgbm.basic import _LIB, _safe_call

import mlup
import mlup_lightgbm
from mlup.files import BUDGET, ModelPath

BOM = b"\xef\xbb\xbf"
DATA = Path(__file__).parent / "data"
QUIET = {"verbose": -1, "num_threads": 1, "num_leaves": 5, "min_data_in_leaf": 5, "seed": 1}
RANDOM = np.random.default_rng(5)
X = RANDOM.random((200, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + RANDOM.random(200) / 5
CATEGORIES = np.column_stack([RANDOM.integers(0, 6, 200), X[:, 1:]]).astype(float)


def train(rounds: int = 5, x=X, y=Y, dataset=None, **params) -> lightgbm.Booster:
    data = lightgbm.Dataset(x, y, params={"verbose": -1}, **(dataset or {}))
    return lightgbm.train({**QUIET, "objective": "regression", **params}, data, rounds)


def untrained() -> lightgbm.Booster:
    data = lightgbm.Dataset(X, Y, params={"verbose": -1})
    return lightgbm.Booster({**QUIET, "objective": "regression"}, data)


def pull(predictions, data):
    """A custom objective."""
    return predictions - data.get_label(), np.ones_like(predictions)


REGRESSION = train()
MODELS = {
    "regression": REGRESSION,
    "binary": train(y=Y.mean() < Y, objective="binary"),
    "multiclass": train(y=np.digitize(Y, [-0.8, 0.0]), objective="multiclass", num_class=3),
    "one against all": train(y=np.digitize(Y, [-0.8, 0.0]), objective="multiclassova", num_class=3),
    "ranking": train(
        y=np.digitize(Y, [-0.8, 0.0]), objective="lambdarank", dataset={"group": [50] * 4}
    ),
    "quantile": train(objective="quantile", alpha=0.7),
    "poisson": train(y=Y - Y.min(), objective="poisson"),
    "cross entropy": train(y=(Y - Y.min()) / np.ptp(Y), objective="cross_entropy"),
    "dart": train(boosting="dart"),
    "goss": train(data_sample_strategy="goss"),
    "forest": train(boosting="rf", bagging_freq=1, bagging_fraction=0.6),
    "linear": train(linear_tree=True),
    "categories": train(
        x=CATEGORIES, y=CATEGORIES[:, 0] % 3 + X[:, 1], dataset={"categorical_feature": [0]}
    ),
    "monotone": train(monotone_constraints=[1, -1, 0, 0]),
    "custom objective": train(objective=pull),
    "one tree": train(1),
    "one leaf": train(2, y=np.ones(200)),
    "no tree": untrained(),
    "many trees": train(900, num_leaves=3, learning_rate=0.01),
    "large trees": train(3, num_leaves=200, min_data_in_leaf=1),
    "long names": train(dataset={"feature_name": [c * 400 for c in "abcd"]}),
    "names of any language": train(dataset={"feature_name": ["größe", "価格", "ñandú", "d"]}),
    "names like keys": train(dataset={"feature_name": ["Tree=0", "tree_sizes=3", "a=b=c", "=1"]}),
    "many features": train(
        2, x=np.hstack([X, RANDOM.random((200, 1200))]), feature_pre_filter=False
    ),
}
SOURCES = {
    "str": str,
    "Path": Path,
    "bytes": lambda path: Path(path).read_bytes(),
    "bytearray": lambda path: bytearray(Path(path).read_bytes()),
    "memoryview": lambda path: memoryview(Path(path).read_bytes()),
    "BytesIO": lambda path: io.BytesIO(Path(path).read_bytes()),
    "pipe": lambda path: Unseekable(Path(path).read_bytes()),
    "file": lambda path: mlup.LoadedFile(path=str(path)),
    "loaded bytes": lambda path: mlup.LoadedFile(raw_data=Path(path).read_bytes()),
    "loaded text": lambda path: mlup.LoadedFile(raw_data=Path(path).read_bytes().decode()),
}


class Unseekable(io.RawIOBase):
    """A pipe's manners: it reads, and cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._stream.readinto(buffer)


@pytest.fixture(scope="module", autouse=True)
def _only_lightgbm():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "lightgbm")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert os.listdir(folder) == []


def saved(booster: lightgbm.Booster, path: Path, **how) -> bytes:
    booster.save_model(path, **how)
    return path.read_bytes()


def crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def best(source: object) -> float | None:
    """The claim, if there is one; the plugin may not fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["lightgbm"])
    return detection.best and detection.best.score


def same(loaded: object, booster: lightgbm.Booster) -> bool:
    assert type(loaded) is lightgbm.Booster
    x = np.random.default_rng(9).random((50, booster.num_feature())) * 3
    return (
        np.array_equal(loaded.predict(x), booster.predict(x))
        and np.array_equal(loaded.predict(x, pred_leaf=True), booster.predict(x, pred_leaf=True))
        and loaded.num_trees() == booster.num_trees()
        and loaded.feature_name() == booster.feature_name()
        and loaded.pandas_categorical == booster.pandas_categorical
    )


# -- what LightGBM writes -----------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_recognised_without_an_extension_and_predicts(tmp_path, name):
    path = tmp_path / "model"
    data = saved(MODELS[name], path)
    native = lightgbm.Booster(model_file=path)

    detection = mlup.detect(path)

    assert detection.problems == ()
    assert [(each.binarizer, each.score) for each in detection.candidates] == [("lightgbm", 0.95)]
    assert detection.best.distribution == "mlup-lightgbm"
    assert same(mlup.load(path), native)
    assert same(mlup.load(data), native)
    assert best(data) == 0.95


@pytest.mark.parametrize("name", MODELS)
def test_windows_line_ends_are_no_obstacle(tmp_path, name):
    path = tmp_path / "model"
    saved(MODELS[name], path)
    native = lightgbm.Booster(model_file=path)
    for text, score in (
        (crlf(path.read_bytes()), 0.9),
        (BOM + crlf(path.read_bytes()), 0.9),
        (BOM + path.read_bytes(), 0.95),
        # what the Python package writes on Windows
        (path.read_bytes().replace(b"\npandas_cat", b"\r\npandas_cat")[:-1] + b"\r\n", 0.95),
    ):
        path.write_bytes(text)
        assert best(path) == score
        assert same(mlup.load(path), native)
        assert same(mlup.load(text), native)


@pytest.mark.parametrize("name", ["regression", "multiclass", "no tree"])
def test_every_writer_and_every_ending_is_recognised(tmp_path, name):
    booster, path = MODELS[name], tmp_path / "model"
    by_c = str(path).encode()
    whole = saved(booster, path)
    _safe_call(_LIB.LGBM_BoosterSaveModel(booster._handle, 0, -1, 0, ctypes.c_char_p(by_c)))
    texts = {
        "C API": path.read_bytes(),
        "model_to_string": booster.model_to_string().encode(),
        "gain": saved(booster, path, importance_type="gain"),
        "no newline at its end": whole.rstrip(),
        "blank lines at its end": whole + b"\n\n",
        "a parser": path.read_bytes().rpartition(b"\npandas")[0]
        + b'\nparser:\n{"className": "P"}\nend of parser\n',
        "importances last": whole[: whole.index(b"\nparameters:")],
        "trees last": whole[: whole.index(b"end of trees")] + b"end of trees",
        "a later version": whole.replace(b"version=v4", b"version=v12"),
        "no version": whole.replace(b"version=v4\n", b""),
    }
    for what, text in texts.items():
        path.write_bytes(text)
        assert best(path) == 0.95, what
        assert best(crlf(text)) == 0.9, what
        native = lightgbm.Booster(model_file=path)
        assert same(mlup.load(path), native), what
        assert same(mlup.load(crlf(text)), native), what


@pytest.mark.parametrize("rounds", [{"num_iteration": 2}, {"start_iteration": 3}])
@pytest.mark.parametrize("name", ["regression", "multiclass", "forest", "linear"])
def test_a_part_of_the_rounds_is_a_model(tmp_path, name, rounds):
    path = tmp_path / "model"
    saved(MODELS[name], path, **rounds)
    assert best(path) == 0.95
    assert same(mlup.load(path), lightgbm.Booster(model_file=path))
    assert mlup.load(path).num_trees() == 2 * MODELS[name].num_model_per_iteration()


@pytest.mark.parametrize(
    "categories",
    [
        [],
        [[]],
        [["a", "b"], ["c"]],
        [[1, 2], [3.5], [True, False]],
        [["]]", '"', "[[", "\\", "größe"]],
        [[f"city-{n}" for n in range(40)]],
        [[f"city-{n}" for n in range(2000)], ["a"]],
    ],
    ids=["none", "empty", "two", "numbers", "brackets", "long", "longer"],
)
def test_the_categories_of_a_data_frame_come_back(tmp_path, categories):
    booster, path = lightgbm.Booster(model_str=REGRESSION.model_to_string()), tmp_path / "model"
    booster.pandas_categorical = categories
    text = saved(booster, path)
    assert best(path) == 0.95
    for source in (path, text, crlf(text), text.rstrip()):
        assert mlup.load(source).pandas_categorical == categories


def test_categories_past_what_is_read_leave_the_end_open(tmp_path):
    booster, path = lightgbm.Booster(model_str=REGRESSION.model_to_string()), tmp_path / "m"
    booster.pandas_categorical = [[f"city-{n}" for n in range(30_000)]]
    text = saved(booster, path)
    assert len(text) > 300_000
    assert best(path) == 0.8
    assert same(mlup.load(path), booster)
    assert same(mlup.load(crlf(text)), booster)
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(text[:-4] + b'x"]]\nx\n', "lightgbm")


def test_pandas_itself(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.Categorical(list("xyzw") * 50), "b": X[:, 1]})
    train(x=frame).save_model(tmp_path / "m")
    assert best(tmp_path / "m") == 0.95
    assert same(mlup.load(tmp_path / "m"), lightgbm.Booster(model_file=tmp_path / "m"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_booster_of_a_scikit_learn_estimator(tmp_path):
    pytest.importorskip("sklearn")
    estimator = lightgbm.LGBMClassifier(n_estimators=4, **QUIET).fit(X, Y.mean() < Y)
    estimator.booster_.save_model(tmp_path / "m")
    assert best(tmp_path / "m") == 0.95
    loaded = mlup.load(tmp_path / "m")
    assert np.array_equal(loaded.predict(X), estimator.predict_proba(X)[:, 1])


OLD = {  # version → what that version itself predicted for POINTS; see data/README.md
    "2.0.10": [0.312627573063, 0.417048983225, 0.758113472239],
    "2.0.12": [0.312627573063, 0.417048983225, 0.758113472239],
    "2.1.2": [0.312627576526, 0.417048984926, 0.758113469071],
    "2.2.3": [0.312627576526, 0.417048984926, 0.758113469071],
    "2.3.1": [0.312627576526, 0.417048984926, 0.758113469071],
    "3.3.5": [0.312627576526, 0.417048984926, 0.758113469071],
    "4.0.0": [0.312627576526, 0.417048984926, 0.758113469071],
}
POINTS = [[0.1, 0.9], [0.5, 0.5], [0.9, 0.2]]


@pytest.mark.parametrize("version", OLD)
def test_a_file_of_an_older_version_predicts_as_that_version_did(version):
    path = DATA / f"{version}.txt"
    text = path.read_bytes()
    plain = 0.9 if version == "2.0.10" else 0.95  # which says nothing of its trees' sizes
    assert best(text) == plain
    assert best(crlf(text)) == 0.9
    assert best(path) == (0.95 if plain == 0.9 else 0.99)
    for source in (path, text, crlf(text), BOM + text):
        assert np.allclose(mlup.load(source).predict(POINTS), OLD[version], rtol=0, atol=1e-12)
    assert same(mlup.load(path), lightgbm.Booster(model_file=path))


@pytest.mark.parametrize("version", OLD)
def test_a_cut_file_of_an_older_version_is_refused_or_predicts_the_same(version):
    text = (DATA / f"{version}.txt").read_bytes()
    trees = text.rindex(b"shrinkage=")
    for form in (text, crlf(text)):
        assert [at for at in range(trees) if best(form[:at])] == []
    for at in range(trees, len(text), 7):
        if best(text[:at]):
            assert np.allclose(mlup.load(text[:at]).predict(POINTS), OLD[version], atol=1e-12)


@pytest.mark.parametrize("version", OLD)
def test_wherever_the_window_on_the_end_begins_the_trees_end_is_found(version):
    text = (DATA / f"{version}.txt").read_bytes()
    end = text.rindex(b"shrinkage=")
    for shift in range(4096 - (len(text) - end), 4096 - (len(text) - end) + 120):
        name = b"x" * (shift - 4)
        longer = text.replace(b"\nColumn_0=", b"\n%s=9\nColumn_0=" % name)
        longer += b"\n" * (shift - 3 - (len(longer) - len(text)))
        assert best(longer) == (0.9 if version == "2.0.10" else 0.95), shift


def test_a_header_longer_than_is_read_is_left_unmeasured(tmp_path):
    x = np.random.default_rng(0).random((40, 14_000))
    booster = train(1, x=x, y=x[:, 0], num_leaves=3)
    text = saved(booster, tmp_path / "m")
    assert text.index(b"\nTree=0") > 512 * 1024
    assert best(tmp_path / "m") == 0.9
    assert same(mlup.load(tmp_path / "m"), booster)
    assert best(text[: len(text) // 2]) is None
    assert best(text[: text.index(b"shrinkage=")]) is None


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("m.txt", 0.99),
        ("M.TXT", 0.99),
        ("m.lgb", 0.99),
        ("m.lgbm", 0.99),
        ("m.model", 0.99),
        ("txt", 0.95),
        ("m.txt.bak", 0.95),
        ("m.pkl", 0.95),
        ("m.joblib", 0.95),
        ("m.onnx", 0.95),
        ("m.pt", 0.95),
        ("m.keras", 0.95),
        ("m.h5", 0.95),
        ("m.json", 0.95),
        ("m.txt.snapshot_iter_10", 0.95),
    ],
)
def test_the_extension_adds_to_the_content_and_misleads_nobody(tmp_path, name, score):
    saved(REGRESSION, tmp_path / name)
    assert best(tmp_path / name) == score
    assert same(mlup.load(tmp_path / name), REGRESSION)


@pytest.mark.parametrize("suffix", mlup_lightgbm.extensions)
def test_the_extension_alone_is_nothing(tmp_path, suffix):
    (tmp_path / f"m{suffix}").write_bytes(b"tree\nof knowledge")
    assert best(tmp_path / f"m{suffix}") is None


def test_the_reason_names_the_version_and_the_trees(tmp_path):
    reason = mlup.detect(MODELS["multiclass"].model_to_string().encode()).best.reason
    assert reason == "LightGBM text model v4, 15 trees, up to its end"
    assert ", 1 tree," in mlup.detect(MODELS["one tree"].model_to_string().encode()).best.reason
    assert "before 2.0.12" in mlup.detect(DATA / "2.0.10.txt").best.reason


@pytest.mark.parametrize("name", ["größe.txt", "模型", "a b.txt", "%41.lgb", "nasłuch é.model"])
def test_a_path_of_any_language_is_loaded(tmp_path, name):
    (tmp_path / "フォルダ").mkdir()
    path = tmp_path / "フォルダ" / name
    path.write_text(REGRESSION.model_to_string(), newline="")
    assert same(mlup.load(path), REGRESSION)


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_path_that_is_no_text_is_loaded(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")
    try:
        Path(path).write_text(REGRESSION.model_to_string(), newline="")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert same(mlup.load(path), REGRESSION)


# -- sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [bytes, crlf], ids=["unix", "windows"])
@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_is_loaded(tmp_path, kind, form):
    path = tmp_path / "model.dat"
    path.write_bytes(form(saved(MODELS["multiclass"], path)))
    assert same(mlup.load(SOURCES[kind](str(path))), MODELS["multiclass"])


@pytest.mark.parametrize("before", [b"", b"a header"])
def test_an_open_file_is_read_from_where_it_stands_and_left_open(tmp_path, before):
    path = tmp_path / "model"
    path.write_bytes(before + REGRESSION.model_to_string().encode())
    with open(path, "rb") as stream:
        stream.seek(len(before))
        assert mlup.detect(stream).best.binarizer == "lightgbm"
        assert stream.tell() == len(before)
        assert same(mlup.load(stream), REGRESSION)
        assert not stream.closed


def test_a_file_is_left_as_it_was_and_closed(tmp_path):
    path = tmp_path / "model.txt"
    text = saved(REGRESSION, path)
    for broken in (text, text[:-300], text.replace(b"Tree=2", b"Tree+2")):
        path.write_bytes(broken)
        before = path.stat()
        try:
            mlup.load(path, "lightgbm")
        except mlup.ModelLoadError:
            assert broken != text
        assert path.read_bytes() == broken
        assert path.stat().st_mtime_ns == before.st_mtime_ns
    gc.collect()  # a file that was not closed warns here, and a warning is an error


def test_score_and_deserialize_can_be_tried_without_mlup_around_them(tmp_path):
    path = tmp_path / "model.txt"
    text = saved(REGRESSION, path)
    for given in (path, str(path)):
        assert mlup_lightgbm.score(given, text[:100], text[-100:]) == 0.99
    assert same(mlup_lightgbm.deserialize(mlup.LoadedFile(path=str(path))), REGRESSION)
    assert same(mlup_lightgbm.deserialize(mlup.LoadedFile(raw_data=text)), REGRESSION)


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [bytes, crlf], ids=["unix", "windows"])
def test_lightgbm_ignores_params_and_says_so(tmp_path, form):
    """Hearing it is the proof that they arrived."""
    path = tmp_path / "m"
    path.write_bytes(form(saved(REGRESSION, path)))
    with pytest.warns(UserWarning, match="Ignoring params"):
        loaded = mlup.load(path, options={"params": {"num_leaves": 99}})
    assert same(loaded, REGRESSION)
    assert loaded.params.get("num_leaves") != 99
    for nothing in ({}, {"params": None}, {"params": {}}):
        assert same(mlup.load(path, options=nothing), REGRESSION)


@pytest.mark.parametrize("params", ["num_threads=1", 1, [("num_threads", 1)], {1: 2}, {None: 2}])
def test_params_that_are_none_are_an_option_error(params):
    with pytest.raises(mlup.OptionError, match=r"params=.*expected a mapping.*ignore these"):
        mlup.load(REGRESSION.model_to_string().encode(), options={"params": params})


def test_an_unknown_option_is_an_option_error():
    with pytest.raises(mlup.OptionError, match=r"'device'; it takes params"):
        mlup.load(REGRESSION.model_to_string().encode(), options={"device": "gpu"})


# -- what is not LightGBM's ---------------------------------------------------------------------

TEXT = REGRESSION.model_to_string().encode()
HEADER = TEXT[: TEXT.index(b"Tree=0")]
FOREIGN = {
    "nothing": b"",
    "tree": b"tree",
    "a tree in words": b"tree\nversion=very old\nIt stands by the river.\n",
    "prose": b"tree\nversion=v4\nis how a model of LightGBM begins.\n",
    "two lines": b"tree\nversion=v4\n",
    "hardly a header": b"tree\nversion=v4\nnum_class=1\n\nend of trees\n\npandas_categorical:null\n",
    "a header": HEADER,
    "a header and an end": HEADER + b"end of trees\n\npandas_categorical:null\n",
    "no trees, and more of them said": HEADER + TEXT[TEXT.index(b"end of trees") :],
    "one word first": b"x" + TEXT,
    "a blank line first": b"\n" + TEXT,
    "another word": TEXT.replace(b"tree", b"gbdt", 1),
    "a capital": TEXT.replace(b"tree", b"Tree", 1),
    "another version": TEXT.replace(b"version=v4", b"version=4"),
    "an endless version": TEXT.replace(b"version=v4", b"version=v" + b"4" * 99),
    "UTF-16": TEXT.decode().encode("utf-16"),
    "UTF-32": TEXT.decode().encode("utf-32"),
    "a quoted model": b"> " + TEXT.replace(b"\n", b"\n> "),
    "old Mac line ends": TEXT.replace(b"\n", b"\r"),
    "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n",
    "yaml": b"version: 2\ntree: 1\n",
    "nnef": b"version 1.0;\n\ngraph G(x) -> (y) {}\n",
    "a config": b"task = train\nboosting_type = gbdt\nobjective = binary\nmetric = auc\n",
    "a log": b"[LightGBM] [Info] Total Bins 1020\n[LightGBM] [Info] version=v4\n",
    "a dataset": b"______LightGBM_Binary_File_Token______\n" + bytes(200),
    "a dumped model": json.dumps(REGRESSION.dump_model()).encode(),
    "a pickled booster": pickle.dumps(REGRESSION),
    "xgboost": b'{"learner":{"attributes":{}},"version":[2,0,0]}',
    "xgboost, dumped": b"booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=1\n\t1:leaf=0.4\n",
    "csv": b"tree,version\n1,v4\n",
    "html": b"<!DOCTYPE html><html><body>404.</body></html>",
    "a zip": b"PK\x03\x04" + bytes(60),
    "zeros": bytes(500),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("suffix", ["", ".txt", ".lgb"])
def test_what_is_not_a_text_model_is_not_claimed(tmp_path, name, suffix):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(FOREIGN[name])
    assert best(path) is None
    assert best(FOREIGN[name]) is None


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_a_text_model_is_refused_by_name(tmp_path, name):
    path = tmp_path / "m.txt"
    path.write_bytes(FOREIGN[name])
    for source in (path, FOREIGN[name]):
        with pytest.raises(mlup.ModelBinarizationError, match="was not loaded by lightgbm: "):
            mlup.load(source, "lightgbm")


def test_a_folder_and_a_dataset_are_not_claimed(tmp_path):
    lightgbm.Dataset(X, Y, params={"verbose": -1}).save_binary(tmp_path / "data.txt")
    assert best(tmp_path / "data.txt") is None
    assert best(tmp_path) is None
    with pytest.raises(mlup.ModelLoadError):
        mlup.load(tmp_path, "lightgbm")


# -- damage -------------------------------------------------------------------------------------


def refused(source: object) -> str:
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(source, "lightgbm")
    assert caught.value.__cause__ is not None
    return str(caught.value)


@pytest.mark.parametrize("form", [bytes, crlf], ids=["unix", "windows"])
@pytest.mark.parametrize("name", MODELS)
def test_a_truncated_file_is_not_claimed(name, form):
    text = form(MODELS[name].model_to_string().encode())
    trees = text.index(b"end of trees")
    parameters = text.index(b"\nparameters:") + 12
    end = text.index(b"end of parameters")
    ranges = (range(trees + 12), range(parameters, end + 17))
    places = [at for span in ranges for at in span[:: max(1, len(span) // 150)]]
    places += [int(len(text) * part) for part in (0.6, 0.9)]
    claimed = [at for at in places if best(text[:at])]
    assert claimed == [], [text[:at][-40:] for at in claimed]


@pytest.mark.parametrize("form", [bytes, crlf], ids=["unix", "windows"])
def test_among_the_importances_only_whole_lines_are_an_end(form):
    """All trees are there, and a model without known parameters ends so."""
    text = form(TEXT)
    span = range(text.index(b"feature_importances:"), text.index(b"\nparameters:") + 1)
    lines = [at for at in span if text[:at].endswith(form(b"\n"))]
    assert [at for at in span if best(text[:at])] == lines
    for at in lines:
        assert same(mlup.load(text[:at]), REGRESSION)


def test_a_truncated_file_is_explained(tmp_path):
    path = tmp_path / "m.txt"
    path.write_bytes(TEXT[: len(TEXT) * 6 // 10])
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(path)
    said = refused(path)
    assert str(path) in said
    assert "Booster.save_model()" in said
    assert "<bytes>" in refused(path.read_bytes())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:300], "within its header"),
        (lambda text: text[: text.index(b"Tree=2") + 90], "within its trees"),
        (lambda text: text[: text.index(b"[num_leaves")], "it ends in"),
        (lambda text: text[:-3], "it ends in b.*pandas_categorical:n"),
        (lambda text: text.replace(b"label_index=0\n", b""), "no line label_index="),
        (lambda text: text.replace(b"tree_sizes=", b"tree_sizes=x"), "holds no sizes"),
        (lambda text: text.replace(b"tree_sizes=", b"tree_sizes "), "holds no sizes"),
        (lambda text: text.replace(b"tree_sizes=", b"tree_sizes=1 "), "not those of tree_sizes"),
        (lambda text: text.replace(b"tree_sizes=", b"tree_sizes=9"), "not where tree_sizes"),
        (lambda text: text.replace(b"tree_sizes=", b"tree_sizes=" + b"9" * 5000), "tree_sizes"),
        (lambda text: text.replace(b"Tree=1\n", b"Trye=1\n"), "no tree begins at byte"),
        (lambda text: text.replace(b"Tree=1\n", b"\nTree=1\n"), "not where tree_sizes"),
        (lambda text: text.replace(b"[num_gpu: 1]", b"[num_gpu]"), "among its parameters"),
        (lambda text: text.replace(b"[num_gpu: 1]", b"["), "among its parameters"),
        (lambda text: text.replace(b"[num_gpu", b"[\0um_gpu"), "stands a zero"),
        (lambda text: text.replace(b"leaf_count", b"leaf\0count", 1), "stands a zero"),
        (lambda text: text + bytes(50), "it ends in"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, change, said):
    path = tmp_path / "m.txt"
    path.write_bytes(change(TEXT))
    assert path.read_bytes() != TEXT
    for source in (path, path.read_bytes()):
        assert re.search(said, refused(source))


def test_trees_of_the_wrong_length_are_refused_though_their_sum_is_right():
    """LightGBM calls std::terminate on these."""
    sizes = TEXT[TEXT.index(b"tree_sizes=") + 11 :].split(b"\n")[0]
    numbers = list(map(int, sizes.split()))
    numbers[1] += 10
    numbers[2] -= 10
    changed = TEXT.replace(sizes, b" ".join(b"%d" % n for n in numbers))
    assert "no tree begins" in refused(changed)


@pytest.mark.parametrize("encoding", ["latin-1", "shift_jis", "cp1251"])
def test_names_that_are_not_utf8_are_an_error_that_says_so(tmp_path, encoding):
    name = {"latin-1": "größe", "shift_jis": "価格", "cp1251": "цена"}[encoding]
    booster = train(dataset={"feature_name": [name, "b", "c", "d"]})
    path = tmp_path / "m.txt"
    path.write_bytes(booster.model_to_string().encode(encoding))
    assert best(path) == 0.99
    for source in (path, path.read_bytes(), crlf(path.read_bytes())):
        assert "UTF-8" in refused(source)


def test_what_lightgbm_refuses_itself_is_chained(tmp_path):
    path = tmp_path / "m.txt"
    path.write_bytes(TEXT.replace(b"objective=regression", b"objective=of_its_own"))
    with pytest.raises(mlup.ModelBinarizationError, match=r"LightGBMError: .*objective") as it:
        mlup.load(path)
    assert isinstance(it.value.__cause__, lightgbm.basic.LightGBMError)


# -- detection ----------------------------------------------------------------------------------


def test_what_a_detection_reads_does_not_grow_with_the_trees(tmp_path):
    read = []
    for name in ("regression", "large trees"):
        saved(MODELS[name], tmp_path / name)
        with ModelPath.of(tmp_path / name) as path:
            assert mlup_lightgbm.score(path, path.head, path.tail) == 0.95
            read.append(BUDGET - path.left)
    assert (tmp_path / "large trees").stat().st_size > 4 * (tmp_path / "regression").stat().st_size
    assert max(read) <= 2 * 4096 + 24


@pytest.mark.parametrize("data", [b"tree and leaf" * 9, FOREIGN["git lfs"], FOREIGN["csv"]])
def test_of_a_foreign_file_nothing_is_read(data):
    with ModelPath.of(data) as path:
        assert mlup_lightgbm.score(path, path.head, path.tail) is None
        assert path.left == BUDGET


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "lightgbm")
    assert (info.distribution, info.status, info.problem) == ("mlup-lightgbm", "ok", None)
    assert info.version == mlup_lightgbm.__version__
    assert ".txt" in info.extensions
    assert (info.options, info.requires) == (("params",), ("lightgbm",))
    assert "LightGBM" in info.description


def test_every_name_the_predecessor_had_for_it_loads():
    for name in (
        "lightgbm",
        "mlup-lightgbm:lightgbm",
        mlup.BinarizationType.LIGHTGBM,
        "mlup.ml.binarization.lightgbm.LightGBMBinarizer",
    ):
        assert same(mlup.load(TEXT, name), REGRESSION)
