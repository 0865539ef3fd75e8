"""The template is data: every file of it is in the wheel, and in the wheel made from the sdist."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

DISTRIBUTION = Path(__file__).parents[1]
TEMPLATE = DISTRIBUTION / "src" / "mlup_template" / "template"


def build(folder: Path, kind: str, target: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The distribution's own files, away from the repository and its .gitignore."""
    folder = tmp_path_factory.mktemp("copy") / "mlup-template"
    shutil.copytree(DISTRIBUTION, folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return folder


def template_in(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        inside = "mlup_template/template/"
        names = [name for name in archive.namelist() if name.startswith(inside)]
        return {name.removeprefix(inside): archive.read(name) for name in names}


def template() -> dict[str, bytes]:
    return {
        each.relative_to(TEMPLATE).as_posix(): each.read_bytes()
        for each in TEMPLATE.rglob("*")
        if each.is_file()
    }


def test_the_wheel_holds_the_template(copy, tmp_path):
    assert template_in(build(DISTRIBUTION, "wheel", tmp_path / "tree")) == template()
    assert template_in(build(copy, "wheel", tmp_path / "copy")) == template()


def test_the_wheel_built_from_the_sdist_holds_the_template(copy, tmp_path):
    sdist = build(copy, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.glob("mlup_template-*")
    wheel = build(unpacked, "wheel", tmp_path / "wheel")
    assert template_in(wheel) == template()
    with zipfile.ZipFile(wheel) as archive:
        assert "mlup_template/py.typed" in archive.namelist()


def test_nothing_of_the_template_is_python_that_pip_would_compile():
    # pip compiles every .py that it installs, and copier would copy the __pycache__ beside it.
    assert not [name for name in template() if name.endswith(".py")]
