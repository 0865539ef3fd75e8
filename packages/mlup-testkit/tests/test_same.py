"""What ``same`` says is shown, and what is neither yes nor no is explained."""

from __future__ import annotations

import pytest

WRITTEN = "test_it_loads_what_was_written"
DEFAULT = "    same = BinarizerContract.same"
VALUE = "    return Line(int(slope), int(constant), **file.options)"


def loading(contract, value, modules=()):
    source = contract.right.replace(VALUE, f"    return {value}")
    contract.install("mlup_acme", {"mlup_acme": source, **dict(modules)}, "acme = mlup_acme")


AMBIGUOUS = """
class Truth:
    def __bool__(self): raise {error}("The truth value of an array is ambiguous. Use a.any()")
class Array(plugin.Line):
    def __eq__(self, other): return Truth()
class TestArray(TestAcme):
    same = BinarizerContract.same
    def models(self): return {{"line.acme": Array(2, 1)}}
"""


@pytest.mark.parametrize("error", ["ValueError", "RuntimeError", "TypeError"])
def test_an_array_of_answers_is_no_answer(contract, error):
    loading(contract, VALUE.removeprefix("    return "))
    ran = contract.run(AMBIGUOUS.format(error=error), "-k", f"TestArray and {WRITTEN}")
    assert ran.failed == {WRITTEN}, ran.output
    said = "model == loaded is no yes or no (test_contract.Array): override same(), for example"
    assert said in ran.output


def test_of_numpy(contract):
    pytest.importorskip("numpy", reason="the kit does not require it")
    loading(contract, "__import__('numpy').array([int(slope), int(constant)])")
    more = """
    def models(self):
        import numpy
        return {"line.acme": numpy.array([2, 1])}
    def write(self, model, path):
        plugin.Line(*model).save(path)
"""
    ran = contract.run(DEFAULT + more, "-k", WRITTEN)
    assert ran.failed == {WRITTEN}, ran.output
    assert "model == loaded is no yes or no (numpy.ndarray): override same()" in ran.output
    assert "numpy.allclose(model, loaded)" in ran.output


def test_an_error_of_another_kind_is_the_author_s(contract):
    loading(contract, VALUE.removeprefix("    return "))
    ran = contract.run("    def same(self, model, loaded): raise ValueError('mine')", "-k", WRITTEN)
    assert "ValueError: mine" in ran.output
    assert "no yes or no" not in ran.output


def test_what_is_not_the_same_is_shown_shortened(contract):
    loading(contract, "{'slope': int(slope) + 1e-7, 'weights': 'x' * 5000}")
    more = """
    def models(self):
        return {"line.acme": {"slope": 2.0, "weights": "y" * 5000}}
    def write(self, model, path):
        plugin.Line(2, 1).save(path)
"""
    ran = contract.run(DEFAULT + more, "-k", WRITTEN)
    assert ran.failed == {WRITTEN}, ran.output
    assert "dict: {'slope': 2.0, 'weights': 'yyyy" in ran.output
    assert "dict: {'slope': 2.0000001, 'weights': 'xxxx" in ran.output
    assert "x" * 200 not in ran.output
    assert "If numbers were rounded, compare them with math.isclose" in ran.output
