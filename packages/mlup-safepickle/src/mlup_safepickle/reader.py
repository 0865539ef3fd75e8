"""The bytes of a pickle, read ahead; nothing is allocated before it is known to be there."""

from __future__ import annotations

import io
from typing import BinaryIO, Final

WINDOW: Final = 32 * 1024
_PIECE: Final = 1024 * 1024


class Reader:
    """A binary stream from where it stands.

    Attributes:
        data: a piece of it.
        at: where in that piece the next byte stands.
    """

    __slots__ = ("_size", "_stream", "at", "data")

    def __init__(self, stream: BinaryIO, size: int | None = None) -> None:
        """Read ``stream``, which can seek and has ``size`` bytes; ``None``: that is not known."""
        self._stream = stream
        self._size = size
        self.data = b""
        self.at = 0

    def more(self) -> None:
        """Read ahead: ``data`` begins at the next byte, and is longer unless the stream ends."""
        self.data = self.data[self.at :] + self._stream.read(WINDOW)
        self.at = 0

    def read(self, n: int) -> bytes:
        """Exactly ``n`` bytes.

        Raises:
            EOFError: there are not as many.
        """
        end = self.at + n
        if end > len(self.data):
            return self._long(n)
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def fill(self, view: memoryview) -> None:
        """Fill ``view``, a view of bytes, with the next ones.

        Raises:
            EOFError: there are not as many.
        """
        ahead = self.data[self.at : self.at + len(view)]
        self.at += len(ahead)
        view[: len(ahead)] = ahead
        done = len(ahead)
        while done < len(view):
            count = self._stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                raise EOFError(f"the data ends within {len(view)} bytes")
            done += count

    def left(self) -> int:
        """Bytes that still come, of a stream whose size is known."""
        if self._size is None:
            raise ValueError("the size of this stream is not known")
        return self._size - self._stream.tell() + len(self.data) - self.at

    def line(self, longest: int) -> bytes:
        """Up to and without the next newline.

        Raises:
            EOFError: there is none within ``longest`` bytes.
        """
        end = self.data.find(b"\n", self.at, self.at + longest)
        if end < 0:
            return self._long_line(longest)
        piece = self.data[self.at : end]
        self.at = end + 1
        return piece

    def _long_line(self, longest: int) -> bytes:
        buffer = bytearray(self.data[self.at :])
        while len(buffer) < longest:
            piece = self._stream.read(WINDOW)
            if not piece:
                raise EOFError("the pickle ends within a line")
            end = piece.find(b"\n")
            if end >= 0:
                buffer += piece[:end]
                self.data, self.at = piece, end + 1
                return bytes(buffer)
            buffer += piece
        raise EOFError(f"a line is longer than {longest} bytes")

    def _long(self, n: int) -> bytes:
        if self._size is not None:
            self.give_back()
            left = self._size - self._stream.tell()
            if n > left:
                raise EOFError(f"the pickle ends within {n} bytes")
            piece = self._stream.read(n)
            if len(piece) == n:
                return piece
            self.data = piece  # a raw stream, which may give less at a time
        # How much is left is not known, so no more is allocated than was seen to be there.
        buffer = bytearray(self.data[self.at :])
        self.data, self.at = b"", 0
        while len(buffer) < n:
            piece = self._stream.read(min(n - len(buffer), _PIECE))
            if not piece:
                raise EOFError(f"the pickle ends within {n} bytes")
            buffer += piece
        return bytes(buffer)

    def give_back(self) -> None:
        """Put the stream to where the next byte stands; it can be read from there by others."""
        ahead = len(self.data) - self.at
        if ahead:
            self._stream.seek(-ahead, io.SEEK_CUR)
        self.data, self.at = b"", 0


def size_of(stream: BinaryIO) -> int:
    """The length of a stream that can seek, in bytes; it stays where it stands."""
    at = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(at)
    return size
