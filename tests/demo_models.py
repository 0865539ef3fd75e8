"""The models of the demo: trained by their own frameworks, saved under names that mislead.

A framework is imported in the function that needs it; ``nox -s demo`` has scikit-learn, LightGBM
and ONNX, ``nox -s demo -- all`` PyTorch and TensorFlow too.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

IRIS = load_iris()
FLOATS = IRIS.data.astype(np.float32)


class Saved(NamedTuple):
    """A model on disk.

    Attributes:
        name: its file or folder.
        kind: what it is.
        how: what saved it.
        expected: the predictions of the model in memory.
        predict: the same predictions, of the model that was loaded.
    """

    name: str
    kind: str
    how: str
    expected: Any
    predict: Callable[[Any], Any]


def scikit_learn() -> Iterator[Saved]:
    """Seven files: pickles and joblib dumps."""
    import joblib

    diabetes = load_diabetes()
    logistic = LogisticRegression(max_iter=500).fit(IRIS.data, IRIS.target)
    forest = RandomForestClassifier(30, random_state=0).fit(IRIS.data, IRIS.target)
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(diabetes.data, diabetes.target)
    pickled = {
        "notes.txt": (logistic, IRIS.data, 0),
        "weights.h5": (pipeline, diabetes.data, 2),
        "model": (forest, IRIS.data, 5),
    }
    for name, (model, data, protocol) in pickled.items():
        Path(name).write_bytes(pickle.dumps(model, protocol))
        yield _predicting(name, model, f"pickle, protocol {protocol}", data)
    dumped: dict[str, tuple[Any, Any, Any]] = {
        "classifier.pkl": (forest, IRIS.data, 0),
        "network.onnx": (logistic, IRIS.data, 0),
        "model.v2.final": (pipeline, diabetes.data, 3),
        "export.pb": (forest, IRIS.data, ("xz", 3)),
    }
    for name, (model, data, compress) in dumped.items():
        joblib.dump(model, name, compress=compress)
        how = "raw" if not compress else "xz" if name == "export.pb" else "zlib"
        yield _predicting(name, model, f"joblib, {how}", data)


def lightgbm() -> Iterator[Saved]:
    """A text model under a name of pickle's."""
    import lightgbm as lgb

    settings = {"objective": "multiclass", "num_class": 3, "verbosity": -1}
    model = lgb.train(settings, lgb.Dataset(IRIS.data, IRIS.target), 20)
    model.save_model("booster.pkl")
    yield _predicting("booster.pkl", model, "lightgbm, text", IRIS.data)


def onnx() -> Iterator[Saved]:
    """A scikit-learn model converted to ONNX, under a name of PyTorch's."""
    from skl2onnx import to_onnx

    model = LogisticRegression(max_iter=500).fit(FLOATS, IRIS.target)
    Path("frozen.pt").write_bytes(to_onnx(model, FLOATS[:1]).SerializeToString())
    yield _predicting("frozen.pt", model, "skl2onnx", FLOATS)


def torch() -> Iterator[Saved]:
    """A module, its state dict, and TorchScript."""
    import torch as pt

    pt.manual_seed(0)
    model = pt.nn.Sequential(pt.nn.Linear(4, 8), pt.nn.ReLU(), pt.nn.Dropout(), pt.nn.Linear(8, 3))
    data = pt.from_numpy(FLOATS)
    with pt.no_grad():
        expected = model.eval()(data).numpy()

    def call(loaded: Any) -> Any:
        with pt.no_grad():
            return loaded(data).numpy()

    def fill(loaded: Any) -> Any:
        model.load_state_dict(loaded)
        return call(model)

    pt.save(model, "module.joblib")
    yield Saved("module.joblib", "Sequential", "torch.save", expected, call)
    pt.save(model.state_dict(), "best", _use_new_zipfile_serialization=False)
    yield Saved("best", "state dict", "torch.save, legacy", expected, fill)
    pt.jit.trace(model, data).save("scripted.zip")
    yield Saved("scripted.zip", "TorchScript", "torch.jit", expected, call)


def tensorflow() -> Iterator[Saved]:
    """A Keras model as zip and as HDF5, and a SavedModel."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.layers.Input((4,)), *layers])
    expected = model.predict(FLOATS, verbose=0)

    def predict(loaded: Any) -> Any:
        return loaded.predict(FLOATS, verbose=0)

    model.save("temporary.keras")
    Path("temporary.keras").rename("keras.pt")
    yield Saved("keras.pt", "Keras model", "keras, zip", expected, predict)
    model.save("temporary.h5")
    Path("temporary.h5").rename("keras")
    yield Saved("keras", "Keras model", "keras, HDF5", expected, predict)
    model.export("served", verbose=False)
    served = Saved("served", "SavedModel", "keras export", expected, lambda m: m.serve(FLOATS))
    yield served


def _predicting(name: str, model: Any, how: str, data: Any) -> Saved:
    def predict(loaded: Any) -> Any:
        return loaded.predict(data)

    return Saved(name, type(model).__name__, how, predict(model), predict)


LIGHT = (scikit_learn, lightgbm, onnx)
ALL = (*LIGHT, torch, tensorflow)
