"""XGBoost: boosters of all kinds load; a model that would break its parser or predictor does not."""

from __future__ import annotations

import copyreg
import json
import pickle
import random
import struct
import warnings
from collections.abc import Callable
from typing import Any

import pytest

np = pytest.importorskip("numpy")
xgboost = pytest.importorskip("xgboost")

from mlup_safepickle.checks import xgboost as boosters  # noqa: E402
from mlup_safepickle.checks.xgboost import ubjson as reader  # noqa: E402

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
        why = check(bytearray(start + b"Z" * 20))
        assert "past its end" in why or "ends behind it" in why


def test_bytes_behind_the_end(handle: bytearray) -> None:
    assert "follow its end" in check(handle + b"\0")
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
    assert "child twice" in check(changed(handle, b"left_children", 2))
    assert "one child" in check(changed(handle, b"left_children", -1))
    assert "feature" in check(changed(handle, b"split_indices", 5))
    assert "feature" in check(changed(handle, b"split_indices", -1))


def test_a_tree_of_no_class(handle: bytearray) -> None:
    start = handle.index(b"tree_info[#L") + len(b"tree_info[#L") + 8
    assert handle[start : start + 2] == b"i\0"
    for value in (3, 127, 255):
        new = bytearray(handle)
        new[start + 1] = value
        assert "groups" in check(new)


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


TYPES = {
    **dict.fromkeys(["base_weights", "leaf_weights", "loss_changes", "sum_hessian",
                     "split_conditions"], "d"),
    **dict.fromkeys(["default_left", "split_type"], "U"),
    **dict.fromkeys(["categories_segments", "categories_sizes"], "L"),
    **dict.fromkeys(["left_children", "right_children", "parents", "split_indices", "categories",
                     "categories_nodes"], "l"),
}  # fmt: skip


def ubjson(value: Any, name: str = "") -> bytes:
    """As XGBoost writes it: its pickles hold UBJSON, and ``save_raw("json")`` can be changed."""

    def text(of: str) -> bytes:
        return b"L" + struct.pack(">q", len(of.encode())) + of.encode()

    if type(value) is dict:
        return b"{" + b"".join(text(key) + ubjson(each, key) for key, each in value.items()) + b"}"
    if type(value) is list and name in TYPES:
        form = {"d": "f", "U": "B", "l": "i", "L": "q"}[TYPES[name]]
        items = struct.pack(f">{len(value)}{form}", *value)
        return b"[$" + TYPES[name].encode() + b"#L" + struct.pack(">q", len(value)) + items
    if type(value) is list:
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    if type(value) is str:
        return b"S" + text(value)
    if type(value) is bool:
        return b"T" if value else b"F"
    return (
        b"d" + struct.pack(">f", value) if type(value) is float else b"l" + struct.pack(">i", value)
    )


def forest(document: dict[str, Any]) -> dict[str, Any]:
    return document["Model"]["learner"]["gradient_booster"]["model"]


def turn(tree: dict[str, Any]) -> None:
    """Leaves of several outputs as on the other side of XGBoost 3.2."""
    if tree.pop("leaf_weights", None) is None:
        tree["leaf_weights"] = []


def many_sets(document: dict[str, Any]) -> None:
    count, half = 1101, 550
    tree = forest(document)["trees"][0]
    tree.update({name: [0] * count for name in TYPES if name in tree})
    tree["left_children"] = [2 * n + 1 if n < half else -1 for n in range(count)]
    tree["right_children"] = [2 * n + 2 if n < half else -1 for n in range(count)]
    tree["parents"] = [-1] + [(n - 1) // 2 for n in range(1, count)]
    tree["split_type"] = [int(n < half) for n in range(count)]
    tree["tree_param"]["num_nodes"] = str(count)
    tree["categories_nodes"] = tree["categories_segments"] = list(range(half))
    tree["categories"], tree["categories_sizes"] = [2**24 - 1] * half, [1] * half


# What XGBoost 3.2 did with each of them, and what the message says.
HOSTILE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a parent past the end": (  # SIGSEGV when it is loaded
        lambda found: forest(found)["trees"][0]["parents"].__setitem__(-1, 10**9), "parent"),
    "a number of a tree twice": (  # SIGSEGV when it predicts
        lambda found: forest(found)["trees"][1].update(id=0), "each once"),
    "no kinds of splits": (  # SIGABRT when it predicts
        lambda found: forest(found)["trees"][0].pop("split_type"), "split_type"),
    "leaves of another XGBoost": (  # SIGSEGV when it is loaded
        lambda found: turn(forest(found)["trees"][0]), "load it with xgboost"),
    "some leaves of another XGBoost": (
        lambda found: turn(forest(found)["trees"][1]), "leaf"),
    "no parallel trees": (
        lambda found: forest(found)["gbtree_model_param"].update(num_parallel_tree="0"),
        "num_parallel_tree"),
    "sets of a gigabyte": (many_sets, "sets of categories would take"),
    "many features": (
        lambda found: found["Model"]["learner"]["learner_model_param"].update(
            num_feature="2147483647"), "num_feature"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["nothing", *HOSTILE])
def test_a_model_that_xgboost_dies_of_is_refused(
    name: str, loaded_apart: Callable[[bytes], str]
) -> None:
    """If this fails, loading or using a pickle ends the process, or takes all memory."""
    leaves = "leaves" in name or "splits" in name
    booster = xgboost.train(
        {"max_depth": 3, "nthread": 1, "tree_method": "hist",
         "multi_strategy": "multi_output_tree" if leaves else "one_output_per_tree"},
        xgboost.DMatrix(X, X[:, : 1 + leaves]), 3,
    )  # fmt: skip
    found = {
        "Config": json.loads(booster.save_config()),
        "Model": json.loads(booster.save_raw("json")),
    }
    if name in HOSTILE:
        change, said = HOSTILE[name]
        change(found)
        assert said in (check(bytearray(ubjson(found))) or "nothing")
    state = {"handle": bytearray(ubjson(found))}

    class Model:
        def __reduce__(self) -> Any:
            return copyreg._reconstructor, (xgboost.Booster, object, None), state

    assert loaded_apart(pickle.dumps(Model())) == ("Refused" if name in HOSTILE else "loaded")


def test_objects_that_lie_alike_are_read_as_the_others_are() -> None:
    """The trees of a model are read in few steps: with the same result, and the same errors."""
    one = struct.pack(">q", 1)
    alike = b"".join(
        b"{L" + one + b"aSL" + struct.pack(">q", len(each)) + each + b"L" + one + b"b[$l#L" + one
        + each[:4] + b"L" + one + b"c{L" + one + b"di" + each[:1] + b"}L" + one + b"e{}}"
        for each in (b"abcd", b"defgh", b"ijkl" * 9, b"mnop")
    )  # fmt: skip

    def read(objects: bytes) -> Any:
        return reader.read(b"{L" + one + b"x[" + objects + b"]}")["x"]

    found = read(alike)
    assert [each["a"] for each in found] == ["abcd", "defgh", "ijkl" * 9, "mnop"]
    assert [each["c"] for each in found] == [{"d": ord(letter)} for letter in "adim"]
    assert all(each["e"] == {} and each["b"][1] == 1 for each in found)
    names = [each["a"] for each in found]
    assert [each.get("a") for each in read(alike + b"{}" + alike)] == [*names, None, *names]
    for damage in (alike[:-3], alike.replace(b"mnop", b"mno", 1)):
        with pytest.raises(ValueError, match=r"breaks off|at byte"):
            read(damage)
