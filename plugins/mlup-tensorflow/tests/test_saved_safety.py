"""What the graph of a SavedModel may not do. Payloads could only make or read a file of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

import mlup

PB = "saved_model.pb"


def saved(folder, function, **more):
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec([], tf.string)])
    for name, value in more.items():
        setattr(module, name, value)
    tf.saved_model.save(module, str(folder))
    return folder


def refused(source, **how):
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(source, "tensorflow-saved", **how)
    assert set(caught.value.refused) <= set(mlup.inspect(source, "tensorflow-saved").refused)
    return caught.value


RAW = tf.raw_ops
OPERATIONS = {
    "WriteFile": lambda x: RAW.WriteFile(filename="/tmp/never", contents=x),
    "ReadFile": tf.io.read_file,
    "MatchingFiles": tf.io.matching_files,
    "EagerPyFunc": lambda x: tf.py_function(lambda y: y, [x], tf.string),
    "PyFunc": lambda x: tf.numpy_function(lambda y: y, [x], tf.string),
    "TextLineDataset": lambda x: tf.data.TextLineDataset(x).reduce(x, lambda a, b: b),
    "TFRecordDataset": lambda x: tf.data.TFRecordDataset(x).reduce(x, lambda a, b: b),
    "PrintV2": lambda x: RAW.PrintV2(input=x, output_stream="file:///tmp/never"),
    "ImmutableConst": lambda x: RAW.ImmutableConst(
        dtype=tf.float32, shape=[1], memory_region_name="/etc/passwd"
    ),
    "FixedLengthRecordReaderV2": lambda x: RAW.FixedLengthRecordReaderV2(record_bytes=1),
    "CreateSummaryFileWriter": lambda x: RAW.CreateSummaryFileWriter(
        writer=RAW.SummaryWriter(), logdir=x, max_queue=1, flush_millis=1, filename_suffix=""
    ),
    "DebugIdentityV2": lambda x: RAW.DebugIdentityV2(input=x, debug_urls=["file:///tmp/never"]),
    "SaveV2": lambda x: RAW.SaveV2(
        prefix="/tmp/never", tensor_names=["a"], shape_and_slices=[""], tensors=[x]
    ),
    "RestoreV2": lambda x: RAW.RestoreV2(
        prefix=tf.strings.join([x, "/../../never"]), tensor_names=["a"], shape_and_slices=[""],
        dtypes=[tf.float32],
    ),
    "CacheDatasetV2": lambda x: tf.data.Dataset.range(3).cache("/tmp/never").reduce(x, lambda a, b: a),
    "LoadAndRemapMatrix": lambda x: RAW.LoadAndRemapMatrix(
        ckpt_path=x, old_tensor_name="a", row_remapping=[0], col_remapping=[0],
        initializing_values=[], num_rows=1, num_cols=1,
    ),
    "FixedUnigramCandidateSampler": lambda x: RAW.FixedUnigramCandidateSampler(
        true_classes=tf.constant([[1]], tf.int64), num_true=1, num_sampled=1, unique=False, range_max=3,
        vocab_file="/etc/passwd",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_that_is_not_safe_is_named_and_can_be_allowed(tmp_path, name):
    def function(x):
        result = OPERATIONS[name](x)
        with tf.control_dependencies([result] if isinstance(result, tf.Operation) else []):
            return tf.identity(x)

    folder = saved(tmp_path / "m", function)
    error = refused(folder)
    assert name in error.refused
    assert mlup.load(folder, allow=error.refused)
    assert mlup.load(folder, trust=True)
    refused(folder)
    refused(folder / PB)
    message = saved_model_pb2.SavedModel.FromString((folder / PB).read_bytes())
    (folder / PB).unlink()
    (folder / "saved_model.pbtxt").write_text(text_format.MessageToString(message))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(folder, "tensorflow-saved")
    assert name in caught.value.refused


def test_a_file_name_that_is_passed_on_is_followed(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def inner(prefix):
        RAW.SaveV2(prefix=prefix, tensor_names=["a"], shape_and_slices=[""], tensors=[prefix])
        return prefix

    for number, outer in enumerate([lambda x: inner("/tmp/never"), lambda x: inner("never")]):
        assert refused(saved(tmp_path / str(number), outer)).refused == ("SaveV2",)
    assert mlup.load(saved(tmp_path / "given", lambda x: inner(x)))


def test_a_table_reads_its_assets_only(tmp_path):
    (tmp_path / "words.txt").write_text("red\ngreen\n")

    def table(place):
        index = tf.lookup.TextFileIndex
        rows = tf.lookup.TextFileInitializer(
            place, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
        )
        return tf.lookup.StaticHashTable(rows, -1)

    words = table(str(tmp_path / "words.txt"))
    folder = saved(tmp_path / "m", lambda x: words.lookup(x), words=words)
    assert mlup.load(folder).f(tf.constant("green")).numpy() == 1
    message = saved_model_pb2.SavedModel.FromString((folder / PB).read_bytes())
    for outside in ("../words.txt", "/etc/passwd"):
        message.meta_graphs[0].asset_file_def[0].filename = outside
        (folder / PB).write_bytes(message.SerializeToString())
        with pytest.raises(mlup.UnsafeModelError, match="outside"):
            mlup.load(folder, "tensorflow-saved")
    # The function that fills the table, with a constant in place of the asset.
    message.meta_graphs[0].asset_file_def[0].filename = "words.txt"
    for each in message.meta_graphs[0].graph_def.library.function:
        for node in each.node_def:
            if node.op == "InitializeTableFromTextFileV2":
                constant = each.node_def.add(name="evil", op="Const")
                constant.attr["dtype"].type = 7
                constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/etc/passwd"))
                node.input[1] = "evil:output:0"
                break
    (folder / PB).write_bytes(message.SerializeToString())
    assert refused(folder).refused == ("InitializeTableFromTextFileV2",)


@pytest.mark.parametrize("name", ["assets", "variables"])
def test_links_out_of_the_folder_are_refused(tmp_path, name):
    folder = saved(tmp_path / "m", tf.identity)
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", folder / name / "link")
    with pytest.raises(mlup.UnsafeModelError, match="outside"):
        mlup.load(folder, "tensorflow-saved")


def test_unknown_and_hidden_operations_are_refused(tmp_path):
    folder = saved(tmp_path / "m", tf.identity)
    message = saved_model_pb2.SavedModel.FromString((folder / PB).read_bytes())
    message.meta_graphs[0].graph_def.node.add(name="x", op="SomethingNew")
    extra = saved_model_pb2.SavedModel()
    extra.meta_graphs.add().graph_def.node.add(name="y", op="WriteFile")
    (folder / PB).write_bytes(message.SerializeToString() + extra.SerializeToString())
    assert set(refused(folder).refused) == {"SomethingNew", "WriteFile"}


def test_every_operation_of_tensorflow_has_been_decided():
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    from mlup_tensorflow.graph_checks import table

    data = pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList())
    own = {each.name for each in op_def_pb2.OpList.FromString(data).op}
    known = table()
    assert known.safe.isdisjoint(known.refused)
    if tf.__version__ == "2.21.0":
        assert own <= known.safe | known.refused.keys()


def test_inspection_imports_no_framework(tmp_path):
    folder = saved(tmp_path / "m", tf.io.read_file)
    text = saved(tmp_path / "t", tf.io.read_file)
    message = saved_model_pb2.SavedModel.FromString((text / PB).read_bytes())
    (text / PB).unlink()
    spelled = text_format.MessageToString(message).replace(
        'op: "ReadFile"', "op: 'Read' \"\\106ile\""
    )
    (text / "saved_model.pbtxt").write_text(spelled)
    program = (
        "import sys, mlup\n"
        "for path in sys.argv[1:]:\n"
        "    assert mlup.inspect(path).refused == ('ReadFile',), mlup.inspect(path)\n"
        "print(*sorted({'tensorflow', 'google.protobuf', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(text)], capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
    assert refused(text).refused == ("ReadFile",)
