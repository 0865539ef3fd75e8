"""The contract of the binarizer ``pickle``."""

from __future__ import annotations

import collections
import pickle
from pathlib import Path
from typing import Any

from mlup_testkit import BinarizerContract


class TestPickle(BinarizerContract):
    binarizer = "pickle"

    def models(self) -> dict[str, Any]:
        return {
            "weights.pkl": {"weights": [0.5, -1.25, 2.0], "bias": 1e-3, "classes": ("no", "yes")},
            "counts.pickle": collections.Counter("a model of letters"),
            "nothing.pckl": None,
        }

    def write(self, model: Any, path: Path) -> None:
        protocol = {".pkl": pickle.HIGHEST_PROTOCOL, ".pickle": 2, ".pckl": 0}[path.suffix]
        with path.open("wb") as stream:
            pickle.dump(model, stream, protocol=protocol)
