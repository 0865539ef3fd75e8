"""The contract of mlup-testkit, with models of every kind that XGBoost trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xgboost

from mlup_testkit import BinarizerContract

RANDOM = np.random.default_rng(1)
X = RANDOM.random((200, 5))
X[:, 0] = RANDOM.integers(0, 40, 200)
Y = X[:, 0] % 3 + X[:, 1] - X[:, 2]
CLASSES = np.digitize(Y, [0.7, 1.5])
QUIET = {"max_depth": 3, "seed": 1, "nthread": 1, "tree_method": "hist"}
NAMES = ["größe", "b", 'c"\\', "d", "e"]


def train(y=Y, rounds: int = 2, data=None, **params) -> xgboost.Booster:
    return xgboost.train({**QUIET, **params}, xgboost.DMatrix(X, y, **(data or {})), rounds)


def stopped() -> xgboost.Booster:
    data = xgboost.DMatrix(X, Y)
    booster = xgboost.train(
        QUIET, data, 5, evals=[(data, "t")], early_stopping_rounds=2, verbose_eval=False
    )
    booster.set_attr(note='ü"\\ {[')
    return booster


SETS = {
    "feature_types": ["c", "q", "q", "q", "q"],
    "enable_categorical": True,
    "feature_names": NAMES,
}
MODELS = {
    "regression": train(),
    "binary": train(y=Y > 1, objective="binary:logistic"),
    "classes": train(y=CLASSES, objective="multi:softprob", num_class=3),
    "dart": train(booster="dart", rate_drop=0.5, rounds=3),
    "linear": xgboost.train({"booster": "gblinear", "nthread": 1}, xgboost.DMatrix(X, Y), 2),
    "forest": train(num_parallel_tree=3, subsample=0.5),
    "categories": train(data=SETS, max_cat_to_onehot=1),
    "one category": train(data=SETS, max_cat_to_onehot=100),
    "outputs": train(y=np.stack([Y, -Y], 1)),
    "output trees": train(y=np.stack([Y, -Y], 1), multi_strategy="multi_output_tree"),
    "pruned": train(tree_method="exact", gamma=6),
    "ranking": train(y=CLASSES, objective="rank:ndcg", data={"group": [100, 100]}),
    "stopped": stopped(),
    "empty": train(rounds=0),
}


def predictions(booster: xgboost.Booster) -> np.ndarray:
    names, types = booster.feature_names, booster.feature_types
    data = xgboost.DMatrix(X, feature_names=names, feature_types=types, enable_categorical=True)
    return booster.predict(data)


class TestXgboost(BinarizerContract):
    binarizer = "xgboost"

    def models(self) -> dict[str, object]:
        return {
            f"{name}.{form}": model for name, model in MODELS.items() for form in ("ubj", "json")
        }

    def write(self, model: object, path: Path) -> None:
        model.save_model(path)

    def same(self, model: object, loaded: object) -> bool:
        return (
            np.array_equal(predictions(model), predictions(loaded))
            and model.attributes() == loaded.attributes()
            and model.feature_names == loaded.feature_names
        )
