"""Models that XGBoost dies of, and mutants: refused or harmless, never a signal."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup
from mlup.files import ModelPath
from mlup_safepickle.checks.xgboost import jsontext, learner, ubjson
from mlup_safepickle.checks.xgboost.values import DamagedError, HostileError
from mlup_xgboost import inspect, score

RANDOM = np.random.default_rng(1)
X = RANDOM.random((200, 5))
X[:, 0] = RANDOM.integers(0, 40, 200)
QUIET = {"max_depth": 3, "nthread": 1, "tree_method": "hist", "max_cat_to_onehot": 1}
DATA = xgboost.DMatrix(
    X, X[:, 0] % 3 + X[:, 1], feature_types=["c", *"qqqq"], enable_categorical=True
)
BOOSTER = xgboost.train(QUIET, DATA, 3)
CLASSES = xgboost.train(
    {**QUIET, "objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(X, X[:, 0] % 3), 2
)
DOCUMENT = json.loads(BOOSTER.save_raw("json"))


def load(data: bytes, **options):
    return mlup.load(data, binarizer="xgboost", **options)


def changed(change) -> bytes:
    document = copy.deepcopy(DOCUMENT)
    change(document["learner"], document["learner"]["gradient_booster"]["model"])
    return json.dumps(document).encode()


def put(name: str, value: object, index: int = 0):
    return lambda _, forest: forest["trees"][1][name].__setitem__(index, value)


TARGETED = {
    "a child past the end": put("left_children", 1000),
    "a child below": put("right_children", -7),
    "a way back": put("left_children", 0, 1),
    "a parent past the end": put("parents", 10_000, 2),
    "a feature past the end": put("split_indices", 5),
    "a tree missing": lambda _, forest: forest["trees"][2].update(id=1),
    "an array missing": lambda _, forest: forest["trees"][0].pop("parents"),
    "an array short": lambda _, forest: forest["trees"][0]["split_conditions"].pop(),
    "a group past the end": lambda _, forest: forest["tree_info"].__setitem__(0, 9),
    "no parallel trees": lambda _, forest: forest["gbtree_model_param"].update(
        num_parallel_tree="0"
    ),
    "iterations astray": lambda _, forest: forest["iteration_indptr"].__setitem__(1, 99),
    "a category past all": put("categories", 1 << 30),
    "categories of no node": put("categories_nodes", 14),
    "many features": lambda learner, _: learner["learner_model_param"].update(
        num_feature="4294967295"
    ),
    "many classes": lambda learner, _: learner["learner_model_param"].update(
        num_class="2147483647"
    ),
    "long vectors": lambda _, forest: forest["trees"][0]["tree_param"].update(
        size_leaf_vector="1000000"
    ),
    "no objective": lambda learner, _: learner.pop("objective"),
}


@pytest.mark.parametrize("name", TARGETED)
def test_a_model_that_leads_astray_is_refused(name: str) -> None:
    with pytest.raises(mlup.UnsafeModelError, match="trust=True"):
        load(changed(TARGETED[name]))


def test_a_cycle_and_a_deep_chain_are_refused() -> None:
    count = 2 * 5000 + 1
    tree = DOCUMENT["learner"]["gradient_booster"]["model"]["trees"][0]
    deep = {name: [0] * count for name in tree if isinstance(tree[name], list)}
    deep.update(categories=[], categories_nodes=[], categories_segments=[], categories_sizes=[])
    deep["left_children"] = [n + 1 if n % 2 == 0 and n < count - 1 else -1 for n in range(count)]
    deep["right_children"] = [n + 2 if n % 2 == 0 and n < count - 1 else -1 for n in range(count)]
    deep["parents"] = [-1] + [(n - 1) // 2 * 2 for n in range(1, count)]
    deep["tree_param"] = {**tree["tree_param"], "num_nodes": str(count)}
    data = changed(lambda _, forest: forest["trees"].__setitem__(0, {**deep, "id": 0}))
    with pytest.raises(mlup.UnsafeModelError, match="deeper"):
        load(data)


def test_trust_gives_it_to_xgboost_all_the_same() -> None:
    data = changed(lambda learner, _: learner.update(feature_types=[]) or learner.update(x=1))
    assert load(data).num_boosted_rounds() == 3
    odd = changed(lambda _, forest: forest["gbtree_model_param"].update(num_parallel_tree="70000"))
    with pytest.raises(mlup.UnsafeModelError):
        load(odd)
    assert isinstance(load(odd, trust=True), xgboost.Booster)


@pytest.mark.parametrize("text", [b'{"\\u006cearner":{}}', b'{"a":1,"a":2}', b"[" * 99, b'{"":3}'])
def test_json_that_two_parsers_read_in_two_ways_is_refused(text: bytes) -> None:
    with pytest.raises((HostileError, DamagedError)):
        jsontext.read(text)


@given(st.binary(max_size=200))
def test_the_readers_take_any_bytes(data: bytes) -> None:
    for read in (jsontext.read, ubjson.read):
        for text in (data, b'{"learner":' + data, b"{L" + bytes(7) + b"\x07learner" + data):
            try:
                read(text)
            except (DamagedError, HostileError):
                continue


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["json", "ubj"]), st.data())
def test_a_truncated_model_is_nobodys(form: str, data) -> None:
    whole = bytes(CLASSES.save_raw(form))
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with ModelPath.of(part) as path:
        assert score(path, path.head, path.tail) is None
    with pytest.raises(mlup.ModelBinarizationError):
        load(part)


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_no_mutant_ends_the_process(form: str, tmp_path) -> None:
    """300 of them, loaded and used in another process, which has to come to its end."""
    chance = random.Random(7)
    for index in range(150):
        data = bytearray((BOOSTER, CLASSES)[index % 2].save_raw(form))
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(len(data))] = chance.choice((*b'0123456789-,[]{}"', 0, 255))
        (tmp_path / f"{index:03}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert sum(counts.values()) == 150
    assert counts["refused"] > 75
    assert counts["loaded"] > 5


USE = """
import collections, json, pathlib, sys
import numpy, xgboost, mlup
counts = collections.Counter(refused=0, loaded=0)
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        booster = mlup.load(path, binarizer="xgboost", options={"nthread": 1})
    except mlup.MLupError:
        counts["refused"] += 1
        continue
    counts["loaded"] += 1
    data = numpy.random.default_rng(1).random((20, booster.num_features()))
    matrix = xgboost.DMatrix(data, nthread=1)
    for use in (dict(), dict(pred_leaf=True), dict(pred_contribs=True)):
        try:
            booster.predict(matrix, validate_features=False, **use)
        except (xgboost.core.XGBoostError, ValueError, UnicodeDecodeError):
            pass
print(json.dumps(counts))
"""


def test_of_another_order_of_names_and_with_blanks_it_is_recognised_and_loaded() -> None:
    turned = {"version": DOCUMENT["version"], "learner": DOCUMENT["learner"]}
    for text in (json.dumps(turned), "\n " + json.dumps(DOCUMENT, indent=1), json.dumps(DOCUMENT)):
        with ModelPath.of(text.encode()) as path:
            assert score(path, path.head, path.tail) == 0.95
        assert load(text.encode()).get_dump() == BOOSTER.get_dump()


def test_a_configuration_and_dumps_are_no_models() -> None:
    texts = [BOOSTER.save_config(), *BOOSTER.get_dump(), *BOOSTER.get_dump(dump_format="json")]
    for text in texts:
        with ModelPath.of(text.encode()) as path:
            assert score(path, path.head, path.tail) is None
    with pytest.raises(mlup.UnsafeModelError, match="configuration"):
        load(texts[0].encode())


OLD = (Path(__file__).parent / "data" / "1.7.6_multi.model").read_bytes()


@pytest.mark.parametrize("data", [OLD, OLD[4:]], ids=["binf", "without a mark"])
def test_the_old_binary_form_is_known_and_the_way_out_named(data: bytes) -> None:
    with ModelPath.of(data) as path:
        found = score(path, path.head, path.tail)
    assert found == 0.9
    assert "gbtree, multi:softprob" in found.reason
    newer = tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 1)
    expected = mlup.ModelBinarizationError if newer else mlup.UnsafeModelError
    with pytest.raises(expected, match=r"xgboost<3\.1" if newer else "old binary"):
        load(data)


def test_inspect_says_what_it_is() -> None:
    def notes(data: bytes) -> str:
        return inspect(mlup.LoadedFile(raw_data=data)).notes[0]

    assert (
        notes(bytes(BOOSTER.save_raw()))
        == "a model of 3 trees, which are checked when it is loaded"
    )
    assert "old binary form" in notes(OLD)
    assert "configuration" in notes(BOOSTER.save_config().encode())


def test_multi_output_trees_of_another_version_are_named() -> None:
    y = np.stack([X[:, 1], -X[:, 1]], 1)
    booster = xgboost.train(
        {**QUIET, "multi_strategy": "multi_output_tree"}, xgboost.DMatrix(X, y), 1
    )
    document = ubjson.read(booster.save_raw())
    other = (2, 1) if "leaf_weights" in str(document) else (3, 2)
    with pytest.raises(ValueError, match="load it with xgboost"):
        learner.check(document, other)
