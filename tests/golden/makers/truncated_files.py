"""``truncated/``: the beginnings of files in the other folders; no loader takes one of them.

A cut that the native loader does not mind is left out, and so is one that no bounded reading can
see (a compressed dump of which only the checksum is lost).
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from makers.book import Book

# The file → how much of it is kept: a share, a number of bytes, or (negative) all but so many.
_CUTS: dict[str, tuple[float, ...]] = {
    "pickle/linear_p0.pkl": (0.5, -1, -10),
    "pickle/list_p0.pkl": (0.6, -1),
    "pickle/arrays_p1.pkl": (0.5, -1),
    "pickle/bayes_p2.pckl": (60, 0.6, -1, -10),
    "pickle/columns_p3.dat": (0.9, -1),
    "pickle/columns_p5.onnx": (12, 101, 0.6, -1, -10),
    "pickle/long_text_p2.pkl": (9000, -1),
    "pickle/class_by_value_p5.pkl": (0.6,),
    "old/python2_instance_p0.pkl": (0.7, -1),
    "joblib/kmeans.joblib": (0.3, 0.8, -1, -10),
    "joblib/columns_p2.joblib": (0.5, -1),
    "joblib/arrays_p5.joblib": (0.6, -1),
    "joblib/minus_one.bin": (0.8,),
    "joblib/zlib_l5.joblib": (40, 0.5, 0.9),
    "joblib/gzip_l2.joblib": (0.5, 0.9),
    "joblib/bz2_l9.joblib": (0.5, -1, -10),
    "joblib/xz_l6.joblib": (0.5, -1, -10),
    "joblib/lzma_l2.joblib": (0.5, 0.9),
    "joblib/lz4_l1.joblib": (0.5, -10),
    "old/joblib_094_words.pkl": (0.6,),
    "old/joblib_111.pkl": (0.6, -1),
    "lightgbm/regression.txt": (30, 300, 0.3),
    "lightgbm/multiclass.model": (0.2, 0.4),
    "lightgbm/crlf.txt": (0.3,),
    "old/lightgbm_2_regression.txt": (0.3,),
    "torch/lstm.pt": (50, 0.5, -1, -10, -30),
    "torch/deflated.pt": (0.6, -1),
    "torch/training.pth.tar": (0.8,),
    "torch/legacy_lstm.pt": (30, 0.5, -1, -10),
    "torch/legacy_layers_p4.pt": (0.7, -1),
    "torchscript/scripted.pt": (0.5, -1, -10),
    "torchscript/lite_conv": (0.9,),
    "keras/deflated.keras": (50, 0.6, -1, -10),
    "keras/recurrent.keras": (0.5,),
    "keras/dense.h5": (0.5, -1),
    "keras/latest.h5": (0.9, -1),
    "keras/user_block.h5": (0.6, -1),
    "keras/keras2_functional.h5": (0.5,),
    "savedmodel/version_1/saved_model.pb": (0.5, -1, -10),
    "savedmodel/no_variables/saved_model.pb": (0.9,),
    "onnx/tree.onnx": (0.5, -1, -10),
    "onnx/described.onnx": (0.4, -1),
    "onnx/metadata.pt": (0.9,),
    "onnx/graph_first.onnx": (0.5, -1),
    "onnx/optimized.ort": (0.5,),
    "other/tree.skops": (0.6,),
    "other/tensors.safetensors": (0.6, -1),
    "other/trees.ubj": (0.6,),
}
# These are truncated too, and nobody's with or without their ends.
_OF_OTHERS = {
    "torch/exported.pt2": (0.5, -1),
    "other/trees.cbm": (0.6,),
    "other/small.gguf": (0.6,),
    "savedmodel/fixed.tflite": (0.6,),
    "none/weights.npz": (0.6, -1),
}


def make(book: Book) -> None:
    """Write the folder."""
    manifest = book.files.parent / "manifest.jsonl"
    rows = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[row["path"]] = row
    for source, cuts in (_CUTS | _OF_OTHERS).items():
        row = rows[source]
        for cut in cuts:
            _cut(book, row, cut, refused=source in _CUTS)


def _cut(book: Book, row: dict[str, Any], cut: float, refused: bool) -> None:
    source: str = row["path"]
    data = (book.files / source).read_bytes()
    keep = int(len(data) * cut) if 0 < cut < 1 else int(cut) % len(data)
    path = Path(source)
    how = f"{int(cut * 100)}_percent" if 0 < cut < 1 else f"{int(cut)}".replace("-", "without_")
    name = "_".join((*path.parts[:-1], path.stem, how)) + path.suffix
    label, told = f"truncated-{row['label']}", f"the first {keep} of {len(data)} bytes of {source}"
    if path.name == "saved_model.pb":

        def write(target: str) -> None:
            shutil.copytree((book.files / source).parent, target)
            Path(target, path.name).write_bytes(data[:keep])

        name = f"{path.parent.name}_{how}"
        written = book.add(name, label, row["format"], row["producer"], write, notes=told)
    else:
        content = data[:keep]
        written = book.add(name, label, row["format"], row["producer"], content, notes=told)
    row = book.rows[-1]
    if refused:
        _ensure_refused(str(written), label.removeprefix("truncated-"), path.suffix)
        row["loads"] = False
    if written.is_dir():  # the file in it may be given as well
        book.note({**row, "path": f"{row['path']}/{path.name}"})


def _ensure_refused(path: str, label: str, suffix: str) -> None:
    """Fail where the native loader takes the piece: then it is not truncated enough.

    Raises:
        ValueError: it was loaded.
    """
    if label == "lightgbm":  # some pieces end the process
        command = [sys.executable, "-c", _LIGHTGBM, path]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            raise ValueError(f"lightgbm loads {path}")
        return
    with tempfile.TemporaryDirectory() as folder:
        named = os.path.join(folder, "model" + suffix)
        (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, named)
        try:
            _LOADERS[label](named)
        except Exception:  # as it should be
            return
    raise ValueError(f"{label}'s own loader loads {path}")


_LIGHTGBM = (
    "import sys, lightgbm; text = open(sys.argv[1], newline='').read().replace('\\r\\n', '\\n'); "
    "print(lightgbm.Booster(model_str=text).predict([[0.5] * 4]))"
)


def _pickle(path: str) -> Any:
    with open(path, "rb") as stream:
        return pickle.load(stream)


def _joblib(path: str) -> Any:
    import joblib

    return joblib.load(path)


def _torch(path: str) -> Any:
    import torch

    return torch.load(path, weights_only=False)


def _script(path: str) -> Any:
    import torch

    return torch.jit.load(path)


def _keras(path: str) -> Any:
    import keras

    return keras.saving.load_model(path, compile=False)


def _saved_model(path: str) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(path)


def _onnx(path: str) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _safetensors(path: str) -> Any:
    from safetensors.numpy import load_file

    return load_file(path)


def _skops(path: str) -> Any:
    import skops.io

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _xgboost(path: str) -> Any:
    import xgboost

    return xgboost.Booster(model_file=path)


_LOADERS: dict[str, Callable[[str], Any]] = {
    "pickle": _pickle,
    "joblib": _joblib,
    "torch": _torch,
    "torch-jit": _script,
    "tensorflow": _keras,
    "tensorflow-saved": _saved_model,
    "onnx": _onnx,
    "safetensors": _safetensors,
    "skops": _skops,
    "xgboost": _xgboost,
}
