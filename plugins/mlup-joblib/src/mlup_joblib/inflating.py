"""The first bytes inside a compressed file, found with bounded input, output and memory.

Every compressor that ``joblib.dump(compress=…)`` knows, and the wrapper of joblib before 0.10.
Dictionary and window sizes that a file asks for are ignored: the piece is shorter than any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import mlup
from mlup import probe
from mlup_joblib.lz4 import first_bytes

if TYPE_CHECKING:
    import lzma

PIECE: Final = 512
"""Inflated bytes that are looked at, at most."""

_INPUT: Final = 1024
_BZ2_INPUT: Final = 960 * 1024  # a bz2 block gives nothing before its end: 900 kB at level 9
_DICTIONARY: Final = 64 * 1024
OLD_MAGIC: Final = b"ZF0x"

_MAGIC: Final[dict[bytes, tuple[tuple[bytes, ...], str]]] = {
    b"x": ((b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), "zlib"),  # RFC 1950: a 32 KiB window
    b"\x1f": ((b"\x1f\x8b",), "gzip"),
    b"B": ((b"BZh",), "bz2"),
    b"\xfd": ((b"\xfd7zXZ\x00",), "xz"),
    b"]": ((b"]\x00\x00",), "lzma"),
    b"\x04": ((b"\x04\x22\x4d\x18",), "lz4"),
    b"Z": ((OLD_MAGIC,), "zfile"),
}
"""The first byte → what the first bytes are then, and of which compressor they speak."""


def compression(head: bytes) -> str | None:
    """The compressor that the first bytes speak of; ``None``: none of joblib's."""
    magic, name = _MAGIC.get(head[:1], ((), None))
    return name if head.startswith(magic) else None


@probe.reader
def inflate(path: mlup.ModelPath, kind: str) -> bytes:
    """Up to :data:`PIECE` bytes from inside; ``b""`` where nothing comes out."""
    data = path.read_at(0, _BZ2_INPUT if kind == "bz2" else _INPUT)
    try:
        if kind == "lz4":
            return first_bytes(data, PIECE)
        if kind == "bz2":
            return _bz2(data)
        if kind in ("xz", "lzma"):
            return _lzma(data, kind)
        return _zlib(deflated(data, kind), gzip=kind == "gzip")
    except (EOFError, OSError, ValueError):  # damaged, or something else under this magic
        return b""


def deflated(data: bytes, kind: str) -> bytes:
    """Where zlib or gzip begins; joblib < 0.10 puts a header in front of it.

    It is "ZF", the inflated length as hexadecimal text, blanks up to a fixed column.
    """
    return data[data.find(b"x", 4) :] if kind == "zfile" else data


def _zlib(data: bytes, *, gzip: bool) -> bytes:
    import zlib

    try:
        return zlib.decompressobj(31 if gzip else 15).decompress(data, PIECE)
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _bz2(data: bytes) -> bytes:
    import bz2

    return bz2.BZ2Decompressor().decompress(data, PIECE)


def _lzma(data: bytes, kind: str) -> bytes:
    import lzma

    # xz: a stream header of 12 bytes, a block header of (its first byte + 1) * 4
    # lzma: properties, dictionary size, inflated size: 1 + 4 + 8 bytes
    start = 13 if kind == "lzma" else 12 + (data[12] + 1) * 4 if len(data) > 12 else len(data)
    try:
        return lzma_decoder(data, kind, _DICTIONARY).decompress(data[start:], PIECE)
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from error


def lzma_decoder(data: bytes, kind: str, dictionary: int) -> lzma.LZMADecompressor:
    """A raw decoder with a dictionary of our own size: a header may ask for 4 GiB.

    Args:
        data: the beginning of the file.
        kind: ``"xz"`` or ``"lzma"``.
        dictionary: its size in bytes; decoding fails where a match reaches further back.
    """
    import lzma

    coder = {"id": lzma.FILTER_LZMA2, "dict_size": dictionary}
    if kind == "lzma":
        lc, rest = data[0] % 9, data[0] // 9
        coder = {
            "id": lzma.FILTER_LZMA1,
            "dict_size": dictionary,
            "lc": lc,
            "lp": rest % 5,
            "pb": rest // 5,
        }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[coder])
