"""The contract of the binarizer ``tensorflow-saved``, whose models are folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from mlup_testkit import BinarizerContract

ROWS = tf.constant([[0.0, 1.0], [2.0, 3.0]])


class Line(tf.Module):
    """Two numbers; the second may be part of the graph."""

    def __init__(self, slope: float, constant: float | None = None) -> None:
        super().__init__()
        self.slope = tf.Variable(slope) if constant is None else tf.constant(slope)
        self.constant = 1.0 if constant is None else constant

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, rows: Any) -> Any:
        return rows * self.slope + self.constant


class TestTensorFlowSaved(BinarizerContract):
    binarizer = "tensorflow-saved"

    def models(self) -> dict[str, Any]:
        return {"line": Line(2.5), "fixed.savedmodel": Line(-1.5, 4.0)}

    def write(self, model: Any, path: Path) -> None:
        tf.saved_model.save(model, str(path))

    def same(self, model: Any, loaded: Any) -> bool:
        return bool(tf.reduce_all(loaded(ROWS) == model(ROWS)))
