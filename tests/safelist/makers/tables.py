"""scikit-learn models that were fitted to pandas frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn import compose, ensemble, linear_model, model_selection, pipeline, preprocessing

from . import Benign, NotInThisRelease
from ._data import CLASSES, TARGET, TEXTS, X, answers

REQUIRES = ("numpy", "pandas", "scikit-learn")

FRAME = pd.DataFrame(X, columns=list("abcd"))
MIXED = FRAME.assign(kind=TEXTS, grade=pd.Categorical(TEXTS))


def _columns() -> Any:
    return compose.ColumnTransformer(
        [
            ("numbers", preprocessing.StandardScaler(), ["a", "b"]),
            ("kinds", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["kind", "grade"]),
        ],
        remainder="passthrough",
    )


def _selected() -> Any:
    return compose.ColumnTransformer(
        [
            (
                "n",
                preprocessing.StandardScaler(),
                compose.make_column_selector(dtype_include="number"),
            ),
            ("p", preprocessing.MinMaxScaler(), compose.make_column_selector(pattern="^a")),
            (
                "o",
                preprocessing.OrdinalEncoder(),
                compose.make_column_selector(dtype_exclude=[np.number]),
            ),
        ]
    )


def models() -> Iterator[Benign]:
    logistic = linear_model.LogisticRegression(max_iter=100)

    def on(data: Any) -> Any:
        return lambda model: answers(model, data)

    yield Benign("table logistic", lambda: logistic.fit(FRAME, pd.Series(TEXTS)), on(FRAME))
    yield Benign("table columns", lambda: _columns().fit(MIXED), on(MIXED))
    yield Benign("table columns selected", lambda: _selected().fit(MIXED), on(MIXED))
    yield Benign(
        "table pipeline",
        lambda: pipeline.make_pipeline(_columns(), linear_model.Ridge()).fit(MIXED, TARGET),
        on(MIXED),
    )
    yield Benign(
        "table output",
        lambda: _numbers().set_output(transform="pandas").fit(MIXED),
        on(MIXED),
    )
    yield Benign(
        "table histogram of categories",
        _of_categories,
    )
    yield Benign(
        "table search",
        lambda: model_selection.GridSearchCV(
            pipeline.make_pipeline(_columns(), linear_model.Ridge()),
            {"ridge__alpha": [0.1, 1.0]},
            cv=2,
        ).fit(MIXED, pd.Series(TARGET)),
        on(MIXED),
    )
    yield Benign("table encoder", lambda: preprocessing.OneHotEncoder().fit(MIXED[["kind"]]))
    yield Benign("table labels", lambda: preprocessing.LabelEncoder().fit(MIXED["grade"]))


def _of_categories() -> Any:
    model = ensemble.HistGradientBoostingClassifier(max_iter=2, categorical_features=[4])
    try:
        return model.fit(MIXED.drop(columns="kind"), CLASSES)
    except ValueError as error:  # before 1.4
        raise NotInThisRelease(str(error)) from error


def _numbers() -> Any:
    return compose.ColumnTransformer([("n", preprocessing.StandardScaler(), ["a", "b"])])
