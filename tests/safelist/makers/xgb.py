"""XGBoost: its own boosters, and what it gives scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import xgboost

from . import Benign
from ._data import BINARY, CLASSES, TARGET, X, answers

REQUIRES = ("xgboost-cpu",)

SMALL = {"n_estimators": 2, "max_depth": 2, "n_jobs": 1}


def _boosted(kind: str) -> Any:
    if kind == "Booster":
        return xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(X, TARGET), 2)
    if "Regressor" in kind:
        return getattr(xgboost, kind)(**SMALL).fit(X, TARGET)
    if kind == "XGBRanker":
        return xgboost.XGBRanker(**SMALL).fit(X, CLASSES, qid=CLASSES)
    if kind == "binary":
        return xgboost.XGBClassifier(**SMALL).fit(X, BINARY)
    if kind == "linear":
        return xgboost.XGBClassifier(booster="gblinear", n_estimators=2, n_jobs=1).fit(X, CLASSES)
    if kind == "evaluated":
        model = xgboost.XGBClassifier(**SMALL, early_stopping_rounds=2)
        return model.fit(X, CLASSES, eval_set=[(X, CLASSES)], verbose=False)
    return getattr(xgboost, kind)(**SMALL).fit(X, CLASSES)


def _use(model: Any) -> Any:
    return answers(model, xgboost.DMatrix(X) if isinstance(model, xgboost.Booster) else X)


def models() -> Iterator[Benign]:
    kinds = ("Booster", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier")
    for kind in (*kinds, "XGBRFRegressor", "binary", "linear", "evaluated"):
        yield Benign(f"xgboost {kind}", partial(_boosted, kind), _use)
