"""LightGBM: its own boosters, and what it gives scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import lightgbm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Benign
from ._data import BINARY, CLASSES, TARGET, TEXTS, X, answers

REQUIRES = ("lightgbm", "scikit-learn", "numpy")

SMALL = {"n_estimators": 2, "num_leaves": 3, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}


def _boosted(kind: str) -> Any:
    if kind == "Booster":
        data = lightgbm.Dataset(X, TARGET, params={"verbose": -1})
        return lightgbm.train({"verbose": -1, "num_leaves": 3, "num_threads": 1}, data, 2)
    if kind == "LGBMRegressor":
        return lightgbm.LGBMRegressor(**SMALL).fit(X, TARGET)
    if kind == "LGBMRanker":
        return lightgbm.LGBMRanker(**SMALL).fit(X, CLASSES, group=[20, 20, 20])
    target = {"binary": BINARY, "texts": TEXTS}.get(kind, CLASSES)
    if kind == "evaluated":
        return lightgbm.LGBMClassifier(**SMALL).fit(X, CLASSES, eval_set=[(X, CLASSES)])
    model = lightgbm.LGBMClassifier(**SMALL)
    if kind == "pipeline":
        model = make_pipeline(StandardScaler(), model)
    return model.fit(X, target)


def models() -> Iterator[Benign]:
    kinds = ("Booster", "LGBMClassifier", "LGBMRegressor", "LGBMRanker", "binary", "texts")
    for kind in (*kinds, "evaluated", "pipeline"):
        yield Benign(f"lightgbm {kind}", partial(_boosted, kind), answers)
