"""What safe loading costs: ``mlup.load`` with its defaults, and with ``trust``, against the native call.

``nox -s bench -- safe_cost``. In one process, the ways in turn; the first load of each is not counted.
"""

from __future__ import annotations

import pickle
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Row, in_turn, ratio, show

import mlup

ROUNDS = 15
MILLISECONDS = 3


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as folder:
        show("safe loading, against the native call", list(rows(Path(folder))))


def rows(folder: Path) -> list[Row]:
    """A row for each goal of the issue on safe loading."""
    import joblib
    import torch

    measured = []
    for name, model in small().items():
        path = folder / "small.pkl"
        path.write_bytes(pickle.dumps(model))
        measured.append(added(name, path))
    forest = folder / "forest.pkl"
    forest.write_bytes(pickle.dumps(a_forest()))
    measured.append(compared("pickle, forest", forest, unpickled, 4))
    measured.append(compared("pickle, forest, trust", forest, unpickled, 1.05, trust=True))
    for name, compress in (("raw", 0), ("zlib", 3)):
        dump = folder / f"forest-{name}.joblib"
        joblib.dump(a_forest(), dump, compress=compress)
        measured.append(compared(f"joblib, forest, {name}", dump, joblib.load, 1.1))
        measured.append(
            compared(f"joblib, forest, {name}, trust", dump, joblib.load, 1.05, trust=True)
        )
    state = folder / "state.pt"
    torch.save({f"layer{n}": torch.rand(500, 500) for n in range(100)}, state)
    weights: Callable[[Path], Any] = lambda path: torch.load(path, weights_only=True)  # noqa: E731
    measured.append(compared("torch, state dict", state, weights, 1.1))
    whole: Callable[[Path], Any] = lambda path: torch.load(path, weights_only=False)  # noqa: E731
    measured.append(compared("torch, state dict, trust", state, whole, 1.05, trust=True))
    module = folder / "module.pt"
    torch.save(torch.nn.Sequential(*(torch.nn.Linear(500, 500) for _ in range(100))), module)
    measured.append(compared("torch, module", module, whole, 1.5))
    return measured


def unpickled(path: Path) -> Any:
    """By the C implementation of :mod:`pickle`."""
    with path.open("rb") as stream:
        return pickle.load(stream)


def small() -> dict[str, Any]:
    """Models whose pickles have less than 100 kB."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    X, y = _data(500)
    words = [f"word{number}" for number in range(5000)]
    return {
        "logistic regression": LogisticRegression().fit(X, y),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
        "tree": DecisionTreeClassifier().fit(X, y),
        "vocabulary of 5,000 words": TfidfVectorizer().fit([" ".join(words)]),
    }


def a_forest() -> Any:
    """A random forest of 8 MB."""
    from sklearn.ensemble import RandomForestClassifier

    X, _ = _data(2500)
    import numpy as np

    y = np.random.default_rng(1).integers(0, 2, len(X))
    return RandomForestClassifier(120, random_state=0).fit(X, y)


def _data(rows: int) -> tuple[Any, Any]:
    import numpy as np

    X = np.random.default_rng(0).random((rows, 20))
    return X, (X[:, 0] > 0.5).astype(int)


def added(name: str, path: Path) -> Row:
    """Milliseconds that safe loading adds; the ratio is of these to the goal."""
    mlup.load(path)
    ways: list[Callable[[], Any]] = [
        partial(mlup.load, path),
        partial(unpickled, path),
    ]
    ours, theirs = (median(times) * 1e3 for times in in_turn(ways, ROUNDS))
    detail = f"adds {ours - theirs:.2f} ms ({ours:.2f}, native {theirs:.2f}; {path.stat().st_size / 1e3:.0f} kB)"
    return Row(f"pickle, {name}, of {MILLISECONDS} ms", (ours - theirs) / MILLISECONDS, 1, detail)


def compared(
    name: str, path: Path, native: Callable[[Path], Any], goal: float, *, trust: bool = False
) -> Row:
    """The ratio of the medians."""
    ways: list[Callable[[], Any]] = [partial(mlup.load, path, trust=trust), partial(native, path)]
    for each in ways:
        each()
    ours, theirs = in_turn(ways, ROUNDS)
    size = path.stat().st_size / 1e6
    detail = f"{median(ours) * 1e3:.1f} ms, native {median(theirs) * 1e3:.1f} ms, {size:.1f} MB"
    return Row(name, ratio(ours, theirs), goal, detail)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
