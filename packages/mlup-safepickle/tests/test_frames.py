"""pandas: frames of all kinds load; the function that makes an index makes nothing else."""

from __future__ import annotations

import argparse
import io
import pickle
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

pd = pytest.importorskip("pandas")
frames = pytest.importorskip("mlup_safepickle.checks.frames")


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


@pytest.mark.parametrize("protocol", range(2, 6))
def test_frames_and_series(protocol: int) -> None:
    for value in (
        pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2], "c": ["x", "y"], "d": [True, False]}),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)], names=["m", "n"])),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}, index=pd.RangeIndex(2)),
        pd.DataFrame({"a": [1]}, index=pd.date_range("2026-01-01", periods=1, freq="D")),
        pd.DataFrame({"a": [1]}, index=pd.to_timedelta(["1D"])),
        pd.DataFrame({"a": [1]}, index=pd.interval_range(0, 1)),
    ):
        pd.testing.assert_frame_equal(load(pickle.dumps(value, protocol)), value)
    series = pd.Series([1.5, None], index=["a", "b"], name="s")
    pd.testing.assert_series_equal(load(pickle.dumps(series, protocol)), series)


def test_an_index_is_one_of_pandas() -> None:
    class Own(pd.Index):  # type: ignore[misc]
        """A subclass in another package: its ``__new__`` would be called."""

    assert frames.new_index((pd.Index, {"data": [1]}), {}) is None
    assert frames.new_index((pd.RangeIndex, {}), {}) is None
    for args in ((dict, {}), (argparse.Namespace, {}), (pd.DataFrame, {}), (Own, {}),
                 (pd.Index([1]), {}), (pd.Index, [1]), (pd.Index,), (pd.Index, {}, {}), ()):  # fmt: skip
        assert frames.new_index(args, {})
    assert frames.new_index((pd.Index, {}), {"data": 1})


def test_an_index_of_another_class_in_a_pickle() -> None:
    data = b"cpandas.core.indexes.base\n_new_Index\n(c%s\n}tR."
    for cls in (b"argparse\nNamespace", b"builtins\ndict", b"collections\nOrderedDict"):
        with pytest.raises(Refused, match="no index of pandas"):
            load(data % cls)
