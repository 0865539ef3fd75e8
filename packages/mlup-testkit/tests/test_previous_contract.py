"""A plugin written for an earlier contract, with fewer arguments and attributes, still passes."""

from __future__ import annotations

import ast
from pathlib import Path

PREVIOUS = Path(__file__).parent / "previous_contract"


def test_the_sample_is_of_the_previous_contract():
    tree = ast.parse((PREVIOUS / "mlup_previous.py").read_text("utf-8"))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    hooks = {each.name: [argument.arg for argument in each.args.args] for each in functions}
    assert hooks == {"score": ["path", "head"], "deserialize": ["file"]}
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    assert not names & {"options", "safe_list", "inspect", "tail"}


def test_it_passes_today_s_contract(contract):
    ran = contract.run("", "-rs", site=PREVIOUS, module="mlup_previous")
    assert (ran.code, ran.failed) == (0, set()), ran.output
    assert ran.skipped == 1, "it says nothing of options, which is told, and no fault"
    assert "it says nothing of options" in ran.output
