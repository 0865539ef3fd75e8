"""Ordinary models load with the defaults, whatever saved them, and answer as those loaded natively."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import mlup

sys.path.insert(0, str(Path(__file__).parent))

from safelist import generate, makers

pytestmark = pytest.mark.slow
REFUSED = set(json.loads(generate.REVIEWED.read_text(encoding="utf-8"))["refused"])
TORCH = ("checkpoints", "modules")
with warnings.catch_warnings():  # the libraries', of what is new or old in them
    warnings.simplefilter("ignore")
    CASES = {
        f"{maker}: {benign.name}": (maker, benign)
        for maker, module in makers.installed().items()
        for benign in makers.every(module)
    }
PLAIN = [name for name, (maker, _) in CASES.items() if maker not in TORCH]
SAVED = [name for name, (maker, _) in CASES.items() if maker in TORCH]


Way = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]


def pickled(protocol: int) -> Way:
    return lambda model: pickle.dumps(model, protocol), pickle.loads


def dumped(compress: Any) -> Way:
    def load(content: bytes) -> Any:
        joblib = pytest.importorskip("joblib")
        return joblib.load(io.BytesIO(content))

    def save(model: Any) -> bytes:
        joblib = pytest.importorskip("joblib")
        target = io.BytesIO()
        joblib.dump(model, target, compress=compress)
        return target.getvalue()

    return save, load


WAYS = {
    **{f"pickle {protocol}": pickled(protocol) for protocol in (0, 2, 4, 5)},
    "joblib raw": dumped(0),
    "joblib zlib": dumped(("zlib", 3)),
}


@cache
def _model(name: str) -> Any:
    _, benign = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return benign.make()
        except makers.NotInThisRelease as error:
            return error


@pytest.mark.parametrize("name", PLAIN)
def test_a_model_loads_however_it_was_saved(name: str) -> None:
    _, benign = CASES[name]
    model = _model(name)
    if isinstance(model, makers.NotInThisRelease):
        pytest.skip(f"not in this release: {model}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused = _refused(name)
        for way, content, native in _saved(model):
            if refused:
                with pytest.raises(mlup.UnsafeModelError):
                    mlup.load(content)
                continue
            try:
                loaded = mlup.load(content)
            except Exception as error:
                raise AssertionError(f"{way}: {error}") from error
            expected = native(content)
            # An array that was mapped from a file comes back as one in memory, which it is.
            kinds = [type(model), type(expected)]
            if kinds[0].__name__ == "memmap":
                kinds += kinds[0].__bases__
            assert type(loaded) in kinds, way
            # joblib gives plain arrays for NumPy's matrices; the one that was dumped is as right.
            assert any(_same(benign.use(loaded), benign.use(each)) for each in (expected, model)), (
                way
            )


def _saved(model: Any) -> Iterator[tuple[str, bytes, Callable[[bytes], Any]]]:
    for way, (save, native) in WAYS.items():
        try:
            yield way, save(model), native
        except TypeError:  # protocols 0 and 1 do not know every class
            if way != "pickle 0":
                raise


def _refused(name: str) -> set[str]:
    """Those of its names that are left out of the lists on purpose: see tests/safelist/README.md."""
    content = io.BytesIO()
    if CASES[name][0] in TORCH:
        import torch

        torch.save(_model(name), content)
    else:
        pickle.dump(_model(name), content)
    binarizer = "torch" if CASES[name][0] in TORCH else "pickle"
    imports = mlup.inspect(content.getvalue(), binarizer).imports
    return REFUSED & {f"{each.module}:{each.name}" for each in imports}


@pytest.mark.parametrize("name", SAVED)
def test_what_torch_saved_loads(name: str) -> None:
    torch = pytest.importorskip("torch")
    _, benign = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _model(name)
        refused = _refused(name)
        for zipped in (True, False):
            if not zipped and name.endswith("tensor nested"):
                continue  # its sizes are tensors, and in this format their data comes later
            target = io.BytesIO()
            torch.save(model, target, _use_new_zipfile_serialization=zipped)
            target.seek(0)
            try:
                native = torch.load(target, weights_only=False)
            except Exception:  # torch does not read all that it writes in the format before 1.6
                assert not zipped
                continue
            if refused:
                with pytest.raises(mlup.UnsafeModelError):
                    mlup.load(target.getvalue())
                continue
            loaded = mlup.load(target.getvalue())
            assert type(loaded) in (type(model), type(native))
            assert _same(_answer(benign, loaded), _answer(benign, native))


def _answer(benign: makers.Benign, model: Any) -> Any:
    """What a model says; an error's kind where it cannot: quantized ones come back half-made."""
    try:
        answer = benign.use(model.eval() if hasattr(model, "eval") else model)
    except AttributeError as error:
        answer = str(error)
    # Where it says what it is: neither its address, nor the number of a jagged dimension.
    return re.sub(r"0x[0-9a-f]+|\bj\d+\b", "", answer) if isinstance(answer, str) else answer


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (tuple, list)) and type(one) is type(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if hasattr(one, "equals"):  # of pandas
        return bool(one.equals(other))
    if hasattr(one, "dtype") and hasattr(one, "shape"):
        import numpy as np

        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    return bool(one == other)
