"""What the tests of both binarizers share: only they are heard, and no temporary file stays."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlup

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch says so when NumPy is not installed; nothing needs it
    import torch  # noqa: F401

Changes = list[tuple[int, bytes]]


@pytest.fixture(scope="module", autouse=True)
def _only_torch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "torch,torch-jit")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """Where temporary files go."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(temporary):
    yield
    assert [name for name in os.listdir(temporary) if name.startswith("mlup-")] == []


@pytest.fixture(scope="session")
def best():
    """Who claims a source, and how surely; no plugin may fail over it, and one at most claims it."""

    def best(source: object) -> tuple[str, float] | None:
        detection = mlup.detect(source)
        assert detection.problems == ()
        assert len(detection.candidates) <= 1
        return detection.best and (detection.best.binarizer, detection.best.score)

    return best


@pytest.fixture(scope="session")
def damaged(best):
    """Detects files with bytes changed, inserted or cut off: no plugin may fail over them."""
    places = st.one_of(st.integers(0, 300), st.integers(0, 1 << 16), st.integers(-900, -1))
    changes = st.lists(st.tuples(places, st.binary(min_size=1, max_size=12)), max_size=5)

    def damaged(samples: Sequence[bytes]) -> None:
        @settings(
            max_examples=150,
            deadline=4000,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.sampled_from(samples), st.one_of(st.none(), places), changes, st.booleans())
        def detected(sample: bytes, cut: int | None, changes: Changes, insert: bool) -> None:
            data = bytearray(sample[:cut])
            for place, new in changes:
                at = place % (len(data) or 1)
                data[at : at if insert else at + len(new)] = new
            best(bytes(data))

        detected()

    return damaged
