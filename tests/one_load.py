"""One load a binarizer, where only what the extra brings along is installed: ``nox -s wheels``.

The model is written here by its own framework, under a name that says nothing. onnxruntime
writes none, so ``onnx`` loads a golden file.
"""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import mlup

GOLDEN = Path(__file__).parent / "golden"
WEIGHTS = {"weights": [0.25, -1.5], "bias": 0.5}


def by_pickle(path: Path) -> None:
    """A plain object: scikit-learn is not here."""
    path.write_bytes(pickle.dumps(WEIGHTS))


def by_joblib(path: Path) -> None:
    """The same, compressed: a raw one would be a plain pickle."""
    import joblib

    joblib.dump(WEIGHTS, path, compress=3)


def by_lightgbm(path: Path) -> None:
    """A booster of two trees."""
    import lightgbm
    import numpy as np

    X = np.arange(200.0).reshape(100, 2)
    data = lightgbm.Dataset(X, label=X[:, 0] % 7)
    lightgbm.train({"verbosity": -1, "min_data_in_leaf": 2}, data, 2).save_model(path)


def by_torch(path: Path) -> None:
    """A state dict."""
    import torch

    torch.save(torch.nn.Linear(2, 1).state_dict(), path)


def by_torch_jit(path: Path) -> None:
    """A scripted module."""
    import torch

    torch.jit.script(torch.nn.Linear(2, 1)).save(str(path))


def by_tensorflow(path: Path) -> None:
    """A Keras model; Keras insists on its extension."""
    import keras

    named = path.with_suffix(".keras")
    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(named)
    named.rename(path)


def by_tensorflow_saved(path: Path) -> None:
    """A SavedModel folder."""
    import tensorflow as tf

    module = tf.Module()
    module.weight = tf.Variable(0.25)
    tf.saved_model.save(module, str(path))


def by_safetensors(path: Path) -> None:
    """Two arrays."""
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"weights": np.ones((2, 3), "float32"), "bias": np.zeros(2)}, path)


def by_skops(path: Path) -> None:
    """A model that skops trusts."""
    import skops.io
    from sklearn.linear_model import LogisticRegression

    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), path)


def by_xgboost(path: Path) -> None:
    """A booster of two trees; XGBoost asks for a name that says the form."""
    import numpy as np
    import xgboost

    X = np.arange(200.0).reshape(100, 2)
    named = path.with_suffix(".ubj")
    xgboost.train({}, xgboost.DMatrix(X, X[:, 0] % 7), 2).save_model(named)
    named.rename(path)


def from_golden(path: Path) -> None:
    """The first ONNX file of the golden ones."""
    with (GOLDEN / "manifest.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    first = next(row for row in rows if row["label"] == "onnx")
    shutil.copyfile(GOLDEN / "files" / first["path"], path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "pickle": by_pickle,
    "joblib": by_joblib,
    "lightgbm": by_lightgbm,
    "torch": by_torch,
    "torch-jit": by_torch_jit,
    "tensorflow": by_tensorflow,
    "tensorflow-saved": by_tensorflow_saved,
    "onnx": from_golden,
    "safetensors": by_safetensors,
    "skops": by_skops,
    "xgboost": by_xgboost,
}


def main() -> int:
    """Load a file of each binarizer that is named; the exit code is the number of failures."""
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for at, name in enumerate(sys.argv[1:]):
            path = Path(folder, f"model-{at}")
            WRITERS[name](path)
            best = mlup.detect(path).best
            found = best.binarizer if best else "nobody"
            model = mlup.load(path)
            print(f"{name}: taken for {found}, loaded a {type(model).__name__}")
            failures += found != name
    return failures


if __name__ == "__main__":
    sys.exit(main())
