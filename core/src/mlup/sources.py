"""How the bytes of a source are reached: a local file, a folder, memory, or an open file.

Each reader answers ``read(offset, n)`` and knows its ``size``; :class:`mlup.files.ModelPath`
puts the names and the budget on top. Opening never blocks and never touches a device: a FIFO,
a socket or a terminal is refused by its ``stat`` before it is opened.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from typing import Any, BinaryIO, Final, Protocol, cast

from mlup.errors import SourceError

DEFAULT_SPOOL_LIMIT: Final = 4 * 1024**3
"""Bytes copied to a temporary file, at most, from a stream that cannot seek."""

_SPOOL_CHUNK: Final = 1024 * 1024
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)

_KINDS: Final[tuple[tuple[Callable[[int], bool], str], ...]] = (
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


class Reader(Protocol):
    """What :class:`mlup.files.ModelPath` needs of a source."""

    size: int
    is_dir: bool

    def read(self, offset: int, n: int) -> bytes:
        """Up to ``n`` bytes from ``offset``; fewer where the source ends."""

    def open(self) -> BinaryIO:
        """A binary stream over the whole source, at its beginning."""

    def raw_data(self) -> bytes | BinaryIO:
        """What ``deserialize`` gets as ``raw_data``; ``b""`` where the path says it all."""

    def close(self) -> None:
        """Release what :meth:`read` holds."""


class LocalFile:
    """A regular file, kept open while it is looked at."""

    __slots__ = ("_fd", "_path", "size")
    is_dir = False

    def __init__(self, path: str, fd: int, size: int) -> None:
        self._path = path
        self._fd = fd
        self.size = size

    if hasattr(os, "pread"):

        def read(self, offset: int, n: int) -> bytes:
            return os.pread(self._fd, n, offset)

    else:  # Windows

        def read(self, offset: int, n: int) -> bytes:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, n)

    def open(self) -> BinaryIO:
        return open(self._path, "rb")

    def raw_data(self) -> bytes:
        return b""

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class Folder:
    """A directory: it has members, no bytes."""

    __slots__ = ("_path",)
    is_dir = True
    size = 0

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, offset: int, n: int) -> bytes:
        return b""

    def open(self) -> BinaryIO:
        raise SourceError(f"{self._path} is a folder; it cannot be opened as a file.")

    def raw_data(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class Memory:
    """Bytes that are already here."""

    __slots__ = ("_data", "size")
    is_dir = False

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, n: int) -> bytes:
        return self._data[offset : offset + n]

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)  # shares the bytes until somebody writes

    def raw_data(self) -> bytes:
        return self._data

    def close(self) -> None:
        pass


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


def open_local(path: str) -> LocalFile | Folder:
    """Open a file or a folder of this machine.

    Raises:
        SourceError: nothing there, no permission, a loop of links, or not a regular file.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            if stat.S_ISDIR(status.st_mode):
                if not os.access(path, os.R_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                return Folder(path)
            raise SourceError(_not_a_file(path, status.st_mode))
        # Looked at before it is opened: opening a device can already do something. Should the
        # file be swapped in between, O_NONBLOCK keeps open() from waiting, and a size that no
        # longer holds is the same as a file that shrinks while it is read: reads come short.
        return LocalFile(path, os.open(path, _OPEN_FLAGS), status.st_size)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


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


def _not_a_file(path: str, mode: int) -> str:
    kind = next((name for test, name in _KINDS if test(mode)), "no regular file")
    return f"{path} is {kind}; mlup reads files, folders, bytes and open binary files."


def unreadable(label: str, error: BaseException) -> SourceError:
    """The error for a source that the operating system would not give."""
    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        where = "" if os.path.isabs(label) else f" (working directory: {_working_directory()})"
        said = f"{label or repr(label)} does not exist{where}."
    elif number in (errno.EACCES, errno.EPERM):
        said = f"{label} cannot be read: permission denied. Check its owner and mode."
    elif number == errno.ELOOP:
        said = f"{label} cannot be read: its symbolic links run in a loop."
    else:
        said = f"{label!r} cannot be read: {error}"
    return SourceError(said)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted under us
        return "deleted"


def stream_name(stream: object) -> str:
    """The last part of the name that an open file goes by; ``""`` where it has none."""
    try:
        name = getattr(stream, "name", "")
    except Exception:  # a caller's object may raise anything; a name is only a hint
        return ""
    return os.path.basename(os.fsdecode(name)) if isinstance(name, (str, bytes)) else ""
