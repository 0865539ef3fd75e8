"""A compressed dump as a stream of what is in it, no longer than its size accounts for.

The standard library's decoders, a piece at a time, each piece of a bounded size; joblib's own files
for zlib and gzip would import joblib and NumPy, which an inspection must not.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from mlup_safepickle import Refused

_FREE: Final = 128 * 1024 * 1024
_RATIO: Final = 20
_DICTIONARY: Final = 256 * 1024 * 1024  # what xz -9 asks for is a quarter of it
_CHUNK: Final = 64 * 1024
_PIECE: Final = 1024 * 1024


BOMB: Final = (
    f"it decompresses to far more than its size accounts for ({_RATIO} times its size and "
    f"{_FREE >> 20} MiB), as a bomb does"
)


class Decompressed(io.RawIOBase):
    """What a decompressing stream gives, up to a limit.

    Attributes:
        left: bytes that may still come out of it.
    """

    def __init__(self, inner: Any, size: int) -> None:
        """Read ``inner``, of a file of ``size`` bytes."""
        self._inner = inner
        self.left = _FREE + _RATIO * size

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, view: Any) -> int:
        """Read into ``view`` what fits.

        Raises:
            Refused: it has grown too long.
            Exception: it is damaged; which one depends on the compressor.
        """
        piece = self._inner.read(min(len(view), _PIECE))
        self.left -= len(piece)
        if self.left < 0:
            raise Refused(BOMB)
        view[: len(piece)] = piece
        return len(piece)


class _Decoded:
    """The streams of a file, one behind the other, by a decoder with ``max_length``."""

    def __init__(self, stream: BinaryIO, decoder: Callable[[], Any]) -> None:
        self._stream = stream
        self._new = decoder
        self._decoder = decoder()
        self._ended = False

    def read(self, n: int) -> bytes:
        """Up to ``n`` bytes; none at the end."""
        while not self._ended:
            if self._decoder.eof:
                return self._next(n)
            piece = self._some(self._input(), n)
            if piece:
                return piece
        return b""

    def _input(self) -> bytes:
        if not self._decoder.needs_input:
            return b""
        data = self._stream.read(_CHUNK)
        if not data:
            raise EOFError("the compressed data breaks off")
        return data

    def _some(self, data: bytes, n: int) -> bytes:
        piece: bytes = self._decoder.decompress(data, n)
        return piece

    def _next(self, n: int) -> bytes:
        """From another stream, as parallel compressors write them; what is none ends the file."""
        data = self._decoder.unused_data or self._stream.read(_CHUNK)
        self._decoder = self._new()
        try:
            piece = self._some(data, n) if data else b""
            while data and not piece and not self._decoder.eof:
                piece = self._some(self._input(), n)
        except Exception:  # bytes that belong to no stream; gzip, bz2 and lzma skip them too
            piece = b""
        self._ended = not piece
        return piece


class _Zlib:
    """zlib's decoder with the attributes that those of bz2 and lzma have."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, n: int) -> bytes:
        tail = self._inner.unconsumed_tail
        piece = self._inner.decompress(tail + data if tail else data, n)
        self.needs_input = not self._inner.unconsumed_tail and len(piece) < n
        return piece


def decompressed(stream: BinaryIO, kind: str, size: int) -> Decompressed:
    """What is in a compressed dump.

    Args:
        stream: of the compressed bytes.
        kind: the compressor, as :func:`mlup_joblib.inflating.compression` names it.
        size: of the compressed file, in bytes.

    Raises:
        ImportError: it is lz4, and the package ``lz4`` is not installed.
    """
    return Decompressed(_OPENERS[kind](stream), size)


def _zlib(stream: BinaryIO) -> Any:
    return _Decoded(stream, lambda: _Zlib(zlib.MAX_WBITS))


def _gzip(stream: BinaryIO) -> Any:
    return _Decoded(stream, lambda: _Zlib(zlib.MAX_WBITS + 16))


def _bz2(stream: BinaryIO) -> Any:
    import bz2

    return _Decoded(stream, bz2.BZ2Decompressor)


def _lzma(stream: BinaryIO) -> Any:
    import lzma

    return _Decoded(stream, lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY))


def _lz4(stream: BinaryIO) -> Any:
    try:
        import lz4.frame
    except ImportError as error:
        raise ImportError(
            "it is compressed by lz4, and the package lz4 is not installed: pip install lz4"
        ) from error
    return _Decoded(stream, lz4.frame.LZ4FrameDecompressor)


_OPENERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    "zlib": _zlib,
    "gzip": _gzip,
    "bz2": _bz2,
    "xz": _lzma,
    "lzma": _lzma,
    "lz4": _lz4,
}
