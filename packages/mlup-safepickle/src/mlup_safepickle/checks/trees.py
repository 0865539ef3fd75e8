"""scikit-learn's compiled trees: their indexes are followed without a look.

Source: ``sklearn/tree/_tree.pyx``, ``sklearn/neighbors/_binary_tree.pxi.tp`` and
``sklearn/ensemble/_hist_gradient_boosting`` of scikit-learn 1.2 to 1.9.
"""

from __future__ import annotations

from typing import Any, Final

_LEAF: Final = -1
_WORDS: Final = 8  # of a set of 256 categories
_OF_PREDICTORS: Final = frozenset(
    {"left", "right", "feature_idx", "is_leaf", "is_categorical", "bitset_idx"}
)
_MODULES: Final = frozenset(
    {
        "sklearn.metrics._dist_metrics",
        "sklearn.neighbors._ball_tree",
        "sklearn.neighbors._dist_metrics",
        "sklearn.neighbors._kd_tree",
    }
)


def tree_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``Tree(n_features, n_classes, n_outputs)``: as many numbers of classes as outputs."""
    import numpy as np

    if (
        kwargs
        or len(args) != 3
        or not all(isinstance(args[at], (int, np.integer)) for at in (0, 2))
    ):
        return "there are other arguments"
    features, classes, outputs = args
    if features < 0 or outputs < 1 or type(classes) is not np.ndarray:
        return "its sizes are none"
    if classes.dtype != np.intp or classes.shape != (outputs,) or classes.min() < 1:
        return "it has another number of outputs"
    return None


def tree_state(state: Any, tree: Any) -> str | None:
    """Nodes whose children come after them and are there, and a value for each."""
    import numpy as np

    if type(state) is not dict:
        return "it is no dict"
    nodes: Any = state.get("nodes")
    values: Any = state.get("values")
    if type(nodes) is not np.ndarray or type(values) is not np.ndarray:
        return "it has no nodes"
    count = len(nodes) if nodes.ndim == 1 else 0
    if not count or state.get("node_count") != count or not nodes.dtype.names:
        return "it has another number of nodes"
    if values.dtype != np.float64 or values.shape != (count, tree.n_outputs, tree.max_n_classes):
        return "it has another number of values"
    inner = np.flatnonzero(nodes["left_child"] != _LEAF)
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    return _followed(np, inner, left, right, feature, tree.n_features)


def _followed(
    np: Any, inner: Any, left: Any, right: Any, feature: Any, features: int
) -> str | None:
    """Whether the nodes at ``inner`` lead to later ones, and look at features that are some."""
    if not len(inner):
        return None
    first, second, looked_at = left[inner], right[inner], feature[inner]
    if (np.minimum(first, second) <= inner).any() or max(first.max(), second.max()) >= len(left):
        return "a node of it leads to none"
    if looked_at.min() < 0 or looked_at.max() >= features:
        return "a node of it looks at a feature that is none"
    return None


def predictor_state(state: Any, predictor: Any) -> str | None:
    """The same of the trees of histogram gradient boosting, where bit sets stand for categories."""
    import numpy as np

    if type(state) is not dict or type(state.get("nodes")) is not np.ndarray:
        return "it has no nodes"
    nodes: Any = state["nodes"]
    names = set(nodes.dtype.names or ())
    if nodes.ndim != 1 or not len(nodes) or not names >= _OF_PREDICTORS:
        return "its nodes are none"
    if any(nodes.dtype[name] != np.uint8 for name in ("is_leaf", "is_categorical")):
        return "its nodes are none"
    bitsets: list[Any] = [state[name] for name in state if name.endswith("bitsets")]
    if not all(type(each) is np.ndarray for each in bitsets):
        return "its sets of categories are none"
    if any((each.dtype, *each.shape[1:]) != (np.uint32, _WORDS) for each in bitsets):
        return "its sets of categories are none"
    sets = min(map(len, bitsets), default=0)
    if (nodes["is_categorical"].astype(bool) & (nodes["bitset_idx"] >= sets)).any():
        return "a node of it looks at categories that are none"
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    return _followed(np, inner, left, right, nodes["feature_idx"], 2**31)


def new_object(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``newObj(cls)``: an empty tree or metric, whose state comes next."""
    known = len(args) == 1 and isinstance(args[0], type) and args[0].__module__ in _MODULES
    return None if known and not kwargs else "it is none of the classes of its module"


def neighbours_state(state: Any, tree: Any) -> str | None:
    """A KDTree's or BallTree's: rows in range, nodes within the rows, leaves at the last level."""
    import numpy as np

    if type(state) is not tuple or len(state) < 12:
        return "it is of an unknown version"
    data, rows, nodes, bounds = state[:4]
    if not all(type(each) is np.ndarray for each in (data, rows, nodes, bounds)):
        return "its arrays are none"
    count = len(nodes)
    if data.ndim != 2 or rows.shape != (len(data),) or nodes.ndim != 1 or not count:
        return "its arrays have other shapes"
    kinds = 2 if "KDTree" in type(tree).__name__ else 1  # the least and the greatest, or a centre
    if bounds.shape != (kinds, count, data.shape[1]):
        return "its bounds are of other nodes"
    leaf_size, levels, known, metric = state[4], state[5], state[6], state[11]
    if not all(isinstance(each, (int, np.integer)) for each in (leaf_size, levels, known)):
        return "its sizes are none"
    if leaf_size < 1 or known != count or not 0 < levels < 64 or 2**levels - 1 != count:
        return "its sizes are those of another tree"
    if type(metric).__module__ not in _MODULES:
        return "it has no metric"
    try:
        metric._validate_data(data)
    except ValueError as error:
        return str(error)
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(rows):
        return "its rows are out of range"
    start, end = nodes["idx_start"], nodes["idx_end"]
    if not ((start >= 0) & (start <= end) & (end <= len(rows))).all():
        return "its nodes are out of range"
    if not nodes["is_leaf"][(count - 1) // 2 :].all():
        return "its leaves are not at its end"
    weights: Any = state[12] if len(state) > 12 else None
    if weights is not None and (type(weights) is not np.ndarray or weights.shape != (len(data),)):
        return "it has other weights"
    return None


def compiled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``__pyx_unpickle_…(cls, checksum, state)``: what Cython writes, which checks the class itself."""
    if (
        kwargs
        or len(args) not in (2, 3)
        or not isinstance(args[0], type)
        or type(args[1]) is not int
    ):
        return "there are other arguments"
    return None if args[2:] in ((), (None,)) or type(args[2]) is tuple else "its state is none"


def thresholds_state(state: Any, regression: Any) -> str | None:
    """An ``IsotonicRegression``'s, of which it builds a function at once: plain arrays of numbers."""
    import numpy as np

    if type(state) is not dict:
        return "it is no dict"
    for name in ("X_thresholds_", "y_thresholds_"):
        value: Any = state.get(name)
        if value is not None and (type(value) is not np.ndarray or value.dtype.kind not in "fiu"):
            return f"its {name} is no array of numbers"
    return None
