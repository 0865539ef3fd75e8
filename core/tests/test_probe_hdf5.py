"""The HDF5 probe: files of h5py, Keras 2 and 3, as h5py saw them; then damaged and lying ones.

``golden/hdf5/make.py`` wrote the files and what h5py saw in them.
"""

from __future__ import annotations

import gc
import json
import pathlib
import struct
import time
import weakref
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlup import sources
from mlup.errors import ProbeError
from mlup.files import BUDGET, ModelPath
from mlup.probe.hdf5 import MAX_USER_BLOCK, SIGNATURE, Hdf5Root, hdf5_root, hdf5_text
from mlup.probe.hdf5_metadata import MAX_READ, WINDOW

GOLDEN = pathlib.Path(__file__).parent / "golden" / "hdf5"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text("utf-8"))["files"]
with zipfile.ZipFile(GOLDEN / "files.zip") as _archive:
    FILES = {name: _archive.read(name) for name in _archive.namelist()}

FULL = [name for name in FILES if EXPECTED[name]["complete"]]


class Counted(sources.Memory):
    reads = 0

    def read(self, offset, n):
        self.reads += 1
        return super().read(offset, n)


def opened(data):
    return ModelPath(Counted(data), location=None, name="")


def look(data):
    """The root, whatever the bytes; within the limits, which every test checks."""
    path = opened(data)
    root = hdf5_root(path)
    for name in ("keras_version", "title", "fixed"):
        text = hdf5_text(path, name)
        assert text is None or (root is not None and name in root.attributes)
    assert BUDGET - path.left <= 4 * MAX_READ
    assert path._reader.reads <= 4 * MAX_READ // 1024 + 20
    if root is None:
        return None
    assert isinstance(root, Hdf5Root)
    assert all(isinstance(name, str) for name in root.attributes + root.links)
    assert len(set(root.attributes)) == len(root.attributes)
    assert root.size >= 0
    return root


def put(data, at, form, *values):
    changed = bytearray(data)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def header_of(data):
    """Where the root's object header is, in a file of superblock 0 and 8-byte addresses."""
    return struct.unpack_from("<Q", data, 64)[0]


# -- what h5py and Keras write --------------------------------------------------------------


def test_the_files_are_those_that_h5py_saw():
    assert FILES.keys() == EXPECTED.keys()
    assert len(FULL) == len(FILES) - 1


@pytest.mark.parametrize("name", FULL)
def test_the_root_is_as_h5py_sees_it(name):
    expected = EXPECTED[name]
    root = look(FILES[name])
    assert sorted(root.attributes) == expected["attributes"]
    assert sorted(root.links) == expected["links"]
    assert root.complete
    assert not root.truncated
    assert (root.offset, root.size) == (expected["offset"], expected["size"])


@pytest.mark.parametrize("name", FULL)
def test_texts_are_as_h5py_sees_them(name):
    path = opened(FILES[name])
    for attribute, text in EXPECTED[name]["texts"].items():
        assert hdf5_text(path, attribute) == text


def test_there_are_texts_of_all_kinds():
    texts = [text for each in EXPECTED.values() for text in each["texts"].items()]
    assert {name for name, _ in texts} == {
        *("keras_version", "backend", "title", "fixed", "latin", "no text")
    }


def test_no_text_where_there_is_none():
    data = FILES["names.h5"]
    assert hdf5_text(opened(data), "not there") is None
    assert hdf5_text(opened(data), "größe ☃") is None  # a number
    assert hdf5_text(opened(data), "empty") is None
    assert hdf5_text(opened(data), "of a committed type") is None
    assert hdf5_text(opened(FILES["keras2_weights.h5"]), "layer_names") is None  # several
    assert hdf5_text(opened(b"no HDF5"), "title") is None
    assert hdf5_text(opened(SIGNATURE), "title") is None


def test_attributes_that_are_kept_elsewhere_are_told_of():
    root = look(FILES["shared_attributes.h5"])
    assert not root.complete
    assert not root.truncated
    assert root.attributes == ()
    assert sorted(root.links) == EXPECTED["shared_attributes.h5"]["links"]


def test_keras_files_take_one_read():
    for name in ("keras3_model.h5", "keras3.weights.h5", "keras2_model.h5", "keras2_weights.h5"):
        path = opened(FILES[name])
        path.edges()
        edges = path._reader.reads
        assert hdf5_root(path).complete
        hdf5_text(path, "keras_version")
        assert path._reader.reads == edges + 1
        assert BUDGET - path.left == WINDOW


# -- where the superblock is ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["data.h5", "latest_dense.h5", "offsets_4_lengths_4.h5"])
@pytest.mark.parametrize("size", [512 << power for power in range(8)])
def test_a_user_block(name, size):
    root = look(FILES[name])
    data = b"#" * size + FILES[name]
    assert look(data) == root._replace(offset=size, size=root.size + size)
    assert hdf5_text(opened(data), "title") == "a text of variable length"
    assert look(data[:-1]).truncated


@pytest.mark.parametrize("size", [1, 100, 511, 513, 768, 2 * MAX_USER_BLOCK])
def test_no_superblock_anywhere_else(size):
    assert look(bytes(size) + FILES["data.h5"]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89HDF",
        b"\x89HDF\r\n\x1a\r",
        SIGNATURE[1:],
        b"PK\x03\x04",
        bytes(700),
        b"x" * 300_000,
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_foreign_bytes(data):
    path = opened(data)
    assert hdf5_root(path) is None
    assert path._reader.reads <= 1 + 5
    assert BUDGET - path.left <= WINDOW + 5 * len(SIGNATURE)


# -- what it takes and gives ----------------------------------------------------------------


def test_any_kind_of_path(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(FILES["keras3_model.h5"])
    with ModelPath.of(FILES["keras3_model.h5"]) as memory, ModelPath.of(str(file)) as local:
        root = hdf5_root(memory)
        assert "model_config" in root.attributes
        assert hdf5_root(local) == hdf5_root(str(file)) == hdf5_root(file) == root
        version = EXPECTED["keras3_model.h5"]["texts"]["keras_version"]
        assert hdf5_text(str(file), "keras_version") == hdf5_text(file, "keras_version") == version
    assert hdf5_root(tmp_path) is None


def test_the_answer_is_remembered():
    path = opened(FILES["many.h5"])
    root = hdf5_root(path)
    left, reads = path.left, path._reader.reads
    assert hdf5_root(path) is root
    assert (path.left, path._reader.reads) == (left, reads)


def test_what_is_remembered_does_not_keep_the_path_alive():
    path = opened(FILES["many.h5"])
    gone = weakref.ref(path)
    gc.disable()
    try:
        hdf5_root(path)
        hdf5_text(path, "title")
        del path
        assert gone() is None
    finally:
        gc.enable()


def test_an_exhausted_budget_is_said():
    for left in (10, WINDOW + 10):
        path = opened(FILES["many.h5"])
        path.left = left
        with pytest.raises(ProbeError):
            hdf5_root(path)
        assert path.overdrawn


# -- damaged --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["empty.h5", "keras3_model.h5", "latest_dense.h5", "matlab.mat"])
def test_truncated_at_any_place(name):
    data = FILES[name]
    whole = look(data)
    for length in range(0, len(data), 1 if len(data) < 1000 else 61):
        root = look(data[:length])
        if length < whole.offset + len(SIGNATURE):
            assert root is None
            continue
        assert root.truncated
        assert root.size in (0, whole.size)
        assert set(root.attributes) <= set(whole.attributes)
        assert set(root.links) <= set(whole.links)
        if root.complete:
            assert root == whole._replace(truncated=True)


def test_bytes_behind_are_no_damage():
    for name in FULL:
        assert look(FILES[name] + bytes(1000)) == look(FILES[name])


@pytest.mark.parametrize("name", ["keras2_weights.h5", "latest_dense.h5", "offsets_8_lengths_4.h5"])
def test_any_number_may_lie(name):
    """Each eight bytes of the first ones, and of each structure, say something else."""
    data = FILES[name]
    places = set(range(8, 900, 5))
    for signature in (b"TREE", b"SNOD", b"HEAP", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"FHIB"):
        at = data.find(signature)
        places.update(range(at, at + 140, 7) if at >= 0 else ())
    for signature in (b"FHDB", b"BTHD", b"BTIN", b"BTLF"):
        at = data.find(signature)
        places.update(range(at, at + 40, 3) if at >= 0 else ())
    places = [at for at in places if at + 8 <= len(data)]
    lies = (0, 2**64 - 1, 0x0101010101010101, len(data) - 4)
    for at in places:
        for lie in (*lies, at):
            look(put(data, at, "<Q", lie))


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=9)), max_size=6
    ),
    cut=st.none() | st.integers(0, 20_000),
)
def test_nothing_raises(name, changes, cut):
    data = bytearray(FILES[name])
    for at, new in changes:
        data[at : at + len(new)] = new
    look(bytes(data[:cut]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([0, 1, 2, 3, 4, 255]))
def test_nothing_raises_whatever_follows_the_signature(data, version):
    assert look(SIGNATURE + bytes([version]) + data) is not None


# -- lying ----------------------------------------------------------------------------------

MODEL = FILES["keras3_model.h5"]
WHOLE = look(MODEL)


@pytest.mark.parametrize(("at", "value"), [(8, 4), (8, 255), (13, 0), (13, 3), (14, 0), (14, 255)])
def test_a_superblock_of_another_kind_is_hdf5_all_the_same(at, value):
    root = look(put(MODEL, at, "<B", value))
    assert root == Hdf5Root((), (), complete=False, offset=0, size=0, truncated=False)


@pytest.mark.parametrize("end", [len(MODEL) + 1, 2**40, 2**64 - 1])
def test_a_file_that_should_be_longer_is_truncated(end):
    assert look(put(MODEL, 40, "<Q", end)) == WHOLE._replace(size=end, truncated=True)


def test_the_base_address_is_corrected_as_the_library_does():
    data = put(put(MODEL, 24, "<Q", 512), 40, "<Q", len(MODEL) + 512)
    assert look(data) == WHOLE


@pytest.mark.parametrize("address", [0, len(MODEL) - 1, len(MODEL), 2**63, 2**64 - 1])
def test_a_root_that_is_elsewhere(address):
    root = look(put(MODEL, 64, "<Q", address))
    assert not root.complete
    assert (root.attributes, root.links) == ((), ())


def test_a_header_that_continues_in_itself():
    at = header_of(MODEL) + 16
    assert struct.unpack_from("<HH", MODEL, at) == (0x10, 16)
    for target, length in ((at, 24), (at, 2**63), (at - 8, 64)):
        started = time.perf_counter()
        root = look(put(MODEL, at + 8, "<QQ", target, length))
        assert time.perf_counter() - started < 2
        assert not root.complete
    # Some attributes, then the message that leads back to them.
    last = MODEL.index(b"training_config\0") - 16
    data = put(MODEL, last, "<HHIQQ", 0x10, 72, 0, *struct.unpack_from("<QQ", MODEL, at + 8))
    root = look(data)
    assert not root.complete
    assert root.attributes == ("keras_version", "backend", "model_config")


def test_an_attribute_that_lies_costs_only_itself():
    at = MODEL.index(b"keras_version\0") - 8
    for version, length in ((9, 14), (1, 0), (1, 65535), (1, 1025)):
        root = look(put(MODEL, at, "<BBH", version, 0, length))
        assert not root.complete
        assert root.links == WHOLE.links
        assert set(WHOLE.attributes) - set(root.attributes) == {"keras_version"}


def test_a_link_that_lies_costs_only_itself():
    data = FILES["latest.h5"]
    whole = look(data)
    at = data.index(b"link 0")
    version, _, _, length = struct.unpack_from("<4B", data, at - 4)
    assert (version, length) == (1, 6)
    for changed in (put(data, at - 4, "<B", 2), put(data, at - 1, "<B", 0)):
        root = look(changed)
        assert not root.complete
        assert root.attributes == whole.attributes
        assert set(whole.links) - set(root.links) == {"link 0"}


def test_names_of_members_that_lie_cost_no_attributes():
    tree, heap, node = (MODEL.index(each) for each in (b"TREE", b"HEAP", b"SNOD"))
    cycle = put(put(MODEL, tree + 4, "<BBH", 0, 1, 1), tree + 32, "<Q", tree)
    lies = {
        "another kind of tree": put(MODEL, tree + 4, "<B", 1),
        "a tree that is its own child": cycle,
        "a tree of too many": put(MODEL, tree + 6, "<H", 65535),
        "a child outside": put(MODEL, tree + 32, "<Q", 2**64 - 1),
        "a node of too many": put(MODEL, node + 6, "<H", 65535),
        "a name outside": put(MODEL, node + 8, "<Q", 2**63),
        "an empty name": put(MODEL, node + 8, "<Q", 0),
        "a heap outside": put(MODEL, heap + 24, "<Q", 2**63),
        "a heap without names": put(MODEL, heap + 8, "<Q", 0),
    }
    for lie, data in lies.items():
        started = time.perf_counter()
        root = look(data)
        assert time.perf_counter() - started < 2, lie
        assert not root.complete, lie
        assert root.attributes == WHOLE.attributes, lie


def test_dense_names_that_lie():
    data = FILES["latest_dense.h5"]
    whole = look(data)
    heap, tree, inner = (data.index(each) for each in (b"FRHP", b"BTHD", b"BTIN"))
    links = data.index(b"BTHD", tree + 1)
    lies = {
        "filters": put(data, heap + 7, "<H", 4),
        "no columns": put(data, heap + 110, "<H", 0),
        "blocks of no bytes": put(data, heap + 112, "<Q", 0),
        "a block outside": put(data, heap + 132, "<Q", 2**63),
        "more rows than there are": put(data, heap + 140, "<H", 0),
        "records of no bytes": put(data, tree + 10, "<H", 0),
        "a tree that is too deep": put(data, tree + 12, "<H", 65535),
        "nodes of no bytes": put(data, tree + 6, "<L", 0),
        "records of another kind": put(data, tree + 5, "<B", 5),
        "too many records": put(data, tree + 24, "<H", 65535),
        "a node that is its own child": put(data, links + 16, "<Q", inner),
    }
    for lie, changed in lies.items():
        root = look(changed)
        assert not root.complete, lie
        assert root.attributes == whole.attributes or root.links == whole.links, lie


def test_a_heap_of_texts_that_lies():
    at = MODEL.index(b"GCOL")
    for where, lie in ((at, 0), (at + 8, 0), (at + 8, 16), (at + 24, 2**64 - 1), (at + 24, 2**40)):
        path = opened(put(MODEL, where, "<Q", lie))
        assert hdf5_root(path) == WHOLE
        hdf5_text(path, "keras_version")
        assert hdf5_text(path, "model_config") is None or where > at + 8
        assert BUDGET - path.left <= 3 * MAX_READ


def test_a_text_that_is_too_long_is_none():
    at = MODEL.index(b"keras_version\0") + 16  # the datatype, the dataspace, the value
    length = at + 16 + 8
    assert struct.unpack_from("<L", MODEL, length)[0] < 20
    assert hdf5_text(opened(put(MODEL, length, "<L", 5000)), "keras_version") is None
    assert hdf5_text(opened(put(MODEL, length, "<L", 2**32 - 1)), "keras_version") is None
