"""The trees of a model: that every way down ends in a leaf, and every number leads somewhere.

Source: ``RegTree::LoadModel`` and ``MultiTargetTree::LoadModel`` in ``src/tree``, XGBoost 1.6 to
3.2. They check the lengths of some arrays and none of what is in them; to predict, XGBoost follows
children without asking whether there are any.

Many trees are looked at together: a call of NumPy for each of 30,000 small ones would cost more
than XGBoost's reading. Not all of them: what does not fit into the processor's cache is slow.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mlup_safepickle.checks.xgboost.categories import OF_CATEGORIES, check_categories
from mlup_safepickle.checks.xgboost.links import check_leaf_weights, check_links
from mlup_safepickle.checks.xgboost.values import (
    HostileError,
    IncompatibleError,
    length,
    number,
)

if TYPE_CHECKING:
    from mlup_safepickle.checks.xgboost.values import Integers

Tree: TypeAlias = dict[str, Any]

MOST_OF_SETS: Final = 1 << 30
"""Bytes of all sets of categories together. XGBoost makes one of a bit for each up to the highest."""

_TOGETHER: Final = 1 << 14  # nodes
_LEAF_WEIGHTS: Final = (3, 2)
"""Since then multi-output trees keep the weights of their leaves apart."""

_ALWAYS: Final = ("right_children", "parents", "split_indices", "split_conditions", "default_left")
_OF_STATISTICS: Final = ("loss_changes", "sum_hessian")  # multi-output trees before 3.2 had none
_SOMETIMES: Final = (*_OF_STATISTICS, "split_type", "leaf_child_counts")  # the last before 1.2
_SIZE: Final = itemgetter(1)  # of what is packed
_ABSENT: Final = -1
_NO_ARRAY: Final = -2


def check_trees(trees: list[Tree], features: int, outputs: int, reader: tuple[int, int]) -> None:
    """Make sure that XGBoost finds a leaf in each tree, and what it looks for on the way.

    Raises:
        IncompatibleError: they are trees of several outputs, and of the other side of XGBoost 3.2.
        HostileError: it would not. The message names the tree where one can be named.
    """
    import numpy as np

    if sorted(_ids(trees)) != list(range(len(trees))):
        raise HostileError("its trees are not numbered from 0 to the last, each once")
    params: list[Any] = [tree.get("tree_param") for tree in trees]
    if set(map(type, params)) != {dict}:
        raise HostileError("a tree in it has no tree_param")
    vector = _vector(params, outputs)
    if vector:
        _check_reader(trees, reader)
    sizes = {
        name: _sizes(trees, name)
        for name in ("left_children", *_ALWAYS, *_SOMETIMES, "base_weights", "leaf_weights",
                     *OF_CATEGORIES)
    }  # fmt: skip
    _check_lengths(sizes, params, vector)
    counts = sizes["left_children"]
    cuts: Integers = np.flatnonzero(np.diff(np.cumsum(counts) // _TOGETHER)) + 1
    room = 0
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(trees)], strict=True):
        some, those = trees[first:last], {name: sizes[name][first:last] for name in sizes}
        left, right = check_links(some, first, counts[first:last], features, bool(vector))
        if vector:
            check_leaf_weights(left, right, counts[first:last], those["leaf_weights"], vector)
        room += check_categories(some, those)
    if room > MOST_OF_SETS:
        raise HostileError(f"its sets of categories would take {room} bytes")


def _ids(trees: list[Tree]) -> list[int]:
    found: list[Any] = [tree.get("id") for tree in trees]
    if set(map(type, found)) != {int}:
        raise HostileError("a tree in it has no number")
    return found


def _vector(params: list[dict[str, Any]], outputs: int) -> int:
    """The weights of a leaf, if they are several."""
    vectors = {size if size > 1 else 0 for size in _numbers(params, "size_leaf_vector", "0")}
    if len(vectors) > 1 or vectors - {0, outputs}:
        raise HostileError(f"its trees are of {sorted(vectors)} outputs, itself of {outputs}")
    return vectors.pop()


def _check_reader(trees: list[Tree], reader: tuple[int, int]) -> None:
    """Measured: 3.2.0 ends the process over those of 2.1.1, 2.1.1 and 3.1.3 over those of 3.2.0."""
    new = "leaf_weights" in trees[0]
    if new != (reader >= _LEAF_WEIGHTS):
        written, needed = ("since", ">=3.2") if new else ("before", "<3.2")
        raise IncompatibleError(
            f"its multi-output trees are as XGBoost writes them {written} 3.2, over which XGBoost "
            f"{reader[0]}.{reader[1]} may end the process; load it with xgboost{needed}"
        )


def _numbers(params: list[dict[str, Any]], name: str, default: str | None = None) -> list[int]:
    texts: list[Any] = [each.get(name, default) for each in params]
    if set(map(type, texts)) != {str}:
        number(next(each for each in texts if type(each) is not str), name)  # says so
    known = {each: number(each, name) for each in set(texts)}
    return list(map(known.__getitem__, texts))


def _sizes(trees: list[Tree], name: str) -> Integers:
    import numpy as np

    try:
        found: list[Any] = list(map(itemgetter(name), trees))
    except KeyError:
        found = [tree.get(name, ...) for tree in trees]
    if set(map(type, found)) == {tuple}:
        return np.fromiter(map(_SIZE, found), np.int64, len(found))
    return np.array(list(map(_other_size, found)), np.int64)


def _other_size(value: Any) -> int:
    if value is ...:
        return _ABSENT
    size = length(value)
    return _NO_ARRAY if size < 0 else size


def _check_lengths(sizes: dict[str, Integers], params: list[dict[str, Any]], vector: int) -> None:
    import numpy as np

    counts = sizes["left_children"]
    said = np.array(_numbers(params, "num_nodes"), np.int64)
    wrong = np.flatnonzero((counts < 1) | (counts != said))
    if len(wrong):
        index = wrong[0]
        raise HostileError(
            f"tree {index} says num_nodes={said[index]}, and has {max(counts[index], 0)}"
        )
    _numbers(params, "num_feature")
    _numbers(params, "num_deleted", "0")
    new = sizes["leaf_weights"] != _ABSENT
    for name in (*_ALWAYS, *_SOMETIMES):
        bad = sizes[name] != counts
        if name in _SOMETIMES:
            needed = (name in _OF_STATISTICS and not vector) | (
                (vector > 0 and name != _SOMETIMES[-1]) & new
            )
            bad &= needed | (sizes[name] != _ABSENT)
        _check(bad, name, sizes, counts)
    expected = counts * max(vector, 1)
    _check(sizes["base_weights"] != expected, "base_weights", sizes, expected)


def _check(bad: Any, name: str, sizes: dict[str, Integers], expected: Integers) -> None:
    if bad.any():
        index = int(bad.argmax())
        found = max(int(sizes[name][index]), 0)
        raise HostileError(f"tree {index} has {found} {name} where {expected[index]} belong")
