"""What the benchmarks share: a row with its goal, and a table of them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from statistics import median
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


def in_turn(functions: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The times of each, in seconds, called in turn so that all see the same machine."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for so_far, function in zip(times, functions, strict=True):
            started = perf_counter()
            function()
            so_far.append(perf_counter() - started)
    return times


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: a machine that is slow for a while is so for both."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))
