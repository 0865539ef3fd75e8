"""Files that want more than a model: nothing of it is done."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
import skops.io
from handmade_skops import CALLS, call, file_of, items, mapping, node, text

import mlup


@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_made(tmp_path, name, protocol):
    """CVE-2024-37065, CVE-2025-54412 and CVE-2025-54413 among them."""
    marker = tmp_path / "marker"
    data = file_of(CALLS[name](marker), protocol=protocol)
    with pytest.raises(mlup.ModelLoadError) as caught:
        mlup.load(data)
    assert isinstance(caught.value, (mlup.UnsafeModelError, mlup.ModelBinarizationError))
    with contextlib.suppress(mlup.ModelBinarizationError):
        report = mlup.inspect(data)
        assert report.refused or report.stopped
        if isinstance(caught.value, mlup.UnsafeModelError):
            assert set(caught.value.refused) == set(report.refused)
    assert not marker.exists()


def test_what_is_allowed_by_name_is_done(tmp_path):
    """So the files above are such that would do it."""
    marker = tmp_path / "marker"
    mlup.load(file_of(call(marker)), allow=["os.mkdir"])
    assert marker.is_dir()
    marker.rmdir()
    mlup.load(file_of(CALLS["key type"](marker)), trust=True)
    assert marker.is_dir()


def test_a_pickle_is_not_loaded_whatever_it_is_called(tmp_path):
    """CVE-2025-54886: what is no zip, ``Card.get_model`` gave to joblib."""

    class Hostile:
        def __reduce__(self):
            import os

            return os.mkdir, (str(tmp_path / "marker"),)

    path = tmp_path / "m.skops"
    path.write_bytes(pickle.dumps(Hostile()))
    for trust in (False, True):
        with pytest.raises(mlup.ModelBinarizationError):
            mlup.load(path, "skops", trust=trust)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_generator_calls_nothing_but_generators(protocol):
    """Its name is text in the state, which skops before 0.15 did not check."""
    state = mapping({"bit_generator": text("seed")})
    content = {"bit_generator": state, "seed_seq": mapping({"entropy": text(1)})}
    data = file_of(
        node("RandomGeneratorNode", "numpy.random._generator.Generator", content=content),
        protocol=protocol,
    )
    before = np.random.get_state()[1].tolist()
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert caught.value.refused == mlup.inspect(data).refused == ("numpy.random.seed",)
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(data, trust=True)
    assert np.random.get_state()[1].tolist() == before


def test_the_functions_of_the_first_protocol_are_checked():
    content = {"module_path": "os", "function": "system"}
    data = file_of(node("FunctionNode", "numpy.add", content=content), protocol=0)
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert caught.value.refused == mlup.inspect(data).refused == ("os.system",)


@pytest.mark.parametrize("protocol", [-1, 3, True, None, "2", 1.5])
def test_a_protocol_that_is_none_is_refused(protocol):
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(file_of(items("ListNode"), protocol=protocol))


def test_a_node_of_an_unknown_kind_is_refused():
    with pytest.raises(mlup.ModelBinarizationError, match="EvalNode"):
        mlup.load(file_of(node("EvalNode", "builtins.eval", content="1")))


def array(file: str) -> dict:
    return node("NdArrayNode", "numpy.ndarray", type="numpy", file=file)


def test_no_pickle_in_an_array_is_read(tmp_path):
    class Hostile:
        def __reduce__(self):
            import os

            return os.mkdir, (str(tmp_path / "marker"),)

    stream = io.BytesIO()
    np.save(stream, np.array([Hostile()], dtype=object), allow_pickle=True)
    objects, packed = stream.getvalue(), io.BytesIO()
    np.savez(packed, data=np.array([Hostile()], dtype=object), format=np.array(b"csr"))
    sparse = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="a.npz")
    for state, members in (
        (array("a.npy"), {"a.npy": objects}),
        (array("a.npy"), {"a.npy": pickle.dumps(Hostile())}),
        (sparse, {"a.npz": packed.getvalue()}),
    ):
        for trust in (False, True):
            with pytest.raises(mlup.ModelLoadError):
                mlup.load(file_of(state, members), trust=trust)
    assert not (tmp_path / "marker").exists()


# -- bombs --------------------------------------------------------------------------------------


def zeros() -> bytes:
    return bytes(140 * 1024 * 1024)


def npz_of_zeros() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", zeros())
    return stream.getvalue()


def shared(levels: int) -> dict:
    """Each list holds the one before twice: two to the power of ``levels``, for skops' check."""
    state = items("ListNode")
    for _ in range(levels):
        again = {**items("ListNode"), "__id__": state["__id__"]}
        state = items("ListNode", state, again)
    return state


def repeated() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(1024 * 1024))
    members = {"a.npy": stream.getvalue()}
    return file_of(items("ListNode", *(array("a.npy") for _ in range(60))), members, compression=8)


def decoys() -> dict:
    """The same, behind lists of the same ``__id__`` that hold nothing, where skops does not look."""
    state = shared(60)
    empty = [{**items("ListNode"), "__id__": number} for number in ids(state)]
    return node("ListNode", "builtins.list", decoys=empty, content=[state])


def ids(state: dict) -> set[int]:
    return {state["__id__"]}.union(*map(ids, state["content"]))


def packed_lies(method: int) -> bytes:
    """An array of a hundred bytes, says the directory, and its sum is that of the first hundred."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a.npy", bytes(300 << 20))
        info = archive.getinfo("a.npy")
        info.file_size, info.CRC = 100, zlib.crc32(bytes(100))
        archive.writestr("schema.json", json.dumps({**array("a.npy"), "protocol": 2}), 0)
    return stream.getvalue()


def generator(pool: int) -> dict:
    state = mapping({"bit_generator": text("PCG64")})
    seed = mapping({"entropy": text(1), "pool_size": text(pool)})
    content = {"bit_generator": state, "seed_seq": seed}
    return node("RandomGeneratorNode", "numpy.random._generator.Generator", content=content)


def overlapping() -> bytes:
    """A hundred members that are one."""
    data = bytearray(file_of(items("ListNode"), {"a.bin": bytes(range(256)) * 40}))
    at, end = data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    directory = data[at:end]
    one = directory[: directory.find(b"PK\x01\x02", 4)]
    tail = bytearray(data[end:])
    count, length = 101, len(one) * 99 + len(directory)
    tail[8:16] = struct.pack("<HHL", count, count, length)
    return bytes(data[:at]) + bytes(one) * 99 + bytes(directory) + bytes(tail)


BOMBS = {
    "lists of lists behind decoys": lambda: file_of(decoys()),
    "a length that is a lie (deflate)": lambda: packed_lies(zipfile.ZIP_DEFLATED),
    "a length that is a lie (bzip2)": lambda: packed_lies(zipfile.ZIP_BZIP2),
    "a length that is a lie (LZMA)": lambda: packed_lies(zipfile.ZIP_LZMA),
    "members that overlap": overlapping,
    "the pool of a seed": lambda: file_of(generator(1_000_000)),
    "a sparse matrix behind an empty zip": lambda: file_of(
        node("SparseMatrixNode", "scipy.sparse._matrix.spmatrix", type="scipy", file="a.npz"),
        {"a.npz": b"PK\x05\x06" + npz_of_zeros()},
    ),
    "an array": lambda: file_of(array("a.npy"), {"a.npy": zeros()}, compression=8),
    "a schema": lambda: file_of(text("x" * (30 << 20)), compression=8),
    "a sparse matrix": lambda: file_of(
        items(
            "ListNode",
            node("SparseMatrixNode", "scipy.sparse._matrix.spmatrix", type="scipy", file="a.npz"),
        ),
        {"a.npz": npz_of_zeros()},
    ),
    "one array, again and again": repeated,
    "lists of lists": lambda: file_of(shared(60)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_grows_is_refused(name):
    data = BOMBS[name]()
    with pytest.raises(mlup.UnsafeModelError, match=r"far more than|more often than") as caught:
        mlup.load(data)
    assert caught.value.refused == ()
    assert mlup.inspect(data).stopped


@pytest.mark.parametrize("name", ["bytes_", "void"])
def test_a_number_is_not_asked_for_so_many_bytes(name):
    """``numpy.bytes_`` makes three billion bytes of the array ``3_000_000_000``."""
    stream = io.BytesIO()
    np.save(stream, np.array(50_000_000))
    state = node("NdArrayNode", f"numpy.{name}", type="numpy", file="a.npy")
    data = file_of(state, {"a.npy": stream.getvalue()})
    with pytest.raises(mlup.ModelBinarizationError, match=f"numpy.{name}"):
        mlup.load(data)
    assert mlup.inspect(data).stopped


def cycles() -> dict:
    """A holds B, and B holds A: skops' check comes to A by each B that is outside of it."""
    lists: list[dict] = []
    for _ in range(40):
        outer, inner = items("ListNode"), items("ListNode")
        inner["content"] = [{**items("ListNode"), "__id__": outer["__id__"]}]
        before = lists[-1]["content"][0]["__id__"] if lists else None
        again = [{**items("ListNode"), "__id__": before} for _ in range(2) if before]
        outer["content"] = [inner, *again]
        lists.append(outer)
    return items("ListNode", *lists)


def loss_in_a_loss() -> dict:
    name, held = "sklearn._loss._loss.CyHuberLoss", text(1)
    for _ in range(2):
        arguments = {"args": items("TupleNode", held)}
        held = node("LossNode", name, content=mapping({}), __reduce__=arguments)
    return held


def two_of_one_id() -> dict:
    one = node("ObjectNode", "sklearn.naive_bayes.GaussianNB")
    return items("ListNode", one, {**node("ObjectNode", "os.mkdir"), "__id__": one["__id__"]})


@pytest.mark.parametrize("made", [cycles, loss_in_a_loss, two_of_one_id])
def test_what_skops_does_not_write_is_refused(made):
    data = file_of(made())
    with pytest.raises(mlup.ModelBinarizationError, match=r"holds itself|holds a loss|one __id__"):
        mlup.load(data)
    assert mlup.inspect(data).stopped


VALUES = [
    np.void(b"ab"),
    np.str_("a"),
    np.datetime64("2026-11-22"),
]


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_what_is_packed_as_skops_does_is_no_bomb(method):
    value = [*VALUES, np.float32(1), np.random.default_rng(3), np.zeros(100_000), b"x" * 100_000]
    data = skops.io.dumps(value, compression=method)
    loaded = mlup.load(data, "skops")
    assert loaded[: len(VALUES)] == VALUES
    assert loaded[-1] == value[-1]


def test_what_is_shared_as_skops_writes_it_is_no_bomb():
    """skops writes an object again wherever it recurs."""
    value: list = []
    for _ in range(10):
        value = [value, value]
    assert mlup.load(skops.io.dumps(value)) == value
    assert mlup.load(file_of(shared(3))) == [[[[], []], [[], []]], [[[], []], [[], []]]]


@pytest.mark.parametrize("depth", [300, 3_000, 50_000])
def test_a_deep_schema_ends_in_a_list_or_an_error(depth):
    state = '{"__class__":"list","__module__":"builtins","__loader__":"ListNode","protocol":2,"content":['
    inner = state.replace('"protocol":2,', "")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("schema.json", state + inner * depth + "]}" * (depth + 1))
    with contextlib.suppress(mlup.ModelBinarizationError):
        assert isinstance(mlup.load(stream.getvalue(), "skops"), list)
    mlup.inspect(stream.getvalue(), "skops")


def test_names_in_a_message_are_shown_within_bounds():
    data = file_of(items("ListNode", *(node("TypeNode", f"acme.C{i}\x1b[31m") for i in range(40))))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert len(caught.value.refused) == 40
