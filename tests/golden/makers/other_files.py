"""``other/``: frameworks without a binarizer, and what those write in formats that have one.

Made in an environment of its own (see ``README.md``): some of them cannot live beside TensorFlow.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import catboost
import coremltools
import dill
import gguf
import joblib
import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import safetensors.numpy
import sklearn
import skops.io
import xgboost

from makers import models
from makers.book import Book, finite
from makers.lightgbm_files import trained

CATBOOST = f"catboost {catboost.__version__}"
COREML = f"coremltools {coremltools.__version__}"
DILL = f"dill {dill.__version__}"
GGUF = f"gguf {version('gguf')}"
PANDAS = f"pandas {pd.__version__}"
SAFETENSORS = f"safetensors {safetensors.__version__}"
SKOPS = f"skops {skops.__version__}, scikit-learn {sklearn.__version__}"
XGBOOST = f"xgboost {xgboost.__version__}"


def make(book: Book) -> None:
    """Write the folder."""
    _dill(book)
    _xgboost(book)
    _catboost(book)
    _coreml(book)
    _skops(book)
    _tensors(book)
    _pandas(book)


def _dill(book: Book) -> None:
    """What names dill cannot be read where dill is not installed."""
    space: dict[str, Any] = {"__name__": "__main__", "limit": 1.5}
    source = "class Rule:\n    def predict(self, rows):\n        return [r[0] > 1 for r in rows]\n"
    source += "def above(rows):\n    return [sum(row) > limit for row in rows]\n"
    exec(compile(source, "train.py", "exec"), space)
    above = space["above"]
    late = {"weights": [at / 7 for at in range(1500)], "then": above}
    for name, value, protocol in (
        ("dill_function.pkl", above, 5),
        ("dill_function_p2.dill", above, 2),
        ("dill_class", space["Rule"](), 4),
        ("dill_nested_p0.pkl", [1, {"f": above}], 0),
        ("dill_late.pickle", late, 4),
    ):
        data = dill.dumps(value, protocol)
        book.add(name, "dill", f"dill-p{protocol}", DILL, data, check=_dilled)
    tree = models.estimators()["tree"]
    book.add(
        "dill_of_classes_only.pkl",
        "pickle",
        "pickle-p4",
        f"{DILL}, scikit-learn {sklearn.__version__}",
        dill.dumps(tree, 4),
        check=models.checked(_pickled),
        acceptable=("joblib",),
        notes="names nothing of dill: a plain pickle",
    )


def _xgboost(book: Book) -> None:
    table = xgboost.DMatrix(models.X, models.TARGET, feature_names=list("abcd"))
    settings = {"max_depth": 2, "seed": 0, "nthread": 1}
    booster = xgboost.train(settings, table, 2)
    linear = xgboost.train({"booster": "gblinear", **settings}, table, 1)

    def check(path: str) -> Any:
        loaded = xgboost.Booster()
        with open(path, "rb") as stream:
            loaded.load_model(bytearray(stream.read()))
        finite(loaded.predict(table))
        return loaded

    for name, each, kind in (
        ("trees.json", booster, "json"),
        ("trees.ubj", booster, "ubj"),
        ("linear.ubj", linear, "ubj"),
        ("trees_ubj", booster, "ubj"),
        ("trees.model", booster, "json"),
        ("trees.onnx", booster, "ubj"),
    ):
        data = bytes(each.save_raw(kind))
        book.add(name, "xgboost", f"xgboost-{kind}", XGBOOST, data, check=check)
    book.add("config.json", "none", "json", XGBOOST, booster.save_config(), notes="settings alone")
    book.add("trees.txt", "none", "text", XGBOOST, "".join(booster.get_dump()), notes="a dump")
    model = xgboost.XGBRegressor(n_estimators=1, max_depth=2, n_jobs=1)
    model.fit(models.X, models.TARGET)
    _in_python(book, "xgboost", model, XGBOOST)


def _catboost(book: Book) -> None:
    model = catboost.CatBoostRegressor(
        iterations=2, depth=2, verbose=False, random_seed=1, thread_count=1,
        allow_writing_files=False, train_dir=tempfile.gettempdir(),
    ).fit(models.X, models.TARGET)  # fmt: skip

    def native(kind: str) -> Callable[[str], Any]:
        def check(path: str) -> Any:
            loaded = catboost.CatBoostRegressor().load_model(path, kind)
            finite(loaded.predict(models.X))
            return loaded

        return check

    def runtime(path: str) -> Any:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        finite(session.run(None, {"features": models.X.astype("f4")}))
        return session

    for name, label, kind, check in (
        ("trees.cbm", "catboost", "cbm", native("cbm")),
        ("trees_cbm", "catboost", "cbm", native("cbm")),
        ("catboost.json", "catboost", "json", native("json")),
        ("catboost.onnx", "onnx", "onnx", runtime),
        ("catboost_onnx.bin", "onnx", "onnx", runtime),
        ("catboost.mlmodel", "coreml", "coreml", None),
        ("catboost_coreml.onnx", "coreml", "coreml", None),
        ("catboost.pmml", "none", "pmml", None),
        ("catboost.code", "none", "python", None),
    ):

        def write(path: str, kind: str = kind) -> None:
            with tempfile.TemporaryDirectory() as folder:
                named = os.path.join(folder, "model")
                model.save_model(named, format=kind)
                shutil.copy(next(Path(folder).iterdir()), path)  # some add an extension

        book.add(name, label, f"catboost-{kind}", CATBOOST, write, check=check)
    _in_python(book, "catboost", model, CATBOOST)


def _coreml(book: Book) -> None:
    from coremltools.models import datatypes, neural_network
    from coremltools.models.utils import load_spec, save_spec

    given = [("x", datatypes.Array(3))]
    builder = neural_network.NeuralNetworkBuilder(given, [("y", datatypes.Array(2))])
    builder.add_inner_product("dense", np.ones((2, 3)), np.zeros(2), 3, 2, True, "x", "y")
    for name in ("network.mlmodel", "network"):

        def write(path: str) -> None:
            with tempfile.TemporaryDirectory() as folder:
                named = os.path.join(folder, "model.mlmodel")
                save_spec(builder.spec, named)
                shutil.copy(named, path)

        book.add(name, "coreml", "coreml", COREML, write, check=load_spec)


def _skops(book: Book) -> None:
    fitted = models.estimators()
    for name, kind in (("tree.skops", "tree"), ("bayes", "bayes"), ("svc.pkl", "svc")):

        def check(path: str) -> Any:
            loaded = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
            finite(loaded.predict(models.X))
            return loaded

        book.add(name, "skops", "skops", SKOPS, skops.io.dumps(fitted[kind]), check=check)


def _tensors(book: Book) -> None:
    """Formats of tensors alone."""
    tensors = {"w": np.ones((2, 3), "f4"), "b": np.zeros(3, "f2"), "n": np.arange(4)}
    many = {f"block.{at}.attention.weight": np.ones(1, "f4") for at in range(40)}
    for name, value, told in (
        ("tensors.safetensors", tensors, None),
        ("tensors.bin", tensors, {"format": "pt", "total": "3"}),
        ("many", many, None),
        ("many.pt", many, None),
        ("nothing.safetensors", {}, None),
    ):
        data = safetensors.numpy.save(value, told)
        check = safetensors.numpy.load_file
        book.add(name, "safetensors", "safetensors", SAFETENSORS, data, check=check)
    parts = {"w": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = json.dumps({"metadata": {"total_size": 36}, "weight_map": parts}, indent=2)
    book.add(
        "model.safetensors.index.json", "none", "json", "by hand, as transformers has it", index
    )

    def write(path: str) -> None:
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_block_count(1)
        writer.add_array("tokenizer.ggml.tokens", ["<s>", "a", "b"])
        writer.add_tensor("token_embd.weight", np.ones((3, 4), "f4"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    for name in ("small.gguf", "small.bin"):
        book.add(name, "gguf", "gguf", GGUF, write, check=gguf.GGUFReader)


def _pandas(book: Book) -> None:
    frame = pd.DataFrame({"x": [0.5, 1.5, 2.5], "city": pd.Categorical(["a", "b", "a"])})
    _in_python(book, "frame", frame, PANDAS)
    columns = pd.DataFrame(models.X, columns=["größe", "b", "c", "d"])
    columns["city"] = pd.Categorical(np.where(models.Y > 0, "Bonn", "Kyiv, old town"))
    booster = trained(models.TARGET, data=columns)

    def check(path: str) -> Any:
        loaded = lightgbm.Booster(model_file=path)
        finite(loaded.predict(columns))
        return loaded

    producer = f"lightgbm {lightgbm.__version__}, {PANDAS}"
    write = booster.save_model
    note = "ends in the categories of a pandas column"
    book.add("categories.txt", "lightgbm", "lightgbm-v4", producer, write, check=check, notes=note)


def _in_python(book: Book, name: str, value: Any, producer: str) -> None:
    """The same object by pickle and by joblib."""
    book.add(
        f"{name}.pkl",
        "pickle",
        "pickle-p4",
        f"pickle, {producer}",
        pickle.dumps(value, 4),
        check=models.checked(_pickled),
        acceptable=("joblib",),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        joblib.dump(value, path)
        data = path.read_bytes()
        joblib.dump(value, path, compress=3)
        packed = path.read_bytes()
    how: dict[str, Any] = {"check": models.checked(joblib.load)}
    try:
        pickle.loads(data)
        how["acceptable"] = ("pickle",)
        how["notes"] = "no array inside: the bytes are a plain pickle"
    except Exception:  # raw arrays stand in between
        pass
    producer = f"joblib {joblib.__version__}, {producer}"
    book.add(f"{name}.joblib", "joblib", "joblib-raw", producer, data, **how)
    how.pop("acceptable", None)
    book.add(f"{name}.joblib.z", "joblib", "joblib-zlib", producer, packed, check=how["check"])


def _dilled(path: str) -> Any:
    with open(path, "rb") as stream:
        return dill.load(stream)


def _pickled(path: str) -> Any:
    with open(path, "rb") as stream:
        return pickle.load(stream)
