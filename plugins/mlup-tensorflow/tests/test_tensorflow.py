"""The tensorflow binarizer: Keras models in every container, under every name, from every source."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlup
import mlup_tensorflow
from mlup.files import BUDGET, ModelPath

try:
    import tf_keras
except ImportError:  # not a dependency: it loads what Keras 3 refuses
    tf_keras = None

KERAS_3 = int(keras.__version__.partition(".")[0]) >= 3
only_keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 neither writes nor reads it")
only_with_tf_keras = pytest.mark.skipif(
    tf_keras is None or not KERAS_3, reason="tf_keras is not installed, or nothing is legacy here"
)
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:.*keras.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:.*keras.*"),
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

X = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
IMAGES = np.linspace(0, 1, 2 * 6 * 6, dtype="float32").reshape(2, 6, 6, 1)
WORDS = np.array([["red green"], ["blue unknown"]])
SETTINGS = settings(
    max_examples=80,
    deadline=5000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@keras.saving.register_keras_serializable("mlup_tests")
class Tiny(keras.Model):
    """A subclassed model: only an archive can hold it."""

    def __init__(self, units=3, **others):
        super().__init__(**others)
        self.units = units
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.built = True

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Scale(keras.layers.Layer):
    """Nobody registers it."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        self.built = True

    def call(self, inputs):
        return inputs * self.factor * 3.0


def squash(inputs):
    return tf.nn.tanh(inputs) * 2.0


def off_by(true, predicted):
    return tf.reduce_mean(tf.abs(true - predicted))


def sequential():
    layers = [keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)]
    return keras.Sequential(layers)


def functional():
    inputs = keras.Input((4,))
    left = keras.layers.Dense(3, activation="tanh")(inputs)
    right = keras.layers.Dense(3)(inputs)
    return keras.Model(inputs, keras.layers.Concatenate()([left, right]))


def subclassed():
    model = Tiny(2)
    model(X)
    return model


def convolutional():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(2, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def trained():
    model = sequential()
    model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())
    model.fit(X, np.ones((3, 2)), verbose=0)
    return model


def vocabulary():
    lookup = keras.layers.TextVectorization(vocabulary=["red", "green", "blue"])
    return keras.Sequential([keras.Input((1,), dtype="string"), lookup])


MODELS = {
    "sequential": (sequential, X),
    "functional": (functional, X),
    "subclassed": (subclassed, X),
    "convolutional": (convolutional, IMAGES),
    "trained": (trained, X),
    "vocabulary": (vocabulary, tf.constant(WORDS)),
}
NO_HDF5 = ("subclassed", "vocabulary")  # Keras writes neither to HDF5 and back
KINDS = [
    (name, suffix)
    for name in MODELS
    for suffix in (".keras", ".h5", ".hdf5")
    if suffix == ".keras" or name not in NO_HDF5
]
NAMES = (
    "model",
    "model.bin",
    "model.pt",
    "model.pkl",
    "model.onnx",
    "model.zip",
    "model.KERAS",
    "model.H5",
    "model.keras",
    "model.h5",
    "model.keras.backup",
    "saved_model.pb",
    ".h5",
    "mödel with blanks.txt",
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The path of a model that Keras has saved, by its name and suffix."""
    folder = tmp_path_factory.mktemp("saved")
    models = {}

    def path_of(name: str, suffix: str) -> Path:
        path = folder / f"{name}{suffix}"
        if not path.exists():
            keras.utils.set_random_seed(7)
            model = models.setdefault(name, None) or MODELS[name][0]()
            models[name] = model
            model.save(path)
        return path

    return path_of


def outputs(model, inputs=X):
    return np.asarray(model(inputs))


def score_of(source) -> float | None:
    """The claim of the tensorflow binarizer, if it makes one; no plugin may fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["tensorflow"])
    return detection.best and detection.best.score


def refused(source, **how) -> str:
    """The message of the one error that a load may end in."""
    with pytest.raises((mlup.ModelBinarizationError, mlup.UnsafeModelError)) as caught:
        mlup.load(source, "tensorflow", **how)
    unsafe = isinstance(caught.value, mlup.UnsafeModelError)
    assert unsafe or caught.value.__cause__ is not None
    return str(caught.value)


# -- what is its own ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "suffix"), KINDS)
def test_every_model_that_keras_saves_is_recognised_and_predicts_the_same(
    saved, tmp_path, name, suffix
):
    path = saved(name, suffix)
    bare = tmp_path / "model"
    shutil.copy(path, bare)

    assert score_of(path) == 0.99
    assert score_of(bare) == 0.95
    if suffix == ".keras":
        assert keras.__version__ in mlup.detect(bare).best.reason
    native = keras.saving.load_model(path)
    for each in (path, bare):
        model = mlup.load(each)
        assert type(model) is type(native)
        assert np.array_equal(
            outputs(model, MODELS[name][1]), outputs(native, MODELS[name][1]), equal_nan=True
        )


def test_a_trained_model_comes_back_with_its_optimizer(saved):
    model = mlup.load(saved("trained", ".keras"))
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert int(model.optimizer.iterations) == 1
    model.fit(X, np.ones((3, 2)), verbose=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_content_decides_whatever_the_name_says(saved, tmp_path, suffix, name):
    path = tmp_path / name
    shutil.copy(saved("sequential", suffix), path)
    named = name.lower().endswith((".keras", ".h5"))
    assert score_of(path) == (0.99 if named else 0.95)
    expected = outputs(keras.saving.load_model(saved("sequential", suffix)))
    assert np.array_equal(outputs(mlup.load(path)), expected)


def test_a_file_is_linked_not_copied_and_left_as_it_is(saved, tmp_path, monkeypatch):
    path = tmp_path / "model.bin"
    shutil.copy(saved("sequential", ".keras"), path)
    before = path.stat()

    def copying(*_):
        raise AssertionError("a file on disk was copied")

    monkeypatch.setattr(shutil, "copyfileobj", copying)
    mlup.load(path)
    monkeypatch.chdir(tmp_path)
    mlup.load("model.bin")
    after = path.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_every_kind_of_source_loads(saved, tmp_path, suffix):
    original = saved("sequential", suffix)
    data = original.read_bytes()
    expected = outputs(keras.saving.load_model(original))
    path = tmp_path / "model"
    path.write_bytes(data)
    (tmp_path / "offset").write_bytes(b"in front" + data)

    behind = io.BytesIO(b"in front" + data)
    behind.seek(8)
    with (
        open(path, "rb") as file,
        open(path, "rb", buffering=0) as raw,
        open(tmp_path / "offset", "rb") as at_offset,
        tempfile.SpooledTemporaryFile() as spooled,
    ):
        at_offset.seek(8)
        spooled.write(data)
        spooled.seek(0)
        for source in (
            str(path),
            path,
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            behind,
            file,
            raw,
            at_offset,
            spooled,
            mlup.LoadedFile(raw_data=data),
            mlup.LoadedFile(raw_data=io.BytesIO(data)),
            mlup.LoadedFile(path=str(path)),
            mlup.LoadedFile(raw_data=data, path="elsewhere.pkl"),
        ):
            assert score_of(source) == 0.95
            assert np.array_equal(outputs(mlup.load(source)), expected)
        assert not file.closed


def test_score_takes_plain_paths(saved, tmp_path):
    for path in (saved("sequential", ".keras"), saved("sequential", ".h5")):
        data = path.read_bytes()
        for each in (path, str(path)):
            assert mlup_tensorflow.score(each, data[:100], data[-100:]) == 0.99
    assert mlup_tensorflow.score(tmp_path, b"", b"") is None
    assert mlup_tensorflow.score(str(tmp_path), b"", b"") is None


# -- containers ---------------------------------------------------------------------------------


def rezip(
    path: Path, to: Path, *, rename=lambda name: name, method=zipfile.ZIP_STORED, comment=b""
):
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", method) as new:
        new.comment = comment
        for name in old.namelist():
            if rename(name):
                new.writestr(rename(name), old.read(name))
    return to


def test_an_archive_that_another_program_packed_loads(saved, tmp_path):
    path = saved("sequential", ".keras")
    expected = outputs(keras.saving.load_model(path))
    packed = [
        rezip(path, tmp_path / "deflated", method=zipfile.ZIP_DEFLATED),
        rezip(path, tmp_path / "commented", comment=b"c" * 500),
    ]
    order = ("model.weights.h5", "config.json", "metadata.json")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "reversed", "w") as new:
        for name in order:
            new.writestr(name, old.read(name))
        new.writestr("notes/readme.txt", "nothing of Keras's")
    for each in (*packed, tmp_path / "reversed"):
        assert score_of(each) == 0.95
        assert np.array_equal(outputs(mlup.load(each)), expected)


@only_keras_3
def test_the_folder_that_an_archive_unpacks_to_loads_under_every_name(saved, tmp_path):
    native = keras.saving.load_model(saved("sequential", ".keras"))
    native.save(tmp_path / "model", zipped=False)
    words = keras.saving.load_model(saved("vocabulary", ".keras"))
    words.save(tmp_path / "words", zipped=False)

    assert score_of(tmp_path / "model") == 0.95
    for name in ("x.keras", "x.h5", "x.KERAS", "x.pb", "x"):
        shutil.copytree(tmp_path / "model", tmp_path / name, dirs_exist_ok=True)
        assert score_of(tmp_path / name) in (0.95, 0.99)
        for each in (tmp_path / name, f"{tmp_path / name}{os.sep}"):
            assert np.array_equal(outputs(mlup.load(each)), outputs(native))
        shutil.rmtree(tmp_path / name)
    strings = tf.constant(WORDS)
    loaded = mlup.load(tmp_path / "words")
    assert np.array_equal(outputs(loaded, strings), outputs(words, strings))


@pytest.mark.parametrize("block", [512, 1024, 4096])
def test_hdf5_behind_a_user_block_loads(saved, tmp_path, block):
    path = tmp_path / "model"
    with (
        h5py.File(saved("sequential", ".h5"), "r") as old,
        h5py.File(path, "w", userblock_size=block) as new,
    ):
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
    assert score_of(path) == 0.95
    expected = outputs(keras.saving.load_model(saved("sequential", ".h5")))
    assert np.array_equal(outputs(mlup.load(path)), expected)


@pytest.mark.parametrize("how", [{"libver": "latest"}, {"track_order": True}, {"libver": "v108"}])
@pytest.mark.parametrize("extra", [0, 20])
def test_hdf5_of_every_layout_loads(saved, tmp_path, how, extra):
    path = tmp_path / "model.h5"
    with h5py.File(saved("trained", ".h5"), "r") as old, h5py.File(path, "w", **how) as new:
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
        for number in range(extra):
            new.attrs[f"note {number}"] = "written by the user"
            new.create_group(f"group {number}")
    assert score_of(path) >= 0.8
    expected = outputs(keras.saving.load_model(path))
    assert np.array_equal(outputs(mlup.load(path)), expected)


# -- what is not its own ------------------------------------------------------------------------


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return path


def test_archives_of_others_are_not_claimed(saved, tmp_path):
    path = saved("sequential", ".keras")
    for each in (
        zipped(tmp_path / "a.keras", readme_txt="hello"),
        zipped(tmp_path / "b.keras", config_json="{}", metadata_json='{"keras_version": "3.0"}'),
        zipped(tmp_path / "c.keras", archive__data_pkl="\x80\x02.", archive__version="3"),
        rezip(path, tmp_path / "d.keras", rename=lambda name: f"model/{name}"),
        rezip(path, tmp_path / "e.keras", rename=lambda name: name.replace("config", "konfig")),
        rezip(path, tmp_path / "f.keras", rename=lambda name: "" if "weights" in name else name),
    ):
        assert score_of(each) is None


def test_hdf5_of_others_is_not_claimed(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["model_weights/dense"] = np.arange(5)
        file.attrs["keras"] = "no"
    assert score_of(path) is None
    with h5py.File(path, "w", libver="latest") as file:
        file["values"] = np.arange(5)
        for number in range(30):
            file.attrs[f"note {number}"] = number
    assert score_of(path) is None


def test_weights_alone_are_no_model_and_the_error_says_so(saved, tmp_path):
    model = keras.saving.load_model(saved("sequential", ".keras"))
    model.save_weights(tmp_path / "model.weights.h5")
    assert score_of(tmp_path / "model.weights.h5") is None
    assert "load_weights()" in refused(tmp_path / "model.weights.h5")


@only_keras_3
def test_weights_in_shards_are_no_model(saved, tmp_path):
    model = keras.saving.load_model(saved("sequential", ".keras"))
    shards = tmp_path / "shards"
    shards.mkdir()
    model.save_weights(shards / "model.weights.json", max_shard_size=0.00000005)
    assert sum(name.endswith(".h5") for name in os.listdir(shards)) > 1
    (shards / "config.json").write_text(model.to_json())
    (shards / "metadata.json").write_text(json.dumps({"keras_version": keras.__version__}))
    for each in (shards, *shards.iterdir()):
        assert score_of(each) is None
    assert "holds no weights" in refused(shards)


def test_folders_of_others_are_not_claimed(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    (tmp_path / "metadata.json").write_text('{"size": 12}')
    (tmp_path / "model.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert score_of(tmp_path) is None
    (tmp_path / "metadata.json").unlink()
    assert score_of(tmp_path) is None
    (tmp_path / "metadata.json").mkdir()
    assert score_of(tmp_path) is None
    assert score_of(tmp_path / "metadata.json") is None


@only_keras_3
@pytest.mark.parametrize("library", ["keras_hub", "keras_nlp"])
def test_a_preset_of_keras_hub_is_not_claimed(saved, tmp_path, library):
    folder = tmp_path / "preset"
    keras.saving.load_model(saved("sequential", ".keras")).save(folder, zipped=False)
    assert score_of(folder) == 0.95
    about = {"keras_version": keras.__version__, f"{library}_version": "0.18", "tasks": []}
    (folder / "metadata.json").write_text(json.dumps(about, indent=4))
    layer = {"module": f"{library}.models", "class_name": "Bert", "config": {}}
    layer["registered_name"] = f"{library}>Bert"
    (folder / "config.json").write_text(json.dumps(layer))
    assert score_of(folder) is None
    assert "from_preset()" in refused(folder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(18),
        b"\x89HDF\r\n\x1a\n",
        b"\x89HDF\r\n\x1a\n" + bytes(2000),
        bytes(5000),
        b"\x80\x04N.",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
)
def test_other_bytes_are_not_claimed_and_asking_for_it_is_an_error(tmp_path, data):
    for name in ("m.keras", "m.h5", "m"):
        (tmp_path / name).write_bytes(data)
        assert score_of(tmp_path / name) is None
        message = refused(tmp_path / name)
        assert message.startswith(f"{tmp_path / name} was not loaded by tensorflow: ")


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_compile_false_leaves_the_optimizer_aside(saved, suffix):
    model = mlup.load(saved("trained", suffix), options={"compile": False})
    assert getattr(model, "optimizer", None) is None
    assert mlup.load(saved("trained", suffix), options={"compile": True}).optimizer is not None


@pytest.mark.parametrize(
    "options",
    [
        {"compile": "no"},
        {"compile": None},
        {"compile": 1},
        {"custom_objects": [Scale]},
        {"custom_objects": {Scale: "Scale"}},
        {"custom_objects": "Scale"},
        {"safe_mode": False},
    ],
)
def test_options_are_checked(saved, options):
    with pytest.raises(mlup.OptionError):
        mlup.load(saved("sequential", ".keras"), options=options)


def test_no_custom_objects_may_be_said_as_none(saved):
    assert mlup.load(saved("sequential", ".keras"), options={"custom_objects": None})


CUSTOM = {
    "a class": (lambda: [keras.Input((4,)), Scale()], {"Scale": Scale}),
    "a function": (lambda: [keras.Input((4,)), keras.layers.Dense(2, squash)], {"squash": squash}),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("what", CUSTOM)
def test_what_keras_does_not_know_is_named_and_can_be_given(tmp_path, what, suffix):
    layers, objects = CUSTOM[what]
    keras.Sequential(layers()).save(tmp_path / f"model{suffix}")
    path = (tmp_path / f"model{suffix}").rename(tmp_path / "model")

    message = refused(path)
    (name,) = objects
    assert name in message
    advice = re.search(r"options=(\{.*\}\})", message)[1]
    if suffix == ".h5" and what == "a function" and not KERAS_3:
        return  # Keras 2 has lost its name
    model = mlup.load(path, options=eval(advice, dict(objects)))

    shutil.copy(path, tmp_path / f"native{suffix}")
    native = keras.saving.load_model(tmp_path / f"native{suffix}", custom_objects=objects)
    assert np.array_equal(outputs(model), outputs(native))


@only_keras_3
def test_a_class_that_was_registered_elsewhere_is_asked_for_under_its_registered_name(tmp_path):
    @keras.saving.register_keras_serializable("mlup_elsewhere")
    class Elsewhere(Scale):
        pass

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4,)), Elsewhere()]).save(path)
    known = keras.saving.get_custom_objects()
    del known["mlup_elsewhere>Elsewhere"]
    message = refused(path)
    advice = re.search(r"options=(\{.*\}\})", message)[1]
    assert advice == '{"custom_objects": {"mlup_elsewhere>Elsewhere": Elsewhere}}'
    assert mlup.load(path, options=eval(advice, {"Elsewhere": Elsewhere}))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_loss_of_ones_own_is_asked_for_or_left_aside(tmp_path, suffix):
    model = sequential()
    model.compile("sgd", off_by)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    assert re.search(r"off_by|\"compile\": False", refused(path))
    assert mlup.load(path, options={"compile": False})
    assert mlup.load(path, options={"custom_objects": {"off_by": off_by}}).loss is off_by


@pytest.mark.parametrize(
    "loss", ["mse", "MAE", "mean_squared_error", {"left": "mse", "right": "kld"}, ["mse", "mape"]]
)
def test_losses_under_short_names_are_found_in_hdf5(tmp_path, loss):
    """Keras 3 does not find them; Keras 2 does."""
    inputs = keras.Input((4,))
    names = ["left"] if isinstance(loss, str) else ["left", "right"]
    model = keras.Model(inputs, [keras.layers.Dense(2, name=name)(inputs) for name in names])
    model.compile("sgd", loss, metrics=None)
    path = tmp_path / "model.h5"
    model.save(path)
    loaded = mlup.load(path)
    targets = [np.full((3, 2), 0.5)] * len(names)
    targets = targets[0] if isinstance(loss, str) else targets
    expected = model.evaluate(X, targets, verbose=0)
    assert np.allclose(loaded.evaluate(X, targets, verbose=0), expected)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_way_without_compilation_is_named_with_what_is_unknown(tmp_path, suffix):
    model = sequential()
    model.compile("sgd", off_by)
    model.save(tmp_path / f"model{suffix}")
    message = refused(tmp_path / f"model{suffix}")
    assert "'off_by'" in message
    assert 'options={"custom_objects": {"off_by": off_by}}' in message
    assert 'or load it without: options={"compile": False}' in message


def test_a_layer_is_not_to_be_left_out_of_the_compilation(tmp_path):
    for suffix in (".keras", ".h5"):
        keras.Sequential([keras.Input((4,)), Scale()]).save(tmp_path / f"model{suffix}")
        assert "compile" not in refused(tmp_path / f"model{suffix}")


class Penalty(keras.losses.Loss):
    def call(self, true, predicted):
        return tf.reduce_mean(tf.abs(true - predicted), axis=-1)


class Descent(keras.optimizers.SGD):
    pass


@only_keras_3
def test_all_that_hdf5_was_compiled_with_is_named_at_once(tmp_path):
    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(2, name=name)(inputs) for name in ("left", "right")]
    model = keras.Model(inputs, outputs)
    model.compile(
        Descent(), {"left": Penalty(), "right": "mse"}, metrics={"left": ["acc", off_by, "mae"]}
    )
    path = tmp_path / "model.h5"
    model.save(path)
    message = refused(path)
    assert "'Penalty'" in message
    objects = {"Penalty": Penalty, "off_by": off_by, "Descent": Descent}
    advice = re.search(r"options=(\{.*\}\})", message)[1]
    loaded = mlup.load(path, options=eval(advice, dict(objects)))
    assert isinstance(loaded.optimizer, Descent)
    del objects["Descent"]
    message = refused(path, options={"custom_objects": objects})
    assert 'options={"custom_objects": {"Descent": Descent}}' in message
    assert mlup.load(path, options={"compile": False})


@only_keras_3
def test_operations_in_hdf5_are_not_asked_for_as_classes_of_ones_own(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.ops.sin(inputs))
    model.save(tmp_path / "model.h5")
    message = refused(tmp_path / "model.h5")
    assert "the operation 'Sin'" in message
    assert message.endswith("save the model as .keras")
    model.save(tmp_path / "model.keras")
    assert np.array_equal(outputs(mlup.load(tmp_path / "model.keras")), outputs(model))

    class Sin(Scale):
        """A layer with the name of an operation."""

    keras.Sequential([keras.Input((4,)), Sin()]).save(tmp_path / "model.h5")
    assert 'options={"custom_objects": {"Sin": Sin}}' in refused(tmp_path / "model.h5")
    assert mlup.load(tmp_path / "model.h5", options={"custom_objects": {"Sin": Sin}})


class Needs(keras.layers.Layer):
    """It does not say in its configuration what it needs."""

    def __init__(self, factor, **others):
        super().__init__(**others)
        self.factor = factor

    def get_config(self):
        config = super().get_config()
        config.pop("factor", None)
        return config

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_error_over_a_large_model_is_the_line_that_tells(tmp_path, suffix):
    layers = [keras.layers.Dense(2) for _ in range(40)]
    path = tmp_path / f"model{suffix}"
    keras.Sequential([keras.Input((2,)), *layers, Needs(3)]).save(path)
    message = refused(path, options={"custom_objects": {"Needs": Needs}})
    assert len(message) < len(str(path)) + 400
    assert "\n" not in message
    if KERAS_3:
        assert "missing 1 required positional argument: 'factor'" in message


HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "Line\nbreak",
    'X": __import__("os")}}, "a": {"b',
    "evil>\x1b[31m",
    "x" * 5000,
]


@only_keras_3
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_in_a_file_are_quoted_and_never_offered_to_be_typed(tmp_path, suffix, name):
    path = tmp_path / f"model{suffix}"
    sequential().save(path)

    def plant(config):
        layer = config["config"]["layers"][-1]
        layer.update(class_name=name, registered_name=name, module=None)
        return config

    message = refused(rewritten(path, plant)).replace("\n", " ")
    assert message.isprintable()
    assert len(message) < len(str(path)) + 1000
    assert '{"custom_objects"' not in message


@only_keras_3
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_file_was_compiled_with_is_quoted_too(tmp_path, name):
    path = tmp_path / "model.h5"
    model = sequential()
    model.compile("sgd", off_by)
    model.save(path)
    with h5py.File(path, "a") as file:
        training = json.loads(file.attrs["training_config"])
        file.attrs["training_config"] = json.dumps({**training, "loss": name})
    message = refused(path)
    assert message.endswith('options={"compile": False}')
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = f"99.{name}"
    for each in (message, refused(path)):
        assert each.isprintable()
        assert len(each) < len(str(path)) + 1000
        assert '{"custom_objects"' not in each


def with_lambda():
    inputs = keras.Input((4,))
    doubled = keras.layers.Lambda(lambda values: values * 2.0, output_shape=(4,))(inputs)
    return keras.Model(inputs, doubled)


@pytest.mark.parametrize("suffix", [".keras", pytest.param(".h5", marks=only_keras_3)])
def test_a_lambda_is_code_and_stays_refused(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    with_lambda().save(path)
    assert score_of(path) == 0.99
    message = refused(path)
    assert "lambda, which is code" in message
    assert "tf_keras" not in message


# -- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_truncated_file_is_not_claimed_and_does_not_load(saved, tmp_path, suffix):
    data = saved("trained", suffix).read_bytes()
    path = tmp_path / f"model{suffix}"
    for part in (0.01, 0.3, 0.6, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * part)])
        assert score_of(path) is None
        assert "cut off" in refused(path)


def test_what_is_missing_is_named(saved, tmp_path):
    path = saved("sequential", ".keras")
    bare = rezip(path, tmp_path / "a", rename=lambda name: "" if "weights" in name else name)
    assert "model.weights.h5" in refused(bare)
    bare = rezip(path, tmp_path / "b", rename=lambda name: "" if "config" in name else name)
    assert "config.json" in refused(bare)
    with (
        h5py.File(saved("sequential", ".h5"), "r") as old,
        h5py.File(tmp_path / "c", "w") as new,
    ):
        new.attrs.update(old.attrs)
    assert score_of(tmp_path / "c") == 0.95
    assert "model_weights" in refused(tmp_path / "c")
    assert "config.json" in refused(tmp_path)


def test_weights_of_other_shapes_are_an_error(saved, tmp_path):
    path = tmp_path / "model.h5"
    shutil.copy(saved("sequential", ".h5"), path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["units"] = 5
        file.attrs["model_config"] = json.dumps(config)
    assert "shape" in refused(path).lower()


def test_a_file_of_a_later_keras_says_so(saved, tmp_path):
    path = tmp_path / "model.h5"
    shutil.copy(saved("sequential", ".h5"), path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["of_the_future"] = True
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "9.8.7"
    message = refused(path)
    assert "saved by Keras 9.8.7" in message
    assert f"this is Keras {keras.__version__}" in message
    assert "pip install -U" in message


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_flipped_bytes_end_in_a_model_or_in_one_kind_of_error(saved, tmp_path, suffix):
    data = saved("sequential", suffix).read_bytes()
    path = tmp_path / "model"
    for at in range(0, len(data), len(data) // 40):
        changed = bytearray(data)
        changed[at : at + 4] = b"\xff\x00\xff\x7f"
        path.write_bytes(changed)
        score_of(path)
        with contextlib.suppress(mlup.ModelBinarizationError, mlup.UnsafeModelError):
            mlup.load(path, "tensorflow")
    gc.collect()  # a file that was not closed warns here, and a warning is an error


# -- Keras 2 ------------------------------------------------------------------------------------


def legacy_functional():
    inputs = tf_keras.Input((4,))
    hidden = tf_keras.layers.Dense(3, activation="relu")(inputs * 2.0)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2)(hidden))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def legacy_recurrent():
    layers = tf_keras.layers
    recurrent = layers.Bidirectional(layers.LSTM(2))
    return tf_keras.Sequential([tf_keras.Input((4, 1)), recurrent, layers.Dense(1)])


LEGACY = {
    "functional": (legacy_functional, X),
    "recurrent": (legacy_recurrent, X.reshape(3, 4, 1)),
}


@only_with_tf_keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["functional", "recurrent"])
def test_a_file_of_keras_2_that_keras_3_refuses_loads_through_tf_keras(tmp_path, name, suffix):
    make, inputs = LEGACY[name]
    make().save(tmp_path / f"native{suffix}")
    path = tmp_path / "model"
    shutil.copy(tmp_path / f"native{suffix}", path)
    with pytest.raises((TypeError, ValueError)):
        keras.saving.load_model(tmp_path / f"native{suffix}")

    assert score_of(path) == 0.95
    model = mlup.load(path)
    assert isinstance(model, tf_keras.Model)
    native = tf_keras.saving.load_model(tmp_path / f"native{suffix}")
    assert np.array_equal(outputs(model, inputs), outputs(native, inputs))
    assert mlup.load(path.read_bytes(), options={"compile": False}).optimizer is None


@only_with_tf_keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_without_tf_keras_the_error_says_what_to_install(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"model{suffix}"
    legacy_recurrent().save(path)
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    message = refused(path)
    assert "pip install tf_keras" in message
    assert f"saved by Keras {tf_keras.__version__}" in message
    assert keras.__version__ in message


@only_with_tf_keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_class_of_keras_2_can_be_given(tmp_path, suffix):
    class Old(tf_keras.layers.Layer):
        def call(self, inputs):
            return inputs * 3.0

    path = tmp_path / f"model{suffix}"
    tf_keras.Sequential([tf_keras.Input((4,)), Old()]).save(path)
    message = refused(path)
    assert '{"custom_objects": {"Old": Old}}' in message
    model = mlup.load(path, options={"custom_objects": {"Old": Old}})
    assert np.array_equal(outputs(model), X * 3.0)


@only_with_tf_keras
def test_hdf5_that_does_not_say_its_version_is_tried_with_tf_keras(tmp_path):
    path = tmp_path / "model.h5"
    legacy_recurrent().save(path)
    with h5py.File(path, "a") as file:
        del file.attrs["keras_version"]
    assert isinstance(mlup.load(path), tf_keras.Model)


def rewritten(path: Path, change) -> Path:
    """The same file with another configuration, which still claims to be of Keras 2."""
    if path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = json.dumps(change(json.loads(file.attrs["model_config"])))
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = json.dumps(change(json.loads(members["config.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def legacy_lambda(marker):
    def create(values, at=str(marker)):
        open(at, "w").close()
        return values

    return tf_keras.layers.Lambda(create)


def legacy_wrapper(marker):
    from tf_keras.src.layers.rnn.cell_wrappers import ResidualWrapper

    def create(values, results, at=str(marker)):
        open(at, "w").close()
        return results

    return tf_keras.layers.RNN(ResidualWrapper(tf_keras.layers.LSTMCell(1), residual_fn=create))


@only_with_tf_keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("make", [legacy_lambda, legacy_wrapper])
def test_bytecode_in_a_file_of_keras_2_is_never_run(tmp_path, make, suffix):
    marker = tmp_path / "ran"
    path = tmp_path / f"model{suffix}"
    tf_keras.Sequential([tf_keras.Input((4, 1)), make(marker)]).save(path)
    marker.unlink()
    assert "lambda, which is code" in refused(path)
    assert not marker.exists()
    if suffix == ".h5":  # where tf_keras has no safe mode: left to itself it runs it
        tf_keras.saving.load_model(path)
        assert marker.exists()


def function_of(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def layer_of(module, name):
    return {"module": module, "class_name": name, "config": {}, "registered_name": name}


@only_with_tf_keras
@pytest.mark.parametrize(
    "planted",
    [
        function_of("os", "system"),
        function_of("builtins", "exec"),
        function_of("keras.utils", "get_file"),
        function_of("tf_keras.src.utils.data_utils", "get_file"),
        function_of("keras.layers", "_sys.exit"),
        function_of("keras.src.engine.training", "np.load"),
        layer_of("subprocess", "Popen"),
        layer_of("keras.src.utils.generic_utils", "func_load"),
        layer_of("keras.layers.experimental/../..", "Dense"),
        {"module": "os", "class_name": "__typespec__", "spec_name": "system", "config": []},
        {"class_name": "__lambda__", "config": {"value": ["", None, None]}},
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "io.write_file"}},
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "keras.utils.get_file"}},
    ],
    ids=lambda planted: f"{planted.get('module')}-{planted.get('class_name')}",
)
def test_tf_keras_never_sees_what_would_import_or_run_something_else(
    tmp_path, monkeypatch, planted
):
    path = tmp_path / "model.keras"
    legacy_recurrent().save(path)

    def plant(config):
        config["config"]["layers"][-1]["config"]["activation"] = planted
        return config

    asked = []
    monkeypatch.setattr(tf_keras.saving, "load_model", lambda *a, **k: asked.append(a))
    message = refused(rewritten(path, plant))
    assert asked == []
    assert "(tensorflow) was not loaded: it " in message


@only_with_tf_keras
@pytest.mark.parametrize(
    "planted",
    [
        layer_of("os\x1b[31m", "system"),
        layer_of("os", "\x1b[31m"),
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "\x1b[31m"}},
    ],
    ids=["module", "class", "operation"],
)
def test_what_tf_keras_is_not_asked_for_is_quoted(tmp_path, planted):
    path = tmp_path / "model.keras"
    legacy_recurrent().save(path)

    def plant(config):
        config["config"]["layers"][-1]["config"]["activation"] = planted
        return config

    message = refused(rewritten(path, plant))
    assert message.replace("\n", "").isprintable()


# -- detection ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_what_a_detection_reads_does_not_grow_with_the_weights(tmp_path, suffix):
    read = []
    for units in (64, 512):
        path = tmp_path / f"model{units}{suffix}"
        keras.Sequential([keras.Input((64,)), keras.layers.Dense(units)]).save(path)
        with ModelPath.of(path) as opened:
            assert mlup_tensorflow.score(opened, opened.head, opened.tail) == 0.99
            assert not opened.overdrawn
            read.append(BUDGET - opened.left)
    assert abs(read[1] - read[0]) < 100
    assert read[1] < 20_000


def test_detection_imports_no_framework(saved):
    program = (
        "import sys, mlup\n"
        "for path in sys.argv[1:]:\n"
        "    assert mlup.detect(path).best.binarizer == 'tensorflow'\n"
        "print(*sorted({'tensorflow', 'keras', 'tf_keras', 'h5py', 'numpy'} & set(sys.modules)))"
    )
    paths = [saved("sequential", ".keras"), saved("sequential", ".h5")]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "tensorflow")
    assert (info.distribution, info.status, info.problem) == ("mlup-tensorflow", "ok", None)
    assert info.version == mlup_tensorflow.__version__
    assert info.extensions == (".keras", ".h5", ".hdf5")
    assert (info.options, info.requires) == (("compile", "custom_objects"), ("tensorflow",))
    assert "Keras" in info.description


def test_every_name_the_predecessor_had_for_it_loads(saved):
    path = saved("sequential", ".h5")
    expected = outputs(keras.saving.load_model(path))
    for name in (
        "tensorflow",
        "mlup-tensorflow:tensorflow",
        mlup.BinarizationType.TENSORFLOW,
        "mlup.ml.binarization.tensorflow.TensorFlowBinarizer",
    ):
        assert np.array_equal(outputs(mlup.load(path, name)), expected)


# -- properties ---------------------------------------------------------------------------------

PLACES = st.one_of(st.integers(0, 3000), st.integers(0, 1 << 16), st.integers(-300, -1))


@SETTINGS
@given(suffix=st.sampled_from([".keras", ".h5"]), at=PLACES)
def test_truncations_never_make_detection_raise_and_are_never_claimed(saved, suffix, at):
    data = saved("sequential", suffix).read_bytes()
    assert score_of(data[:at]) in ([0.95] if at >= len(data) else [None])


@SETTINGS
@given(
    suffix=st.sampled_from([".keras", ".h5"]),
    changes=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5),
    insert=st.booleans(),
)
def test_flipped_and_inserted_bytes_never_make_detection_raise(saved, suffix, changes, insert):
    data = bytearray(saved("sequential", suffix).read_bytes())
    for place, new in changes:
        at = place % len(data)
        data[at : at if insert else at + len(new)] = new
    score_of(bytes(data))


@SETTINGS
@given(
    magic=st.sampled_from([b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", bytes(512) + b"\x89HDF\r\n\x1a\n"]),
    version=st.sampled_from([b"", b"\x00", b"\x01", b"\x02", b"\x03"]),
    rest=st.binary(max_size=600),
)
def test_random_bytes_behind_every_magic_never_make_detection_raise(magic, version, rest):
    score_of(magic + version + rest)
    score_of(magic + version + b"\x00\x00\x00\x00\x08\x08\x00" + rest)


@SETTINGS
@given(
    members=st.dictionaries(
        st.sampled_from(["config.json", "metadata.json", "model.weights.h5"])
        | st.text("abc./_é", min_size=1, max_size=12),
        st.binary(max_size=60),
        max_size=6,
    ),
    comment=st.binary(max_size=150),
)
def test_any_archive_is_claimed_by_its_members_alone(members, comment):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        archive.comment = comment
    whole = {"config.json", "model.weights.h5"} <= set(members)
    assert score_of(stream.getvalue()) == (0.95 if whole else None)
