"""Only mlup-onnx takes part, and no test leaves a temporary file behind."""

from __future__ import annotations

import os
import tempfile

import pytest

import mlup


@pytest.fixture(scope="module", autouse=True)
def _only_onnx():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "onnx,onnx-full-return")
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
    assert os.listdir(temporary) == []
