"""A pickled Booster that says it is one of a network: its end would end that of the process."""

from __future__ import annotations

import pickle

import lightgbm
import numpy as np
import pytest

import mlup
from mlup_lightgbm.pickled import check_state

X = np.arange(40.0).reshape(20, 2)


@pytest.fixture(scope="module", autouse=True)
def _only_these():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "lightgbm,pickle")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    params = {"verbose": -1, "num_leaves": 3, "min_data_in_leaf": 2, "num_threads": 1}
    return lightgbm.train(params, lightgbm.Dataset(X, X[:, 0]), 2)


def with_state(booster: lightgbm.Booster, **other: object) -> bytes:
    """Its pickle, with other values in its state."""
    state = pickle.dumps({**booster.__getstate__(), **other}, 2)[2:-1]
    return b"\x80\x02clightgbm.basic\nBooster\n)\x81" + state + b"b."


@pytest.mark.parametrize("said", [True, 1, "yes", [None]], ids=repr)
def test_a_state_of_a_network_is_none(booster, said):
    assert check_state(booster.__getstate__()) is None
    assert "network" in check_state({**booster.__getstate__(), "_network": said})


@pytest.mark.parametrize("said", [True, 1, "yes", [None]], ids=repr)
def test_a_booster_of_a_network_is_refused(booster, said):
    pytest.importorskip("mlup_pickle")
    with pytest.raises(mlup.UnsafeModelError, match="one of a network"):
        mlup.load(with_state(booster, _network=said), "pickle")


@pytest.mark.parametrize("said", [False, None], ids=repr)
def test_a_booster_of_none_loads(booster, said):
    pytest.importorskip("mlup_pickle")
    for data in (pickle.dumps(booster), with_state(booster, _network=said)):
        assert mlup.load(data, "pickle").predict(X).tolist() == booster.predict(X).tolist()
