"""What every binarizer must do, tried on this one: the tests are those of mlup-testkit."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import safetensors.numpy

from mlup_testkit import BinarizerContract


class TestSafetensors(BinarizerContract):
    binarizer = "safetensors"

    def models(self) -> dict[str, object]:
        return {
            "weights.safetensors": {
                "layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
                "layer.bias": np.zeros(3, np.float64),
                "steps": np.array(7),
            },
            "bfloat16.safetensors": {"w": np.ones((4, 2), ml_dtypes.bfloat16)},
            "no tensors.safetensors": {},
        }

    def write(self, model: dict, path: Path) -> None:
        safetensors.numpy.save_file(model, path)

    def same(self, model: dict, loaded: dict) -> bool:
        return model.keys() == loaded.keys() and all(
            (each.dtype, each.tolist()) == (loaded[name].dtype, loaded[name].tolist())
            for name, each in model.items()
        )
