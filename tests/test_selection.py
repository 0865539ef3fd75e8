"""With every plugin installed: real models, misleadingly named, go to the right binarizer."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import tempfile
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import mlup

# lz4 on Python 3.13 flushes its closed file once more when it is forgotten; joblib.load alone does it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.BufferedReader>:pytest.PytestUnraisableExceptionWarning"
)

PROTOCOLS = range(6)
COMPRESSORS = ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")
TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00."
X = np.random.default_rng(5).normal(size=(120, 4))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
MODELS = {
    "classifier": LogisticRegression().fit(X, Y),
    "regressor": LinearRegression().fit(X, X[:, 0]),
    "tree": DecisionTreeRegressor(random_state=0).fit(X, X[:, 0]),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
    "clusters": KMeans(3, n_init=1, random_state=0).fit(X),
}
FOREST = RandomForestClassifier(n_estimators=40, random_state=0).fit(X, Y)
WITHOUT_ARRAYS = {"class": "linear", "weights": [0.25, -1.5], "joblib": "joblib.numpy_pickle"}
# right, wrong, and missing
NAMES = ("model.pkl", "model.joblib", "model.onnx", "model.h5", "model.txt", "model")
SETTINGS = settings(
    max_examples=120,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module", autouse=True)
def _everything():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLUP_PLUGINS", raising=False)
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


@pytest.fixture
def only(monkeypatch):
    """Let a few plugins take part."""

    def choose(names: str) -> None:
        monkeypatch.setenv("MLUP_PLUGINS", names)
        mlup.refresh()

    yield choose
    monkeypatch.undo()
    mlup.refresh()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go; it must be empty at the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert os.listdir(folder) == []


def chosen(source: object) -> str | None:
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert detection.tied == ()
    return detection.best.binarizer if detection.best else None


def candidates(source: object) -> list[str]:
    detection = mlup.detect(source)
    assert detection.problems == ()
    return [each.binarizer for each in detection.candidates]


def dumped(model: object, **how: object) -> bytes:
    stream = io.BytesIO()
    joblib.dump(model, stream, **how)
    return stream.getvalue()


def equal(source: object, model: object, **how: object) -> bool:
    return np.array_equal(mlup.load(source, **how).predict(X), model.predict(X))


# -- the right binarizer, whatever the name -----------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", MODELS)
def test_a_pickle_is_pickles_under_every_name(tmp_path, name, protocol):
    for file in NAMES:
        path = tmp_path / file
        path.write_bytes(pickle.dumps(MODELS[name], protocol))
        assert candidates(path) == ["pickle", "joblib"]
        assert chosen(path) == "pickle"
        assert equal(path, MODELS[name])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", MODELS)
def test_a_raw_dump_is_joblibs_under_every_name_and_never_a_pickle(tmp_path, name, protocol):
    for file in NAMES:
        path = tmp_path / file
        joblib.dump(MODELS[name], path, protocol=protocol)
        assert candidates(path) == ["joblib"]
        assert equal(path, MODELS[name])
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(path, "pickle")  # why it must never be chosen


@pytest.mark.parametrize("level", [1, 3, 9])
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_compressed_dump_is_joblibs_under_every_name(tmp_path, compressor, level):
    for number, file in enumerate((*NAMES, f"model.{compressor}")):
        model = list(MODELS.values())[number % len(MODELS)]
        path = tmp_path / file
        joblib.dump(model, path, compress=(compressor, level))
        assert candidates(path) == ["joblib"]
        assert equal(path, model)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_large_forest_is_told_apart_and_predicts(tmp_path, protocol):
    pickled, raw, small = tmp_path / "a.h5", tmp_path / "b.pkl", tmp_path / "c"
    pickled.write_bytes(pickle.dumps(FOREST, protocol))
    joblib.dump(FOREST, raw, protocol=protocol)
    joblib.dump(FOREST, small, compress=3, protocol=protocol)
    assert pickled.stat().st_size > 2 * 64 * 1024  # several frames
    assert raw.stat().st_size > 2 * 64 * 1024
    assert [chosen(each) for each in (pickled, raw, small)] == ["pickle", "joblib", "joblib"]
    for path in (pickled, raw, small):
        assert equal(path, FOREST)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(10),
        np.array([]),
        np.array(2.5),
        np.array([None, "a"], dtype=object),
        np.asfortranarray(np.ones((3, 4))),
        np.array(["x", "yz"]),
        np.full(2000, ord("."), dtype=np.uint8),
    ],
    ids=["numbers", "empty", "scalar", "objects", "fortran", "texts", "full stops"],
)
def test_an_array_at_the_top_is_told_apart(array, protocol):
    for data, binarizer in (
        (pickle.dumps(array, protocol), "pickle"),
        (dumped(array, protocol=protocol), "joblib"),
    ):
        assert chosen(data) == binarizer
        assert np.array_equal(mlup.load(data), array)
        assert mlup.load(data).dtype == array.dtype
    assert candidates(dumped(array, protocol=protocol)) == ["joblib"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_objects_and_of_numbers_may_alternate(protocol):
    model = [np.array(["a", None], dtype=object), np.arange(4), np.array([{}], dtype=object)]
    data = dumped(model, protocol=protocol)
    assert candidates(data) == ["joblib"]
    assert [list(each) for each in mlup.load(data)] == [list(each) for each in model]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("size", [1, 200_000])
def test_a_pickle_that_mentions_joblibs_names_stays_a_pickle(protocol, size):
    model = {
        "notes": ["joblib.numpy_pickle", "NumpyArrayWrapper"],
        "source": "cjoblib.numpy_pickle\nNumpyArrayWrapper\nq\x00)\x81",
        "bytes": b"joblib.numpy_pickle NumpyArrayWrapper",
        "rest": "x" * size,
        "weights": np.arange(50),
    }
    data = pickle.dumps(model, protocol)
    assert chosen(data) == "pickle"
    assert mlup.load(data)["notes"] == model["notes"]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_vocabulary_in_front_of_the_weights_does_not_hide_them(protocol):
    model = {"vocabulary": {f"w{i}": i for i in range(25_000)}, "weights": X}
    data = dumped(model, protocol=protocol)
    assert candidates(data) == ["joblib"]
    assert np.array_equal(mlup.load(data)["weights"], X)


# -- what either could load ---------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dump_without_arrays_is_a_plain_pickle(tmp_path, only, protocol):
    pickled, dump = tmp_path / "a.pkl", tmp_path / "b.joblib"
    pickled.write_bytes(pickle.dumps(WITHOUT_ARRAYS, protocol))
    joblib.dump(WITHOUT_ARRAYS, dump, protocol=protocol)
    for path in (pickled, dump):
        assert chosen(path) == "pickle"
        assert mlup.load(path) == WITHOUT_ARRAYS
        assert mlup.load(path, "joblib") == WITHOUT_ARRAYS
    only("joblib")
    for path in (pickled, dump):
        assert candidates(path) == ["joblib"]
        assert mlup.load(path) == WITHOUT_ARRAYS
    only("pickle")
    for path in (pickled, dump):
        assert candidates(path) == ["pickle"]
        assert mlup.load(path) == WITHOUT_ARRAYS


def test_without_joblib_its_dumps_are_nobodys(only):
    only("pickle")
    for how in ({}, {"protocol": 2}, *({"compress": (each, 3)} for each in COMPRESSORS)):
        assert candidates(dumped(MODELS["classifier"], **how)) == []
        with pytest.raises(mlup.UnknownModelError):
            mlup.load(dumped(MODELS["classifier"], **how))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_compressed_plain_pickle_is_joblibs(protocol):
    data = pickle.dumps(WITHOUT_ARRAYS, protocol)
    for squeezed in (
        gzip.compress(data),
        bz2.compress(data),
        lzma.compress(data),
        lzma.compress(data, lzma.FORMAT_ALONE),
        zlib.compress(data),
    ):
        assert candidates(squeezed) == ["joblib"]
        assert mlup.load(squeezed) == WITHOUT_ARRAYS


def test_several_models_in_one_file_give_the_first():
    data = pickle.dumps(MODELS["classifier"]) + pickle.dumps(MODELS["tree"])
    assert chosen(data) == "pickle"
    assert equal(data, MODELS["classifier"])


@pytest.mark.parametrize("behind", [b"\n", b"\r\n", b"\0", b"\0" * 64])
def test_blanks_at_the_end_do_no_harm(behind):
    for protocol in PROTOCOLS:
        assert chosen(pickle.dumps(MODELS["tree"], protocol) + behind) == "pickle"
        assert chosen(dumped(MODELS["tree"], protocol=protocol) + behind) == "joblib"
        assert equal(pickle.dumps(MODELS["tree"], protocol) + behind, MODELS["tree"])
        assert equal(dumped(MODELS["tree"], protocol=protocol) + behind, MODELS["tree"])


@pytest.mark.filterwarnings("ignore:.*joblib version less than 0.10:DeprecationWarning")
def test_a_file_of_joblib_before_0_10_is_joblibs(tmp_path):
    inner = pickle.dumps(WITHOUT_ARRAYS, 2)
    path = tmp_path / "old.pkl"
    path.write_bytes(b"ZF" + hex(len(inner)).encode().ljust(19) + zlib.compress(inner))
    assert candidates(path) == ["joblib"]
    with pytest.raises(mlup.UnsafeModelError, match=r"before 0\.10"):
        mlup.load(path)
    assert mlup.load(path, trust=True) == WITHOUT_ARRAYS
    assert mlup.load(path.read_bytes(), trust=True) == WITHOUT_ARRAYS


# -- sources ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("kind", ["pickle", "raw", "zlib", "xz"])
@pytest.mark.parametrize("model", [MODELS["pipeline"], FOREST], ids=["pipeline", "forest"])
def test_every_kind_of_source_is_loaded(tmp_path, kind, model):
    path = tmp_path / "model.bin"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(model))
    else:
        joblib.dump(model, path, compress=0 if kind == "raw" else (kind, 3))
    data = path.read_bytes()
    for source in (str(path), path, data, bytearray(data), io.BytesIO(data)):
        assert chosen(source) == ("pickle" if kind == "pickle" else "joblib")
        assert equal(source, model)
    with open(path, "rb") as stream:
        assert equal(stream, model)
        assert not stream.closed
        stream.seek(0)
        assert stream.read() == data
    with open(path, "rb", buffering=0) as stream:
        assert equal(stream, model)


@pytest.mark.usefixtures("temporary")
def test_a_pipe_is_loaded():
    import threading

    for data in (pickle.dumps(FOREST), dumped(FOREST), dumped(FOREST, compress=3)):
        receiving, sending = os.pipe()
        writer = threading.Thread(target=_write_all, args=(sending, data))
        writer.start()
        with open(receiving, "rb") as stream:
            assert equal(stream, FOREST)
        writer.join()


def _write_all(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb") as stream:
        stream.write(data)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_mmap_mode_maps_the_arrays_from_every_source(tmp_path, protocol):
    path = tmp_path / "model.joblib"
    joblib.dump(MODELS["classifier"], path, protocol=protocol)
    with open(path, "rb") as stream:
        for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes()), stream):
            model = mlup.load(source, options={"mmap_mode": "r"})
            assert isinstance(model.coef_, np.memmap)
            assert not model.coef_.flags.writeable
            assert np.array_equal(model.predict(X), MODELS["classifier"].predict(X))
    assert not isinstance(mlup.load(path).coef_, np.memmap)


def test_pickle_takes_no_mmap_mode():
    with pytest.raises(mlup.OptionError, match="mmap_mode"):
        mlup.load(pickle.dumps(MODELS["classifier"]), options={"mmap_mode": "r"})


# -- what is nobody's ---------------------------------------------------------------------------


def tarball(mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("modèle/" + "long/" * 30 + "model.pkl")  # so that it starts ././@Pax
        data = pickle.dumps(WITHOUT_ARRAYS)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


NOBODYS = {
    "torch, legacy": TORCH_LEGACY,
    "torch, legacy, with storages": TORCH_LEGACY + bytes(range(256)) * 30,
    "torch, legacy, in gzip": gzip.compress(TORCH_LEGACY),
    "text": b"A text that ends in a full stop.",
    "text in gzip": gzip.compress(b"A text that ends in a full stop."),
    "release notes": b"Git v2.31.7 Release Notes\n=====\n\nFixes since v2.31.6.\n",
    "release notes in gzip": gzip.compress(b"Git v2.31.7 Release Notes\n\nFixes since v2.31.6.\n"),
    "initials": b"N. Bourbaki wrote this.\n",
    "initials in xz": lzma.compress(b"N. Bourbaki wrote this.\n"),
    "csv in bz2": bz2.compress(b"a,b\n1,2\n" * 50),
    "zeros in zlib": zlib.compress(bytes(5000)),
    "R, .rds": gzip.compress(b"X\n\0\0\0\x02\0\x03\x06\0\0\x02\x03\0" + b"\0\0\0\x13" * 40),
    "R, .rda": bz2.compress(b"RDX2\nX\n\0\0\0\x02\0\x03\x06\0\0\x02\x03\0" + b"\0\0\x04\x02" * 40),
    "tar": tarball("w:"),
    "tar.gz": tarball("w:gz"),
    "tar.bz2": tarball("w:bz2"),
    "tar.xz": tarball("w:xz"),
    "nothing": b"",
    "nothing in gzip": gzip.compress(b""),
    "html": b"<!DOCTYPE html><html><body>Not found.</body></html>.",
    "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
}


@pytest.mark.parametrize("file", ["model", "model.pkl", "model.joblib", "model.gz"])
@pytest.mark.parametrize("name", NOBODYS)
def test_what_is_no_model_is_nobodys(tmp_path, name, file):
    path = tmp_path / file
    path.write_bytes(NOBODYS[name])
    assert candidates(path) == []
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(path)


def refused(data: bytes) -> None:
    """Nobody claims it, or its load ends in one error with the framework's own as its cause."""
    claimed = chosen(data)
    with pytest.raises(mlup.ModelLoadError) as caught:
        mlup.load(data)
    if claimed is None:
        assert type(caught.value) is mlup.UnknownModelError
    else:
        assert type(caught.value) in (mlup.ModelBinarizationError, mlup.UnsafeModelError)
        assert caught.value.__cause__ is not None


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_truncated_file_is_refused_wherever_it_was_cut(protocol):
    pickled = pickle.dumps(MODELS["classifier"], protocol)
    raw = dumped(MODELS["classifier"], protocol=protocol)
    for data in (pickled, raw):
        for length in {*range(0, len(data), 23), *range(len(data) - 6, len(data))}:
            refused(data[:length])


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_truncated_compressed_file_is_refused_wherever_it_was_cut(compressor):
    data = dumped(MODELS["classifier"], compress=(compressor, 3))
    for length in range(0, len(data) - 30, 37):
        refused(data[:length])


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"sklearn", b"sklxarn"),
        (b"LogisticRegression", b"LogisticRegressxon"),
        (b"ndarray", b"ndarrax"),
        (b"coef_", b"\xff\xff\xff\xff\xff"),
        (b"numpy", b"numpx"),
    ],
)
def test_a_damaged_file_is_refused(protocol, old, new):
    for data in (
        pickle.dumps(MODELS["classifier"], protocol),
        dumped(MODELS["classifier"], protocol=protocol),
    ):
        assert old in data
        refused(data.replace(old, new))


@pytest.mark.usefixtures("temporary")
def test_a_damaged_forest_is_refused_in_the_middle():
    for data in (pickle.dumps(FOREST), dumped(FOREST), dumped(FOREST, compress=3)):
        middle = len(data) // 2
        refused(data[:middle] + data[middle + 1000 :])


def test_a_runner_up_is_named_and_not_tried(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(MODELS["tree"]).replace(b"sklearn", b"sklxarn"))
    with pytest.raises(mlup.UnsafeModelError):  # a refusal is nothing to get around
        mlup.load(path)
    with pytest.raises(mlup.ModelBinarizationError, match=r"joblib \(0\.60\)") as caught:
        mlup.load(path, trust=True)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_folder_of_models_is_nobodys(tmp_path):
    joblib.dump(MODELS["tree"], tmp_path / "model.joblib")
    assert candidates(tmp_path) == []
    with pytest.raises(mlup.UnknownModelError, match=r"model\.joblib"):
        mlup.load(tmp_path)


# -- properties ---------------------------------------------------------------------------------

SAMPLES = [
    *(pickle.dumps(MODELS["tree"], protocol) for protocol in PROTOCOLS),
    *(dumped(MODELS["pipeline"], protocol=protocol) for protocol in PROTOCOLS),
    *(dumped(MODELS["classifier"], compress=(each, 3)) for each in COMPRESSORS),
    pickle.dumps(FOREST),
    dumped(FOREST),
    *NOBODYS.values(),
]
PLACES = st.one_of(st.integers(0, 300), st.integers(0, 1 << 18), st.integers(-300, -1))


def looked_at(data: bytes, suffix: str) -> None:
    """Detection neither raises nor blames a plugin; a slow plugin is a problem too."""
    loaded_file = mlup.LoadedFile(raw_data=data, path=f"model{suffix}") if data else data
    detection = mlup.detect(loaded_file)
    assert detection.problems == ()
    assert {each.binarizer for each in detection.candidates} <= {"pickle", "joblib"}
    assert all(0 < each.score < 1 for each in detection.candidates)
    assert bool(detection.candidates) <= (detection.verdict is None)


SUFFIXES = st.sampled_from(["", ".pkl", ".joblib", ".gz"])


@SETTINGS
@given(sample=st.sampled_from(SAMPLES), at=PLACES, suffix=SUFFIXES)
def test_truncations_never_make_detection_raise(sample, at, suffix):
    looked_at(sample[:at], suffix)


@SETTINGS
@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5),
    insert=st.booleans(),
    suffix=SUFFIXES,
)
def test_flipped_and_inserted_bytes_never_make_detection_raise(sample, changes, insert, suffix):
    data = bytearray(sample)
    for place, new in changes:
        at = place % max(1, len(data))
        data[at : at if insert else at + len(new)] = new
    looked_at(bytes(data), suffix)


@SETTINGS
@given(
    start=st.sampled_from(
        [b"", b"\x80\x02", b"\x80\x04\x95", b"x\x9c", b"\x1f\x8b\x08", b"PK\x03\x04"]
    ),
    rest=st.binary(max_size=500),
    suffix=SUFFIXES,
)
def test_random_bytes_never_make_detection_raise(start, rest, suffix):
    looked_at(start + rest, suffix)


def test_the_models_of_this_file_stay_what_they_were(tmp_path):
    """Loading changes neither the file nor the model in memory."""
    path = Path(tmp_path / "model.joblib")
    joblib.dump(MODELS["classifier"], path)
    before = path.read_bytes()
    mlup.load(path)
    mlup.load(path, options={"mmap_mode": "c"}).coef_[:] = 0
    assert path.read_bytes() == before
    assert equal(path, MODELS["classifier"])
