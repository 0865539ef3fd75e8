"""What pytest loads in every run: only hooks. The kit itself is imported when a test asks for it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

_REWRITTEN = (
    "author",
    "explaining",
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
    """Tell what no test in a contract could: that it has no guard, or is not collected."""
    contract = sys.modules.get("mlup_testkit.contract")
    if contract is None or not isinstance(obj, type):
        return
    if issubclass(obj, contract.BinarizerContract) and obj is not contract.BinarizerContract:
        from mlup_testkit.guarding import GUARD, changes

        if getattr(obj, GUARD, None) is not getattr(contract.BinarizerContract, GUARD):
            raise collector.CollectError(f"{name}: {'; '.join(changes(obj))}")
        is_base = bool(obj.__subclasses__()) or not getattr(obj, "__test__", True)
        is_here = obj.__module__ == collector.obj.__name__  # others are imported, to be subclassed
        if is_here and not is_base and not collector.istestclass(obj, name):
            named = " or ".join(f"{each}…" for each in collector.config.getini("python_classes"))
            collector.warn(
                pytest.PytestCollectionWarning(
                    f"{name} is a BinarizerContract, but pytest collects only classes named {named}"
                )
            )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """For each binarizer under contract: what of other formats it claimed, what was not tried."""
    counts: dict[str, dict[str, Any]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "mlup_testkit":
                    counts.setdefault(value["binarizer"], {}).update(value)
    lines = {
        "golden files of other formats": [
            f"{name:<20} {each['foreign']:>4} files, claimed wrongly: {each['claimed']}"
            for name, each in sorted(counts.items())
            if "foreign" in each
        ],
        "hostile files": [
            f"{name:<20}  hostile(): not given; only the kit's own files were tried"
            for name, each in sorted(counts.items())
            if not each.get("hostile", True)
        ],
    }
    for title, those in lines.items():
        if those:
            terminalreporter.section(title)
            for line in those:
                terminalreporter.line(line)
