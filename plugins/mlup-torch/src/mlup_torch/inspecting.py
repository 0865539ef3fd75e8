"""What a PyTorch file would import, without torch."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO, Final

import mlup
from mlup_safepickle import (
    Budget,
    Made,
    Reader,
    Refused,
    Unpickler,
    Watching,
    report_of,
    size_of,
    table,
)
from mlup_torch.containers import NoTorchFileError, check_container, content, pickle_of
from mlup_torch.marks import ZIP

_PICKLES: Final = 5  # of the format before 1.6: magic number, version, system, object, storages
_LONGEST: Final = 256 * 1024 * 1024  # bytes of a pickle: those of large models have a few


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The imports of its pickle, or of the five of the format before 1.6."""
    watching = Watching(table(), file.allow)
    with file.open() as stream:
        try:
            check_container(stream, size_of(stream))
        except (Refused, NoTorchFileError) as error:
            return mlup.Report(notes=(str(error),))
        start = stream.tell()
        zipped = stream.read(len(ZIP)) == ZIP
        stream.seek(start)
        if zipped:
            return _archive(stream, watching)
        return _report(stream, watching, _PICKLES)


def _report(stream: BinaryIO, watching: Watching, pickles: int) -> mlup.Report:
    size = size_of(stream)
    reader, budget = Reader(stream, size), Budget(size)

    def machine() -> Unpickler:
        following = Unpickler(reader, watching, budget)
        following.encoding = "utf-8"
        following.persistent_load = _stand_in
        return following

    report = report_of(machine, watching, pickles)
    if pickles == 1:
        return report
    # Behind the five stand the storages, which are none of these.
    notes = tuple(note for note in report.notes if "follow" not in note or "followed" in note)
    return report._replace(notes=notes)


def _stand_in(identifier: Any) -> Any:
    """For a storage; or, in the format before 1.6, a module's class, which comes with its source."""
    module = type(identifier) is tuple and identifier[:1] == ("module",) and len(identifier) > 1
    return identifier[1] if module else Made(None, identifier)


def _archive(stream: BinaryIO, watching: Watching) -> mlup.Report:
    records = zipfile.ZipFile(stream).infolist()
    found = pickle_of(records)
    if found is None:
        return mlup.Report(notes=("the archive has no data.pkl in its folder",))
    report = _report(io.BytesIO(content(stream, found, _LONGEST)), watching, 1)
    others = [
        each.filename
        for each in records
        if each.filename.lower().endswith(".pkl") and each is not found
    ]
    if others:
        said = f"the archive has other pickles, which are not read: {', '.join(others):.200}"
        report = report._replace(notes=(*report.notes, said))
    return report
