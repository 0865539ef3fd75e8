"""A stranger's distribution: made by mlup-template, installed and tested as its own CI does it.

It needs the network or a pip cache: the environment is a fresh one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlup_template import TEMPLATE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGES = sorted((ROOT / "packages").glob("mlup-*"))
PLUGINS = sorted((ROOT / "plugins").glob("mlup-*"))

SHARED = {".github/workflows/ci.yml", ".gitignore", "CHANGELOG.md"}
"""Files that our distributions have together, in the root, and a stranger's has alone."""


class Environment:
    """A fresh virtual environment, with core and the kit of this tree in it."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        # Nothing of this environment's may reach that one, and the versions are those of the others.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLUP_")}
        self.variables = {
            **kept,
            "PATH": f"{self.scripts}{os.pathsep}{os.environ['PATH']}",
            "PIP_CONSTRAINT": str(ROOT / "tests" / "constraints.txt"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_BUILD_ISOLATION": "1",  # one hatchling for all of them, installed below
        }
        self.variables.pop("PYTHONPATH", None)

    def run(self, command: str, folder: Path) -> str:
        """What a shell prints for it, in this environment."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=self.variables,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def generate(folder: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "mlup_template", str(folder), "--defaults", *options]
    subprocess.run(command, check=True, timeout=60)
    return folder


def steps(folder: Path, job: str) -> list[str]:
    """The commands of a job of its workflow."""
    workflow = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    return [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]


def test_the_names_that_the_template_refuses_are_those_of_our_tree():
    taken = {"auto"}
    for folder in (ROOT / "core", *PACKAGES, *PLUGINS):
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        taken.add(project["name"].removeprefix("mlup-"))
        taken |= set(project.get("entry-points", {}).get("mlup.binarizers", {}))
    config = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    assert set(yaml.safe_load(config["taken"]["default"])) == taken


@pytest.mark.slow
def test_a_generated_distribution_passes_its_own_ci_and_is_chosen(tmp_path):
    plain = generate(tmp_path / "mlup-acme")
    odd = generate(
        *(tmp_path / "mlup-acme-trees", "--framework", "json.tool", "--package", ""),
        *("--extension", ".trees.json", "--author", 'Zoë "Q" Á'),
    )
    environment = Environment(tmp_path / "environment")
    ours = f'-e "{ROOT / "core"}" -e "{ROOT / "packages" / "mlup-testkit"}"'
    environment.run("python -m pip install -q hatchling editables", tmp_path)
    environment.run(f"python -m pip install -q {ours}", tmp_path)

    for folder in (plain, odd):
        said = {each: environment.run(each, folder) for each in steps(folder, "test")}
        assert list(said) == ['pip install -e ".[test]"', "pytest"]
        assert " passed" in said["pytest"]
        assert not {"failed", "skipped"} & set(said["pytest"].split())
        for each in steps(folder, "check"):
            environment.run(each, folder)
    for each in steps(plain, "build"):
        environment.run(each, plain)
    assert {each.suffix for each in (plain / "dist").iterdir()} == {".whl", ".gz"}

    listed = json.loads(environment.run("mlup plugins --json", tmp_path))
    installed = {each["name"]: each for each in listed}
    assert {installed[name]["status"] for name in ("acme", "acme-trees")} == {"ok"}
    acme = installed["acme"]
    assert (acme["distribution"], acme["version"]) == ("mlup-acme", "0.1.0")
    assert (acme["extensions"], acme["description"]) == ([".acme"], "Acme models.")
    assert acme["problem"] is None

    (tmp_path / "model.bin").write_bytes(b'ACME 1\n{"weights": [2.0], "bias": 1.0}\n')
    found = json.loads(environment.run("mlup detect --json model.bin", tmp_path))
    assert (found["binarizer"], found["score"]) == ("acme", 0.9)
    assert found["reason"] == "acme header, version 1, up to its end"
    load = "python -c \"import mlup; print(mlup.load('model.bin')['weights'])\""
    assert environment.run(load, tmp_path) == "[2.0]\n"


def tree(module: str) -> set[str]:
    """The files of the template, as they are called in a distribution."""
    inside = TEMPLATE / "distribution"
    files = (each.relative_to(inside) for each in inside.rglob("*") if each.is_file())
    return {
        each.as_posix().removesuffix(".jinja").replace("{{ module }}", module) for each in files
    }


CONTRACT = "tests/test_contract.py"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_plugin_has_the_template_s_tree(plugin):
    wanted = tree(plugin.name.replace("-", "_")) - SHARED
    assert CONTRACT in wanted
    for each in wanted - {CONTRACT}:
        assert (plugin / each).is_file(), f"{plugin.name} lacks {each}"
    # One that has several binarizers has a contract for each, named after it.
    contracts = list((plugin / "tests").glob("test_*contract.py"))
    assert contracts, f"{plugin.name} lacks {CONTRACT}"
    for each in contracts:
        assert "(BinarizerContract)" in each.read_text(encoding="utf-8"), each


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_so_has_every_package_but_for_the_contract(package):
    for each in tree(package.name.replace("-", "_")) - SHARED - {CONTRACT}:
        assert (package / each).is_file(), f"{package.name} lacks {each}"
    assert list((package / "tests").glob("test_*.py")), f"{package.name} has no tests"


def test_what_is_shared_is_in_the_root():
    for each in ("CHANGELOG.md", ".gitignore", ".ci/run"):
        assert (ROOT / each).is_file()
