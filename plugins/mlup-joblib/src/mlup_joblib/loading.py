"""From a file to what ``joblib.dump`` was given, without joblib's own unpickler."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

import mlup
from mlup_joblib.decompressing import decompressed
from mlup_joblib.dumps import OLD, LoadedDump, SeenDump
from mlup_joblib.inflating import compression, deflated
from mlup_safepickle import (
    Acting,
    Budget,
    Reader,
    Refused,
    Unpickler,
    Watching,
    refuse,
    report_of,
    size_of,
    table,
)

_HEAD: Final = 64  # bytes: the longest magic, and all of the header of joblib before 0.10


def load_safely(file: mlup.LoadedFile, mode: str | None) -> Any:
    """The object; ``mode`` maps the arrays of a raw dump into memory.

    Raises:
        UnsafeModelError: it names or does what it may not.
        Exception: it is damaged, or an object in it cannot be rebuilt here.
    """
    try:
        with _opened(file, mode) as (stream, kind):
            return _loaded(file, stream, kind, mode)
    except Refused as refused:
        found = _everything_in(file) if refused.why == OLD else ()
        refused.names += tuple(name for name in found if name not in refused.names)
        raise refuse(refused, file, "joblib", lambda: inspect(file)) from refused


def _loaded(file: mlup.LoadedFile, stream: BinaryIO, kind: str | None, mode: str | None) -> Any:
    if kind == "zfile":
        raise Refused(OLD)
    reader, budget, longest = _reader(stream, kind)
    mapped = stream if mode and kind is None else None
    mode = "r+" if mode == "w+" else mode  # as joblib does: nothing is overwritten
    acting = Acting(table(), file.allow, budget)
    machine = LoadedDump(reader, acting, budget, longest, mapped, mode, compressed=kind is not None)
    model = machine.load()
    if kind is None:
        reader.give_back()
    return model


def _everything_in(file: mlup.LoadedFile) -> tuple[str, ...]:
    """Names that an old dump would be refused for if it were a new one: a courtesy."""
    try:
        return inspect(file).refused
    except Exception:  # a courtesy beside a refusal: a damaged dump must not hide it
        return ()


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """What the dump would import.

    Raises:
        ImportError: it is compressed by lz4, which is not installed.
    """
    with file.open() as stream:
        start = stream.tell()
        try:
            return _report(file, stream)
        finally:
            stream.seek(start)


def _report(file: mlup.LoadedFile, stream: BinaryIO) -> mlup.Report:
    watching = Watching(table(), file.allow)
    kind = _kind(stream)
    if kind == "zfile":  # not loaded; yet one may look into it
        watching.notes.append(OLD)
        head = stream.read(_HEAD)
        stream.seek(-len(deflated(head, kind)), os.SEEK_CUR)
        kind = "zlib"
    reader, budget, _ = _reader(stream, kind)

    def machine() -> Unpickler:
        return SeenDump(reader, watching, budget)

    return report_of(machine, watching)


def _kind(stream: BinaryIO) -> str | None:
    """The compressor; the stream stays where it stands."""
    start = stream.tell()
    head = stream.read(_HEAD)
    stream.seek(start)
    return compression(head)


def _reader(stream: BinaryIO, kind: str | None) -> tuple[Reader, Budget, Callable[[], int]]:
    """(the bytes of the pickle, their budget, how many bytes may still come)."""
    size = size_of(stream)
    if kind is None:
        reader = Reader(stream, size)
        return reader, Budget(size), reader.left
    inside = decompressed(stream, kind, size)
    return Reader(inside), Budget(size, compressed=True), lambda: inside.left  # type: ignore[arg-type]


@contextlib.contextmanager
def _opened(file: mlup.LoadedFile, mode: str | None) -> Iterator[tuple[BinaryIO, str | None]]:
    """The dump and its compressor; one that arrays can be mapped from, where that is asked for."""
    with file.open() as stream:
        kind = _kind(stream)
        if mode is None or kind is not None:
            if mode and kind != "zfile":
                warnings.warn(
                    f"mmap_mode={mode!r} is ignored: {file.label} is compressed ({kind}), and the "
                    "arrays of a compressed dump cannot be mapped",
                    stacklevel=2,
                )
            yield stream, kind
            return
    with file.as_path() as path, open(path, "r+b" if "+" in mode else "rb") as mapped:
        yield mapped, _kind(mapped)
