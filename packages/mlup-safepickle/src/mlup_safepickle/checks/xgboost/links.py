"""What the nodes of trees say of each other: that children, parents and features are there.

Each child names its parent, so that it has one alone, and no way down leads back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlup_safepickle.checks.xgboost.values import HostileError, integers

if TYPE_CHECKING:
    from mlup_safepickle.checks.xgboost.values import Integers

MOST_DEEP: Final = 4096
"""Nodes from the root to a leaf: XGBoost dumps and explains trees by calls within calls."""

_NO_PARENT: Final = (-1, (1 << 31) - 1)


def check_links(
    trees: list[dict[str, Any]], number: int, counts: Integers, features: int, vector: bool
) -> tuple[Integers, Integers]:
    """Make sure that every way down from a root ends, and looks at features that there are.

    Args:
        trees: whose arrays have the lengths that belong.
        number: of the first of them.
        counts: the nodes of each.
        features: of the model.
        vector: leaves say in ``right_children`` where their weights are.

    Returns:
        The left and right children of all nodes.

    Raises:
        HostileError: it does not.
    """
    import numpy as np

    left, right, parents, splits = (
        integers([tree[name] for tree in trees], name)
        for name in ("left_children", "right_children", "parents", "split_indices")
    )
    roots = np.cumsum(counts) - counts
    # A negative number is a very large one without its sign: one comparison for both ends.
    rooms: Any = np.repeat(counts, counts).view(np.uint64)
    begins: Any = np.repeat(roots, counts)
    has_children = left != -1
    if not vector and ((right != -1) != has_children).any():
        raise HostileError("a node in its trees has one child")
    above = parents[roots]
    if ((above != _NO_PARENT[0]) & (above != _NO_PARENT[1])).any():
        raise HostileError("a root in its trees has a parent")
    parents[roots] = 0
    if (parents.view(np.uint64) >= rooms).any():
        raise HostileError("a node in its trees has a parent that is none")
    parents[roots] = -1
    inner = np.flatnonzero(has_children)
    rooms, begins = rooms[inner], begins[inner]
    own = inner - begins
    sides = []
    for side in (left[inner], right[inner]):
        astray = (side.view(np.uint64) >= rooms) | (side == 0)
        if astray.any():
            found = number + int(np.searchsorted(roots, inner[astray.argmax()], "right")) - 1
            raise HostileError(f"a node in tree {found} leads to none")
        side += begins
        if (parents[side] != own).any():
            raise HostileError("a node in its trees has a child that names another parent")
        sides.append(side)
    if (sides[0] == sides[1]).any():
        raise HostileError("a node in its trees has one child twice")
    if len(inner) and int(splits[inner].view(np.uint64).max()) >= features:
        raise HostileError(f"a node in its trees looks at a feature that is not among {features}")
    deep = counts >= 2 * MOST_DEEP  # in others, there is no room for such a way
    if deep.any():
        _check_depth(roots[deep], inner, sides[0], sides[1], len(left))
    return left, right


def _check_depth(
    roots: Integers, inner: Integers, left: Integers, right: Integers, nodes: int
) -> None:
    """Level by level."""
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


def check_leaf_weights(
    left: Integers, right: Integers, counts: Integers, rooms: Integers, vector: int
) -> None:
    """Since XGBoost 3.2 the right child of a leaf of several outputs is the number of its weights.

    Args:
        left: children of all nodes.
        right: the same.
        counts: the nodes of each tree.
        rooms: how many ``leaf_weights`` it has, -1 where it has not got the name.
        vector: how many belong to a leaf.

    Raises:
        HostileError: a leaf has none.
    """
    import numpy as np

    leaves = np.flatnonzero(left == -1)
    which = right[leaves]
    if (rooms == -1).all():
        if (which != -1).any():
            raise HostileError("a node in its trees has one child")
        return
    if (rooms < 0).any() or (which < 0).any() or (
        which >= np.repeat(rooms // vector, counts)[leaves]
    ).any():  # fmt: skip
        raise HostileError("a leaf in its trees has no weights")
