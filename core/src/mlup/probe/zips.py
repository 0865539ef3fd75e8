"""The central directory of a zip archive, read exactly: no scan, no extraction.

Source: PKWARE's APPNOTE.TXT 4.3 (end of central directory, zip64 record and locator). Names and
numbers come from the directory alone, which is what readers go by; local headers may differ.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from mlup.files import ModelPath
from mlup.probe.remembering import reader

MAX_DIRECTORY: Final = 512 * 1024
"""Bytes of a directory that are read, at most: about 7,800 records of PyTorch's size."""

_END: Final = struct.Struct("<4s4H2LH")  # 22 bytes, then the comment
_END64: Final = struct.Struct("<4sQ2H2L4Q")  # 56 bytes
_LOCATOR64: Final = struct.Struct("<4sLQL")  # 20 bytes
_RECORD: Final = struct.Struct("<4s6H3L5H2L")  # 46 bytes, then name, extra field, comment
_LENGTHS: Final = struct.Struct("<4s4xH18x3H")  # of a record: mark, flags; name, extra, comment
_MAX_COMMENT: Final = 65_535


class ZipRecord(NamedTuple):
    """One member as the central directory describes it. Sizes in bytes; ``method`` 0 is stored."""

    name: str
    method: int
    compressed_size: int
    size: int
    header_offset: int


class ZipDirectory:
    """The members of an archive, in the directory's order.

    Attributes:
        names: the members' names.
        complete: ``False`` where the directory is longer than :data:`MAX_DIRECTORY`, or breaks
            off, so that members may be missing.
        prefix: bytes in front of the archive (a self-extracting program, say).
    """

    __slots__ = ("_data", "_places", "complete", "names", "prefix")

    def __init__(self, data: bytes, size: int, count: int, prefix: int) -> None:
        """``data`` is the beginning of a directory that should have ``size`` bytes."""
        self.names, self._places = _named(data)
        self._data = data
        self.complete = len(data) == size and len(self.names) == count
        self.prefix = prefix

    @property
    def records(self) -> tuple[ZipRecord, ...]:
        """What the directory says of each member. Names alone are cheaper."""
        rows = zip(self.names, self._places, strict=True)
        return tuple(_record(self._data, name, place) for name, place in rows)

    def record(self, name: str) -> ZipRecord | None:
        """What it says of one member, the first of that name; ``None``: it has none."""
        if name not in self.names:
            return None
        return _record(self._data, name, self._places[self.names.index(name)])


@reader
def zip_directory(path: ModelPath) -> ZipDirectory | None:
    """The central directory; ``None`` where the bytes end in none (no zip, or a truncated one)."""
    found = _find_end(path)
    if found is None:
        return None
    position, count, size, offset = found
    start = position - size  # where it must lie; ``offset`` is where the archive says it lies
    if start < 0:
        return None
    data = path.read_at(start, min(size, MAX_DIRECTORY))
    return ZipDirectory(data, size, count, prefix=max(0, start - offset))


def _find_end(path: ModelPath) -> tuple[int, int, int, int] | None:
    """(where the directory ends, number of records, its size, its declared offset)."""
    window = path.tail
    at = _end_in(window)
    if at < 0 and path.size > len(window):
        longest = _END.size + _MAX_COMMENT
        window = path.read_at(max(0, path.size - longest), longest)
        at = _end_in(window)
    if at < 0:
        return None
    _, _, _, _, count, size, offset, _ = _END.unpack_from(window, at)
    position = path.size - len(window) + at
    # Looked for in any case: PyTorch writes one beside a short record that is right as well, and
    # the directory ends in front of it.
    return _find_end64(path, position) or (position, count, size, offset)


def _end_in(window: bytes) -> int:
    """Where the end record starts, the last one whose comment reaches the end; -1: nowhere."""
    at = len(window)
    while (at := window.rfind(b"PK\x05\x06", 0, at)) >= 0:
        if at + _END.size <= len(window):
            comment = _END.unpack_from(window, at)[-1]
            if at + _END.size + comment <= len(window):  # bytes behind it are tolerated
                return at
    return -1


def _find_end64(path: ModelPath, end: int) -> tuple[int, int, int, int] | None:
    if end < _LOCATOR64.size:
        return None
    locator = path.read_at(end - _LOCATOR64.size, _LOCATOR64.size)
    if len(locator) < _LOCATOR64.size or not locator.startswith(b"PK\x06\x07"):
        return None
    # As zipfile does: the record is looked for in front of its locator, not where it is declared.
    position = end - _LOCATOR64.size - _END64.size
    if position < 0:
        return None
    record = path.read_at(position, _END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        return None
    *_, count, size, offset = _END64.unpack(record)
    return position, count, size, offset


def _named(data: bytes) -> tuple[tuple[str, ...], list[int]]:
    """The names, and where each record begins."""
    names, places = [], []
    unpack, fixed, length = _LENGTHS.unpack_from, _RECORD.size, len(data)
    position = 0
    while position + fixed <= length:
        mark, flags, name_length, extra, comment = unpack(data, position)
        name_end = position + fixed + name_length
        end = name_end + extra + comment
        if mark != b"PK\x01\x02" or end > length:
            break
        name = data[position + fixed : name_end]
        if name.isascii():
            names.append(name.decode("ascii"))
        else:
            names.append(name.decode("utf-8" if flags & 0x800 else "cp437", "replace"))
        places.append(position)
        position = end
    return tuple(names), places


def _record(data: bytes, name: str, position: int) -> ZipRecord:
    row = _RECORD.unpack_from(data, position)
    method, packed, size, header = row[4], row[8], row[9], row[16]
    if 0xFFFFFFFF in (packed, size, header):
        start = position + _RECORD.size + row[10]
        packed, size, header = _zip64_sizes(data[start : start + row[11]], packed, size, header)
    return ZipRecord(name, method, packed, size, header)


def _zip64_sizes(extra: bytes, packed: int, size: int, header: int) -> tuple[int, int, int]:
    """The three numbers, with those that are all ones taken from the zip64 extra field (id 1)."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        body = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind != 1:
            continue
        values = [body[at : at + 8] for at in range(0, len(body) - 7, 8)]
        numbers = iter([int.from_bytes(value, "little") for value in values])
        size = next(numbers, size) if size == 0xFFFFFFFF else size
        packed = next(numbers, packed) if packed == 0xFFFFFFFF else packed
        header = next(numbers, header) if header == 0xFFFFFFFF else header
        break
    return packed, size, header
