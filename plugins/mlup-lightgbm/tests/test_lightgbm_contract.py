"""The contract of the binarizer ``lightgbm``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from mlup_testkit import BinarizerContract

ROWS = np.random.default_rng(0).normal(size=(80, 3))
QUIET = {"verbose": -1, "num_threads": 1, "num_leaves": 5, "min_data_in_leaf": 4}


class TestLightGBM(BinarizerContract):
    binarizer = "lightgbm"

    def models(self) -> dict[str, Any]:
        line = lightgbm.Dataset(ROWS, ROWS[:, 0] * 2 + ROWS[:, 1])
        kinds = lightgbm.Dataset(ROWS, (ROWS[:, 0] > 0).astype(int) + (ROWS[:, 2] > 1))
        multiclass = {**QUIET, "objective": "multiclass", "num_class": 3}
        return {
            "line.txt": lightgbm.train(QUIET, line, num_boost_round=4),
            "kinds.lgb": lightgbm.train(multiclass, kinds, num_boost_round=3),
        }

    def write(self, model: Any, path: Path) -> None:
        model.save_model(path)

    def same(self, model: Any, loaded: Any) -> bool:
        return bool(np.array_equal(loaded.predict(ROWS), model.predict(ROWS)))
