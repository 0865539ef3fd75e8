"""XGBoost: a booster's model, which its own parser reads by recursion and its predictor trusts.

Source: ``src/common/json.cc`` (``UBJReader``, ``JsonReader``), ``src/learner.cc`` and
``src/tree/tree_model.cc`` of XGBoost 1.3 to 3.2. Boosters are pickled as UBJSON since 1.7, as JSON
before, and before 1.3 in a binary form ("CONFIG-offset:", "binf") that has no lengths to check.
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any, Final

_DEEPEST: Final = 64
_MOST_CATEGORIES: Final = 2**24  # common/categorical.h: a float counts no further

_SIZED: Final = {ord("d"): ">f4", ord("D"): ">f8", ord("U"): "u1", ord("i"): "i1",
                 ord("I"): ">i2", ord("l"): ">i4", ord("L"): ">i8"}  # fmt: skip
_NUMBERS: Final = {
    kind: struct.Struct({"u1": ">B", "i1": ">b", ">f4": ">f", ">f8": ">d",
                         ">i2": ">h", ">i4": ">i", ">i8": ">q"}[form])
    for kind, form in _SIZED.items()
}  # fmt: skip
_CONSTANTS: Final = {ord("Z"): None, ord("T"): True, ord("F"): False}
_LENGTH: Final = struct.Struct(">q")
_JSON: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)

_OF_NODES: Final = ("right_children", "split_indices", "split_conditions", "default_left",
                    "split_type", "parents", "sum_hessian", "loss_changes")  # fmt: skip
_OF_CATEGORIES: Final = ("categories_nodes", "categories_segments", "categories_sizes")


class _DamagedError(ValueError):
    """The model is none; the message says why."""


def booster_state(state: Any, booster: Any) -> str | None:
    """A Booster's ``__dict__``, with a model that its parser can read and its trees can follow."""
    if type(state) is not dict or not all(type(name) is str for name in state):
        return "it is no dict of names"
    if any(name.startswith("__") for name in state):
        return "it sets a special attribute"
    if "handle" not in state:
        return "it has no model"
    handle = state["handle"]
    if handle is None:
        return None
    if type(handle) is not bytearray:
        return "its model is no bytearray"
    try:
        _check_model(_read(bytes(handle)))
    except _DamagedError as error:
        return str(error)
    return None


def _read(data: bytes) -> dict[str, Any]:
    if data[:2] == b'{"':
        return _read_json(data)
    if data[:2] == b"{L":
        return _read_ubjson(data)
    raise _DamagedError(
        "its model is neither UBJSON nor JSON (XGBoost before 1.3 wrote another form)"
    )


def _read_json(data: bytes) -> dict[str, Any]:
    depth = 0
    for found in _JSON.finditer(data):
        if data[found.start()] in b"[{":
            depth += 1
            if depth > _DEEPEST:
                raise _DamagedError("its model is nested too deep")
        elif data[found.start()] in b"]}":
            depth -= 1
    try:
        model = json.loads(data, object_pairs_hook=_object)
    except _DamagedError:
        raise
    except (ValueError, RecursionError):
        raise _DamagedError("its model is no JSON") from None
    if type(model) is not dict:
        raise _DamagedError("its model is no object")
    return model


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DamagedError("its model has a name twice")
    return found


def _read_ubjson(data: bytes) -> dict[str, Any]:
    """The object of a UBJSON document as ``UBJReader`` accepts it; typed arrays stay where they are.

    Raises:
        _DamagedError: it is none, or has bytes behind its end.
    """
    try:
        return _walk(data)
    except (IndexError, struct.error):
        raise _DamagedError("its model is truncated") from None


def _walk(data: bytes) -> dict[str, Any]:
    import numpy as np

    end = len(data)
    length_of = _LENGTH.unpack_from

    model: dict[str, Any] = {}
    # The open containers around the innermost one: (container, items left of an array or -1).
    outer: list[tuple[Any, int]] = []
    inside: Any = model
    left = -1
    at = 1
    while True:
        name = ""
        if type(inside) is dict:
            if data[at] == 0x7D:  # }
                at += 1
                if not outer:
                    break
                inside, left = outer.pop()
                continue
            name, at = _string(data, at, end)
            if name in inside:
                raise _DamagedError("its model has a name twice")
        elif left == 0 or (left < 0 and data[at] == 0x5D):  # ]
            at += left < 0
            inside, left = outer.pop()
            continue
        else:
            left -= left > 0
        kind = data[at]
        at += 1
        value: Any
        items = -1
        if kind == 0x53:  # S
            value, at = _string(data, at, end)
        elif kind == 0x5B and data[at] == 0x24:  # [$
            form = _SIZED.get(data[at + 1])
            if form is None or data[at + 2 : at + 4] != b"#L":
                raise _DamagedError("its model has an array of an unknown type")
            (count,) = length_of(data, at + 4)
            at += 12
            width = int(form[-1])
            if not 0 <= count <= (end - at) // width:
                raise _DamagedError("its model has an array longer than itself")
            value = np.frombuffer(data, form, count, at) if count else ()
            at += count * width
        elif kind == 0x5B:  # [
            value = []
            if data[at] == 0x23:  # #
                if data[at + 1] != 0x4C:
                    raise _DamagedError("its model has a length of an unknown type")
                (items,) = length_of(data, at + 2)
                at += 10
                if not 0 <= items <= end - at:
                    raise _DamagedError("its model has an array longer than itself")
        elif kind == 0x7B:  # {
            value = {}
        elif kind in _CONSTANTS:
            value = _CONSTANTS[kind]
        elif kind in _NUMBERS:
            number = _NUMBERS[kind]
            (value,) = number.unpack_from(data, at)
            at += number.size
        else:
            raise _DamagedError("its model has a value of an unknown type")
        if type(inside) is dict:
            inside[name] = value
        else:
            inside.append(value)
        if kind == 0x7B or (kind == 0x5B and type(value) is list):
            outer.append((inside, left))
            if len(outer) >= _DEEPEST:
                raise _DamagedError("its model is nested too deep")
            inside, left = value, items
    if at != end:
        raise _DamagedError("its model has bytes behind its end")
    return model


def _string(data: bytes, at: int, end: int) -> tuple[str, int]:
    if data[at] != 0x4C:  # L
        raise _DamagedError("its model has a length of an unknown type")
    (length,) = _LENGTH.unpack_from(data, at + 1)
    at += 9
    if not 0 <= length <= end - at:
        raise _DamagedError("its model has a string longer than itself")
    return data[at : at + length].decode("utf-8", "surrogateescape"), at + length


def _check_model(model: dict[str, Any]) -> None:
    """Every tree of every booster in it; ``dart`` has its ``gbtree`` one level further down."""
    found = model.get("Model", model)
    learner = found.get("learner") if type(found) is dict else None
    if type(learner) is not dict:
        raise _DamagedError("its model has no learner")
    sizes = learner.get("learner_model_param")
    booster = learner.get("gradient_booster")
    if type(sizes) is not dict or type(booster) is not dict:
        raise _DamagedError("its model has no booster")
    dropped = None
    if type(booster.get("gbtree")) is dict:
        booster, dropped = booster["gbtree"], booster.get("weight_drop")
    features, classes, targets = (
        _number(sizes.get(name, "0")) for name in ("num_feature", "num_class", "num_target")
    )
    outputs = max(classes, targets, 1)
    forest = booster.get("model")
    if type(forest) is not dict:
        raise _DamagedError("its model has no booster")
    if "trees" not in forest:
        if _length(forest.get("weights")) not in (0, (features + 1) * outputs):
            raise _DamagedError("it has another number of weights")
        return
    trees = forest["trees"]
    if type(trees) is not list:
        raise _DamagedError("its trees are none")
    groups = _integers(forest.get("tree_info", ()))
    if len(groups) != len(trees):
        raise _DamagedError("it has another number of trees")
    if dropped is not None and _length(dropped) != len(trees):
        raise _DamagedError("it has another number of weights")
    if len(groups) and not 0 <= groups.min() <= groups.max() < outputs:
        raise _DamagedError("a tree of it is of a class that is none")
    steps = _integers(forest.get("iteration_indptr", ()))
    if len(steps) and (steps[0] != 0 or steps[-1] != len(trees) or (steps[1:] < steps[:-1]).any()):
        raise _DamagedError("its iterations are of other trees")
    for tree in trees:
        _check_tree(tree, features, targets)


def _check_tree(tree: Any, features: int, targets: int) -> None:
    """Nodes with one parent each and none above the root, so that every way down ends."""
    import numpy as np

    if type(tree) is not dict:
        raise _DamagedError("its trees are none")
    left = _integers(tree.get("left_children", ()))
    right, index = (_integers(tree.get(name, ())) for name in _OF_NODES[:2])
    count = len(left)
    if not count or any(
        name in tree and _length(tree[name]) != count for name in _OF_NODES
    ):  # fmt: skip
        raise _DamagedError("a tree of it has arrays of other lengths")
    if len(right) != count or len(index) != count:
        raise _DamagedError("a tree of it has arrays of other lengths")
    sizes = tree.get("tree_param")
    if type(sizes) is not dict or _number(sizes.get("num_nodes", "0")) != count:
        raise _DamagedError("a tree of it has another number of nodes")
    inner = left != -1
    if inner.all():
        raise _DamagedError("a tree of it has no leaf")
    vector = _number(sizes.get("size_leaf_vector", "0"))
    if "base_weights" in tree and _length(tree["base_weights"]) != count * max(vector, 1):
        raise _DamagedError("a tree of it has arrays of other lengths")
    if vector > 1:  # a leaf's right child is the number of its weights
        if vector != targets or (right < -1).any():
            raise _DamagedError("a tree of it has another number of outputs")
        if "leaf_weights" in tree:
            of_leaves = right[~inner]
            if of_leaves.min() < 0 or (of_leaves.max() + 1) * vector > _length(
                tree["leaf_weights"]
            ):
                raise _DamagedError("a leaf of it has no weights")
    elif (inner != (right != -1)).any():
        raise _DamagedError("a node of it has one child")
    if inner.any():
        children = np.concatenate((left[inner], right[inner]))
        if children.min() < 1 or children.max() >= count:
            raise _DamagedError("a node of it leads to none")
        if np.bincount(children, minlength=count).max() > 1:
            raise _DamagedError("a node of it has two parents")
        looked_at = index[inner]
        if looked_at.min() < 0 or looked_at.max() >= features:
            raise _DamagedError("a node of it looks at a feature that is none")
    if _length(tree.get("categories", ())) or _length(tree.get(_OF_CATEGORIES[0], ())):
        _check_categories(tree, count)


def _check_categories(tree: dict[str, Any], count: int) -> None:
    categories = _integers(tree.get("categories", ()))
    nodes, starts, sizes = (_integers(tree.get(name, ())) for name in _OF_CATEGORIES)
    if not len(nodes) == len(starts) == len(sizes) or not len(nodes):
        raise _DamagedError("a tree of it has categories of no node")
    ends = starts + sizes
    if not 0 <= nodes.min() <= nodes.max() < count or min(starts.min(), sizes.min()) < 0:
        raise _DamagedError("a tree of it has categories of no node")
    if ends.min() < 0 or ends.max() > len(categories):
        raise _DamagedError("a node of it looks at categories that are none")
    if len(categories) and not 0 <= categories.min() <= categories.max() < _MOST_CATEGORIES:
        raise _DamagedError("it has categories that are none")


def _length(values: Any) -> int:
    if isinstance(values, (str, dict)) or not hasattr(values, "__len__"):
        return -1
    return len(values)


def _integers(values: Any) -> Any:
    """An array of integers, from a typed array or a list of them."""
    import numpy as np

    if type(values) is np.ndarray and values.dtype.kind in "iu":
        return values.astype(np.int64)
    if type(values) in (list, tuple) and all(type(each) is int for each in values):
        try:
            return np.array(values, np.int64)
        except OverflowError:
            pass
    raise _DamagedError("its model has an array of an unknown type")


def _number(text: Any) -> int:
    """A parameter: XGBoost writes them as strings of digits."""
    if type(text) is not str or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _DamagedError("its model has a size that is none")
    return int(text)
