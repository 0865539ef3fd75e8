"""Only mlup-tensorflow takes part, and no test leaves a temporary file behind."""

from __future__ import annotations

import gc
import os
import tempfile

import pytest

import mlup


@pytest.fixture(scope="module", autouse=True)
def _only_tensorflow():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "tensorflow,tensorflow-saved")
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


def _left_in(folder) -> list[str]:
    # TensorFlow keeps the sources that it generates until the process ends.
    return [
        name
        for name in os.listdir(folder)
        if not name.startswith(("__autograph_generated", "__pycache__"))
    ]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(temporary):
    yield
    if _left_in(temporary):
        gc.collect()  # the temporary folder of a SavedModel with assets goes with the model
    assert _left_in(temporary) == []
