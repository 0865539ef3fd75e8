"""Small data that every estimator can be fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np

RANDOM = np.random.RandomState(0)
X = np.abs(RANDOM.rand(60, 4)) + 0.1
X[:20, 0] += 1.0
X[40:, 1] += 1.0
CLASSES = np.repeat([0, 1, 2], 20)
BINARY = (CLASSES > 0).astype(int)
TEXTS = np.array(["setosa", "versicolor", "virginica"])[CLASSES]
TARGET = X @ np.array([1.0, 2.0, -1.0, 0.5]) + 3.0
TARGETS = np.column_stack([TARGET, TARGET * 2 + X[:, 0]])
LABELS = np.column_stack([BINARY, CLASSES == 1, CLASSES == 2]).astype(int)
DOCUMENTS = ["the red fox", "a red dog", "the blue sky", "dogs and foxes"] * 15

QUESTIONS = ("predict_proba", "decision_function", "predict", "transform", "score_samples")


def answers(model: Any, data: Any = X) -> Any:
    """What a fitted model says of ``data``: to be compared with what it says when it came back."""
    for question in QUESTIONS:
        ask = getattr(model, question, None)
        if ask is None:
            continue
        result = ask(data)
        return result.toarray() if hasattr(result, "toarray") else result
    return None
