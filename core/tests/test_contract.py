"""The published contract, pinned: signatures, documentation that runs, public names."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from textwrap import dedent

import pytest

import mlup
from mlup import hookspecs

SIGNATURES = {"score": ["path", "head", "tail"], "deserialize": ["file"], "inspect": ["file"]}

ACME_FRAMEWORK = """
def load(path, **options):
    with open(path, "rb") as stream:
        return {"path": path, "data": stream.read(), "options": options}
"""


def _hooks():
    return {
        name: function
        for name, function in vars(hookspecs).items()
        if inspect.isfunction(function) and hasattr(function, "mlup_spec")
    }


def _example(hook):
    """The code block that follows the words "A complete example::" in a docstring."""
    _, _, rest = inspect.getdoc(hook).partition("A complete example::\n")
    lines = []
    for line in rest.splitlines():
        if line.strip() and not line.startswith("    "):
            break
        lines.append(line)
    return dedent("\n".join(lines)).strip() + "\n"


# -- the hooks ------------------------------------------------------------------------------


def test_the_contract_has_exactly_these_hooks_with_these_arguments():
    """A plugin names them. Adding one at the end is a decision; any other change breaks plugins."""
    signatures = {
        name: list(inspect.signature(function).parameters) for name, function in _hooks().items()
    }
    assert signatures == SIGNATURES


def test_no_argument_of_a_hook_has_a_default():
    """Pluggy does not pass arguments with a default, so such a one would never arrive."""
    for function in _hooks().values():
        for parameter in inspect.signature(function).parameters.values():
            assert parameter.default is inspect.Parameter.empty
            assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def test_what_is_checked_is_what_is_specified():
    from mlup.adapting import HOOKS

    assert {name: list(arguments) for name, arguments in HOOKS.items()} == SIGNATURES


def test_the_group_and_the_project_are_as_published():
    assert hookspecs.GROUP == "mlup.binarizers"
    assert hookspecs.PROJECT == "mlup"
    assert mlup.hookimpl is hookspecs.hookimpl


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_hook_is_documented_with_a_complete_example(name):
    hook = _hooks()[name]
    assert "A complete example::" in hook.__doc__
    example = _example(hook)
    arguments = ", ".join(SIGNATURES[name])
    assert example.startswith("import mlup\n")
    assert f"@mlup.hookimpl\ndef {name}({arguments}):" in example
    compile(example, name, "exec")
    for argument in SIGNATURES[name]:
        assert re.search(rf"^\s+{argument}: ", hook.__doc__, re.MULTILINE), "each is explained"
    for section in ("Args:", "Returns:"):
        assert section in hook.__doc__


@pytest.fixture
def documented(site):
    """The plugin of the docstrings, installed as the module docstring says."""
    module, name = _published_entry_point()
    source = "\n\n".join(_example(hook) for hook in _hooks().values())
    site.module("acme", ACME_FRAMEWORK)
    site.distribution("mlup-acme", {name: module}, {module: source})
    return name


def _published_entry_point():
    block = hookspecs.__doc__.partition(f'[project.entry-points."{hookspecs.GROUP}"]\n')[2]
    name, value = re.match(r'\s*([\w-]+) = "([\w.]+)"', block).groups()
    return value, name


def test_the_documented_entry_point_is_the_one_the_examples_are_for():
    assert _published_entry_point() == ("mlup_acme", "acme")


@pytest.mark.parametrize(("name", "score"), [("model.acme", 0.95), ("model.bin", 0.9)])
def test_the_documented_example_detects_and_loads(site, documented, tmp_path, name, score):
    data = b"ACME\x01" + bytes(200)
    file = tmp_path / name
    file.write_bytes(data)
    detection = mlup.detect(file)
    assert (detection.best.binarizer, detection.best.score) == (documented, score)
    assert detection.best.reason == "ACME header, version 1"
    assert "acme" not in sys.modules, "the framework is imported by deserialize alone"
    model = mlup.load(file, options={"device": "cpu"})
    assert model["data"] == data
    assert model["options"] == {"device": "cpu"}
    assert model["path"].endswith(".acme")
    assert site.info("acme").status == "ok"


@pytest.mark.parametrize(("name", "verdict"), [("Forest", "safe"), ("Other", "refused")])
def test_the_documented_example_inspects(documented, name, verdict):
    report = mlup.inspect(b"ACME\x01\n" + name.encode() + b"\n")
    assert report == mlup.Report("acme", (mlup.Import("acme", name, "call", verdict),))


def test_the_documented_example_loads_bytes_and_streams(documented, tmp_path):
    data = b"ACME\x01" + bytes(200)
    assert mlup.load(data)["data"] == data
    file = tmp_path / "model"
    file.write_bytes(b"skip" + data)
    with file.open("rb") as stream:
        stream.seek(4)
        assert mlup.load(stream)["data"] == data


@pytest.mark.parametrize("source", [b"", b"A", b"ACME", b"ACME\x02", b"something else" * 20])
def test_the_documented_example_leaves_foreign_files_alone(documented, source):
    detection = mlup.detect(source)
    assert (detection.candidates, detection.problems) == ((), ())


def test_the_documented_score_can_be_called_without_mlup_around_it(documented):
    from pathlib import Path

    mlup.detect(b"")  # imports the plugin
    score = sys.modules["mlup_acme"].score
    assert score(Path("model.acme"), b"ACME\x01", b"") == pytest.approx(0.95)
    assert score(Path("model.acme"), b"PK\x03\x04", b"") is None


# -- the public face ------------------------------------------------------------------------


def _python(program):
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_import_mlup_imports_nothing_else():
    lazy = ("pluggy", "click", "importlib_metadata", "logging", "rich", "ruamel", "inspect")
    program = f"import sys, mlup; print(*[n for n in {lazy} if n in sys.modules])"
    already = _python(f"import sys; print(*[n for n in {lazy} if n in sys.modules])").split()
    assert [name for name in _python(program).split() if name not in already] == []


def test_every_public_name_resolves_in_a_fresh_process():
    program = (
        "import mlup\n"
        "for name in mlup.__all__:\n"
        "    assert getattr(mlup, name) is not None, name\n"
        "    assert name in dir(mlup), name\n"
        "namespace = {}\n"
        "exec('from mlup import *', namespace)\n"
        "print(*sorted(set(mlup.__all__) - set(namespace)))"
    )
    assert _python(program) == ""


@pytest.mark.parametrize("name", ["probe", "errors", "constants", "hookspecs"])
def test_a_module_that_is_documented_is_reached_by_import_mlup_alone(name):
    """``import mlup`` and then ``mlup.probe…`` must not depend on what another plugin imported."""
    assert _python(f"import mlup; print(mlup.{name}.__name__)") == f"mlup.{name}"


def test_the_public_names_are_these():
    promised = {
        *("detect", "load", "plugins", "refresh", "Score", "LoadedFile", "ModelPath", "Config"),
        *("BinarizationType", "hookimpl", "Detection", "Candidate", "PluginInfo", "__version__"),
        *("MLupError", "LoadError", "ModelLoadError", "ModelBinarizationError", "SourceError"),
        *("UnknownModelError", "AmbiguousModelError", "BinarizerNotFoundError", "OptionError"),
        *("ConfigError", "PluginError", "ProbeError"),
    }
    assert promised <= set(mlup.__all__)
    assert len(set(mlup.__all__)) == len(mlup.__all__)


def test_every_error_that_mlup_raises_is_public_and_documented():
    from mlup import errors

    for name, error in vars(errors).items():
        if inspect.isclass(error) and error.__module__ == errors.__name__:
            assert issubclass(error, mlup.MLupError)
            assert error.__doc__
            predecessors = "Predict" in name or name == "WebAppLoadError"
            assert (name in mlup.__all__) is not predecessors, name


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'detcet'"):
        _ = mlup.detcet
    assert not hasattr(mlup, "__wrapped__")


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("detect", ["source", "spool_limit"]),
        ("load", ["source", "binarizer", "trust", "allow", "options", "on_tie", "spool_limit"]),
        ("inspect", ["source", "binarizer", "allow", "spool_limit"]),
        ("plugins", []),
        ("refresh", []),
    ],
)
def test_the_signatures_of_the_public_functions(function, parameters):
    found = inspect.signature(getattr(mlup, function)).parameters
    assert list(found) == parameters
    for name in set(parameters) - {"source", "binarizer"}:
        assert found[name].kind is inspect.Parameter.KEYWORD_ONLY
