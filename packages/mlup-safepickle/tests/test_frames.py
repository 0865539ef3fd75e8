"""pandas: frames of all kinds load; the function that makes an index makes nothing else."""

from __future__ import annotations

import argparse
import io
import pickle
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

np = pytest.importorskip("numpy")
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


def kinds() -> list[Any]:
    mixed = pd.DataFrame(
        {"a": [1.0, 2.0], "b": ["x", "y"], "c": [1, 2], "d": [True, False],
         "e": pd.Categorical(["x", "y"]), "f": pd.date_range("2026", periods=2, tz="UTC"),
         "g": pd.array([1, None], dtype="Int64"), "h": pd.interval_range(0, 2),
         "i": pd.to_timedelta([1, 2]), "j": pd.arrays.SparseArray([0, 1])}
    )  # fmt: skip
    grown = mixed.copy()
    grown["new"] = 1
    grown.attrs = {"unit": {"of": ["a"]}}
    del grown["a"]
    two = pd.DataFrame([[1, 2.5]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    frames_ = [mixed, grown, grown[grown.columns[::-1]], mixed.iloc[:0], two, two.T, pd.DataFrame(),
               pd.DataFrame(index=[1]), pd.DataFrame(columns=["a"]),
               pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)]  # fmt: skip
    names = [None, 3, ("a", 1), pd.Timestamp("2026-01-01"), pd.NaT, 1.5, frozenset("a")]
    series = [frame[name] for frame in frames_ for name in frame.columns]
    return frames_ + series + [mixed.iloc[0]] + [pd.Series([1], name=name) for name in names]


def test_states_of_all_kinds() -> None:
    for value in kinds():
        assert frames.frame_state(value.__getstate__(), value) is None
        if isinstance(value, pd.Series):
            empty = type(value._mgr).__new__(type(value._mgr))
            assert frames.manager_state(value._mgr.__getstate__(), empty) is None
            assert "already" in frames.manager_state(value._mgr.__getstate__(), value._mgr)


def test_states_that_are_none() -> None:
    frame, series = pd.DataFrame({"a": [1], "b": [2.5]}), pd.Series([1], name="s")

    class Own(type(frame._mgr)):  # type: ignore[misc]
        """A manager of another package."""

    for value, changes in (
        (frame, {"_mgr": argparse.Namespace(set_axis=len, axes=[], blocks=())}),
        (frame, {"_mgr": series._mgr}),
        (frame, {"_mgr": Own(frame._mgr.blocks, frame._mgr.axes)}),
        (frame, {"_mgr": None}),
        (frame, {"index": ["x"]}),
        (frame, {"columns": ["x"]}),
        (frame, {"_data": frame._mgr}),
        (frame, {"__class__": dict}),
        (frame, {"_item_cache": {}}),
        (frame, {"_constructor": len}),
        (frame, {"_typ": "series"}),
        (frame, {"_typ": None}),
        (frame, {"_flags": {"allows_duplicate_labels": 1}}),
        (frame, {"_flags": {"_obj": True}}),
        (frame, {"_flags": []}),
        (frame, {"attrs": []}),
        (frame, {"_metadata": ["_mgr"]}),
        (frame, {"_metadata": ("_name",)}),
        (frame, {1: 2}),
        (series, {"_mgr": frame._mgr}),
        (series, {"_name": len}),
        (series, {"_name": []}),
        (series, {"_name": ("a", len)}),
        (series, {"name": argparse.Namespace()}),
        (series, {"index": [1]}),
    ):
        said = frames.frame_state({**value.__getstate__(), **changes}, value)
        assert said, changes
    for state in (None, [], (), {}, {"_typ": "dataframe"}, frame._mgr):
        assert frames.frame_state(state, frame)


def test_a_name_that_takes_exponential_time() -> None:
    name: tuple[Any, ...] = (1,)
    for _ in range(60):
        name = (name, name)
    series = pd.Series([1])
    assert "no name" in frames.frame_state({**series.__getstate__(), "_name": name}, series)


def test_blocks_at_places_that_are_none() -> None:
    """pandas writes to the places that blocks name without a look at the bounds."""
    from pandas._libs.internals import _unpickle_block

    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    values, cls = np.ones((2, 2)), type(frame._mgr)
    for places, block_values in (
        (slice(2, 4), values),
        (slice(10**9, 10**9 + 2), values),
        (np.array([0, 0]), values),
        (np.array([1, 10**6]), values),
        (slice(0, 2**40), values),
        (slice(0, 1), values[:1]),
        (slice(0, 2), np.ones((2, 3))),
    ):
        block = _unpickle_block(block_values, places, 2)
        manager = cls((block,), list(frame._mgr.axes), verify_integrity=False)
        assert frames.frame_state({**frame.__getstate__(), "_mgr": manager}, frame)
    block = _unpickle_block(values, np.array([1, 0]), 2)
    manager = cls((block,), list(frame._mgr.axes))
    assert frames.frame_state({**frame.__getstate__(), "_mgr": manager}, frame) is None


def test_managers_that_are_none() -> None:
    series = pd.Series([1, 2])
    cls = type(series._mgr)
    empty = cls.__new__(cls)
    assert frames.frame_state({**series.__getstate__(), "_mgr": empty}, series)
    axes, values, items, extra = series._mgr.__getstate__()
    known = extra["0.14.1"]
    for changes in ({"axes": []}, {"axes": [[1, 2]]}, {"axes": None}, {"blocks": []},
                    {"blocks": [1]}, {"blocks": [{"values": len, "mgr_locs": slice(0, 2)}]},
                    {"blocks": [{"values": np.ones(2), "mgr_locs": [0]}]}, {"more": 1}):  # fmt: skip
        state = (axes, values, items, {"0.14.1": {**known, **changes}})
        assert frames.manager_state(state, empty), changes
    for state in (None, {}, (), (axes, values, items), (axes, values, items, {})):
        assert frames.manager_state(state, empty)
    longer = cls(series._mgr.blocks[0], pd.RangeIndex(3))
    assert "length" in frames.frame_state({**series.__getstate__(), "_mgr": longer}, series)
