"""How the bytes of a source are reached: a local file, a folder, or memory. Open files: mlup.streams.

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
from typing import BinaryIO, Final, Protocol

from mlup.errors import SourceError

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
