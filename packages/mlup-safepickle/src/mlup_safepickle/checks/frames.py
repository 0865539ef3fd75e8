"""pandas: indexes made from named arguments, and frames, whose states run property setters.

Source: ``NDFrame.__getstate__`` and ``__setstate__`` (``pandas/core/generic.py``),
``SingleBlockManager.__getstate__`` (``pandas/core/internals/managers.py``) and
``BlockManager._rebuild_blknos_and_blklocs`` (``pandas/_libs/internals.pyx``, which writes to the
places that blocks name without a look at the bounds) of pandas 1.5 to 3.1.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import uuid
from typing import Any, Final

_MANAGERS: Final = {"dataframe": "BlockManager", "series": "SingleBlockManager"}
_KEYS: Final = frozenset({"_data", "_flags", "_metadata", "_mgr", "_name", "_typ", "attrs", "name"})
_FLAGS: Final = frozenset({"allows_duplicate_labels"})
_LABELS: Final = frozenset(
    {str, bytes, int, float, complex, bool, type(None), datetime.datetime, datetime.date,
     datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID}
)  # fmt: skip
_MOST_LABELS: Final = 1000  # of a name that is a tuple: tuples of tuples take exponential time


def new_index(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_new_Index(cls, arguments)`` and its like: an index of pandas', from named arguments."""
    import pandas as pd

    if kwargs or len(args) != 2 or not isinstance(args[0], type) or type(args[1]) is not dict:
        return "there are other arguments"
    own = issubclass(args[0], pd.Index) and _of_pandas(args[0])
    return None if own else "it is no index of pandas'"


def frame_state(state: Any, frame: Any) -> str | None:
    """A DataFrame's or Series': its manager, and what else ``__getstate__`` writes, no property."""
    if type(state) is not dict or not all(type(key) is str for key in state):
        return "it is no dict of names"
    own = type(frame)._metadata
    for key in state:
        if key not in _KEYS and key not in own:
            return f"it sets {key:.100}"
    kind = state.get("_typ")
    if type(kind) is not str or kind != type(frame)._typ or kind not in _MANAGERS:
        return "it is of another kind"
    if ("_mgr" in state) == ("_data" in state):  # the name before pandas 1.1
        return "it has no manager, or two"
    manager = state["_mgr"] if "_mgr" in state else state["_data"]
    cls = type(manager)
    if cls.__name__ != _MANAGERS[kind] or cls is not _class_of(cls.__name__):
        return "its manager is none"
    flags, attributes = state.get("_flags", {}), state.get("attrs", {})
    if type(flags) is not dict or any(
        type(key) is not str or key not in _FLAGS or type(value) is not bool
        for key, value in flags.items()
    ):
        return "its flags are none"
    if type(attributes) is not dict:
        return "its attrs are no dict"
    names = state.get("_metadata", [])
    if type(names) is not list or not all(
        type(name) is str and (name in own or name in ("_name", "name")) for name in names
    ):
        return "its metadata are of another class"
    for key in {*own, "_name", "name"} - {"_metadata", "_typ", "_mgr", "_flags", "attrs"}:
        if key in state and not _is_label(state[key]):
            return f"its {key:.100} is no name"
    return _against_manager(manager, kind)


def manager_state(state: Any, manager: Any) -> str | None:
    """A manager's ``(axes, values, items, {"0.14.1": …})``, given once: a frame relies on it."""
    import numpy as np

    if getattr(manager, "axes", None):
        return "it has a state already"
    if type(state) is not tuple or len(state) != 4 or type(state[3]) is not dict:
        return "it is of an unknown version"
    found = state[3].get("0.14.1")
    if type(found) is not dict or found.keys() != {"axes", "blocks"}:
        return "it is of an unknown version"
    axes, blocks = found["axes"], found["blocks"]
    if type(axes) is not list or not all(map(_is_index, axes)) or len(axes) not in (1, 2):
        return "its axes are none"
    if type(blocks) is not list or (len(axes) == 1 and len(blocks) != 1):
        return "its blocks are none"
    for block in blocks:
        if type(block) is not dict or block.keys() != {"values", "mgr_locs"}:
            return "its blocks are none"
        if type(block["values"]) is not np.ndarray and not _of_pandas(type(block["values"])):
            return "its values are none"
        if type(block["mgr_locs"]) not in (slice, np.ndarray):
            return "its places are none"
    return None


def _class_of(name: str) -> Any:
    from pandas.core.internals import managers

    return getattr(managers, name)


def _of_pandas(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "pandas"


def _is_index(value: Any) -> bool:
    import pandas as pd

    return isinstance(value, pd.Index) and _of_pandas(type(value))


def _is_label(value: Any) -> bool:
    """Whether it is plain and can be hashed: of Python, numpy or pandas, or a tuple of these."""
    import numpy as np
    import pandas as pd

    known = (pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval, type(pd.NaT), type(pd.NA))
    todo, seen = [value], 0
    while todo:
        each = todo.pop()
        seen += 1
        if seen > _MOST_LABELS:
            return False
        if type(each) in (tuple, frozenset):
            if len(each) > _MOST_LABELS:
                return False
            todo.extend(each)
        elif type(each) in _LABELS or type(each) in known:
            continue
        elif not isinstance(each, (np.generic, np.dtype)) or isinstance(each, np.void):
            return False
    return True


def _against_manager(manager: Any, kind: str) -> str | None:
    """Axes that are indexes, and blocks that fill the places along the first one, each once."""
    import numpy as np

    try:
        axes, blocks = manager.axes, manager.blocks
        if type(axes) is not list or not all(map(_is_index, axes)) or type(blocks) is not tuple:
            return "its manager is empty"
        if not all(_of_pandas(type(block)) for block in blocks):
            return "its blocks are none"
        if kind == "series":
            one = len(axes) == len(blocks) == 1 and len(blocks[0].mgr_locs) == len(axes[0])
            fits = one and blocks[0].shape == (len(axes[0]),)
            return None if fits else "its block has another length than its index"
        if len(axes) != 2:
            return "its manager is empty"
        items, rows = map(len, axes)
        # The lengths first: a slice may stand for more places than there is memory.
        if sum(len(block.mgr_locs) for block in blocks) != items or any(
            tuple(block.shape) != (len(block.mgr_locs), rows) for block in blocks
        ):
            return "its blocks have other lengths than its indexes"
        places = [block.mgr_locs.as_array for block in blocks]
        if places and (np.sort(np.concatenate(places)) != np.arange(items)).any():
            return "its blocks are at places that are none"
    except Exception as error:  # whatever an object without its state raises
        return f"its manager is damaged ({type(error).__name__})"
    return None
