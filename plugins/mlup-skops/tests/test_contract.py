"""What every binarizer must do, tried on this one: the tests are those of mlup-testkit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skops.io
from handmade_skops import CALLS, file_of
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlup_testkit import BinarizerContract

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 2.0]])
Y = np.array([0, 0, 1, 1])


class TestSkops(BinarizerContract):
    binarizer = "skops"

    def models(self) -> dict[str, object]:
        return {
            "bayes.skops": GaussianNB().fit(X, Y),
            "pipeline.skops": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
        }

    def write(self, model: object, path: Path) -> None:
        skops.io.dump(model, path)

    def same(self, model: object, loaded: object) -> bool:
        return np.array_equal(model.predict_proba(X), loaded.predict_proba(X))

    def hostile(self, marker: Path) -> dict[str, bytes]:
        return {f"{name}.skops": file_of(node(marker)) for name, node in CALLS.items()}
