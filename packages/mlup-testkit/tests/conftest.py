"""The fixture ``contract``: a plugin is installed in a folder, and pytest runs its contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

RIGHT = (Path(__file__).parent / "right_plugin.py").read_text("utf-8")
TEST_FILE = """\
import {module} as plugin
from mlup_testkit import BinarizerContract
import pytest


class TestAcme(BinarizerContract):
    binarizer = "acme"

    def models(self):
        return {{"line.acme": plugin.Line(2, 1)}}

    def write(self, model, path):
        model.save(path)

    def same(self, model, loaded):
        return loaded.predict(3) == model.predict(3)

{more}
"""


class Ran(NamedTuple):
    """What pytest said of a contract."""

    failed: set[str]
    skipped: int
    passed: int
    output: str
    code: int


class Contract:
    """One folder of fake distributions, and a test file beside it."""

    right = RIGHT

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.site.mkdir()

    def install(
        self,
        name: str,
        modules: dict[str, str],
        entry_point: str,
        version: str = "1.0",
        required: str = "",
    ):
        """A distribution as pip installs it: modules, and a folder of metadata beside them."""
        info = self.site / f"{name}-1.0.dist-info"
        info.mkdir()
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        headers += f"Requires-Dist: {required}\n" if required else ""
        (info / "METADATA").write_text(headers, "utf-8")
        (info / "entry_points.txt").write_text(f"[mlup.binarizers]\n{entry_point}\n", "utf-8")
        for module, source in modules.items():
            (self.site / f"{module}.py").write_text(source, "utf-8")

    def run(
        self,
        more: str = "",
        *arguments: str,
        site: Path | None = None,
        module="mlup_acme",
        file="test_contract.py",
    ):
        """The contract, with ``more`` in the class. A warning is an error."""
        test = TEST_FILE.format(module=module, more=more)
        (self.folder / "test_contract.py").write_text(test, "utf-8")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLUP_", "PYTEST", "PYTHONPATH"))
        }
        options = ("-q", "-rfE", "-W", "error", "-p", "no:cacheprovider", "--rootdir=.")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *arguments, file],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(site or self.site)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        failed = set(re.findall(r"^FAILED [^ ]*::(test_\w+)", done.stdout, re.MULTILINE))
        counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|skipped)", done.stdout)}
        output = done.stdout + done.stderr
        return Ran(
            failed, counts.get("skipped", 0), counts.get("passed", 0), output, done.returncode
        )


@pytest.fixture
def contract(tmp_path):
    return Contract(tmp_path)
