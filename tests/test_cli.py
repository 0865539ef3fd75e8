"""The command line, as a user and as a shell sees it."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner

import mlup
from mlup.cli import cli

COMMANDS = ("detect", "doctor", "inspect", "load", "pin", "plugins")
DETECT_KEYS = ["path", "binarizer", "score", "reason", "candidates", "verdict", "problems"]
PLUGIN_KEYS = ["name", "distribution", "version", "status", "extensions", "description", "problem"]
DETAIL_KEYS = [
    *PLUGIN_KEYS,
    *("kind", "entry_point", "file", "hooks", "options", "requires", "frameworks"),
    *("safe_list_size", "recognises", "returns", "inspects"),
]
DOCTOR_KEYS = [
    "mlup",
    "python",
    "platform",
    "environment",
    "dependencies",
    "binarizers",
    "problems",
]
TEXT = b"A text, and no model."
WEIGHTS = {"weights": [0.25, -1.5]}
SCRIPT = os.path.join(os.path.dirname(sys.executable), "mlup")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")


def environment(**changes: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLUP_", "_MLUP", "NO_COLOR", "FORCE_COLOR", "PYTHON"))
    }
    return {**kept, "PYTHONUTF8": "1", **changes}


def mlup_process(*arguments, cwd=None, **changes):
    return subprocess.run(
        [sys.executable, "-m", "mlup", *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        timeout=60,
        check=False,
    )


def text_of(result) -> tuple[int, str, str]:
    return result.returncode, result.stdout.decode(), result.stderr.decode()


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    for name in ("MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS", "MLUP_STRICT_PLUGINS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    mlup.refresh()
    yield
    mlup.refresh()


@pytest.fixture
def run(monkeypatch):
    """A command in this process: ``run("detect", path)`` → exit code, output, errors."""
    kept = list(sys.path)
    try:
        runner = CliRunner(mix_stderr=False)
    except TypeError:  # click 8.2 keeps them apart by itself
        runner = CliRunner()

    def command(*arguments):
        result = runner.invoke(cli, [os.fsdecode(each) for each in arguments], prog_name="mlup")
        return result.exit_code, result.stdout, result.stderr

    yield command
    sys.path[:] = kept


@pytest.fixture
def files(tmp_path):
    """A pickle, a dump, a compressed dump, and a text, each under a name that says nothing."""
    (tmp_path / "a.bin").write_bytes(pickle.dumps(WEIGHTS))
    joblib.dump({"w": np.arange(9.0)}, tmp_path / "b.bin")
    joblib.dump({"w": np.arange(9.0)}, tmp_path / "c.bin", compress=3)
    (tmp_path / "d.bin").write_bytes(TEXT)
    return tmp_path


@pytest.fixture
def fake(tmp_path):
    """Install a fake distribution into a folder for ``PYTHONPATH``."""
    folder = tmp_path / "site"
    folder.mkdir()

    def install(name: str, code: str, entry_point: str | None = None) -> str:
        module = f"fake_{name}"
        (folder / f"{module}.py").write_text(textwrap.dedent(code))
        info = folder / f"fake_{name}-1.2.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: fake-{name}\nVersion: 1.2.3\n"
        )
        line = entry_point or f"{name} = {module}"
        (info / "entry_points.txt").write_text(f"[mlup.binarizers]\n{line}\n")
        return str(folder)

    return install


def one_line(text: str) -> bool:
    return text.endswith("\n") and text.count("\n") == 1 and "Traceback" not in text


# -- plugins ------------------------------------------------------------------------------------


def test_plugins_lists_what_is_installed(run):
    code, output, errors = run("plugins")
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert lines[0].split() == ["name", "distribution", "status", "extensions", "description"]
    for name in ("joblib", "pickle"):
        line = next(each for each in lines if each.startswith(name))
        assert f"mlup-{name}" in line
        assert " ok " in line
    assert ".pkl" in output
    assert ".joblib" in output


def test_plugins_json_is_one_array_with_exactly_these_keys(run):
    code, output, errors = run("plugins", "--json")
    infos = json.loads(output)
    assert (code, errors) == (0, "")
    assert [list(info) for info in infos] == [PLUGIN_KEYS] * len(infos)
    assert [info["name"] for info in infos] == sorted(info["name"] for info in infos)
    found = {info["name"]: info for info in infos}
    assert {"joblib", "memory", "pickle"} <= set(found)
    assert found["pickle"]["distribution"] == "mlup-pickle"
    assert found["pickle"]["extensions"] == [".pkl", ".pckl", ".pickle"]
    assert found["pickle"]["status"] == "ok"
    assert found["pickle"]["problem"] is None
    assert found["pickle"]["version"]
    assert found["pickle"]["description"]


def test_plugins_shows_those_that_take_no_part():
    result = mlup_process("plugins", "--json", MLUP_PLUGINS="joblib")
    status = {info["name"]: (info["status"], info["problem"]) for info in json.loads(result.stdout)}
    assert status["joblib"] == ("ok", None)
    assert status["pickle"][0] == "disabled"
    assert "MLUP_PLUGINS" in status["pickle"][1]


def test_a_broken_plugin_is_listed_with_its_problem(fake):
    where = fake("bad", "raise RuntimeError('no such luck')")
    code, output, errors = text_of(mlup_process("plugins", PYTHONPATH=where))
    assert code == 0
    line = next(each for each in output.splitlines() if each.startswith("bad "))
    assert "broken" in line
    assert "fake-bad 1.2.3" in line
    assert re.search(r"bad: broken: .*RuntimeError: no such luck.*1\.2\.3", output)
    assert "Traceback" not in output + errors
    shown = json.loads(mlup_process("plugins", "--json", PYTHONPATH=where).stdout)
    bad = next(info for info in shown if info["name"] == "bad")
    assert list(bad) == PLUGIN_KEYS
    assert (bad["status"], bad["version"]) == ("broken", "1.2.3")
    assert "no such luck" in bad["problem"]


def test_a_broken_plugin_is_named_on_stderr_while_detect_still_works(fake, files):
    where = fake("bad", "import sys\nsys.exit('gone')")
    code, output, errors = text_of(mlup_process("detect", files / "a.bin", PYTHONPATH=where))
    assert code == 0
    assert output.startswith(f"{files / 'a.bin'}: pickle 0.90 (")
    assert "bad" in errors
    assert "fake-bad" in errors
    assert "SystemExit" in errors
    assert "Traceback" not in errors
    result = mlup_process("detect", "--json", files / "a.bin", PYTHONPATH=where)
    assert json.loads(result.stdout)["binarizer"] == "pickle"


@pytest.mark.parametrize("command", [["plugins"], ["detect", "a.bin"], ["load", "a.bin"]])
def test_a_strict_run_refuses_a_broken_plugin(fake, files, command):
    where = fake("bad", "import no_such_module_xy")
    result = mlup_process(*command, cwd=files, PYTHONPATH=where, MLUP_STRICT_PLUGINS="1")
    code, output, errors = text_of(result)
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert "no_such_module_xy" in errors
    assert "fake-bad" in errors


RAISING = """
    import mlup

    @mlup.hookimpl
    def score(path, head, tail):
        raise ValueError("lost the \\x1b[31mcount")

    @mlup.hookimpl
    def deserialize(file):
        return None
"""


def test_a_plugin_that_fails_while_scoring_is_among_the_problems(fake, files):
    where = fake("raising", RAISING)
    result = mlup_process("detect", "--json", "a.bin", "d.bin", cwd=files, PYTHONPATH=where)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [DETECT_KEYS, DETECT_KEYS]
    assert [line["binarizer"] for line in lines] == ["pickle", None]
    for line in lines:
        assert len(line["problems"]) == 1
        assert "raising" in line["problems"][0]
        assert "fake-raising" in line["problems"][0]
        assert "lost the" in line["problems"][0]
    assert result.returncode == 1  # the text
    assert b"raising" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_tie_is_said(fake, files):
    sure = """
        import mlup

        @mlup.hookimpl
        def score(path, head, tail):
            return 0.9

        @mlup.hookimpl
        def deserialize(file):
            return None
    """
    where = fake("rival", sure)
    code, output, _ = text_of(mlup_process("detect", "a.bin", cwd=files, PYTHONPATH=where))
    assert code == 1
    assert "equally sure" in output
    assert "rival" in output
    code, output, _ = text_of(
        mlup_process("detect", "--json", "a.bin", cwd=files, PYTHONPATH=where)
    )
    assert code == 1
    assert any("equally sure" in each for each in json.loads(output)["problems"])
    code, output, errors = text_of(mlup_process("load", "a.bin", cwd=files, PYTHONPATH=where))
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert "pickle" in errors
    assert "rival" in errors


# -- plugins NAME -------------------------------------------------------------------------------


def test_plugins_of_a_name_shows_everything(run):
    code, output, errors = run("plugins", "joblib")
    assert (code, errors) == (0, "")
    assert output.startswith("joblib: ok (mlup-joblib ")
    for said in (
        r"entry point +joblib = mlup_joblib$",
        r"file +.*mlup_joblib/__init__.py$",
        r"hooks +deserialize, inspect, score$",
        r"extensions +\.joblib \.z",
        r"requires +joblib \(joblib \d",
        r"safe list +\d{3,} names$",
        r"option +mmap_mode: maps ",
        r"recognises\n +Raw arrays within a pickle stream: 0\.95",
        r"returns\n +The object that was dumped",
        r"inspects\n +The classes and functions",
    ):
        assert re.search(said, output, re.MULTILINE), said
    assert "problem" not in output


def test_plugins_of_a_name_as_json_has_the_published_keys(run):
    code, output, errors = run("plugins", "--json", "joblib")
    assert (code, errors) == (0, "")
    assert output.count("\n") == 1
    found = json.loads(output)
    assert list(found) == DETAIL_KEYS
    assert (found["kind"], found["entry_point"]) == ("binarizer", "mlup_joblib")
    assert Path(found["file"]).parts[-2:] == ("mlup_joblib", "__init__.py")
    assert found["hooks"] == ["deserialize", "inspect", "score"]
    assert list(found["options"]) == ["mmap_mode"]
    assert found["frameworks"] == [
        {"name": "joblib", "distribution": "joblib", "version": joblib.__version__, "found": True}
    ]
    assert found["safe_list_size"] > 100
    listed = {info["name"]: info for info in json.loads(run("plugins", "--json")[1])}
    assert {key: found[key] for key in PLUGIN_KEYS} == listed["joblib"]


def test_a_plugin_may_be_asked_for_in_every_way_that_load_knows(run):
    for name in ("mlup-joblib:joblib", "mlup.ml.binarization.joblib.JoblibBinarizer"):
        assert json.loads(run("plugins", "--json", name)[1])["name"] == "joblib"


def test_the_officials_say_all_of_themselves(run):
    """Those that are installed here; each says what its options do and what its files may name."""
    found = [json.loads(run("plugins", "--json", info.name)[1]) for info in mlup.plugins()]
    official = [each for each in found if each["distribution"].startswith("mlup-")]
    assert {"joblib", "memory", "pickle"} <= {each["name"] for each in official}
    for each in official:
        assert each["description"], each
        assert each["returns"], each
        assert each["options"] is not None, each
        assert all(each["options"].values()), each
        assert each["safe_list_size"] is not None, each
        assert ("score" in each["hooks"]) == bool(each["recognises"]), each
        assert ("inspect" in each["hooks"]) == bool(each["inspects"]), each


def test_a_broken_plugin_is_shown_with_why_where_and_what_to_do(fake):
    where = fake("bad", "\nraise RuntimeError('no such luck')")
    path = os.path.join(where, "fake_bad.py")
    code, output, _ = text_of(mlup_process("plugins", "bad", PYTHONPATH=where))
    assert code == 0
    assert output.startswith("bad: broken (fake-bad 1.2.3)")
    assert re.search(r"problem +RuntimeError: no such luck", output)
    assert f"at           {path}:2\n" in output
    assert re.search(r"to do +pip install --upgrade fake-bad", output)
    found = json.loads(mlup_process("plugins", "bad", "--json", PYTHONPATH=where).stdout)
    assert list(found) == DETAIL_KEYS
    assert (found["status"], found["file"], found["hooks"]) == ("broken", path, [])
    for said in ("RuntimeError: no such luck", f"{path}:2", "pip install --upgrade fake-bad"):
        assert said in found["problem"]


def test_two_distributions_of_one_name_are_a_line_each(fake):
    for name in ("one", "two"):
        where = fake(name, RAISING, f"same = fake_{name}")
    result = mlup_process("plugins", "same", "--json", PYTHONPATH=where)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["distribution"] for each in lines] == ["fake-one", "fake-two"]
    assert {each["status"] for each in lines} == {"conflict"}
    result = mlup_process("plugins", "fake-two:same", "--json", PYTHONPATH=where)
    assert json.loads(result.stdout)["distribution"] == "fake-two"
    result = mlup_process(
        PYTHONPATH=where,
        _MLUP_COMPLETE="bash_complete",
        COMP_WORDS="mlup plugins fake",
        COMP_CWORD="2",
    )
    found = {line.split(",")[-1] for line in result.stdout.decode().split()}
    assert found == {"fake-one:same", "fake-two:same"}


def test_a_safe_list_that_raises_costs_that_line_alone(fake):
    where = fake(
        "odd", f"{textwrap.dedent(RAISING)}\ndef safe_list():\n    raise OSError('gone')\n"
    )
    code, output, errors = text_of(mlup_process("plugins", "odd", PYTHONPATH=where))
    assert (code, errors) == (0, "")
    assert re.search(r"^  safe list +cannot be read: OSError: gone$", output, re.MULTILINE)
    assert "hooks        deserialize, score" in output
    found = json.loads(mlup_process("plugins", "odd", "--json", PYTHONPATH=where).stdout)
    assert (found["status"], found["safe_list_size"]) == ("ok", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pickel", "Did you mean pickle?"),
        ("JOBLIB2", "Installed: "),
        ("mlup-joblib", "it has joblib: mlup plugins joblib"),
        ("nothing-like-it", "No binarizer is called 'nothing-like-it'. Installed: "),
    ],
)
def test_a_name_that_is_not_installed_is_exit_code_1_with_the_nearest(run, name, said):
    code, output, errors = run("plugins", name)
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert said in errors
    code, output, _ = run("plugins", "--json", name)
    assert code == 1
    assert list(json.loads(output)) == ["name", "error"]


# -- doctor -------------------------------------------------------------------------------------


def doctored(where: str = "", **changes: str) -> tuple[int, dict]:
    result = mlup_process("doctor", "--json", PYTHONPATH=where, **changes)
    return result.returncode, json.loads(result.stdout)


def told(found: dict, text: str) -> dict:
    (problem,) = [each for each in found["problems"] if text in each["what"]]
    return problem


def test_doctor_shows_the_environment_and_the_binarizers():
    code, output, errors = text_of(mlup_process("doctor", MLUP_DISABLE_PLUGINS="joblib"))
    assert (code, errors) == (0, "")
    assert f"mlup-core {mlup.__version__}" in output
    assert "MLUP_PLUGINS: not set" in output
    assert "MLUP_DISABLE_PLUGINS: joblib" in output
    assert re.search(r"^pluggy +>=\S+ +\d", output, re.MULTILINE)
    assert re.search(r"^pickle +mlup-pickle \S+ +ok$", output, re.MULTILINE)
    assert re.search(r"^joblib +mlup-joblib \S+ +disabled$", output, re.MULTILINE)


def test_doctor_json_has_the_published_keys():
    code, found = doctored()
    assert (code, list(found)) == (0, DOCTOR_KEYS)
    assert [list(each) for each in found["binarizers"]] == [PLUGIN_KEYS] * len(found["binarizers"])
    assert found["environment"] == dict.fromkeys(
        ("MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS", "MLUP_STRICT_PLUGINS")
    )
    assert Path(found["mlup"]["file"]) == Path(mlup.__file__).parent
    assert not [each for each in found["problems"] if each["level"] == "error"]


@pytest.mark.parametrize("strict", ["", "1"])
def test_doctor_shows_a_broken_plugin_and_does_not_die_of_it(fake, strict):
    where = fake("bad", "\nraise RuntimeError('no such luck')")
    code, found = doctored(where, MLUP_STRICT_PLUGINS=strict)
    assert code == 1
    problem = told(found, "no such luck")
    assert list(problem) == ["level", "what", "do"]
    assert problem["level"] == "error"
    assert os.path.join(where, "fake_bad.py:2") in problem["what"]
    assert "pip install --upgrade fake-bad" in problem["do"]
    code, output, errors = text_of(
        mlup_process("doctor", PYTHONPATH=where, MLUP_STRICT_PLUGINS=strict)
    )
    assert (code, errors) == (1, "")
    assert "error: the binarizer bad of fake-bad 1.2.3 is broken: RuntimeError" in output
    assert "  to do: pip install --upgrade fake-bad" in output


def test_doctor_ends_well_where_there_are_only_warnings():
    code, found = doctored(MLUP_PLUGINS="pickle,pickel")
    assert code == 0
    assert told(found, "'pickel'")["level"] == "warning"


@pytest.fixture
def listing(fake, tmp_path):
    """Install a package with a safe list, and return the folder for ``PYTHONPATH``."""

    def install(text: str) -> str:
        where = fake("listing", "", "x = none\n[mlup.safelists]\nlisting = sp_lib")
        folder = tmp_path / "site" / "sp_lib"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "safelist.json").write_text(text)
        entries = tmp_path / "site" / "fake_listing-1.2.3.dist-info" / "entry_points.txt"
        entries.write_text("[mlup.safelists]\nlisting = sp_lib\n")
        return where

    return install


KEYS = "call_check, functions, needed_by, role, state_check, versions, whole"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", 'no object with "names"'),
        ("{", "Expecting property name"),
        ('{"names": {"sp_lib:A": "new"}}', "'sp_lib:A' is 'new', not an object"),
        ('{"names": {"A": {"role": "new"}}}', "'A' is no exact 'module:name'"),
        (
            '{"names": {"sp_lib:A": {"role": "run"}}}',
            "'sp_lib:A' has the role 'run'; allowed are reference, new, call",
        ),
        (
            '{"names": {"sp_lib:A": {"role": "new", "z": 1, "cal_check": "a:b"}}}',
            f"'sp_lib:A' has the key 'cal_check', 'z'; allowed are {KEYS}",
        ),
        (
            '{"names": {"sp_lib:A": {"role": "new", "state_check": "a"}}}',
            "'sp_lib:A' has the state_check 'a'; allowed is one 'module:function'",
        ),
    ],
)
def test_a_safe_list_with_a_mistake_says_file_key_and_what_is_allowed(listing, text, said):
    where = listing(text)
    code, found = doctored(where)
    problem = told(found, "fake-listing")
    assert (code, problem["level"]) == (1, "error")
    assert os.path.join(where, "sp_lib", "safelist.json") in problem["what"]
    assert said in problem["what"]


def test_a_safe_list_with_a_mistake_costs_itself_but_not_where_it_is_strict(listing, files):
    where = listing("[]")
    code, output, errors = text_of(mlup_process("load", files / "a.bin", PYTHONPATH=where))
    assert code == 0
    assert "loaded by pickle" in output
    assert "the safe list of fake-listing" in errors
    result = mlup_process("load", files / "a.bin", PYTHONPATH=where, MLUP_STRICT_PLUGINS="1")
    code, output, errors = text_of(result)
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert "the safe list of fake-listing" in errors
    assert "MLUP_STRICT_PLUGINS is set" in errors


# -- detect -------------------------------------------------------------------------------------


def test_detect_says_what_each_path_is(run, files):
    code, output, errors = run("detect", files / "a.bin", files / "b.bin", files / "c.bin")
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert lines[0].startswith(f"{files / 'a.bin'}: pickle 0.90 (pickle")
    assert lines[1].startswith(f"{files / 'b.bin'}: joblib 0.95 (joblib dump")
    assert lines[2].startswith(f"{files / 'c.bin'}: joblib 0.90 (zlib-compressed pickle")
    assert len(lines) == 3


def test_detect_all_shows_every_candidate(run, files):
    _, output, _ = run("detect", "--all", files / "a.bin")
    assert len(output.splitlines()) == 2
    assert "joblib 0.60" in output.splitlines()[1]
    _, output, _ = run("detect", files / "a.bin")
    assert "joblib" not in output


def test_one_path_that_is_not_recognised_makes_the_exit_code_1(run, files):
    code, output, errors = run("detect", files / "d.bin", files / "a.bin")
    assert (code, errors) == (1, "")
    assert output.splitlines()[0].startswith(f"{files / 'd.bin'}: not recognised: text")
    assert "pickle" in output.splitlines()[1]


def test_a_path_that_cannot_be_read_is_said_on_stderr_and_the_rest_goes_on(run, files):
    code, output, errors = run("detect", files / "none.bin", files / "a.bin")
    assert code == 1
    assert one_line(errors)
    assert "none.bin" in errors
    assert "does not exist" in errors
    assert output.startswith(f"{files / 'a.bin'}: pickle")


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--no-such-option", "a"], ["--all"]])
def test_wrong_usage_of_detect_is_exit_code_2(run, arguments):
    code, output, errors = run("detect", *arguments)
    assert (code, output) == (2, "")
    assert "Usage: mlup detect" in errors


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["load"], ["load", "a", "b"], ["pin"], ["plugins", "x", "y"]]
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert "Usage: mlup" in errors


def test_detect_json_is_a_line_per_path_in_the_order_given(run, files):
    paths = [
        str(files / name) for name in ("d.bin", "b.bin", "none.bin", "a.bin", "c.bin", "b.bin")
    ]
    code, output, errors = run("detect", "--json", *paths)
    lines = [json.loads(line) for line in output.splitlines()]
    assert (code, errors) == (1, "")
    assert [line["path"] for line in lines] == paths
    keys = [DETECT_KEYS, DETECT_KEYS, [*DETECT_KEYS, "error"], *[DETECT_KEYS] * 3]
    assert [list(line) for line in lines] == keys
    assert [line["binarizer"] for line in lines] == [
        None,
        "joblib",
        None,
        "pickle",
        "joblib",
        "joblib",
    ]


def test_detect_json_of_a_model(run, files):
    code, output, _ = run("detect", "--json", files / "a.bin")
    line = json.loads(output)
    assert code == 0
    assert line["score"] == 0.9
    assert (line["verdict"], line["problems"]) == (None, [])
    assert [list(each) for each in line["candidates"]] == [
        ["binarizer", "score", "reason", "distribution"]
    ] * 2
    assert [each["binarizer"] for each in line["candidates"]] == ["pickle", "joblib"]
    assert [each["distribution"] for each in line["candidates"]] == ["mlup-pickle", "mlup-joblib"]
    assert line["reason"] == line["candidates"][0]["reason"] != ""


def test_detect_json_of_a_text_and_of_nothing(run, files):
    _, output, _ = run("detect", "--json", files / "d.bin", files / "none.bin")
    text, missing = (json.loads(line) for line in output.splitlines())
    for line in (text, missing):
        assert (line["binarizer"], line["reason"], line["candidates"]) == (None, None, [])
        assert not line["score"]
    assert "text" in text["verdict"]
    assert missing["verdict"] is None
    assert "does not exist" in missing["error"]


def test_detect_json_and_all_go_together(run, files):
    assert run("detect", "--json", "--all", files / "a.bin") == run(
        "detect", "--json", files / "a.bin"
    )


def test_a_folder_is_one_path(run, files):
    code, output, _ = run("detect", "--json", files)
    assert code == 1
    assert json.loads(output)["path"] == str(files)
    assert "folder" in json.loads(output)["verdict"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code, output, errors = run("detect", tmp_path / "pipe")
    assert (code, output) == (1, "")
    assert "FIFO" in errors


@linux_only
def test_a_name_that_is_not_utf_8_is_escaped_in_text_and_exact_in_json(tmp_path):
    name = os.fsencode(tmp_path) + b"/mod\xe8le\xff.pkl"
    missing = os.fsencode(tmp_path) + b"/no\xff"
    with open(name, "wb") as stream:
        stream.write(pickle.dumps(WEIGHTS))
    result = mlup_process("detect", name, missing)
    assert result.returncode == 1
    assert b"\xff" not in result.stdout + result.stderr
    assert result.stdout.count(b"\n") == 1
    assert b"pickle 0.95" in result.stdout
    assert b"does not exist" in result.stderr
    result = mlup_process("detect", "--json", name, missing)
    assert result.stdout.isascii()
    paths = [json.loads(line)["path"] for line in result.stdout.splitlines()]
    assert paths == [os.fsdecode(name), os.fsdecode(missing)]
    result = mlup_process("load", "--json", name)
    assert json.loads(result.stdout)["path"] == os.fsdecode(name)
    assert mlup_process("load", name).returncode == 0


@linux_only
def test_control_characters_in_a_name_are_escaped_in_text_and_exact_in_json(run, tmp_path):
    name = "evil\x1b[31m\r\x07\x9b2J\u202e\n.pkl"
    (tmp_path / name).write_bytes(pickle.dumps(WEIGHTS))
    for path in (tmp_path / name, tmp_path / f"no{name}"):
        for command in (["detect", "--all"], ["load"]):
            _, output, errors = run(*command, path)
            shown = output + errors
            assert "evil" in shown
            assert not [c for c in shown if not c.isprintable() and c != "\n"]
        _, output, _ = run("detect", "--json", path)
        assert output.count("\n") == 1
        assert output.isascii()
        assert json.loads(output)["path"] == str(path)


@linux_only
def test_escapes_inside_a_file_do_not_reach_the_terminal(run, tmp_path):
    path = tmp_path / "m.pkl"
    name = b"mod\x1b]0;owned\x07ule"
    path.write_bytes(b"\x80\x04\x8c" + bytes([len(name)]) + name + b"\x94\x8c\x01A\x94\x93\x94.")
    for command in (["detect"], ["load"]):
        _, output, errors = run(*command, path)
        assert "\x1b" not in output + errors
        assert "\x07" not in output + errors
        assert output + errors


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_that_cannot_hold_a_name_shows_it_escaped(tmp_path, encoding):
    path = tmp_path / "модель-é.pkl"
    path.write_bytes(pickle.dumps(WEIGHTS))
    for command in (["detect"], ["load"], ["detect", "--json"]):
        result = mlup_process(*command, path, PYTHONIOENCODING=encoding)
        assert (result.returncode, result.stderr) == (0, b"")
        assert b"pickle" in result.stdout
        # Escaped; click takes ASCII for a mistake, and writes UTF-8.
        assert b"\\u043c" in result.stdout or "модель-é".encode() in result.stdout
    for command in (["detect"], ["load"]):
        result = mlup_process(*command, f"{path}.no", PYTHONIOENCODING=encoding)
        assert result.returncode == 1
        assert b"does not exist" in result.stderr
        assert b"Traceback" not in result.stderr
    assert mlup_process("plugins", PYTHONIOENCODING=encoding).returncode == 0


def test_a_path_that_starts_with_a_dash_is_given_behind_two(run, files, monkeypatch):
    monkeypatch.chdir(files)
    os.rename("a.bin", "--json")
    code, output, _ = run("detect", "--", "--json")
    assert code == 0
    assert output.startswith("--json: pickle")


# -- inspect --------------------------------------------------------------------------------------


def test_inspect_says_what_would_be_imported(run, tmp_path):
    (tmp_path / "safe.bin").write_bytes(pickle.dumps({"a": np.float64(1)}))
    code, output, errors = run("inspect", tmp_path / "safe.bin")
    assert (code, errors) == (0, "")
    assert output.splitlines()[0] == f"{tmp_path / 'safe.bin'}: pickle, no name in it is refused"
    assert re.search(r"safe +call +numpy.dtype", output)


def test_inspect_json_has_the_published_keys(run, tmp_path):
    (tmp_path / "bad.bin").write_bytes(pickle.dumps({"f": os.getcwd}) + b"and more")
    code, output, _ = run("inspect", "--json", tmp_path / "bad.bin")
    found = json.loads(output)
    assert code == 1  # something would be refused
    assert list(found) == ["path", "format", "imports", "operations", "notes", "stopped", "checked"]
    assert found["format"] == "pickle"
    name = {"module": os.getcwd.__module__, "name": "getcwd"}
    assert found["imports"] == [{**name, "role": "reference", "verdict": "refused"}]
    assert found["operations"] == []
    assert any("follow the end" in note for note in found["notes"])
    assert "STOP" in found["stopped"]  # no binarizer takes a pickle that goes on behind its end
    (tmp_path / "bad.bin").write_bytes(pickle.dumps({"f": os.getcwd}))
    allow = f"{os.getcwd.__module__}.getcwd"
    code, output, _ = run("inspect", "--json", tmp_path / "bad.bin", "--allow", allow)
    assert (code, json.loads(output)["imports"]) == (
        0,
        [{**name, "role": "reference", "verdict": "safe"}],
    )


def test_inspect_of_an_unknown_file_fails(run, tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    code, output, errors = run("inspect", tmp_path / "text", "--json")
    assert code == 1
    assert "not recognised" in json.loads(output)["error"]
    assert "not recognised" in errors


# -- load ---------------------------------------------------------------------------------------


def test_load_refuses_by_name_and_says_how_to_allow_it(run, tmp_path):
    name = f"{os.getcwd.__module__}.getcwd"
    (tmp_path / "m").write_bytes(pickle.dumps({"f": os.getcwd}))
    code, output, errors = run("load", tmp_path / "m")
    assert (code, output) == (1, "")
    assert f"would import {name}, which is not on the safe list" in errors
    code, output, _ = run("load", "--json", tmp_path / "m")
    found = json.loads(output)
    assert list(found) == ["path", "error", "binarizer", "refused", "hint"]
    assert (code, found["binarizer"], found["refused"]) == (1, "pickle", [name])
    assert f"--allow {name}" in found["hint"]
    (tmp_path / "text").write_bytes(TEXT)
    _, output, _ = run("load", "--json", tmp_path / "text")
    assert list(json.loads(output)) == ["path", "error"]  # no safe list has to do with it
    assert f"--allow {name}" in errors
    assert "--trust" in errors
    for option in (["--allow", name], ["--trust"]):
        assert run("load", tmp_path / "m", *option)[0] == 0
    assert (
        run("load", tmp_path / "m", "--allow", "os.*")[0] == 1
    )  # Python's own is nobody's package


def test_load_says_what_it_loaded(run, files):
    code, output, errors = run("load", files / "a.bin")
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert lines[0] == f"{files / 'a.bin'}: loaded by pickle"
    facts = dict(line.split(maxsplit=1) for line in lines[1:])
    assert facts["type"] == "builtins.dict"
    assert facts["predict"] == "no"
    assert re.match(r"\d+\.\d+ s", facts["time"])
    assert "memory" in facts


def test_load_json_is_an_object(run, files):
    code, output, errors = run("load", "--json", files / "b.bin")
    found = json.loads(output)
    assert (code, errors) == (0, "")
    assert (found["path"], found["binarizer"]) == (str(files / "b.bin"), "joblib")
    assert found["type"] == "builtins.dict"
    assert found["has_predict"] is False
    assert 0 <= found["time"] < 60
    assert found["memory"] is None or found["memory"] >= 0


def test_load_sees_a_predict(run, tmp_path):
    from sklearn.linear_model import LinearRegression

    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "m")
    _, output, _ = run("load", "--json", tmp_path / "m")
    assert json.loads(output)["has_predict"] is True
    assert json.loads(output)["type"].endswith(".LinearRegression")
    _, output, _ = run("load", tmp_path / "m")
    assert re.search(r"predict +yes", output)


def test_load_hands_options_on(run, tmp_path):
    joblib.dump(np.arange(99.0), tmp_path / "m")
    for option, kind in (
        ("mmap_mode=r", "memmap"),
        ('mmap_mode="r"', "memmap"),
        ("mmap_mode=null", "ndarray"),
    ):
        code, output, _ = run("load", "--json", tmp_path / "m", "--option", option)
        assert code == 0
        assert json.loads(output)["type"].endswith(f".{kind}")


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        ("mmap_mode", 2, "K=V"),
        ("=r", 2, "K=V"),
        ("colour=red", 1, "colour"),
        ("mmap_mode=sideways", 1, "sideways"),
    ],
)
def test_an_option_that_is_no_option_is_refused(run, tmp_path, option, code, said):
    joblib.dump(np.arange(99.0), tmp_path / "m")
    found, output, errors = run("load", tmp_path / "m", "--option", option)
    assert (found, output) == (code, "")
    assert said in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "name", ["joblib", "mlup-joblib:joblib", "mlup.ml.binarization.joblib.JoblibBinarizer"]
)
def test_load_takes_a_binarizers_name(run, files, name):
    code, output, _ = run("load", "--json", files / "a.bin", "--binarizer", name)
    assert code == 0
    assert json.loads(output)["binarizer"] == "joblib"


def test_load_takes_the_import_line_of_a_module_in_the_working_directory(files):
    (files / "my_own.py").write_text(
        "class Mine:\n    @classmethod\n    def deserialize(cls, data):\n        return {'mine': 1}\n"
    )
    for line in ("my_own.Mine", "my_own:Mine"):
        result = mlup_process("load", "--json", "d.bin", "--binarizer", line, cwd=files)
        assert (result.returncode, result.stderr) == (0, b"")
        assert json.loads(result.stdout)["binarizer"] == line
        assert json.loads(result.stdout)["type"] == "builtins.dict"
    if os.path.exists(SCRIPT):  # a script has its own folder on the path, not the working one
        command = [SCRIPT, "load", "d.bin", "--binarizer", "my_own.Mine"]
        result = subprocess.run(
            command, cwd=files, env=environment(), capture_output=True, timeout=60, check=False
        )
        assert (result.returncode, result.stderr) == (0, b"")


def test_a_module_in_the_working_directory_shadows_nothing(files):
    (files / "joblib.py").write_text("raise RuntimeError('shadowed')\n")
    command = [SCRIPT] if os.path.exists(SCRIPT) else pytest.skip("the script is not installed")
    result = subprocess.run(
        [*command, "load", "b.bin"],
        cwd=files,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["d.bin"], "not recognised"),
        (["none.bin"], "does not exist"),
        (["d.bin", "--binarizer", "pickle"], "UnpicklingError"),
        (["a.bin", "--binarizer", "pickel"], "pickle"),
        (["a.bin", "--binarizer", "lightgbm"], "it begins with"),
        (["a.bin", "--binarizer", "no.such.Module"], "no.such.Module"),
        (["a.bin", "--binarizer", "os.path"], "deserialize"),
    ],
)
def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(run, files, monkeypatch, arguments, said):
    monkeypatch.chdir(files)
    code, output, errors = run("load", *arguments)
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert errors.startswith("mlup: ")
    assert said in errors
    assert "bug in mlup" not in errors


@pytest.mark.parametrize("arguments", [["--debug", "load"], ["load", "--debug"]])
def test_debug_shows_the_traceback_before_and_after_the_command(files, arguments):
    result = mlup_process(*arguments, "d.bin", "--binarizer", "pickle", cwd=files)
    code, output, errors = text_of(result)
    assert (code, output) == (1, "")
    assert "Traceback" in errors
    assert "UnpicklingError" in errors
    assert "ModelBinarizationError" in errors


def test_without_debug_there_is_no_traceback(files):
    code, output, errors = text_of(mlup_process("load", files / "d.bin"))
    assert (code, output) == (1, "")
    assert one_line(errors)


def test_verbose_says_what_was_chosen(files):
    code, output, errors = text_of(mlup_process("-v", "load", files / "a.bin"))
    assert code == 0
    assert "chose pickle" in errors
    assert "chose" not in output
    _, _, errors = text_of(mlup_process("-vv", "detect", files / "a.bin"))
    assert "joblib scores 0.60" in errors


@pytest.mark.parametrize(
    "arguments",
    [("-v", "detect"), ("detect", "-v"), ("-v", "load"), ("load", "--verbose")],
    ids=" ".join,
)
def test_verbose_says_the_choice_and_its_runner_up_before_and_after_the_command(files, arguments):
    code, output, errors = text_of(mlup_process(*arguments, files / "a.bin"))
    assert code == 0
    assert re.search(r"chose pickle \(0\.9.*; next joblib 0\.60", errors)
    assert "scores" not in errors
    assert "chose" not in output


def test_verbose_twice_may_stand_on_both_sides(files):
    for arguments in (("detect", "-vv"), ("-v", "detect", "-v")):
        _, _, errors = text_of(mlup_process(*arguments, files / "a.bin"))
        assert errors.count("joblib scores 0.60") == 1


def test_detect_says_what_is_in_conflict_and_what_would_be_asked_for(fake, files):
    for name in ("one", "two"):
        where = fake(name, RAISING, f"same = fake_{name}")
    result = mlup_process("detect", "--json", files / "d.bin", PYTHONPATH=where)
    problems = json.loads(result.stdout)["problems"]
    assert len(problems) == 2
    assert all("is in conflict" in each and "'fake-one:same'" in each for each in problems)
    _, _, errors = text_of(mlup_process("pin", "no.yaml", cwd=files, PYTHONPATH=where))
    assert "conflict" not in errors
    (files / "service.yaml").write_text("path: d.bin\n")
    _, _, errors = text_of(mlup_process("pin", "service.yaml", cwd=files, PYTHONPATH=where))
    assert "'fake-one:same' or 'fake-two:same' (binarizer=, --binarizer, or binarization_type:" in (
        errors
    )


@linux_only
def test_a_working_directory_that_is_gone_is_no_hindrance(files, tmp_path):
    gone = tmp_path / "gone"
    script = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -c "
    script += "'from mlup.cli import main; main()' "
    for command in ("detect", "load"):
        result = subprocess.run(
            ["sh", "-c", f"{script} {command} {files / 'a.bin'}"],
            env=environment(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"bug in mlup" not in result.stderr
        assert result.returncode == 0
        assert b"pickle" in result.stdout


# -- pin ----------------------------------------------------------------------------------------

CONFIG = """\
# how the service finds its model
binarization_type: auto  # to be pinned
path: a.bin
web:
  port: 8009
"""


@pytest.fixture
def config(files):
    (files / "service.yaml").write_text(CONFIG)
    return files / "service.yaml"


def test_pin_writes_the_choice_in_place(run, config):
    code, output, errors = run("pin", config)
    assert (code, errors) == (0, "")
    assert "pickle" in output
    # The comment stays; the column it stands in may not.
    written = re.sub(r" +#", " #", config.read_text())
    assert written == CONFIG.replace("auto  #", "pickle #")
    assert sorted(os.listdir(config.parent)) == [
        "a.bin",
        "b.bin",
        "c.bin",
        "d.bin",
        "service.yaml",
    ]


def test_pin_twice_changes_nothing_the_second_time(run, config):
    run("pin", config)
    before = config.read_bytes(), config.stat().st_mtime_ns
    for arguments in ([], ["--check"]):
        code, output, errors = run("pin", config, *arguments)
        assert (code, errors) == (0, "")
        assert "pickle" in output
        assert (config.read_bytes(), config.stat().st_mtime_ns) == before


def test_pin_check_changes_nothing_and_says_what_would_be(run, config):
    before = config.stat().st_mtime_ns
    code, output, errors = run("pin", config, "--check")
    assert (code, errors) == (1, "")
    assert "pickle" in output
    assert config.read_text() == CONFIG
    assert config.stat().st_mtime_ns == before


def test_pin_knows_json(run, files):
    path = files / "service.json"
    path.write_text(json.dumps({"path": "b.bin", "binarization_type": "auto", "other": [1]}))
    assert run("pin", path, "--check")[0] == 1
    assert run("pin", path)[0] == 0
    assert json.loads(path.read_text()) == {
        "path": "b.bin",
        "binarization_type": "joblib",
        "other": [1],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "does not exist"),
        ("binarization_type: auto\npath: d.bin\n", "not recognised"),
        ("binarization_type: auto\npath: none.bin\n", "does not exist"),
        ("binarization_type: auto\n", "path"),
        ("a: [1\n", "YAML"),
        ("- a list\n", "mapping"),
    ],
)
@pytest.mark.parametrize("check", [[], ["--check"]])
def test_pin_refuses_in_one_line_and_changes_nothing(run, files, text, said, check):
    path = files / "bad.yaml"
    if text is not None:
        path.write_text(text)
    code, output, errors = run("pin", path, *check)
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert said in errors
    assert "bug in mlup" not in errors
    assert not path.exists() if text is None else path.read_text() == text


def test_pin_of_a_model_says_that_it_is_no_config(run, files):
    code, _, errors = run("pin", files / "b.bin")
    assert code == 1
    assert one_line(errors)
    assert "UTF-8" in errors


# -- help, versions, completion -----------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_help_has_an_example(run, command, flag):
    code, output, errors = run(command, flag)
    assert (code, errors) == (0, "")
    assert "Example" in output
    assert f"  mlup {command}" in output
    assert "--debug" in output


def test_the_help_names_every_command(run):
    code, output, _ = run("--help")
    assert code == 0
    assert "Example" in output
    assert "Exit codes" in output
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", output, re.MULTILINE)


def test_the_version_is_said(run):
    assert run("--version")[1].split()[-1] == mlup.__version__


@pytest.mark.skipif(not os.path.exists(SCRIPT), reason="the script is not installed")
@pytest.mark.parametrize(
    "arguments", [["--help"], ["detect", "a.bin", "d.bin"], ["plugins"], ["load", "none"], ["x"]]
)
def test_python_m_mlup_is_the_same_as_mlup(files, arguments):
    script = subprocess.run(
        [SCRIPT, *arguments],
        cwd=files,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    module = mlup_process(*arguments, cwd=files)
    assert text_of(script) == text_of(module)
    assert script.stdout + script.stderr


@pytest.mark.filterwarnings("ignore")
def test_completion_for_a_shell_is_written():
    code, output, _ = text_of(mlup_process(_MLUP_COMPLETE="bash_source"))
    assert code == 0
    assert "_MLUP_COMPLETE=bash_complete" in output
    assert "complete " in output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mlup ", {*COMMANDS}),
        ("mlup p", {"pin", "plugins"}),
        ("mlup load --binarizer ", {"auto", "joblib", "memory", "pickle"}),
        ("mlup load --binarizer p", {"pickle"}),
        ("mlup plugins jo", {"joblib"}),
        ("mlup plugins mem", {"memory"}),
        ("mlup doctor ", set()),
    ],
)
def test_commands_and_binarizers_are_completed(words, expected):
    result = mlup_process(
        _MLUP_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )
    found = {line.split(",")[-1] for line in result.stdout.decode().split()}
    assert found == expected if "--binarizer" not in words else expected <= found
    assert all(each.startswith(words.split(" ")[-1]) for each in found)
    assert result.stderr == b""


# -- terminals and pipes ------------------------------------------------------------------------


def in_terminal(*arguments, cwd=None, **changes) -> tuple[int, str]:
    """Run under a pseudo-terminal, and return what it showed."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    variables = environment(TERM="xterm-256color", COLUMNS="160", LINES="50", **changes)
    with subprocess.Popen(
        [sys.executable, "-m", "mlup", *arguments],
        cwd=cwd,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                piece = os.read(ours, 65_536)
            except OSError as error:  # Linux says EIO where the other side was closed
                if error.errno != errno.EIO:
                    raise
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        code = process.wait(timeout=60)
    return code, shown.decode()


def test_without_a_terminal_there_are_no_colours_and_no_drawn_table(files):
    for arguments in (["plugins"], ["detect", "--all", "a.bin", "d.bin"], ["load", "a.bin"]):
        result = mlup_process(*arguments, cwd=files, TERM="xterm-256color")
        assert b"\x1b" not in result.stdout + result.stderr
        assert b"\xe2\x94" not in result.stdout  # ─ │


def test_on_a_terminal_the_table_is_drawn():
    code, shown = in_terminal("plugins")
    assert code == 0
    assert "───" in shown
    assert "\x1b[" in shown
    assert "pickle" in shown
    assert "mlup-joblib" in shown


def test_on_a_terminal_the_answer_is_styled(files):
    code, shown = in_terminal("detect", "a.bin", cwd=files)
    assert code == 0
    assert shown.startswith("\x1b[1m")
    assert "pickle 0.90" in shown


@pytest.mark.parametrize(
    "arguments", [["plugins"], ["detect", "--all", "a.bin", "d.bin"], ["load", "a.bin"]]
)
def test_no_color_is_heeded(files, arguments):
    code, shown = in_terminal(*arguments, cwd=files, NO_COLOR="1")
    assert code == (1 if "d.bin" in arguments else 0)
    assert "pickle" in shown
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", shown)  # no colour
    assert arguments == ["plugins"] or "\x1b" not in shown


def test_json_on_a_terminal_is_json(files):
    _, shown = in_terminal("detect", "--json", "a.bin", cwd=files)
    assert json.loads(shown)["binarizer"] == "pickle"
    _, shown = in_terminal("plugins", "--json")
    assert "pickle" in [info["name"] for info in json.loads(shown)]


def test_markup_in_a_plugins_words_is_shown_as_it_is(fake):
    code = '"""Reads [bold]odd[/bold] things [/] and [link=x]."""\n' + textwrap.dedent(RAISING)
    shown = in_terminal("plugins", PYTHONPATH=fake("odd", code))[1]
    assert "[bold]odd[/bold]" in re.sub(r"\s+", " ", shown)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no EPIPE")
@pytest.mark.parametrize("arguments", [["detect"], ["detect", "--json"], ["detect", "--all"]])
def test_a_reader_that_leaves_early_hears_no_traceback(files, arguments):
    with subprocess.Popen(
        [sys.executable, "-m", "mlup", *arguments, *["a.bin"] * 2000],
        cwd=files,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert b"pickle" in process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=60)
    assert errors == b""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_head_gets_its_line(files):
    many = " ".join(["a.bin"] * 2000)
    result = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m mlup detect {many} | head -1"],
        cwd=files,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.startswith(b"a.bin: pickle 0.90")
    assert result.stdout.count(b"\n") == 1
    assert result.stderr == b""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("arguments", ["detect a.bin", "plugins", "load a.bin"])
def test_a_closed_standard_output_is_no_bug(files, arguments):
    result = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m mlup {arguments} >&-"],
        cwd=files,
        env=environment(),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in result.stderr
    assert b"bug in mlup" not in result.stderr


def test_an_error_of_mlups_own_asks_to_be_reported(run, files, monkeypatch):
    from mlup.cli import detect as module

    def fail(path):
        raise ZeroDivisionError("should not be")

    monkeypatch.setattr(module, "detect", fail)
    code, output, errors = run("detect", files / "a.bin")
    assert (code, output) == (1, "")
    assert one_line(errors)
    assert "ZeroDivisionError" in errors
    assert "--debug" in errors


def test_this_suite_runs_the_mlup_that_is_tested():
    result = subprocess.run(
        [sys.executable, "-c", "import mlup; print(mlup.__file__)"],
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert Path(result.stdout.decode().strip()) == Path(mlup.__file__)
