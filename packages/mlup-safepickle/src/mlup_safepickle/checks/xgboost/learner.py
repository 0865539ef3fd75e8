"""What XGBoost takes from a model outside its trees, checked before it does.

Source: ``LearnerIO::LoadModel`` in ``src/learner.cc``, ``GBTreeModel::LoadModel``,
``Dart::LoadModel`` and ``GBLinearModel::LoadModel`` in ``src/gbm``, XGBoost 1.6 to 3.2. They follow
an iterator past the end where a name is missing, and a null pointer where a tree's number is.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mlup_safepickle.checks.xgboost.trees import check_trees
from mlup_safepickle.checks.xgboost.values import HostileError, integers, length, number, shown

MOST_OUTPUTS: Final = 1 << 16
MOST_FEATURES: Final = 1 << 24
"""XGBoost makes room for 64 rows of them in each thread when it predicts: 2 GB in two."""

_CLASSES_OF: Final = ("multi:softmax", "multi:softprob")


def learner_of(document: dict[str, Any]) -> dict[str, Any]:
    """The learner of a model.

    Raises:
        HostileError: the document holds none, or that of a configuration.
    """
    learner = _object(document.get("learner"), "learner")
    if "learner_train_param" in learner or "generic_param" in learner:
        raise HostileError("it is a configuration (Booster.save_config), not a model")
    return learner


def reader_of(version: str) -> tuple[int, int]:
    """The first two numbers of an XGBoost's ``__version__``."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def check(document: dict[str, Any], reader: tuple[int, int]) -> int:
    """Make sure that XGBoost can load the model, and predict with what it loads.

    Args:
        document: what :mod:`mlup_safepickle.checks.xgboost.jsontext` or :mod:`mlup_safepickle.checks.xgboost.ubjson` read.
        reader: the version of the XGBoost that is to load it.

    Returns:
        The number of trees.

    Raises:
        HostileError: it is not one that XGBoost writes.
        IncompatibleError: it is one that this XGBoost does not read.
    """
    learner = learner_of(document)
    version = document.get("version")
    if length(version) != 3:
        raise HostileError("its version is not three numbers")
    sizes = _object(learner.get("learner_model_param"), "learner_model_param")
    features = number(sizes.get("num_feature"), "num_feature")
    classes = number(sizes.get("num_class"), "num_class")
    targets = number(sizes.get("num_target", "1"), "num_target")  # since XGBoost 1.6
    outputs = max(classes, targets, 1)
    if features > MOST_FEATURES or outputs > MOST_OUTPUTS or (classes > 1 and targets > 1):
        raise HostileError(
            f"it has num_feature={features}, num_class={classes}, num_target={targets}"
        )
    _check_names(learner, features)
    _check_scores(sizes.get("base_score"), outputs)
    _check_objective(_object(learner.get("objective"), "objective"), classes, targets)
    booster = _object(learner.get("gradient_booster"), "gradient_booster")
    dropped: Any = None
    if booster.get("name") == "dart":
        dropped = booster.get("weight_drop")
        booster = _object(booster.get("gbtree"), "gbtree")
    forest = _object(booster.get("model"), "model")
    if booster.get("name") == "gblinear":
        return _check_linear(forest, (features + 1) * outputs)
    if booster.get("name") != "gbtree":
        raise HostileError(f"it has a booster of the kind {shown(booster.get('name'))}")
    return _check_forest(forest, dropped, features, outputs, reader)


def _object(value: Any, what: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise HostileError(f"it has no {what}")
    return value


def _check_names(learner: dict[str, Any], features: int) -> None:
    for key in ("feature_names", "feature_types"):  # since XGBoost 1.4
        names = learner.get(key, [])
        if type(names) is not list or not all(type(name) is str for name in names):
            raise HostileError(f"its {key} are not all strings")
        if len(names) not in (0, features):
            raise HostileError(f"it has {len(names)} {key} for {features} features")
    attributes = _object(learner.get("attributes", {}), "attributes")
    if not all(type(value) is str for value in attributes.values()):
        raise HostileError("its attributes are not all strings")


def _check_scores(text: Any, outputs: int) -> None:
    """``5E-1``, and since XGBoost 3.1 ``[5E-1,5E-1]``: one, or one for each output."""
    try:
        found = json.loads(text) if type(text) is str and len(text) < 1 << 22 else None
    except (ValueError, RecursionError):
        found = None
    scores = found if type(found) is list else [found]
    if not all(type(each) in (int, float) for each in scores) or len(scores) not in (1, outputs):
        raise HostileError(f"its base_score is {shown(text)}")


def _check_objective(objective: dict[str, Any], classes: int, targets: int) -> None:
    name = objective.get("name")
    if type(name) is not str:
        raise HostileError("its objective has no name")
    for key, value in objective.items():
        if key.endswith("_param"):
            params = _object(value, key)
            if not all(type(each) is str for each in params.values()):
                raise HostileError(f"its {key} are not all strings")
    if name in _CLASSES_OF:
        params = _object(objective.get("softmax_multiclass_param"), "softmax_multiclass_param")
        of_objective = number(params.get("num_class"), "num_class")
        if of_objective != classes or not classes:
            raise HostileError(f"its objective has {of_objective} classes, itself {classes}")


def _check_linear(model: dict[str, Any], weights: int) -> int:
    found = length(model.get("weights"))
    if found != weights:
        raise HostileError(f"it has {max(found, 0)} weights where {weights} belong")
    return 0


def _check_forest(
    forest: dict[str, Any], dropped: Any, features: int, outputs: int, reader: tuple[int, int]
) -> int:
    trees = forest.get("trees")
    params = _object(forest.get("gbtree_model_param"), "gbtree_model_param")
    if type(trees) is not list or not all(type(tree) is dict for tree in trees):
        raise HostileError("its trees are none")
    said = number(params.get("num_trees"), "num_trees")
    groups = _flat(forest.get("tree_info"), "tree_info")
    if not len(trees) == said == len(groups):
        raise HostileError(
            f"it says num_trees={said}, and has {len(trees)}, of {len(groups)} groups"
        )
    if dropped is not None and length(dropped) != said:
        raise HostileError(f"it has weights of {max(length(dropped), 0)} trees, not of {said}")
    parallel = number(params.get("num_parallel_tree", "1"), "num_parallel_tree")  # since 1.4
    if not 1 <= parallel <= max(said, MOST_OUTPUTS):
        raise HostileError(f"its num_parallel_tree is {parallel}")
    if said and not 0 <= groups.min() <= groups.max() < outputs:
        raise HostileError(f"its tree_info names groups that are not among its {outputs}")
    if "iteration_indptr" in forest:  # since XGBoost 2.0
        steps = _flat(forest["iteration_indptr"], "iteration_indptr")
        if not len(steps) or steps[0] != 0 or steps[-1] != said or (steps[1:] < steps[:-1]).any():
            raise HostileError("its iteration_indptr does not lead through its trees")
    if "cats" in forest:  # since XGBoost 3.1
        _check_encoding(_object(forest["cats"], "cats"), features)
    if trees:
        check_trees(trees, features, outputs, reader)
    return said


def _flat(value: Any, what: str) -> Any:
    if length(value) < 0:
        raise HostileError(f"it has no {what}")
    return integers([value], what)


def _check_encoding(cats: dict[str, Any], features: int) -> None:
    """The categories that the training data named: of each feature text, numbers or none."""
    columns = cats.get("enc")
    if type(columns) is not list or len(columns) not in (0, features):
        raise HostileError("its cats are not those of its features")
    sizes = [_encoded(column) for column in columns]
    segments = _flat(cats.get("feature_segments"), "feature_segments")
    order = _flat(cats.get("sorted_idx"), "sorted_idx")
    if not columns and not len(segments) and not len(order):
        return
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    if segments.tolist() != ends or len(order) != ends[-1]:
        raise HostileError("its cats have other sizes than their feature_segments")
    for size, start in zip(sizes, ends, strict=False):
        if sorted(order[start : start + size].tolist()) != list(range(size)):
            raise HostileError("its cats are not in an order")


def _encoded(column: Any) -> int:
    values = _object(column, "cats").get("values")
    count = length(values)
    if count < 0:
        raise HostileError("its cats have no values")
    if "offsets" not in column:
        if type(column.get("type")) is not int:
            raise HostileError("its cats have no type")
        return count
    offsets = _flat(column["offsets"], "offsets")
    if not len(offsets):
        if count:
            raise HostileError("its cats have text without offsets")
        return 0
    if offsets[0] != 0 or offsets[-1] != count or (offsets[1:] < offsets[:-1]).any():
        raise HostileError("its cats have offsets that lead past their text")
    if type(values) is tuple and values[0] not in (0, ord("i")):
        raise HostileError("its cats have text of another type")
    return len(offsets) - 1
