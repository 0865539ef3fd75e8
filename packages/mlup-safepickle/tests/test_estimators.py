"""scikit-learn: estimators that compute from their state, and compiled parts that get theirs once."""

from __future__ import annotations

import io
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")
trees = pytest.importorskip("mlup_safepickle.checks.trees")

from sklearn.isotonic import IsotonicRegression  # noqa: E402
from sklearn.neighbors import KDTree  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402
from sklearn.utils import Bunch  # noqa: E402

X = np.arange(8.0)


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


def piece(value: Any) -> bytes:
    """A real object, by the real pickler, as a piece of a stream."""
    return pickle.dumps(value, 2)[2:-1]


# -- isotonic regression, which interpolates at once -----------------------------------------------

REGRESSION = IsotonicRegression().fit(X, X)


class Tracing(np.ndarray):  # type: ignore[misc]
    """A subclass, which may bring methods along."""


THRESHOLDS = {
    "a list": [1.0, 2.0],
    "a number": 1.5,
    "an object": SimpleNamespace(__array__=len),
    "a dict": Bunch(a=1),
    "objects": np.array([None, 1.0]),
    "texts": np.array(["a", "b"]),
    "complex numbers": np.zeros(2, complex),
    "a subclass of an array": X.view(Tracing),
}


@pytest.mark.parametrize("protocol", range(6))
def test_isotonic_regressions(protocol: int) -> None:
    for model in (REGRESSION, IsotonicRegression(), IsotonicRegression().fit(X.astype("f4"), X)):
        loaded = load(pickle.dumps(model, protocol))
        assert type(loaded) is IsotonicRegression
        if hasattr(model, "X_thresholds_"):
            assert loaded.predict(X).tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("name", ["X_thresholds_", "y_thresholds_"])
@pytest.mark.parametrize("given", THRESHOLDS)
def test_thresholds_are_arrays_of_numbers(given: str, name: str) -> None:
    state = REGRESSION.__getstate__()
    assert trees.thresholds_state(state, REGRESSION) is None
    assert trees.thresholds_state({**state, name: THRESHOLDS[given]}, REGRESSION)


def test_thresholds_in_a_pickle() -> None:
    made = b"csklearn.isotonic\nIsotonicRegression\n)\x81%sb."
    state = {**REGRESSION.__getstate__(), "X_thresholds_": np.array([None, 1.0])}
    for given in (state, {**state, "X_thresholds_": [1.0, 2.0]}, [], None, 5):
        with pytest.raises(Refused, match="not safe"):
            load(made % piece(given))


# -- what says where its memory is -----------------------------------------------------------------

ADDRESS = {"data": (4096, False), "shape": (4,), "typestr": "<u8", "version": 3}
KEY, OTHER = b"V__array_interface__\n", b"V__half\n"
BUNCH = b"csklearn.utils._bunch\nBunch\n"
TAKEN = {
    "by an item": BUNCH + b")\x81%s" + piece(ADDRESS) + b"s.",
    "by items": BUNCH + b")\x81(%s" + piece(ADDRESS) + b"u.",
    "by a state": BUNCH + b")\x81}%s" + piece(ADDRESS) + b"sb.",
    "by protocol 0": b"ccopyreg\n_reconstructor\n(" + BUNCH + b"cbuiltins\ndict\n}%s"
    + piece(ADDRESS) + b"stR.",
    "by a dict that was called": b"ccopyreg\n_reconstructor\n(" + BUNCH
    + b"cbuiltins\ndict\ncbuiltins\ndict\n(](%s" + piece(ADDRESS) + b"tatRtR.",
}  # fmt: skip


@pytest.mark.parametrize("how", TAKEN)
def test_no_object_says_where_its_memory_is(how: str) -> None:
    """A Bunch has its keys as attributes: NumPy would read any address of the process."""
    with pytest.raises(Refused, match=r"taken for an array|would set"):
        load(TAKEN[how] % KEY)
    if how != "by a state":  # a Bunch leaves its state aside
        assert load(TAKEN[how] % OTHER)["__half"] == ADDRESS


# -- a state is set once ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tree", "neighbours"])
def test_compiled_parts_get_their_state_once(kind: str) -> None:
    """A second state would give them other memory while something else looks at the first."""
    fitted = {
        "tree": DecisionTreeClassifier().fit(X.reshape(-1, 1), X % 2).tree_,
        "neighbours": KDTree(X.reshape(-1, 1)),
    }[kind]
    data, state = pickle.dumps(fitted, 2), piece(fitted.__reduce__()[2])
    assert type(load(data)) is type(fitted)
    with pytest.raises(Refused, match="in use"):
        load(data[:-1] + state + b"b.")
