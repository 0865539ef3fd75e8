"""The first five minutes with mlup: ``nox -s demo``.

Trains real scikit-learn models, saves them under wrong and missing extensions, and shows what
mlup makes of them. Ends with an error if a single prediction differs.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlup

Writer = Callable[[Any, Path], object]


def by_pickle(protocol: int) -> Writer:
    """Writes with ``pickle.dump`` in one protocol."""
    return lambda model, path: path.write_bytes(pickle.dumps(model, protocol))


def by_joblib(compress: Any = 0) -> Writer:
    """Writes with ``joblib.dump``, raw or compressed."""
    return lambda model, path: joblib.dump(model, path, compress=compress)


def main() -> int:
    """Run it; the exit code is 0 when every prediction was equal."""
    iris, diabetes = load_iris(), load_diabetes()
    print("Training scikit-learn models ...")
    logistic = LogisticRegression(max_iter=500).fit(iris.data, iris.target)
    forest = RandomForestClassifier(30, random_state=0).fit(iris.data, iris.target)
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(diabetes.data, diabetes.target)

    saved: list[tuple[str, str, Any, Any, Writer]] = [
        ("notes.txt", "pickle, protocol 0", logistic, iris.data, by_pickle(0)),
        ("weights.h5", "pickle, protocol 2", pipeline, diabetes.data, by_pickle(2)),
        ("model", "pickle, protocol 5", forest, iris.data, by_pickle(5)),
        ("classifier.pkl", "joblib, raw", forest, iris.data, by_joblib()),
        ("network.onnx", "joblib, raw", logistic, iris.data, by_joblib()),
        ("model.v2.final", "joblib, zlib", pipeline, diabetes.data, by_joblib(3)),
        ("export.pb", "joblib, xz", forest, iris.data, by_joblib(("xz", 3))),
    ]
    with tempfile.TemporaryDirectory(prefix="mlup-demo-") as folder:
        os.chdir(folder)
        for name, how, model, _, write in saved:
            write(model, Path(name))
            print(f"  {name:<15} {type(model).__name__:<23} saved by {how}")
        names = [row[0] for row in saved]
        run("plugins")
        run("detect", *names)
        equal = load_all(saved)
        pinned = pin()
        os.chdir("/")
    print(f"\n{equal} of {len(saved)} models loaded and predicted as the original does.")
    return 0 if equal == len(saved) and pinned else 1


def load_all(saved: list[tuple[str, str, Any, Any, Writer]]) -> int:
    """Load each file without saying what it is; how many predict exactly what they should."""
    print("\n>>> for name in names: mlup.load(name).predict(X)")
    equal = 0
    for name, _, original, data, _ in saved:
        model = mlup.load(name)
        same = bool((model.predict(data) == original.predict(data)).all())
        equal += same
        said = "equal to the original" if same else "DIFFERENT FROM THE ORIGINAL"
        print(f"  {name:<15} {type(model).__name__:<23} {len(data)} predictions {said}")
    return equal


def pin() -> bool:
    """Show a configuration before and after ``mlup pin``."""
    config = Path("service.yaml")
    config.write_text(
        "# the model of the service\nbinarization_type: auto\npath: classifier.pkl\nport: 8009\n"
    )
    print(f"\nservice.yaml says:\n{config.read_text()}", end="")
    run("pin", "service.yaml")
    print(f"and now service.yaml says:\n{config.read_text()}", end="")
    return "binarization_type: joblib" in config.read_text()


def run(*arguments: str) -> None:
    """Show and run a command line."""
    print(f"\n$ mlup {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "mlup", *arguments], check=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(main())
