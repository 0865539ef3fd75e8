"""Whether a compressed file is all there: a truncated one is nobody's model.

The last bytes tell for xz and bz2, the frame for lz4; a short zlib, gzip or lzma stream is
inflated to its end. A long one is believed: only inflating it whole would tell.
"""

from __future__ import annotations

from typing import Final

import mlup
from mlup import probe
from mlup_joblib import lz4

SHORT: Final = 64 * 1024
"""Bytes of a compressed file up to which it is inflated to its end."""

MOST: Final = 4 * 1024 * 1024
"""Inflated bytes after which a short file is believed too."""

_STEP: Final = 64 * 1024
_BZ2_END: Final = 0x177245385090  # 48 bits at any bit, then a CRC of 32 and up to 7 of padding


@probe.reader
def ends(path: mlup.ModelPath, kind: str) -> bool:
    """``False`` where the compressed stream visibly breaks off, or is damaged."""
    tail = path.tail
    if kind == "xz":  # the footer's magic; padding of zeros may follow
        return tail.rstrip(b"\0").endswith(b"YZ")
    if kind == "bz2":
        bits = int.from_bytes(tail[-11:], "big")
        return any((bits >> 32 + pad) & (2**48 - 1) == _BZ2_END for pad in range(8))
    if kind == "lz4":
        return lz4.ends(path)
    if path.size > SHORT:
        # RFC 1952: the inflated length ends the file; deflate makes nothing 1,032 times longer
        return kind != "gzip" or int.from_bytes(tail[-4:], "little") <= 1032 * path.size
    data = path.read_at(0, SHORT)
    try:
        return _lzma_ends(data) if kind == "lzma" else _zlib_ends(data, kind)
    except ValueError:  # damaged
        return False


def _zlib_ends(data: bytes, kind: str) -> bool:
    import zlib

    from mlup_joblib.inflating import deflated

    data = deflated(data, kind)
    decoder = zlib.decompressobj(31 if kind == "gzip" else 15)
    inflated = 0
    try:
        while not decoder.eof and inflated < MOST:
            piece = decoder.decompress(data, _STEP)
            if not piece and not decoder.eof:
                return False
            inflated += len(piece)
            data = decoder.unconsumed_tail
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return True


def _lzma_ends(data: bytes) -> bool:
    import lzma

    from mlup_joblib.inflating import lzma_decoder

    if len(data) < 13:
        return False
    length = int.from_bytes(data[5:13], "little")  # all ones where the stream has an end mark
    inflated = 0
    try:
        decoder = lzma_decoder(data, "lzma", dictionary=MOST)
        data = data[13:]
        while not decoder.eof and inflated < min(length, MOST):
            piece = decoder.decompress(data, _STEP)
            if not piece and not decoder.eof:
                return False
            inflated += len(piece)
            data = b""
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error
    return True
