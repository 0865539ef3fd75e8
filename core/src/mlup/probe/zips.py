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
_MAX_COMMENT: Final = 65_535


class ZipRecord(NamedTuple):
    """One member as the central directory describes it. Sizes in bytes; ``method`` 0 is stored."""

    name: str
    method: int
    compressed_size: int
    size: int
    header_offset: int


class ZipDirectory(NamedTuple):
    """The members of an archive, in the directory's order.

    Attributes:
        records: the members that were read.
        complete: ``False`` where the directory is longer than :data:`MAX_DIRECTORY`, or breaks
            off, so that members may be missing.
        prefix: bytes in front of the archive (a self-extracting program, say).
    """

    records: tuple[ZipRecord, ...]
    complete: bool
    prefix: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names."""
        return tuple(record.name for record in self.records)


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
    records = _records(data)
    complete = len(data) == size and len(records) == count
    return ZipDirectory(records, complete, prefix=max(0, start - offset))


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


def _records(data: bytes) -> tuple[ZipRecord, ...]:
    records = []
    position = 0
    while position + _RECORD.size <= len(data):
        row = _RECORD.unpack_from(data, position)
        flags, method, packed, size, header = row[3], row[4], row[8], row[9], row[16]
        name_end = position + _RECORD.size + row[10]
        end = name_end + row[11] + row[12]
        if row[0] != b"PK\x01\x02" or end > len(data):
            break
        name = data[position + _RECORD.size : name_end]
        if 0xFFFFFFFF in (packed, size, header):
            extra = data[name_end : name_end + row[11]]
            packed, size, header = _zip64_sizes(extra, packed, size, header)
        text = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        records.append(ZipRecord(text, method, packed, size, header))
        position = end
    return tuple(records)


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
