"""What the benchmarks share: a row with its goal, and a table of them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple


class Row(NamedTuple):
    """One ratio, the goal it is held against, and what was measured."""

    what: str
    ratio: float
    goal: float
    detail: str


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the table, with the machine it was measured on."""
    print(f"\n{title} (Python {platform.python_version()}, {platform.machine()})")
    width = max(len(row.what) for row in rows)
    for row in rows:
        word = "ok" if row.ratio <= row.goal else "OVER"
        print(f"  {row.what:<{width}}  {row.ratio:5.2f}x  (goal {row.goal}x, {word})  {row.detail}")
    sys.stdout.flush()


def in_turn(functions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The best time of each, in seconds, called in turn so that all see the same machine."""
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for at, function in enumerate(functions):
            started = perf_counter()
            function()
            best[at] = min(best[at], perf_counter() - started)
    return best
