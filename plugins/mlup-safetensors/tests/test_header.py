"""The header: what is a safetensors file, and what only begins like one."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError

import mlup
import mlup_safetensors
from mlup import ModelPath
from mlup.files import BUDGET
from mlup_safetensors.header import header

TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "steps": np.array(7),
    "none": np.zeros((0, 3), np.int8),
    "mask": np.array([True, False]),
}
FILE = safetensors.numpy.save(TENSORS, metadata={"format": "np"})


def file_of(text: bytes | dict, data: bytes = b"", length: int | None = None) -> bytes:
    if isinstance(text, dict):
        text = json.dumps(text).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(begins: int, ends: int, **other: object) -> dict:
    return {"dtype": "U8", "shape": [ends - begins], "data_offsets": [begins, ends], **other}


def score(data: bytes) -> float | None:
    with ModelPath.of(data) as path:
        found = mlup_safetensors.score(path, path.head, path.tail)
        assert not path.overdrawn
    return None if found is None else float(found)


WHOLE = {
    "as numpy writes it": FILE,
    "no tensors": safetensors.numpy.save({}),
    "nothing at all": file_of(b"{}"),
    "metadata alone": file_of({"__metadata__": {"a": "b"}}),
    "empty metadata": file_of({"__metadata__": {}}),
    "metadata of null": file_of({"__metadata__": None}),
    "metadata behind": file_of({"a": tensor(0, 1), "__metadata__": {"a": "b"}}, b"x"),
    "padded with spaces": file_of(b"{}" + b" " * 61),
    "another order": file_of({"b": tensor(1, 3), "a": tensor(0, 1)}, b"xyz"),
    "more in an entry": file_of({"a": tensor(0, 1, note="x")}, b"x"),
    "a name twice": file_of(b'{"a":%b,"a":%b}' % ((json.dumps(tensor(0, 1)).encode(),) * 2), b"x"),
    "empty tensors at one place": file_of(
        {"a": tensor(0, 0), "b": tensor(0, 1), "c": tensor(1, 1)}, b"x"
    ),
    "a name of any kind": file_of({'q"\\\n{é': tensor(0, 1)}, b"x"),
    "an empty name": file_of({"": tensor(0, 1)}, b"x"),
}
NOBODYS = {
    "a brace alone": file_of(b"{"),
    "no JSON": file_of(b"{a:1}"),
    "not UTF-8": file_of(b'{"\xff":{}}'),
    "a list": file_of(b"[{}]"),
    "JSON of another kind": file_of({"name": "acme", "version": [1, 2]}),
    "metadata of text": file_of({"__metadata__": "pt"}),
    "a rest": file_of({"a": tensor(0, 1)}, b"xy"),
    "a gap": file_of({"a": tensor(1, 2)}, b"xy"),
    "an overlap": file_of({"a": tensor(0, 2), "b": tensor(1, 2)}, b"xy"),
    "less than the tensors": file_of({"a": tensor(0, 2)}, b"x"),
    "backwards": file_of({"a": {**tensor(0, 1), "data_offsets": [1, 0]}}, b"x"),
    "offsets of text": file_of({"a": {**tensor(0, 1), "data_offsets": "01"}}, b"x"),
    "offsets of fractions": file_of({"a": {**tensor(0, 1), "data_offsets": [0.0, 1.0]}}, b"x"),
    "offsets of truth": file_of({"a": {**tensor(0, 1), "data_offsets": [False, True]}}, b"x"),
    "three offsets": file_of({"a": {**tensor(0, 1), "data_offsets": [0, 1, 1]}}, b"x"),
    "a negative shape": file_of({"a": tensor(0, 1, shape=[-1])}, b"x"),
    "no shape": file_of({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, b"x"),
    "a type that is none": file_of({"a": tensor(0, 1, dtype="float32")}, b"x"),
    "an entry that is none": file_of({"a": []}),
    "very deep": file_of(b'{"a":' + b"[" * 99_999 + b"]" * 99_999 + b"}"),
    "a long number": file_of(b'{"a":' + b"9" * 99_999 + b"}"),
    "a header of nothing": file_of(b"", length=0) + b"{}",
    "a header longer than the file": file_of(b"{}", length=3),
    "a header longer than may be": file_of(b"{" + b" " * 300_000 + b"}", length=100_000_001),
    "a header longer than anything": file_of(b"{}", length=2**64 - 1),
    "text with a brace at byte 8": b"my notes{}" * 20,
    "JSON behind spaces": b" " * 8 + b'{"a": 1}',
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_safetensors_reads_is_recognised(name):
    safetensors.numpy.load(WHOLE[name])
    assert score(WHOLE[name]) == 0.95
    assert mlup.detect(WHOLE[name]).best.binarizer == "safetensors"


@pytest.mark.parametrize("name", NOBODYS)
def test_what_is_none_is_not_claimed(name):
    with pytest.raises(SafetensorError):
        safetensors.numpy.load(NOBODYS[name])
    assert score(NOBODYS[name]) is None


def test_a_file_cut_anywhere_is_nobodys():
    for length in range(len(FILE)):
        assert score(FILE[:length]) is None


def test_the_reason_says_what_is_in_it():
    assert mlup.detect(FILE).best.reason == "safetensors of 4 tensors (BOOL, F32, I64, …)"
    assert mlup.detect(WHOLE["no tensors"]).best.reason == "safetensors of 0 tensors"


@pytest.mark.parametrize("count", [3_500, 9_000, 40_000])
def test_a_long_header_is_glanced_at(count):
    data = safetensors.numpy.save(
        {f"layers.{i}.attention.weight": np.zeros(1, np.float32) for i in range(count)}
    )
    with ModelPath.of(data) as path:
        found = mlup_safetensors.score(path, path.head, path.tail)
        assert BUDGET - path.left <= 128 * 1024
    assert float(found) == 0.95
    assert "a header of" in found.reason
    assert len(mlup.load(data)) == count
    header_ends = 8 + int.from_bytes(data[:8], "little")
    for length in (len(data) - 1, header_ends + 1, header_ends, header_ends - 1, 100_000, 70_000):
        assert score(data[:length]) is None


def test_where_the_last_tensor_is_out_of_sight_the_score_is_lower():
    ends = np.arange(1, 9_001)
    entries = {f"tensors.{i:05}": tensor(int(i) - 1, int(i)) for i in ends}
    names = sorted(entries, key=lambda name: int(name[-4:]) % 10)  # 9,000 in the midst
    data = file_of({name: entries[name] for name in [*names[4500:], *names[:4500]]}, bytes(9_000))
    assert score(data) in (0.9, 0.95)
    names.insert(4500, names.pop(names.index("tensors.09000")))
    data = file_of({name: entries[name] for name in names}, bytes(9_000))
    assert score(data) == 0.9
    assert len(mlup.load(data)) == 9_000


@pytest.mark.parametrize("at", ["beginning", "end", "offsets", "nothing"])
def test_a_long_header_of_another_kind_is_nobodys(at):
    entries = {f"tensors.{i:05}": tensor(i, i + 1) for i in range(9_000)}
    text = json.dumps(entries).encode()
    changed = {
        "beginning": text.replace(b'{"tensors', b"{ tensors", 1),
        "end": text[:-2] + b"  ",
        "offsets": text.replace(b"[0, 1]", b"[0,91]").replace(b"[10, 11]", b"[10,99999]"),
        "nothing": b'{"a": {"b": [' + b"1, " * 200_000 + b"1]}}",
    }[at]
    assert score(file_of(text, bytes(9_000))) == 0.95
    assert score(file_of(changed, bytes(9_000))) is None


def test_a_long_header_takes_no_memory():
    import tracemalloc

    data = file_of(b'{"a":' + b"[" * 131_000 + b"]" * 131_000 + b"}")
    many = file_of(b'{"a":[' + b"[]," * 80_000 + b"[]]}")
    for each in (data, many):
        tracemalloc.start()
        try:
            assert score(each) is None
            assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
        finally:
            tracemalloc.stop()


# -- properties ---------------------------------------------------------------------------------

ARRAYS = st.builds(
    lambda dtype, shape: np.zeros(shape, dtype),
    st.sampled_from(["?", "u1", "<i2", "<u4", "<i8", "<f2", "<f4", "<f8", "<c8"]),
    st.lists(st.integers(0, 4), max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    tensors=st.dictionaries(st.text(max_size=12).filter(lambda n: n != "__metadata__"), ARRAYS),
    metadata=st.none() | st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)
def test_what_safetensors_writes_is_recognised_and_comes_back(tensors, metadata):
    if not tensors:  # of nothing with empty metadata, safetensors 0.8 writes what it does not read
        metadata = metadata or None
    data = safetensors.numpy.save(tensors, metadata=metadata)
    assert score(data) == 0.95
    loaded = mlup.load(data)
    assert loaded.keys() == tensors.keys()
    assert loaded.metadata == (metadata or {})
    for name, array in tensors.items():
        assert (loaded[name].dtype, loaded[name].shape) == (array.dtype, array.shape)


@settings(max_examples=300, deadline=None)
@given(
    entries=st.dictionaries(
        st.sampled_from(["a", "b", "__metadata__", ""]),
        JSON
        | st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["U8", "F32", "BF16", "x"]),
                "shape": st.lists(st.integers(0, 4), max_size=3),
                "data_offsets": st.lists(st.integers(0, 8), min_size=2, max_size=2),
            }
        ),
    ),
    data=st.binary(max_size=8),
)
def test_what_is_read_wrongly_is_not_claimed(entries, data):
    """What safetensors refuses may be claimed only for a type or a shape that does not fit."""
    file = file_of(entries, data)
    said = ""
    try:
        safetensors.deserialize(file)
    except SafetensorError as error:
        said = str(error)
    if not said:
        assert score(file) == 0.95
    elif score(file) is not None:
        assert "TensorInvalidInfo" in said or "invalid JSON" in said or "shape" in said


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(FILE) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(FILE)))
def test_mutations_never_raise(at, byte, cut):
    data = bytearray(FILE)
    data[at] = byte
    score(bytes(data))
    score(bytes(data[:cut]))
    with ModelPath.of(bytes(data)) as path:
        header(path)
