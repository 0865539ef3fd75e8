"""A fresh process of ``mlup``, against one that imports its three dependencies and ends.

With 150 other distributions installed, since discovery reads the metadata of each.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Row, in_turn, ratio, show

OTHERS, ROUNDS, GOAL = 150, 25, 1.6
BASELINE = [sys.executable, "-c", "import pluggy, importlib_metadata, click"]


def main() -> None:
    """Print a row for each command."""
    script = os.path.join(os.path.dirname(sys.executable), "mlup")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model.bin")
        model.write_bytes(pickle.dumps({"weights": [0.5] * 100}))
        site = Path(folder, "site")
        for at in range(OTHERS):
            fake_distribution(site, f"other-{at}")
        environment = {**os.environ, "PYTHONPATH": str(site)}

        def fresh(*command: str) -> object:
            return subprocess.run(command, env=environment, capture_output=True, check=True)

        times = in_turn(
            [
                lambda: fresh(sys.executable, "-c", "pass"),
                lambda: fresh(*BASELINE),
                lambda: fresh(script, "detect", str(model)),
                lambda: fresh(script, "plugins"),
            ],
            ROUNDS,
        )
    empty, baseline, detect, plugins = times
    rows = [
        Row(what, ratio(each, baseline), GOAL, f"{min(each) * 1e3:.0f} ms")
        for what, each in (("mlup detect FILE", detect), ("mlup plugins", plugins))
    ]
    show(f"a fresh process, {OTHERS} other distributions installed", rows)
    print(
        f"  against {min(baseline) * 1e3:.0f} ms for its dependencies alone, "
        f"{min(empty) * 1e3:.0f} ms for nothing at all"
    )


def fake_distribution(site: Path, name: str) -> None:
    """The metadata of an ordinary distribution: what discovery has to read."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    description = "A distribution that has nothing to do with models.\n" * 80
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{description}"
    )
    (folder / "entry_points.txt").write_text(f"[console_scripts]\n{name} = nothing:main\n")


if __name__ == "__main__":
    main()
