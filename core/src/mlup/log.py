"""The logger ``mlup``, imported only when something is said.

Importing :mod:`logging` costs a tenth of a fresh ``mlup detect``, which mostly has nothing to say.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

on_first_use: Callable[[], None] | None = None
"""Called once, before the first message: the command line puts its own handler up here."""

tracebacks = False
"""Whether a plugin's failure is written with its traceback, below DEBUG too."""

silent = False
"""Whether failures are kept from the log, because the command that runs tells them itself."""

_logger: Any = None


def logger() -> Any:
    """The :class:`logging.Logger`."""
    global _logger
    if _logger is None:
        import logging

        if on_first_use is not None:
            on_first_use()
        _logger = logging.getLogger("mlup")
    return _logger


def debugging() -> bool:
    """Whether somebody listens at DEBUG; where logging was never imported, nobody does."""
    return _heard(10)


def informing() -> bool:
    """The same at INFO."""
    return _heard(20)


def _heard(level: int) -> bool:
    return "logging" in sys.modules and bool((_logger or logger()).isEnabledFor(level))


def failure(message: str, *arguments: object, error: BaseException | None) -> None:
    """A warning about a plugin's failure, with its traceback for those who look closely."""
    closely = tracebacks or debugging()
    if silent and not closely:
        return
    shown = error if closely else None
    logger().warning(message, *arguments, exc_info=shown)
