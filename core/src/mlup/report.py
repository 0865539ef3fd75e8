"""What a file would import and run, as :func:`mlup.inspect` tells it."""

from __future__ import annotations

from typing import Final, NamedTuple

SAFE: Final = "safe"
REFUSED: Final = "refused"

CALL: Final = "call"
REFERENCE: Final = "reference"


class Import(NamedTuple):
    """A name that the file refers to.

    Attributes:
        module: where it would be imported from.
        name: the class or function there; with dots where it is inside another.
        role: ``"call"`` where the file makes an object of it or calls it, else ``"reference"``.
        verdict: ``"safe"``, or ``"refused"``: :func:`mlup.load` stops at it, unless it is allowed.
    """

    module: str
    name: str
    role: str
    verdict: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Operation(NamedTuple):
    """An operation of a graph or of a program that the file holds.

    Attributes:
        name: as the format spells it: ``"MatMul"``, ``"aten::linear"``.
        verdict: ``"safe"`` or ``"refused"``.
    """

    name: str
    verdict: str

    def __str__(self) -> str:
        return self.name


class Report(NamedTuple):
    """What a file would import and run. Nothing of it was.

    Attributes:
        format: the binarizer that would load it.
        imports: the names it refers to, each once, in the order of their appearance.
        notes: what else a reader should know: a second stream, a name that lies, an error at which
            the inspection ended.
        operations: the operations it holds, each once.
        stopped: why it would not be loaded for another reason than a name: it breaks off, or does
            what no name allows; ``""`` where nothing of that kind was seen.
        checked: ``False`` where the plugin has no ``inspect``: then the rest is empty, and nothing is
            known of what the file would run.
    """

    format: str = ""
    imports: tuple[Import, ...] = ()
    notes: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    stopped: str = ""
    checked: bool = True

    @property
    def refused(self) -> tuple[str, ...]:
        """What :func:`mlup.load` would refuse, as ``allow`` takes it."""
        names = [str(each) for each in self.imports if each.verdict == REFUSED]
        return (*names, *(each.name for each in self.operations if each.verdict == REFUSED))
