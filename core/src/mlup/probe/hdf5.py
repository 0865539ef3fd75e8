"""The root of an HDF5 file, read without the HDF5 library: names of attributes and of members.

Source: the HDF5 File Format Specification 3.0, "Disk Format: Level 0A - Format Signature and
Superblock". Checksums are not verified. The limits are in :mod:`mlup.probe.hdf5_metadata`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mlup.files import ModelPath
from mlup.probe.hdf5_headers import Attribute, Group, text_of
from mlup.probe.hdf5_metadata import WINDOW, Beyond, Metadata
from mlup.probe.remembering import reader

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"

MAX_USER_BLOCK: Final = 64 * 1024
"""Bytes in front of the superblock, at most; the specification allows any power of 2 from 512."""

MAX_TEXT: Final = 4096
"""Bytes of an attribute's text, at most."""

_SUPERBLOCK: Final = 96  # bytes of version 0 with addresses and lengths of 8
_WIDTHS: Final = (2, 4, 8, 16, 32)  # of addresses and lengths


class Hdf5Root(NamedTuple):
    """What stands at the root of an HDF5 file.

    Attributes:
        attributes: names of the root group's attributes.
        links: names of its members (groups, datasets, links to elsewhere).
        complete: ``False`` where names may be missing: the file breaks off, leads out of itself,
            is over the limits, or keeps names in a way that is not read here.
        offset: where the superblock is; 0, or the size of the user block in front of it.
        size: bytes that the file has according to its superblock; 0 where that is unreadable.
        truncated: the file is shorter than that, and the HDF5 library refuses to open it.
    """

    attributes: tuple[str, ...]
    links: tuple[str, ...]
    complete: bool
    offset: int
    size: int
    truncated: bool


@reader
def hdf5_root(path: ModelPath) -> Hdf5Root | None:
    """The root's names; ``None`` where the bytes are no HDF5.

    A file that does not start with :data:`SIGNATURE` is searched for a user block, which costs up
    to five reads: ask only for files that start so, or whose name promises HDF5.
    """
    opened = _opened(path)
    return opened.root if opened else None


@reader
def hdf5_text(path: ModelPath, name: str) -> str | None:
    """The text of a root attribute, such as ``keras_version``.

    ``None`` where there is none of that name, or it is no string of up to :data:`MAX_TEXT` bytes.
    """
    opened = _opened(path)
    if opened is None or name not in opened.attributes:
        return None
    window = path.read_at(opened.root.offset, WINDOW)
    file = Metadata(path, opened.root.offset, window, opened.wide, opened.long)
    try:
        return text_of(file, opened.attributes[name], MAX_TEXT)
    except Beyond:
        return None


class _Opened(NamedTuple):
    """What is remembered: nothing that holds the path, which holds this."""

    root: Hdf5Root
    attributes: dict[str, Attribute]
    wide: int = 0
    long: int = 0


@reader
def _opened(path: ModelPath) -> _Opened | None:
    found = _find(path)
    if found is None:
        return None
    offset, window = found
    try:
        file, header, size = _superblock(path, offset, window)
    except Beyond:  # cut off, or of a version to come
        cut = len(window) < _SUPERBLOCK
        return _Opened(Hdf5Root((), (), False, offset, 0, cut), {})
    group = Group(file, header)
    names = tuple(group.attributes), tuple(group.links)
    root = Hdf5Root(*names, group.complete, offset, size, size > path.size)
    return _Opened(root, group.attributes, file.wide, file.long)


def _find(path: ModelPath) -> tuple[int, bytes] | None:
    """Where the superblock is, and the first bytes from there."""
    window = b""
    if path.head.startswith(SIGNATURE):
        return 0, path.read_at(0, WINDOW)
    offset = 512
    while offset + len(SIGNATURE) <= path.size and offset <= MAX_USER_BLOCK:
        if offset < WINDOW:
            window = window or path.read_at(0, WINDOW)
            found = window.startswith(SIGNATURE, offset)
        else:
            found = path.read_at(offset, len(SIGNATURE)) == SIGNATURE
        if found:
            return offset, path.read_at(offset, WINDOW)
        offset *= 2
    return None


def _superblock(path: ModelPath, offset: int, window: bytes) -> tuple[Metadata, int, int]:
    """(the file's metadata, the address of the root's object header, the size of the file)."""
    version = window[8] if len(window) > 8 else -1
    if version in (0, 1):
        sizes, at = 13, 24 + 4 * version  # version 1 has one more number, and padding
    elif version in (2, 3):
        sizes, at = 9, 12
    else:
        raise Beyond
    wide, long = window[sizes : sizes + 2].ljust(2, b"\0")
    if wide not in _WIDTHS or long not in _WIDTHS:
        raise Beyond
    file = Metadata(path, offset, window, wide, long)
    # Versions 0 and 1: base, free space, end, driver, then the root's symbol table entry: the
    # offset of its name, which the library writes as long as a length, and its address. Versions
    # 2 and 3: base, extension, end, root.
    base, _, end, root = file.addresses(at, 4)
    if version < 2:
        (root,) = file.addresses(at + 4 * wide + long, 1)
    # The base is where the superblock was when it was written; the library corrects it likewise.
    return file, root, max(0, end - base + offset)
