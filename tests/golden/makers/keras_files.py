"""``keras/``: models in the .keras zip, in its unzipped form and in HDF5; of Keras 3 and Keras 2."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

from makers.book import Book, finite
from makers.zips import rezipped, zipped

KERAS = f"keras {keras.__version__}, tensorflow {tf.__version__}"
KERAS2 = f"tf_keras {tf_keras.__version__}"
HDF5 = f"h5py {h5py.__version__}"
_AGAIN = f"{KERAS}, packed again by zipfile"


def make(book: Book) -> None:
    """Write the folder."""
    keras.utils.set_random_seed(5)
    models = {name: build() for name, build in _MODELS.items()}
    _zips(book, models)
    _folders(book, models)
    _hdf5(book, models)
    _keras2(book)
    _not_models(book, models)


def _dense() -> Any:
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2, activation="tanh")(inputs))


def _recurrent() -> Any:
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Embedding(6, 2), keras.layers.LSTM(2)], name="recurrent"
    )


def _two_ends() -> Any:
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Concatenate()([left, right])
    ends = {"a": keras.layers.Dense(1)(both), "b": keras.layers.Dense(2)(both)}
    return keras.Model([left, right], ends)


def _prepared() -> Any:
    """With layers that keep what they learnt of the data in files of their own."""
    scaling = keras.layers.Normalization()
    scaling.adapt(np.array([[1.0, 2.0], [3.0, 5.0]]))
    number, word = keras.Input((2,)), keras.Input((1,), dtype="string")
    lookup = keras.layers.StringLookup(vocabulary=["red", "green"], output_mode="one_hot")
    both = keras.layers.Concatenate()([scaling(number), lookup(word)])
    return keras.Model([number, word], keras.layers.Dense(1)(both))


def _texts() -> Any:
    words = keras.layers.TextVectorization(max_tokens=8, output_sequence_length=3)
    words.adapt(["a small model", "of small words"])
    return keras.Sequential(
        [keras.Input((1,), dtype="string"), words, keras.layers.Embedding(8, 2)], name="texts"
    )


def _trained() -> Any:
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(1, 3),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    model.compile("rmsprop", "mse", metrics=["mae"])
    model.fit(np.ones((4, 6, 6, 1)), np.zeros((4, 1)), verbose=0)
    return model


class Doubling(keras.layers.Layer):
    """A layer that Keras does not know unless it is told."""

    def call(self, given: Any) -> Any:
        return given * 2.0


def _custom() -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Doubling()])


_MODELS: dict[str, Callable[[], Any]] = {
    "dense": _dense,
    "recurrent": _recurrent,
    "two_ends": _two_ends,
    "prepared": _prepared,
    "texts": _texts,
    "trained": _trained,
    "custom": _custom,
}
_ROW = [[0.5, 1.0, 1.5]]
_WORDS = tf.constant([["red"]])
_GIVEN: dict[str, Callable[[], Any]] = {
    "dense": lambda: np.array(_ROW),
    "recurrent": lambda: np.array([[0, 1, 2, 3]]),
    "two_ends": lambda: [np.array(_ROW), np.array([[1.0, 2.0]])],
    "prepared": lambda: [tf.constant([[1.0, 2.0]]), _WORDS],
    "texts": lambda: tf.constant([["a model"]]),
    "trained": lambda: np.ones((1, 6, 6, 1)),
    "custom": lambda: np.array(_ROW),
}


def _zips(book: Book, models: dict[str, Any]) -> None:
    def put(name: str, kind: str, data: bytes, producer: str = KERAS, **more: Any) -> None:
        check = _tried(kind, ".keras")
        how = "direct" if name.endswith(".keras") else "renamed"
        how = "custom_objects" if kind == "custom" else how
        book.add(name, "tensorflow", "keras-zip", producer, data, check=check, how=how, **more)

    for kind in models:
        put(f"{kind}.keras", kind, saved(models[kind]))
    dense = saved(models["dense"])
    put("dense", "dense", dense)
    deflated = zipfile.ZIP_DEFLATED
    put("deflated.keras", "dense", rezipped(dense, deflated), _AGAIN)
    put("backwards.keras", "dense", rezipped(dense, key=lambda name: name[::-1]), _AGAIN)
    comment = rezipped(dense, deflated, comment=b"trained on Tuesday. " * 8)
    put("with_comment.keras", "dense", comment, _AGAIN, notes="the comment fills the end")
    finder: list[tuple[str, bytes | str]] = [("__MACOSX/._config.json", b"\0\5\x16\7")]
    put("from_a_mac.keras", "dense", rezipped(dense, deflated, before=finder), _AGAIN)
    folders = rezipped(dense, deflated, before=[("assets/", "")])
    put("with_folder.keras", "dense", folders, _AGAIN)
    with zipfile.ZipFile(io.BytesIO(dense)) as archive:
        two = [(n, archive.read(n)) for n in archive.namelist() if n != "metadata.json"]
    put(
        "no_metadata.keras", "dense", zipped(list(two)), _AGAIN, notes="Keras loads it all the same"
    )
    data = pickle.dumps(models["dense"])
    book.add(
        "pickled.pkl",
        "pickle",
        "pickle-p4",
        f"pickle, {KERAS}",
        data,
        check=lambda path: pickle.loads(data),
        acceptable=("joblib",),
        notes="holds a whole .keras zip: zipfile.is_zipfile is true of it",
    )


def _folders(book: Book, models: dict[str, Any]) -> None:
    for name, kind in (("folder", "dense"), ("folder.keras", "dense"), ("v3.h5", "texts")):
        book.add(
            name,
            "tensorflow",
            "keras-dir",
            KERAS,
            lambda path, kind=kind: (
                models[kind].save(path + ".tmp", zipped=False) or os.rename(path + ".tmp", path)
            ),
            check=_tried(kind, None),
            how="direct" if name == "folder" else "renamed",
            notes="a folder, and no SavedModel",
        )


def _hdf5(book: Book, models: dict[str, Any]) -> None:
    def put(name: str, kind: str, data: bytes, producer: str = KERAS, **more: Any) -> None:
        check = _tried(kind, ".h5")
        how = "direct" if name.endswith(".h5") else "renamed"
        how = "compile=False" if kind == "trained" else how
        book.add(name, "tensorflow", "keras-hdf5", producer, data, check=check, how=how, **more)

    for kind in ("dense", "recurrent", "two_ends", "trained"):
        put(f"{kind}.h5", kind, saved(models[kind], ".h5"))
    dense = saved(models["dense"], ".h5")
    put("dense_hdf5.keras", "dense", dense)
    copied = f"{KERAS}, copied by {HDF5}"
    block = _copied(dense, userblock_size=1024)
    put("user_block.h5", "dense", block, copied, notes="HDF5 begins at byte 1024")
    put("latest.h5", "dense", _copied(dense, libver="latest"), copied, notes="superblock 3")
    deep = _copied(saved(models["trained"], ".h5"), libver=("v110", "v110"), track_order=True)
    put("tracked.h5", "trained", deep, copied, notes="attributes in order of creation")


def _copied(data: bytes, **how: Any) -> bytes:
    """The same HDF5 objects in a file with other settings."""
    buffer = io.BytesIO()
    with h5py.File(io.BytesIO(data), "r") as source, h5py.File(buffer, "w", **how) as target:
        for name in source:
            source.copy(name, target)
        for name, value in source.attrs.items():
            target.attrs[name] = value
    return buffer.getvalue()


def _keras2(book: Book) -> None:
    tf_keras.utils.set_random_seed(5)
    layers = tf_keras.layers
    inputs = layers.Input((3,))
    ends = [layers.Dense(1)(inputs), layers.Dense(2)(layers.GaussianNoise(0.1)(inputs))]
    functional = tf_keras.Model(inputs, ends)
    trained = tf_keras.Sequential([layers.Dense(2, input_shape=(3,)), layers.ReLU()])
    trained.compile("adam", "mse")
    trained.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    for kind, model in (("functional", functional), ("trained", trained)):
        for suffix, finer in ((".h5", "keras-hdf5"), (".keras", "keras-zip")):
            book.add(
                f"keras2_{kind}{suffix}",
                "tensorflow",
                finer,
                KERAS2,
                saved(model, suffix),
                check=_tried2(suffix),
                how="tf_keras",
            )
    weights = saved(trained, ".weights.h5", "save_weights")
    note = "weights without a model"
    book.add("keras2.weights.h5", "keras-weights", "keras-weights-h5", KERAS2, weights, notes=note)
    weights = saved(functional, ".h5", "save_weights")
    book.add("keras2_weights.h5", "keras-weights", "keras-weights-h5", KERAS2, weights, notes=note)
    text = functional.to_json()
    book.add("keras2_config.json", "none", "keras-json", KERAS2, text, notes="no weights")


def _not_models(book: Book, models: dict[str, Any]) -> None:
    """Weights without a model, a model without weights, and HDF5 of others."""
    for kind in ("recurrent", "custom"):
        weights = saved(models[kind], ".weights.h5", "save_weights")
        book.add(f"{kind}.weights.h5", "keras-weights", "keras-weights-h5", KERAS, weights)
    weights = saved(models["dense"], ".weights.h5", "save_weights")
    book.add("weights_of_dense.keras", "keras-weights", "keras-weights-h5", KERAS, weights)
    with tempfile.TemporaryDirectory() as folder:
        models["two_ends"].save_weights(Path(folder, "w.weights.json"), max_shard_size=5e-8)
        for at, each in enumerate(sorted(Path(folder).iterdir())):
            finer = "keras-weights-json" if each.suffix == ".json" else "keras-weights-h5"
            name, note = f"shards_{at}{each.suffix}", "of weights in several files"
            book.add(name, "keras-weights", finer, KERAS, each.read_bytes(), notes=note)
    book.add("config.json", "none", "keras-json", KERAS, models["dense"].to_json())
    with zipfile.ZipFile(io.BytesIO(saved(models["dense"]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    alone = [(name, parts[name]) for name in ("metadata.json", "config.json")]
    book.add("no_weights.keras", "none", "zip", _AGAIN, zipped(list(alone)), notes="no weights")
    alone = [(name, parts[name]) for name in ("metadata.json", "model.weights.h5")]
    book.add("no_config.keras", "none", "zip", _AGAIN, zipped(list(alone)), notes="no model")
    nested = rezipped(saved(models["dense"]), rename=lambda name: f"model/{name}")
    note = "its members lie in a folder: Keras finds no config.json"
    book.add("in_a_folder.zip", "none", "zip", _AGAIN, nested, notes=note)

    def table(path: str) -> None:
        with h5py.File(path, "w") as file:
            file.create_group("X").attrs["encoding-type"] = "csr_matrix"
            file.attrs["encoding-type"] = "anndata"

    book.add("cells.h5ad", "none", "hdf5", HDF5, table)

    def lookalike(path: str) -> None:
        with h5py.File(path, "w") as file:
            file.attrs["keras_version"] = "2.4.0"
            file.attrs["layer_names"] = np.array([b"dense"])
            file.create_group("dense")["kernel:0"] = np.ones((2, 2))

    note = "by hand, as Keras 2.4 wrote weights: a keras_version, and no model_config"
    book.add("weights_2_4.h5", "keras-weights", "keras-weights-h5", HDF5, lookalike, notes=note)

    def matlab(path: str) -> None:
        with h5py.File(path, "w", userblock_size=512) as file:
            file["x"] = np.arange(4.0)
        with open(path, "r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8))
            stream.write(b"\x00\x02IM")

    book.add("matlab.mat", "none", "hdf5", f"{HDF5}, after MATLAB's 7.3 header", matlab)
    settings = json.dumps({"model_config": {"class_name": "Sequential"}, "keras_version": "3"})
    book.add("settings.keras", "none", "json", "by hand", settings)


def saved(model: Any, suffix: str = ".keras", method: str = "save") -> bytes:
    """The bytes that ``model.save`` writes to a path with this suffix."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model" + suffix)
        getattr(model, method)(path)
        return Path(path).read_bytes()


def _named(path: str, suffix: str | None, load: Callable[[str], Any]) -> Any:
    """Load under a name with the suffix, or a folder without one: Keras chooses its reader by it."""
    with tempfile.TemporaryDirectory() as folder:
        if suffix is None:
            return load(shutil.copytree(path, os.path.join(folder, "model")))
        return load(shutil.copy(path, os.path.join(folder, "model" + suffix)))


def _tried(kind: str, suffix: str | None) -> Callable[[str], Any]:
    def check(path: str) -> Any:
        own = {"Doubling": Doubling}
        # Keras 3 does not find the "mse" again that it wrote into an HDF5 file.
        how = {"custom_objects": own, "compile": suffix != ".h5"}
        model = _named(path, suffix, lambda name: keras.saving.load_model(name, **how))
        result = model(_GIVEN[kind]())
        finite({k: v.numpy() for k, v in result.items()} if isinstance(result, dict) else result)
        return model

    return check


def _tried2(suffix: str) -> Callable[[str], Any]:
    def check(path: str) -> Any:
        model = _named(path, suffix, tf_keras.models.load_model)
        result = model(np.array(_ROW))
        finite([each.numpy() for each in result] if isinstance(result, list) else result.numpy())
        return model

    return check
