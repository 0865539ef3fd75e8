"""What may not be imported: detection and the command line start before any framework does."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

HEAVY = (
    "numpy",
    "joblib",
    "sklearn",
    "scipy",
    "torch",
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "lightgbm",
    "xgboost",
    "pandas",
    "lz4",
    "rich",
    "ruamel",
    "yaml",
    "asyncio",
    "email",
    "packaging",
    "http",
    "urllib.request",
    "pickletools",
    "unittest",
    "pydoc",
)
# Run before anything of mlup's, so that it sees what is there when the process ends.
AT_EXIT = """
import atexit, sys
@atexit.register
def report(modules=sys.modules, write=sys.__stderr__.write):
    write("\\n@" + " ".join(sorted(modules)))
"""


def imported_by(code: str, cwd: object = None, said: str = "") -> set[str]:
    """The names of the modules that are loaded when a process has run ``code``.

    It must end well, and say nothing on standard error but ``said``.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLUP_", "_MLUP", "PYTHON", "COV"))
    }
    result = subprocess.run(
        [sys.executable, "-c", AT_EXIT + code],
        cwd=cwd,
        env=kept,
        capture_output=True,
        timeout=60,
        check=False,
    )
    errors, _, names = result.stderr.decode().rpartition("\n@")
    assert (result.returncode, bool(errors)) == (0, bool(said)), result
    assert said in errors
    return set(names.split())


def heavy(modules: set[str]) -> set[str]:
    return {
        name
        for name in modules
        if any(name == each or name.startswith(f"{each}.") for each in HEAVY)
    }


@pytest.fixture(scope="module")
def dependencies() -> set[str]:
    """What the three dependencies bring in by themselves is not mlup's doing."""
    return imported_by("import pluggy, importlib_metadata, click\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One of each kind, under names that say nothing."""
    folder = tmp_path_factory.mktemp("models")
    model = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
    made = {"text": b"A text, and no model.", "empty": b"", "zip": b"PK\x05\x06" + bytes(18)}
    for protocol in range(6):
        made[f"pickle{protocol}"] = pickle.dumps(model, protocol)
        made[f"joblib{protocol}"] = _dumped(model, protocol=protocol)
    for compressor in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        made[compressor] = _dumped(model, compress=(compressor, 3))
    for name, data in made.items():
        (folder / name).write_bytes(data)
    (folder / "folder").mkdir()
    return folder


def _dumped(model: object, **how: object) -> bytes:
    stream = io.BytesIO()
    joblib.dump(model, stream, **how)
    return stream.getvalue()


def main_of(*arguments: str) -> str:
    """The command line in a process whose exit code does not matter here."""
    return (
        f"sys.argv = ['mlup', *{list(arguments)!r}]\n"
        "from mlup.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (None, 0, 1), end.code\n"
    )


def test_the_deny_list_is_seen_when_it_is_imported():
    assert {"numpy", "joblib"} <= heavy(imported_by("import joblib\n"))
    assert heavy({"http.client", "httpx", "numpydoc", "urllib", "urllib.parse"}) == {"http.client"}


def test_import_mlup_costs_nothing():
    found = imported_by("import mlup\n") - imported_by("")
    assert {name for name in found if name.startswith("mlup")} == {"mlup"}
    assert not found & {"pluggy", "click", "importlib_metadata", "logging", "dataclasses"}
    assert heavy(found) == set()


def test_the_public_names_are_light(dependencies):
    found = imported_by("import mlup\nfor name in mlup.__all__:\n    getattr(mlup, name)\n")
    assert heavy(found - dependencies) == set()
    assert "mlup.registry" in found


@pytest.mark.parametrize("arguments", [["plugins"], ["plugins", "--json"]])
def test_mlup_plugins_is_light(dependencies, arguments):
    found = imported_by(main_of(*arguments))
    assert {"mlup.registry", "mlup_joblib", "mlup_pickle"} <= found  # they were there, and light
    assert heavy(found - dependencies) == set()


def test_mlup_plugins_of_a_name_is_light(dependencies):
    found = imported_by(main_of("plugins", "joblib"))
    assert {"mlup.plugin_details", "mlup_safepickle.safelists"} <= found  # it counted the names
    # Some versions of importlib-metadata read a distribution's name by means of the module email.
    assert not [each for each in heavy(found - dependencies) if each.partition(".")[0] != "email"]


def test_mlup_doctor_imports_no_framework(dependencies):
    found = imported_by(main_of("doctor"))
    assert {"mlup.doctoring", "mlup_joblib", "mlup_safepickle.safelists"} <= found
    # What a distribution requires, importlib.metadata reads by means of the module email.
    used = ("email", "packaging")  # to read what the distributions say of themselves
    assert not [each for each in heavy(found - dependencies) if each.partition(".")[0] not in used]


@pytest.mark.parametrize("arguments", [["detect"], ["detect", "--json"], ["detect", "--all"]])
def test_mlup_detect_is_light_whatever_the_file(dependencies, files, arguments):
    names = sorted(os.listdir(files))
    assert len(names) > 20
    found = imported_by(
        main_of(*arguments, *names, "missing"),
        files,
        said="" if "--json" in arguments else "missing does not exist",
    )
    assert {"mlup.loading", "mlup_joblib", "mlup_pickle"} <= found
    assert heavy(found - dependencies) == set()


@pytest.mark.parametrize("name", ["pickle4", "joblib4", "text"])
def test_mlup_detect_of_one_file_is_light(dependencies, files, name):
    found = imported_by(main_of("detect", name), files)
    assert "mlup.loading" in found
    assert heavy(found - dependencies) == set()
    # Nor what other commands need.
    assert not found & {"mlup.config", "mlup.config_files", "mlup.cli.load", "mlup.cli.pin"}
    assert not found & {"mlup.plugin_details", "mlup.doctoring", "mlup.installed"}


def test_mlup_inspect_is_light_whatever_the_file(dependencies, files):
    names = [name for name in sorted(os.listdir(files)) if name.startswith(("pickle", "joblib"))]
    names += ["zlib", "gzip", "bz2", "xz", "lzma"]  # of lz4, only its package knows how
    for name in names:
        found = imported_by(main_of("inspect", name), files)
        assert {"mlup.inspecting", "mlup_safepickle"} <= found, name
        assert heavy(found - dependencies) == set(), name


@pytest.mark.parametrize("arguments", [["--help"], ["detect", "--help"], ["--version"]])
def test_help_is_light(dependencies, arguments):
    assert heavy(imported_by(main_of(*arguments)) - dependencies) == set()


def test_detect_in_a_process_is_light(dependencies, files):
    code = "import mlup, os, json\nfound = {}\n"
    code += "for name in sorted(os.listdir()):\n"
    code += "    best = mlup.detect(name).best\n"
    code += "    found[name] = best and best.binarizer\n"
    code += "    if os.path.isfile(name):\n"
    code += "        with open(name, 'rb') as stream:\n"
    code += "            assert mlup.detect(stream).best == best\n"
    code += "            assert mlup.detect(stream.read()).best == best\n"
    code += "print(json.dumps(found))\n"
    code += "json.dump(found, open('../found.json', 'w'))\n"
    found = imported_by(code, files)
    assert heavy(found - dependencies) == set()
    answers = json.loads((files.parent / "found.json").read_text())
    for name, answer in answers.items():  # it was light, and right
        if name.startswith("pickle"):
            assert answer == "pickle"
        elif name in ("text", "empty", "zip", "folder"):
            assert answer is None
        else:
            assert answer == "joblib"


def test_a_refused_load_is_light(dependencies, files):
    code = "import mlup\ntry:\n    mlup.load('text')\nexcept mlup.UnknownModelError:\n    pass\n"
    assert heavy(imported_by(code, files) - dependencies) == set()


def test_only_a_load_imports_the_framework(files):
    code = "import mlup\nassert mlup.detect('joblib4').best.binarizer == 'joblib'\n"
    code += "assert 'joblib' not in sys.modules\nmlup.load('joblib4')\n"
    code += "assert 'sklearn' in sys.modules\n"
    assert {"joblib", "sklearn"} <= heavy(imported_by(code, files))


def test_a_disabled_plugin_is_not_imported():
    code = "import os\nos.environ['MLUP_PLUGINS'] = 'pickle'\nimport mlup\nmlup.detect(b'x')\n"
    found = imported_by(code)
    assert "mlup_pickle" in found
    assert "mlup_joblib" not in found
