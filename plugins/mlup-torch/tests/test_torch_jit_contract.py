"""The contract of the binarizer ``torch-jit``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from mlup_testkit import BinarizerContract

ROWS = torch.arange(6.0).reshape(3, 2)

# Since 2.9 PyTorch says so of torch.jit itself.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


class TestTorchJIT(BinarizerContract):
    binarizer = "torch-jit"

    def models(self) -> dict[str, Any]:
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh()).eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {
                "scripted.pt": torch.jit.script(network),
                "traced.jit": torch.jit.trace(network, ROWS),
            }

    def write(self, model: Any, path: Path) -> None:
        model.save(str(path))

    def same(self, model: Any, loaded: Any) -> bool:
        return not loaded.training and torch.equal(loaded(ROWS), model(ROWS))
