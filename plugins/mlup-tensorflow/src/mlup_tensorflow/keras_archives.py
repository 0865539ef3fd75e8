"""Whether an archive of Keras's may be unpacked, and whether HDF5 keeps to its own file.

Keras reads ``config.json`` and the weights, and unpacks everything else into a temporary folder. HDF5 may
lead to other files (external links, external and virtual datasets), which the HDF5 library follows,
and may declare far more data than it has (CVE-2026-0897).
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from typing import Any, BinaryIO, Final

from mlup_tensorflow.keras_files import WEIGHTS

MOST: Final = 128 * 1024 * 1024
"""Bytes that a file may unpack to, however small it is; and :data:`RATIO` times its size more."""

RATIO: Final = 20
MOST_TEXT: Final = 512 * 1024 * 1024
"""Bytes that the texts of one attribute may have together."""

_PIECE: Final = 1024 * 1024
_COLLECTION_HEAD: Final = 15  # bytes of a collection's head less one
_COLLECTION: Final = re.compile(rb"(?=GCOL\x01...(.{8}))", re.DOTALL)
_MEMBERS: Final = 10_000  # of an archive; Keras writes three, and a few for each vocabulary
_OBJECTS: Final = 200_000  # of an HDF5 file: groups, datasets and attributes
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL: Final = 30  # bytes of a local header, without its name and extra field


def archive_objection(archive: zipfile.ZipFile, size: int) -> str | None:
    """Why an archive must not be unpacked; ``None``: it may be.

    Args:
        archive: as zipfile reads it, which is what Keras reads it with.
        size: of the file.
    """
    members = archive.infolist()
    if len(members) > _MEMBERS:
        return f"its archive has {len(members)} members"
    seen: set[str] = set()
    for each in members:
        name = each.filename
        if (
            name.startswith(("/", "\\"))
            or ":" in name
            or ".." in name.replace("\\", "/").split("/")
        ):
            return f"its archive has a member {name[:200]!r}, which would be unpacked elsewhere"
        if stat.S_ISLNK(each.external_attr >> 16):
            return f"its archive has a member {name[:200]!r}, which is a symbolic link"
        if name in seen:
            return f"its archive has several members {name[:200]!r}"
        if each.compress_type not in _METHODS:
            return f"its archive's member {name[:200]!r} is compressed as Keras does not compress"
        seen.add(name)
    total = sum(each.file_size for each in members)
    if total > MOST + RATIO * size:
        return f"its archive of {size} bytes would unpack to {total} bytes"
    return None


def weights_of(archive: zipfile.ZipFile, stream: BinaryIO) -> BinaryIO:
    """The weights in an archive, as a file that can seek."""
    info = archive.getinfo(WEIGHTS)
    with archive.open(info) as member:  # which checks the local header
        if info.compress_type != zipfile.ZIP_STORED:
            return io.BytesIO(member.read())
    stream.seek(info.header_offset)
    local = stream.read(_LOCAL)
    skipped = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    part = _Part(stream, info.header_offset + _LOCAL + skipped, info.file_size)
    return io.BufferedReader(part, 64 * 1024)


class _Part(io.RawIOBase):
    """A stretch of a file."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self._size - self._at))
        self._stream.seek(self._start + self._at)
        data = self._stream.read(count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def hdf5_objection(stream: BinaryIO, size: int) -> str | None:
    """Why the HDF5 library must not read a file's data; ``None``: it may.

    Args:
        stream: the file.
        size: of the file.

    Raises:
        Exception: any that h5py raises over a damaged file.
    """
    import h5py

    budget, objects = MOST + RATIO * size, 0
    longest = _longest_text(stream)
    with h5py.File(stream, "r") as root:
        todo, seen = [root["/"]], set()
        while todo:
            each = todo.pop()
            address = h5py.h5o.get_info(each.id).addr
            if address in seen:
                continue
            seen.add(address)
            objects += 1 + len(each.attrs)
            if objects > _OBJECTS:
                return f"its HDF5 has more than {_OBJECTS} objects"
            for name in each.attrs:
                kind = each.attrs.get_id(name)
                budget -= _bytes(kind.dtype, kind.shape)
                if _texts(kind.dtype, kind.shape) * longest > MOST_TEXT:
                    return f"its HDF5 repeats long texts in {name[:200]!r}"
            if isinstance(each, h5py.Dataset):
                if each.external or each.is_virtual:
                    return f"its HDF5 takes {each.name[:200]!r} from other files"
                budget -= max(_bytes(each.dtype, each.shape), _bytes(each.dtype, each.chunks))
                if _texts(each.dtype, each.shape) * longest > MOST_TEXT:
                    return f"its HDF5 repeats long texts in {each.name[:200]!r}"
            elif isinstance(each, h5py.Group):
                for name in each:
                    link = each.get(name, getlink=True)
                    if not isinstance(link, h5py.HardLink):
                        return f"its HDF5 has a link to elsewhere: {name[:200]!r}"
                    todo.append(each[name])
            if budget < 0:
                return f"its HDF5 of {size} bytes declares far more data"
    return None


def _bytes(kind: Any, shape: Any) -> int:
    count = int(kind.itemsize)
    for each in shape or ():
        count *= int(each)
    return count


def _texts(kind: Any, shape: Any) -> int:
    """How many texts of any length there are, which may all be the same one in the file."""
    return _bytes(kind, shape) // int(kind.itemsize) if kind.hasobject else 0


def _longest_text(stream: BinaryIO) -> int:
    """A bound on the length of a text: the size of the largest of the collections that hold them.

    Source: the HDF5 File Format Specification 3.0, "Disk Format: Level 1E - Global Heap".
    """
    longest, window = 0, b""
    stream.seek(0)
    while data := stream.read(_PIECE):
        window = window[-_COLLECTION_HEAD:] + data
        for found in _COLLECTION.finditer(window):
            longest = max(longest, int.from_bytes(found[1], "little"))
    stream.seek(0)
    return longest
