"""The order of candidates, ties, and what happens once one is chosen."""

from __future__ import annotations

import copy
import logging
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlup
from mlup.files import ModelPath
from mlup.ranking import Scorer, in_order, rank, tied

ACME = b"ACME\x01 and then the weights"


def _order(detection):
    return [each.binarizer for each in detection.candidates]


# -- order ----------------------------------------------------------------------------------


def test_the_surest_comes_first(site):
    site.plugin("aaa", "return 0.3")
    site.plugin("bbb", "return 0.95")
    site.plugin("ccc", "return 0.9")
    detection = mlup.detect(ACME)
    assert _order(detection) == ["bbb", "ccc", "aaa"]
    assert detection.best == detection.candidates[0]
    assert detection.tied == ()
    assert detection.problems == ()
    assert detection.verdict is None
    assert mlup.load(ACME) == "loaded by dist_bbb_bbb"


def test_a_candidate_says_who_how_sure_why_and_from_where(site):
    site.plugin("acme", "return mlup.Score(0.95, 'ACME header, version 1')")
    best = mlup.detect(ACME).best
    assert (best.binarizer, best.score) == ("acme", 0.95)
    assert (best.reason, best.distribution) == ("ACME header, version 1", "dist-acme")


def test_a_score_without_a_reason_says_so(site):
    site.plugin("acme", "return 0.95")
    assert mlup.detect(ACME).best.reason == "the plugin gave no reason"


def test_a_reason_is_printable_and_short(site):
    site.plugin("acme", "return mlup.Score(0.95, '\\x1b]0;title\\x07' + 'long ' * 1000)")
    reason = mlup.detect(ACME).best.reason
    assert reason.startswith("\\x1b]0;title\\x07long")
    assert reason.isprintable()
    assert len(reason) < 400


def test_a_framework_that_quotes_the_file_is_quoted_in_part(site):
    site.plugin("acme", deserialize="raise ValueError('\\x1b[31mred ' + 'config ' * 20_000)")
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(ACME)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 3000
    assert len(str(caught.value.__cause__)) > 100_000


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.mark.parametrize(
    "deserialize", ["raise ValueError('no')", "raise mlup.ModelBinarizationError('it is refused')"]
)
def test_who_names_a_binarizer_hears_what_the_bytes_are_too(site, deserialize):
    site.plugin("acme", deserialize=deserialize)
    with pytest.raises(mlup.ModelBinarizationError, match="git lfs pull") as caught:
        mlup.load(LFS, "acme")
    assert caught.value.__cause__ is not None
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(ACME, "acme")
    assert "looks like" not in str(caught.value)


def test_a_framework_that_is_missing_is_said_of_the_file(site, tmp_path):
    site.plugin(
        "acme", "return mlup.Score(0.95, 'an ACME model')", top="requires = ('no_such_framework',)"
    )
    with pytest.raises(mlup.BinarizerNotFoundError) as caught:
        mlup.load(ACME)
    for part in ("<bytes>", "an ACME model", "no_such_framework", "provides no_such_framework"):
        assert part in str(caught.value)


def test_tryfirst_and_trylast_decide_between_equal_scores(site):
    site.plugin("aaa", "return 0.9", marked="(trylast=True)")
    site.plugin("bbb", "return 0.9")
    site.plugin("ccc", "return 0.9", marked="(tryfirst=True)")
    detection = mlup.detect(ACME)
    assert _order(detection) == ["ccc", "bbb", "aaa"]
    assert detection.tied == ()
    assert mlup.load(ACME) == "loaded by dist_ccc_ccc"


def test_tryfirst_does_not_beat_a_higher_score(site):
    site.plugin("aaa", "return 0.8", marked="(tryfirst=True)")
    site.plugin("bbb", "return 0.9", marked="(trylast=True)")
    assert _order(mlup.detect(ACME)) == ["bbb", "aaa"]


@pytest.mark.parametrize("marked", ["", "(tryfirst=True)", "(trylast=True)"])
def test_equal_scores_of_one_tier_are_a_tie(site, marked):
    site.plugin("bbb", "return 0.9", marked=marked)
    site.plugin("aaa", "return 0.9", marked=marked)
    site.plugin("ccc", "return 0.3", marked=marked)
    detection = mlup.detect(ACME)
    assert [each.binarizer for each in detection.tied] == ["aaa", "bbb"]
    assert detection.best.binarizer == "aaa"
    with pytest.raises(mlup.AmbiguousModelError) as caught:
        mlup.load(ACME)
    assert isinstance(caught.value, mlup.ModelLoadError)
    assert caught.value.candidates == detection.tied
    assert caught.value.path == "<bytes>"
    message = str(caught.value)
    assert "aaa and bbb" in message, "the contenders"
    assert "ccc" not in message
    assert "binarizer='aaa'" in message, "how to pin one"
    assert "on_tie='first'" in message, "how to take the first"


def test_a_tie_below_the_best_is_none(site):
    site.plugin("aaa", "return 0.5")
    site.plugin("bbb", "return 0.5")
    site.plugin("ccc", "return 0.9")
    assert mlup.detect(ACME).tied == ()
    assert mlup.load(ACME) == "loaded by dist_ccc_ccc"


def test_on_tie_first_takes_the_first_by_name(site):
    site.plugin("bbb", "return 0.9")
    site.plugin("aaa", "return 0.9")
    assert mlup.load(ACME, on_tie="first") == "loaded by dist_aaa_aaa"


def test_a_name_decides_a_tie(site):
    site.plugin("bbb", "return 0.9")
    site.plugin("aaa", "return 0.9")
    assert mlup.load(ACME, "bbb") == "loaded by dist_bbb_bbb"


def test_on_tie_is_raise_or_first(site):
    with pytest.raises(ValueError, match="on_tie='last'"):
        mlup.load(ACME, on_tie="last")


def test_sums_of_decimal_fractions_tie_with_their_value(site):
    assert 0.7 + 0.2 != 0.9, "or there is nothing to test"
    site.plugin("aaa", "return 0.7 + 0.2")
    site.plugin("bbb", "return 0.9")
    site.plugin("ccc", "return 0.85 + 0.05")
    assert len(mlup.detect(ACME).tied) == 3


def test_content_and_extension_tie_with_their_sum(site):
    site.plugin("aaa", "return 0.9 + 0.05")
    site.plugin("bbb", "return 0.95")
    assert len(mlup.detect(ACME).tied) == 2


def test_a_choice_by_auto_is_in_the_log_with_its_reason_and_the_runner_up(site, caplog):
    site.plugin("acme", "return mlup.Score(0.95, 'ACME header')")
    site.plugin("other", "return 0.5")
    with caplog.at_level(logging.INFO, logger="mlup"):
        mlup.load(ACME)
    (message,) = caplog.messages
    for part in ("<bytes>", "acme", "0.95", "ACME header", "other", "0.50"):
        assert part in message


def test_every_score_is_in_the_log_at_debug(site, caplog):
    site.plugin("acme", "return mlup.Score(0.95, 'ACME header')")
    site.plugin("bad", "raise ValueError('lost')")
    with caplog.at_level(logging.DEBUG, logger="mlup"):
        mlup.detect(ACME)
    assert any("acme" in each and "ACME header" in each for each in caplog.messages)
    assert "Traceback" in caplog.text, "at DEBUG a failure is shown whole"


def test_who_said_not_mine_is_one_line_at_debug(site, caplog):
    site.plugin("acme", "return 0.9")
    site.plugin("bad", "raise ValueError('lost')")
    site.plugin("none", "return None")
    site.plugin("zero", "return 0.0")
    with caplog.at_level(logging.DEBUG, logger="mlup"):
        mlup.detect(ACME)
    assert [each for each in caplog.messages if "not theirs" in each] == [
        "<bytes>: not theirs, say none, zero"
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="mlup"):
        mlup.detect(ACME)
    assert "not theirs" not in caplog.text


def test_a_file_that_is_everybodys_has_no_such_line(site, caplog):
    site.plugin("acme", "return 0.9")
    with caplog.at_level(logging.DEBUG, logger="mlup"):
        mlup.detect(ACME)
    assert "not theirs" not in caplog.text


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, 0.9, 0.95, 1.0]), st.sampled_from([-1, 0, 1])),
        max_size=8,
    )
)
def test_any_votes_are_ordered_and_their_ties_found(votes):
    scorers = [
        Scorer(f"b{place}", "dist", tier, lambda path, head, tail, score=score: score)
        for place, (score, tier) in enumerate(votes)
    ]
    with ModelPath.of(ACME) as path:
        candidates, problems = rank(path, in_order(scorers))
    assert problems == ()
    expected = sorted((-score, tier, f"b{at}") for at, (score, tier) in enumerate(votes) if score)
    assert [(-each.score, each.tier, each.binarizer) for each in candidates] == expected
    top = [each for each in expected if each[:2] == expected[0][:2]]
    names = [each.binarizer for each in tied(candidates)]
    assert names == ([each[2] for each in top] if len(top) > 1 else [])


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(), st.binary()))
def test_any_answer_is_a_vote_in_0_to_1_or_none_or_a_problem(answer):
    scorers = [Scorer("acme", "dist", 0, lambda path, head, tail: answer)]
    with ModelPath.of(ACME) as path:
        candidates, problems = rank(path, scorers)
    number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    if answer is None or (number and answer == 0):
        assert (candidates, problems) == ((), ())
    elif number and 0 < answer <= 1:
        assert problems == ()
        rounded = round(float(answer), 9)
        assert [each.score for each in candidates] == ([rounded] if rounded else [])
    else:
        assert candidates == ()
        assert [each.binarizer for each in problems] == ["acme"]


# -- Score ----------------------------------------------------------------------------------


def test_a_score_is_a_float_with_a_reason():
    score = mlup.Score(0.95, "ACME header")
    assert isinstance(score, float)
    assert (score, score.reason) == (0.95, "ACME header")
    assert score > mlup.Score(0.5)
    assert mlup.Score(0.5).reason == ""
    assert repr(score) == "Score(0.95, 'ACME header')"


@pytest.mark.parametrize(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        *(
            lambda score, protocol=protocol: pickle.loads(pickle.dumps(score, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_score_survives_copying_and_pickling(clone):
    again = clone(mlup.Score(0.95, "ACME header"))
    assert type(again) is mlup.Score
    assert (again, again.reason) == (0.95, "ACME header")


# -- once chosen ----------------------------------------------------------------------------


def test_when_the_chosen_one_fails_no_other_is_tried(site, tmp_path):
    site.plugin("acme", "return 0.95", deserialize="raise ValueError('no weights')")
    runner_up = site.plugin("other", "return 0.5")
    third = site.plugin("third", "return 0.3")
    model = tmp_path / "model.acme"
    model.write_bytes(ACME)
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(model)
    assert sys.modules[runner_up].calls == []
    assert sys.modules[third].calls == []
    assert isinstance(caught.value.__cause__, ValueError)
    message = str(caught.value)
    for part in (str(model), "acme", "ValueError: no weights", "other (0.50)", "third (0.30)"):
        assert part in message


def test_a_failure_that_cannot_be_printed_is_chained_all_the_same(site):
    body = """
        class Unprintable(Exception):
            def __str__(self): raise RuntimeError('not even this works')
        raise Unprintable
    """
    site.plugin("acme", deserialize=body)
    with pytest.raises(mlup.ModelBinarizationError, match="Unprintable") as caught:
        mlup.load(ACME)
    assert type(caught.value.__cause__).__name__ == "Unprintable"


def test_an_mlup_error_of_the_plugin_passes_unchanged(site):
    site.plugin("acme", deserialize="raise mlup.ModelBinarizationError('in my own words')")
    with pytest.raises(mlup.ModelBinarizationError, match=r"^in my own words$"):
        mlup.load(ACME)


def test_a_model_that_needs_a_missing_module_says_which(site):
    site.plugin("acme", deserialize="import a_library_of_yours.models")
    with pytest.raises(mlup.ModelBinarizationError, match="needs the module 'a_library_of_yours'"):
        mlup.load(ACME)


@pytest.mark.parametrize("choice", ["auto", "acme"])
def test_none_is_a_model(site, choice):
    module = site.plugin("acme", deserialize="return None")
    other = site.plugin("other", "return 0.5")
    assert mlup.load(ACME, choice) is None
    assert len(sys.modules[module].calls) == 1
    assert sys.modules[other].calls == [], "None is an answer: nobody else is asked"


def test_a_name_wins_over_the_bytes_with_one_warning(site, caplog):
    site.plugin("acme", "return mlup.Score(0.9, 'ACME header')")
    site.plugin("other", "return None")
    assert mlup.load(ACME, "other") == "loaded by dist_other_other"
    (message,) = caplog.messages
    for part in ("<bytes>", "other", "acme", "0.90", "ACME header"):
        assert part in message
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize(
    ("acme", "other"),
    [("return 0.89", "return None"), ("return 0.95", "return 0.3"), ("return None", "return None")],
    ids=["nothing-clear", "it-could-be-it", "nothing-known"],
)
def test_a_name_is_not_warned_about_where_the_bytes_do_not_say_otherwise(site, caplog, acme, other):
    site.plugin("acme", acme)
    site.plugin("other", other)
    assert mlup.load(ACME, "other") == "loaded by dist_other_other"
    assert caplog.messages == []


# -- options --------------------------------------------------------------------------------

SHOW = "return dict(file.options)"


@pytest.mark.parametrize("choice", ["auto", "acme"])
def test_an_unknown_option_is_refused_before_the_plugin_is_called(site, choice):
    module = site.plugin("acme", top="options = ('device', 'dtype')", deserialize=SHOW)
    with pytest.raises(mlup.OptionError) as caught:
        mlup.load(ACME, choice, options={"devise": "cpu", "dtype": "int8"})
    message = str(caught.value)
    assert "'devise'" in message
    assert "'dtype'" not in message
    assert "device, dtype" in message, "the known ones"
    assert isinstance(caught.value, mlup.ModelLoadError)
    assert sys.modules[module].calls == []


def test_known_options_arrive(site):
    site.plugin("acme", top="options = ('device', 'dtype')", deserialize=SHOW)
    assert mlup.load(ACME, options={"device": "cpu"}) == {"device": "cpu"}
    assert mlup.load(ACME) == {}


def test_a_plugin_that_takes_no_option_says_so(site):
    site.plugin("acme", top="options = ()", deserialize=SHOW)
    with pytest.raises(mlup.OptionError, match="takes none"):
        mlup.load(ACME, options={"device": "cpu"})


def test_a_plugin_without_options_gets_everything(site):
    site.plugin("acme", deserialize=SHOW)
    assert mlup.load(ACME, options={"anything": 1, "at all": 2}) == {"anything": 1, "at all": 2}


def test_options_of_a_loaded_file_are_checked_and_arrive(site):
    site.plugin("acme", top="options = ('device', 'dtype')", deserialize=SHOW)
    file = mlup.LoadedFile(ACME, options={"device": "cpu", "dtype": "int8"})
    assert mlup.load(file, options={"dtype": "int4"}) == {"device": "cpu", "dtype": "int4"}
    with pytest.raises(mlup.OptionError, match="'wrong'"):
        mlup.load(mlup.LoadedFile(ACME, options={"wrong": 1}))


# -- nothing recognised ---------------------------------------------------------------------


def test_nothing_recognised_is_an_unknown_model(site, tmp_path):
    site.plugin("acme", "return None")
    empty = tmp_path / "model.pkl"
    empty.touch()
    detection = mlup.detect(empty)
    assert (detection.best, detection.candidates, detection.tied) == (None, (), ())
    assert "empty" in detection.verdict
    with pytest.raises(mlup.UnknownModelError) as caught:
        mlup.load(empty)
    assert isinstance(caught.value, mlup.ModelLoadError)
    assert caught.value.path == str(empty)
    assert caught.value.verdict == detection.verdict
    assert str(empty) in str(caught.value)
    assert detection.verdict in str(caught.value)
    assert "acme" in str(caught.value), "who was asked"


def test_an_unknown_model_names_the_plugins_that_were_not_heard(site):
    site.plugin("acme", "return None")
    site.plugin("bad", "raise ValueError")
    site.distribution("dist-worse", {"worse": "worse_module"}, {"worse_module": "import nothing_"})
    with pytest.raises(mlup.UnknownModelError, match=r"\(acme\).*Not heard.*worse") as caught:
        mlup.load(ACME)
    assert "bad failed while scoring: ValueError" in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        mlup.UnknownModelError("said", path="p", verdict="v"),
        mlup.AmbiguousModelError("said", path="p", candidates=("a", "b")),
    ],
)
def test_errors_with_attributes_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == "said"
    assert vars(again) == vars(error)
