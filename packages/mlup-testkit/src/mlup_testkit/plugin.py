"""What pytest loads in every run: only hooks. The kit itself is imported when a test asks for it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

_REWRITTEN = (
    "author",
    "contract",
    "describing",
    "guarding",
    "lightness",
    "loading",
    "recognising",
    "safety",
    "asking",
)

pytest.register_assert_rewrite(*(f"mlup_testkit.{name}" for name in _REWRITTEN))


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> None:
    """Refuse a contract without its guard, which no test in the class could tell."""
    contract = sys.modules.get("mlup_testkit.contract")
    if contract is None or not isinstance(obj, type):
        return
    if issubclass(obj, contract.BinarizerContract) and obj is not contract.BinarizerContract:
        from mlup_testkit.guarding import GUARD, changes

        if getattr(obj, GUARD, None) is not getattr(contract.BinarizerContract, GUARD):
            raise collector.CollectError(f"{name}: {'; '.join(changes(obj))}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for each binarizer under contract: how many golden files it claimed wrongly."""
    counts = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "mlup_testkit":
                    counts[value["binarizer"]] = value
    if counts:
        terminalreporter.section("golden files of other formats")
        for name, each in sorted(counts.items()):
            terminalreporter.line(
                f"{name:<20} {each['foreign']:>4} files, claimed wrongly: {each['claimed']}"
            )
