"""``savedmodel/``: folders of TensorFlow's SavedModel, and what else TensorFlow writes."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tf_keras
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from makers.book import Book, finite
from makers.zips import zipped

TF = f"tensorflow {tf.__version__}"
KERAS = f"keras {keras.__version__}, {TF}"
_V1 = f"{TF}, tf.compat.v1"


class Line(tf.Module):
    """A weight, a bias, two functions."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([2.0, -1.0])
        self.bias = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
    def predict(self, x: Any) -> Any:
        """The line's value."""
        return {"y": tf.linalg.matvec(x, self.weight) + self.bias}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def count(self, text: Any) -> Any:
        """A string goes in, a number comes out."""
        return tf.strings.length(text)


class Fixed(tf.Module):
    """No variable at all."""

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def __call__(self, x: Any) -> Any:
        """Twice the numbers."""
        return x * tf.constant([2.0, 2.0])


def make(book: Book) -> None:
    """Write the folder."""
    keras.utils.set_random_seed(6)
    line = Line()
    row = tf.constant([[1.0, 2.0]])

    def put(name: str, write: Callable[[str], object], producer: str = TF, **more: Any) -> None:
        check = more.pop("check", _predicted(row))
        book.add(name, "tensorflow-saved", "savedmodel-dir", producer, write, check=check, **more)

    put("line", lambda path: tf.saved_model.save(line, path))
    signatures = {"serving_default": line.predict, "length": line.count}
    put("signatures", lambda path: tf.saved_model.save(line, path, signatures))
    put("7", lambda path: tf.saved_model.save(line, path), notes="a number, as servers have it")
    put("line.pt", lambda path: tf.saved_model.save(line, path), notes="a folder named .pt")
    twice = _called(tf.constant([1.0, 2.0]))
    put("no_variables", lambda path: tf.saved_model.save(Fixed(), path), check=twice)
    put("empty", lambda path: tf.saved_model.save(tf.Module(), path), check=_loaded)
    put("with_assets", _with_assets, check=_loaded)
    put("text_format", _as_text, notes="saved_model.pbtxt, and no saved_model.pb")
    put("without_fingerprint", _without_fingerprint)
    put("with_a_readme", _with_a_readme, notes="other files lie beside it")

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    served = _called(row, "serve")
    put("exported", lambda path: model.export(path, verbose=False), KERAS, check=served)
    old = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))])
    producer = f"tf_keras {tf_keras.__version__}, {TF}"
    put("keras2", lambda path: old.save(path, save_format="tf"), producer, check=_called(row))

    put("version_1", _version_1(["serve"]), _V1, check=_loaded, notes="tf.compat.v1's builder")
    note = "two graphs: tf.saved_model.load must be told the tags"
    put("two_graphs", _version_1(["serve"], ["train"]), _V1, check=_tagged, how="tags", notes=note)

    for name in ("line", "exported", "empty", "version_1", "two_graphs", "no_variables", "7"):
        book.note(
            {
                "path": f"{book.folder}/{name}/saved_model.pb",
                "label": "tensorflow-saved",
                "format": "savedmodel-pb",
                "acceptable": [],
                "producer": "the file in the folder",
                "notes": "tf.saved_model.load wants the folder",
                "loads": True,
                "loads_how": "parent dir",
            }
        )
    _not_models(book, line)


def _with_assets(path: str) -> None:
    module = tf.Module()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        words = Path("words.txt")
        words.write_text("red\ngreen\n")
        start = tf.lookup.TextFileInitializer(
            str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        module.table = tf.lookup.StaticHashTable(start, -1)
        tf.saved_model.save(module, path)


def _as_text(path: str) -> None:
    tf.saved_model.save(Line(), path)
    binary = Path(path, "saved_model.pb")
    message = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    Path(path, "saved_model.pbtxt").write_text(text_format.MessageToString(message))
    binary.unlink()


def _without_fingerprint(path: str) -> None:
    tf.saved_model.save(Line(), path)
    Path(path, "fingerprint.pb").unlink()  # TensorFlow before 2.12 wrote none


def _with_a_readme(path: str) -> None:
    tf.saved_model.save(Line(), path)
    for name in ("README.md", "config.json", "model.pkl"):
        Path(path, name).write_text("{}")


def _version_1(*tags: list[str]) -> Callable[[str], None]:
    """One graph for each list of tags, by the builder of TensorFlow 1."""
    v1 = tf.compat.v1

    def write(path: str) -> None:
        builder = v1.saved_model.builder.SavedModelBuilder(path)
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 2], name="x")
            y = tf.matmul(x, v1.get_variable("w", initializer=[[1.0], [2.0]]), name="y")
            session.run(v1.global_variables_initializer())
            signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
            builder.add_meta_graph_and_variables(session, tags[0], {"serving_default": signature})
            for more in tags[1:]:
                builder.add_meta_graph(more, {"serving_default": signature})
        builder.save()

    return write


def _not_models(book: Book, line: Line) -> None:
    """Checkpoints, graphs, and pieces of a SavedModel."""
    with tempfile.TemporaryDirectory() as folder:
        tf.train.Checkpoint(line=line).save(os.path.join(folder, "ckpt"))
        for each in sorted(Path(folder).iterdir()):
            name = f"checkpoint/{each.name}"
            book.add(name, "none", "tf-checkpoint", TF, each.read_bytes())
    note = "a folder of a checkpoint: no graph"
    whole = {"path": f"{book.folder}/checkpoint", "label": "none", "format": "tf-checkpoint"}
    book.note(whole | {"acceptable": [], "producer": TF, "notes": note})
    graph = line.predict.get_concrete_function().graph.as_graph_def()
    book.add("graph.pb", "tf-graphdef", "tf-graphdef", TF, graph.SerializeToString())
    book.add("graph", "tf-graphdef", "tf-graphdef", TF, graph.SerializeToString())
    book.add("graph.pbtxt", "none", "text", TF, text_format.MessageToString(graph))
    kept = book.files / book.folder / "keras2"
    for name in ("fingerprint.pb", "keras_metadata.pb"):
        book.add(name, "none", "savedmodel-part", TF, (kept / name).read_bytes())

    def events(path: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with tf.summary.create_file_writer(folder).as_default():
                tf.summary.write("loss", 0.5, step=1)
            shutil.copy(next(Path(folder).iterdir()), path)

    book.add("events.out.tfevents.1", "none", "tf-events", TF, events)

    def records(path: str) -> None:
        value = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5]))
        example = tf.train.Example(features=tf.train.Features(feature={"x": value}))
        with tf.io.TFRecordWriter(path) as writer:
            writer.write(example.SerializeToString())

    book.add("rows.tfrecord", "none", "tfrecord", TF, records)
    lite = tf.lite.TFLiteConverter.from_concrete_functions(
        [Fixed().__call__.get_concrete_function()]
    )
    book.add("fixed.tflite", "tflite", "tflite", TF, data := lite.convert())
    book.add("fixed.bin", "tflite", "tflite", TF, data)
    folder = book.files / book.folder / "line"
    parts = [(p.relative_to(folder).as_posix(), p.read_bytes()) for p in folder.rglob("*.*")]
    note = "a SavedModel's folder, zipped: TensorFlow does not load it"
    book.add("line.zip", "none", "zip", "zipfile", zipped(sorted(parts)), notes=note)

    def only_text(path: str) -> None:
        os.makedirs(path)
        Path(path, "saved_model.txt").write_text("not here\n")

    book.add("renamed", "none", "directory", "by hand", only_text)


def _loaded(path: str) -> Any:
    return tf.saved_model.load(path)


def _tagged(path: str) -> Any:
    return tf.saved_model.load(path, tags=["serve"])


def _predicted(row: Any) -> Callable[[str], Any]:
    def check(path: str) -> Any:
        loaded = tf.saved_model.load(path)
        finite(loaded.predict(row)["y"].numpy())
        return loaded

    return check


def _called(given: Any, method: str = "__call__") -> Callable[[str], Any]:
    def check(path: str) -> Any:
        loaded = tf.saved_model.load(path)
        finite(getattr(loaded, method)(given).numpy())
        return loaded

    return check
