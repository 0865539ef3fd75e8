"""What the tests of both binarizers share: only they are heard, and no temporary file stays."""

from __future__ import annotations

import os
import tempfile
import warnings

import pytest

import mlup

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch says so when NumPy is not installed; nothing needs it
    import torch  # noqa: F401


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
