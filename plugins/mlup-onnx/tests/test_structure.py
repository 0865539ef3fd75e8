"""What makes a file an ONNX model, to the byte; what is none; and what looking costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf import descriptor_pb2, json_format, text_format
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import mlup
import mlup_onnx
from mlup.files import BUDGET, ModelPath
from mlup_onnx.model_proto import FIRST_BYTES

SETTINGS = settings(
    max_examples=200,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def tensor(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def made():
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"], doc_string="multiply"),
            helper.make_node("Relu", ["m"], ["y"]),
        ],
        "graph",
        [tensor("x", None, 2)],
        [tensor("y", None, 2)],
        [numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")],
        doc_string="A graph.",
        value_info=[tensor("m", None, 2)],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=8,
        producer_name="tests",
        producer_version="1",
        domain="org.example",
        model_version=300,
        doc_string="A model.",
    )


PROTO = made()
DATA = PROTO.SerializeToString()


@pytest.fixture(scope="module")
def ort(tmp_path_factory):
    path = tmp_path_factory.mktemp("ort") / "model.ort"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(DATA, options)
    return path.read_bytes()


def claimed(source: object) -> bool:
    """Whether onnx claims it; no plugin may fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    return bool(detection.candidates)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes | int) -> bytes:
    """A field of a message: a varint, or bytes with their length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


GRAPH = PROTO.graph.SerializeToString()
OPSET = field(8, b"\x10\x11")
FIELDS = [
    field(1, 8),
    field(2, b"tests"),
    field(3, b"1"),
    field(4, b"org.example"),
    field(5, 300),
    field(6, b"A model."),
    field(7, GRAPH),
    field(8, b"\x0a\x00\x10\x11"),
    field(8, b"\x0a\x0aai.onnx.ml\x10\x03"),
]


# -- its own ------------------------------------------------------------------------------------


@SETTINGS
@given(st.permutations(FIELDS))
@example(FIELDS)
@example(FIELDS[::-1])
def test_the_fields_may_stand_in_any_order(fields):
    data = b"".join(fields)
    assert data[:1] in FIRST_BYTES
    assert claimed(data)
    mlup.load(data).predict([[1, 2]])


def test_every_field_may_come_first():
    more = [field(14, b"\x0a\x01k\x12\x01v"), field(20, b""), field(25, b""), field(26, b"")]
    first = {each[:1] for each in [*FIELDS, *more]}
    assert first == FIRST_BYTES
    for each in [*FIELDS, *more]:
        assert claimed(each + field(1, 8) + field(7, GRAPH) + OPSET)


@pytest.mark.parametrize("version", [1, 2, 3, 7, 14, 15, 20, 127])
def test_any_ir_version_of_today_and_tomorrow_is_claimed(version):
    assert claimed(field(1, version) + field(7, GRAPH) + OPSET)


def test_a_field_of_a_later_onnx_is_skipped_as_onnxruntime_does():
    data = DATA + field(27, b"something new") + field(28, 5)
    assert claimed(data)
    mlup.load(data).predict([[1, 2]])


def test_a_graph_that_begins_with_any_of_its_fields_is_a_graph():
    for number in (1, 2, 5, 10, 11, 12, 13, 14, 15, 16):
        for size in (0, 3, 60, 200, 5000):
            graph = field(number, b"\x0a" * size) + field(2, b"name")
            assert claimed(field(1, 8) + field(7, graph) + OPSET)


def test_a_message_that_was_appended_to_is_still_a_model():
    """Two messages one behind the other are their merger; that is how metadata can be added."""
    data = DATA + onnx.ModelProto(metadata_props=[{"key": "k", "value": "v"}]).SerializeToString()
    assert claimed(data)
    assert mlup.load(data).get_modelmeta().custom_metadata_map == {"k": "v"}


# -- not its own --------------------------------------------------------------------------------


def test_no_beginning_of_a_model_is_one_until_all_that_it_needs_is_there():
    whole = len(DATA) - len(
        FIELDS[-1]
    )  # its last field is a second opset, which it could do without
    assert claimed(DATA)
    assert [length for length in range(len(DATA)) if claimed(DATA[:length])] == [whole]


def test_no_beginning_of_an_ort_model_is_one(ort):
    assert claimed(ort)
    text_end = ort.rindex(b"\x01\x00\x00\x00") + 5  # behind the version: only zeros
    assert ort[text_end:].strip(b"\0") == b""
    assert not any(claimed(ort[:length]) for length in range(text_end))


@pytest.mark.parametrize("without", [1, 7, 8])
def test_a_model_without_what_onnxruntime_needs_is_none(without):
    kept = [
        each for number, each in ((1, FIELDS[0]), (7, FIELDS[6]), (8, OPSET)) if number != without
    ]
    data = b"".join(kept)
    assert not claimed(data)
    with pytest.raises(mlup.ModelBinarizationError):
        mlup.load(data, "onnx")


FOREIGN = {
    "behind it": DATA + b"\0",
    "in front of it": b"\0" + DATA,
    "a field of none": DATA + field(9, b"x"),
    "a field of CoreML's": DATA + field(300, b"x"),
    "ir version 0": field(1, 0) + DATA[2:],
    "ir version too large": field(1, 128) + DATA[2:],
    "ir version as bytes": field(1, b"\x08") + DATA[2:],
    "model version as bytes": DATA + field(5, b"1"),
    "producer as a number": DATA + field(2, 1),
    "graph as a number": field(1, 8) + field(7, 1) + OPSET,
    "an empty graph": field(1, 8) + field(7, b"") + OPSET,
    "a graph of text": field(1, 8) + field(7, b"This is a text, and no graph at all.") + OPSET,
    "a graph of zeros": field(1, 8) + field(7, bytes(500)) + OPSET,
    "a graph of numbers": field(1, 8) + field(7, field(1, 5) + field(2, b"x")) + OPSET,
    "a graph that breaks off": field(1, 8) + field(7, field(2, b"g") + b"\x0a\x30abc") + OPSET,
    "a graph that breaks off in a tag": field(1, 8) + field(7, field(2, b"g") + b"\x0a") + OPSET,
    "a graph with a field of none": field(1, 8) + field(7, field(2, b"n") + field(3, b"x")) + OPSET,
    "the graph alone": GRAPH,
    "a node": PROTO.graph.node[0].SerializeToString(),
    "a tensor": PROTO.graph.initializer[0].SerializeToString(),
    "a raw tensor": TensorProto(dims=[8, 3], data_type=1, raw_data=bytes(96)).SerializeToString(),
    "an input": PROTO.graph.input[0].SerializeToString(),
    "a SavedModel": field(1, 1) + field(2, b"\x0a\x05\x0a\x03abc" + bytes(30)),
    "a CoreML model": field(1, 4) + field(2, field(1, field(1, b"x"))) + field(300, bytes(90)),
    "a CoreML pipeline": field(1, 8) + field(2, b"") + field(10, 1) + field(202, GRAPH),
    "a GraphDef": field(1, field(1, b"x") + field(2, b"Placeholder")) + field(4, field(1, 27)),
    "a GraphDef, versions first": field(4, field(1, 27)) + field(1, field(1, b"x")),
    "a FileDescriptorSet": descriptor_pb2.FileDescriptorSet(
        file=[descriptor_pb2.FileDescriptorProto(name="a.proto", package="a")]
    ).SerializeToString(),
    "onnx as text": text_format.MessageToString(PROTO).encode(),
    "onnx as JSON": json_format.MessageToJson(PROTO).encode(),
    "onnx as a listing": onnx.printer.to_text(PROTO).encode(),
    "a git lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n",
    "ORTM alone": bytes(4) + b"ORTM",
    "ORTM and zeros": bytes(4) + b"ORTM" + bytes(600),
    "ORTM and ones": b"\xff" * 4 + b"ORTM" + b"\xff" * 600,
    "ORTM in a text": b"The ORTM " * 80,
    "text at a mark": b"1234ORTM" + b"1234" * 100,
    "a table that points at itself": b"\x08\0\0\0ORTM\x08\0\0\0" + bytes(80),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_model_is_not_claimed_whatever_it_is_called(tmp_path, name):
    assert not claimed(FOREIGN[name])
    for extension in mlup_onnx.extensions:
        path = tmp_path / f"model{extension}"
        path.write_bytes(FOREIGN[name])
        assert not claimed(path)


TEXTS = (
    b'"a","b","c"\n1,2,3\n' * 90,
    b"(lp0\nI1\naI2\na." * 90,
    b"2026-11-22,1.5,2.5,up\n" * 90,
    b":) hello\n" * 90,
    b"Begin at the beginning. " * 90,
    b"regression model\n" * 90,
    b"BZh91AY&SY" + bytes(range(256)) * 8,
    b'"' * 3000,
    b"BBBB" * 900,
    b"((((" * 900,
    b"\x08\x01" * 3000,
    b"\x12\x00" * 3000,
)


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_a_text_that_begins_like_a_model_is_none(number):
    assert TEXTS[number][:1] in FIRST_BYTES
    assert not claimed(TEXTS[number])


def test_an_ort_table_whose_numbers_lie_is_none(ort):
    for at in range(0, 48, 2):
        for number in (b"\0\0", b"\xff\xff", b"\xff\x7f", b"\x01\x00"):
            data = ort[:at] + number + ort[at + 2 :]
            mlup_says = claimed(data)
            assert mlup_says in (True, False)
            if at == 4:  # half of the mark
                assert not mlup_says


# -- what it costs ------------------------------------------------------------------------------


def test_what_a_detection_reads_does_not_grow_with_the_model():
    read = []
    for size in (10_000, 1_000_000):
        data = field(1, 8) + field(7, field(5, bytes(size)) + GRAPH) + OPSET
        with ModelPath.of(data) as opened:
            assert mlup_onnx.score(opened, opened.head, opened.tail) == 0.95
            read.append(BUDGET - opened.left)
    assert read[0] == read[1] < 2048


def test_the_most_that_can_be_read_is_within_the_budget():
    """Every field out of the reach of the one before."""
    fields = field(1, 8) + field(7, field(5, bytes(9000))) + OPSET
    data = fields + field(14, bytes(2000)) * 1500
    with ModelPath.of(data) as opened:
        assert mlup_onnx.score(opened, opened.head, opened.tail) == 0.95
        assert not opened.overdrawn
        assert BUDGET - opened.left < BUDGET * 3 / 4


def test_a_gigabyte_costs_no_memory(tmp_path):
    """A graph of a gigabyte, in a file with a hole."""
    path = tmp_path / "model.onnx"
    size = 1 << 30
    weights = varint(5 << 3 | 2) + varint(size)
    graph = varint(7 << 3 | 2) + varint(size + len(weights))
    with open(path, "wb") as file:
        file.write(field(1, 8) + graph + weights)
        file.seek(size, os.SEEK_CUR)
        file.write(OPSET)
    assert claimed(path)  # imports are not what is measured
    tracemalloc.start()
    try:
        started = time.perf_counter()
        assert claimed(path)
        assert time.perf_counter() - started < 1
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


def test_a_file_that_is_none_costs_two_comparisons():
    """No probe, no read: nothing but the head is looked at."""

    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(name)

    for head in (
        b"",
        b"\x80\x04\x95",
        b"PK\x03\x04",
        bytes(100),
        b"\x89HDF\r\n\x1a\n",
        b"{",
        b"tree",
    ):
        assert mlup_onnx.score(Untouchable(), head, head) is None


# -- properties ---------------------------------------------------------------------------------

PLACES = st.one_of(st.integers(0, 120), st.integers(0, 1 << 12), st.integers(-60, -1))


@SETTINGS
@given(st.data())
def test_flipped_and_inserted_bytes_never_make_detection_raise(ort, data):
    sample = bytearray(data.draw(st.sampled_from([DATA, ort])))
    insert = data.draw(st.booleans())
    for place, new in data.draw(
        st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5)
    ):
        at = place % len(sample)
        sample[at : at if insert else at + len(new)] = new
    claimed(bytes(sample))


@SETTINGS
@given(
    first=st.sampled_from(
        [*sorted(FIRST_BYTES), b"\x08\x08\x3a", b"\x18\0\0\0ORTM", b"\x08\x01\x12"]
    ),
    rest=st.binary(max_size=600),
)
def test_random_bytes_behind_every_beginning_are_never_claimed(first, rest):
    if claimed(first + rest):  # only what really is a message that has all that a model needs
        found = onnx.ModelProto.FromString(first + rest)
        assert found.ir_version
        assert found.opset_import
        assert found.HasField("graph")


LEAVES = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=40))


@SETTINGS
@given(st.lists(st.tuples(st.integers(1, 400), LEAVES), max_size=12))
def test_a_random_message_is_claimed_only_if_it_could_be_a_model(fields):
    data = b"".join(field(number, content) for number, content in fields)
    if claimed(data):
        shape = {(number, type(content)) for number, content in fields}
        assert {(1, int), (7, bytes), (8, bytes)} <= shape
        assert not any(number in (9, 10, 11, 12, 13) or number > 127 for number, _ in shape)


# -- damaged models in a process of their own ---------------------------------------------------

MUTATING = """
import json, os, random, sys
os.environ["MLUP_PLUGINS"] = "onnx,onnx-full-return"
import mlup, onnxruntime
onnxruntime.set_default_logger_severity(4)
found = {"loaded": 0, "refused": 0}
for seed in range(500):
    source = random.Random(seed)
    data = bytearray(open(sys.argv[1 + seed % 2], "rb").read())
    for _ in range(source.choice((1, 1, 2, 5))):
        at = source.randrange(len(data))
        if source.random() < 0.8:
            data[at] ^= 1 << source.randrange(8)
        else:
            del data[at : at + source.randrange(1, 5)]
    detection = mlup.detect(bytes(data))
    assert detection.problems == (), detection
    named = "onnx" if seed % 3 else "onnx-full-return"
    try:
        mlup.load(bytes(data), named)
        found["loaded"] += 1
    except mlup.ModelBinarizationError as error:
        assert error.__cause__ is not None
        found["refused"] += 1
print("@" + json.dumps(found))
"""


def test_damaged_models_end_in_one_error_and_never_in_the_process_s_end(tmp_path, ort):
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 26):
        pytest.skip("onnxruntime before 1.26 can end the process over a damaged model")
    (tmp_path / "model.onnx").write_bytes(DATA)
    (tmp_path / "model.ort").write_bytes(ort)
    result = subprocess.run(
        [sys.executable, "-c", MUTATING, tmp_path / "model.onnx", tmp_path / "model.ort"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.rpartition("@")[2])
    assert found["refused"] > 200
    assert found["loaded"] > 5
