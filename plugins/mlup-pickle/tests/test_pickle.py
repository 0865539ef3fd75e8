"""The pickle binarizer: what is its own, what is not, and what a load gives or raises."""

from __future__ import annotations

import argparse
import builtins
import collections
import datetime
import decimal
import fractions
import functools
import gc
import io
import os
import pickle
import random
import sys
import tempfile
import types
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import mlup
import mlup_pickle
from mlup.files import BUDGET, ModelPath

PROTOCOLS = range(6)
TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00."
SHARED = [1.5, 2.5]
OBJECTS = {
    "weights": {"coef": [0.25, -1.5, 1e300], "intercept": 0.5, "classes": ["no", "yes"]},
    "ordered": collections.OrderedDict(a=1, b=[2, 3]),
    "namespace": argparse.Namespace(weights=[0.1, 0.2], bias=3),
    "partial": fractions.Fraction(22, 7),
    "class": fractions.Fraction,
    "function": functools.reduce,
    "date": datetime.timedelta(days=3, seconds=5),
    "decimal": [decimal.Decimal("1.10")],
    "set": {frozenset([1, 2]), frozenset()},
    "deque": collections.deque([1, 2, 3], maxlen=5),
    "complex": (1 + 2j, None, True, False),
    "shared": [SHARED, SHARED, {"again": SHARED}],
    "nested": functools.reduce(lambda inner, _: [inner], range(40), "deep"),
    "big int": {"n": 1 << 3000, "m": -(1 << 70)},
    "bytes": {"raw": bytes(range(256)) * 3},
    "none": None,
    "number": 12.5,
    "int": 7,
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    "text": "a text",
    "long text first": ["x" * 5000, "and a shorter one"],
    "many frames": {"trees": [[i * 0.5, i, str(i)] for i in range(12_000)]},
    "large bytes": {"before": list(range(300)), "blob": b"\x2e\x00\x01" * 50_000, "after": "end"},
    "large text": {"vocabulary": "wort " * 40_000},
}
# What no model holds, and the safe lists therefore do not: the caller must let it be used.
ALLOW = {
    "partial": ["fractions.Fraction"],
    "class": ["fractions.Fraction"],
    "function": ["functools.reduce", "_functools.reduce"],  # the protocols differ
}
SETTINGS = settings(
    max_examples=150,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module", autouse=True)
def _only_pickle():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "pickle")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


def is_pickle(source: object) -> bool:
    """Whether pickle claims it; no plugin may fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["pickle"])
    return bool(detection.candidates)


def wrapper_stream(protocol: int, between: bytes, name: str = "NumpyArrayWrapper") -> bytes:
    """A stream as joblib writes it: a wrapper's instance, then something raw, then STOP."""
    if protocol < 4:
        found = (
            b"cjoblib.numpy_pickle\n" + name.encode() + b"\nq\x00)\x81q\x01}q\x02X\x05\x00\x00\x00"
        )
        found += b"orderq\x03X\x01\x00\x00\x00Cq\x04sb"
        return b"\x80" + bytes([protocol]) + found + between + b"."
    body = b"\x8c\x13joblib.numpy_pickle\x94\x8c" + bytes([len(name)]) + name.encode() + b"\x94"
    body += b"\x93\x94)\x81\x94}\x94\x8c\x05order\x94\x8c\x01C\x94sb"
    frame = b"\x95" + len(body).to_bytes(8, "little") + body
    return b"\x80" + bytes([protocol]) + frame + between + b"."


# -- what is its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_recognised_without_an_extension_and_loaded(tmp_path, protocol, name):
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps(OBJECTS[name], protocol))

    detection = mlup.detect(path)

    assert detection.problems == ()
    assert [(each.binarizer, each.score) for each in detection.candidates] == [("pickle", 0.9)]
    assert detection.best.distribution == "mlup-pickle"
    assert detection.verdict is None
    assert mlup.load(path, allow=ALLOW.get(name, ())) == OBJECTS[name]
    assert mlup.load(path, trust=True) == OBJECTS[name]
    if name in ALLOW:
        with pytest.raises(mlup.UnsafeModelError) as caught:
            mlup.load(path)
        assert len(caught.value.refused) == 1
        assert mlup.load(path, allow=caught.value.refused) == OBJECTS[name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_instance_comes_back_in_the_same_state(protocol):
    model = random.Random(7)
    loaded = mlup.load(pickle.dumps(model, protocol), allow=["random.Random"])
    assert type(loaded) is random.Random
    assert [loaded.random() for _ in range(5)] == [model.random() for _ in range(5)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_pure_python_pickler_writes_the_same_format(protocol):
    stream = io.BytesIO()
    pickle._Pickler(stream, protocol).dump(OBJECTS["shared"])
    assert is_pickle(stream.getvalue())
    assert mlup.load(stream.getvalue()) == OBJECTS["shared"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickler_without_a_memo_and_an_optimised_stream_are_recognised(protocol):
    import pickletools

    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, protocol)
    pickler.fast = True
    pickler.dump(OBJECTS["weights"])
    optimised = pickletools.optimize(pickle.dumps(OBJECTS["weights"], protocol))
    for data in (stream.getvalue(), optimised):
        assert is_pickle(data)
        assert mlup.load(data) == OBJECTS["weights"]


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("m.pkl", 0.95),
        ("m.pckl", 0.95),
        ("m.pickle", 0.95),
        ("M.PKL", 0.95),
        ("a.b.pkl", 0.95),
        ("m.joblib", 0.9),
        ("m.onnx", 0.9),
        ("pkl", 0.9),
        ("m.pkl.bak", 0.9),
    ],
)
def test_the_extension_adds_to_the_content(tmp_path, name, score):
    (tmp_path / name).write_bytes(pickle.dumps(OBJECTS["weights"]))
    assert mlup.detect(tmp_path / name).best.score == score


@pytest.mark.parametrize("name", ["m.pkl", "m.pckl", "m.pickle"])
def test_the_extension_alone_is_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x01 not a pickle")
    assert not is_pickle(tmp_path / name)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("model", "class_name"),
    [
        (OBJECTS["namespace"], "argparse.Namespace"),  # behind copyreg._reconstructor in 0 and 1
        (OBJECTS["ordered"], "collections.OrderedDict"),
        (fractions.Fraction(1, 3), "fractions.Fraction"),
    ],
)
def test_the_reason_names_the_class_and_the_protocol(protocol, model, class_name):
    reason = mlup.detect(pickle.dumps(model, protocol)).best.reason
    assert class_name in reason
    assert f"protocol {protocol}" in reason if protocol > 1 else "protocol 0 or 1" in reason


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "behind", [b"\n", b"\r\n", b"\0" * 700, b" \n\n", pickle.dumps({"second": 2})]
)
def test_what_follows_the_stop_does_no_harm(protocol, behind):
    data = pickle.dumps(OBJECTS["weights"], protocol) + behind
    assert is_pickle(data)
    assert mlup.load(data) == OBJECTS["weights"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_text_that_mentions_joblibs_wrapper_is_a_text(protocol):
    model = {
        "notes": ["joblib.numpy_pickle", "NumpyArrayWrapper", "joblib.numpy_pickle.NDArrayWrapper"],
        "more": "cjoblib.numpy_pickle\nNumpyArrayWrapper\n",
        "padding": list(range(30_000)),
    }
    assert is_pickle(pickle.dumps(model, protocol))
    assert mlup.load(pickle.dumps(model, protocol)) == model


# -- sources ------------------------------------------------------------------------------------


class Unseekable(io.RawIOBase):
    """A pipe's manners: it reads, and cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._stream.readinto(buffer)


@pytest.mark.parametrize(
    "wrap",
    [
        str,
        Path,
        lambda path: Path(path).read_bytes(),
        lambda path: bytearray(Path(path).read_bytes()),
        lambda path: memoryview(Path(path).read_bytes()),
        lambda path: io.BytesIO(Path(path).read_bytes()),
        lambda path: Unseekable(Path(path).read_bytes()),
        lambda path: mlup.LoadedFile(path=str(path)),
        lambda path: mlup.LoadedFile(raw_data=Path(path).read_bytes()),
    ],
    ids=["str", "Path", "bytes", "bytearray", "memoryview", "BytesIO", "pipe", "file", "loaded"],
)
@pytest.mark.parametrize("name", ["weights", "many frames"])
def test_every_kind_of_source_is_loaded(tmp_path, monkeypatch, wrap, name):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "model.dat"
    path.write_bytes(pickle.dumps(OBJECTS[name]))
    assert mlup.load(wrap(str(path))) == OBJECTS[name]
    assert os.listdir(tmp_path / "temporary") == []


def test_an_open_file_is_read_from_where_it_stands_and_left_open(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"a header" + pickle.dumps(OBJECTS["weights"]))
    with open(path, "rb") as stream:
        stream.seek(8)
        assert mlup.detect(stream).best.binarizer == "pickle"
        assert stream.tell() == 8
        assert mlup.load(stream) == OBJECTS["weights"]
        assert not stream.closed


def test_no_file_is_left_open(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(OBJECTS["weights"])[:-5] + b"....")
    for _ in range(3):
        with pytest.raises(mlup.ModelLoadError):
            mlup.load(path, "pickle")
    gc.collect()  # a file that was not closed warns here, and a warning is an error


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [Path])
def test_score_can_be_tried_without_mlup_around_it(tmp_path, kind, protocol):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(OBJECTS["many frames"], protocol))
    data = path.read_bytes()
    assert mlup_pickle.score(kind(path), data[:100], data[-100:]) == 0.95
    assert mlup_pickle.deserialize(mlup.LoadedFile(path=str(path))) == OBJECTS["many frames"]


# -- what is not its own ------------------------------------------------------------------------

FOREIGN = {
    "nothing": b"",
    "a full stop": b".",
    "a byte": b"\x80",
    "PROTO alone": b"\x80\x04",
    "PROTO and STOP": b"\x80\x04.",
    "an unknown protocol": b"\x80\x06N.",
    "a protocol of 1 in PROTO": b"\x80\x01N.",
    "a sentence": b"A sentence that ends in a full stop.",
    "a remark": b"(this is a remark).",
    "a heading": b"I. Introduction\nIt was a dark and stormy night.",
    "initials": b"N. Bourbaki wrote this.\n",
    "a bracket": b"]. And so it goes, on and on.\n",
    "a brace": b"}.\nclass {\n}\n",
    "release notes": b"Git v2.31.7 Release Notes\n=========================\n\nFixes.",
    "a cmake page": b"CMAKE_COMMAND\n-------------\n\nThe full path to cmake.\n",
    # "C" and a length of ord("T"): what pickle.load takes, and no pickler writes without a PROTO.
    "a page that spells bytes": b"CTEST_SITE\n"
    + b"-" * 30
    + b"\n\n"
    + b"Not in use any more".ljust(43)
    + b".\n",
    "a binary float's opcode": b"GNU tools. There is more to come, and it ends in a full stop.",
    "two lists": b"]]. this is no list at all",
    "a banner": b"((((((((((((((((((((  A banner  )))))))))))))))))))).",
    "an opened list": b"(lp0\nThe list was opened, and nothing came of it.",
    "a lone PUT": b"p0\n.",
    "a GET of nothing": b"g0\n.",
    "too many marks": b"((((.",
    "a tar": b"././@PaxHeader" + b"\0" * 86 + b"0000000\0" * 40 + b".",
    "a tar's text": b"notes.txt" + b"\0" * 91 + b"0000644\0" * 4 + b"\0" * 380 + b"The end.",
    "json": b'{"learner": {"version": [2, 0, 0]}}',
    "json list": b"[1, 2, 3].",
    "yaml": b"version: '1'\nml:\n  binarization_type: auto\n",
    "csv": b"a,b,c\n1,2,3\n",
    "lightgbm": b"tree\nversion=v4\nnum_class=1\n\nend of trees\n\npandas_categorical:null\n",
    "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n",
    "html": b"<!DOCTYPE html><html><body>404.</body></html>.",
    "a zip": b"PK\x03\x04" + bytes(60) + b".",
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(60) + b".",
    "onnx": b"\x08\x07\x12\x07pytorch\x1a\x031.9:\x10.",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(30) + b".",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(60) + b".",
    "python": b"import pickle\n\n\ndef load():\n    return pickle.load(open('m.pkl', 'rb'))\n# end.",
    "zeros": bytes(500),
    "full stops": b"." * 500,
    "ff": b"\xff" * 500,
    "torch, legacy": TORCH_LEGACY,
    "torch, legacy, protocol 4": b"\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00"
    + TORCH_LEGACY[2:15]
    + TORCH_LEGACY[15:],
    "torch, legacy, protocol 1": b"L119547037146038801333356L\n.M\xe9\x03.}q\x00.",
    "torch, legacy, storages": TORCH_LEGACY + bytes(range(256)) * 40,
    "a frame longer than the file": b"\x80\x04\x95\xff\xff\xff\x00\x00\x00\x00\x00}\x94.",
    "raw bytes behind PROTO": b"\x80\x02" + bytes(range(255, 155, -1)) + b".",
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("suffix", ["", ".pkl"])
def test_foreign_bytes_are_not_its_own(tmp_path, suffix, name):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(FOREIGN[name])
    assert not is_pickle(path)
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(path)


def test_a_folder_is_not_its_own(tmp_path):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(1))
    assert not is_pickle(tmp_path)
    with pytest.raises(mlup.ModelLoadError):
        mlup.load(tmp_path, "pickle")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("padding", range(1, 17))
def test_a_joblib_dump_with_an_aligned_array_is_not_its_own(protocol, padding):
    between = bytes([padding]) + b"\xff" * padding + bytes(range(1, 200))
    assert not is_pickle(wrapper_stream(protocol, between))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("pattern", ["constant", "counting", "large"])
def test_a_joblib_dump_with_an_unaligned_array_is_not_its_own(protocol, pattern):
    """joblib 0.10 to 1.1 wrote no padding: an array may begin with any byte, opcodes included."""
    claimed = []
    for first in range(256):
        raw = {
            "constant": bytes([first]) * 3000,
            "counting": bytes([first]) + bytes(range(256)) * 3,
            "large": bytes([first]) + b"\x7f" * 100_000,
        }[pattern]
        if is_pickle(wrapper_stream(protocol, raw)):
            claimed.append(first)
    assert claimed == []


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_joblib_dump_with_an_object_array_is_not_its_own(protocol):
    inner = pickle.dumps([None, "a"], protocol)
    assert not is_pickle(wrapper_stream(protocol, inner))


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_dump_of_joblib_0_9_whose_arrays_stand_in_other_files_is_not_its_own(protocol):
    """``pickle.load`` would return the wrapper objects in the arrays' places, without an error."""
    assert not is_pickle(wrapper_stream(protocol, b"", "NDArrayWrapper"))


# -- refusing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["weights", "namespace", "shared", "bytes", "date"])
def test_a_truncated_pickle_is_refused_wherever_it_was_cut(protocol, name):
    data = pickle.dumps(OBJECTS[name], protocol)
    for length in range(len(data)):
        piece = data[:length]
        if is_pickle(piece):  # it may look whole, and then its load fails
            with pytest.raises(mlup.ModelBinarizationError) as caught:
                mlup.load(piece)
            assert caught.value.__cause__ is not None
        else:
            with pytest.raises(mlup.UnknownModelError):
                mlup.load(piece)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["many frames", "large bytes", "large text"])
def test_a_large_pickle_that_is_cut_is_refused(protocol, name):
    data = pickle.dumps(OBJECTS[name], protocol)
    for length in (150, 5000, 65_536, 65_547, 100_000, len(data) - 2, len(data) - 1):
        with pytest.raises(mlup.ModelLoadError) as caught:
            mlup.load(data[:length])
        unknown = isinstance(caught.value, mlup.UnknownModelError)
        assert unknown or isinstance(caught.value, mlup.ModelBinarizationError)


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_framed_pickle_that_is_cut_in_a_later_frame_is_seen_without_loading(protocol):
    data = pickle.dumps(OBJECTS["many frames"], protocol)
    whole = [length for length in range(70_000, len(data), 977) if is_pickle(data[:length])]
    assert whole == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8c\x11no_such_module_xy\x94\x8c\x05Model\x94\x93\x94)\x81\x94.",
        b"\x80\x04\x8c\x0bcollections\x94\x8c\x07NoModel\x94\x93\x94)\x81\x94.",
        b"\x80\x02cbuiltins\nint\nq\x00X\x04\x00\x00\x00nineq\x01\x85q\x02Rq\x03.",
        b"\x80\x02cbuiltins\nint\nq\x00X\x04\x00\x00\x00nineq\x01\x86q\x02Rq\x03.",
        b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01Qq\x02u.",
        b"\x80\x02csys\nexit\nq\x00X\x01\x00\x00\x00aq\x01\x85q\x02Rq\x03.",
        b"\x80\x02]q\x00(]q\x01]q\x02]q\x03\x86q\x04b.",
    ],
    ids=["module", "name", "value", "stack", "persistent id", "exit", "stack again"],
)
def test_a_pickle_that_cannot_be_loaded_ends_in_one_error_with_its_cause(data):
    with pytest.raises(mlup.ModelLoadError) as caught:
        mlup.load(data, "pickle", trust=True)
    assert type(caught.value) is mlup.ModelBinarizationError
    assert caught.value.__cause__ is not None
    assert type(caught.value.__cause__).__name__ in str(caught.value)

    with pytest.raises((mlup.UnsafeModelError, mlup.ModelBinarizationError)) as caught:
        mlup.load(data, "pickle")
    assert caught.value.__cause__ is not None


def test_the_missing_module_is_named():
    data = b"\x80\x04\x8c\x11no_such_module_xy\x94\x8c\x05Model\x94\x93\x94)\x81\x94."
    for how in ({"trust": True}, {"allow": ["no_such_module_xy.Model"]}):
        with pytest.raises(mlup.ModelBinarizationError, match="no_such_module_xy") as caught:
            mlup.load(data, **how)
        assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    with pytest.raises(mlup.UnsafeModelError, match=r"no_such_module_xy\.Model"):
        mlup.load(data)


def test_buffers_kept_outside_the_stream_end_in_one_error():
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(
        [pickle.PickleBuffer(bytearray(b"raw" * 50))], 5, buffer_callback=buffers.append
    )
    assert is_pickle(data)
    with pytest.raises(mlup.UnsafeModelError, match="buffers outside the file"):
        mlup.load(data)
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(data, trust=True)
    assert caught.value.__cause__ is not None


def test_an_option_is_refused_because_there_is_none():
    with pytest.raises(mlup.OptionError, match="mmap_mode"):
        mlup.load(pickle.dumps({"a": 1}), options={"mmap_mode": "r"})


def test_detection_runs_nothing_and_imports_nothing(tmp_path, monkeypatch):
    module = tmp_path / "booby_trap.py"
    module.write_text(
        "import builtins\nbuiltins.booby_trapped = True\n\n\nclass Model:\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    mark = tmp_path / "ran"
    run = f"cbuiltins\nexec\n(Vopen({str(mark)!r}, 'w').close()\ntR."
    for data in (
        run.encode(),
        b"\x80\x02" + run.encode(),
        b"\x80\x04\x8c\x0abooby_trap\x94\x8c\x05Model\x94\x93\x94)\x81\x94.",
    ):
        assert is_pickle(data)
    assert not mark.exists()
    assert "booby_trap" not in sys.modules
    assert not hasattr(builtins, "booby_trapped")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_detection_reads_does_not_grow_with_the_file(tmp_path, protocol):
    path = tmp_path / "model.pkl"
    read = []
    for megabytes in (2, 6):
        model = {"blob": bytes(megabytes * 1_000_000), "names": [str(i) for i in range(20_000)]}
        path.write_bytes(pickle.dumps(model, protocol))
        with ModelPath.of(path) as opened:
            assert mlup_pickle.score(opened, opened.head, opened.tail) == 0.95
            assert not opened.overdrawn
            read.append(BUDGET - opened.left)
    assert read[0] == read[1] <= BUDGET * 3 // 4


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "pickle")
    assert (info.distribution, info.status, info.problem) == ("mlup-pickle", "ok", None)
    assert info.version == mlup_pickle.__version__
    assert info.extensions == (".pkl", ".pckl", ".pickle")
    assert (info.options, info.requires) == ((), ())
    assert "pickle" in info.description


def test_every_name_the_predecessor_had_for_it_loads():
    data = pickle.dumps([1, 2])
    for name in (
        "pickle",
        "mlup-pickle:pickle",
        mlup.BinarizationType.PICKLE,
        "mlup.ml.binarization.pickle.PickleBinarizer",
    ):
        assert mlup.load(data, name) == [1, 2]


# -- properties ---------------------------------------------------------------------------------

SAMPLES = [
    pickle.dumps(OBJECTS[name], protocol)
    for name in ("weights", "namespace", "shared", "bytes", "many frames", "large bytes")
    for protocol in PROTOCOLS
] + [wrapper_stream(4, b"\x03\xff\xff\xffraw"), wrapper_stream(2, b"raw"), TORCH_LEGACY]
PLACES = st.one_of(st.integers(0, 250), st.integers(0, 1 << 20), st.integers(-250, -1))
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.binary(),
        st.dates(),
        st.fractions(),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner, inner)
    ),
    max_leaves=25,
)


@SETTINGS
@given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_whatever_pickle_writes_is_recognised_and_comes_back(value, protocol):
    data = pickle.dumps(value, protocol)
    assert is_pickle(data)
    assert mlup.load(data, allow=["fractions.Fraction"]) == value


@SETTINGS
@given(data=st.binary(max_size=400))
@example(b"\x80\x04\x95")
@example(b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.")
@example(b"\x80\x02\x8b\xff\xff\xff\xff.")
@example(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.")
def test_random_bytes_never_make_detection_raise(data):
    is_pickle(data)


@SETTINGS
@given(start=st.sampled_from(list(b"\x80(]})GIFLSVXUcNKMJ")), rest=st.binary(max_size=400))
def test_random_bytes_behind_an_opcode_never_make_detection_raise(start, rest):
    is_pickle(bytes([start]) + rest)
    is_pickle(b"\x80\x04" + bytes([start]) + rest + b".")


@SETTINGS
@given(sample=st.sampled_from(SAMPLES), at=PLACES)
def test_truncations_never_make_detection_raise(sample, at):
    is_pickle(sample[:at])


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
    is_pickle(bytes(data))


@SETTINGS
@given(
    words=st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12),
        min_size=4,
        max_size=30,
    )
)
@example(["Git", "v2.31.7", "Release", "Notes"])
@example(["N.", "N.", "Bourbaki", "wrote"])
def test_prose_is_no_pickle(words):
    """Of a text, the first few letters may be opcodes; what is behind them says that it is none."""
    assert not is_pickle((" ".join(words) + ", and so on, and so forth.\n").encode())


# -- what dill writes -----------------------------------------------------------------------------


def of_dill(name: str, protocol: int, monkeypatch, *, before: object = None) -> bytes:
    """A real pickle that imports ``dill._dill.<name>``, as dill's own pickles do."""
    module = types.ModuleType("dill._dill")

    def build(*arguments: object) -> None:
        return None

    build.__module__, build.__name__, build.__qualname__ = "dill._dill", name, name
    setattr(module, name, build)
    monkeypatch.setitem(sys.modules, "dill", types.ModuleType("dill"))
    monkeypatch.setitem(sys.modules, "dill._dill", module)

    class Function:
        def __reduce__(self) -> tuple[object, ...]:
            return build, ("code", 1)

    return pickle.dumps({"first": before, "model": Function()}, protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["_create_function", "_create_type"])
def test_functions_and_classes_of_dill_are_not_its_own(monkeypatch, name, protocol):
    for before in (None, list(range(2000))):
        data = of_dill(name, protocol, monkeypatch, before=before)
        assert mlup.detect(data).best is None
        assert mlup.detect(data).verdict.startswith("a pickle with functions or classes of dill's")


@pytest.mark.parametrize("protocol", range(6))
def test_what_dill_pickles_like_pickle_is(monkeypatch, protocol):
    assert mlup.detect(of_dill("_create_array", protocol, monkeypatch)).best.binarizer == "pickle"
    text = {"doc": "it calls dill._dill _create_function, dill._dill._create_type"}
    assert mlup.detect(pickle.dumps(text, protocol)).best.binarizer == "pickle"


def test_the_number_that_pytorch_files_begin_with_is_no_model():
    data = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    assert pickle.loads(data) == 119547037146038801333356
    for source in (data, io.BytesIO(data)):
        with pytest.raises(mlup.ModelBinarizationError, match="binarizer 'torch'"):
            mlup.load(source, "pickle")
    assert mlup.load(pickle.dumps(119547037146038801333355), "pickle") == 119547037146038801333355
