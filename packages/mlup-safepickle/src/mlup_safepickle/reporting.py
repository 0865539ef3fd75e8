"""What a pickle would do, for the user: the report, and the error with every refused name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, Final

import mlup
from mlup.errors import described
from mlup_safepickle.budget import Budget
from mlup_safepickle.reader import Reader, size_of
from mlup_safepickle.refusing import Refused
from mlup_safepickle.safelists import table
from mlup_safepickle.unpickler import Unpickler
from mlup_safepickle.watching import Watching

_STREAMS: Final = 8
"""Pickles one behind the other that are looked into, at most."""


def inspect(stream: BinaryIO, *, allow: Iterable[str] = ()) -> mlup.Report:
    """What the pickles would import that begin where ``stream`` stands, as far as they can be read.

    Args:
        stream: it must be able to seek.
        allow: names that would be allowed.
    """
    size = size_of(stream)
    reader, budget = Reader(stream, size), Budget(size)
    watching = Watching(table(), allow)
    return report_of(lambda: Unpickler(reader, watching, budget), watching)


def report_of(
    machine: Callable[[], Unpickler], watching: Watching, pickles: int = 1
) -> mlup.Report:
    """The report on a stream, for formats that have more than a pickle in them.

    Args:
        machine: a new one over the same reader, for each pickle in the stream.
        watching: what they write into.
        pickles: how many belong to the format; what follows them is worth a note.
    """
    notes: list[str] = []
    stopped: str | None = None
    for number in range(1, pickles + _STREAMS):
        try:
            reader = (following := machine()).reader
            following.load()
        except Exception as error:  # whatever a damaged pickle runs into; it is told up to there
            if number <= pickles:
                stopped = next(iter(watching.notes), _said(error))
                notes.append(f"the pickle cannot be followed to its end: {_said(error)}")
            else:
                notes.append("more bytes follow the end of the pickle")
            break
        if number == pickles:
            stopped = next(iter(watching.notes), "")
        if not reader.data[reader.at :]:
            reader.more()
        if not reader.data[reader.at :]:
            break
        if number == pickles:
            notes.append(
                "bytes follow the end of the pickle; looked into as if a second one stood there"
            )
    return mlup.Report(
        imports=watching.imports(), notes=(*watching.notes, *notes), stopped=stopped or ""
    )


def _said(error: Exception) -> str:
    return error.why if isinstance(error, Refused) else described(error)


def refuse(
    refused: Refused,
    file: mlup.LoadedFile,
    binarizer: str,
    report: Callable[[], mlup.Report],
) -> mlup.UnsafeModelError:
    """The error to raise, which names everything that the file would be refused for.

    Args:
        refused: at what the load stopped.
        file: what was loaded.
        binarizer: its name.
        report: inspects the file, to find the names that would have come next.
    """
    names = list(refused.names)
    if refused.allowable:
        try:
            names += [name for name in report().refused if name not in names]
        except Exception:  # a report is a courtesy; the refusal stands without it
            names = list(refused.names)
    why = refused.why
    if len(names) > 1 and len(refused.names) == 1:
        why += f", and {len(names) - 1} more of that kind"
    hint = None if refused.allowable else "If you trust the file: trust=True (CLI: --trust)."
    return mlup.UnsafeModelError(
        why, path=file.label, binarizer=binarizer, refused=names, hint=hint
    )
