"""XGBoost: boosters of all kinds load; a model that would break its parser or predictor does not."""

from __future__ import annotations

import random
import struct
import warnings
from typing import Any

import pytest

np = pytest.importorskip("numpy")
xgboost = pytest.importorskip("xgboost")
boosters = pytest.importorskip("mlup_safepickle.checks.boosters")

RNG = np.random.default_rng(0)
X = RNG.random((120, 5))
Y = (X[:, 0] > 0.5).astype(int)


def handle_of(model: Any) -> bytearray:
    booster = model if isinstance(model, xgboost.Booster) else model.get_booster()
    return booster.__getstate__()["handle"]


@pytest.fixture(scope="module")
def handle() -> bytearray:
    model = xgboost.XGBClassifier(n_estimators=2, max_depth=3, n_jobs=1)
    return handle_of(model.fit(X, np.arange(120) % 3))


def check(handle: Any) -> str | None:
    return boosters.booster_state({"handle": handle}, None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"booster": "dart", "rate_drop": 0.5},
        {"booster": "gblinear"},
        {"objective": "count:poisson"},
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
        {"grow_policy": "lossguide", "max_leaves": 9, "gamma": 0.1},
        {"tree_method": "exact", "gamma": 0.5},
        {"tree_method": "approx", "num_parallel_tree": 3},
    ],
    ids=str,
)
def test_regressors(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = xgboost.XGBRegressor(n_estimators=3, n_jobs=1, **options).fit(X, X[:, 1])
    assert boosters.booster_state(model.get_booster().__getstate__(), None) is None


def test_other_models() -> None:
    assert check(handle_of(xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, Y))) is None
    assert check(handle_of(xgboost.XGBRFClassifier(n_estimators=3, n_jobs=1).fit(X, Y))) is None
    ranker = xgboost.XGBRanker(n_estimators=2, n_jobs=1).fit(X, Y, qid=np.repeat([0, 1], 60))
    assert check(handle_of(ranker)) is None
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        several = xgboost.XGBRegressor(
            n_estimators=2, n_jobs=1, multi_strategy=strategy, tree_method="hist"
        )
        assert check(handle_of(several.fit(X, X[:, :3]))) is None


@pytest.mark.parametrize("to_onehot", [1, 20])
def test_categories(to_onehot: int) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": pd.Categorical(RNG.choice(list("abcdefgh"), 120)), "b": X[:, 0]})
    model = xgboost.XGBRegressor(
        n_estimators=3, n_jobs=1, enable_categorical=True, max_cat_to_onehot=to_onehot
    )
    assert check(handle_of(model.fit(table, table["a"].cat.codes % 3 + X[:, 0]))) is None


def test_a_booster_by_itself() -> None:
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, xgboost.DMatrix(X, Y), 4)
    booster.set_attr(best="3")
    booster.feature_names = list("abcde")
    for each in (booster, booster[1:3], xgboost.Booster(model_file=booster.save_raw("json"))):
        assert check(handle_of(each)) is None
    assert check(None) is None
    # What XGBoost 1.3 to 1.6 pickled is JSON.
    assert check(booster.save_raw("json")) is None


def test_states_that_are_none(handle: bytearray) -> None:
    for state in (None, [], {}, {"handle": bytes(handle)}, {"handle": "x"}, {"handle": 1},
                  {"handle": None, 1: 2}, {"handle": None, "__class__": dict}):  # fmt: skip
        assert boosters.booster_state(state, None)


def test_nested_too_deep() -> None:
    name = b"{L\0\0\0\0\0\0\0\x01a"
    assert "deep" in check(bytearray(name + b"[" * 3_000_000))
    assert "deep" in check(bytearray(name * 100))
    assert "deep" in check(bytearray(name + b"[#L\0\0\0\0\0\0\0\x01" * 100 + b"Z" * 9))
    assert "deep" in check(bytearray(b'{"a":' + b"[" * 3_000_000))


def test_forms_that_cannot_be_checked() -> None:
    for start in (b"binf", b"CONFIG-offset:", b"", b"{", b"[", b"{ ", b"\0"):
        assert "neither" in check(bytearray(start + b"A" * 100))


@pytest.mark.parametrize("length", [-1, 2**62, 2**31, 1000])
def test_lengths_of_more_than_there_is(length: int) -> None:
    size = struct.pack(">q", length)
    name = b"{L\0\0\0\0\0\0\0\x01a"
    for start in (b"{L" + size, name + b"SL" + size, name + b"[#L" + size,
                  name + b"[$l#L" + size):  # fmt: skip
        assert "longer than itself" in check(bytearray(start + b"Z" * 20))


def test_bytes_behind_the_end(handle: bytearray) -> None:
    assert "behind its end" in check(handle + b"\0")
    assert check(handle) is None


def changed(handle: bytearray, name: bytes, value: int, at: int = 0) -> bytearray:
    """One number of the first typed array of a name set to another."""
    key = b"L" + struct.pack(">q", len(name)) + name + b"[$l#L"
    start = handle.index(key) + len(key) + 8 + 4 * at
    new = bytearray(handle)
    new[start : start + 4] = struct.pack(">i", value)
    return new


def test_trees_that_lead_astray(handle: bytearray) -> None:
    assert "leads to none" in check(changed(handle, b"left_children", 1_000_000))
    assert "leads to none" in check(changed(handle, b"left_children", 0))
    assert "leads to none" in check(changed(handle, b"right_children", -5))
    assert "two parents" in check(changed(handle, b"left_children", 2))
    assert "one child" in check(changed(handle, b"left_children", -1))
    assert "feature" in check(changed(handle, b"split_indices", 5))
    assert "feature" in check(changed(handle, b"split_indices", -1))


def test_a_tree_of_no_class(handle: bytearray) -> None:
    start = handle.index(b"tree_info[#L") + len(b"tree_info[#L") + 8
    assert handle[start : start + 2] == b"i\0"
    for value in (3, 127, 255):
        new = bytearray(handle)
        new[start + 1] = value
        assert "class that is none" in check(new)


def test_truncations_are_refused(handle: bytearray) -> None:
    for end in range(0, len(handle), 7):
        assert check(handle[:end])


def test_mutations_never_raise(handle: bytearray) -> None:
    numbers = random.Random(4)
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(X, Y), 2)
    for model in (handle, booster.save_raw("json")):
        for _ in range(500):
            new = bytearray(model)
            for _ in range(numbers.randrange(1, 4)):
                new[numbers.randrange(len(new))] = numbers.randrange(256)
            assert isinstance(check(new), (str, type(None)))
