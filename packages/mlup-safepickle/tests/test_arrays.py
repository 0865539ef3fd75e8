"""NumPy: arrays of all kinds load; dtypes and shapes that lie about their memory do not."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

np = pytest.importorskip("numpy")
arrays = pytest.importorskip("mlup_safepickle.checks.arrays")

KINDS = ["?", "i1", "<i2", ">i4", "u8", "<f2", "f4", ">f8", "g", "c8", "c16", "S5", "U3", ">U2", "V7",
         "M8[ns]", "m8[25s]", "O"]  # fmt: skip


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


def filled(kind: str, shape: tuple[int, ...]) -> Any:
    if kind == "V7":
        return np.frombuffer(bytes(range(256))[: 7 * int(np.prod(shape))], "V7").reshape(shape)
    return np.arange(int(np.prod(shape))).reshape(shape).astype(kind)


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert one.flags.f_contiguous == other.flags.f_contiguous or one.ndim < 2
    assert repr(one.tolist()) == repr(other.tolist())


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_all_kinds_and_layouts(kind: str, protocol: int) -> None:
    for shape in ((), (0,), (3,), (2, 3), (2, 0, 3)):
        array = filled(kind, shape)
        for layout in (array, np.asfortranarray(array), array[::-1] if shape else array, array.T):
            data = pickle.dumps(layout, protocol)
            same(load(data), pickle.loads(data))


@pytest.mark.filterwarnings("ignore:The chararray class:DeprecationWarning")
@pytest.mark.parametrize("protocol", range(6))
def test_structures_scalars_subclasses_and_masks(protocol: int) -> None:
    structure = np.dtype([("a", "<f8"), ("b", "i4", (2,)), ("c", [("d", "S3")])], align=True)
    for value in (np.zeros(3, structure), np.zeros(2, [("t", "u1")]).view(np.recarray),
                  np.array(["ab"]).view(np.char.chararray)):  # fmt: skip
        data = pickle.dumps(value, protocol)
        same(load(data), pickle.loads(data))
    for scalar in (np.float64(1.5), np.int8(3), np.str_("é"), np.bytes_(b"x"), np.bool_(True),
                   np.datetime64("2026-01-01"), np.complex64(1j), np.zeros(1, structure)[0]):  # fmt: skip
        loaded = load(pickle.dumps(scalar, protocol))
        assert loaded == scalar
        assert loaded.dtype == scalar.dtype
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    assert load(pickle.dumps(masked, protocol)).tolist() == [None, 2.0]
    for dtype in map(np.dtype, ["f8", "O", "U3", "M8[D]", structure]):
        assert load(pickle.dumps(dtype, protocol)) == dtype


@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_numpy_core_by_either_name(core: bytes) -> None:
    for name in (b"numpy.core", b"numpy._core"):
        data = pickle.dumps(np.arange(3.0), 2).replace(b"c" + name + b".", b"c" + core + b".")
        assert load(data).tolist() == [0, 1, 2]


# -- dtypes ----------------------------------------------------------------------------------


def test_the_one_dtype_of_the_process_takes_no_state() -> None:
    for copy in (b"\x89\x89", b"\x88\x89", b"NN"):
        with pytest.raises(Refused, match="one of it"):
            load(b"cnumpy\ndtype\n(Vf8\n" + copy + b"tR.")
    assert arrays.dtype_call(("f8", False, True), {}) is None
    for args in ((), ("f8",), ("f8,f8", False, True), ("{}", False, True), (["f8"], False, True),
                 ("f8", False, True, {}), ({"names": []}, False, True), (5, False, True)):  # fmt: skip
        assert arrays.dtype_call(args, {})
    assert arrays.dtype_call(("f8", False, True), {"metadata": {}})


def state(size: Any = -1, *, flags: Any = 0, base: Any = None, names: Any = None, fields: Any = None,
          order: Any = "|", version: Any = 3, alignment: Any = -1) -> tuple[Any, ...]:  # fmt: skip
    return version, order, base, names, fields, size, alignment, flags


F8, OBJ, V8, S1, V16 = (np.dtype(kind) for kind in ("f8", "O", "V8", "S1", "V16"))
LYING = {
    "objects over bytes": (F8, state(flags=63)),
    "objects in void": (V8, state(8, flags=63)),
    "one flag of objects": (V8, state(8, flags=1)),
    "bytes over objects": (OBJ, state(flags=0)),
    "another size": (F8, state(4)),
    "a larger size": (F8, state(1000)),
    "below zero": (S1, state(-5)),
    "huge": (V8, state(2**31)),
    "no number": (V8, state("8")),
    "no version": (V8, state(8, version=99)),
    "no order": (V8, state(8, order="x")),
    "field outside": (V8, state(8, names=("a",), fields={"a": (F8, 1)})),
    "field before": (V8, state(8, names=("a",), fields={"a": (F8, -8)})),
    "field of objects without their flags": (V8, state(8, names=("a",), fields={"a": (OBJ, 0)})),
    "field without dtype": (V8, state(8, names=("a",), fields={"a": ("f8", 0)})),
    "field of nothing": (V8, state(8, names=("a",), fields={})),
    "names alone": (V8, state(8, names=("a",))),
    "fields in a number": (F8, state(8, names=("a",), fields={"a": (F8, 0)})),
    "base of another size": (V8, state(8, base=(F8, (2,)))),
    "base of objects": (V8, state(8, base=(OBJ, (1,)))),
    "base below zero": (V8, state(8, base=(F8, (-1,)))),
    "base without dtype": (V8, state(8, base=("f8", (1,)))),
    "no state": (V8, None),
    "a short state": (V8, (3, "|")),
}


@pytest.mark.parametrize("name", LYING)
def test_a_dtype_that_lies(name: str) -> None:
    dtype, given = LYING[name]
    assert arrays.dtype_state(given, dtype)


def test_the_state_of_every_dtype_is_one() -> None:
    for kind in [*KINDS, [("a", "f8"), ("b", "S3")], ("f4", (2, 2)), [("x", "i4", (3,))]]:
        dtype = np.dtype(kind)
        assert arrays.dtype_state(dtype.__reduce__()[2], dtype) is None


def test_fields_may_overlap_where_none_holds_objects() -> None:
    dtype = np.dtype({"names": ["a", "b"], "formats": ["f8", "u4"], "offsets": [0, 4]})
    assert load(pickle.dumps(dtype)) == dtype


def test_fields_of_objects_stand_apart() -> None:
    array = np.array([(["x"], 1.5)], [("a", "O"), ("b", "f8")])
    for protocol in range(6):
        assert load(pickle.dumps(array, protocol)).tolist() == array.tolist()
    for offset in (0, 4):
        fields = {"a": (OBJ, 0), "b": (F8, offset)}
        assert arrays.dtype_state(state(16, flags=3, names=("a", "b"), fields=fields), V16)


DT = b"cnumpy\ndtype\n(V%s\n\x89\x88tR"
ST = b"(I3\nV%s\nNNNI%d\nI%d\nI0\ntb"


# -- shapes ----------------------------------------------------------------------------------

RECONSTRUCT = {
    "a shape": (np.ndarray, (1000000,), b"b"),
    "another kind": (np.ndarray, (0,), b"O"),
    "no array": (dict, (0,), b"b"),
    "an instance": (np.zeros(0), (0,), b"b"),
    "below zero": (np.ndarray, (-1,), b"b"),
    "too few": (np.ndarray, (0,)),
}
SHAPED = {
    "more": ((2,), F8, b"a" * 8),
    "less": ((1,), F8, b"a" * 16),
    "below zero": ((-1, -1), F8, b"a" * 8),
    "huge": ((2**40, 2**40), F8, b""),
    "no ints": ((1.0,), F8, b"a" * 8),
    "flags for ints": ((True,), F8, b"a" * 8),
    "no shape": (1, F8, b"a" * 8),
    "no dtype": ((1,), "f8", b"a" * 8),
    "objects of bytes": ((1,), OBJ, b"a" * 8),
    "too few objects": ((2,), OBJ, [1]),
    "bytes of a list": ((1,), F8, [1]),
}


@pytest.mark.parametrize("name", RECONSTRUCT)
def test_an_array_is_made_empty(name: str) -> None:
    assert arrays.reconstruct(RECONSTRUCT[name], {})
    assert arrays.reconstruct((np.ndarray, (0,), b"b"), {}) is None
    assert arrays.reconstruct((np.ndarray, (0,), b"b"), {"x": 1})


@pytest.mark.parametrize("name", SHAPED)
def test_a_shape_that_lies(name: str) -> None:
    shape, dtype, data = SHAPED[name]
    assert arrays.array_state((1, shape, dtype, False, data), None)
    assert arrays.array_state((shape, dtype, False, data), None)
    assert arrays.masked_state((1, shape, dtype, False, data, b"\0" * 8, None), None)
    if isinstance(data, bytes):
        assert arrays.from_buffer((data, dtype, shape, "C"), {}) or name == "no shape"


def test_states_of_other_versions() -> None:
    for given in (None, (), (1, (1,)), [1, (1,), F8, False, b"a" * 8], (1, 2, 3, 4, 5, 6)):
        assert arrays.array_state(given, None)
        assert arrays.masked_state(given, None)
    assert arrays.array_state((1, (1,), F8, False, b"a" * 8), None) is None


def test_scalars() -> None:
    assert arrays.scalar((F8, b"a" * 8), {}) is None
    for args in ((F8, b"a" * 7), (F8, b"a" * 9), ("f8", b"a" * 8), (F8,), (F8, 1.5), (F8, [1])):
        assert arrays.scalar(args, {})
    assert arrays.scalar((F8, b"a" * 8), {"a": 1})


def test_frombuffer() -> None:
    good = (b"a" * 16, F8, (2,), "C")
    assert arrays.from_buffer(good, {}) is None
    assert arrays.from_buffer((bytearray(16), F8, 2, "F"), {}) is None
    for at, other in ((0, b"a" * 8), (0, [1, 2]), (1, OBJ), (1, "f8"), (2, (3,)), (2, (-2,)),
                      (2, (2.0,)), (3, "X"), (3, None)):  # fmt: skip
        assert arrays.from_buffer((*good[:at], other, *good[at + 1 :]), {})


def test_masked() -> None:
    assert arrays.masked((np.ma.MaskedArray, np.ndarray, (0,), "b"), {}) is None
    for args in ((np.ndarray, np.ndarray, (0,), "b"), (np.ma.MaskedArray, dict, (0,), "b"),
                 (np.ma.MaskedArray, np.ndarray, (9,), "b"), (np.ma.MaskedArray, np.ndarray)):  # fmt: skip
        assert arrays.masked(args, {})
    assert arrays.masked_state((1, (2,), F8, False, b"a" * 16, b"\0", None), None)
    assert arrays.masked_state((1, (2,), F8, False, b"a" * 16, [0, 0], None), None)


def test_flags_of_objects_over_raw_bytes_in_a_pickle() -> None:
    """The classic: numbers of the file's choice as pointers."""
    data = pickle.dumps(np.array([1, 2], dtype="f8"), 2)
    hostile = data.replace(
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00", b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f"
    )
    assert hostile != data
    with pytest.raises(Refused, match="flags"):
        load(hostile)


# -- memory that is the file's -------------------------------------------------------------------


def test_a_memory_map_comes_back_in_memory(tmp_path: Path) -> None:
    """The class itself opens and changes files; what was mapped is an array."""
    mapped = np.memmap(tmp_path / "rows", "f8", "w+", shape=(3,))
    mapped[:] = 1, 2, 3
    for protocol in range(6):
        loaded = load(pickle.dumps({"a": mapped}, protocol))["a"]
        assert type(loaded) is np.ndarray
        assert loaded.tolist() == [1, 2, 3]
    assert load(b"cnumpy\nmemmap\n.") is np.ndarray


def test_a_memory_map_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "made"
    arguments = b"(V%s\nVuint8\nVw+\nI0\n(I1\ntt" % str(path).encode()
    for use in (arguments + b"R.", arguments + b"\x81.", b")}\x92.", b")R."):
        with pytest.raises(Refused):
            load(b"cnumpy\nmemmap\n" + use)
    assert not path.exists()


FIELDS = (
    DT % b"f8" + ST % (b"<", -1, -1) + b"q\x010}(Va\n(h\x01I0\ntuq\x020"
    + DT % b"V8" + b"(I3\nV|\nN(Va\nth\x02I8\nI1\nI0\ntb" + b"q\x030"
)  # fmt: skip


@pytest.mark.parametrize("changed", [b"Va\n(h\x01I1048576\nt", b"Va\n(cnumpy\ndtype\n(VO\n\x89\x88tRI0\nt"],
                         ids=["far away", "objects"])  # fmt: skip
def test_the_fields_of_a_dtype_are_not_the_files_dict(changed: bytes) -> None:
    """Changed after the check, they lead anywhere: reading the field ends the process."""
    loaded = load(FIELDS + b"h\x02(" + changed + b"u0h\x03.")
    assert dict(loaded.fields) == {"a": (np.dtype("f8"), 0)}


# -- sequences that each check alone lets pass -------------------------------------------------

ND = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR"
AR = ND + b"(I1\n(I%d\nt%s\x89C\x08aaaaaaaatb"
BIG_ENDIAN = DT % b"f8" + ST % (b">", -1, -1) + b"q\x010"

OPEN = {
    "a dtype that grows under its array":
        DT % b"V8" + ST % (b"|", 8, 1) + b"q\x010" + AR % (1, b"h\x01") + b"q\x020h\x01"
        + ST % (b"|", 100_000, 1) + b"0h\x02.",
    "an array that moves under its views": BIG_ENDIAN + AR % (1, b"h\x01") + b"q\x02"
        b"(I1\n(I1\nth\x01\x89C\x08bbbbbbbbtb.",
    "a view of an array": BIG_ENDIAN + AR % (1, b"h\x01") + b"\x98.",
    "a dtype of -1 bytes": DT % b"S1" + ST % (b"|", -1, -1) + b".",
    "a text of 3 bytes": DT % b"U1" + ST % (b"<", 3, 4) + b".",
    "the one masked": b"cnumpy.ma.core\nMaskedConstant\n)R(I1\n(I1\nt" + DT % b"f8"
        + ST % (b"<", -1, -1) + b"\x89C\x08aaaaaaaaC\x01\x00Ntb.",
    "a shape whose product takes for ever": BIG_ENDIAN + ND + b"(I1\n(I2147483647\nq\x03"
        + b"h\x03" * 300_000 + b"th\x01\x89C\x00tb.",
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_memory_is_not_changed_behind_its_owner(
    name: str, loaded_apart: Callable[[bytes], str]
) -> None:
    assert loaded_apart(OPEN[name]) == "Refused"
