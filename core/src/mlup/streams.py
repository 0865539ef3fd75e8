"""The caller's open binary files as a source: read where they stand, and put back there."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, Final, cast

from mlup.errors import SourceError
from mlup.sources import unreadable

DEFAULT_SPOOL_LIMIT: Final = 4 * 1024**3
"""Bytes copied to a temporary file, at most, from a stream that cannot seek."""

_SPOOL_CHUNK: Final = 1024 * 1024


class OpenFile:
    """A seekable binary file object of the caller's, read from where it stands.

    Its position is put back after every read, and it is never closed, unless it is a temporary
    copy of mlup's own (``owned``).
    """

    __slots__ = ("_base", "_file", "_owned", "size")
    is_dir = False

    def __init__(self, file: BinaryIO, *, owned: bool = False) -> None:
        self._file = file
        self._owned = owned
        self._base = file.tell()
        self.size = max(0, file.seek(0, os.SEEK_END) - self._base)
        file.seek(self._base)

    def read(self, offset: int, n: int) -> bytes:
        file = self._file
        position = file.tell()
        try:
            file.seek(self._base + offset)
            pieces = []
            while n > 0:
                piece = file.read(n)  # a raw stream may return less than asked
                if not piece:
                    break
                pieces.append(piece[:n])
                n -= len(piece)
            return b"".join(pieces)
        finally:
            file.seek(position)

    def open(self) -> BinaryIO:
        return io.BufferedReader(_View(self))

    def raw_data(self) -> BinaryIO:
        self._file.seek(self._base)
        return self._file

    def close(self) -> None:
        if self._owned:
            self._file.close()


class _View(io.RawIOBase):
    """The caller's file object from its base on, at a position of its own; never closes it."""

    def __init__(self, file: OpenFile) -> None:
        self._source = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def open_stream(file: BinaryIO, name: str, spool_limit: int) -> OpenFile:
    """Take an open binary file object; one that cannot seek is copied to a temporary file first.

    Raises:
        SourceError: it is closed, in text mode, or longer than ``spool_limit`` bytes.
    """
    label = name or "<stream>"
    if getattr(file, "closed", False):
        raise SourceError(f"{label} is a closed file object; open it again, in mode 'rb'.")
    try:
        if not isinstance(file.read(0), bytes):
            raise SourceError(f"{label} was opened as text; open it in mode 'rb'.")
        if _can_seek(file):
            return OpenFile(file)
        return OpenFile(_spool(file, label, spool_limit), owned=True)
    except SourceError:
        raise
    except Exception as error:  # a caller's object may raise anything; a GzipFile raises EOFError
        raise unreadable(label, error) from error


def _can_seek(file: BinaryIO) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:  # Python 3.10's SpooledTemporaryFile has seek() but no seekable()
        return hasattr(file, "seek") and hasattr(file, "tell")


def _spool(file: BinaryIO, label: str, limit: int) -> BinaryIO:
    import tempfile

    spooled = cast(BinaryIO, tempfile.TemporaryFile(prefix="mlup-"))
    try:
        copied = 0
        while chunk := file.read(_SPOOL_CHUNK):
            copied += len(chunk)
            if copied > limit:
                raise SourceError(
                    f"{label} cannot seek and is longer than the limit of {limit} bytes for a "
                    "temporary copy; save it to a file first, or raise spool_limit=."
                )
            spooled.write(chunk)
        spooled.seek(0)
    except BaseException:  # Ctrl-C too: the copy goes, whatever ended it, and that is raised on
        spooled.close()
        raise
    return spooled


def stream_name(stream: object) -> str:
    """The last part of the name that an open file goes by; ``""`` where it has none."""
    try:
        name = getattr(stream, "name", "")
    except Exception:  # a caller's object may raise anything; a name is only a hint
        return ""
    return os.path.basename(os.fsdecode(name)) if isinstance(name, (str, bytes)) else ""
