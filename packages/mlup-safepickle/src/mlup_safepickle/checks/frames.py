"""pandas: functions that make an instance of the class they are given."""

from __future__ import annotations

from typing import Any


def new_index(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_new_Index(cls, arguments)`` and its like: an index of pandas', from named arguments."""
    import pandas as pd

    if kwargs or len(args) != 2 or not isinstance(args[0], type) or type(args[1]) is not dict:
        return "there are other arguments"
    own = issubclass(args[0], pd.Index) and args[0].__module__.partition(".")[0] == "pandas"
    return None if own else "it is no index of pandas'"
