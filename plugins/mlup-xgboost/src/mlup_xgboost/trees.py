"""The trees of a model: that every way down ends in a leaf, and every number leads somewhere.

Source: ``RegTree::LoadModel``, ``MultiTargetTree::LoadModel`` and ``LoadCategoricalSplit`` in
``src/tree``, XGBoost 1.6 to 3.2. They check the lengths of some arrays and none of what is in
them; to predict, XGBoost follows children without asking whether there are any.

All trees are looked at together: a call of NumPy for each of 30,000 small trees would cost more
than XGBoost's reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlup_xgboost.values import HostileError, IncompatibleError, Packed, integers, length, number

if TYPE_CHECKING:
    from mlup_xgboost.values import Integers

MOST_DEEP: Final = 4096
"""Nodes from the root to a leaf: XGBoost dumps and explains trees by calls within calls."""

MOST_CATEGORIES: Final = 1 << 24
"""``common/categorical.h``: a float counts no further."""

MOST_OF_SETS: Final = 1 << 30
"""Bytes of all sets of categories together. XGBoost makes one of a bit for each up to the highest."""

_LEAF_WEIGHTS: Final = (3, 2)
"""Since then multi-output trees keep the weights of their leaves apart."""

_NO_PARENT: Final = (-1, (1 << 31) - 1)
_LINKS: Final = ("left_children", "right_children", "parents", "split_indices")
_ALWAYS: Final = (*_LINKS[1:], "split_conditions", "default_left")
_OF_STATISTICS: Final = ("loss_changes", "sum_hessian")  # multi-output trees before 3.2 had none
_COUNTS: Final = "leaf_child_counts"  # before XGBoost 1.2
_OF_CATEGORIES: Final = ("categories", "categories_nodes", "categories_segments",
                         "categories_sizes")  # fmt: skip


class _Forest(NamedTuple):
    counts: Integers  # nodes of each tree
    starts: Integers  # the first of them, among all nodes
    of_node: Integers  # the tree of each node
    vector: int  # weights of a leaf, if several


def check_trees(
    trees: list[dict[str, Any]], features: int, outputs: int, reader: tuple[int, int]
) -> None:
    """Make sure that XGBoost finds a leaf in each tree, and what it looks for on the way.

    Raises:
        IncompatibleError: they are trees of several outputs, and of the other side of XGBoost 3.2.
        HostileError: it would not. The message names the tree where one can be named.
    """
    import numpy as np

    if sorted(_ids(trees)) != list(range(len(trees))):
        raise HostileError("its trees are not numbered from 0 to the last, each once")
    vectors = {_vector(tree) for tree in trees}
    if len(vectors) > 1 or vectors - {0, outputs}:
        raise HostileError(f"its trees are of {sorted(vectors)} outputs, itself of {outputs}")
    vector = vectors.pop()
    if vector:
        _check_reader(trees, reader)
    for index, tree in enumerate(trees):
        _check_lengths(index, tree, vector)
    counts = np.array([length(tree["left_children"]) for tree in trees], np.int64)
    starts = np.cumsum(counts) - counts
    forest = _Forest(counts, starts, np.repeat(np.arange(len(trees)), counts), vector)
    left, right, parents, splits = (
        integers([tree[name] for tree in trees], name) for name in _LINKS
    )
    _check_links(forest, left, right, parents, splits, features)
    if vector:
        _check_leaf_weights(forest, trees, left, right)
    for index, tree in enumerate(trees):
        _check_categories(index, tree)
    _check_sets(trees)


def _check_reader(trees: list[dict[str, Any]], reader: tuple[int, int]) -> None:
    """Measured: 3.2.0 ends the process over those of 2.1.1, 2.1.1 and 3.1.3 over those of 3.2.0."""
    new = "leaf_weights" in trees[0]
    if new != (reader >= _LEAF_WEIGHTS):
        written, needed = ("since", ">=3.2") if new else ("before", "<3.2")
        raise IncompatibleError(
            f"its multi-output trees are as XGBoost writes them {written} 3.2, over which XGBoost "
            f"{reader[0]}.{reader[1]} may end the process; load it with xgboost{needed}"
        )


def _ids(trees: list[dict[str, Any]]) -> list[int]:
    found = [tree.get("id") for tree in trees]
    if not all(type(each) is int for each in found):
        raise HostileError("a tree in it has no number")
    return found  # type: ignore[return-value]


def _vector(tree: dict[str, Any]) -> int:
    params = tree.get("tree_param")
    if type(params) is not dict:
        raise HostileError("a tree in it has no tree_param")
    size = number(params.get("size_leaf_vector", "0"), "size_leaf_vector")
    return size if size > 1 else 0


def _check_lengths(index: int, tree: dict[str, Any], vector: int) -> None:
    params = tree["tree_param"]
    count = length(tree.get("left_children"))
    said = number(params.get("num_nodes"), "num_nodes")
    if count < 1 or said != count:
        raise HostileError(f"tree {index} says num_nodes={said}, and has {max(count, 0)}")
    number(params.get("num_feature"), "num_feature")
    number(params.get("num_deleted", "0"), "num_deleted")
    for name in _ALWAYS:
        if length(tree.get(name)) != count:
            raise _wrong(index, name, length(tree.get(name)), count)
    new = "leaf_weights" in tree
    for name in (*_OF_STATISTICS, "split_type", _COUNTS):
        needed = (name in _OF_STATISTICS and not vector) or (vector and name != _COUNTS and new)
        if (needed or name in tree) and length(tree.get(name)) != count:
            raise _wrong(index, name, length(tree.get(name)), count)
    weights = length(tree.get("base_weights"))
    if weights != count * max(vector, 1):
        raise _wrong(index, "base_weights", weights, count * max(vector, 1))


def _wrong(index: int, name: str, found: int, expected: int) -> HostileError:
    return HostileError(f"tree {index} has {max(found, 0)} {name} where {expected} belong")


def _check_links(
    forest: _Forest, left: Integers, right: Integers, parents: Integers, splits: Integers,
    features: int,
) -> None:  # fmt: skip
    import numpy as np

    inner = np.flatnonzero(left != -1)
    if not forest.vector and (np.flatnonzero(right != -1).shape != inner.shape
                              or (right[inner] == -1).any()):  # fmt: skip
        raise HostileError("a node in its trees has one child")
    roots = forest.starts
    counts, starts = forest.counts[forest.of_node], forest.starts[forest.of_node]
    rootless: Any = np.ones(len(left), bool)
    rootless[roots] = False
    if not np.isin(parents[roots], _NO_PARENT).all():
        raise HostileError("a root in its trees has a parent")
    if ((parents < 0) | (parents >= counts))[rootless].any():
        raise HostileError("a node in its trees has a parent that is none")
    room, first = counts[inner], starts[inner]
    children = []
    for side in (left[inner], right[inner]):
        if ((side < 1) | (side >= room)).any():
            found = int(forest.of_node[inner[((side < 1) | (side >= room)).argmax()]])
            raise HostileError(f"a node in tree {found} leads to none")
        side = side + first
        if (parents[side] != inner - first).any():
            raise HostileError("a node in its trees has a child that names another parent")
        children.append(side)
    if (children[0] == children[1]).any():
        raise HostileError("a node in its trees has one child twice")
    looked_at = splits[inner]
    if len(inner) and not 0 <= looked_at.min() <= looked_at.max() < features:
        raise HostileError(f"a node in its trees looks at a feature that is not among {features}")
    _check_depth(roots, inner, children[0], children[1], len(left))


def _check_depth(
    roots: Integers, inner: Integers, left: Integers, right: Integers, nodes: int
) -> None:
    """Level by level. A child has the one parent it names, so no way leads back."""
    import numpy as np

    place: Integers = np.full(nodes, -1, np.int64)
    place[inner] = np.arange(len(inner))
    level = place[roots]
    for _ in range(MOST_DEEP):
        level = level[level >= 0]
        if not len(level):
            return
        level = place[np.concatenate((left[level], right[level]))]
    raise HostileError(f"one of its trees is deeper than {MOST_DEEP} nodes")


def _check_leaf_weights(
    forest: _Forest, trees: list[dict[str, Any]], left: Integers, right: Integers
) -> None:
    """Since XGBoost 3.2 a leaf's right child is the number of its weights."""
    import numpy as np

    have = ["leaf_weights" in tree for tree in trees]
    if not any(have):
        if (right[left == -1] != -1).any():
            raise HostileError("a node in its trees has one child")
        return
    rooms = np.array([length(tree.get("leaf_weights")) for tree in trees], np.int64)
    leaves = np.flatnonzero(left == -1)
    which = right[leaves]
    if not all(have) or (which < 0).any() or (
        (which + 1) * forest.vector > rooms[forest.of_node[leaves]]
    ).any():  # fmt: skip
        raise HostileError("a leaf in its trees has no weights")


def _check_categories(index: int, tree: dict[str, Any]) -> None:
    if not any(length(tree.get(name, [])) for name in _OF_CATEGORIES) and not _split_by_sets(tree):
        return
    import numpy as np

    categories, nodes, starts, sizes = (
        integers([tree.get(name, [])], name) for name in _OF_CATEGORIES
    )
    kinds = integers([tree.get("split_type", [])], "split_type")
    if not np.array_equal(nodes, np.flatnonzero(kinds == 1)) or ((kinds != 0) & (kinds != 1)).any():
        raise HostileError(
            f"tree {index} has categories_nodes that are not its nodes of categories"
        )
    if not len(nodes) == len(starts) == len(sizes):
        raise HostileError(f"tree {index} has sets of categories for other nodes")
    if len(nodes) and (
        starts[0] != 0
        or (sizes < 1).any()
        or not np.array_equal(starts[1:], np.cumsum(sizes)[:-1])
        or sizes.sum() != len(categories)
    ):
        raise HostileError(f"tree {index} has sets of categories that are none")
    if len(categories) and not 0 <= categories.min() <= categories.max() < MOST_CATEGORIES:
        raise HostileError(f"tree {index} has a category that is none")


def _split_by_sets(tree: dict[str, Any]) -> bool:
    kinds = tree.get("split_type")
    if type(kinds) is not Packed:
        return kinds is not None
    return bool(bytes(kinds.data).strip(b"\0" if kinds.kind else b"0, \t\r\n"))


def _check_sets(trees: list[dict[str, Any]]) -> None:
    """What XGBoost needs for the sets: bits up to the highest category of each."""
    import numpy as np

    having = [tree for tree in trees if length(tree.get("categories", []))]
    if not having:
        return
    room = 0
    for tree in having:
        categories = integers([tree["categories"]], "categories")
        starts = integers([tree["categories_segments"]], "categories_segments")
        room += int(np.maximum.reduceat(categories, starts).sum()) // 8
    if room > MOST_OF_SETS:
        raise HostileError(f"its sets of categories would take {room} bytes")
