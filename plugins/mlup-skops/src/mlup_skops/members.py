"""The members of the archive: as long as its directory says, and no longer, before anyone reads them.

``zipfile`` checks a member's length when it has it: of what is packed it makes all that there is, and
cuts it off then. So each is unpacked here first, piece by piece, up to the length that it should have.
"""

from __future__ import annotations

import ast
import bz2
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from lzma import LZMADecompressor

_FREE: Final = 128 * 1024 * 1024  # bytes that any file may hold
_RATIO: Final = 20  # and so many for each byte of its own
_PIECE: Final = 64 * 1024
_LZMA: Final = 9  # bytes of LZMA's properties
_WINDOW: Final = 64 * 1024 * 1024  # its memory, at most: that of its highest preset
_LOCAL: Final = 30  # bytes of a member's own header, before its name and its extra field
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06")  # what NumPy takes for a zip
_ARRAY: Final = b"\x93NUMPY"
_LONGEST: Final = 10_000  # of an array's header, for NumPy too


class SchemaError(ValueError):
    """It is no schema that skops would read. The message says why."""


class BombError(ValueError):
    """It grows beyond what its size accounts for. The message says how."""


class Members:
    """What is in an archive that was looked through.

    Attributes:
        sizes: the bytes that each member comes to, with what is in it where it is an archive itself.
    """

    def __init__(self, archive: zipfile.ZipFile, stream: BinaryIO, size: int) -> None:
        """Look through it.

        Raises:
            BombError: it holds far more than its size accounts for, or more than it says.
            SchemaError: it is packed in a way that skops does not write.
            zipfile.BadZipFile: it is damaged.
        """
        self._archive = archive
        _check_lengths(archive, stream, size)
        self.sizes = {each.filename: each.file_size for each in archive.infolist()}
        for name in self.sizes:
            if self._beginning(name, len(_ZIPS[0])) in _ZIPS:
                self.sizes[name] = self._unpacked(name, size)

    def array(self, name: str) -> tuple[Any, Any]:
        """The type and the shape of an array, as its header has them.

        Raises:
            SchemaError: it is no array.
        """
        start = self._beginning(name, _LONGEST + 12) if name in self.sizes else b""
        at = 10 if start[6:7] == b"\x01" else 12
        length = int.from_bytes(start[8:at], "little")
        try:
            if not start.startswith(_ARRAY) or length > _LONGEST:
                raise ValueError
            header = ast.literal_eval(start[at : at + length].decode("latin-1"))
            return header["descr"], header["shape"]
        except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
            raise SchemaError("a number's value is no array of NumPy's") from error

    def _beginning(self, name: str, length: int) -> bytes:
        with self._archive.open(name) as member:
            return member.read(length)

    def _unpacked(self, name: str, size: int) -> int:
        """Bytes in an archive within the archive: a sparse matrix is one."""
        within = io.BytesIO(self._archive.read(name))
        try:
            with zipfile.ZipFile(within) as inner:
                _check_lengths(inner, within, size)
                return sum(each.file_size for each in inner.infolist())
        except zipfile.BadZipFile:
            return self.sizes[name]


def check(loaded: int, size: int, free: int = _FREE) -> None:
    """Whether a file of that size may come to so many bytes.

    Raises:
        BombError: it may not.
    """
    if loaded > free + _RATIO * size:
        raise BombError(
            f"{loaded >> 20:,} MiB would come out of it, far more than its size accounts for "
            f"({_RATIO} times its size and {free >> 20} MiB)"
        )


def _check_lengths(archive: zipfile.ZipFile, stream: BinaryIO, size: int) -> None:
    members = archive.infolist()
    check(sum(each.file_size for each in members), size)
    if sum(each.compress_size for each in members) > stream.seek(0, io.SEEK_END):
        raise BombError(
            "its members overlap: together they are far more than its size accounts for"
        )
    for each in members:
        left = each.file_size
        for piece in _pieces(each, stream):
            left -= len(piece)
            if left < 0:
                raise BombError(
                    f"its member {each.filename!r:.60} holds far more than the "
                    f"{each.file_size:,} bytes that it says"
                )


def _pieces(info: zipfile.ZipInfo, stream: BinaryIO) -> Iterator[bytes]:
    """A packed member, unpacked; nothing of one that is stored as it is."""
    if info.compress_type == zipfile.ZIP_STORED:
        return
    stream.seek(info.header_offset)
    local = stream.read(_LOCAL)
    skipped = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    packed = _packed(stream, info.header_offset + _LOCAL + skipped, info.compress_size)
    try:
        if info.compress_type == zipfile.ZIP_DEFLATED:
            yield from _inflated(packed)
        elif info.compress_type == zipfile.ZIP_BZIP2:
            yield from _from_bzip2(packed)
        elif info.compress_type == zipfile.ZIP_LZMA:
            yield from _from_lzma(packed)
        else:
            raise SchemaError(
                f"a member is packed in a way that skops has not ({info.compress_type})"
            )
    except (zlib.error, OSError, EOFError) as error:
        raise SchemaError(f"its member {info.filename!r:.60} is damaged ({error})") from error


def _packed(stream: BinaryIO, at: int, left: int) -> Iterator[bytes]:
    while left > 0:
        stream.seek(at)
        piece = stream.read(min(_PIECE, left))
        if not piece:
            return
        at, left = at + len(piece), left - len(piece)
        yield piece


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-15)
    for piece in packed:
        yield decoder.decompress(piece, _PIECE)
        while decoder.unconsumed_tail:
            yield decoder.decompress(decoder.unconsumed_tail, _PIECE)
        if decoder.eof:
            return


def _from_bzip2(packed: Iterator[bytes]) -> Iterator[bytes]:
    return _decoded(bz2.BZ2Decompressor(), packed)


def _from_lzma(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Behind the version of the packer and the length of its properties there are these."""
    import lzma

    first = next(packed, b"")
    number, window = first[4] if len(first) > _LZMA else 255, int.from_bytes(first[5:9], "little")
    if first[2:4] != b"\x05\x00" or number >= 9 * 5 * 5 or window > _WINDOW:
        raise SchemaError("a member is packed by LZMA in a way that skops has not")
    rest, lc = divmod(number, 9)
    pb, lp = divmod(rest, 5)
    properties = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": window}
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[properties])
        yield from _decoded(decoder, itertools.chain((first[_LZMA:],), packed))
    except lzma.LZMAError as error:
        raise OSError(error) from error


def _decoded(
    decoder: bz2.BZ2Decompressor | LZMADecompressor, packed: Iterator[bytes]
) -> Iterator[bytes]:
    for piece in packed:
        yield decoder.decompress(piece, _PIECE)
        while not decoder.needs_input and not decoder.eof:
            yield decoder.decompress(b"", _PIECE)
        if decoder.eof:
            return
