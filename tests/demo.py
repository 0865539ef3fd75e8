"""The first five minutes with mlup: ``nox -s demo``.

Trains real models, saves them under wrong and missing extensions, and shows what mlup makes of
them. Ends with an error if a single prediction differs.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import demo_models
import numpy as np
from demo_models import Saved

import mlup


def main() -> int:
    """Run it; the exit code is 0 when every prediction was equal."""
    families = demo_models.ALL if "all" in sys.argv[1:] else demo_models.LIGHT
    with tempfile.TemporaryDirectory(prefix="mlup-demo-") as folder:
        os.chdir(folder)
        saved = []
        for family in families:
            print(f"Training with {family.__name__} ...", flush=True)
            for each in family():
                saved.append(each)
                print(f"  {each.name:<15} {each.kind:<23} saved by {each.how}", flush=True)
        run("plugins")
        run("detect", *(each.name for each in saved))
        equal = load_all(saved)
        pinned = pin()
        os.chdir("/")
    print(f"\n{equal} of {len(saved)} models loaded and predicted as the original does.")
    return 0 if equal == len(saved) and pinned else 1


def load_all(saved: list[Saved]) -> int:
    """Load each file without saying what it is; how many predict what they should."""
    print("\n>>> for name in names: mlup.load(name).predict(X)")
    equal = 0
    for each in saved:
        model = mlup.load(each.name)
        found = np.asarray(each.predict(model))
        same = found.shape == each.expected.shape and np.allclose(found, each.expected, atol=1e-6)
        equal += same
        said = "equal to the original" if same else "DIFFERENT FROM THE ORIGINAL"
        print(f"  {each.name:<15} {type(model).__name__:<23} {len(found)} predictions {said}")
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
    logging.basicConfig(level=logging.ERROR)  # every name here misleads: mlup would warn of each
    sys.exit(main())
