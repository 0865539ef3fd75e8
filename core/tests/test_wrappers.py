"""A plugin marked ``wrapper=True`` surrounds every load, may refuse it, and is no candidate."""

from __future__ import annotations

import sys

import pytest

import mlup

ACME = b"ACME\x01 and then the weights"

AUDIT = """
import mlup
seen = []

@mlup.hookimpl(wrapper=True)
def deserialize(file):
    seen.append(("before", file))
    try:
        model = yield
    except BaseException as error:
        seen.append(("failed", error))
        raise
    seen.append(("after", model))
    return model
"""
OLD_STYLE_AUDIT = """
import mlup
seen = []

@mlup.hookimpl(hookwrapper=True)
def deserialize(file):
    seen.append(("before", file))
    outcome = yield
    if outcome.excinfo:
        seen.append(("failed", outcome.excinfo[1]))
    else:
        seen.append(("after", outcome.get_result()))
"""


@pytest.fixture(params=[AUDIT, OLD_STYLE_AUDIT], ids=["wrapper", "hookwrapper"])
def seen(request, site):
    """What a wrapper of a third distribution sees, in each of pluggy's two styles."""
    site.distribution("dist-audit", {"audit": "audit_module"}, {"audit_module": request.param})
    mlup.plugins()
    return sys.modules["audit_module"].seen


def _wrapper(site, before="", after="", marked="wrapper=True", result="model"):
    source = f"""
import mlup

@mlup.hookimpl({marked})
def deserialize(file):
    {before or "pass"}
    model = yield
    {after or "pass"}
    return {result}
"""
    site.distribution("dist-policy", {"policy": "policy_module"}, {"policy_module": source})


def test_a_wrapper_sees_a_load_by_auto(site, seen, tmp_path):
    site.plugin("acme")
    model = tmp_path / "weights.bin"
    model.write_bytes(ACME)
    assert mlup.load(model, options={"device": "cpu"}) == "loaded by dist_acme_acme"
    (before, file), after = seen
    assert before == "before"
    assert (file.path, file.options) == (str(model), {"device": "cpu"})
    assert after == ("after", "loaded by dist_acme_acme")


def test_a_wrapper_sees_a_load_by_name(site, seen):
    site.plugin("acme")
    mlup.load(ACME, "acme")
    mlup.load(ACME, "dist-acme:acme")
    assert [what for what, _ in seen] == ["before", "after"] * 2


def test_a_wrapper_sees_the_load_of_an_import_line(site, seen):
    source = """
        class Mine:
            @staticmethod
            def deserialize(file):
                return "mine"
    """
    site.module("my_module", source)
    assert mlup.load(ACME, "my_module.Mine") == "mine"
    assert seen[1:] == [("after", "mine")]
    assert mlup.load(ACME, sys.modules["my_module"].Mine) == "mine"
    assert len(seen) == 4


def test_a_wrapper_sees_what_memory_returns(seen):
    model = object()
    assert mlup.load(model, "memory") is model
    assert seen[0][1].raw_data is model
    assert seen[1] == ("after", model)


def test_a_wrapper_sees_a_model_that_is_none(site, seen):
    site.plugin("acme", deserialize="return None")
    assert mlup.load(ACME) is None
    assert seen[1:] == [("after", None)]


def test_a_wrapper_sees_a_load_that_fails(site, seen):
    site.plugin("acme", deserialize="raise ValueError('no weights')")
    with pytest.raises(mlup.ModelBinarizationError, match="ValueError: no weights"):
        mlup.load(ACME)
    what, error = seen[1]
    assert (what, str(error)) == ("failed", "no weights")


def test_a_wrapper_does_not_see_a_detection(site, seen):
    site.plugin("acme")
    assert mlup.detect(ACME).best.binarizer == "acme"
    assert seen == []


@pytest.mark.parametrize("marked", ["wrapper=True", "hookwrapper=True"])
def test_a_veto_by_an_mlup_error_passes_unchanged(site, marked):
    module = site.plugin("acme")
    _wrapper(site, "raise mlup.MLupError('pickles are forbidden here')", marked=marked)
    with pytest.raises(mlup.MLupError) as caught:
        mlup.load(ACME)
    assert type(caught.value) is mlup.MLupError
    assert str(caught.value) == "pickles are forbidden here"
    assert sys.modules[module].calls == [], "nothing was loaded"


@pytest.mark.parametrize("marked", ["wrapper=True", "hookwrapper=True"])
@pytest.mark.parametrize("raised", ["PermissionError('not you')", "SystemExit('not you')"])
def test_a_veto_by_another_error_is_chained(site, marked, raised):
    module = site.plugin("acme")
    _wrapper(site, f"raise {raised}", marked=marked)
    with pytest.raises(mlup.ModelBinarizationError, match="not you") as caught:
        mlup.load(ACME)
    assert type(caught.value.__cause__).__name__ == raised.partition("(")[0]
    assert sys.modules[module].calls == []


def test_a_veto_after_the_load_withholds_the_model(site):
    site.plugin("acme")
    _wrapper(site, after="raise mlup.MLupError('too large a model')")
    with pytest.raises(mlup.MLupError, match=r"^too large a model$"):
        mlup.load(ACME)


def test_a_veto_by_keyboard_interrupt_passes(site):
    site.plugin("acme")
    _wrapper(site, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        mlup.load(ACME)


@pytest.mark.parametrize("choice", ["memory", "my_module.Mine"])
def test_memory_and_import_lines_can_be_vetoed_too(site, choice):
    source = "class Mine:\n    @staticmethod\n    def deserialize(file): return 'mine'\n"
    site.module("my_module", source)
    _wrapper(site, "raise mlup.MLupError('no')")
    with pytest.raises(mlup.MLupError, match=r"^no$"):
        mlup.load(ACME, choice)


def test_a_wrapper_may_replace_the_model(site):
    site.plugin("acme")
    _wrapper(site, result="('traced', model)")
    assert mlup.load(ACME) == ("traced", "loaded by dist_acme_acme")


def test_an_old_style_wrapper_may_replace_the_model(site):
    site.plugin("acme")
    _wrapper(
        site,
        marked="hookwrapper=True",
        after="model.force_result(('traced', model.get_result()))",
        result="None",
    )
    assert mlup.load(ACME) == ("traced", "loaded by dist_acme_acme")


def test_a_wrapper_may_declare_no_argument(site):
    site.plugin("acme")
    source = AUDIT.replace("deserialize(file)", "deserialize()").replace(", file)", ", None)")
    site.distribution("dist-audit", {"audit": "audit_module"}, {"audit_module": source})
    assert mlup.load(ACME) == "loaded by dist_acme_acme"
    assert len(sys.modules["audit_module"].seen) == 2


def test_several_wrappers_nest(site):
    site.plugin("acme")
    for name in ("aaa", "zzz"):
        source = f"""
            import mlup

            @mlup.hookimpl(wrapper=True{", tryfirst=True" if name == "aaa" else ""})
            def deserialize():
                return "{name}", (yield)
        """
        site.distribution(f"dist-{name}", {name: f"{name}_module"}, {f"{name}_module": source})
    assert mlup.load(ACME) == ("aaa", ("zzz", "loaded by dist_acme_acme"))


def test_a_wrapper_class_is_a_wrapper_too(site):
    site.plugin("acme")
    source = """
        import mlup

        class Audit:
            @mlup.hookimpl(wrapper=True)
            def deserialize(self, file):
                return "seen", (yield)
    """
    site.distribution("dist-audit", {"audit": "audit_module:Audit"}, {"audit_module": source})
    assert mlup.load(ACME) == ("seen", "loaded by dist_acme_acme")


def test_a_wrapper_is_never_a_candidate(site, seen):
    source = f"{AUDIT}\n@mlup.hookimpl\ndef score(): return 0.99\n"
    site.distribution("dist-keen", {"keen": "keen_module"}, {"keen_module": source})
    site.plugin("acme")
    assert [each.binarizer for each in mlup.detect(ACME).candidates] == ["acme"]
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(b"something else")
    assert seen == []


@pytest.mark.parametrize("name", ["audit", "dist-audit:audit"])
def test_a_wrapper_cannot_be_asked_for_by_name(seen, name):
    with pytest.raises(mlup.BinarizerNotFoundError, match="wrapper"):
        mlup.load(ACME, name)
    assert seen == []


def test_a_wrapper_is_listed_as_one(site, seen):
    info = site.info("audit")
    assert (info.kind, info.status, info.distribution) == ("wrapper", "ok", "dist-audit")


def test_a_wrapper_is_not_offered_as_a_binarizer(site, seen):
    site.plugin("acme")
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME, "no-such-binarizer")
    assert "acme" in str(caught.value)
    assert "audit" not in str(caught.value)


def test_an_import_line_that_names_a_wrapper_is_refused_and_does_not_stay(site):
    site.plugin("acme")
    source = """
        import mlup

        class Spy:
            @mlup.hookimpl(wrapper=True)
            def deserialize(self, file):
                return "spied on", (yield)
    """
    site.module("my_module", source)
    for _ in range(2):
        with pytest.raises(mlup.BinarizerNotFoundError, match=r"my_module\.Spy"):
            mlup.load(ACME, "my_module.Spy")
    assert mlup.load(ACME) == "loaded by dist_acme_acme"


def test_a_disabled_wrapper_sees_nothing(site, seen, monkeypatch):
    site.plugin("acme")
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "audit")
    assert mlup.load(ACME) == "loaded by dist_acme_acme"
    assert seen == []


def test_a_wrapper_that_does_not_yield_fails_that_load_with_a_clear_error(site):
    site.plugin("acme")
    _wrapper(site, "return")
    with pytest.raises(mlup.ModelBinarizationError, match="yield"):
        mlup.load(ACME)
