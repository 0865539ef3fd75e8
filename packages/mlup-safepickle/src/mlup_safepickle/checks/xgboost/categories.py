"""Nodes that split by a set of categories. Source: ``LoadCategoricalSplit`` in ``src/tree``.

All sets of a tree lie in one array; for each such node there are its number, where its set begins
and how long it is. XGBoost makes a set of bits of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlup_safepickle.checks.xgboost.values import JSON, HostileError, bytes_of, integers

if TYPE_CHECKING:
    from mlup_safepickle.checks.xgboost.values import Integers

OF_CATEGORIES: Final = ("categories", "categories_nodes", "categories_segments",
                        "categories_sizes")  # fmt: skip

MOST_CATEGORIES: Final = 1 << 24
"""``common/categorical.h``: a float counts no further."""


def check_categories(trees: list[dict[str, Any]], sizes: dict[str, Integers]) -> int:
    """Make sure that each node that splits by a set has one.

    Args:
        trees: whose arrays of nodes have the lengths that belong.
        sizes: of their arrays, by name; negative for none.

    Returns:
        The bytes that XGBoost needs for the sets: bits up to the highest category of each.

    Raises:
        HostileError: one has none, or something else has one.
    """
    import numpy as np

    filled = np.any([(sizes[name] != 0) & (sizes[name] != -1) for name in OF_CATEGORIES], axis=0)
    if not filled.any() and not _split_by_sets(trees):
        return 0
    having = [index for index, tree in enumerate(trees) if filled[index] or _split_by_sets([tree])]
    some = [trees[index] for index in having]
    held, *numbers = (np.maximum(sizes[name][having], 0) for name in OF_CATEGORIES)
    if (numbers[0] != numbers[1]).any() or (numbers[0] != numbers[2]).any():
        raise HostileError("one of its trees has sets of categories for other nodes")
    categories, nodes, starts, lengths = (
        integers([tree.get(name, []) for tree in some], name) for name in OF_CATEGORIES
    )
    _check_nodes(some, sizes["left_children"][having], nodes, numbers[0])
    total = len(categories)
    if ((lengths < 1) | (lengths > total)).any():
        raise HostileError("one of its trees has sets of categories that are none")
    ends = np.concatenate(([0], np.cumsum(lengths)))
    begins: Any = np.repeat(np.cumsum(held) - held, numbers[0])
    if (ends[np.cumsum(numbers[0])] != np.cumsum(held)).any() or (
        starts != ends[:-1] - begins
    ).any():
        raise HostileError("one of its trees has sets of categories that are none")
    if not total:
        return 0
    if categories.min() < 0 or categories.max() >= MOST_CATEGORIES:
        raise HostileError("one of its trees has a category that is none")
    return int(np.maximum.reduceat(categories, ends[:-1]).sum()) // 8


def _check_nodes(
    trees: list[dict[str, Any]], counts: Integers, nodes: Integers, numbers: Integers
) -> None:
    import numpy as np

    kinds = integers([tree.get("split_type", []) for tree in trees], "split_type")
    begins = np.cumsum(counts) - counts
    if (
        len(kinds) != counts.sum()
        or (kinds.view(np.uint64) > 1).any()
        or (nodes.view(np.uint64) >= np.repeat(counts, numbers).view(np.uint64)).any()
        or not np.array_equal(nodes + np.repeat(begins, numbers), np.flatnonzero(kinds))
    ):
        raise HostileError(
            "one of its trees has categories_nodes that are not its nodes of categories"
        )


def _split_by_sets(trees: list[dict[str, Any]]) -> bool:
    columns = [tree["split_type"] for tree in trees if "split_type" in tree]
    if not all(type(each) is tuple for each in columns):
        return True
    zeros = b"0, \t\r\n" if columns and columns[0][0] == JSON else b"\0"
    return bool(bytes_of(columns).strip(zeros))
