"""The contract looks after itself, also where its own guard was taken away."""

from __future__ import annotations

import pytest

GUARD = "test_no_test_was_removed_or_replaced"


@pytest.fixture
def right(contract):
    contract.install("mlup_acme", {"mlup_acme": contract.right}, "acme = mlup_acme")
    return contract


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("    test_it_loads_bytes = None", "test_it_loads_bytes was removed"),
        ("    def test_it_loads_bytes(self): pass", "without @pytest.mark.xfail(reason="),
        ("    @pytest.mark.xfail\n    def test_it_loads_bytes(self): pass", "without @pytest.mark"),
        ("    @pytest.mark.skip('no')\n    def test_it_loads_bytes(self): pass", "without @pytest"),
        ("    @pytest.fixture\n    def subject(self): return None", "subject is the kit's own"),
    ],
)
def test_a_test_that_is_gone_is_noticed(right, more, said):
    ran = right.run(more, "-k", GUARD)
    assert ran.failed == {GUARD}
    assert said in ran.output


def test_a_test_may_be_overridden_with_a_reason(right):
    more = "    @pytest.mark.xfail(reason='no bytes')\n    def test_it_loads_bytes(self): assert 0"
    ran = right.run(more, "-k", f"{GUARD} or test_it_loads_bytes")
    assert (ran.code, ran.passed) == (0, 1)
    assert "1 xfailed" in ran.output


@pytest.mark.parametrize(
    "more",
    [
        f"    {GUARD} = None",
        f"    def {GUARD}(self): pass",
        f"    {GUARD} = None\n    test_it_loads_bytes = None",
        f"    @pytest.mark.xfail(reason='so')\n    def {GUARD}(self): assert 0",
    ],
)
def test_the_guard_itself_cannot_be_taken_away(right, more):
    ran = right.run(more)
    assert ran.code == 2, "an error of collection"
    assert f"{GUARD} was" in ran.output
    assert ran.passed == 0


def test_a_base_of_one_s_own_is_looked_at_too(right):
    more = "    __test__ = False\n    test_it_loads_bytes = None\n\n"
    ran = right.run(more + "class TestBelow(TestAcme):\n    __test__ = True", "-k", GUARD)
    assert ran.failed == {GUARD}


def test_the_count_comes_through_xdist(right):
    pytest.importorskip("xdist")
    ran = right.run("", "-n", "2", "-k", "golden_files")
    assert "acme                  716 files, claimed wrongly: 0" in ran.output


NOT_COLLECTED = "is a BinarizerContract, but pytest collects only classes named Test…"
BASE = """
class Base(BinarizerContract):
    pass
"""


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        (BASE.replace("Base", "Borehole"), "Borehole"),
        (BASE + "class TestBelow(Base):\n    binarizer = ''\n", None),
        (BASE.replace("pass", "__test__ = False"), None),
        ("class AcmeBelow(TestAcme):\n    pass\n", "AcmeBelow"),
        ("from mlup_testkit.contract import BinarizerContract as Other\n", None),
    ],
)
def test_a_contract_that_pytest_does_not_collect_is_warned_of(right, more, warned):
    ran = right.run("\n" + more, "-k", GUARD, "-W", "default")
    assert ran.code == 0, ran.output
    assert ran.output.count("is a BinarizerContract, but") == bool(warned), ran.output
    assert f"{warned} {NOT_COLLECTED}" in ran.output or not warned


def test_other_names_are_collected_where_the_project_says_so(right):
    (right.folder / "pytest.ini").write_text("[pytest]\npython_classes = Test Bore\n", "utf-8")
    more = BASE.replace("Base", "Borehole") + BASE.replace("Base", "Kiln")
    ran = right.run("\n" + more, "-k", GUARD, "-W", "default")
    assert "Borehole is a" not in ran.output
    assert "Kiln is a BinarizerContract, but pytest collects only classes named Test… or Bore…" in (
        ran.output
    )


def test_a_run_without_a_contract_imports_nothing_of_the_kit(right):
    source = (
        "import sys\n\ndef test_it():\n"
        "    ours = {name for name in sys.modules if name.startswith('mlup')}\n"
        "    assert ours == {'mlup_testkit', 'mlup_testkit.plugin'}\n"
    )
    (right.folder / "test_other.py").write_text(source, "utf-8")
    ran = right.run(file="test_other.py")
    assert (ran.code, ran.passed) == (0, 1), ran.output
