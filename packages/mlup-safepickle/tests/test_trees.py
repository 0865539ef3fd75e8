"""scikit-learn: its compiled trees load; trees whose indexes lead outside do not."""

from __future__ import annotations

import argparse
import io
import pickle
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")
trees = pytest.importorskip("mlup_safepickle.checks.trees")

from sklearn.ensemble import (  # noqa: E402
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.neighbors import (  # noqa: E402
    BallTree,
    KDTree,
    KernelDensity,
    KNeighborsClassifier,
)
from sklearn.tree import (  # noqa: E402
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeRegressor,
)

ROWS = np.random.RandomState(0)
X = ROWS.randint(0, 6, (120, 3)).astype(float)
Y = (X[:, 0] + X[:, 1]) % 3
HOLES = X.copy()
HOLES[::7, 1] = np.nan


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


ESTIMATORS = {
    "tree": DecisionTreeClassifier().fit(X, Y),
    "tree of several outputs": DecisionTreeClassifier(max_depth=3).fit(
        X, np.stack([Y, Y % 2], axis=1)
    ),
    "tree with holes": DecisionTreeRegressor(max_depth=4).fit(HOLES, Y),
    "tree of one leaf": DecisionTreeRegressor().fit(X, np.ones(120)),
    "extra tree": ExtraTreeRegressor(max_leaf_nodes=7, random_state=0).fit(X, Y),
    "forest": RandomForestClassifier(5, random_state=0).fit(X, Y),
    "isolation": IsolationForest(n_estimators=5, random_state=0).fit(X),
    "boosting": GradientBoostingRegressor(n_estimators=5).fit(X, Y),
    "histogram": HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5).fit(HOLES, Y),
    "histogram of categories": HistGradientBoostingClassifier(
        max_iter=3, min_samples_leaf=5, categorical_features=[0, 1]
    ).fit(HOLES, Y),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "neighbours in balls": KNeighborsClassifier(algorithm="ball_tree", metric="manhattan").fit(
        X, Y
    ),
}


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", ESTIMATORS)
def test_models_of_trees(name: str, protocol: int) -> None:
    model = ESTIMATORS[name]
    loaded = load(pickle.dumps(model, protocol))
    assert type(loaded) is type(model)
    assert loaded.predict(X).tolist() == model.predict(X).tolist()


METRICS: list[tuple[Any, str, dict[str, Any]]] = [
    *((kind, metric, {}) for kind in (KDTree, BallTree)
      for metric in ("euclidean", "manhattan", "chebyshev")),
    (KDTree, "minkowski", {"p": 3}),
    (BallTree, "seuclidean", {"V": np.ones(2)}),
    (BallTree, "mahalanobis", {"VI": np.eye(2)}),
    (BallTree, "haversine", {}),
    (BallTree, "canberra", {}),
    (BallTree, "hamming", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "metric", "options"), METRICS)
@pytest.mark.parametrize("protocol", [2, 5])
def test_trees_of_neighbours(kind: Any, metric: str, options: Any, protocol: int) -> None:
    for count, leaf_size in ((1, 40), (2, 1), (50, 40), (50, 3), (64, 1)):
        points = ROWS.rand(count, 2)
        tree = kind(points, leaf_size=leaf_size, metric=metric, **options)
        loaded = load(pickle.dumps(tree, protocol))
        wanted, found = tree.query(points[:3], k=min(2, count)), loaded.query(points[:3], k=min(2, count))  # fmt: skip
        assert [each.tolist() for each in found] == [each.tolist() for each in wanted]


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_densities_with_weights(algorithm: str) -> None:
    model = KernelDensity(algorithm=algorithm).fit(X, sample_weight=np.arange(1.0, 121))
    assert load(pickle.dumps(model)).score_samples(X[:5]).tolist() == model.score_samples(X[:5]).tolist()  # fmt: skip


# -- trees of nodes ----------------------------------------------------------------------------------

TREE = ESTIMATORS["tree"].tree_
INNER = int(np.flatnonzero(TREE.children_left != -1)[1])


def tree_state(**other: Any) -> dict[str, Any]:
    return {**TREE.__reduce__()[2], **other}


def nodes(field: str, value: int, at: int = INNER) -> Any:
    changed = tree_state()["nodes"].copy()
    changed[field][at] = value
    return changed


def values(shape: tuple[int, ...], kind: str = "f8") -> Any:
    return np.zeros(shape, kind)


COUNT = TREE.node_count
TREES = {
    "node_count": tree_state(node_count=COUNT + 1),
    "fewer than it says": tree_state(nodes=tree_state()["nodes"][:-1]),
    "no node_count": {key: each for key, each in tree_state().items() if key != "node_count"},
    "left after the end": tree_state(nodes=nodes("left_child", COUNT)),
    "right after the end": tree_state(nodes=nodes("right_child", 2**62)),
    "left before the start": tree_state(nodes=nodes("left_child", -2)),
    "right is none": tree_state(nodes=nodes("right_child", -1)),
    "left backward": tree_state(nodes=nodes("left_child", 0)),
    "right is itself": tree_state(nodes=nodes("right_child", INNER)),
    "feature after the end": tree_state(nodes=nodes("feature", 3)),
    "feature far away": tree_state(nodes=nodes("feature", 2**62)),
    "feature before the start": tree_state(nodes=nodes("feature", -2)),
    "fewer values": tree_state(values=values((COUNT - 1, 1, 3))),
    "values of fewer outputs": tree_state(values=values((COUNT, 0, 3))),
    "values of fewer classes": tree_state(values=values((COUNT, 1, 2))),
    "flat values": tree_state(values=values((COUNT * 3,))),
    "values of another kind": tree_state(values=values((COUNT, 1, 3), "f4")),
    "values that are no array": tree_state(values=[0.0] * COUNT * 3),
    "nodes that are no array": tree_state(nodes=[]),
    "nodes without fields": tree_state(nodes=values((COUNT,))),
    "nodes of two axes": tree_state(nodes=tree_state()["nodes"].reshape(1, -1)),
    "no nodes": {},
}


def test_the_state_of_a_tree_is_one() -> None:
    for name in ("tree", "tree of several outputs", "tree with holes", "tree of one leaf"):
        tree = ESTIMATORS[name].tree_
        _, args, state = tree.__reduce__()
        assert trees.tree_call(args, {}) is None
        assert trees.tree_state(state, tree) is None


@pytest.mark.parametrize("name", TREES)
def test_a_tree_that_leads_outside(name: str) -> None:
    assert trees.tree_state(TREES[name], TREE)


def test_a_tree_that_leads_outside_in_a_pickle() -> None:
    class Hostile:
        def __init__(self, **state: Any) -> None:
            self.state = state

        def __reduce__(self) -> Any:
            made, args, _ = TREE.__reduce__()
            return made, args, tree_state(**self.state)

    assert load(pickle.dumps(Hostile())).node_count == COUNT
    for state in ({"node_count": 10**6}, {"nodes": nodes("left_child", 10**6)}):
        with pytest.raises(Refused, match="not safe"):
            load(pickle.dumps(Hostile(**state)))


def test_what_a_tree_is_made_of() -> None:
    good = (3, np.array([2, 3]), 2)
    assert trees.tree_call(good, {}) is None
    for args in ((), good[:2], (*good, 1), (-1, *good[1:]), (3, good[1], 1), (3, good[1], 3),
                 (3, [2, 3], 2), (3, np.array([2, 0]), 2), (3, np.array([[2, 3]]), 2), (3, good[1], 0),
                 (3, np.array([2.0, 3.0]), 2), ("3", *good[1:]), (3, np.array([2, 3], "i4"), 2)):  # fmt: skip
        assert trees.tree_call(args, {})
    assert trees.tree_call(good, {"a": 1})


def test_a_tree_of_no_nodes() -> None:
    empty = tree_state(node_count=0, nodes=tree_state()["nodes"][:0], values=values((0, 1, 3)))
    assert trees.tree_state(empty, TREE)


# -- trees of histogram boosting --------------------------------------------------------------------------

PREDICTOR = next(
    each
    for each in ESTIMATORS["histogram of categories"]._predictors[0]
    if each.nodes["is_categorical"].any() and len(each.nodes) > 3
)
SPLIT = int(np.flatnonzero(PREDICTOR.nodes["is_categorical"])[0])


def predictor(field: str = "", value: int = 0, **other: Any) -> dict[str, Any]:
    state = {**vars(PREDICTOR), "nodes": PREDICTOR.nodes.copy()}
    if field:
        state["nodes"][field][SPLIT] = value
    return {**state, **other}


def without(field: str) -> Any:
    kept = [each for each in PREDICTOR.nodes.dtype.names if each != field]
    return np.array(PREDICTOR.nodes[kept])


PREDICTORS = {
    "left after the end": predictor("left", len(PREDICTOR.nodes)),
    "right far away": predictor("right", 2**32 - 1),
    "left backward": predictor("left", 0),
    "feature before the start": predictor("feature_idx", -1),
    "bits after the end": predictor("bitset_idx", 10**6),
    "no bits": predictor(raw_left_cat_bitsets=PREDICTOR.raw_left_cat_bitsets[:0]),
    "no binned bits": predictor(binned_left_cat_bitsets=PREDICTOR.binned_left_cat_bitsets[:0]),
    "no bit sets": {"nodes": PREDICTOR.nodes},
    "two axes": predictor(nodes=PREDICTOR.nodes.reshape(1, -1)),
    "no array": predictor(nodes=[1]),
    "no fields": predictor(nodes=np.zeros(4)),
    "without is_leaf": predictor(nodes=without("is_leaf")),
    "without left": predictor(nodes=without("left")),
    "no dict": [PREDICTOR.nodes],
    "nothing": {},
}
WIDE = np.dtype([(name, "<u2" if name == "is_leaf" else PREDICTOR.nodes.dtype[name])
                 for name in PREDICTOR.nodes.dtype.names])  # fmt: skip


def wide() -> Any:
    changed = PREDICTOR.nodes.astype(WIDE)
    changed["is_leaf"][SPLIT], changed["left"][SPLIT] = 256, 10**8
    return changed


OPEN_PREDICTORS = {
    "a leaf of 256": predictor(nodes=wide()),
    "sets of one word": predictor(raw_left_cat_bitsets=PREDICTOR.raw_left_cat_bitsets[:, :1].copy()),
    "no nodes": predictor(nodes=PREDICTOR.nodes[:0]),
}  # fmt: skip


def test_the_state_of_a_predictor_is_one() -> None:
    assert trees.predictor_state(predictor(), PREDICTOR) is None
    for row in ESTIMATORS["histogram"]._predictors:
        for each in row:
            assert trees.predictor_state(vars(each), each) is None


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_predictor_that_leads_outside(name: str) -> None:
    assert trees.predictor_state(PREDICTORS[name], PREDICTOR)


@pytest.mark.parametrize("name", OPEN_PREDICTORS)
def test_another_predictor_that_leads_outside(name: str) -> None:
    """__setstate__ casts to the dtype of today: 256 is true before, and 0 after."""
    assert trees.predictor_state(OPEN_PREDICTORS[name], PREDICTOR)


# -- trees of neighbours -------------------------------------------------------------------------------

KD = KDTree(X, leaf_size=10)
FIELDS = ("data", "rows", "nodes", "bounds", "leaf_size", "levels", "count", "trims", "leaves",
          "splits", "calls", "metric", "weights")  # fmt: skip


def neighbours(**other: Any) -> tuple[Any, ...]:
    known = dict(zip(FIELDS, (np.asarray(each) if hasattr(each, "shape") else each
                              for each in KD.__getstate__()), strict=True))  # fmt: skip
    return tuple({**known, **other}.values())


DATA, INDEX, NODES, BOUNDS = neighbours()[:4]


def item(array: Any, at: Any, value: Any, field: str = "") -> Any:
    changed = array.copy()
    (changed[field] if field else changed)[at] = value
    return changed


NEIGHBOURS = {
    "a row after the end": neighbours(rows=item(INDEX, 3, 120)),
    "a row before the start": neighbours(rows=item(INDEX, 3, -1)),
    "fewer rows": neighbours(rows=INDEX[:-1]),
    "fewer points": neighbours(data=DATA[:-1]),
    "flat points": neighbours(data=DATA.ravel()),
    "no array": neighbours(data=DATA.tolist()),
    "a node after the end": neighbours(nodes=item(NODES, 2, 121, "idx_end")),
    "a node before the start": neighbours(nodes=item(NODES, 2, -1, "idx_start")),
    "a node backward": neighbours(nodes=item(NODES, 1, 61, "idx_start")),
    "no leaf at the end": neighbours(nodes=item(NODES, -1, 0, "is_leaf")),
    "no leaf where its children end": neighbours(nodes=item(NODES, len(NODES) // 2, 0, "is_leaf")),
    "no nodes": neighbours(nodes=NODES[:0], bounds=BOUNDS[:, :0]),
    "bounds of fewer nodes": neighbours(bounds=BOUNDS[:, :-1]),
    "bounds of fewer columns": neighbours(bounds=BOUNDS[:, :, :-1]),
    "flat bounds": neighbours(bounds=BOUNDS.ravel()),
    "fewer weights": neighbours(weights=np.ones(119)),
    "a short state": neighbours()[:5],
    "no tuple": list(neighbours()),
    "nothing": None,
}
OPEN_NEIGHBOURS = {
    "one bound for two": neighbours(bounds=BOUNDS[:1]),
    "bounds of one column": neighbours(bounds=BOUNDS[:, :, :1]),
    "fewer nodes than there are": neighbours(count=1),
    "leaves of nothing": neighbours(leaf_size=0),
    "a metric of one column": neighbours(
        metric=BallTree(X[:, :1], metric="seuclidean", V=np.ones(1)).__getstate__()[11]
    ),
}


def test_the_state_of_neighbours_is_one() -> None:
    assert trees.neighbours_state(neighbours(), KD) is None
    for kind in (KDTree, BallTree):
        for leaf_size in (1, 7, 40, 500):
            tree = kind(X, leaf_size=leaf_size)
            state = tuple(np.asarray(each) if hasattr(each, "shape") else each for each in tree.__getstate__())  # fmt: skip
            assert trees.neighbours_state(state, tree) is None


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_that_lead_outside(name: str) -> None:
    assert trees.neighbours_state(NEIGHBOURS[name], KD)


@pytest.mark.parametrize("name", OPEN_NEIGHBOURS)
def test_other_neighbours_that_lead_outside(name: str) -> None:
    assert trees.neighbours_state(OPEN_NEIGHBOURS[name], KD)


def test_neighbours_that_lead_outside_in_a_pickle() -> None:
    class Hostile:
        def __init__(self, state: Any) -> None:
            self.state = state

        def __reduce__(self) -> Any:
            return (*KD.__reduce__()[:2], self.state)

    assert load(pickle.dumps(Hostile(neighbours()))).query(X[:1])[0].tolist() == [[0.0]]
    with pytest.raises(Refused, match="rows are out of range"):
        load(pickle.dumps(Hostile(neighbours(rows=item(INDEX, 0, 10**9)))))


# -- what Cython makes -----------------------------------------------------------------------------------


def test_new_objects_are_of_its_modules() -> None:
    for each in (KDTree, BallTree, type(KD.__getstate__()[11])):
        assert trees.new_object((each,), {}) is None
    for args in ((), (dict,), (DecisionTreeClassifier,), (KD,), (KDTree, 1), ("KDTree",),
                 (argparse.Namespace,)):  # fmt: skip
        assert trees.new_object(args, {})
    assert trees.new_object((KDTree,), {"a": 1})


def test_compiled_objects() -> None:
    for args in ((KDTree, 5), (KDTree, 5, None), (KDTree, 5, (1,))):
        assert trees.compiled(args, {}) is None
    for args in ((), (KDTree,), (KD, 5), (KDTree, "5"), (KDTree, 5, [1]), (KDTree, 5, {}), (KDTree, 5, (), 1)):  # fmt: skip
        assert trees.compiled(args, {})
    assert trees.compiled((KDTree, 5), {"a": 1})


def test_the_losses_of_older_versions_are_those_of_today() -> None:
    """Before 1.6, they were pickled as of a module ``_loss``, which could be anybody's file."""
    from sklearn._loss._loss import CyHalfSquaredError

    assert load(b"c_loss\nCyHalfSquaredError\n.") is CyHalfSquaredError
    with pytest.raises(Refused) as caught:
        load(b"c_loss\nsystem\n.")
    assert caught.value.names == ("_loss.system",)
