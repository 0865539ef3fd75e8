"""Who is surest: :class:`Score`, :class:`Candidate`, and the order between them.

This module knows nothing of loading. It calls every plugin's ``score`` itself, so that each
result has its author's name and one plugin's failure costs only that plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from time import perf_counter
from typing import Any, Final, NamedTuple

from mlup import log
from mlup.errors import PluginError, described
from mlup.files import BUDGET, ModelPath
from mlup.showing import LONGEST, shown

SLOW: Final = 1.0
"""Seconds of scoring after which a plugin is named as slow."""


class Score(float):
    """A confidence in 0..1 with its reason: ``Score(0.95, "zip of torch records")``."""

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, value: float, reason: str = "") -> Score:
        """``value`` in 0..1 and why, in a few words that the user will read."""
        self = float.__new__(cls, value)
        self.reason = reason
        return self

    def __repr__(self) -> str:
        return f"Score({float(self)!r}, {self.reason!r})"

    def __reduce__(self) -> tuple[type[Score], tuple[float, str]]:
        return Score, (float(self), self.reason)


class Scorer(NamedTuple):
    """One plugin's voice in a detection."""

    binarizer: str
    distribution: str
    tier: int  # -1: tryfirst, 0, +1: trylast
    score: Callable[[ModelPath, bytes, bytes], Any]


class Candidate(NamedTuple):
    """A binarizer that could load the source."""

    binarizer: str
    score: float
    reason: str
    distribution: str
    tier: int = 0


class Problem(NamedTuple):
    """A plugin that failed, or dawdled, while scoring, or was not asked: its name is in conflict.

    Its vote is void; a slow one's is not.
    """

    binarizer: str
    distribution: str
    message: str
    error: BaseException | None = None

    def __str__(self) -> str:
        return f"{self.binarizer} ({self.distribution}): {self.message}"


def rank(
    path: ModelPath, scorers: Sequence[Scorer], strict: bool = False
) -> tuple[tuple[Candidate, ...], tuple[Problem, ...]]:
    """Ask every plugin, and order the answers by score; equals stay as :func:`in_order` has them.

    Args:
        path: what is looked at.
        scorers: the plugins, as :func:`in_order` returns them.
        strict: raise where a plugin fails.

    Returns:
        The candidates, best first, and the plugins that failed.

    Raises:
        PluginError: a plugin failed, and ``strict`` asked to hear of it.
        SourceError: the first or the last bytes could not be read.
    """
    head, tail = path.edges()
    now = perf_counter()
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    path.held = True
    try:
        for scorer in scorers:
            path.left, path.overdrawn = BUDGET, False  # next_reader(), without the call
            try:
                value = scorer.score(path, head, tail)
                if value is None and not path.overdrawn:
                    pass
                elif confidence := _confidence(value, path):
                    reason = str(getattr(value, "reason", "")) or "the plugin gave no reason"
                    reason = shown(reason, LONGEST)  # it may quote the file
                    name, distribution, tier, _ = scorer
                    candidates.append(Candidate(name, confidence, reason, distribution, tier))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plugin's failure, which may be a panic of Rust's
                problems.append(_problem(scorer, error))
                if strict:
                    raise PluginError(f"{problems[-1]} (while scoring {path})") from error
            before, now = now, perf_counter()
            if now - before > SLOW:
                problems.append(_slow(scorer, now - before))
    finally:
        path.held = False
    if len(candidates) > 1:
        # A stable sort, and the scorers come in their order: equal scores stay in it.
        candidates.sort(key=itemgetter(1), reverse=True)
    if problems or log.debugging():
        _log(path, scorers, candidates, problems)
    return tuple(candidates), tuple(problems)


def tied(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that are as good as the best; empty where there is one best."""
    if len(candidates) < 2 or _rank_of(candidates[0]) != _rank_of(candidates[1]):
        return ()
    best = _rank_of(candidates[0])
    return tuple(each for each in candidates if _rank_of(each) == best)


def _rank_of(candidate: Candidate) -> tuple[float, int]:
    return -candidate.score, candidate.tier


def in_order(scorers: Iterable[Scorer]) -> tuple[Scorer, ...]:
    """The order among equals: ``tryfirst`` before the rest before ``trylast``, then by name."""
    return tuple(sorted(scorers, key=lambda each: (each.tier, each.binarizer, each.distribution)))


def _confidence(value: object, path: ModelPath) -> float:
    """The confidence as a float.

    Raises:
        ValueError, TypeError: it is not a number in 0..1, or it was reached by reading too much.
    """
    if path.overdrawn:
        raise ValueError("it read more than its budget, so its score is void")
    if not isinstance(value, float):
        from numbers import Real  # numpy's scalars are registered as Real

        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"score() returned {_short(value)}; expected a float in 0..1 or None")
    confidence = float(value)
    if not 0.0 <= confidence <= 1.0:  # NaN fails this too
        raise ValueError(f"score() returned {_short(value)}; expected a float in 0..1 or None")
    # Scores are often sums of decimal fractions; 0.9 + 0.05 and 0.95 must tie.
    return round(confidence, 9)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # a plugin's object, a plugin's repr
        text = f"an object whose repr raises {type(error).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _problem(scorer: Scorer, error: BaseException) -> Problem:
    return Problem(scorer.binarizer, scorer.distribution, described(error), error)


def _slow(scorer: Scorer, seconds: float) -> Problem:
    return Problem(scorer.binarizer, scorer.distribution, f"slow: it scored for {seconds:.1f} s")


def _log(
    path: ModelPath,
    scorers: Sequence[Scorer],
    candidates: list[Candidate],
    problems: list[Problem],
) -> None:
    for problem in problems:
        said = "plugin %s, while scoring %s; the other plugins' votes stand"
        log.failure(said, problem, path, error=problem.error)
    if log.debugging():
        for each in candidates:
            log.logger().debug(
                "%s: %s scores %.2f: %s", path, each.binarizer, each.score, each.reason
            )
        voted = {(each.binarizer, each.distribution) for each in candidates}
        voted |= {(each.binarizer, each.distribution) for each in problems if each.error}
        others = [each.binarizer for each in scorers if each[:2] not in voted]
        if others:
            log.logger().debug("%s: not theirs, say %s", path, ", ".join(others))
