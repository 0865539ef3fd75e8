"""What an HDF5 object header says of a group: the names of its attributes and of its members.

Source: the HDF5 File Format Specification 3.0, "Disk Format: Level 2A - Data Object Headers"
(prefixes of versions 1 and 2; the messages Link Info, Link, Attribute, Object Header Continuation,
Symbol Table and Attribute Info).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from mlup.probe.hdf5_metadata import (
    MAX_NAME,
    Beyond,
    FractalHeap,
    Metadata,
    global_object,
    name_of,
    symbol_names,
    tree_records,
    uint,
)

_LINK_INFO: Final = 0x02
_LINK: Final = 0x06
_ATTRIBUTE: Final = 0x0C
_CONTINUATION: Final = 0x10
_SYMBOL_TABLE: Final = 0x11
_ATTRIBUTE_INFO: Final = 0x15


class Attribute(NamedTuple):
    """Where an attribute's parts are, as addresses."""

    datatype: int
    dataspace: int
    value: int
    shared: bool


class Group:
    """The names of one group, as far as they could be read.

    Attributes:
        attributes: by name.
        links: names of the members; a dict because it keeps their order.
        complete: whether all were read.
    """

    def __init__(self, file: Metadata, address: int) -> None:
        self.attributes: dict[str, Attribute] = {}
        self.links: dict[str, None] = {}
        self.complete = True
        self._file = file
        stores: list[Callable[[], None]] = []  # of names outside of the header
        self._attempt(partial(self._read_header, address, stores))
        for store in stores:
            self._attempt(store)

    def _attempt(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Beyond:
            self.complete = False

    def _read_header(self, address: int, stores: list[Callable[[], None]]) -> None:
        for kind, flags, at in _messages(self._file, address):
            try:
                store = self._read_message(kind, flags, at)
            except Beyond:  # the others may still be read
                self.complete = False
            else:
                if store:
                    stores.append(store)

    def _read_message(self, kind: int, flags: int, at: int) -> Callable[[], None] | None:
        """Add the name it has, or return what adds the names that are where it leads to."""
        file = self._file
        if kind == _ATTRIBUTE:
            if flags & 2:  # shared: kept elsewhere in the file
                raise Beyond
            self._add_attribute(at)
        elif kind == _LINK:
            self._add_link(at)
        elif kind == _SYMBOL_TABLE:
            tree, heap = file.addresses(at, 2)
            return partial(self._add_symbols, tree, heap)
        elif kind in (_LINK_INFO, _ATTRIBUTE_INFO):
            order = 8 if kind == _LINK_INFO else 2  # bytes of the largest creation order
            heap, tree = file.addresses(at + 2 + (order if file.take(at, 2)[1] & 1 else 0), 2)
            if file.known(heap):
                return partial(self._add_dense, kind, heap, tree)
        return None

    def _add_attribute(self, at: int) -> None:
        file = self._file
        head = file.take(at, 9)
        version, flags = head[0], head[1]
        length, datatype, dataspace = uint(head, 2, 2), uint(head, 4, 2), uint(head, 6, 2)
        if not (1 <= version <= 3 and 1 < length <= MAX_NAME):
            raise Beyond
        start = at + (9 if version == 3 else 8)  # version 3: a byte for the encoding of the name
        unit = 8 if version == 1 else 1  # version 1: each part is filled up to a multiple of 8
        first = start + _padded(length, unit)
        second = first + _padded(datatype, unit)
        value = second + _padded(dataspace, unit)
        name = name_of(file.take(start, length))
        self.attributes[name] = Attribute(first, second, value, version > 1 and bool(flags & 3))

    def _add_link(self, at: int) -> None:
        file = self._file
        version, flags = file.take(at, 2)
        # In front of the name's length: the link's type, its creation order, the name's encoding.
        at += 2 + (flags >> 3 & 1) + (flags << 1 & 8) + (flags >> 4 & 1)
        wide = 1 << (flags & 3)
        length = uint(file.take(at, wide), 0, wide)
        if version != 1 or not 0 < length <= MAX_NAME:
            raise Beyond
        self.links[name_of(file.take(at + wide, length))] = None

    def _add_symbols(self, tree: int, heap: int) -> None:
        for name in symbol_names(self._file, tree, heap):
            self.links[name] = None

    def _add_dense(self, kind: int, address: int, tree: int) -> None:
        """Names that the header has no room for: objects of a heap that a tree lists."""
        heap = FractalHeap(self._file, address)
        # A record of an attribute (type 8) starts with the object's identifier; one of a link (5)
        # with a hash of the name.
        if kind == _ATTRIBUTE_INFO:
            records = [each[:8] for each in tree_records(self._file, tree, 8)]
            add = self._add_attribute
        else:
            records = [each[4:] for each in tree_records(self._file, tree, 5)]
            add = self._add_link
        for at in sorted(map(heap.where, records)):  # sorted: read from front to back
            self._attempt(partial(add, at))


def _padded(size: int, unit: int) -> int:
    return -(-size // unit) * unit


def _messages(file: Metadata, address: int) -> Iterator[tuple[int, int, int]]:
    """(type, flags, address of the body) of each message of an object header."""
    head = file.take(address, 16)
    if head.startswith(b"OHDR"):
        flags = head[5]
        at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        wide = 1 << (flags & 3)
        blocks = [(at + wide, uint(file.take(at, wide), 0, wide))]
        prefix = 6 if flags & 4 else 4  # with the creation order
        kind_wide, flags_at = 1, 3
    elif head[0] == 1:
        blocks = [(address + 16, uint(head, 8, 4))]
        prefix, kind_wide, flags_at = 8, 2, 4
    else:
        raise Beyond
    for at, size in blocks:  # which grows by what the continuation messages say
        end = at + size
        while at + prefix <= end:
            file.step()
            row = file.take(at, prefix)
            kind, length = uint(row, 0, kind_wide), uint(row, kind_wide, 2)
            at += prefix
            if at + length > end:
                raise Beyond
            if kind == _CONTINUATION:
                data = file.take(at, file.wide + file.long)
                block, size = uint(data, 0, file.wide), uint(data, file.wide, file.long)
                if kind_wide == 1:  # version 2: a signature in front, a checksum behind
                    file.signed(block, b"OCHK", 4)
                    block, size = block + 4, size - 8
                blocks.append((block, size))
            else:
                yield kind, row[flags_at], at
            at += length


def text_of(file: Metadata, attribute: Attribute, most: int) -> str | None:
    """The value of an attribute that is one string of up to ``most`` bytes; else ``None``.

    Raises:
        Beyond: it is not where the file says it is.
    """
    datatype = file.take(attribute.datatype, 8)
    version, rank, _, kind = file.take(attribute.dataspace, 4)
    if attribute.shared or rank or (version == 2 and kind):  # not one value
        return None
    if datatype[0] & 15 == 3:  # of fixed length
        size = uint(datatype, 4, 4)
        return name_of(file.take(attribute.value, size)) if size <= most else None
    if datatype[0] & 15 == 9 and datatype[1] & 15 == 1:  # of variable length, in the global heap
        pointer = file.take(attribute.value, 8 + file.wide)
        size, index = uint(pointer, 0, 4), uint(pointer, 4 + file.wide, 4)
        if not size:
            return ""
        if size <= most:
            return name_of(global_object(file, uint(pointer, 4, file.wide), index, size))
    return None
