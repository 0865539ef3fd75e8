"""The contract of the binarizer ``tensorflow``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from mlup_testkit import BinarizerContract

pytestmark = [  # warnings of Keras about itself
    pytest.mark.filterwarnings("ignore::UserWarning:.*keras.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:.*keras.*"),
]

ROWS = np.arange(6.0, dtype="float32").reshape(3, 2)


class TestTensorFlow(BinarizerContract):
    binarizer = "tensorflow"

    def models(self) -> dict[str, Any]:
        inputs = keras.Input((2,))
        layers = [keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)]
        functional = keras.Model(inputs, layers[1](layers[0](inputs)))
        sequential = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        return {"functional.keras": functional, "sequential.h5": sequential}

    def write(self, model: Any, path: Path) -> None:
        model.save(path)

    def same(self, model: Any, loaded: Any) -> bool:
        return bool(np.array_equal(loaded(ROWS).numpy(), model(ROWS).numpy()))
