"""The trees of a text model, checked before LightGBM's parser and its predictions go by them.

Source: ``Tree::Tree(const char*, size_t*)`` in ``src/io/tree.cpp`` and the decisions in
``include/LightGBM/tree.h``. LightGBM 4.7 ends the process over an array of another length and over
what is no number, and follows children, features and categories wherever they point.

Trees are looked at some hundreds at a time with NumPy, which costs about what reading them costs
LightGBM. What is checked of each::

    num_leaves=4                        n, 1 or more
    num_cat=1
    split_feature=0 0 1                 n - 1 numbers, features that the header has
    threshold=0 0.5 0.4                 n - 1; of a categorical node: which set of categories
    decision_type=9 2 2                 n - 1; its lowest bit makes a node categorical
    left_child=1 -1 -2                  n - 1; node k, or leaf -1 - k: one tree, each met once
    right_child=2 -3 -4
    leaf_value=…                        n numbers; leaf_weight, leaf_count too; internal_… n - 1
    cat_boundaries=0 2                  num_cat + 1, rising to the length of cat_threshold
    cat_threshold=613566756 37481
    is_linear=1                         and with it leaf_const, num_features: n;
    leaf_features=…                     leaf_coeff, leaf_features: the sum of num_features
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, Final

from mlup_lightgbm.header import HostileTextError
from mlup_lightgbm.spelling import Alike, grouped, lengths, spelled

Array = Any  # of NumPy, which is imported where it is needed

MOST_DEEP: Final = 4096
"""Nodes from the root to a leaf. LightGBM's ``dump_model`` and ``pred_contrib`` go down in calls:
over 16,000 end a process with 8 MiB of stack."""

_BATCH: Final = 1 << 20
_NODE_LINES: Final = (
    b"split_feature",
    b"split_gain",
    b"threshold",
    b"decision_type",
    b"left_child",
    b"right_child",
    b"internal_value",
    b"internal_weight",
    b"internal_count",
)
_LEAF_LINES: Final = (b"leaf_weight", b"leaf_count")
_NEEDED_TO_SPLIT: Final = (b"split_feature", b"threshold", b"left_child", b"right_child")
_NEEDED_IF_LINEAR: Final = (b"leaf_const", b"num_features", b"leaf_features", b"leaf_coeff")

_ZERO_OR_INF: Final = re.compile(rb"[-+]?(?:[0.]+(?:[eE][-+]?\d+)?|(?i:inf(?:inity)?))")
_SMALLEST: Final = 2.2250738585072014e-308


def check_trees(data: bytes, starts: Sequence[int], end: int, features: int) -> None:
    """Make sure that LightGBM can read the trees, and that predictions stay within them.

    Args:
        data: the whole text, its lines ended by newlines alone.
        starts: where each tree begins, as the header says.
        end: where the last one ends.
        features: how many the header has.

    Raises:
        HostileTextError: one is not what LightGBM writes.
    """
    number = 0
    while number < len(starts):
        following = number + 1
        while following < len(starts) and starts[following] - starts[number] <= _BATCH:
            following += 1
        stop = starts[following] if following < len(starts) else end
        last = following == len(starts)
        if not data.endswith(b"\n\n", 0, stop + (last and data.startswith(b"\n", stop))):
            raise HostileTextError(f"tree {following - 1} ends in no blank line")
        piece = spelled(data[starts[number] : stop])
        groups = grouped(piece)
        if sum(len(alike.names) for alike in groups) != following - number:
            raise HostileTextError(f"behind tree {number} there is one that tree_sizes=… has not")
        of_line = lengths(piece)
        for alike in groups:
            _Group(alike, of_line).check(features)
        number = following


class _Group:
    """Trees that have the same lines, by line."""

    def __init__(self, alike: Alike, of_line: Array) -> None:
        import numpy as np

        lines = np.add.outer(np.arange(len(alike.keys)), alike.places)
        columns = zip(*alike.values, strict=False)
        self.names = alike.names
        self.columns = dict(zip(alike.keys, columns, strict=False))
        self.lengths = dict(zip(alike.keys, of_line[lines], strict=True))

    def check(self, features: int) -> None:
        """Raises: HostileTextError."""
        leaves, categories = self.scalars(b"num_leaves"), self.scalars(b"num_cat")
        linear = self.scalars(b"is_linear") != 0 if b"is_linear" in self.columns else leaves < 0
        self.refuse(leaves < 1, "has no leaf")
        self.refuse(categories < 0, "has fewer than no categorical splits")
        self.require((b"leaf_value",))
        self.refuse(self.lengths[b"leaf_value"] != leaves, "has another number of leaf_value")
        read = (leaves > 1) | linear  # LightGBM reads no further in the others
        if not read.all():
            self.keep(read)
            leaves, categories, linear = leaves[read], categories[read], linear[read]
        if not len(leaves):
            return
        self.require(_NEEDED_TO_SPLIT)
        for keys, length in ((_NODE_LINES, leaves - 1), (_LEAF_LINES, leaves)):
            for key in keys:
                if key in self.columns:
                    said = f"has another number of {key.decode()} than its num_leaves"
                    self.refuse(self.lengths[key] != length, said)
        if linear.any():
            self.linear(leaves, linear, features)
        self.categorical(leaves, categories)
        nodes = leaves - 1
        split = self.integers(b"split_feature")
        self.refuse_nodes((split < 0) | (split >= features), nodes, "has a feature that is none")
        self.connected(leaves)

    def connected(self, leaves: Array) -> None:
        """Each child is there, is met once, and all are met on the way down from the root."""
        import numpy as np

        nodes = leaves - 1
        left, right = self.integers(b"left_child"), self.integers(b"right_child")
        first_node, first_leaf = _offsets(nodes), _offsets(leaves)
        owner: Array = np.repeat(np.arange(len(nodes)), nodes)
        of_node, of_leaf = first_node[owner], first_leaf[owner]
        inside, most = int(nodes.sum()), nodes[owner]
        roots = first_node[nodes > 0]
        met: Array = np.zeros(inside + int(leaves.sum()), np.bool_)
        met[roots] = True
        met[inside + first_leaf[nodes == 0]] = True
        below = []
        for child in (left, right):
            strange = (child >= most) | (child == 0) | (child < -1 - most)
            self.refuse_nodes(strange, nodes, "has a child that is none")
            inner = child > 0
            below.append(np.where(inner, child + of_node, -1))
            met[np.where(inner, child + of_node, inside - 1 - child + of_leaf)] = True
        # There are as many ends of branches as nodes and leaves without the roots: met means once.
        self.refuse_nodes(~met[:inside], nodes, "has a node that is no child, and another twice")
        self.refuse_nodes(~met[inside:], leaves, "has a leaf that is no child, and another twice")
        level, seen, depth = roots, 0, 0
        while level.size:
            seen, depth = seen + level.size, depth + 1
            if depth > MOST_DEEP:
                which = self.names[int(owner[level[0]])].decode()
                raise HostileTextError(f"tree {which} is more than {MOST_DEEP} nodes deep")
            level = np.concatenate((below[0][level], below[1][level]))
            level = level[level >= 0]
        if seen != inside:
            raise HostileTextError(f"{self.some()} has a circle among its nodes")

    def categorical(self, leaves: Array, categories: Array) -> None:
        """Categorical nodes and sets of categories belong together."""
        import numpy as np

        kinds: Array = np.zeros(int((leaves - 1).sum()), np.int64)
        if b"decision_type" in self.columns:
            kinds = self.integers(b"decision_type")
            self.refuse_nodes((kinds < 0) | (kinds > 127), leaves - 1, "has no decision_type")
        if categories.any():
            some = categories > 0
            self.require((b"cat_boundaries", b"cat_threshold"))
            bounds = self.lengths[b"cat_boundaries"][some]
            if (bounds != categories[some] + 1).any():
                raise HostileTextError(f"{self.some(some)} has other cat_boundaries than num_cat")
            edges = self.integers(b"cat_boundaries", some)
            last = np.cumsum(bounds) - 1
            rising = np.diff(edges) >= 0
            rising[last[:-1]] = True
            right = (edges[_offsets(bounds)] >= 0) & (
                edges[last] == self.lengths[b"cat_threshold"][some]
            )
            if not (rising.all() and right.all()):
                raise HostileTextError(f"{self.some(some)} has cat_boundaries without a set")
        chosen = kinds & 1 > 0
        if chosen.any():
            having = np.repeat(categories, leaves - 1)[chosen]
            index = self.floats(b"threshold")[chosen]
            wrong: Array = np.zeros(len(chosen), np.bool_)
            wrong[chosen] = ~((index >= 0) & (index < having))
            self.refuse_nodes(wrong, leaves - 1, "has a categorical split without categories")

    def linear(self, leaves: Array, linear: Array, features: int) -> None:
        """The linear models in the leaves are whole, of features that there are."""
        import numpy as np

        self.require(_NEEDED_IF_LINEAR)
        leaves = leaves[linear]
        for key in (b"leaf_const", b"num_features"):
            if (self.lengths[key][linear] != leaves).any():
                raise HostileTextError(f"{self.some(linear)} has another number of {key.decode()}")
        each = self.integers(b"num_features", linear)
        if ((each < 0) | (each > features)).any():
            raise HostileTextError(f"{self.some(linear)} has a num_features that cannot be")
        total = np.add.reduceat(each, _offsets(leaves))
        for key in (b"leaf_features", b"leaf_coeff"):
            if (self.lengths[key][linear] != total).any():
                raise HostileTextError(f"{self.some(linear)} has another number of {key.decode()}")
        used = self.integers(b"leaf_features", linear)
        if ((used < 0) | (used >= features)).any():
            raise HostileTextError(f"{self.some(linear)} has a leaf with a feature that is none")
        for key in (b"leaf_const", b"leaf_coeff"):  # by std::stod, which throws out of its range
            with np.errstate(all="ignore"):
                values = np.abs(self.floats(key, linear))
            odd = np.flatnonzero((values < _SMALLEST) | np.isinf(values))
            tokens = self.joined(key, linear).split() if odd.size else []
            if not all(_ZERO_OR_INF.fullmatch(tokens[at]) for at in odd):
                raise HostileTextError(f"{self.some(linear)} has a {key.decode()} out of range")

    def keep(self, which: Array) -> None:
        self.names = list(compress(self.names, which))
        self.columns = {key: tuple(compress(col, which)) for key, col in self.columns.items()}
        self.lengths = {key: lengths[which] for key, lengths in self.lengths.items()}

    def require(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            if key not in self.columns:
                raise HostileTextError(f"{self.some()} has no line {key.decode()}=")

    def scalars(self, key: bytes) -> Array:
        self.require((key,))
        self.refuse(self.lengths[key] != 1, f"has no single {key.decode()}")
        return self.integers(key)

    def joined(self, key: bytes, which: Array | None = None) -> bytes:
        column = self.columns[key]
        values = filter(None, column if which is None else compress(column, which))
        return b" ".join(values)

    def integers(self, key: bytes, which: Array | None = None) -> Array:
        import numpy as np

        text = self.joined(key, which)
        if text.translate(None, b"0123456789- "):
            raise HostileTextError(f"{self.some(which)} has a {key.decode()} that is no integer")
        return np.fromstring(text, np.int64, sep=" ") if text else np.zeros(0, np.int64)

    def floats(self, key: bytes, which: Array | None = None) -> Array:
        import numpy as np

        text = self.joined(key, which)
        return np.fromstring(text, np.float64, sep=" ") if text else np.zeros(0)

    def refuse(self, bad: Array, said: str) -> None:
        if bad.any():
            raise HostileTextError(f"{self.some(bad)} {said}")

    def refuse_nodes(self, bad: Array, nodes: Array, said: str) -> None:
        import numpy as np

        if bad.any():
            tree = int(np.searchsorted(np.cumsum(nodes), bad.argmax(), side="right"))
            raise HostileTextError(f"tree {self.names[tree].decode()} {said}")

    def some(self, which: Array | None = None) -> str:
        """The first tree of these, for a message."""
        at = 0 if which is None else int(which.argmax())
        return f"tree {self.names[at].decode()}" + (
            "" if which is None or len(which) == 1 else " or a later one"
        )


def _offsets(lengths: Array) -> Array:
    """Where each of these begins in a row of all."""
    import numpy as np

    return np.cumsum(lengths) - lengths
