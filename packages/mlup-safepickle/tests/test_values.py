"""Plain values, damage, and the table of opcodes: the same as pickle's, without its extremes."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup_safepickle
from mlup_safepickle.opcodes import HANDLERS, OPCODES

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**80), 2**2100),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.text(st.characters(codec="utf-8", exclude_categories=()), max_size=8),
    st.binary(max_size=300),
    st.binary(max_size=20).map(bytearray),
    st.complex_numbers(allow_nan=False),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 99)),
    st.just(...),
)
LONG = st.integers(-(2**64) + 1, 2**64 - 1)  # longer ones are no keys, see test_keys.py
KEYS = st.one_of(LONG, st.text(max_size=9), st.tuples(LONG, st.text(max_size=2)))
VALUES: st.SearchStrategy[Any] = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(KEYS, inner, max_size=5),
        st.sets(KEYS, max_size=5),
        st.frozensets(KEYS, max_size=5),
        inner.map(lambda value: [value, value]),  # a memo
    ),
    max_leaves=12,
)


def load(data: bytes, **options: Any) -> Any:
    return mlup_safepickle.load(io.BytesIO(data), **options)


def memoless(value: object, protocol: int) -> bytes:
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol)
    pickler.fast = True
    pickler.dump(value)
    return out.getvalue()


def unframed(data: bytes) -> bytes:
    """The same pickle without its FRAME opcodes."""
    ends = [*[at for _, _, at in pickletools.genops(data)][1:], len(data)]
    return b"".join(
        data[at:end]
        for (opcode, _, at), end in zip(pickletools.genops(data), ends, strict=True)
        if opcode.name != "FRAME"
    )


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(0, 5))
def test_what_pickle_writes_is_what_it_loads(value: object, protocol: int) -> None:
    written = pickle.dumps(value, protocol)
    wanted = pickle.loads(written)
    for data in (written, pickletools.optimize(written), memoless(value, protocol)):
        assert load(data) == wanted
        assert load(unframed(data)) == wanted
    assert type(load(written)) is type(wanted)


def test_the_same_object_stays_one_object() -> None:
    inner: list[object] = []
    inner.append(inner)
    for protocol in range(6):
        loaded = load(pickle.dumps([inner, inner], protocol))
        assert loaded[0] is loaded[1]
        assert loaded[0][0] is loaded[0]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("around", [64 * 1024, 128 * 1024])
def test_texts_and_bytes_around_the_window_and_its_margin(around: int, protocol: int) -> None:
    for size in (*range(around - 290, around + 20, 11), around - 270, around - 271, around - 269):
        for value in (["x" * size, 1, 2.5, "é"], [b"x" * size, True, None]):
            assert load(pickle.dumps(value, protocol)) == value


def test_opcodes_around_the_window() -> None:
    for pad in range(64 * 1024 - 300, 64 * 1024 + 8, 7):
        data = b"\x80\x04]\x94(" + b"N" * pad + b"\x8c\x03abc\x94K\x01M\x02\x01h\x01e."
        assert load(data)[pad:] == ["abc", 1, 258, "abc"]


class Slow(io.BytesIO):
    """A stream that gives a few bytes at a time, as raw files and sockets may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 7))


@pytest.mark.parametrize("protocol", range(6))
def test_a_stream_of_short_reads(protocol: int) -> None:
    value = {"a": [1, 2.5, "text" * 20], "b": b"bytes" * 400, "c": (None, True, 2**100)}
    assert mlup_safepickle.load(Slow(pickle.dumps(value, protocol))) == value


@settings(max_examples=40, deadline=None)
@given(VALUES, st.integers(0, 5), st.binary(max_size=400), st.integers(0, 70_000))
def test_it_begins_where_the_stream_stands_and_ends_behind_stop(
    value: object, protocol: int, behind: bytes, before: int
) -> None:
    data = pickle.dumps(value, protocol)
    stream = io.BytesIO(b"." * before + data + behind)
    stream.seek(before)
    assert mlup_safepickle.load(stream) == pickle.loads(data)
    assert stream.tell() == before + len(data)


SAMPLES = [
    {"a": [1, 2.5, "é"], "b": (b"x" * 300, None, True, 2**70), "c": {1, 2}, "d": bytearray(b"z")},
    [frozenset({1}), complex(1, 2), range(3), "x" * 300, -1, 70_000, 2**31, 1e300],
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_every_truncation_ends_the_same_way(protocol: int, number: int) -> None:
    data = pickle.dumps(SAMPLES[number], protocol)
    for end in range(len(data)):
        with pytest.raises((EOFError, pickle.UnpicklingError)):
            load(data[:end])


def test_the_table_has_all_opcodes() -> None:
    codes = {ord(opcode.code): opcode.name for opcode in pickletools.opcodes}
    assert len(codes) == 68
    assert set(OPCODES) == set(codes)
    assert len(HANDLERS) == 256
    for code in set(range(256)) - set(codes):
        with pytest.raises(pickle.UnpicklingError, match="is no opcode"):
            load(bytes([code]) + b" " * 300)


# One pickle for each opcode that moves values; the others have tests of their own below.
ONE_EACH: dict[str, tuple[bytes, Any]] = {
    "INT": (b"I-5\n.", -5),
    "LONG": (b"L12L\n.", 12),
    "BININT": (b"J\xff\xff\xff\xff.", -1),
    "BININT1": (b"K\xff.", 255),
    "BININT2": (b"M\x01\x02.", 513),
    "LONG1": (b"\x8a\x01\xff.", -1),
    "LONG4": (b"\x8b\x02\x00\x00\x00\x00\x01.", 256),
    "FLOAT": (b"F1.5\n.", 1.5),
    "BINFLOAT": (b"G" + struct.pack(">d", 2.5) + b".", 2.5),
    "STRING": (b"S'a\\n'\n.", "a\n"),
    "BINSTRING": (b"T\x01\x00\x00\x00a.", "a"),
    "SHORT_BINSTRING": (b"U\x01a.", "a"),
    "UNICODE": (b"V\\u00e9\n.", "é"),
    "SHORT_BINUNICODE": (b"\x8c\x02\xc3\xa9.", "é"),
    "BINUNICODE": (b"X\x01\x00\x00\x00a.", "a"),
    "BINUNICODE8": (b"\x8d" + struct.pack("<Q", 1) + b"a.", "a"),
    "SHORT_BINBYTES": (b"C\x01a.", b"a"),
    "BINBYTES": (b"B\x01\x00\x00\x00a.", b"a"),
    "BINBYTES8": (b"\x8e" + struct.pack("<Q", 1) + b"a.", b"a"),
    "BYTEARRAY8": (b"\x96" + struct.pack("<Q", 1) + b"a.", bytearray(b"a")),
    "NONE": (b"N.", None),
    "NEWTRUE": (b"\x88.", True),
    "NEWFALSE": (b"\x89.", False),
    "EMPTY_LIST": (b"].", []),
    "EMPTY_DICT": (b"}.", {}),
    "EMPTY_SET": (b"\x8f.", set()),
    "EMPTY_TUPLE": (b").", ()),
    "TUPLE1": (b"K\x01\x85.", (1,)),
    "TUPLE2": (b"K\x01K\x02\x86.", (1, 2)),
    "TUPLE3": (b"K\x01K\x02K\x03\x87.", (1, 2, 3)),
    "TUPLE": (b"(K\x01t.", (1,)),
    "LIST": (b"(K\x01l.", [1]),
    "DICT": (b"(K\x01K\x02d.", {1: 2}),
    "FROZENSET": (b"(K\x01\x91.", frozenset({1})),
    "APPEND": (b"]K\x01a.", [1]),
    "APPENDS": (b"](K\x01K\x02e.", [1, 2]),
    "SETITEM": (b"}K\x01K\x02s.", {1: 2}),
    "SETITEMS": (b"}(K\x01K\x02u.", {1: 2}),
    "ADDITEMS": (b"\x8f(K\x01\x90.", {1}),
    "MARK": (b"(K\x01l.", [1]),
    "POP": (b"K\x01K\x020.", 1),
    "POP_MARK": (b"K\x01(K\x02K\x031.", 1),
    "DUP": (b"]2\x86.", ([], [])),
    "PUT": (b"K\x07p5\n0g5\n.", 7),
    "GET": (b"K\x07p5\n0g5\n.", 7),
    "BINPUT": (b"K\x07q\x050h\x05.", 7),
    "BINGET": (b"K\x07q\x050h\x05.", 7),
    "LONG_BINPUT": (b"K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff.", 7),
    "LONG_BINGET": (b"K\x07r\x05\x00\x00\x000j\x05\x00\x00\x00.", 7),
    "MEMOIZE": (b"K\x07\x940h\x00.", 7),
    "PROTO": (b"\x80\x05N.", None),
    "FRAME": (b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", None),
    "STOP": (b"N.", None),
    "GLOBAL": (b"cbuiltins\nlen\n.", len),
    "STACK_GLOBAL": (b"\x8c\x08builtins\x8c\x03len\x93.", len),
    "REDUCE": (b"cbuiltins\ncomplex\n(K\x01K\x02tR.", complex(1, 2)),
    "NEWOBJ": (b"cbuiltins\nset\n)\x81.", set()),
    "NEWOBJ_EX": (b"cbuiltins\nset\n)}\x92.", set()),
    "INST": (b"(K\x01K\x02ibuiltins\ncomplex\n.", complex(1, 2)),
    "OBJ": (b"(cbuiltins\ncomplex\nK\x01K\x02o.", complex(1, 2)),
    "BUILD": (b"cargparse\nNamespace\n)\x81}Va\nK\x01sb.", None),
}
REFUSED: dict[str, bytes] = {
    "PERSID": b"Pa\n.",
    "BINPERSID": b"NQ.",
    "EXT1": b"\x82\x01.",
    "EXT2": b"\x83\x01\x01.",
    "EXT4": b"\x84\x01\x01\x01\x01.",
    "NEXT_BUFFER": b"\x97.",
    "READONLY_BUFFER": b"C\x01a\x98.",
}


@pytest.mark.parametrize("name", ONE_EACH)
@pytest.mark.parametrize("pad", [0, 300])
def test_each_opcode(name: str, pad: int) -> None:
    """Once by the table, at the end of a stream, and once by the fast lane, with bytes behind it."""
    data, wanted = ONE_EACH[name]
    loaded = load(data + b"." * pad)
    if name == "BUILD":
        assert loaded.a == 1
        return
    assert loaded == wanted
    assert type(loaded) is type(wanted)
    if name != "LONG_BINPUT":  # pickle would allocate gigabytes for it: a difference, see below
        assert pickle.loads(data) == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_each_opcode_that_is_refused(name: str) -> None:
    with pytest.raises(mlup_safepickle.Refused):
        load(REFUSED[name])


def test_every_opcode_has_a_test() -> None:
    tested = {*ONE_EACH, *REFUSED}
    assert tested == {opcode.name for opcode in pickletools.opcodes}


# -- where it differs from pickle, on purpose ------------------------------------------------


def test_frames_are_not_looked_at() -> None:
    frame = b"\x95" + struct.pack("<Q", 2**62)
    assert load(b"\x80\x04" + frame + b"K\x01.") == 1
    with pytest.raises((pickle.UnpicklingError, EOFError, OverflowError, MemoryError)):
        pickle.loads(b"\x80\x04" + frame + b"K\x01.")


@pytest.mark.parametrize("opcode", [b"B", b"X", b"T", b"\x8b"])
def test_a_length_beyond_the_end_allocates_nothing(opcode: bytes) -> None:
    with pytest.raises(EOFError):
        load(opcode + b"\xff\xff\xff\x7f" + b"a")


@pytest.mark.parametrize("opcode", [b"\x8e", b"\x8d", b"\x96"])
def test_a_length_of_eight_bytes_beyond_the_end_allocates_nothing(opcode: bytes) -> None:
    with pytest.raises(EOFError):
        load(opcode + b"\xff" * 7 + b"\x7f" + b"a")


def test_protocol_6_is_not_known() -> None:
    with pytest.raises(pickle.UnpicklingError, match="protocol 6"):
        load(b"\x80\x06N.")


def test_texts_of_python_2_that_are_not_ascii_are_an_ordinary_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        load(b"U\x01\xe9.")


def test_numbers_in_all_spellings_of_int() -> None:
    assert load(b"(I01\nI00\nI10\nL-7L\nI0x10\nt.") == (True, False, 10, -7, 16)
    with pytest.raises(ValueError, match="invalid literal"):
        load(b"Iabc\n.")


def test_a_number_of_many_digits_is_an_ordinary_error() -> None:
    with pytest.raises((ValueError, EOFError)):
        load(b"L" + b"9" * 70_000 + b"L\n.")


def test_surrogates_survive() -> None:
    for protocol in range(1, 6):
        assert load(pickle.dumps("\ud800x", protocol)) == "\ud800x"


@pytest.mark.parametrize("data", [b"NN.", b"N(N.", b"](N.", b"(.", b"."])
def test_what_is_left_over_at_the_end_is_damage(data: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        load(data)


def test_not_a_number() -> None:
    assert math.isnan(load(pickle.dumps(math.nan)))
