"""The tensorflow-saved binarizer: SavedModels as folders, as files of any name, and as bytes."""

from __future__ import annotations

import gc
import io
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.protobuf import saved_model_pb2

import mlup
from mlup.files import BUDGET, ModelPath
from mlup_tensorflow import saved as plugin

PB = "saved_model.pb"
PBTXT = "saved_model.pbtxt"
X = tf.constant([1.0, 2.0])
SETTINGS = settings(
    max_examples=100,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Weighted(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([2.0, 3.0])

    @tf.function(input_signature=[tf.TensorSpec([2])])
    def __call__(self, values):
        return values * self.weights


class Tripled(tf.Module):
    """It has no variables."""

    @tf.function(input_signature=[tf.TensorSpec([2])])
    def __call__(self, values):
        return values * 3.0


class Looking(tf.Module):
    """It reads its asset twice: when it is loaded, into a table, and whenever ``raw`` is called."""

    def __init__(self, words):
        super().__init__()
        self.words = tf.saved_model.Asset(words)
        rows = tf.lookup.TextFileInitializer(
            self.words.asset_path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self.table = tf.lookup.StaticHashTable(rows, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, words):
        return self.table.lookup(words)

    @tf.function(input_signature=[])
    def raw(self):
        return tf.io.read_file(self.words)


def left_in(temporary) -> list[str]:
    gc.collect()
    # TensorFlow keeps the sources that it generates until the process ends.
    return [
        each
        for each in os.listdir(temporary)
        if not each.startswith(("__autograph_generated", "__pycache__"))
    ]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder of SavedModels, to be read only."""
    folder = tmp_path_factory.mktemp("originals")
    weighted = Weighted()
    tf.saved_model.save(weighted, folder / "weighted")
    tf.saved_model.save(weighted, folder / "signed", signatures={"double": weighted.__call__})
    tf.saved_model.save(Tripled(), folder / "tripled")
    (folder / "words.txt").write_text("red\ngreen\n")
    tf.saved_model.save(Looking(str(folder / "words.txt")), folder / "looking")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(folder / "exported")
    as_text(folder / "weighted", folder / "text")
    first_generation(folder / "first", [["serve"]])
    first_generation(folder / "first_two", [["serve"], ["train"]])
    first_generation(folder / "first_constant", [["serve"]], variable=False)
    return folder


def as_text(folder: Path, to: Path) -> None:
    shutil.copytree(folder, to)
    message = saved_model_pb2.SavedModel.FromString((to / PB).read_bytes())
    (to / PBTXT).write_text(text_format.MessageToString(message))
    (to / PB).unlink()


def first_generation(folder: Path, tags: list[list[str]], *, variable: bool = True) -> None:
    """As TensorFlow 1 saves: graphs with tags, and no objects."""
    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(folder))
    for number, each in enumerate(tags):
        with tf.Graph().as_default(), v1.Session() as session:
            values = v1.placeholder(tf.float32, [2])
            factor = v1.get_variable("w", initializer=[2.0, 3.0]) if variable else 3.0
            signature = v1.saved_model.predict_signature_def({"x": values}, {"y": values * factor})
            session.run(v1.global_variables_initializer())
            if number == 0:
                builder.add_meta_graph_and_variables(session, each, {"serving_default": signature})
            else:
                builder.add_meta_graph(each, {"serving_default": signature})
    builder.save()


@pytest.fixture
def copied(originals, tmp_path):
    """A copy of one of them, to be changed."""
    return lambda name, to="model": Path(shutil.copytree(originals / name, tmp_path / to))


def score_of(source) -> float | None:
    """The claim of the binarizer, if it makes one; no plugin may fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["tensorflow-saved"])
    return detection.best and detection.best.score


def refused(source, **how) -> str:
    """The message of the one error that a load may end in."""
    with pytest.raises((mlup.ModelBinarizationError, mlup.UnsafeModelError)) as caught:
        mlup.load(source, "tensorflow-saved", **how)
    unsafe = isinstance(caught.value, mlup.UnsafeModelError)
    assert unsafe or caught.value.__cause__ is not None
    return str(caught.value)


def same(model, native) -> bool:
    return np.array_equal(model(X), native(X))


# -- what is its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weighted", "tripled", "text"])
def test_a_module_is_recognised_and_computes_the_same(originals, name):
    assert score_of(originals / name) == (0.9 if name == "text" else 0.95)
    native = tf.saved_model.load(str(originals / name))
    model = mlup.load(originals / name)
    assert type(model).__name__ == type(native).__name__
    assert same(model, native)


@pytest.mark.parametrize("source", ["signed", f"signed/{PB}"])
def test_signatures_are_there(originals, source):
    model = mlup.load(originals / source)
    native = tf.saved_model.load(str(originals / "signed"))
    assert list(model.signatures) == ["double"]
    expected = native.signatures["double"](values=X)["output_0"]
    assert np.array_equal(model.signatures["double"](values=X)["output_0"], expected)


def test_what_keras_exports_is_a_saved_model(originals):
    assert score_of(originals / "exported") == 0.95
    model = mlup.load(originals / "exported")
    native = tf.saved_model.load(str(originals / "exported"))
    batch = tf.ones((3, 2))
    assert np.array_equal(model.serve(batch), native.serve(batch))


def test_what_tensorflow_1_saved_is_a_saved_model(originals):
    for name in ("first", "first_constant"):
        assert score_of(originals / name) == 0.95
        model = mlup.load(originals / name)
        native = tf.saved_model.load(str(originals / name))
        expected = native.signatures["serving_default"](x=X)["y"]
        assert np.array_equal(model.signatures["serving_default"](x=X)["y"], expected)


def test_one_of_several_graphs_is_chosen_by_its_tags(originals):
    assert score_of(originals / "first_two") == 0.95
    message = refused(originals / "first_two")
    assert "[['serve'], ['train']]" in message
    assert 'options={"tags"' in message
    for tags in ("serve", ["train"], {"train"}):
        assert mlup.load(originals / "first_two", options={"tags": tags}).signatures
    assert "other" in refused(originals / "first_two", options={"tags": "other"})
    with pytest.raises(mlup.OptionError, match="tags"):
        mlup.load(originals / "first_two", options={"tag": "serve"})


@pytest.mark.parametrize(
    "name", ["00000123", "model.savedmodel", "model.keras", "model.h5", "model.pb", "mödel dir"]
)
def test_a_folder_may_have_any_name(copied, originals, name):
    folder = copied("weighted", name)
    named = name.endswith((".savedmodel", ".pb"))
    for each in (folder, str(folder), f"{folder}{os.sep}"):
        assert score_of(each) in (0.95, 0.99 if named else 0.95)
        assert same(mlup.load(each), tf.saved_model.load(str(originals / "weighted")))


def test_a_folder_of_keras_2_is_restored_as_it_is(copied):
    folder = copied("weighted")
    (folder / "keras_metadata.pb").write_bytes(b"\x0a\x00")
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    assert score_of(folder) == 0.95
    assert mlup.load(folder).weights.shape == (2,)


# -- a file of it -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weighted", "tripled", "signed", "exported", "text", "first"])
def test_the_file_in_its_folder_is_loaded_with_the_folder(originals, name):
    file = originals / name / (PBTXT if name == "text" else PB)
    assert score_of(file) == (pytest.approx(0.85) if name == "text" else 0.99)
    model, native = mlup.load(file), tf.saved_model.load(str(originals / name))
    if callable(native):
        assert same(model, native)
    else:
        assert list(model.signatures) == list(native.signatures)


def test_the_folder_may_be_the_working_directory(originals, monkeypatch):
    native = tf.saved_model.load(str(originals / "weighted"))
    monkeypatch.chdir(originals / "weighted")
    assert same(mlup.load(PB), native)
    assert same(mlup.load("."), native)


@pytest.mark.parametrize("name", ["m", "m.bin", "m.onnx", "m.keras", "saved_model.pbtxt", "m.PB"])
def test_a_renamed_file_is_loaded_with_what_is_beside_it(copied, originals, name):
    folder = copied("weighted")
    file = (folder / PB).rename(folder / name)
    assert score_of(file) == (0.99 if name.endswith((".pbtxt", ".PB")) else 0.95)
    assert same(mlup.load(file), tf.saved_model.load(str(originals / "weighted")))
    assert sorted(os.listdir(folder)).count(name) == 1


def test_a_renamed_text_file_is_loaded_too(copied, originals):
    native = tf.saved_model.load(str(originals / "weighted"))
    folder = copied("text")
    file = (folder / PBTXT).rename(folder / "model")
    assert score_of(file) == 0.8
    assert same(mlup.load(file), native)
    file.rename(folder / PB)
    assert score_of(folder / PB) == pytest.approx(0.85)
    assert same(mlup.load(folder / PB), native)


def test_text_beside_the_binary_file_is_loaded_when_it_is_asked_for(copied, originals):
    folder = copied("text")
    shutil.copy(originals / "tripled" / PB, folder / PB)
    text = mlup.load(folder / PBTXT)
    assert same(text, tf.saved_model.load(str(originals / "weighted")))
    native = tf.saved_model.load(str(originals / "tripled"))
    for each in (folder, folder / PB):
        shutil.rmtree(folder / "variables", ignore_errors=True)
        assert same(mlup.load(each), native)


def test_every_kind_of_source_loads_what_has_no_variables(originals, tmp_path):
    data = (originals / "tripled" / PB).read_bytes()
    native = tf.saved_model.load(str(originals / "tripled"))
    (tmp_path / "model").write_bytes(data)
    (tmp_path / "offset").write_bytes(b"in front" + data)
    behind = io.BytesIO(b"in front" + data)
    behind.seek(8)
    with (
        open(tmp_path / "model", "rb") as file,
        open(tmp_path / "offset", "rb") as at_offset,
    ):
        at_offset.seek(8)
        for source in (
            data,
            bytearray(data),
            io.BytesIO(data),
            behind,
            file,
            at_offset,
            tmp_path / "model",
            mlup.LoadedFile(raw_data=data),
            mlup.LoadedFile(path=str(tmp_path / "model")),
        ):
            assert score_of(source) == 0.95
            assert same(mlup.load(source), native)
        assert not file.closed


def test_an_open_file_in_its_folder_is_loaded_with_the_folder(originals):
    with open(originals / "weighted" / PB, "rb") as file:
        assert same(mlup.load(file), tf.saved_model.load(str(originals / "weighted")))


def test_assets_can_be_read_as_long_as_the_model_lives(copied, originals, temporary):
    folder = copied("looking")
    file = (folder / PB).rename(folder / "model.bin")
    for source in (originals / "looking", originals / "looking" / PB, file):
        model = mlup.load(source, allow=["ReadFile"])
        assert list(model(tf.constant(["green", "blue"])).numpy()) == [1, -1]
        assert model.raw().numpy() == b"red\ngreen\n"
        assert len(left_in(temporary)) == 1  # the message, and links
        del model
        assert left_in(temporary) == []
    assert (folder / "assets" / "words.txt").exists()


def test_score_takes_plain_paths(originals, tmp_path):
    file = originals / "weighted" / PB
    data = file.read_bytes()
    for each in (file, str(file)):
        assert plugin.score(each, data[:100], data[-100:]) == 0.99
    for each in (originals / "weighted", str(originals / "weighted")):
        assert plugin.score(each, b"", b"") == 0.95
    assert plugin.score(tmp_path, b"", b"") is None


# -- what is missing ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weighted", "first", "looking"])
def test_missing_variables_are_named_with_their_place(copied, name):
    folder = copied(name, "a folder")
    file = folder / PB
    shutil.copy(file, folder / "renamed")
    data = file.read_bytes()
    shutil.rmtree(folder / "variables")
    assert score_of(folder) == 0.95
    if name == "looking":  # all that it has is its asset
        shutil.rmtree(folder / "assets")
    gone = "assets/words.txt" if name == "looking" else "variables/variables.index"
    for source in (folder, file, folder / "renamed"):
        assert f"it needs {folder / gone}, which is not there" in refused(
            source, allow=["ReadFile"]
        )
    for source in (data, io.BytesIO(data)):
        message = refused(source, allow=["ReadFile"])
        assert message.startswith("<bytes> was not loaded by tensorflow-saved: ")
        assert f"it needs {gone} beside it" in message
    message = refused(mlup.LoadedFile(raw_data=data, path="elsewhere.pb"), allow=["ReadFile"])
    assert message.startswith("elsewhere.pb was not loaded by tensorflow-saved: ")
    assert f"it needs {gone} beside it" in message


def test_a_missing_piece_of_the_variables_is_named(copied):
    folder = copied("weighted", "a folder")
    (piece,) = (folder / "variables").glob("variables.data-*")
    piece.unlink()
    assert str(piece) in refused(folder)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"


def variables(folder: Path, piece: str) -> Path:
    (file,) = (folder / "variables").glob(f"variables.{piece}*")
    return file


@pytest.mark.parametrize("name", ["weighted", "exported", "first"])
@pytest.mark.parametrize("piece", ["index", "data"])
@pytest.mark.parametrize("part", [0, 0.5, 0.95])
def test_variables_that_are_cut_off_are_named(copied, name, piece, part):
    folder = copied(name, "a folder")
    file = variables(folder, piece)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    shutil.copy(folder / PB, folder / "renamed")
    for source in (folder, folder / PB, folder / "renamed"):
        assert refused(source) == (
            f"{source} was not loaded by tensorflow-saved: {file}: cut off, damaged, or of another "
            "model; copy the whole folder that the model was saved to again"
        )


@pytest.mark.parametrize("name", ["weighted", "first"])
def test_variables_that_are_damaged_are_named(copied, name):
    folder = copied(name)
    file = variables(folder, "data")
    data = bytearray(file.read_bytes())
    data[2] ^= 0xFF
    file.write_bytes(data)
    assert f"{file}: cut off, damaged" in refused(folder)


@pytest.mark.parametrize("name", ["weighted", "first"])
def test_pointers_of_git_lfs_in_place_of_variables_are_named(copied, name):
    folder = copied(name)
    file = variables(folder, "data")
    file.write_bytes(POINTER)
    message = refused(folder)
    assert f"{file}: a pointer of Git LFS" in message
    assert "git lfs pull" in message
    assert "copy the whole folder" in message
    index = variables(folder, "index")
    index.write_bytes(POINTER)
    assert f"{file}, {index}: a pointer of Git LFS" in refused(folder)


@pytest.mark.parametrize("name", ["weighted", "first"])
def test_a_folder_whose_name_tensorflow_takes_for_a_pattern_is_to_be_renamed(copied, name):
    folder = copied(name, "a [folder]")
    with pytest.raises(Exception, match="Failed to find any matching files"):
        tf.saved_model.load(str(folder))
    mlup.load(folder)  # through a folder of another name
    message = refused(folder, trust=True)
    assert "rename the folder" in message
    assert "not there" not in message
    mlup.load(folder.rename(folder.with_name("a folder")))


def test_variables_that_a_model_does_not_have_may_be_missing(copied, originals):
    folder = copied("tripled")
    shutil.rmtree(folder / "variables")
    native = tf.saved_model.load(str(originals / "tripled"))
    for source in (folder, folder / PB, (folder / PB).read_bytes()):
        assert same(mlup.load(source), native)


# -- what is not its own ------------------------------------------------------------------------


def test_folders_of_others_are_not_claimed(copied, originals, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    assert score_of(folder) is None
    assert "saved_model.pb" in refused(folder)
    folder = copied("weighted", "without")
    (folder / PB).unlink()
    assert score_of(folder) is None  # a half
    (folder / "graph.pb").write_bytes((originals / "weighted" / PB).read_bytes())
    assert score_of(folder) is None
    assert score_of(originals) is None
    (folder / PB).mkdir()
    assert score_of(folder) is None
    folder = copied("text", "binary")
    (folder / PBTXT).write_bytes((originals / "weighted" / PB).read_bytes())
    assert score_of(folder) is None  # TensorFlow reads it as text


def test_other_messages_of_protobuf_are_not_claimed(originals, tmp_path):
    graph = tf.function(lambda x: x * 2.0).get_concrete_function(tf.TensorSpec([2])).graph
    others = [
        graph.as_graph_def().SerializeToString(),
        b"\x08\x01\x12\x05torch\x3a\x02\x0a\x00",  # ONNX, IR version 1
        b"\x08\x01\x12\x05hello",
        b"\x08\x01\x12\x07\x0a\x05hello",
        b"\x08\x01\x12\x04\x0a\x02\x0a\x00",  # a meta graph that says nothing of TensorFlow
        b"\x08\x02" + (originals / "weighted" / PB).read_bytes()[2:],
        (originals / "weighted" / PB).read_bytes() + b"\x1a\x01x",  # a third field
        b"\x08\x01\x12\x00",
        b"\x08\x01",
        b"saved_model_schema_version: 2\nmeta_graphs {\n}\n",
        b"saved_model_schema_version: 1\nmeta_graphs {\n  a\0b\n}\n",
        b"saved_model_schema_version: 1\nmeta_graphs {\n  meta_info_def {\n",
        b"saved_model_schema_version: 1\n",
        b"# saved_model_schema_version: 1\n",
    ]
    fingerprint = originals / "weighted" / "fingerprint.pb"
    others += [fingerprint.read_bytes()] if fingerprint.exists() else []
    for data in others:
        (tmp_path / PB).write_bytes(data)
        for source in (tmp_path / PB, tmp_path, data):
            assert score_of(source) is None


def test_a_graph_without_a_name_of_its_makers_version_is_recognised_by_its_tags(originals):
    message = saved_model_pb2.SavedModel.FromString((originals / "first" / PB).read_bytes())
    message.meta_graphs[0].meta_info_def.ClearField("tensorflow_version")
    assert score_of(message.SerializeToString()) == 0.95
    message.meta_graphs[0].meta_info_def.ClearField("tags")
    assert score_of(message.SerializeToString()) is None


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", [PB, PBTXT])
def test_a_truncated_file_is_not_claimed_and_does_not_load(copied, part, name):
    folder = copied("text" if name == PBTXT else "weighted")
    data = (folder / name).read_bytes()
    data = data[: int(len(data) * part)].rstrip(b"} \n")
    (folder / name).write_bytes(data)
    for source in (folder, folder / name, data):
        assert score_of(source) is None
        refused(source)


@pytest.mark.parametrize("data", [b"", b"\x08\x01", b"saved_model_schema_version: 1\n"])
def test_what_holds_no_graph_says_so(copied, tmp_path, data):
    folder = copied("weighted")
    name = PBTXT if data.startswith(b"saved") else PB
    (folder / PB).unlink()
    (folder / name).write_bytes(data)
    (tmp_path / "other").write_bytes(data)
    for source in (folder, folder / name, tmp_path / "other", data):
        assert "it holds no graph: it is empty or damaged" in refused(source)


@pytest.mark.parametrize(
    "data",
    [
        bytes(5000),
        b"<!DOCTYPE html>\n<p>not found",
        b"\xff\xfe\x80 no text",
        b"\x08\xff\xff",
        b"\x0a\x02\x80",
        b"\x12\x7fcut off",
        b"hello",
    ],
)
def test_foreign_bytes_are_called_that(copied, tmp_path, temporary, data):
    folder = copied("weighted")
    for file in (folder / PB, tmp_path / "other", tmp_path / PBTXT):
        file.write_bytes(data)
    for source in (folder, folder / PB, tmp_path / "other", tmp_path / PBTXT, data):
        message = refused(source)
        assert "it is no SavedModel message, or a damaged one" in message
        assert str(temporary) not in message
        assert "mlup-" not in message.replace("mlup-tensorflow", "")


def test_a_pointer_of_git_lfs_in_place_of_the_graph_is_called_that(copied):
    folder = copied("weighted")
    (folder / PB).write_bytes(POINTER)
    for source in (folder, folder / PB, POINTER):
        assert "it is a pointer of Git LFS" in refused(source)


def test_temporary_paths_are_not_shown(copied, temporary):
    """Here in an error that is TensorFlow's own."""
    folder = copied("first")
    message = saved_model_pb2.SavedModel.FromString((folder / PB).read_bytes())
    for node in message.meta_graphs[0].graph_def.node:
        node.op = "NoSuchOperation"
    (folder / "renamed").write_bytes(message.SerializeToString())
    said = refused(folder / "renamed", trust=True)
    assert "NoSuchOperation" in said
    assert str(temporary) not in said


# -- detection ----------------------------------------------------------------------------------


def test_what_a_detection_reads_does_not_grow_with_the_graph(originals):
    read = []
    message = saved_model_pb2.SavedModel.FromString((originals / "weighted" / PB).read_bytes())
    for count in (1, 3000):
        for _ in range(count):
            node = message.meta_graphs[0].graph_def.node.add(name="constant" * 10, op="Const")
            node.attr["value"].tensor.tensor_content = bytes(300)
        with ModelPath.of(message.SerializeToString()) as opened:
            assert plugin.score(opened, opened.head, opened.tail) == 0.95
            read.append(BUDGET - opened.left)
    assert read[1] - read[0] < 1024
    assert read[1] < 8192


def test_detection_imports_no_framework(originals):
    program = (
        "import sys, mlup\n"
        "for path in sys.argv[1:]:\n"
        "    assert mlup.detect(path).best.binarizer == 'tensorflow-saved'\n"
        "print(*sorted({'tensorflow', 'google.protobuf', 'numpy'} & set(sys.modules)))"
    )
    paths = [originals / "weighted", originals / "weighted" / PB, originals / "text"]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "tensorflow-saved")
    assert (info.distribution, info.status, info.problem) == ("mlup-tensorflow", "ok", None)
    assert (info.options, info.requires) == (("tags",), ("tensorflow",))
    assert ".pb" in info.extensions
    assert "SavedModel" in info.description


def test_every_name_the_predecessor_had_for_it_loads(originals):
    native = tf.saved_model.load(str(originals / "weighted"))
    for name in (
        "tensorflow-saved",
        "mlup-tensorflow:tensorflow-saved",
        mlup.BinarizationType.TENSORFLOW_ZIP,
        "mlup.ml.binarization.tensorflow.TensorFlowSavedBinarizer",
    ):
        assert same(mlup.load(originals / "weighted", name), native)


# -- properties ---------------------------------------------------------------------------------

PLACES = st.one_of(st.integers(0, 400), st.integers(0, 1 << 16), st.integers(-300, -1))


@SETTINGS
@given(name=st.sampled_from(["weighted", "looking", "first_two"]), at=PLACES)
def test_truncations_are_never_claimed(originals, name, at):
    data = (originals / name / PB).read_bytes()
    whole = [len(data)]
    if name == "first_two":  # what ends behind the first of its graphs is whole, too
        message = saved_model_pb2.SavedModel.FromString(data)
        del message.meta_graphs[1]
        whole.append(message.ByteSize())
    length = len(data[:at])
    assert score_of(data[:at]) == (0.95 if length in whole else None)


@SETTINGS
@given(
    name=st.sampled_from([f"weighted/{PB}", f"text/{PBTXT}"]),
    changes=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5),
    insert=st.booleans(),
)
def test_flipped_and_inserted_bytes_never_make_detection_raise(originals, name, changes, insert):
    data = bytearray((originals / name).read_bytes())
    for place, new in changes:
        at = place % len(data)
        data[at : at if insert else at + len(new)] = new
    score_of(bytes(data))


@SETTINGS
@given(
    start=st.sampled_from([b"\x08\x01\x12", b"saved_model_schema_version: 1 meta_graphs {"]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_behind_every_start_never_make_detection_raise(start, rest):
    score_of(start + rest)
