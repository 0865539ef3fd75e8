"""What ``binarizer=`` takes: names, the predecessor's names, import lines, classes and modules."""

from __future__ import annotations

import sys
import types

import pytest

import mlup
from mlup.constants import BinarizationType

ACME = b"ACME\x01 and then the weights"

MINE = """
import mlup
from mlup.ml.binarization.base import BaseBinarizer

class Mine:
    @mlup.hookimpl
    def deserialize(self, file):
        return "loaded by my class"

class Plain:
    @staticmethod
    def deserialize(file):
        return "loaded by my plain class"

class Outer:
    class Inner(BaseBinarizer):
        @classmethod
        def deserialize(cls, data):
            return "loaded by my nested class"

class NoBinarizer:
    pass

instance = Mine()
answer = 42

@mlup.hookimpl
def deserialize(file):
    return "loaded by my module"
"""


@pytest.fixture
def mine(site) -> str:
    """A module of the user's own, in a package; not installed as a plugin."""
    site.module("my_package.my_module", MINE)
    return "my_package.my_module"


# -- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["acme", "dist-acme:acme", "  acme "])
def test_a_name_with_or_without_its_distribution(site, choice):
    site.plugin("acme", "return None")
    assert mlup.load(ACME, choice) == "loaded by dist_acme_acme"


def test_a_name_need_not_be_an_identifier(site):
    site.plugin("acme-jit", "return None")
    assert mlup.load(ACME, "acme-jit") == "loaded by dist_acme_jit_acme_jit"


@pytest.mark.parametrize("choice", ["acmee", "acme-"])
def test_an_unknown_name_is_answered_with_the_nearest_and_all(site, choice):
    site.plugin("acme")
    site.plugin("other")
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, choice)
    assert isinstance(caught.value, mlup.ModelLoadError)
    message = str(caught.value)
    assert repr(choice) in message
    assert "Did you mean 'acme'?" in message
    assert "acme, memory, other" in message


@pytest.mark.parametrize("choice", ["", "  ", None, 42, b"acme", object()])
def test_a_choice_that_is_no_name_is_refused(site, choice):
    with pytest.raises(mlup.BinarizerNotFoundError, match="is no name"):
        mlup.load(ACME, choice)


def test_the_choice_is_checked_before_the_source(site, tmp_path):
    with pytest.raises(mlup.BinarizerNotFoundError):
        mlup.load(tmp_path / "nothing here", "no-such-binarizer")


@pytest.mark.parametrize(
    ("choice", "extra"),
    [
        ("onnx", "onnx"),
        ("torch-jit", "torch"),
        ("mlup.ml.binarization.onnx.InferenceSessionBinarizer", "onnx"),
        (BinarizationType.TENSORFLOW_ZIP, "tensorflow"),
        (BinarizationType.PICKLE, "pickle"),
    ],
)
def test_an_official_name_that_is_not_installed_is_answered_with_the_pip_line(site, choice, extra):
    site.module(extra, "imported = True")  # the framework, or the standard library, is no plugin
    held = sys.modules.get(extra)
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, choice)
    assert f"pip install 'mlup-core[{extra}]'" in str(caught.value)
    assert sys.modules.get(extra) is held, "nothing is imported to find that out"


def test_a_broken_binarizer_asked_for_says_why(site):
    source = "raise RuntimeError('wrong CUDA')"
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": source})
    for name in ("bad", "dist-bad:bad"):
        with pytest.raises(
            mlup.BinarizerNotFoundError, match=r"dist-bad cannot be used .broken.*wrong CUDA"
        ):
            mlup.load(ACME, name)


def test_a_disabled_binarizer_is_not_imported_by_asking_for_it(site, monkeypatch):
    """Not even where its name happens to be its module's."""
    source = "import mlup\n@mlup.hookimpl\ndef deserialize(file): return 1\n"
    site.distribution("dist-acme", {"acme_module": "acme_module"}, {"acme_module": source})
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "acme_module")
    with pytest.raises(mlup.BinarizerNotFoundError, match=r"disabled.*MLUP_DISABLE_PLUGINS"):
        mlup.load(ACME, "acme_module")
    assert "acme_module" not in sys.modules


# -- requires -------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["auto", "acme", "dist-acme:acme"])
def test_a_missing_framework_makes_a_plugin_unavailable(site, choice):
    module = site.plugin("acme", top="requires = ('json', 'a_framework.core')")
    site.plugin("other", "return 0.5")
    info = site.info("acme")
    assert info.status == "unavailable"
    assert "a_framework" in info.problem
    assert "json" not in info.problem
    assert "install the package that provides a_framework (dist-acme does" in info.problem
    assert mlup.detect(ACME).best.binarizer == "acme", "recognising needs no framework"
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, choice)
    assert "a_framework" in str(caught.value)
    assert "install the package that provides a_framework" in str(caught.value)
    assert sys.modules[module].calls == []


def test_what_a_plugin_requires_is_not_imported_to_find_it(site):
    site.module("a_framework", "raise RuntimeError('imported')")
    site.plugin("acme", top="requires = ('a_framework',)")
    assert site.info("acme").status == "ok"
    assert mlup.load(ACME) == "loaded by dist_acme_acme"


def test_a_framework_installed_meanwhile_makes_the_plugin_available(site):
    site.plugin("acme", top="requires = ('a_framework',)")
    assert site.info("acme").status == "unavailable"
    site.module("a_framework", "")
    assert site.info("acme").status == "ok"


# -- import lines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("my_package.my_module.Mine", "loaded by my class"),
        ("my_package.my_module:Mine", "loaded by my class"),
        ("my_package.my_module.Plain", "loaded by my plain class"),
        ("my_package.my_module:Plain", "loaded by my plain class"),
        ("my_package.my_module.instance", "loaded by my class"),
        ("my_package.my_module:instance", "loaded by my class"),
        ("my_package.my_module", "loaded by my module"),
        ("my_package.my_module.Outer.Inner", "loaded by my nested class"),
        ("my_package.my_module:Outer.Inner", "loaded by my nested class"),
    ],
)
def test_an_import_line_names_a_binarizer_of_ones_own(mine, line, model):
    assert mlup.load(ACME, line) == model
    assert mlup.load(ACME, line) == model, "and again"


def test_a_module_without_a_package_is_an_import_line_too(site):
    site.module("my_module", MINE)
    assert mlup.load(ACME, "my_module") == "loaded by my module"
    assert mlup.load(ACME, "my_module.Mine") == "loaded by my class"


@pytest.mark.parametrize("name", ["Mine", "Plain"])
def test_a_class_itself(site, mine, name):
    mlup.load(ACME, mine)
    target = getattr(sys.modules[mine], name)
    assert mlup.load(ACME, target) == mlup.load(ACME, f"{mine}.{name}")


def test_a_module_itself(mine):
    mlup.load(ACME, f"{mine}.Mine")
    assert mlup.load(ACME, sys.modules[mine]) == "loaded by my module"


@pytest.mark.parametrize("name", ["instance", "Mine", "Outer.Inner"])
def test_one_object_may_be_named_in_both_ways(mine, name):
    dotted, colon = f"{mine}.{name}", f"{mine}:{name}"
    assert mlup.load(ACME, colon) == mlup.load(ACME, dotted)


def test_an_installed_plugin_may_be_named_by_its_module(site):
    module = site.plugin("acme")
    assert mlup.load(ACME, module) == "loaded by dist_acme_acme"
    assert mlup.load(ACME, sys.modules[module]) == "loaded by dist_acme_acme"
    assert mlup.load(ACME) == "loaded by dist_acme_acme"


def test_a_class_that_was_defined_anew_is_taken_anew(site):
    """As when a notebook's cell is run again with the mistake corrected."""

    def cell(model):
        class Mine:
            @staticmethod
            def deserialize(file):
                return model

        return Mine

    assert mlup.load(ACME, cell("first")) == "first"
    assert mlup.load(ACME, cell("second")) == "second"


def test_a_module_that_was_imported_anew_is_taken_anew(site):
    site.module("my_module", "def deserialize(file): return 'first'")
    assert mlup.load(ACME, "my_module") == "first"
    again = types.ModuleType("my_module")
    again.deserialize = lambda file: "second"
    sys.modules["my_module"] = again
    try:
        assert mlup.load(ACME, "my_module") == "second"
    finally:
        del sys.modules["my_module"]


def test_an_import_line_is_never_chosen_by_auto(site):
    site.plugin("acme", "return 0.3")
    source = "import mlup\n@mlup.hookimpl\ndef score(): return 0.99\n"
    site.module("my_module", source + "@mlup.hookimpl\ndef deserialize(file): return 'mine'\n")
    assert mlup.load(ACME, "my_module") == "mine"
    assert mlup.load(ACME) == "loaded by dist_acme_acme"
    assert [each.binarizer for each in mlup.detect(ACME).candidates] == ["acme"]


def test_options_of_ones_own_binarizer_are_checked(site):
    source = "options = ('device',)\ndef deserialize(file): return dict(file.options)"
    site.module("my_module", f"class Mine:\n    {source.replace(chr(10), chr(10) + '    ')}")
    with pytest.raises(mlup.OptionError, match=r"'colour'.*device"):
        mlup.load(ACME, "my_module.Mine", options={"colour": "red"})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('broken by me')", "RuntimeError: broken by me"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("import a_framework_that_is_not_here", "a_framework_that_is_not_here"),
        ("def deserialize(:", "SyntaxError"),
    ],
)
@pytest.mark.parametrize("line", ["my_module", "my_module.Mine", "my_module:Mine"])
def test_an_import_line_whose_module_fails_says_how(site, line, source, said):
    site.module("my_module", source)
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, line)
    assert said in str(caught.value)
    assert "my_module" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("my_package.my_module.Missing", "'Missing'"),
        ("my_package.my_module:Missing", "'Missing'"),
        ("my_package.my_module:Outer.Missing", "'Missing'"),
        ("my_package.no_module.Mine", "no_module"),
        ("my_package.no_module:Mine", "no_module"),
        ("no_package.my_module.Mine", "no_package"),
    ],
)
def test_an_import_line_that_names_nothing_says_what_is_missing(mine, line, said):
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, line)
    assert line in str(caught.value)
    assert said in str(caught.value)
    assert isinstance(caught.value.__cause__, (ImportError, AttributeError))


@pytest.mark.parametrize("name", ["NoBinarizer", "answer"])
def test_an_import_line_that_is_no_binarizer_says_what_one_needs(mine, name):
    for line in (f"{mine}.{name}", f"{mine}:{name}"):
        with pytest.raises(mlup.BinarizerNotFoundError, match=r"deserialize\(file\)") as caught:
            mlup.load(ACME, line)
        assert line in str(caught.value)


@pytest.mark.parametrize("target", [int, types, types.ModuleType("empty")])
def test_a_class_or_module_that_is_no_binarizer_says_so(site, target):
    with pytest.raises(mlup.BinarizerNotFoundError, match=target.__name__):
        mlup.load(ACME, target)


def test_a_refused_import_line_leaves_nothing_behind(site, mine):
    site.plugin("acme")
    with pytest.raises(mlup.BinarizerNotFoundError):
        mlup.load(ACME, f"{mine}.NoBinarizer")
    names = {each.name for each in mlup.plugins()}
    assert names == {"acme", "memory"}
    assert mlup.load(ACME) == "loaded by dist_acme_acme"


def test_one_s_own_binarizer_is_not_listed_as_installed(site, mine):
    before = mlup.plugins()
    mlup.load(ACME, f"{mine}.Mine")
    assert mlup.plugins() == before


def test_keyboard_interrupt_in_an_import_line_passes(site):
    site.module("my_module", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        mlup.load(ACME, "my_module.Mine")
