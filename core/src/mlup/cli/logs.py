"""The log on standard error: one cleaned line a message."""

from __future__ import annotations

import logging
import sys

from mlup.showing import shown


class _Formatter(logging.Formatter):
    """Names and reasons come from files: what they hold is shown, not obeyed by the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(shown(line) for line in super().format(record).split("\n"))


def write_to_stderr(verbose: int) -> None:
    """Warnings; the choices with ``-v``; every score with ``-vv``."""
    logger = logging.getLogger("mlup")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("mlup: %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
