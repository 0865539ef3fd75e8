"""What makes most tests impossible fails one of them, which says why; the others point to it."""

from __future__ import annotations

import pytest

from mlup_testkit import BinarizerContract

TESTS = {name for name in dir(BinarizerContract) if name.startswith("test_")}
INSTALLED = "test_it_is_installed"
REQUIRED = "test_it_lists_what_it_requires"
WRITTEN = "test_it_loads_what_was_written"
GUARD = "test_no_test_was_removed_or_replaced"


def right(contract, entry_point="acme = mlup_acme", **modules):
    contract.install("mlup_acme", {"mlup_acme": contract.right, **modules}, entry_point)


def one_failure(ran, name, *said):
    assert ran.failed == {name}, ran.output
    assert ran.code == 1
    for each in said:
        assert each in ran.output


def test_an_entry_point_that_is_not_there(contract):
    right(contract, "acmee = mlup_acme")
    ran = contract.run("", "-rfEs")
    one_failure(ran, INSTALLED, "has an entry point 'acme'", f"see {INSTALLED}")
    assert (ran.passed, ran.skipped) == (1, len(TESTS) - 2), "the guard passes"


def test_a_broken_plugin(contract):
    broken = contract.right.replace("import mlup\n", "import mlup, no_such_module\n")
    contract.install("mlup_acme", {"mlup_acme": broken}, "acme = mlup_acme")
    contract.site.joinpath("lines.py").write_text(contract.right, "utf-8")
    ran = contract.run("", "-rfEs", module="lines")
    one_failure(ran, INSTALLED, "acme is broken", "no_such_module")
    assert (ran.passed, ran.skipped) == (1, len(TESTS) - 2)


@pytest.mark.parametrize("name", ["test_it_loads_bytes", "test_score_opens_no_file"])
def test_alone_a_test_says_it_itself(contract, name):
    right(contract, "acmee = mlup_acme")
    one_failure(contract.run("", "-k", name), name, "has an entry point 'acme'")


def test_the_one_that_explains_is_the_first(contract):
    right(contract, "acmee = mlup_acme")
    ran = contract.run("", "-x")
    assert (ran.failed, ran.passed, ran.skipped) == ({INSTALLED}, 0, 0), ran.output


def test_no_name(contract):
    right(contract)
    one_failure(
        contract.run("    binarizer = ''"),
        INSTALLED,
        'Set binarizer = "…" in TestAcme: the name of your entry point. Installed are: acme, ',
    )


def test_a_misspelled_requirement(contract):
    source = contract.right.replace("requires = ()", 'requires = ("jsno",)')
    contract.install("mlup_acme", {"mlup_acme": source}, "acme = mlup_acme")
    ran = contract.run("", "-rfEs")
    said = "jsno cannot be imported, so no test that writes or loads a model could run. Misspelled"
    one_failure(ran, REQUIRED, said, f"see {REQUIRED}")
    assert 10 <= ran.passed < 20, "what is about foreign files runs all the same"
    assert ran.passed + ran.skipped == len(TESTS) - 1


def test_a_framework_that_is_not_for_this_python_is_told_as_any_reason_is(contract):
    source = contract.right.replace("requires = ()", 'requires = ("acme_framework",)')
    contract.install("mlup_acme", {"mlup_acme": source}, "acme = mlup_acme")
    more = f"    @pytest.mark.xfail(reason='no Acme for this Python')\n    def {REQUIRED}(self, subject):"
    ran = contract.run(f"{more}\n        super().{REQUIRED}(subject)", "-rfEs")
    assert (ran.code, ran.failed) == (0, set()), ran.output
    assert "1 xfailed" in ran.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "models = BinarizerContract.models",
            "Say in TestAcme which models the samples are made of",
        ),
        ("write = BinarizerContract.write", "Say in TestAcme how a model is written"),
        ("def models(self): return {}", "models() gave nothing"),
        ("def models(self): return {'a.acme': plugin.Lime()}", "no attribute 'Lime'"),
        ("def write(self, model, path): pass", "write() left nothing at 'line.acme'"),
    ],
)
def test_no_samples(contract, more, said):
    right(contract)
    ran = contract.run(f"    {more}", "-rfEs", "-k", "_loads_ or _sure_ or _hostile_")
    one_failure(ran, WRITTEN, said, f"see {WRITTEN}")
    assert (ran.passed, ran.skipped) == (0, 5)
    alone = contract.run(f"    {more}", "-k", "test_it_loads_bytes")
    one_failure(alone, "test_it_loads_bytes", said)


def test_models_are_made_once_though_they_cannot_be_written(contract):
    right(contract)
    more = """
    def models(self):
        with open("made", "a") as made: made.write("x")
        raise OSError("the disk is full")
"""
    ran = contract.run(more, "-rfEs")
    one_failure(ran, WRITTEN, "OSError: the disk is full", f"see {WRITTEN}")
    assert ran.passed + ran.skipped == len(TESTS) - 1
    assert len((contract.folder / "made").read_text("utf-8")) == 2, "the second is the one told"
