"""Safe loading of joblib dumps: the same objects as by ``joblib.load``, and nothing that is run."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import subprocess
import sys
import zlib

import joblib
import lz4.frame
import numpy as np
import pytest

import mlup
from mlup_joblib.dumps import OLD

COMPRESSORS = ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")
COMPRESS = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "lz4": lz4.frame.compress,
    "zfile": lambda data: b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data),
}


@pytest.fixture(scope="module", autouse=True)
def _only_joblib():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "joblib")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


def nested() -> np.ndarray:
    inner = np.empty(3, object)
    inner[:] = [np.arange(4), {"x": np.ones((2, 2), order="F")}, None]
    return inner


def read_only() -> np.ndarray:
    array = np.arange(5.0)
    array.flags.writeable = False
    return array


VALUES = {
    "c order": np.arange(12.0).reshape(3, 4),
    "fortran order": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "objects": np.array([None, "a", {"b": 1}], object),
    "arrays in objects": nested(),
    "read-only": read_only(),
    "records": np.array([(1, 2.5), (3, 4.5)], [("n", "i4"), ("x", "f8")]),
    "big-endian": np.arange(6, dtype=">f8").reshape(2, 3),
    "big-endian records": np.array([(1, 2.5)], [("n", ">i4"), ("x", ">f8")]),
    "records of both orders": np.array([(1, 2.5)], [("n", ">i4"), ("x", "<f8")]),
    "records with bytes": np.array([(1, b"q")], [("n", ">i4"), ("s", "S3")]),
    "records with objects": np.array([(1, None)], [("n", ">i4"), ("o", "O")]),
    "records with arrays": np.array([(1, [1, 2, 3])], [("n", ">i4"), ("v", ">f8", (3,))]),
    "dates": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "time steps": np.array([1, 2], "m8[25us]"),
    "texts": np.array(["ab", "cdé"]),
    "big-endian texts": np.array(["ab"], ">U2"),
    "bytes": np.array([b"ab", b"c"]),
    "unsigned": np.arange(3, dtype="u8"),
    "truth": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "long double": np.arange(3, dtype="g"),
    "half": np.arange(3, dtype="e"),
    "raw": np.zeros(2, "V5"),
    "empty": np.array([]),
    "empty in one direction": np.empty((3, 0)),
    "no dimension": np.array(3.5),
    "no dimension, object": np.array(None, object),
    "masked": np.ma.array([1.0, 2.0], mask=[0, 1]),
    "reversed": np.arange(5)[::-1],
    "longer than a window": np.arange(40_000.0),
    "several": [np.arange(3), "between", np.zeros((2, 2)), np.float32(2)],
}


def seen(value: object) -> object:
    """All that there is to compare of a value."""
    if isinstance(value, np.ma.MaskedArray):
        return type(value), seen(value.data), seen(value.mask)
    if isinstance(value, np.ndarray):
        flags = value.flags
        items = value.tobytes()
        if value.dtype == object:
            items = [seen(each) for each in value.ravel().tolist()]
        elif value.dtype.hasobject:
            items = repr(value)
        found = type(value), str(value.dtype), value.shape, value.strides, flags.writeable, items
        if isinstance(value, np.memmap):
            return (*found, value.filename, value.mode, value.offset)
        return found
    if isinstance(value, (list, tuple)):
        return [seen(each) for each in value]
    if isinstance(value, dict):
        return {key: seen(each) for key, each in value.items()}
    return type(value), repr(value)


def natively(path, **options):
    """By joblib itself; those before 1.5 cannot swap bytes with NumPy 2."""
    try:
        return joblib.load(path, **options)
    except AttributeError as error:
        pytest.skip(f"not with this joblib: {error}")


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.filterwarnings(  # joblib's own files, on Python 3.13
    "ignore:Exception ignored in. <_io.BufferedReader:pytest.PytestUnraisableExceptionWarning"
)
def test_every_array_comes_back_as_joblib_gives_it(tmp_path, name):
    path = tmp_path / "m"
    for protocol in (0, 2, 4, 5):
        joblib.dump(VALUES[name], path, protocol=protocol)
        assert seen(mlup.load(path)) == seen(natively(path))
        assert mlup.inspect(path).refused == mlup.inspect(path).notes == ()
        for mode in ("r", "c", "r+", "w+"):
            before = path.read_bytes()
            mapped = mlup.load(path, options={"mmap_mode": mode})
            assert seen(mapped) == seen(natively(path, mmap_mode=mode))
            assert path.read_bytes() == before
    for compressor in COMPRESSORS:
        joblib.dump(VALUES[name], path, compress=(compressor, 1))
        assert seen(mlup.load(path)) == seen(natively(path))
        assert mlup.inspect(path).refused == mlup.inspect(path).notes == ()


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_stays_one(tmp_path):
    """joblib gives an ordinary array of it where NumPy is 2: ``*`` would mean something else."""
    path = tmp_path / "m"
    matrix = np.matrix([[1, 2], [3, 4]])
    for how in ({}, {"compress": 3}):
        joblib.dump([matrix], path, **how)
        loaded = mlup.load(path)[0]
        assert type(loaded) is np.matrix
        assert np.array_equal(loaded * loaded, matrix * matrix)


@pytest.mark.parametrize("mode", ["r+", "w+"])
def test_a_writeable_map_writes_into_the_file(tmp_path, mode):
    path = tmp_path / "m"
    joblib.dump(np.arange(5), path)
    mapped = mlup.load(path, options={"mmap_mode": mode})
    mapped[0] = 99
    mapped.flush()
    assert mlup.load(path).tolist() == [99, 1, 2, 3, 4]


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_map_of_a_compressed_dump_is_none_and_says_so(tmp_path, compressor):
    path = tmp_path / "m"
    joblib.dump(np.arange(5, dtype=">i4"), path, compress=(compressor, 1))
    path.chmod(0o400)
    with pytest.warns(UserWarning, match=r"mmap_mode='r\+' is ignored.*compressed"):
        loaded = mlup.load(path, options={"mmap_mode": "r+"})
    assert type(loaded) is np.ndarray
    assert loaded.dtype == ">i4"


def test_an_unaligned_map_says_so(tmp_path):
    """As joblib 0.10 to 1.1 wrote it: no padding."""
    path = tmp_path / "m"
    joblib.dump(np.arange(5.0), path, protocol=2)
    data = path.read_bytes()
    whole = b"numpy_array_alignment_bytesq"
    at = data.index(whole)
    end = data.index(b"K\x10", at)
    data = data[:end] + b"N" + data[end + 2 :]
    raw = data.index(np.arange(5.0).tobytes())
    padding = next(n for n in range(1, 17) if data[raw - n - 1] == n and n)
    data = data[: raw - padding - 1] + data[raw:]
    assert (raw - padding - 1) % 16
    path.write_bytes(data)
    assert mlup.load(path).tolist() == [0, 1, 2, 3, 4]
    with pytest.warns(UserWarning, match="not aligned"):
        assert mlup.load(path, options={"mmap_mode": "r"}).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("compressor", ["gzip", "bz2", "xz"])
@pytest.mark.parametrize("behind", [b"", b"\n", b"\0" * 600, b"not compressed at all"])
def test_streams_of_parallel_compressors_and_what_follows_them(compressor, behind):
    model = {"w": np.arange(30_000), "text": "x" * 1000}
    stream = io.BytesIO()
    joblib.dump(model, stream)
    data = stream.getvalue()
    pieces = [data[at : at + 50_000] for at in range(0, len(data), 50_000)]
    packed = b"".join(map(COMPRESS[compressor], pieces)) + behind
    assert seen(mlup.load(packed, "joblib")) == seen(model)


# -- attacks --------------------------------------------------------------------------------------


class Call:
    """Pickles as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> object:
        return self.reduced


MKDIR = f"{os.mkdir.__module__}.mkdir"


@pytest.mark.parametrize("compressor", [None, *COMPRESSORS])
@pytest.mark.parametrize("where", ["beside", "in objects", "before"])
def test_a_call_is_refused_by_name_and_not_made(tmp_path, where, compressor):
    """In object arrays too, which joblib before 1.6 reads with the plain unpickler."""
    mark = tmp_path / "mark"
    call = Call(os.mkdir, str(mark))
    inside = np.empty(1, object)
    inside[0] = call
    model = {
        "beside": [np.arange(3), call],
        "in objects": {"w": np.arange(3), "o": inside},
        "before": [call, np.arange(300)],
    }[where]
    path = tmp_path / "m.joblib"
    joblib.dump(model, path, compress=(compressor, 1) if compressor else 0)
    for source in (path, path.read_bytes()):
        for options in ({}, {"mmap_mode": "r"} if compressor is None else {}):
            with pytest.raises(mlup.UnsafeModelError) as caught:
                mlup.load(source, options=options)
            assert caught.value.refused == (MKDIR,)
            assert caught.value.binarizer == "joblib"
        assert mlup.inspect(source).refused == (MKDIR,)
    assert not mark.exists()
    assert mlup.inspect(path, allow=[MKDIR]).refused == ()
    mlup.load(path, allow=[MKDIR])
    assert mark.is_dir()
    mark.rmdir()
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(path)
    assert not mark.exists()


def test_an_old_dump_names_what_is_in_it(tmp_path):
    mark = tmp_path / "mark"
    data = COMPRESS["zfile"](pickle.dumps(Call(os.mkdir, str(mark)), 2))
    with pytest.raises(mlup.UnsafeModelError, match=r"joblib before 0\.10") as caught:
        mlup.load(data, "joblib")
    assert caught.value.refused == (MKDIR,)
    report = mlup.inspect(data, "joblib")
    assert report.refused == (MKDIR,)
    assert report.notes == (OLD,)
    assert not mark.exists()


def wrapper(shape: object, dtype: object = np.dtype("f8"), raw: bytes = b"") -> bytes:
    """A dump of an array with a shape and a dtype of one's own choice."""
    stream = io.BytesIO()
    joblib.dump(np.arange(3.0), stream, protocol=2)
    data = stream.getvalue()
    state = pickle.dumps(
        {
            "subclass": np.ndarray,
            "shape": shape,
            "order": "C",
            "dtype": dtype,
            "allow_mmap": True,
            "numpy_array_alignment_bytes": 16,
        },
        2,
    )[2:-1]
    begin = data.index(b")\x81") + 2
    return data[:begin] + state + b"b" + b"\x01\xff" + raw + b"."


SHAPES = {
    "huge": ((1 << 40,), "longer than what may still come"),
    "overflowing": ((1 << 40, 1 << 40), "longer than what may still come"),
    "wrapping to nothing": ((1 << 32, 1 << 32), "longer than what may still come"),
    "negative": ((-1,), "shape"),
    "negative twice": ((-1, -3), "shape"),
    "beyond int64": ((1 << 70,), "shape"),
    "of many dimensions": ((1,) * 65, "shape"),
    "no tuple": ([3], "shape"),
    "of truth": ((True,), "shape"),
    "of texts": (("3",), "shape"),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("mode", [None, "r", "r+", "w+"])
@pytest.mark.parametrize("compressor", [None, "zlib"])
def test_a_shape_that_lies_is_an_error_and_no_allocation(tmp_path, name, mode, compressor):
    shape, said = SHAPES[name]
    data = wrapper(shape, raw=bytes(24))
    path = tmp_path / "m"
    path.write_bytes(COMPRESS[compressor](data) if compressor else data)
    size = path.stat().st_size
    options = {"mmap_mode": mode} if mode and not compressor else {}
    if compressor:
        said += "|decompresses to far more"
    with pytest.raises(mlup.ModelLoadError, match=said):
        mlup.load(path, "joblib", options=options)
    assert path.stat().st_size == size  # numpy.memmap makes files longer
    assert any("cannot be followed" in note for note in mlup.inspect(path, "joblib").notes)


@pytest.mark.parametrize("dtype", [np.dtype("V0"), np.dtype("S0"), "f8", None, np.float64])
def test_a_dtype_that_is_none_is_an_error(dtype):
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(wrapper((1 << 50,), dtype), "joblib")


def test_an_object_array_that_is_none_is_an_error():
    data = wrapper((1,), np.dtype("O"))
    for inner in (b"\x80\x04]", b"\x80\x04N."):
        with pytest.raises(mlup.ModelBinarizationError):
            mlup.load(data.replace(b"\x01\xff.", inner), "joblib")


BOMB = """
import re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
import numpy, joblib, mlup
try:
    mlup.load(sys.argv[1], "joblib")
except mlup.UnsafeModelError as error:
    print(type(error).__name__, error)
print(mlup.inspect(sys.argv[1], "joblib").notes)
with open("/proc/self/status") as status:  # ru_maxrss counts the process before exec() too
    print(re.search(r"VmHWM:\\s*(\\d+) kB", status.read())[1])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory: Linux")
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_decompression_bomb_is_refused_with_bounded_memory(tmp_path, compressor):
    """A text that says 1.5 GB; what is there, 210 MB, is decompressed as far as it may be."""
    head = b"\x80\x04\x8e" + (1_500_000_000).to_bytes(8, "little")
    compress, zeros = COMPRESS[compressor], bytes(10_000_000)
    path = tmp_path / "bomb"
    path.write_bytes(compress(head + zeros) + compress(zeros) * 20)
    assert path.stat().st_size < 1_000_000
    run = subprocess.run(
        [sys.executable, "-c", BOMB, str(path)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "MLUP_PLUGINS": "joblib"},
    )
    assert run.returncode == 0, run.stderr
    said, noted, peak = run.stdout.rsplit("\n", 3)[0:3]
    assert "decompresses to far more" in said
    assert "decompresses to far more" in noted
    assert int(peak) < 512 * 1024


# -- reports --------------------------------------------------------------------------------------


def test_a_report_lists_what_the_arrays_need():
    stream = io.BytesIO()
    joblib.dump([VALUES["texts"], VALUES["records"], VALUES["arrays in objects"]], stream)
    report = mlup.inspect(stream.getvalue())
    assert report.format.endswith("joblib")
    names = {str(each) for each in report.imports}
    assert {"numpy.ndarray", "numpy.dtype"} <= names
    assert {each.verdict for each in report.imports} == {"safe"}


def test_a_report_tells_of_damage_and_of_what_follows():
    stream = io.BytesIO()
    joblib.dump([np.arange(500), Call(os.mkdir, "a")], stream)
    whole = stream.getvalue()
    assert mlup.inspect(whole + pickle.dumps(Call(os.rmdir, "a"))).refused == (
        MKDIR,
        MKDIR.replace("mkdir", "rmdir"),
    )
    report = mlup.inspect(whole[:600], "joblib")
    assert "numpy.ndarray" in [str(each) for each in report.imports]
    assert any("cannot be followed to its end" in note for note in report.notes)
    packed = io.BytesIO()
    joblib.dump([np.random.default_rng(0).normal(size=9000), 1], packed, compress=("xz", 1))
    broken = packed.getvalue()
    report = mlup.inspect(broken[: len(broken) // 2], "joblib")
    assert any("cannot be followed to its end" in note for note in report.notes)


REPORTING = """
import json, sys
import mlup
reports = [mlup.inspect(path, "joblib") for path in sys.argv[1:]]
loaded = [name for name in ("numpy", "sklearn", "joblib", "turtle") if name in sys.modules]
print(json.dumps([[report.refused for report in reports], loaded]))
"""


def test_a_report_imports_nothing(tmp_path):
    data = pickle.dumps({"w": np.arange(3), "o": VALUES["arrays in objects"]}, 4)[:-1]
    data += b"\x8c\x06turtle\x8c\x06Turtle\x93\x86."
    paths = [tmp_path / "raw"]
    joblib.dump([VALUES["arrays in objects"], np.arange(3)], paths[0])
    for compressor, compress in COMPRESS.items():
        paths.append(tmp_path / compressor)
        paths[-1].write_bytes(compress(data))
    run = subprocess.run(
        [sys.executable, "-c", REPORTING, *map(str, paths)],
        capture_output=True,
        timeout=50,
        text=True,
        env={**os.environ, "MLUP_PLUGINS": "joblib"},
    )
    assert run.returncode == 0, run.stderr
    refused, loaded = json.loads(run.stdout)
    assert loaded == []
    assert refused == [[], *[["turtle.Turtle"]] * len(COMPRESS)]


def test_a_report_leaves_a_callers_stream_where_it_stands():
    stream = io.BytesIO()
    stream.write(b"a header")
    joblib.dump(np.arange(3), stream)
    stream.seek(8)
    assert mlup.inspect(stream).refused == ()
    assert mlup.load(stream).tolist() == [0, 1, 2]
