"""The models of the load benchmark: how each is written, and its framework's own call to load it.

``size`` is in megabytes, roughly. Frameworks are imported inside the functions: each runs in a
process of its own.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """One kind of file.

    Attributes:
        write: makes a model of so many megabytes and saves it.
        native: the call a user would write without mlup.
        megabytes: how large the measured file is.
        suffix: the extension, where the native call insists on one.
    """

    write: Callable[[str, float], Any]
    native: Callable[[str], Any]
    megabytes: int
    suffix: str = ""


def _numbers(megabytes: float, bytes_each: int = 8) -> Any:
    import numpy as np

    return np.random.default_rng(0).random(max(64, int(megabytes * 1e6) // bytes_each))


def _dump(model: object, path: str) -> None:
    with open(path, "wb") as file:
        pickle.dump(model, file, 5)


def write_pickle(path: str, megabytes: float) -> None:
    """Arrays, in a pickle."""
    numbers = _numbers(megabytes)
    _dump({"first": numbers[: len(numbers) // 2], "second": numbers[len(numbers) // 2 :]}, path)


def write_objects(path: str, megabytes: float) -> None:
    """Small objects, in a pickle."""
    _dump(
        [{"name": str(at), "weights": [at * 0.5] * 40} for at in range(int(megabytes * 2600))], path
    )


def load_pickle(path: str) -> Any:
    """As everybody does."""
    with open(path, "rb") as file:
        return pickle.load(file)


def write_joblib(path: str, megabytes: float) -> None:
    """Arrays, raw."""
    import joblib

    joblib.dump({"first": _numbers(megabytes)}, path)


def load_joblib(path: str) -> Any:
    """``joblib.load``."""
    import joblib

    return joblib.load(path)


def write_lightgbm(path: str, megabytes: float) -> None:
    """Deep trees on noise: about 110 bytes a leaf."""
    import lightgbm
    import numpy as np

    leaves = 4000 if megabytes > 1 else 31
    X = np.random.default_rng(0).random((60_000 if megabytes > 1 else 500, 4)).astype(np.float32)
    settings = {"verbosity": -1, "num_leaves": leaves, "min_data_in_leaf": 1, "max_bin": 63}
    rounds = max(2, int(megabytes * 1e6 / leaves / 110))
    noise = np.random.default_rng(1).random(len(X))
    lightgbm.train(settings, lightgbm.Dataset(X, noise), rounds).save_model(path)


def load_lightgbm(path: str) -> Any:
    """``lightgbm.Booster``."""
    import lightgbm

    return lightgbm.Booster(model_file=path)


def _layers(megabytes: float) -> Any:
    import torch

    width = max(4, int((megabytes * 1e6 / 4 / 4) ** 0.5))
    return torch.nn.Sequential(*[torch.nn.Linear(width, width) for _ in range(4)])


def write_state_dict(path: str, megabytes: float) -> None:
    """Four layers' weights."""
    import torch

    torch.save(_layers(megabytes).state_dict(), path)


def write_module(path: str, megabytes: float) -> None:
    """Four layers, whole."""
    import torch

    torch.save(_layers(megabytes), path)


def load_torch(path: str) -> Any:
    """``torch.load``, which by itself takes weights only."""
    import torch

    return torch.load(path, weights_only=False)


def write_script(path: str, megabytes: float) -> None:
    """Four layers, scripted."""
    import torch

    torch.jit.script(_layers(megabytes)).save(path)


def load_script(path: str) -> Any:
    """``torch.jit.load``."""
    import torch

    return torch.jit.load(path)


def write_keras(path: str, megabytes: float) -> None:
    """Four dense layers; the extension decides between zip and HDF5."""
    import keras

    width = max(4, int((megabytes * 1e6 / 4 / 4) ** 0.5))
    layers = [keras.layers.Dense(width) for _ in range(4)]
    keras.Sequential([keras.layers.Input((width,)), *layers]).save(path)


def load_keras(path: str) -> Any:
    """``keras.saving.load_model``."""
    import keras

    return keras.saving.load_model(path)


def write_saved_model(path: str, megabytes: float) -> None:
    """Variables and a function."""
    import tensorflow as tf

    width = max(4, int((megabytes * 1e6 / 4 / 4) ** 0.5))
    module = tf.Module()
    module.weights = [tf.Variable(tf.random.normal((width, width))) for _ in range(4)]
    module.call = tf.function(
        lambda x: x @ module.weights[0] @ module.weights[1],
        input_signature=[tf.TensorSpec((None, width), tf.float32)],
    )
    tf.saved_model.save(module, path)


def load_saved_model(path: str) -> Any:
    """``tf.saved_model.load``."""
    import tensorflow as tf

    return tf.saved_model.load(path)


def write_onnx(path: str, megabytes: float) -> None:
    """Four matrix products."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    width = max(4, int((megabytes * 1e6 / 4 / 4) ** 0.5))
    numbers = _numbers(width * width * 4 / 1e6, 4).astype("float32")[: width * width]
    weights = [numpy_helper.from_array(numbers.reshape(width, width), f"w{at}") for at in range(4)]
    nodes = [helper.make_node("MatMul", [f"x{at}", f"w{at}"], [f"x{at + 1}"]) for at in range(4)]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name in ("x0", "x4")
    ]
    graph = helper.make_graph(nodes, "four", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def load_onnx(path: str) -> Any:
    """``onnxruntime.InferenceSession``."""
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


KINDS: dict[str, Kind] = {
    "pickle, arrays": Kind(write_pickle, load_pickle, 100),
    "pickle, objects": Kind(write_objects, load_pickle, 100),
    "joblib, raw": Kind(write_joblib, load_joblib, 100),
    "lightgbm": Kind(write_lightgbm, load_lightgbm, 100),
    "torch, state dict": Kind(write_state_dict, load_torch, 400),
    "torch, module": Kind(write_module, load_torch, 400),
    "torch-jit": Kind(write_script, load_script, 400),
    "tensorflow, .keras": Kind(write_keras, load_keras, 200, ".keras"),
    "tensorflow, .h5": Kind(write_keras, load_keras, 200, ".h5"),
    "tensorflow-saved": Kind(write_saved_model, load_saved_model, 200),
    "onnx": Kind(write_onnx, load_onnx, 400),
}
