"""pandas: frames, series, every kind of index and column."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from . import Benign

REQUIRES = ("numpy", "pandas")

STRINGS = ["a", "b", "a"]


def _columns() -> dict[str, Any]:
    days = pd.date_range("2026-01-01", periods=3)
    columns: dict[str, Any] = {
        "floats": [1.0, 2.0, np.nan],
        "integers": [1, 2, 3],
        "small": np.array([1, 2, 3], dtype="int8"),
        "flags": [True, False, True],
        "complexes": [1j, 2j, 3j],
        "strings": STRINGS,
        "objects": pd.Series(["a", 1, None], dtype=object),
        "categorical": pd.Categorical(STRINGS),
        "ordered": pd.Categorical(STRINGS, categories=["b", "a"], ordered=True),
        "categorical integers": pd.Categorical([1, 2, 1]),
        "dates": days,
        "zoned": days.tz_localize("UTC"),
        "fixed zone": days.tz_localize(datetime.timezone(datetime.timedelta(hours=1))),
        "deltas": pd.to_timedelta([1, 2, 3], unit="D"),
        "periods": pd.period_range("2026-01", periods=3, freq="M"),
        "intervals": pd.interval_range(0, 3),
        "nullable integers": pd.array([1, None, 3], dtype="Int64"),
        "nullable small": pd.array([1, None, 3], dtype="UInt8"),
        "nullable floats": pd.array([1.0, None, 3.0], dtype="Float64"),
        "nullable flags": pd.array([True, None, False], dtype="boolean"),
        "nullable strings": pd.array(["a", None, "c"], dtype="string"),
        "sparse": pd.arrays.SparseArray([0.0, 0.0, 1.0]),
    }
    for kind in ("Int8", "Int16", "Int32", "UInt16", "UInt32", "UInt64", "Float32"):
        columns[f"nullable {kind}"] = pd.array([1, None, 3], dtype=kind)
    return columns


def _zone(name: str) -> Any:
    try:
        return pd.date_range("2026-01-01", periods=2, tz=name)
    except Exception:
        return pd.date_range("2026-01-01", periods=2)


def _cases() -> dict[str, Any]:
    columns = _columns()
    cases: dict[str, Any] = {}
    for name, values in columns.items():
        cases[f"Series of {name}"] = pd.Series(values, name=name)
        cases[f"DataFrame of {name}"] = pd.DataFrame({"x": [1, 2, 3], name: values})
        if name != "sparse":
            cases[f"Index of {name}"] = pd.Index(values)
        cases[f"dtype of {name}"] = pd.Series(values).dtype
        cases[f"array of {name}"] = pd.Series(values).array
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 2.0, 3.0], "c": STRINGS})
    dated = pd.Series([1.0, 2.0], index=pd.date_range("2026-01-01", periods=2, freq="D"))
    cases |= {
        "DataFrame": frame,
        "DataFrame empty": pd.DataFrame(),
        "DataFrame one type": pd.DataFrame(np.eye(3)),
        "DataFrame dtypes": frame.dtypes,
        "DataFrame columns": frame.columns,
        "DataFrame indexed": frame.set_index("c"),
        "DataFrame indexed twice": frame.set_index(["c", "a"]),
        "DataFrame pivoted": frame.pivot_table(index="a", columns="c", values="b"),
        "DataFrame attrs": _with_attrs(frame),
        "DataFrame described": frame.describe(),
        "DataFrame grouped": frame.groupby("c").mean(),
        "DataFrame one-hot": pd.get_dummies(frame),
        "DataFrame by day": dated.to_frame(),
        "Series by day": dated,
        "Series counts": frame["c"].value_counts(),
        "Series empty": pd.Series([], dtype="float64"),
        "Series row": frame.iloc[0],
        "RangeIndex": pd.RangeIndex(3, name="r"),
        "MultiIndex": pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"]),
        "Index of months": pd.date_range("2026-01-01", periods=3, freq="MS"),
        "Index of weeks": pd.date_range("2026-01-01", periods=3, freq="W"),
        "Index of hours": pd.date_range("2026-01-01", periods=3, freq="2h"),
        "Index of business days": pd.bdate_range("2026-01-01", periods=3),
        "Index of quarters": pd.date_range("2026-01-01", periods=3, freq="QS"),
        "Index of years": pd.date_range("2026-01-01", periods=3, freq="YS"),
        "Index of seconds": pd.timedelta_range("1s", periods=3, freq="s"),
        "Index of Paris": _zone("Europe/Paris"),
        "Index of US Eastern": _zone("US/Eastern"),
        "Timestamp": pd.Timestamp("2026-01-01 10:00"),
        "Timestamp zoned": pd.Timestamp("2026-01-01", tz="UTC"),
        "Timedelta": pd.Timedelta(days=1),
        "Period": pd.Period("2026-01", freq="M"),
        "Interval": pd.Interval(0, 1),
        "NaT": pd.NaT,
        "NA": pd.NA,
        "CategoricalDtype": pd.CategoricalDtype(["a", "b"]),
        "DateOffset": pd.DateOffset(days=1),
        "dictionary": {"frame": frame, "means": frame.mean(numeric_only=True).to_dict()},
        "functions": [pd.isna, pd.notna, pd.to_numeric, pd.to_datetime, pd.get_dummies],
        "classes": [pd.DataFrame, pd.Series, pd.Timestamp, pd.Index],
    }
    for name in ("Day", "Hour", "Minute", "Second", "MonthEnd", "BusinessDay", "Week", "YearEnd"):
        cases[f"offset {name}"] = getattr(pd.offsets, name)()
    return cases


def _with_attrs(frame: Any) -> Any:
    frame = frame.copy()
    frame.attrs["source"] = "sensor"
    return frame


def models() -> Iterator[Benign]:
    for name, value in _cases().items():
        yield Benign(f"pandas {name}", lambda value=value: value, repr)
