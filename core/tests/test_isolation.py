"""A plugin that fails costs only itself, and the user is told which, where and why."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import mlup
from mlup import ranking
from mlup.files import BUDGET

ACME = b"ACME\x01 and then the weights"
GOOD = "loaded by dist_good_good"

DESERIALIZE = """
@mlup.hookimpl
def deserialize(file):
    return "loaded by the broken one"
"""

UNPRINTABLE = """
class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("not even this works")
"""

# What is wrong → the module's source, the status, and what the problem must say.
FAULTS = {
    "an import error": (
        "import a_framework_that_is_not_here",
        "broken",
        "ModuleNotFoundError: No module named 'a_framework_that_is_not_here'",
    ),
    "SystemExit at import": ("raise SystemExit('bye')", "broken", "SystemExit: bye"),
    "sys.exit() without a word": ("import sys; sys.exit()", "broken", "SystemExit"),
    "a syntax error": ("def score(:", "broken", "SyntaxError"),
    "an exception that cannot be printed": (
        UNPRINTABLE + "raise Unprintable",
        "broken",
        "Unprintable",
    ),
    "a misspelled hook": (
        f"import mlup\n@mlup.hookimpl\ndef scor(path): return 0.99\n{DESERIALIZE}",
        "broken",
        "unknown hook 'scor'; did you mean 'score'?",
    ),
    "a hook of no resemblance": (
        f"import mlup\n@mlup.hookimpl\ndef zzz(path): return 0.99\n{DESERIALIZE}",
        "broken",
        "unknown hook 'zzz'; mlup knows score, deserialize",
    ),
    "an unknown argument of score": (
        f"import mlup\n@mlup.hookimpl\ndef score(path, colour): return 0.99\n{DESERIALIZE}",
        "incompatible",
        "score() declares colour",
    ),
    "an unknown argument of deserialize": (
        "import mlup\n@mlup.hookimpl\ndef deserialize(file, device): return 1",
        "incompatible",
        "deserialize() declares device",
    ),
    "an unknown argument of a second score": (
        (
            "import mlup\n"
            "@mlup.hookimpl(specname='score')\ndef a_score(path, colour): return 0.99\n"
            f"@mlup.hookimpl\ndef score(path): return 0.99\n{DESERIALIZE}"
        ),
        None,
        "colour",
    ),
    "no hooks": ("answer = 42", "broken", "implements no hook"),
    "no deserialize": (
        "import mlup\n@mlup.hookimpl\ndef score(head): return 0.99",
        "broken",
        "no deserialize(file)",
    ),
    "a score that is a wrapper": (
        f"import mlup\n@mlup.hookimpl(wrapper=True)\ndef score(): return (yield)\n{DESERIALIZE}",
        "broken",
        "score() cannot be a wrapper",
    ),
    "a wrapper that does not yield": (
        "import mlup\n@mlup.hookimpl(wrapper=True)\ndef deserialize(file): return 1",
        "broken",
        "generator",
    ),
    "extensions that are a lone string": (
        f"import mlup\nextensions = '.x'\n{DESERIALIZE}",
        "broken",
        "extensions is the string '.x'; write a tuple: ('.x',)",
    ),
    "requires that is a lone string": (
        f"import mlup\nrequires = 'torch'\n{DESERIALIZE}",
        "broken",
        "write a tuple: ('torch',)",
    ),
    "options that are numbers": (
        f"import mlup\noptions = (1, 2)\n{DESERIALIZE}",
        "broken",
        "options must be a tuple of strings",
    ),
}

faults = pytest.mark.parametrize(
    ("source", "status", "said"), FAULTS.values(), ids=[name.replace(" ", "-") for name in FAULTS]
)


def _good_still_wins():
    assert mlup.detect(ACME).best.binarizer == "good"
    assert mlup.load(ACME) == GOOD


@faults
def test_a_broken_plugin_costs_only_itself(site, caplog, source, status, said):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": source}, version="2.7")

    _good_still_wins()
    assert site.info("good").status == "ok"
    bad = site.info("bad")
    assert bad.status in ((status,) if status else ("broken", "incompatible"))
    assert said in bad.problem
    assert "2.7" in bad.problem, "the plugin's version"
    assert mlup.__version__ in bad.problem, "mlup-core's version"
    (message,) = caplog.messages
    assert "'bad'" in message
    assert "dist-bad" in message
    assert said in message
    with pytest.raises(mlup.BinarizerNotFoundError, match="bad"):
        mlup.load(ACME, "bad")


@faults
def test_strict_raises_for_a_broken_plugin(site, monkeypatch, source, status, said):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": source})
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    for call in (mlup.plugins, lambda: mlup.detect(ACME), lambda: mlup.load(ACME, "good")):
        with pytest.raises(mlup.PluginError) as caught:
            call()
        assert "'bad'" in str(caught.value)
        assert "dist-bad" in str(caught.value)
        assert said in str(caught.value)
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("value", ["", "0", "false", "no"])
def test_strict_can_be_written_as_off(site, monkeypatch, value):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": "raise ValueError"})
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", value)
    _good_still_wins()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_module", "names the module 'no_such_module', which dist-bad 1.0 does not have"),
        ("no_such_package.inner", "names the module 'no_such_package', which dist-bad 1.0 does"),
        ("dist_good_good.inner", "No module named 'dist_good_good.inner'"),
        ("dist_good_good:NoSuchClass", "NoSuchClass"),
    ],
)
def test_an_entry_point_that_names_nothing_costs_only_itself(site, caplog, value, said):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": value})
    _good_still_wins()
    assert site.info("bad").status == "broken"
    assert said in site.info("bad").problem
    assert "'bad'" in caplog.text


@pytest.mark.parametrize("value", ["dist-good", "dist-good:Acme"])
def test_an_entry_point_with_a_dash_is_told_how_to_write_it(site, caplog, value):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": value})
    _good_still_wins()
    said = [each.problem for each in mlup.plugins() if each.name == "bad"]
    if said:
        assert "'dist-good' is no module name; write dist_good" in said[0]
    else:  # an importlib-metadata that refuses it while reading
        assert "dist-bad" in caplog.text.replace("_", "-")


def test_an_entry_point_that_is_no_reference_costs_only_its_distribution(site, caplog):
    """Some versions of importlib-metadata refuse it while reading, others when it is loaded."""
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "this is no reference"})
    _good_still_wins()
    (message,) = caplog.messages
    assert "dist-bad" in message.replace("_", "-")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            (
                "class Plugin:\n"
                "    __hash__ = None\n"
                "    @mlup.hookimpl\n"
                "    def deserialize(self, file): return 1\n"
                "plugin = Plugin()"
            ),
            "unhashable",
        ),
        (
            (
                "class plugin:\n"
                "    def __init__(self, device): pass\n"
                "    @mlup.hookimpl\n"
                "    def deserialize(self, file): return 1"
            ),
            "device",
        ),
        (
            (
                "class plugin:\n"
                "    def __init__(self): raise SystemExit('bye')\n"
                "    @mlup.hookimpl\n"
                "    def deserialize(self, file): return 1"
            ),
            "SystemExit: bye",
        ),
        ("plugin = 42", "implements no hook"),
        ("plugin = None", "implements no hook"),
    ],
    ids=["unhashable", "constructor-with-argument", "constructor-exits", "a-number", "None"],
)
def test_an_object_that_is_no_plugin_costs_only_itself(site, source, said):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "bad_m:plugin"}, {"bad_m": "import mlup\n" + source})
    _good_still_wins()
    assert site.info("bad").status == "broken"
    assert said in site.info("bad").problem


def test_a_plugin_that_pluggy_refuses_half_way_leaves_nothing_behind(site):
    site.plugin("good")
    source = f"""
import mlup
{DESERIALIZE}
@mlup.hookimpl(specname="score")
def how_sure(path, colour): return 0.99
@mlup.hookimpl
def score(path): return 0.99
"""
    # Registered after the good one, so pluggy would call its deserialize first; and pluggy
    # before 1.7 adds the hooks one by one, in this order: deserialize, how_sure, score.
    site.distribution("dist-worse", {"worse": "worse_module"}, {"worse_module": source})
    assert site.info("worse").status in ("broken", "incompatible")
    _good_still_wins()


def test_two_binarizers_need_two_modules(site):
    module = site.plugin("good")
    site.distribution("dist-zzz", {"zzz": module})
    _good_still_wins()
    assert site.info("zzz").status == "broken"
    assert "registered already" in site.info("zzz").problem


def test_keyboard_interrupt_at_import_passes(site):
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        mlup.plugins()
    with pytest.raises(KeyboardInterrupt):  # and the next call is not stuck behind a lock
        mlup.plugins()


def test_a_plugin_that_asks_for_the_plugins_at_import_does_not_hang_the_process(site):
    site.plugin("good")
    source = f"import mlup\nmlup.plugins()\nmlup.detect(b'x')\n{DESERIALIZE}"
    site.distribution("dist-asking", {"asking": "asking_module"}, {"asking_module": source})
    program = f"import mlup; print(mlup.load({ACME!r}))"
    path = os.pathsep.join([str(site.folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": path}
    try:
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=4,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.fail("discovery waits for itself")
    assert ran.stdout.strip() == GOOD, ran.stderr


# -- scoring --------------------------------------------------------------------------------

WRONG_SCORES = {
    "2.0": "return 2.0",
    "minus": "return -0.1",
    "NaN": "return float('nan')",
    "inf": "return float('inf')",
    "text": "return 'high'",
    "True": "return True",
    "False": "return False",
    "list": "return [0.9]",
    "complex": "return 0.9 + 0j",
    "a-Score-of-2": "return mlup.Score(2.0, 'beyond doubt')",
    "broken-repr": """
        class Evil:
            def __repr__(self): raise ValueError
        return Evil()
    """,
    "broken-reason": """
        class Evil(float):
            @property
            def reason(self): raise ValueError('no reason')
        return Evil(0.99)
    """,
    "raises": "raise ValueError('I am lost')",
    "raises-nothing-to-say": "raise ValueError",
    "raises-unprintable": """
        class Unprintable(Exception):
            def __str__(self): raise RuntimeError('not even this works')
        raise Unprintable
    """,
    "recurses": "return score(path, head, tail)",
    "exits": "raise SystemExit(3)",
    "framework-missing": "import a_framework_that_is_not_here",
    "warns-under-error": "import warnings; warnings.warn('old'); return 0.99",
}

wrong_scores = pytest.mark.parametrize("body", WRONG_SCORES.values(), ids=list(WRONG_SCORES))


@wrong_scores
def test_a_plugin_that_fails_while_scoring_costs_only_itself(site, caplog, body):
    site.plugin("bad", body)  # asked before the good one,
    site.plugin("good")
    site.plugin("zbad", body)  # and after it
    detection = mlup.detect(ACME)
    assert [each.binarizer for each in detection.candidates] == ["good"]
    assert [each.binarizer for each in detection.problems] == ["bad", "zbad"]
    for problem in detection.problems:
        assert problem.distribution == f"dist-{problem.binarizer}"
        assert problem.message
        assert isinstance(problem.error, BaseException)
    assert len(caplog.messages) == 2
    assert "bad (dist-bad)" in caplog.messages[0]
    assert "<bytes>" in caplog.messages[0], "the file is named"
    assert mlup.load(ACME) == GOOD


@wrong_scores
def test_strict_raises_for_a_plugin_that_fails_while_scoring(site, monkeypatch, body):
    site.plugin("bad", body)
    site.plugin("good")
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    with pytest.raises(mlup.PluginError, match=r"bad \(dist-bad\)") as caught:
        mlup.detect(ACME)
    assert caught.value.__cause__ is not None
    assert "<bytes>" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("return 2.0", "2.0"),
        ("return float('nan')", "nan"),
        ("return 'high'", "'high'"),
        ("return True", "True"),
        ("raise ValueError('I am lost')", "ValueError: I am lost"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_problem_says_what_was_wrong(site, body, shown):
    site.plugin("bad", body)
    (problem,) = mlup.detect(ACME).problems
    assert shown in str(problem)


def test_a_problem_is_short_even_where_the_plugin_returned_much(site):
    site.plugin("bad", "return 'x' * 10_000_000")
    (problem,) = mlup.detect(ACME).problems
    assert len(str(problem)) < 300


@pytest.mark.parametrize(
    ("body", "score"),
    [
        ("return 1", 1.0),
        ("from fractions import Fraction; return Fraction(1, 2)", 0.5),
        ("return mlup.Score(0.25)", 0.25),
        ("return 0.0", None),
        ("return 0", None),
        ("return None", None),
        ("pass", None),
    ],
)
def test_any_real_number_in_0_to_1_is_a_score_and_nought_is_none(site, body, score):
    site.plugin("acme", body)
    detection = mlup.detect(ACME)
    assert detection.problems == ()
    assert [each.score for each in detection.candidates] == ([] if score is None else [score])


@pytest.mark.parametrize("stage", ["score", "deserialize"])
def test_keyboard_interrupt_passes(site, stage):
    site.plugin("bad", **{stage: "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        mlup.load(ACME, "bad" if stage == "deserialize" else "auto")


def test_system_exit_in_deserialize_is_an_error_of_that_load(site):
    site.plugin("bad", deserialize="raise SystemExit('bye')")
    with pytest.raises(mlup.ModelBinarizationError, match="SystemExit: bye"):
        mlup.load(ACME)


LARGE = ACME + bytes(2 * BUDGET)
GREEDY = {
    "at-once": f"path.read_at(100, {BUDGET} + 1)\nreturn 0.99",
    "in-pieces": f"""
        for offset in range(100, {BUDGET} + 100_000, 50_000):
            path.read_at(offset, 50_000)
        return 0.99
    """,
    "swallowed": f"""
        try:
            path.read_at(100, {BUDGET} + 1)
        except Exception:
            pass
        return 0.99
    """,
}


@pytest.mark.parametrize("body", GREEDY.values(), ids=list(GREEDY))
def test_a_plugin_that_reads_past_its_budget_loses_its_vote_and_no_other_does(site, caplog, body):
    frugal = f"return 0.9 if len(path.read_at(200, {BUDGET})) == {BUDGET} else None"
    site.plugin("before", frugal)
    site.plugin("greedy", body)
    site.plugin("later", frugal)
    detection = mlup.detect(LARGE)
    assert [each.binarizer for each in detection.candidates] == ["before", "later"]
    (problem,) = detection.problems
    assert problem.binarizer == "greedy"
    assert "budget" in problem.message or str(BUDGET) in problem.message
    assert "greedy" in caplog.text


def test_the_whole_budget_may_be_read(site):
    site.plugin("acme", f"path.read_at(100, {BUDGET})\nreturn 0.9")
    detection = mlup.detect(LARGE)
    assert detection.problems == ()
    assert detection.best.binarizer == "acme"


@pytest.mark.parametrize("kind", ["file", "bytes"])
@pytest.mark.parametrize("body", ["with path as p: return None", "path.close()"])
def test_a_plugin_that_closes_the_path_costs_only_itself(site, tmp_path, kind, body):
    site.plugin("closing", body)
    site.plugin("good", "return 0.9 if path.read_at(150, 4) == b'MARK' else None")
    data = bytes(150) + b"MARK" + bytes(200)
    model = tmp_path / "model"
    model.write_bytes(data)
    detection = mlup.detect(model if kind == "file" else data)
    assert detection.best is not None
    assert detection.best.binarizer == "good"


def test_a_slow_plugin_is_named_and_keeps_its_vote(site, monkeypatch, caplog):
    monkeypatch.setattr(ranking, "SLOW", 0.04)
    site.plugin("good")
    site.plugin("slow", "import time; time.sleep(0.08); return 0.95")
    detection = mlup.detect(ACME)
    (problem,) = detection.problems
    assert problem.binarizer == "slow"
    assert "slow" in problem.message
    assert "slow (dist-slow)" in caplog.text
    assert detection.best.binarizer == "slow"


def test_strict_tolerates_a_slow_plugin(site, monkeypatch):
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    monkeypatch.setattr(ranking, "SLOW", -1)
    site.plugin("slow")
    assert mlup.detect(ACME).best.binarizer == "slow"


# -- names and entry points -----------------------------------------------------------------


def test_two_distributions_that_claim_one_name_are_in_conflict(site, caplog):
    site.plugin("acme", "return 0.99", distribution="first")
    site.plugin("acme", "return 0.99", distribution="second")
    site.plugin("good")
    _good_still_wins()
    first, second = site.info("acme", "first"), site.info("acme", "second")
    assert (first.status, second.status) == ("conflict", "conflict")
    assert "second" in first.problem
    assert "first" in second.problem
    assert "first:acme" in first.problem, "how to ask for it"
    said = [each for each in caplog.messages if "is in conflict" in each]
    assert len(said) == 2, "once, not at every detection"
    assert "first:acme" in said[0]
    with pytest.raises(mlup.BinarizerNotFoundError, match=r"conflict.*first:acme"):
        mlup.load(ACME, "acme")
    assert mlup.load(ACME, "first:acme") == "loaded by first_acme"
    assert mlup.load(ACME, "second:acme") == "loaded by second_acme"


def test_strict_raises_for_a_conflict(site, monkeypatch):
    site.plugin("acme", distribution="first")
    site.plugin("acme", distribution="second")
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    with pytest.raises(mlup.PluginError, match=r"conflict.*claims the name 'acme'"):
        mlup.plugins()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MLUP_DISABLE_PLUGINS", "second:acme"), ("MLUP_PLUGINS", "first:acme")],
)
def test_excluding_one_of_two_rivals_ends_the_conflict(site, monkeypatch, variable, value):
    site.plugin("acme", distribution="first")
    site.plugin("acme", distribution="second")
    monkeypatch.setenv(variable, value)
    assert site.info("acme", "second").status == "disabled"
    assert site.info("acme", "first").status == "ok"
    assert mlup.load(ACME) == "loaded by first_acme"


def test_one_entry_point_seen_in_two_dist_infos_is_one_plugin(site, caplog):
    module = site.plugin("good")
    site.distribution("dist-good-again", {"good": module})
    assert site.info("good").status == "ok"
    _good_still_wins()
    assert caplog.messages == []


@pytest.mark.parametrize("beside_a_damaged_one", [False, True])
def test_a_shadowed_old_version_is_not_heard(site, monkeypatch, beside_a_damaged_one):
    older = type(site)(site.folder / "further-down-the-path")
    older.folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(older.folder)])
    older.distribution("dist-good", {"good": "good_had_another_value"}, version="0.1")
    site.plugin("good")
    if beside_a_damaged_one:
        foreign = site.folder / "foreign-1.0.dist-info"
        foreign.mkdir()
        (foreign / "entry_points.txt").write_bytes(b"[mlup.binarizers]\n\xff\xfe = x\n")
        mlup.refresh()
    _good_still_wins()
    ours = [(each.version, each.status) for each in mlup.plugins() if each.name == "good"]
    assert ours == [("1.0", "ok")]


@pytest.mark.parametrize(
    "damage",
    [b"\xff\xfe\x00 no text", b"[mlup.binarizers]\njust words\n", b"words before any section\n"],
    ids=["not-utf8", "no-equals-sign", "no-section"],
)
def test_a_damaged_entry_points_file_does_not_lose_the_others(site, damage):
    foreign = site.folder / "foreign-1.0.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Name: foreign\nVersion: 1.0\n", "utf-8")
    (foreign / "entry_points.txt").write_bytes(damage)
    site.plugin("good")
    _good_still_wins()
    assert site.info("good").distribution == "dist-good"


def test_a_damaged_entry_points_file_is_named_in_the_log(site, caplog):
    foreign = site.folder / "foreign-1.0.dist-info"
    foreign.mkdir()
    (foreign / "entry_points.txt").write_bytes(b"\xff\xfe\x00 no text")
    site.plugin("good")
    _good_still_wins()
    assert "foreign-1.0.dist-info" in caplog.text


@pytest.mark.parametrize("metadata", [None, b"\xff\xfe", b""], ids=["absent", "not-utf8", "empty"])
def test_a_plugin_without_readable_metadata_still_works(site, metadata):
    site.plugin("good")
    file = site.folder / "dist_good-1.0.dist-info" / "METADATA"
    file.unlink()
    if metadata is not None:
        file.write_bytes(metadata)
    mlup.refresh()
    _good_still_wins()


def test_a_plugin_is_described_from_its_metadata_and_its_module(site):
    top = "extensions = ('.acme', '.acm')\nrequires = ('json',)\noptions = ('device',)\n"
    site.plugin("acme", top=f"__doc__ = 'Acme models.\\n\\nMore of it.'\n{top}")
    info = site.info("acme")
    assert (info.distribution, info.version, info.status) == ("dist-acme", "1.0", "ok")
    assert info.extensions == (".acme", ".acm")
    assert (info.requires, info.options) == (("json",), ("device",))
    assert info.description == "Acme models."
    assert info.entry_point == "dist_acme_acme"
    assert (info.kind, info.problem) == ("binarizer", None)


# -- shapes of a plugin ---------------------------------------------------------------------

CLASS = """
import mlup
class Acme:
    '''Acme models, by a class.'''
    extensions = (".acme",)
    @mlup.hookimpl
    def score(self, path, head, tail):
        return 0.9 if head.startswith(b"ACME") else None
    @mlup.hookimpl
    def deserialize(self, file):
        return "loaded by a class"
acme = Acme()
"""
BASE = """
from mlup.constants import LoadedFile
from mlup.ml.binarization.base import BaseBinarizer
class Acme(BaseBinarizer):
    '''Acme models, the predecessor's way.'''
    @classmethod
    def deserialize(cls, data: LoadedFile):
        with data.open() as stream:
            return stream.read()
    @classmethod
    def is_this_type(cls, loaded_file: LoadedFile) -> float:
        with loaded_file.open() as stream:
            return 0.9 if stream.read(4) == b"ACME" else 0.0
"""


@pytest.mark.parametrize("value", ["acme_module:Acme", "acme_module:acme"])
def test_a_class_and_an_instance_are_plugins(site, value):
    site.distribution("dist-acme", {"acme": value}, {"acme_module": CLASS})
    assert mlup.load(ACME) == "loaded by a class"
    assert site.info("acme").extensions == (".acme",)
    assert site.info("acme").description == "Acme models, by a class."


def test_two_instances_of_one_class_are_two_plugins(site):
    source = CLASS + "\nanother = Acme()\n"
    entry_points = {"acme": "acme_module:acme", "another": "acme_module:another"}
    site.distribution("dist-acme", entry_points, {"acme_module": source})
    assert [each.binarizer for each in mlup.detect(ACME).tied] == ["acme", "another"]


@pytest.mark.parametrize("kind", ["file", "bytes", "stream"])
def test_a_base_binarizer_is_a_plugin(site, tmp_path, kind):
    site.distribution("dist-acme", {"acme": "acme_module:Acme"}, {"acme_module": BASE})
    model = tmp_path / "model"
    model.write_bytes(b"...." + ACME if kind == "stream" else ACME)
    with model.open("rb") as stream:
        stream.seek(4)
        source = {"file": model, "bytes": ACME, "stream": stream}[kind]
        best = mlup.detect(source).best
        assert (best.binarizer, best.score) == ("acme", 0.9)
        assert stream.tell() == 4, "detect() puts the stream back where it stood"
        assert mlup.load(source) == ACME
        assert mlup.detect(b"something else").candidates == ()
        assert not stream.closed
    assert site.info("acme").description == "Acme models, the predecessor's way."


@pytest.mark.parametrize(
    ("declared", "test"),
    [
        ("head", "head.startswith(b'ACME')"),
        ("", "True"),
        ("tail, head", "head.startswith(b'ACME') and tail.endswith(b'weights')"),
        ("tail", "tail.endswith(b'weights')"),
        ("head, path", "path.size == len(head)"),
        ("head, extra=None", "head.startswith(b'ACME') and extra is None"),
    ],
)
def test_an_implementation_may_declare_fewer_arguments_in_any_order(site, declared, test):
    source = f"""
        import mlup

        @mlup.hookimpl
        def score({declared}):
            return 0.9 if {test} else None

        @mlup.hookimpl
        def deserialize():
            return "a constant"
    """
    site.distribution("dist-acme", {"acme": "acme_module"}, {"acme_module": source})
    assert mlup.detect(ACME).best.binarizer == "acme"
    assert mlup.load(ACME) == "a constant"


def test_a_hook_may_be_implemented_under_another_name(site):
    source = """
        import mlup

        @mlup.hookimpl(specname="score")
        def how_sure(head):
            return 0.9

        @mlup.hookimpl(specname="deserialize")
        def read(file):
            return "read"
    """
    site.distribution("dist-acme", {"acme": "acme_module"}, {"acme_module": source})
    assert mlup.load(ACME) == "read"


# -- the environment ------------------------------------------------------------------------


def test_a_plugin_outside_the_allow_list_is_not_even_imported(site, monkeypatch):
    kept, left_out = site.plugin("good"), site.plugin("other", "return 0.99")
    monkeypatch.setenv("MLUP_PLUGINS", "good, memory")
    _good_still_wins()
    assert kept in sys.modules
    assert left_out not in sys.modules
    assert site.info("other").status == "disabled"
    assert "MLUP_PLUGINS" in site.info("other").problem
    with pytest.raises(mlup.BinarizerNotFoundError, match="disabled"):
        mlup.load(ACME, "other")
    assert left_out not in sys.modules


def test_a_disabled_plugin_is_not_even_imported(site, monkeypatch, caplog):
    site.plugin("good")
    left_out = site.plugin("other", "return 0.99")
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", " other,nobody")
    _good_still_wins()
    assert left_out not in sys.modules
    assert site.info("other").status == "disabled"
    assert "MLUP_DISABLE_PLUGINS" in site.info("other").problem
    assert caplog.messages == [], "what the user switched off is no warning"


@pytest.mark.parametrize("variable", ["MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("goood", "did you mean 'good'?"), ("dist-good", "write its binarizer: good")],
)
def test_a_name_in_a_variable_that_was_meant_otherwise_is_said(
    site, monkeypatch, caplog, variable, name, said
):
    site.plugin("good")
    monkeypatch.setenv(variable, name)
    mlup.plugins()
    assert [each for each in caplog.messages if variable in each and said in each]


def test_disabling_wins_over_allowing(site, monkeypatch):
    site.plugin("good")
    monkeypatch.setenv("MLUP_PLUGINS", "good")
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "good")
    assert site.info("good").status == "disabled"


def test_strict_tolerates_a_broken_plugin_that_is_disabled(site, monkeypatch):
    site.plugin("good")
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": "raise ValueError"})
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "dist-bad:bad")
    _good_still_wins()


def test_a_variable_set_after_the_first_detection_is_heeded(site, monkeypatch):
    site.plugin("good")
    assert mlup.detect(ACME).best is not None
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "good")
    assert mlup.detect(ACME).best is None
    monkeypatch.delenv("MLUP_DISABLE_PLUGINS")
    assert mlup.detect(ACME).best is not None


def test_refresh_sees_what_was_installed_and_uninstalled_meanwhile(site):
    site.plugin("good")
    assert mlup.detect(ACME).best.binarizer == "good"
    site.distribution("dist-new", {"new": "new_module"}, refresh=False)
    assert [each.name for each in mlup.plugins() if each.name == "new"] == []
    mlup.refresh()
    assert site.info("new").distribution == "dist-new"
    for name in ("METADATA", "entry_points.txt"):
        (site.folder / "dist_new-1.0.dist-info" / name).unlink()
    (site.folder / "dist_new-1.0.dist-info").rmdir()
    mlup.refresh()
    assert [each.name for each in mlup.plugins() if each.name == "new"] == []


def test_discovery_happens_once(site, caplog):
    site.distribution("dist-bad", {"bad": "bad_module"}, {"bad_module": "raise ValueError"})
    for _ in range(3):
        mlup.detect(ACME)
        mlup.plugins()
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("name", ["memory", "auto", "a b", "Acme:x"])
def test_a_name_that_is_taken_or_cannot_be_asked_for_costs_only_its_plugin(site, name):
    site.plugin("good")
    site.distribution(
        "dist-intruder",
        {name: "intruder_module"},
        {
            "intruder_module": "import mlup\n\n@mlup.hookimpl\ndef deserialize(file):\n    return 'X'\n"
        },
    )
    _good_still_wins()
    info = next(each for each in mlup.plugins() if each.distribution == "dist-intruder")
    assert info.status == "broken"
    assert "rename the entry point" in info.problem
    marker = object()
    assert mlup.load(marker, "memory") is marker


def test_a_conflict_is_no_warning_where_the_choice_is_explicit(site, caplog):
    site.plugin("acme", distribution="first")
    site.plugin("acme", distribution="second")
    assert mlup.load(ACME, "first:acme") == "loaded by first_acme"
    assert caplog.messages == []
    mlup.detect(ACME)
    assert len(caplog.messages) == 2


def test_a_detection_says_what_is_in_conflict_and_what_to_ask_for(site):
    site.plugin("acme", distribution="first")
    site.plugin("acme", distribution="second")
    found = mlup.detect(ACME)
    assert found.best is None
    assert [each.distribution for each in found.problems] == ["first", "second"]
    assert all(
        "in conflict" in str(each) and "'first:acme'" in str(each) for each in found.problems
    )
    with pytest.raises(mlup.UnknownModelError) as caught:
        mlup.load(ACME)
    assert "none of them gave an answer" in str(caught.value)
    assert "acme (in conflict)" in str(caught.value)
    assert "such as 'first:acme' or 'second:acme' (binarizer=" in str(caught.value)
    assert "binarization_type:" in str(caught.value)


def test_a_misspelt_module_gets_the_nearest_of_its_distribution(site):
    site.distribution("mlup-kiln", {"kiln": "mlup_kilm"}, {"mlup_kiln": "import mlup"})
    assert "does not have; did you mean mlup_kiln?" in site.info("kiln").problem


def test_a_module_that_the_plugin_itself_misses_is_not_taken_for_its_own(site):
    site.distribution("mlup-kiln", {"kiln": "mlup_kiln"}, {"mlup_kiln": "import mlup_kilnlib"})
    assert "No module named 'mlup_kilnlib'; install it" in site.info("kiln").problem


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("@mlup.hookimpl\ndef deserialise(file): ...", 2, "unknown hook 'deserialise'"),
        ("@mlup.hookimpl\ndef deserialize(file, more): ...", 2, "declares more"),
        ("@mlup.hookimpl\nasync def deserialize(file): ...", 2, "is async"),
        ("def score(path): ...\ndef deserialize(file): ...", 2, "are not marked"),
        (
            "@mlup.hookimpl\ndef deserialize(file): ...\ndef score(path): ...",
            4,
            "its score() is not marked",
        ),
    ],
)
def test_a_function_that_does_not_fit_is_named_with_its_line(site, caplog, source, line, said):
    site.distribution("dist-odd", {"odd": "mod_odd"}, {"mod_odd": f"import mlup\n{source}"})
    with caplog.at_level("DEBUG", logger="mlup"):
        info = site.info("odd")
    assert info.problem.startswith(("unknown", "its", "deserialize()")), "no exception's name"
    assert said in info.problem
    where = f"{site.folder / 'mod_odd.py'}:"
    assert info.failed_at in (f"{where}{line}", f"{where}{line + 1}")  # the mark, or its function
    assert f", at {info.failed_at}" in caplog.text
    assert "Traceback" not in caplog.text, "mlup's own lines tell its author nothing"


@pytest.mark.parametrize(
    ("variable", "name"), [("MLUP_PLUGINS", "gone"), ("MLUP_DISABLE_PLUGINS", "goood")]
)
def test_strict_raises_for_a_name_that_is_not_installed(site, monkeypatch, variable, name):
    site.plugin("good")
    monkeypatch.setenv(variable, name)
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    with pytest.raises(mlup.PluginError, match=f"{variable} names '{name}'"):
        mlup.plugins()
