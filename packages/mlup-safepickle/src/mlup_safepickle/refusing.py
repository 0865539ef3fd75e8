"""What the unpickler raises for a file that it will not load."""

from __future__ import annotations

from typing import Final

from mlup.showing import shown

_LONGEST: Final = 600


class Refused(Exception):  # noqa: N818 - a decision, not a mistake
    """A file names or does what it may not. Nothing of that was done.

    Attributes:
        why: as the rest of "It was not loaded: …".
        names: what it is about, as ``allow`` takes it.
        allowable: whether allowing these names would help.
    """

    def __init__(self, why: str, names: tuple[str, ...] = (), *, allowable: bool = True) -> None:
        self.why = shown(why, _LONGEST)  # it quotes the file
        super().__init__(self.why)
        self.names = names
        self.allowable = allowable and bool(names)
