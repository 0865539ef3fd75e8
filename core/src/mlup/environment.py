"""The variables that decide which plugins take part."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

STRICT: Final = "MLUP_STRICT_PLUGINS"
ONLY: Final = "MLUP_PLUGINS"
DISABLED: Final = "MLUP_DISABLE_PLUGINS"


class Environment(NamedTuple):
    """``MLUP_STRICT_PLUGINS``, ``MLUP_PLUGINS`` and ``MLUP_DISABLE_PLUGINS``, as they were read.

    Attributes:
        strict: a plugin that is broken raises.
        only: names that take part, separated by commas; ``None``: all.
        disabled: names that do not.
    """

    strict: bool
    only: str | None
    disabled: str

    @classmethod
    def read(cls) -> Environment:
        """From ``os.environ``, as it is now. An empty variable is an unset one."""
        strict = os.environ.get(STRICT, "").strip().lower() not in ("", "0", "false", "no")
        return cls(strict, os.environ.get(ONLY) or None, os.environ.get(DISABLED, ""))

    def named(self) -> dict[str, set[str]]:
        """The names in ``MLUP_PLUGINS`` and in ``MLUP_DISABLE_PLUGINS``, by the variable."""
        return {ONLY: _listed(self.only or ""), DISABLED: _listed(self.disabled)}

    def excludes(self, name: str, distribution: str) -> str | None:
        """Why a plugin takes no part, or ``None``. An excluded plugin is not even imported."""
        names = {name, f"{distribution}:{name}"}
        if self.only is not None and not names & _listed(self.only):
            return f"not in {ONLY}={self.only}"
        if names & _listed(self.disabled):
            return f"in {DISABLED}={self.disabled}"
        return None


def _listed(names: str) -> set[str]:
    return {name.strip() for name in names.split(",")} - {""}
