"""Texts that LightGBM dies of, and hundreds of mutants: refused or harmless, never a signal."""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import random
import re
import subprocess
import sys
from importlib import resources

import lightgbm
import numpy as np
import pytest

import mlup
from mlup_lightgbm.header import HostileTextError
from mlup_lightgbm.pickled import check_predictor_state, check_state
from mlup_lightgbm.text import IncompleteTextError
from mlup_lightgbm.trees import MOST_DEEP
from mlup_lightgbm.validation import validate


@pytest.fixture(scope="module", autouse=True)
def _only_lightgbm():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "lightgbm")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


RANDOM = np.random.default_rng(3)
X = RANDOM.random((300, 4))
X[:, 0] = RANDOM.integers(0, 70, 300)
Y = X[:, 0] % 3 + X[:, 1] - X[:, 2]


def text_of(rounds: int = 2, y=Y, dataset=None, **params) -> bytes:
    given = {"verbose": -1, "num_threads": 1, "num_leaves": 4, "min_data_in_leaf": 5, "seed": 1}
    given |= {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1, **params}
    data = lightgbm.Dataset(X, y, params={"verbose": -1}, **(dataset or {}))
    return lightgbm.train(given, data, rounds).model_to_string().encode()


CATEGORIES = {"categorical_feature": [0]}
CLASSES = np.digitize(Y, [0.5, 1.5])
TEXTS = {
    "plain": text_of(),
    "categories": text_of(dataset=CATEGORIES),
    "linear": text_of(linear_tree=True),
    "linear and categories": text_of(linear_tree=True, dataset=CATEGORIES),
    "multiclass": text_of(y=CLASSES, objective="multiclass", num_class=3),
    "forest": text_of(boosting="rf", bagging_freq=1, bagging_fraction=0.6),
    "monotone": text_of(monotone_constraints=[0, 1, -1, 0]),
    "one leaf": text_of(y=np.ones(300)),
    "one leaf, linear": text_of(y=np.ones(300), linear_tree=True),
}


def resized(text: bytes) -> bytes:
    """With the tree_sizes that its trees have."""
    header, blank, rest = text.partition(b"\n\n")
    trees, end, behind = rest.partition(b"end of trees")
    each = [b"Tree=" + tree for tree in trees.split(b"Tree=")[1:]]
    sizes = b" ".join(b"%d" % len(tree) for tree in each)
    return re.sub(rb"tree_sizes=.*", b"tree_sizes=" + sizes, header) + blank + trees + end + behind


def changed(name: str, pattern: bytes, replacement: bytes) -> bytes:
    """One of TEXTS with the first match of ``pattern`` replaced, its sizes right."""
    text, count = re.subn(pattern, replacement, TEXTS[name], count=1, flags=re.MULTILINE)
    assert count == 1
    return resized(text)


def merged(text: bytes) -> bytes:
    """With the first two of its trees said to be one."""
    first, second = re.search(rb"tree_sizes=(\d+) (\d+)", text).groups()
    one = b"tree_sizes=%d" % (int(first) + int(second))
    return text.replace(b"tree_sizes=%s %s" % (first, second), one).replace(
        b"\nTree=1\n", b"\nTree=0\n"
    )


HOSTILE = {
    # LightGBM 4.7 ends the process over each of these, does not return, or reads past an end
    "num_leaves=0": changed("plain", rb"^num_leaves=4", b"num_leaves=0"),
    "num_leaves=-5": changed("plain", rb"^num_leaves=4", b"num_leaves=-5"),
    "num_leaves=5": changed("plain", rb"^num_leaves=4", b"num_leaves=5"),
    "num_leaves huge": changed("plain", rb"^num_leaves=4", b"num_leaves=2147483647"),
    "num_leaves wrapped": changed("plain", rb"^num_leaves=4", b"num_leaves=4294967300"),
    "num_leaves twice": changed("plain", rb"^num_leaves=4", b"num_leaves=4\nnum_leaves=9"),
    "no num_cat": changed("plain", rb"^num_cat=0\n", b""),
    "num_cat without sets": changed("plain", rb"^num_cat=0", b"num_cat=1"),
    "num_cat negative": changed("plain", rb"^num_cat=0", b"num_cat=-1"),
    "no left_child": changed("plain", rb"^left_child=.*\n", b""),
    "no leaf_value": changed("plain", rb"^leaf_value=.*\n", b""),
    "a value more": changed("plain", rb"^leaf_value=", b"leaf_value=1 "),
    "a value less": changed("plain", rb"^leaf_value=\S+ ", b"leaf_value="),
    "a value that is a word": changed("plain", rb"^leaf_value=\S+", b"leaf_value=abc"),
    "a sign for a value": changed("plain", rb"^leaf_value=\S+", b"leaf_value=-"),
    "two signs": changed("plain", rb"^leaf_value=\S+", b"leaf_value=--1"),
    "two signs in a gain": changed("plain", rb"^split_gain=\S+", b"split_gain=1--2"),
    "hexadecimal": changed("plain", rb"^leaf_value=\S+", b"leaf_value=0x1p3"),
    "a key for a value": changed("plain", rb"^leaf_value=\S+", b"leaf_value=5e=3"),
    "a gain that is a word": changed("plain", rb"^split_gain=\S+", b"split_gain=abc"),
    "a shrinkage that is a word": changed("plain", rb"^shrinkage=.*", b"shrinkage=x"),
    "a threshold less": changed("plain", rb"^threshold=\S+ ", b"threshold="),
    "a feature too far": changed("plain", rb"^split_feature=\d+", b"split_feature=4"),
    "a feature far away": changed("plain", rb"^split_feature=\d+", b"split_feature=99999999"),
    "a feature below none": changed("plain", rb"^split_feature=\d+", b"split_feature=-1"),
    "a child that is the root": changed("plain", rb"^left_child=\S+", b"left_child=0"),
    "a child far away": changed("plain", rb"^left_child=\S+", b"left_child=123456"),
    "a leaf far away": changed("plain", rb"^left_child=\S+", b"left_child=-123456"),
    "a child that is itself": changed("plain", rb"^(left_child=\S+ )\S+", rb"\g<1>1"),
    "a fraction of a child": changed("plain", rb"^left_child=\S+", b"left_child=1.5"),
    "a categorical node": changed("plain", rb"^decision_type=2", b"decision_type=3"),
    "a decision_type that wraps": changed("plain", rb"^decision_type=2", b"decision_type=259"),
    "a decision_type below 0": changed("plain", rb"^decision_type=2", b"decision_type=-3"),
    "a set too far": changed("categories", rb"^threshold=0", b"threshold=99"),
    "a set below 0": changed("categories", rb"^threshold=0", b"threshold=-3"),
    "a set that is none": changed("categories", rb"^threshold=0", b"threshold=nan"),
    "no sets": changed("categories", rb"^cat_threshold=.*\n", b""),
    "no bounds": changed("categories", rb"^cat_boundaries=.*\n", b""),
    "bounds too far": changed("categories", rb"^(cat_boundaries=.*) \d+$", rb"\1 99999999"),
    "bounds that fall": changed("categories", rb"^cat_boundaries=0 \d+", b"cat_boundaries=0 -9"),
    "bounds below 0": changed("categories", rb"^cat_boundaries=0", b"cat_boundaries=-5"),
    "a linear leaf too many": changed("linear", rb"^leaf_const=", b"leaf_const=1 "),
    "linear leaves without": changed("linear", rb"^leaf_coeff=.*\n", b""),
    "a linear feature too far": changed(
        "linear", rb"^leaf_features=(.*)\d", rb"leaf_features=\g<1>7"
    ),
    "a huge num_features": changed("linear", rb"^num_features=\d", b"num_features=2147483647"),
    "a negative num_features": changed("linear", rb"^num_features=\d", b"num_features=-1"),
    "a constant out of range": changed("linear", rb"^leaf_const=\S+", b"leaf_const=1e999"),
    "a constant below range": changed("linear", rb"^leaf_const=\S+", b"leaf_const=1e-310"),
    "linear all of a sudden": changed("plain", rb"^is_linear=0", b"is_linear=1"),
    "a line without a key": changed("plain", rb"^is_linear=0", b"is_linear"),
    "a line too many": changed(
        "plain", rb"^is_linear=0", b"\n".join(b"k%s=1" % (b"a" * n) for n in range(9))
    ),
    "a blank line": changed("plain", rb"^leaf_value=", b"\nleaf_value="),
    "a tree in a tree": merged(
        changed("plain", rb"^leaf_value=", b"\nTree=7\nnum_leaves=1\nleaf_value=")
    ),
    "no blank line": TEXTS["plain"].replace(b"\n\n\nTree=1", b"\nz=1\nTree=1"),
    "a carriage return": changed("plain", rb"^leaf_value=", b"split_gain=x\rleaf_value="),
    "no class": TEXTS["plain"].replace(b"num_class=1", b"num_class=0", 1),
    "no tree per iteration": TEXTS["plain"].replace(b"per_iteration=1", b"per_iteration=0"),
    "more trees per iteration": TEXTS["plain"].replace(b"per_iteration=1", b"per_iteration=2"),
    "many classes": TEXTS["plain"]
    .replace(b"num_class=1", b"num_class=99999", 1)
    .replace(b"per_iteration=1", b"per_iteration=99999"),
    "an objective of more classes": TEXTS["plain"].replace(
        b"objective=regression", b"objective=multiclass num_class:3", 1
    ),
    "an objective of two minds": TEXTS["multiclass"].replace(
        b"multiclass num_class:3", b"multiclass num_class:3 num_class:4000"
    ),
    "an objective with hidden classes": TEXTS["multiclass"].replace(
        b"multiclass num_class:3", b"multiclass num_class:3 :num_class:4000"
    ),
    "no objective": TEXTS["plain"].replace(b"objective=regression", b"objective=", 1),
    "an objective of blanks": TEXTS["plain"].replace(b"objective=regression", b"objective=   ", 1),
    "another header hidden": TEXTS["plain"].replace(b"label_index", b"=num_class=3\nlabel_index"),
    "a header said twice": TEXTS["plain"].replace(b"label_index", b"num_class=3\nlabel_index"),
    "a header that returns": TEXTS["plain"].replace(
        b"label_index", b"x=1\rnum_class=3\nlabel_index"
    ),
    "a tree in the header": TEXTS["plain"].replace(b"label_index", b"Tree=0\nlabel_index"),
    "a range without an end": TEXTS["plain"].replace(b"feature_infos=[", b"feature_infos=[5 [", 1),
    "half a range": re.sub(rb"feature_infos=\S+", b"feature_infos=[5", TEXTS["plain"]),
    "no feature": TEXTS["plain"].replace(b"max_feature_idx=3", b"max_feature_idx=-1"),
    "wrapped features": TEXTS["plain"].replace(b"max_feature_idx=3", b"max_feature_idx=4294967299"),
    "a parameter without a value": TEXTS["plain"].replace(b"[num_gpu: 1]", b"[num_gpu::"),
    "a parameter behind an end": TEXTS["plain"].replace(
        b"end of parameters", b"end of parameters, nearly\nend of parameters"
    ),
}


def deep(nodes: int) -> bytes:
    """A tree that is one long branch."""
    leaves = nodes + 1
    lines = {
        "num_leaves": leaves,
        "num_cat": 0,
        "split_feature": "0 " * nodes,
        "threshold": " ".join(map(str, range(nodes))),
        "left_child": " ".join(str(-1 - n) for n in range(nodes)),
        "right_child": " ".join([*map(str, range(1, nodes)), str(-leaves)]),
        "leaf_value": "1 " * leaves,
        "leaf_weight": "1 " * leaves,
        "internal_weight": "1 " * nodes,
        "shrinkage": 1,
    }
    tree = "Tree=0\n" + "".join(f"{key}={str(value).strip()}\n" for key, value in lines.items())
    start = TEXTS["plain"].index(b"Tree=0")
    end = TEXTS["plain"].index(b"end of trees")
    whole = TEXTS["plain"][:start] + tree.encode() + b"\n\n" + TEXTS["plain"][end:]
    return resized(whole)


@pytest.mark.parametrize("name", TEXTS)
def test_what_lightgbm_writes_is_valid(name):
    validate(TEXTS[name])
    assert resized(TEXTS[name]) == TEXTS[name]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_that_lightgbm_does_not_write_is_refused(tmp_path, name):
    path = tmp_path / "m.txt"
    path.write_bytes(HOSTILE[name])
    for source in (path, HOSTILE[name], HOSTILE[name].replace(b"\n", b"\r\n")):
        with pytest.raises((mlup.UnsafeModelError, mlup.ModelBinarizationError)) as caught:
            mlup.load(source, "lightgbm")
        cause = caught.value.__cause__
        while isinstance(cause, mlup.MLupError):
            cause = cause.__cause__
        assert isinstance(cause, (HostileTextError, IncompleteTextError))
        if isinstance(caught.value, mlup.UnsafeModelError):
            assert (caught.value.binarizer, caught.value.refused) == ("lightgbm", ())
            assert "trust=True" in caught.value.hint
            assert len(str(caught.value)) < 600


def test_names_in_allow_do_not_help():
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(HOSTILE["num_leaves=5"], "lightgbm", allow=["lightgbm.basic.Booster", "mlup.*"])


def test_trust_gives_the_text_to_lightgbm(tmp_path):
    """Of which this one loads, and predicts nonsense."""
    odd = changed("plain", rb"^internal_value=\S+ ", b"internal_value=")
    path = tmp_path / "m.txt"
    path.write_bytes(odd)
    for source in (path, odd):
        with pytest.raises(mlup.UnsafeModelError, match="internal_value"):
            mlup.load(source)
        assert mlup.load(source, trust=True).num_trees() == 2
        with pytest.raises(mlup.UnsafeModelError, match="internal_value"):
            mlup.load(source)


def test_a_tree_may_be_deep_but_not_endlessly():
    validate(deep(MOST_DEEP))
    assert mlup.load(deep(MOST_DEEP)).predict(X[:1]) == [1.0]
    with pytest.raises(mlup.UnsafeModelError, match=f"more than {MOST_DEEP} nodes deep"):
        mlup.load(deep(MOST_DEEP + 1))


def test_a_circle_beside_the_tree_is_found():
    """Every node and leaf is the child of one, and two nodes are each other's."""
    text = changed(
        "plain",
        rb"^(num_leaves=4(.|\n)*?)left_child=.*\nright_child=.*",
        rb"\1left_child=-1 2 1\nright_child=-2 -3 -4",
    )
    with pytest.raises(mlup.UnsafeModelError, match="circle"):
        mlup.load(text)


def test_numbers_that_only_other_writers_use_are_numbers():
    for number in (
        b"nan",
        b"-nan",
        b"inf",
        b"-inf",
        b"+1",
        b"1e5",
        b"1E+05",
        b"5.",
        b"-0",
        b"0" * 400,
    ):
        text = changed("plain", rb"^internal_value=\S+", b"internal_value=" + number)
        assert mlup.load(text).num_trees() == 2, number


def test_blanks_between_numbers_do_not_count():
    text = changed("plain", rb"^leaf_value=(\S+) ", rb"leaf_value= \1   ")
    assert np.array_equal(mlup.load(text).predict(X), mlup.load(TEXTS["plain"]).predict(X))


def test_nodes_may_be_in_another_order():
    """LightGBM numbers a child above its parent; others that write its format need not."""
    text = changed(
        "plain", rb"^left_child=.*\nright_child=.*", b"left_child=2 -1 1\nright_child=-4 -2 -3"
    )
    assert mlup.load(text).num_trees() == 2


def test_a_batch_of_trees_is_told_which_is_wrong(monkeypatch):
    text = text_of(30, num_leaves=8)
    broken = text.replace(b"Tree=17\nnum_leaves=8", b"Tree=17\nnum_leaves=9")
    for batch in (1, 900, 5000, 1 << 20):
        monkeypatch.setattr("mlup_lightgbm.trees._BATCH", batch)
        validate(text)
        with pytest.raises(HostileTextError, match="tree 17 "):
            validate(broken)


def test_no_tree_and_a_header_behind():
    """Without a tree LightGBM reads all lines as the header, these too."""
    booster = lightgbm.Booster({"verbose": -1}, lightgbm.Dataset(X, Y, params={"verbose": -1}))
    text = booster.model_to_string().encode()
    assert mlup.load(text).num_trees() == 0
    hidden = text.replace(b"feature_importances:\n", b"feature_importances:\nnum_class=70000\n")
    with pytest.raises(mlup.UnsafeModelError, match="num_class twice"):
        mlup.load(hidden)
    with pytest.raises(mlup.UnsafeModelError, match="num_class=99999999"):
        mlup.load(text.replace(b"num_class=1\n", b"num_class=99999999\n"))


# -- what a file may bring, in a process of its own ---------------------------------------------

NUMBERS = (
    b"0 -1 1 2 3 4 5 7 9 99 -99 255 256 257 4294967296 2147483647 -2147483648 1e999 nan inf -inf "
    b"1.5 1e-320 abc - + . e 1e 0x9 -- 1-1 3=3 = [ : [0:1] none"
).split(b" ")


def mutated(text: bytes, chance: random.Random) -> bytes:
    """A byte, a number, a line or an array changed, once or twice."""
    for _ in range(chance.choice((1, 1, 1, 2))):
        how = chance.randrange(8)
        lines = text.split(b"\n")
        most = len(lines)
        if b"end of trees" in lines and chance.random() < 0.9:
            most = lines.index(b"end of trees")
        at = chance.randrange(1, most)
        if how == 0:
            place = chance.randrange(len(text))
            text = text[:place] + bytes([chance.randrange(256)]) + text[place + 1 :]
            continue
        key, equals, value = lines[at].partition(b"=")
        numbers = value.split(b" ")
        which = chance.randrange(len(numbers))
        if how in (1, 2, 3):
            numbers[which] = chance.choice(NUMBERS)
        elif how == 4:
            del numbers[which:]
        elif how == 5:
            numbers.insert(which, chance.choice(numbers + NUMBERS))
        lines[at] = key + equals + b" ".join(numbers)
        if how == 6:
            del lines[at]
        elif how == 7:
            lines.insert(chance.randrange(1, most), lines[at])
        text = b"\n".join(lines)
    try:
        return resized(text) if chance.random() < 0.8 else text
    except re.error:
        return text


USE = """
def use(booster):
    points = numpy.random.default_rng(1).random((20, booster.num_feature())) * 70
    points[3] = numpy.nan
    points[4] = -1e30
    for how in ({}, {"raw_score": True}, {"pred_leaf": True}, {"pred_contrib": True}):
        booster.predict(points, num_threads=1, **how)
    for way in (booster.dump_model, booster.model_to_string, booster.feature_importance,
                booster.feature_name, booster.lower_bound, booster.upper_bound):
        try:
            way()
        except (ValueError, RecursionError):
            pass
"""
LOADER = f"""
import os, sys, faulthandler
import lightgbm, numpy, mlup
{USE}
faulthandler.enable()
faulthandler.dump_traceback_later(100, exit=True)
loaded = refused = 0
for name in sorted(os.listdir(sys.argv[1])):
    print(name, file=sys.stderr, flush=True)
    try:
        booster = mlup.load(os.path.join(sys.argv[1], name), "lightgbm")
    except mlup.MLupError:
        refused += 1
        continue
    loaded += 1
    try:
        use(booster)
    except lightgbm.basic.LightGBMError:
        pass
print("counted", loaded, refused)
"""


@pytest.mark.parametrize("seed", range(3))
def test_no_mutant_ends_the_process(tmp_path, seed):
    chance = random.Random(seed)
    names = sorted(TEXTS)
    for number in range(250):
        text = mutated(TEXTS[names[number % len(names)]], chance)
        (tmp_path / f"{number:04}.txt").write_bytes(text)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            "MLUP_PLUGINS": "lightgbm",
            "MLUP_DISABLE_PLUGINS": "",
            "OMP_NUM_THREADS": "1",
        },
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-1500:])
    loaded, refused = map(int, done.stdout.split("counted ")[1].split())
    assert loaded + refused == 250
    assert refused > 120
    assert loaded > 15


# -- in a pickle --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["_handle", "handle"])
def test_a_booster_in_a_pickle_is_looked_at(key):
    booster = lightgbm.Booster(model_str=TEXTS["categories"].decode())
    state = booster.__getstate__()
    state[key] = state.pop("_handle")
    assert check_state(state) is None
    assert check_state({**state, key: HOSTILE["a set too far"].decode()}).startswith("of the text")
    assert check_state({**state, key: state[key][:-700]}).startswith("of the text")
    assert check_state({**state, key: state[key].replace("\n", "\r\n")})
    assert check_state({**state, key: "\udcff" + state[key]})
    assert check_state({**state, key: state[key].encode()})
    assert check_state({**state, key: None})
    assert check_state({**state, "_handle": state[key], "handle": state[key]})
    assert check_state({**state, "train_set": 1})
    assert check_state({name: value for name, value in state.items() if name != key})
    assert check_state((None, state))
    assert check_state(state) is None  # of which nothing was changed


@pytest.mark.parametrize("name", TEXTS)
def test_every_booster_that_is_pickled_passes(name):
    booster = lightgbm.Booster(model_str=TEXTS[name].decode())
    booster.best_iteration = 1
    assert check_state(booster.__getstate__()) is None
    again = pickle.loads(pickle.dumps(booster))
    assert check_state(again.__getstate__()) is None


def pickled_models() -> dict[str, object]:
    """What people pickle, by the name that the safe list has for it."""
    pytest.importorskip("sklearn")
    how = {"n_estimators": 2, "n_jobs": 1, "verbose": -1}
    data = lightgbm.Dataset(X, Y, params={"verbose": -1}, free_raw_data=False)
    params = {"objective": "regression", "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(params, data, 2, valid_sets=[data])
    stop = [lightgbm.early_stopping(1, verbose=False)]
    names = np.array(["low", "middle", "high"])[CLASSES]
    weighted = lightgbm.LGBMClassifier(**how, class_weight="balanced")
    ranker = lightgbm.LGBMRanker(**how)
    drawn = lightgbm.LGBMRegressor(**how, random_state=np.random.RandomState(1))
    return {
        "Booster": booster,
        "Booster trained on from another": lightgbm.train(params, data, 1, init_model=booster),
        "CVBooster": lightgbm.cv(params, data, 2, nfold=2, stratified=False, return_cvbooster=True),
        "LGBMClassifier": lightgbm.LGBMClassifier(**how).fit(X, CLASSES),
        "LGBMClassifier stopped early": weighted.fit(
            X, names, eval_set=[(X, names)], callbacks=stop
        ),
        "LGBMModel": lightgbm.LGBMModel(objective="regression", **how).fit(X, Y),
        "LGBMRanker": ranker.fit(
            X, CLASSES, group=[100] * 3, eval_set=[(X, CLASSES)], eval_group=[[300]]
        ),
        "LGBMRegressor": drawn.fit(X, Y, eval_set=[(X, Y)], sample_weight=np.ones(300)),
        "LGBMRegressor not fitted": lightgbm.LGBMRegressor(),
    }


SAFE = json.loads((resources.files("mlup_lightgbm") / "safelist.json").read_text())


@pytest.mark.filterwarnings("ignore")
def test_the_safe_list_has_what_pickles_need_and_nothing_more():
    needed: dict[str, set[str]] = {}
    for what, model in pickled_models().items():
        for protocol in range(6):

            class Recording(pickle.Unpickler):
                def find_class(self, module, name):
                    if module.startswith("lightgbm"):
                        needed.setdefault(f"{module}:{name}", set()).add(what)  # noqa: B023
                    return super().find_class(module, name)

            Recording(io.BytesIO(pickle.dumps(model, protocol))).load()
    assert set(SAFE["names"]) == set(needed)
    for name, entry in SAFE["names"].items():
        assert entry["role"] == "new"
        assert entry["needed_by"] in needed[name]


def test_what_the_safe_list_names_is_there():
    for entry in SAFE["names"].values():
        if "state_check" in entry:
            module, _, name = entry["state_check"].partition(":")
            assert (
                getattr(importlib.import_module(module), name)({}, None) is None
                or name == "check_state"
            )


@pytest.mark.filterwarnings("ignore")
def test_wrappers_load_and_a_hostile_text_inside_is_refused(monkeypatch):
    pytest.importorskip("mlup_pickle")
    monkeypatch.setenv("MLUP_PLUGINS", "pickle,lightgbm")
    mlup.refresh()
    try:
        for what, model in pickled_models().items():
            for protocol in range(6):
                data = pickle.dumps(model, protocol)
                loaded = mlup.load(data, "pickle")
                assert type(loaded) is type(model), what
        hostile = changed("plain", rb"^left_child=\S+", b"left_child=0").decode()
        booster = lightgbm.Booster(model_str=TEXTS["plain"].decode())
        state = booster.__getstate__()
        for change in ({"_handle": hostile}, {"handle": hostile}, {"_handle": None}):
            given = {**state, **change}
            monkeypatch.setattr(lightgbm.Booster, "__getstate__", lambda self, given=given: given)
            for protocol in range(6):
                with pytest.raises(mlup.UnsafeModelError, match="Booster"):
                    mlup.load(pickle.dumps(booster, protocol), "pickle")
    finally:
        monkeypatch.undo()
        mlup.refresh()


def test_a_predictor_with_a_handle_is_refused():
    """It would hand its address to free()."""
    assert check_predictor_state({"num_class": 1, "pred_parameter": ""}) is None
    assert check_predictor_state({"_handle": 12345})
    assert check_predictor_state({"handle": 12345})
    assert check_predictor_state((None, {"_handle": 12345}))


# -- inspection ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["path", "bytes", "windows"])
def test_inspect_tells_the_trees_and_what_is_wrong(tmp_path, form):
    def of(text: bytes) -> mlup.Report:
        path = tmp_path / "m.txt"
        path.write_bytes(text)
        given = {"path": path, "bytes": text, "windows": text.replace(b"\n", b"\r\n")}
        return mlup.inspect(given[form], "lightgbm")

    report = of(TEXTS["multiclass"])
    assert report.format == "lightgbm"
    assert (report.imports, report.operations, report.refused) == ((), (), ())
    assert "6 trees" in report.notes[0]
    assert "no objective" in HOSTILE
    assert "would be refused" in of(HOSTILE["no objective"]).notes[0]
    assert "would be refused" in of(TEXTS["plain"][:700]).notes[0]


def test_inspect_imports_neither_lightgbm_nor_numpy(tmp_path):
    path = tmp_path / "m.txt"
    path.write_bytes(TEXTS["plain"])
    code = (
        "import sys, mlup; report = mlup.inspect(sys.argv[1]); assert '2 trees' in report.notes[0];"
        "assert not {'lightgbm', 'numpy', 'ctypes'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        check=True,
        timeout=60,
        env={**os.environ, "MLUP_PLUGINS": "lightgbm", "MLUP_DISABLE_PLUGINS": ""},
    )
