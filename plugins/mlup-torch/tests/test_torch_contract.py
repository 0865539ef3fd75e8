"""The contract of the binarizer ``torch``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mlup_testkit import BinarizerContract

ROWS = torch.arange(6.0).reshape(3, 2)


class TestTorch(BinarizerContract):
    binarizer = "torch"

    def models(self) -> dict[str, Any]:
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
        return {
            "network.pt": network.eval(),
            "weights.pth": network.state_dict(),
            "weights_before_1_6.ckpt": network.state_dict(),
        }

    def write(self, model: Any, path: Path) -> None:
        zipped = path.suffix != ".ckpt"
        torch.save(model, path, _use_new_zipfile_serialization=zipped)

    def same(self, model: Any, loaded: Any) -> bool:
        if isinstance(model, torch.nn.Module):
            return not loaded.training and torch.equal(loaded(ROWS), model(ROWS))
        return list(loaded) == list(model) and all(
            torch.equal(loaded[name], weights) for name, weights in model.items()
        )
