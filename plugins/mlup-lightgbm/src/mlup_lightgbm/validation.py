"""A whole text model, checked before LightGBM's parser sees it: :func:`validate`."""

from __future__ import annotations

import io
import re
from typing import Final, NamedTuple

from mlup_lightgbm.header import HostileTextError, check_header
from mlup_lightgbm.text import BOM, IncompleteTextError, check, starts_of

_TREE: Final = re.compile(rb"\nTree=")


class Checked(NamedTuple):
    """A text of which all but its trees is known to be right.

    Attributes:
        starts: where each tree begins.
        end: where the last one ends.
        features: their number.
    """

    starts: list[int]
    end: int
    features: int

    @property
    def trees(self) -> int:
        """Their number."""
        return len(self.starts)


def normal(data: bytes) -> bytes:
    """The text as LightGBM on Linux writes it: no byte order mark, no Windows line ends."""
    return data.removeprefix(BOM).replace(b"\r\n", b"\n")


def validate(data: bytes) -> None:
    """Make sure that LightGBM can read the text, and predict with what it reads.

    Args:
        data: the whole text, :func:`normal`.

    Raises:
        IncompleteTextError: it is no text model, or not a whole one.
        HostileTextError: it is one in its structure, but not one that LightGBM writes.
        UnicodeDecodeError: the names of its features are not UTF-8.
    """
    from mlup_lightgbm.trees import check_trees

    checked = validate_outside_trees(data)
    check_trees(data, checked.starts, checked.end, checked.features)


def validate_outside_trees(data: bytes) -> Checked:
    """The part of :func:`validate` that needs no NumPy. It raises the same errors."""
    model = check(io.BytesIO(data))
    if model.end is None:
        raise IncompleteTextError("nothing ends its trees")
    starts = starts_of(model)
    if model.trees is None:  # before LightGBM 2.0.12, which wrote no tree_sizes
        starts = [found.start() + 1 for found in _TREE.finditer(data, model.start - 1, model.end)]
        if starts[:1] != [model.start]:
            raise HostileTextError("no tree follows its header")
    if b"\r" in data[: model.start]:
        raise HostileTextError("in its header stands a carriage return alone")
    # Without a tree LightGBM takes the whole text for the header.
    features = check_header(data[: model.start] if starts else data, len(starts))
    return Checked(starts, model.end, features)
