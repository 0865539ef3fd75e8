"""Every command and every snippet of the README is executed: here, or by the session that is named."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# Commands that install, or that run this very test: (file that runs it, how it stands there).
ELSEWHERE = {
    "pip install nox && nox -s demo": [
        (".ci/run", "-m pip install --quiet nox\n"),
        (".ci/run", "nox -s demo\n"),
    ],
    "nox -s tests": [(".ci/run", "nox -s tests\n")],
    "nox -s build": [("noxfile.py", "    build(session)\n")],
    'pip install --find-links dist "mlup-core[torch,onnx]"': [
        (".ci/run", "nox -s wheels\n"),
        ("noxfile.py", '"mlup-core[torch,onnx]": ('),
        ("noxfile.py", '"--find-links", "dist", what'),
    ],
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def test_every_command_of_the_readme_is_run_somewhere():
    for command in commands():
        if command.startswith("mlup "):
            continue  # below
        assert command in ELSEWHERE, f"{command!r} is executed by nothing"
        for file, text in ELSEWHERE[command]:
            assert text in (ROOT / file).read_text(encoding="utf-8"), (
                f"{file} does not run {command!r}"
            )


def test_no_executed_command_has_left_the_readme():
    assert set(ELSEWHERE) <= set(commands())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the README's Python snippets were run, one after the other."""
    place = tmp_path_factory.mktemp("readme")
    script = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (place / "output.txt").write_text(done.stdout, encoding="utf-8")
    return place


def test_the_snippets_print_what_their_comments_say(folder):
    output = (folder / "output.txt").read_text(encoding="utf-8").splitlines()
    assert output[0] == "joblib 0.95"
    assert output[1].startswith("joblib dump of sklearn.linear_model._logistic")
    assert output[2] == "[0 0 0]"
    assert output[3] == "joblib"
    assert (folder / "service.yaml").read_text(encoding="utf-8") == (
        "binarization_type: joblib   # mlup pin fills this in\npath: model.bin\n"
    )


@pytest.mark.parametrize("command", [each for each in commands() if each.startswith("mlup ")])
def test_a_command_line_of_the_readme_works(folder, command):
    arguments = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "mlup", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_table_of_binarizers_is_what_is_installed():
    import mlup

    rows = re.findall(r"^\| `([\w-]+)` \| `([\w-]+)` \|.*\| ([^|]*) \|$", README, re.MULTILINE)
    documented = {
        (name, distribution, tuple(re.findall("`(.*?)`", options)))
        for name, distribution, options in rows
    }
    official = {"mlup-core", *(each.name for each in (ROOT / "plugins").glob("mlup-*"))}
    installed = {
        (info.name, info.distribution, info.options or ())
        for info in mlup.plugins()
        if info.distribution in official
    }
    assert documented == installed
