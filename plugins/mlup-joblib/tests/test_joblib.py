"""The joblib binarizer: real dumps of real models, raw and compressed, and what is not joblib's."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import os
import pickle
import tarfile
import tempfile
import zlib
from pathlib import Path
from unittest import mock

import joblib
import joblib.numpy_pickle
import lz4.frame
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlup
import mlup_joblib
from mlup.files import BUDGET, ModelPath
from mlup_joblib.lz4 import MAX_BLOCKS

# lz4 on Python 3.13 flushes its closed file once more when it is forgotten; joblib.load alone does it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.BufferedReader>:pytest.PytestUnraisableExceptionWarning"
)

PROTOCOLS = range(6)
COMPRESSORS = ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")
LEVELS = (1, 3, 9)
TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00."
COMPRESS = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "lz4": lz4.frame.compress,
}
X = np.random.default_rng(3).normal(size=(80, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
MODELS = {
    "regression": LogisticRegression().fit(X, Y),
    "forest": RandomForestClassifier(n_estimators=4, random_state=0).fit(X, Y),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
}
ARRAYS = {
    "one": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "empty": np.array([]),
    "no dimension": np.array(3.5),
    "objects": np.array([None, "a", {"b": 1}], dtype=object),
    "texts": np.array(["ab", "cde"]),
    "records": np.array([(1, 2.5), (3, 4.5)], dtype=[("n", "i4"), ("x", "f8")]),
    "bytes": np.frombuffer(b"." * 3000, dtype=np.uint8),
    "flags": np.array([True, False] * 40),
    "in a list": [np.arange(5), "between", np.arange(6)],
    "in a dict": {"w": np.ones((50, 50)), "notes": ["x"] * 50, "b": np.zeros(3)},
    "an object array first": {"o": np.array(["x", None], dtype=object), "w": np.arange(9)},
}
SETTINGS = settings(
    max_examples=100,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module", autouse=True)
def _only_joblib():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "joblib")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """Where temporary files go."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(temporary):
    yield
    assert os.listdir(temporary) == []


def dumped(model: object, **how: object) -> bytes:
    stream = io.BytesIO()
    joblib.dump(model, stream, **how)
    return stream.getvalue()


def dumped_unaligned(model: object, protocol: int) -> bytes:
    """As joblib 0.10 to 1.1 wrote it: without padding in front of the raw arrays."""
    create = joblib.numpy_pickle.NumpyPickler._create_array_wrapper

    def create_old(self, array):
        wrapper = create(self, array)
        del wrapper.numpy_array_alignment_bytes
        return wrapper

    def write_old(self, array, pickler):
        pickler.file_handle.write(array.tobytes("C"))

    stream = io.BytesIO()
    with (
        mock.patch.object(joblib.numpy_pickle.NumpyArrayWrapper, "write_array", write_old),
        mock.patch.object(joblib.numpy_pickle.NumpyPickler, "_create_array_wrapper", create_old),
    ):
        joblib.numpy_pickle.NumpyPickler(stream, protocol=protocol).dump(model)
    return stream.getvalue()


def best(source: object) -> tuple[str, float] | None:
    """joblib's claim, if it makes one; no plugin may fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["joblib"])
    return detection.best and (detection.best.binarizer, detection.best.score)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


# -- raw dumps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", MODELS)
def test_a_raw_dump_of_a_model_predicts_as_the_model_did(tmp_path, name, protocol):
    path = tmp_path / "model"
    joblib.dump(MODELS[name], path, protocol=protocol)
    assert best(path) == ("joblib", 0.95)
    assert best(path.read_bytes()) == ("joblib", 0.95)
    assert np.array_equal(mlup.load(path).predict(X), MODELS[name].predict(X))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_a_raw_dump_of_arrays_comes_back(name, protocol):
    data = dumped(ARRAYS[name], protocol=protocol)
    assert best(data) == ("joblib", 0.95)
    assert same(ARRAYS[name], mlup.load(data))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("count", [1, 3_000, 20_000])
def test_an_array_behind_much_else_is_found(protocol, count):
    """A vocabulary in front of the weights, as text vectorizers have it."""
    vocabulary = {f"w{i}": i for i in range(count)}
    data = dumped({"vocabulary": vocabulary, "w": X}, protocol=protocol)
    assert len(data) < 510 * 1024
    assert best(data) == ("joblib", 0.95)


def test_an_array_behind_many_frames_is_found():
    vocabulary = {f"word{i}": i for i in range(120_000)}
    data = dumped({"vocabulary": vocabulary, "w": X}, protocol=4)
    assert len(data) > BUDGET
    assert best(data) == ("joblib", 0.95)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3])
def test_an_array_past_what_may_be_read_is_left_to_the_name(tmp_path, protocol):
    """No frames to go by: what the bytes cannot say, the extension says."""
    path = tmp_path / "model.joblib"
    joblib.dump({"vocabulary": [f"word{i:07}" for i in range(60_000)], "w": X}, path, 0, protocol)
    found = best(path)
    assert found is not None
    assert found[1] > 0.9, "a pickle of that name would be chosen, and pickle.load fails on it"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("pattern", ["constant", "counting"])
def test_a_dump_without_padding_is_told_by_its_import(protocol, pattern):
    """joblib 0.10 to 1.1: an array may begin with any byte, opcodes included."""
    mark = b"\xee" * 500
    model = {"w": np.frombuffer(mark, np.uint8), "b": np.arange(3)}
    data = dumped_unaligned(model, protocol)
    assert same(model, mlup.load(data))
    assert data.count(mark) == 1
    missed = []
    for first in range(256):
        rest = bytes([first]) * 499 if pattern == "constant" else bytes(range(250)) * 2
        if best(data.replace(mark, bytes([first]) + rest[:499])) != ("joblib", 0.95):
            missed.append(first)
    assert missed == []


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_large_raw_dump_of_several_frames_comes_back(tmp_path, protocol):
    model = MODELS["forest"]
    notes = [f"note {i}" for i in range(24_000)]
    path = tmp_path / "m.pkl"
    joblib.dump({"notes": notes, "model": model, "more": notes[::-1]}, path, protocol=protocol)
    assert path.stat().st_size > 4 * 64 * 1024
    assert best(path) == ("joblib", 0.95)
    assert np.array_equal(mlup.load(path)["model"].predict(X), model.predict(X))


@pytest.mark.parametrize("behind", [b"\n", b"\0" * 60, b"\r\n "])
@pytest.mark.parametrize("protocol", [2, 4])
def test_blanks_behind_a_raw_dump_do_no_harm(protocol, behind):
    data = dumped(ARRAYS["in a dict"], protocol=protocol) + behind
    assert best(data) == ("joblib", 0.95)
    assert same(ARRAYS["in a dict"], mlup.load(data))


@pytest.mark.parametrize(
    ("name", "score"),
    [("m.joblib", 0.99), ("M.JOBLIB", 0.99), ("m.pkl", 0.95), ("m", 0.95), ("m.onnx", 0.95)],
)
def test_the_extension_adds_to_the_content(tmp_path, name, score):
    joblib.dump(ARRAYS["one"], tmp_path / name)
    assert best(tmp_path / name) == ("joblib", score)


@pytest.mark.parametrize("suffix", mlup_joblib.extensions)
def test_the_extension_alone_is_nothing(tmp_path, suffix):
    (tmp_path / f"m{suffix}").write_bytes(b"\x00\x01 nothing of the kind")
    assert best(tmp_path / f"m{suffix}") is None


def test_the_reason_names_the_class_and_the_place():
    reason = mlup.detect(dumped(MODELS["pipeline"])).best.reason
    assert "sklearn.pipeline.Pipeline" in reason
    assert "joblib" in reason
    reason = mlup.detect(dumped(MODELS["pipeline"], compress=("xz", 1))).best.reason
    assert "xz" in reason
    assert "pickle" in reason
    assert "sklearn.pipeline.Pipeline" in reason


# -- plain pickles ------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_plain_pickle_is_joblibs_where_nobody_else_takes_it(tmp_path, protocol):
    model = {"notes": ["joblib.numpy_pickle", "NumpyArrayWrapper"], "n": list(range(500))}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model, protocol))
    (tmp_path / "m.joblib").write_bytes(pickle.dumps(model, protocol))
    assert best(tmp_path / "m.pkl") == ("joblib", 0.6)
    assert best(tmp_path / "m.joblib") == ("joblib", 0.65)
    assert mlup.load(tmp_path / "m.pkl") == model
    assert best(dumped(model, protocol=protocol)) == ("joblib", 0.6)
    assert mlup.load(dumped(model, protocol=protocol)) == model


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickled_model_predicts(protocol):
    data = pickle.dumps(MODELS["forest"], protocol)
    assert best(data) == ("joblib", 0.6)
    assert np.array_equal(mlup.load(data).predict(X), MODELS["forest"].predict(X))


def test_a_pickled_none_is_a_model_too():
    assert mlup.load(dumped(None)) is None


# -- compressed dumps ---------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("name", ["regression", "forest"])
def test_a_compressed_dump_of_a_model_predicts_as_the_model_did(tmp_path, name, compressor, level):
    path = tmp_path / "model"
    joblib.dump(MODELS[name], path, compress=(compressor, level))
    assert best(path) == ("joblib", 0.9)
    assert compressor in mlup.detect(path).best.reason
    expected = MODELS[name].predict(X)
    assert np.array_equal(mlup.load(path).predict(X), expected)
    assert np.array_equal(mlup.load(path.read_bytes()).predict(X), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_every_protocol_is_seen_through_every_compressor(tmp_path, compressor, protocol):
    for number, model in enumerate((ARRAYS["in a dict"], {"plain": [1, 2.5, "x"] * 9}, X)):
        path = tmp_path / f"{number}.bin"
        joblib.dump(model, path, compress=(compressor, 3), protocol=protocol)
        assert best(path) == ("joblib", 0.9)
        assert same(model, mlup.load(path))


@pytest.mark.parametrize("suffix", [".z", ".gz", ".bz2", ".xz", ".lzma", ".joblib"])
def test_the_extension_of_a_compressor_adds_to_the_content(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"  # joblib takes the compressor from the name
    joblib.dump(MODELS["regression"], path, compress=3 if suffix == ".joblib" else 0)
    assert path.read_bytes()[:1] != b"\x80"
    assert best(path) == ("joblib", 0.95)
    assert np.array_equal(mlup.load(path).predict(X), MODELS["regression"].predict(X))


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_large_compressed_dump_comes_back(tmp_path, compressor):
    model = np.random.default_rng(0).normal(size=(200, 500))  # 0.8 MB that no compressor shortens
    path = tmp_path / "m"
    joblib.dump({"w": model, "more": list(range(9000))}, path, compress=(compressor, 9))
    assert path.stat().st_size > 700_000
    assert best(path) == ("joblib", 0.9)
    assert np.array_equal(mlup.load(path)["w"], model)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("compressor", ["zlib", "gzip", "bz2", "xz", "lzma", "lz4"])
def test_a_compressed_plain_pickle_is_joblibs(compressor, protocol):
    model = {"weights": [0.5, 1.5], "names": ["a", "b"]}
    data = COMPRESS[compressor](pickle.dumps(model, protocol))
    assert best(data) == ("joblib", 0.9)
    assert mlup.load(data) == model


# -- joblib before 0.10 -------------------------------------------------------------------------


def zfile(inner: bytes, columns: int = 19, end: str = "") -> bytes:
    length = (hex(len(inner)) + end).encode()
    return b"ZF" + length.ljust(columns) + zlib.compress(inner)


@pytest.mark.filterwarnings("ignore:.*joblib version less than 0.10:DeprecationWarning")
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("how", ["path", "bytes", "BytesIO", "open file"])
def test_an_old_compressed_file_is_loaded_where_it_is_trusted(tmp_path, how, protocol):
    model = {"weights": [0.5, 1.5], "class": "x" * 300}
    path = tmp_path / "model.pkl"
    path.write_bytes(zfile(pickle.dumps(model, protocol)))
    with open(path, "rb") as stream:
        source = {"path": path, "bytes": path.read_bytes(), "open file": stream}.get(how)
        source = io.BytesIO(path.read_bytes()) if source is None else source
        assert best(source) == ("joblib", 0.9)
        with pytest.raises(
            mlup.UnsafeModelError, match=r"joblib before 0\.10.*trust=True"
        ) as caught:
            mlup.load(source)
        assert caught.value.refused == ()
        assert mlup.load(source, trust=True) == model


@pytest.mark.parametrize(("columns", "end"), [(18, ""), (19, ""), (19, "L"), (18, "L")])
def test_every_old_compressed_header_is_recognised(columns, end):
    assert best(zfile(pickle.dumps({"weights": [0.5]}, 2), columns, end)) == ("joblib", 0.9)


@pytest.mark.parametrize("inner", [b"", b"no pickle at all, but a text.", b"\0" * 500])
def test_an_old_header_around_something_else_is_nobodys(inner):
    assert best(zfile(inner)) is None


@pytest.mark.filterwarnings("ignore:.*joblib version less than 0.10:DeprecationWarning")
def test_an_old_dump_whose_arrays_stand_in_other_files_is_joblibs(tmp_path):
    """``pickle.load`` would return wrapper objects in the arrays' places."""
    from joblib.numpy_pickle_compat import NDArrayWrapper

    wrapper = NDArrayWrapper("model.pkl_01.npy", np.ndarray, True)
    data = pickle.dumps({"w": wrapper}, 2).replace(
        b"cjoblib.numpy_pickle_compat\n", b"cjoblib.numpy_pickle\n"
    )
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    np.save(tmp_path / "model.pkl_01.npy", X)
    assert best(path) == ("joblib", 0.95)
    for allow in ((), ["joblib.numpy_pickle.NDArrayWrapper"]):
        with pytest.raises(mlup.UnsafeModelError, match=r"joblib before 0\.10.*trust=True"):
            mlup.load(path, allow=allow)
    assert np.array_equal(mlup.load(path, trust=True)["w"], X)


# -- sources and options ------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [0, 3])
def test_every_kind_of_source_is_loaded(tmp_path, compress):
    path = tmp_path / "model.dat"
    joblib.dump(MODELS["forest"], path, compress=compress)
    expected = MODELS["forest"].predict(X)
    data = path.read_bytes()
    sources = [str(path), path, data, bytearray(data), io.BytesIO(data)]
    sources += [mlup.LoadedFile(path=str(path)), mlup.LoadedFile(raw_data=data)]
    for source in sources:
        assert np.array_equal(mlup.load(source).predict(X), expected)
    with open(path, "rb") as stream:
        assert np.array_equal(mlup.load(stream).predict(X), expected)
        assert not stream.closed
    (tmp_path / "behind").write_bytes(b"a header" + data)
    with open(tmp_path / "behind", "rb") as stream:
        stream.seek(8)
        assert np.array_equal(mlup.load(stream).predict(X), expected)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_mmap_mode_maps_the_arrays(tmp_path, protocol, mode):
    path = tmp_path / "m.joblib"
    joblib.dump(ARRAYS["in a dict"], path, protocol=protocol)
    with open(path, "rb") as stream:
        for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes()), stream):
            model = mlup.load(source, options={"mmap_mode": mode})
            assert isinstance(model["w"], np.memmap)
            assert model["w"].mode == mode or mode == "r+"
            assert same(
                ARRAYS["in a dict"], {**model, "w": np.array(model["w"]), "b": np.array(model["b"])}
            )


def test_a_mapped_model_predicts(tmp_path):
    path = tmp_path / "m.joblib"
    joblib.dump(MODELS["regression"], path)
    model = mlup.load(path, options={"mmap_mode": "r"})
    assert isinstance(model.coef_, np.memmap)
    assert np.array_equal(model.predict(X), MODELS["regression"].predict(X))


def test_without_mmap_mode_nothing_is_mapped(tmp_path):
    path = tmp_path / "m.joblib"
    joblib.dump(MODELS["regression"], path)
    for options in (None, {}, {"mmap_mode": None}):
        assert not isinstance(mlup.load(path, options=options).coef_, np.memmap)


@pytest.mark.parametrize("name", ["empty", "objects", "no dimension"])
def test_arrays_that_cannot_be_mapped_are_loaded_all_the_same(tmp_path, name):
    path = tmp_path / "m.joblib"
    joblib.dump([ARRAYS[name]], path)
    assert same(ARRAYS[name], np.array(mlup.load(path, options={"mmap_mode": "r"})[0]))


def test_an_option_it_does_not_know_is_refused():
    with pytest.raises(mlup.OptionError, match="mmap_mode"):
        mlup.load(dumped(X), options={"mmap": "r"})


def test_a_mode_that_is_none_ends_in_one_error(tmp_path):
    path = tmp_path / "m.joblib"
    joblib.dump(X, path)
    for trust in (False, True):
        with pytest.raises(
            mlup.OptionError, match="'sideways': expected 'r', 'r\\+', 'w\\+' or 'c'"
        ):
            mlup.load(path, trust=trust, options={"mmap_mode": "sideways"})


@pytest.mark.parametrize("kind", [Path])
@pytest.mark.parametrize("how", [{}, {"protocol": 2}, {"compress": 3}, {"compress": ("bz2", 3)}])
def test_score_can_be_tried_without_mlup_around_it(tmp_path, kind, how):
    path = tmp_path / "m.bin"
    joblib.dump(X, path, **how)
    data = path.read_bytes()
    assert mlup_joblib.score(kind(path), data[:100], data[-100:]) in (0.9, 0.95)


# -- what is nobody's ---------------------------------------------------------------------------


def tarball(mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name in ("model/config.json", "(lp0", "notes.txt"):
            info = tarfile.TarInfo(name)
            info.size = 9
            archive.addfile(info, io.BytesIO(b"The end.\n"))
    return stream.getvalue()


PROSE = (
    b"A long text about nothing in particular. " * 30,
    b"Git v2.31.7 Release Notes\n\nFixes since v2.31.6.\n",
    b"N. Bourbaki wrote this.\n",
    b"]. And so on.\n",
    b"(this is a remark).\n",
    b"2012-01-01  The author  <a@b.c>\n\n\t* configure.ac: release.\n",
    b"X\n\0\0\0\x02\0\x03\x06\0" + b"\0\0\0\x13" * 40,  # R's .rds
    b"RDX3\nX\n\0\0\0\x03\0\x04\x02\x01" + b"\0\0\x04\x02" * 40,  # R's .rda
    b"a,b,c\n1,2,3\n" * 60,
    b'{"learner": {"version": [2, 0, 0]}}',
    b"(((((((((((((((((((( A banner )))))))))))).",
    b"\x89HDF\r\n\x1a\n" + bytes(600),
    bytes(5000),
    b"",
    b".",
    b"\x80",
    TORCH_LEGACY,
    TORCH_LEGACY + bytes(range(256)) * 20,
)


@pytest.mark.parametrize("compressor", [None, *COMPRESSORS])
@pytest.mark.parametrize("number", range(len(PROSE)))
def test_what_holds_no_pickle_is_nobodys(number, compressor):
    data = PROSE[number] if compressor is None else COMPRESS[compressor](PROSE[number])
    assert best(data) is None
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(data)


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_tarball_is_nobodys(mode):
    assert best(tarball(mode)) is None


@pytest.mark.parametrize(
    "data",
    [b"x\x9c", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00", b"]\x00\x00", b"\x04\x22\x4d\x18", b"ZF0x"],
)
def test_a_magic_alone_is_nobodys(data):
    for behind in (b"", b"\0", b"\xff" * 200, b"\0" * 2000, b"]" * 2000, b"." * 2000):
        assert best(data + behind) is None


def test_a_folder_is_nobodys(tmp_path):
    joblib.dump(X, tmp_path / "m.joblib")
    assert best(tmp_path) is None


# -- refusing -----------------------------------------------------------------------------------


def refused(data: bytes) -> None:
    """Nobody claims it, or joblib does and its load ends in one error with a cause."""
    claimed = best(data)
    with pytest.raises(mlup.ModelLoadError) as caught:
        mlup.load(data)
    if claimed is None:
        assert type(caught.value) is mlup.UnknownModelError
    else:
        # A damaged name is refused by name, before anyone knows that it does not exist.
        unsafe = type(caught.value) is mlup.UnsafeModelError and caught.value.refused
        assert unsafe or type(caught.value) is mlup.ModelBinarizationError
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", ["one", "objects", "in a dict"])
def test_a_truncated_raw_dump_is_refused_wherever_it_was_cut(name, protocol):
    data = dumped(ARRAYS[name], protocol=protocol)
    for length in {*range(0, len(data), len(data) // 60), *range(len(data) - 9, len(data))}:
        refused(data[:length])


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_truncated_compressed_dump_is_refused_wherever_it_was_cut(compressor):
    data = dumped(MODELS["regression"], compress=(compressor, 3))
    for length in range(0, len(data) - 30, 29):  # the last bytes may be a checksum nobody reads
        refused(data[:length])


@pytest.mark.parametrize("compressor", ["gzip", "bz2", "xz", "lzma", "lz4"])
def test_a_damaged_compressed_dump_ends_in_one_error(compressor):
    data = bytearray(dumped({"n": list(range(5000)), "w": X}, compress=(compressor, 3)))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(byte ^ 0x5A for byte in data[middle : middle + 40])
    refused(bytes(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"NumpyArrayWrapper", b"NumpyArrayXrapper"),
        (b"joblib.numpy_pickle", b"joblib.numpy_pickxe"),
        (b"ndarray", b"ndarrax"),
        (b"float64", b"flxat64"),
        (b"dtype", b"dtypx"),
        (b"shape", b"shapx"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_damaged_raw_dump_ends_in_one_error(protocol, old, new):
    data = dumped([X], protocol=protocol)
    data = data.replace(old, new) if old in data else data.replace(b"f8", b"q?")
    refused(data)


def test_no_file_is_left_open(tmp_path):
    for compress in (0, ("zlib", 3), ("xz", 3), ("lz4", 3)):
        path = tmp_path / "m.joblib"
        joblib.dump({"w": X}, path, compress=compress)
        path.write_bytes(path.read_bytes()[:-40])
        for options in ({}, {"mmap_mode": "r"} if not compress else {}):
            with pytest.raises(mlup.ModelLoadError):
                mlup.load(path, "joblib", options=options)
    gc.collect()  # a file that was not closed warns here, and a warning is an error


# -- detection ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"protocol": 2}, *({"compress": (c, 1)} for c in COMPRESSORS)])
def test_what_a_detection_reads_does_not_grow_with_the_file(tmp_path, how):
    path = tmp_path / "m"
    read = []
    # Numbers that no compressor shortens; of bz2, a whole block is read.
    longest = 300_000 if how.get("compress", "")[:1] == ("bz2",) else 50_000
    numbers = np.random.default_rng(0).normal(size=longest)
    for count in (longest // 2, longest):
        joblib.dump({"w": numbers[:count]}, path, **how)
        with ModelPath.of(path) as opened:
            assert mlup_joblib.score(opened, opened.head, opened.tail) >= 0.9
            assert not opened.overdrawn
            read.append(BUDGET - opened.left)
    blocks = 4 * MAX_BLOCKS if how.get("compress", "")[:1] == ("lz4",) else 0
    assert read[0] <= read[1] <= read[0] + blocks  # the lengths of an lz4 frame's blocks are read


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "joblib")
    assert (info.distribution, info.status, info.problem) == ("mlup-joblib", "ok", None)
    assert info.version == mlup_joblib.__version__
    assert ".joblib" in info.extensions
    assert (info.options, info.requires) == (("mmap_mode",), ("joblib",))
    assert "joblib" in info.description


def test_every_name_the_predecessor_had_for_it_loads():
    for name in (
        "joblib",
        "mlup-joblib:joblib",
        mlup.BinarizationType.JOBLIB,
        "mlup.ml.binarization.joblib.JoblibBinarizer",
    ):
        assert np.array_equal(mlup.load(dumped(X), name), X)


# -- properties ---------------------------------------------------------------------------------

SAMPLES = [
    *(dumped(ARRAYS["in a dict"], protocol=protocol) for protocol in PROTOCOLS),
    *(dumped(MODELS["regression"], compress=(c, 3)) for c in COMPRESSORS),
    dumped(ARRAYS["objects"]),
    dumped_unaligned(ARRAYS["in a dict"], 4),
    zfile(pickle.dumps({"weights": [0.5]}, 2)),
    tarball("w:gz"),
    TORCH_LEGACY,
]
PLACES = st.one_of(st.integers(0, 300), st.integers(0, 1 << 16), st.integers(-300, -1))


@SETTINGS
@given(sample=st.sampled_from(SAMPLES), at=PLACES)
def test_truncations_never_make_detection_raise(sample, at):
    best(sample[:at])


@SETTINGS
@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5),
    insert=st.booleans(),
)
def test_flipped_and_inserted_bytes_never_make_detection_raise(sample, changes, insert):
    data = bytearray(sample)
    for place, new in changes:
        at = place % len(data)
        data[at : at if insert else at + len(new)] = new
    best(bytes(data))


@SETTINGS
@given(
    magic=st.sampled_from(
        [
            b"",
            b"x\x9c",
            b"\x1f\x8b\x08",
            b"BZh91AY&SY",
            b"\xfd7zXZ\x00\x00\x04",
            b"]\x00\x00\x80\x00",
            b"\x04\x22\x4d\x18\x40\x40",
            b"ZF0x1f               x\x9c",
            b"\x80\x04\x95",
        ]
    ),
    rest=st.binary(max_size=400),
)
def test_random_bytes_behind_every_magic_never_make_detection_raise(magic, rest):
    best(magic + rest)


@SETTINGS
@given(
    array=st.one_of(
        st.binary(max_size=60).map(lambda raw: np.frombuffer(raw, np.uint8)),
        st.lists(st.floats(allow_nan=False), max_size=9).map(np.array),
        st.lists(st.text(max_size=5), max_size=5).map(lambda texts: np.array(texts, dtype=object)),
    ),
    before=st.lists(st.one_of(st.integers(), st.text(max_size=30)), max_size=5),
    protocol=st.sampled_from(PROTOCOLS),
)
def test_whatever_joblib_writes_raw_with_an_array_is_recognised(array, before, protocol):
    data = dumped([before, array, array[:1]], protocol=protocol)
    assert best(data) == ("joblib", 0.95)
    assert same(array, mlup.load(data)[1])


@SETTINGS
@given(
    value=st.recursive(
        st.one_of(st.none(), st.integers(), st.text(), st.binary()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=12,
    ),
    compressor=st.sampled_from(COMPRESSORS),
    protocol=st.sampled_from([2, 3, 4, 5]),
)
def test_whatever_pickle_writes_is_recognised_compressed(value, compressor, protocol):
    data = COMPRESS[compressor](pickle.dumps([value], protocol))
    assert best(data) == ("joblib", 0.9)


def test_the_number_that_pytorch_files_begin_with_is_no_model():
    data = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    assert pickle.loads(data) == 119547037146038801333356
    for source in (data, io.BytesIO(data)):
        with pytest.raises(mlup.ModelBinarizationError, match="binarizer 'torch'"):
            mlup.load(source, "joblib")
    assert mlup.load(pickle.dumps(119547037146038801333355), "joblib") == 119547037146038801333355
