"""Models in XGBoost's old binary form, written by XGBoost 1.7.6 and 2.1.1: see ``data/README.md``."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

import mlup

FILES = sorted((Path(__file__).parent / "data").glob("*.model"))


def test_the_files_are_here():
    assert len(FILES) == 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("form", ["binf", "without a mark", "bs64"])
def test_the_old_form_is_recognised_with_its_version(path, form):
    data = path.read_bytes()
    assert data.startswith(b"binf")
    if form == "without a mark":
        data = data[4:]
    elif form == "bs64":
        data = b"bs64\t" + base64.b64encode(data[4:])
    best = mlup.detect(data).best
    version, kind = path.stem.split("_")
    assert (best.binarizer, best.score) == ("xgboost", 0.9)
    assert f"({version[:3]})" in best.reason
    assert {"linear": "gblinear", "dart": "dart"}.get(kind, "gbtree") in best.reason


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_cut_within_its_names_is_nobodys(path):
    assert mlup.detect(path.read_bytes()[:150]).best is None
