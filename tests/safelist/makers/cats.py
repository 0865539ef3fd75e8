"""CatBoost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import catboost

from . import Benign
from ._data import BINARY, CLASSES, TARGET, X, answers

REQUIRES = ("catboost",)

SMALL = {"iterations": 2, "depth": 2, "verbose": False, "allow_writing_files": False}
SMALL["thread_count"] = 1


def _boosted(kind: str) -> Any:
    target = TARGET if kind in ("CatBoost", "CatBoostRegressor") else CLASSES
    if kind == "binary":
        kind, target = "CatBoostClassifier", BINARY
    if kind == "CatBoostRanker":
        return catboost.CatBoostRanker(**SMALL).fit(X, CLASSES, group_id=CLASSES)
    if kind == "CatBoost":
        return catboost.CatBoost(SMALL).fit(X, target)
    return getattr(catboost, kind)(**SMALL).fit(X, target)


def models() -> Iterator[Benign]:
    for kind in ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker", "binary"):
        yield Benign(f"catboost {kind}", partial(_boosted, kind), answers)
