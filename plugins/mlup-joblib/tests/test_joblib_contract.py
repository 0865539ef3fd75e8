"""The contract of the binarizer ``joblib``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

from mlup_testkit import BinarizerContract

ROWS = np.arange(12.0).reshape(6, 2)


class TestJoblib(BinarizerContract):
    binarizer = "joblib"

    def models(self) -> dict[str, Any]:
        fitted = LinearRegression().fit(ROWS, ROWS @ [2.0, -1.0] + 3)
        return {"line.joblib": fitted, "line.joblib.xz": fitted, "line.z": fitted}

    def write(self, model: Any, path: Path) -> None:
        joblib.dump(model, path)

    def same(self, model: Any, loaded: Any) -> bool:
        return bool((loaded.predict(ROWS) == model.predict(ROWS)).all())
