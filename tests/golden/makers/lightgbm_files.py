"""``lightgbm/``: text models of every objective and boosting, whole, cut, and with other line ends."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import lightgbm
import numpy as np

from makers.book import Book, finite

LIGHTGBM = f"lightgbm {lightgbm.__version__}"
_SETTINGS = {
    "verbose": -1,
    "num_leaves": 4,
    "min_data_in_leaf": 5,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
}
_RANDOM = np.random.RandomState(11)
X = _RANDOM.rand(200, 4)
Y = X[:, 0] * 3 - X[:, 1] + _RANDOM.rand(200) * 0.1
CLASSES = np.digitize(Y, [0.5, 1.5])


def make(book: Book) -> None:
    """Write the folder."""

    def put(name: str, text: str, format: str = "lightgbm-v4", **more: Any) -> None:
        book.add(name, "lightgbm", format, LIGHTGBM, text.encode(), check=tried, **more)

    regression = trained(objective="regression", rounds=4)
    put("regression.txt", saved(regression))
    put("model_to_string.lgb", regression.model_to_string())
    put("one_iteration.txt", saved(regression, num_iteration=1))
    put("gain", saved(regression, importance_type="gain", start_iteration=1))
    put("multiclass.model", saved(trained(CLASSES, objective="multiclass", num_class=3)))
    one_against_all = trained(CLASSES, objective="multiclassova", num_class=3)
    put("one_against_all.pkl", saved(one_against_all))
    put("cross_entropy.txt", saved(trained(Y - Y.min(), objective="poisson")))
    put("tweedie.bin", saved(trained(Y - Y.min(), objective="tweedie")))
    put("unbalanced.txt", saved(trained(CLASSES > 0, objective="binary", is_unbalance=True)))
    put("goss.onnx", saved(trained(objective="regression_l1", data_sample_strategy="goss")))
    put("linear.txt", saved(trained(objective="regression", linear_tree=True)))
    put("monotone.lgbm", saved(trained(monotone_constraints=[1, -1, 0, 0])))
    whole = np.floor(X * 6)
    put("categorical.txt", saved(trained(data=whole, categorical=[1, 3], cat_smooth=1)))
    put("constant.txt", saved(trained(np.ones(200), objective="regression")), notes="no split")
    put("no_name.v2", saved(trained(names=["größe", "height", "x.y", "c"])), notes="UTF-8 names")
    put("xendcg.txt", saved(trained(CLASSES, objective="rank_xendcg", group=[50] * 4)))
    put("own_objective.txt", saved(trained(objective=_huber)), notes="no objective line")
    wide = np.hstack([X] * 30)
    put("wide.txt", saved(trained(data=wide, rounds=1)), notes="its header runs over 2 kB")
    classifier = lightgbm.LGBMClassifier(n_estimators=2, num_leaves=3, verbose=-1, n_jobs=1)
    classifier.fit(X, np.array(["no", "yes"])[(CLASSES > 0).astype(int)])
    put("from_classifier.txt", saved(classifier.booster_))

    for name, source in (("crlf.txt", regression), ("crlf_multiclass.model", one_against_all)):
        text = saved(source).replace("\n", "\r\n")
        note = "Windows line ends: Booster(model_file=…) would end the process"
        put(name, text, "lightgbm-crlf", how="model_str, line ends made good", notes=note)
    short = saved(regression).split("\nparameters:")[0] + "\n"
    put("without_parameters.txt", short, notes="ends behind the importances, as old releases did")
    _not_models(book, regression)


def trained(
    target: Any = Y,
    *,
    data: Any = X,
    rounds: int = 2,
    group: Any = None,
    names: Any = "auto",
    categorical: Any = "auto",
    **settings: Any,
) -> Any:
    """A small booster."""
    table = lightgbm.Dataset(
        data, target, group=group, feature_name=names, categorical_feature=categorical
    )
    return lightgbm.train({**_SETTINGS, **settings}, table, rounds)


def saved(booster: Any, **how: Any) -> str:
    """The text that ``save_model`` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.txt")
        booster.save_model(path, **how)
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()


def _not_models(book: Book, booster: Any) -> None:
    """Other things that LightGBM writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.bin")
        lightgbm.Dataset(X[:20, :2], Y[:20], params=_SETTINGS).save_binary(path)
        with open(path, "rb") as stream:
            data = stream.read()
    book.add("dataset.bin", "none", "lightgbm-dataset", LIGHTGBM, data, notes="a binary Dataset")
    code = "boosting=gbdt\nnum_leaves=4\ntree_learner=serial\nversion=v4\ninput_model=model.txt\n"
    book.add("train.conf", "none", "text", "by hand, after LightGBM's documentation", code)
    importance = booster.feature_importance().tolist()
    lines = "tree\nversion history\n" + "\n".join(map(str, importance)) + "\n"
    book.add("importance.txt", "none", "text", "by hand", lines, notes="its first line is 'tree'")


def _huber(predictions: Any, data: Any) -> tuple[Any, Any]:
    difference = predictions - data.get_label()
    return np.clip(difference, -1, 1), np.ones_like(difference)


def tried(path: str) -> Any:
    with open(path, encoding="utf-8", newline="") as stream:
        booster = lightgbm.Booster(model_str=stream.read().replace("\r\n", "\n"))
    finite(booster.predict(np.zeros((3, booster.num_feature()))))
    return booster
