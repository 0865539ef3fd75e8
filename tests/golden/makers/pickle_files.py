"""``pickle/``: every protocol, every way of writing one, and what stands at its edges."""

from __future__ import annotations

import collections
import datetime
import functools
import io
import pickle
import pickletools
import platform
from typing import Any

import cloudpickle
import numpy as np
import sklearn

from makers import models
from makers.book import Book

PYTHON = f"Python {platform.python_version()} pickle"
SKLEARN = f"{PYTHON}, scikit-learn {sklearn.__version__}"
CLOUD = f"cloudpickle {cloudpickle.__version__}, Python {platform.python_version()}"

_SOURCE = '''
class Threshold:
    """A model that lives in the program's own main module."""
    def __init__(self, limit):
        self.limit = limit
    def predict(self, rows):
        return [float(sum(row) > self.limit) for row in rows]

def doubled(rows):
    return [[2 * value for value in row] for row in rows]
'''


def make(book: Book) -> None:
    """Write the folder."""

    def put(name: str, content: Any, protocol: int, producer: str, notes: str = "") -> None:
        data = content if isinstance(content, bytes) else pickle.dumps(content, protocol)
        book.add(
            name,
            "pickle",
            f"pickle-p{protocol}",
            producer,
            data,
            check=models.checked(_load),
            acceptable=("joblib",),
            notes=notes,
        )

    fitted = models.estimators()
    for protocol, name, kind in (
        (0, "linear_p0.pkl", "linear"),
        (0, "tree_p0.model", "tree"),
        (1, "svc_p1.pickle", "svc"),
        (1, "neighbours_p1.bin", "neighbours"),
        (2, "bayes_p2.pckl", "bayes"),
        (2, "search_p2", "search"),
        (3, "kmeans_p3.sav", "kmeans"),
        (3, "columns_p3.dat", "columns"),
        (4, "boosting_p4.p", "boosting"),
        (4, "isolation_p4.pt", "isolation"),
        (5, "mlp_p5.mdl", "mlp"),
        (5, "columns_p5.onnx", "columns"),
        (5, "search_p5.v1.0", "search"),
    ):
        put(name, fitted[kind], protocol, SKLEARN)
    put("modèle №1 (copy).pkl", fitted["tree"], 4, SKLEARN, "blanks and other letters in the name")
    put("text_p4.pkl", models.text_classifier(), 4, SKLEARN)
    put("scaler_p2.pkl", models.scaler(), 2, SKLEARN)
    put("model_and_scaler_p0.txt", (fitted["linear"], models.scaler()), 0, SKLEARN)
    put("models_by_name_p4.json", {"a": fitted["bayes"], "b": fitted["tree"]}, 4, SKLEARN)

    _plain_objects(put)
    _frames(put)
    _edges(put, fitted)
    _by_value(put)


def _plain_objects(put: Any) -> None:
    """First opcodes of their own: no class is named at the beginning, or at all."""
    day = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
    weights = {"w": [0.5, -1.25], "b": 3, "name": "tiny", "trained": True, "at": None}
    put("list_p0.pkl", [0.25, 1.5, [1, 2, (3, 4)]], 0, PYTHON, "starts with a mark and a list")
    put("tuple_p0", (weights, day, {1, 2}), 0, PYTHON)
    put("ordered_p0.pkl", collections.OrderedDict(weights), 0, PYTHON)
    put("set_p0.pkl", frozenset({"a", "b"}), 0, PYTHON)
    put("text_first_p0.pkl", ["a sentence. And more.", weights], 0, PYTHON)
    put("list_p1.pkl", [weights, weights, 1.5], 1, PYTHON, "starts ]q")
    put("tuple_p1.bin", (1.5, "x", weights, day), 1, PYTHON)
    put("arrays_p1.pkl", {"w": np.arange(6.0).reshape(2, 3), "b": np.zeros(2, "f4")}, 1, PYTHON)
    put("ordered_p2.pkl", collections.OrderedDict(weights), 2, PYTHON)
    put("counts_p3.pkl", collections.Counter("a model of letters"), 3, PYTHON)
    put("empty_dict_p4.pkl", {}, 4, PYTHON, "shorter than a frame may be")
    put("short_list_p4.pkl", [1, 2], 4, PYTHON)
    put("partial_p4.pkl", functools.partial(round, ndigits=2), 4, PYTHON)
    put("bytes_p3.bin", pickle.dumps(b"\x00\xff" * 40, 3), 3, PYTHON)
    put("structured_p5.pkl", np.zeros(5, [("a", "i4"), ("b", "S3")]), 5, PYTHON)
    nested: list[Any] = []
    for _ in range(60):
        nested = [nested]
    put("nested_p2.pkl", nested, 2, PYTHON)


def _frames(put: Any) -> None:
    """Streams of several frames, and long data that stands outside them."""
    names = {f"feature_{at:05d}": at / 8 for at in range(3300)}
    put("two_frames_p4.pkl", names, 4, PYTHON, "two frames: the first ends at 64 KiB")
    wide = np.full(8500, -1, "i8")
    put("long_array_p5.bin", {"w": wide}, 5, PYTHON, "bytes of ff stand outside the frames")
    put("long_text_p2.pkl", {"card": "A model. " * 1000, "w": [1.5]}, 2, PYTHON)
    put("long_text_p4.pkl", ["Words first. " * 5200, 2.5], 4, PYTHON, "text outside the frames")
    put("no_frames_p4.pkl", _without_frames(), 4, PYTHON, "protocol 4 without FRAME")
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 3)
    pickler.fast = True
    pickler.dump([{"w": [1.5, 2.5]}, {"w": [3.5]}])
    put("no_memo_p3.pkl", buffer.getvalue(), 3, PYTHON, "Pickler.fast: no memo")


def _edges(put: Any, fitted: dict[str, Any]) -> None:
    """More than one stream, and words that belong to other formats."""
    three = b"".join(pickle.dumps(each, 4) for each in (fitted["tree"], ["a", "b"], {"k": 1.5}))
    put("three_streams_p4.pkl", three, 4, SKLEARN, "load returns the first of three")
    put("two_streams_p0.pkl", pickle.dumps([1.5], 0) + pickle.dumps({"a": 2}, 0), 0, PYTHON)
    line = pickle.dumps(fitted["linear"], 2) + b"\r\n"
    put("line_end_p2.pkl", line, 2, SKLEARN, "a line end behind STOP")
    padded = pickle.dumps(fitted["bayes"], 5)
    put("padded_p5.bin", padded + bytes(-len(padded) % 512), 5, SKLEARN, "zeros up to a block")
    for protocol in (2, 4):
        said = ["joblib.numpy_pickle", "NumpyArrayWrapper", "joblib.numpy_pickle.NumpyArrayWrapper"]
        name = f"mentions_joblib_p{protocol}.pkl"
        put(name, said, protocol, PYTHON, "the names are text: no raw array follows")
    put("mentions_torch_p4.pkl", {"torch": "archive/data.pkl", "PK": "PK\x03\x04"}, 4, PYTHON)
    put("mentions_lightgbm_p0.pkl", "tree\nversion=v4\nnum_class=1\n", 0, PYTHON)
    shorter = pickletools.optimize(pickle.dumps(fitted["tree"], 4))
    put("optimized_p4.pkl", shorter, 4, f"{SKLEARN}, pickletools.optimize")
    shorter = pickletools.optimize(pickle.dumps(fitted["linear"], 0))
    put("optimized_p0.pkl", shorter, 0, f"{SKLEARN}, pickletools.optimize")


def _by_value(put: Any) -> None:
    """cloudpickle writes the code of what the main module defines."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(_SOURCE, "train.py", "exec"), space)
    put("class_by_value_p5.pkl", cloudpickle.dumps(space["Threshold"](1.5), 5), 5, CLOUD)
    put("class_by_value_p2.pkl", cloudpickle.dumps(space["Threshold"](1.5), 2), 2, CLOUD)
    put("function_by_value_p4.model", cloudpickle.dumps(space["doubled"], 4), 4, CLOUD)
    steps = {"first": space["doubled"], "then": models.estimators()["linear"]}
    put("steps_by_value_p5.pickle", cloudpickle.dumps(steps, 5), 5, f"{CLOUD}, {SKLEARN}")


def _without_frames() -> bytes:
    """A protocol 4 stream as Python 3.4 to 3.6 could write it, and other languages still do."""
    framed = pickle.dumps({"w": [0.5, 1.5], "kind": "linear"}, 4)
    return framed[:2] + framed[11:]


def _load(path: str) -> Any:
    with open(path, "rb") as stream:
        return pickle.load(stream)
