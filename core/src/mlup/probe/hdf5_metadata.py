"""Where HDF5 keeps things: bytes by address within limits, trees, and heaps.

Source: the HDF5 File Format Specification 3.0, "Disk Format: Level 1 - File Infrastructure" (B-trees
of both versions, symbol table nodes, local, global and fractal heaps). All numbers are little
endian; those marked O and L there are as wide as the superblock says.

Nothing here trusts a number of the file: what an address, a length or a count leads to must be in
the file and within :data:`MAX_READ` and :data:`MAX_STEPS`, or :class:`Beyond` is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mlup.files import ModelPath

MAX_READ: Final = 256 * 1024
"""Bytes of one file that are read, at most."""

MAX_STEPS: Final = 8192
"""Messages, nodes and names that are looked at, at most: no cycle goes on for longer."""

WINDOW: Final = 8192
"""Bytes of the first read: superblock, root group and its names, in files as Keras writes them."""

MAX_NAME: Final = 1024
"""Bytes of a name, at most."""

_USUAL_NAME: Final = 64  # bytes: asking for more would read what follows again and again
_STRIDE: Final = 1024  # bytes of each later read, at least
_MAX_RECORD: Final = 64  # bytes of a B-tree's record; those of the types read here have 40 at most
_MAX_DEPTH: Final = 16  # of a version 2 B-tree; four levels hold more than MAX_STEPS


class Beyond(Exception):  # noqa: N818 - no error: it ends one part of a walk
    """An address, a length or a count leads out of the file, over a limit, or to other bytes."""


class Metadata:
    """Bytes of an HDF5 file by address.

    Attributes:
        wide: bytes of an address ("size of offsets").
        long: bytes of a length ("size of lengths").
    """

    def __init__(self, path: ModelPath, base: int, window: bytes, wide: int, long: int) -> None:
        self._path = path
        self._base = base  # where address 0 is: the superblock's place
        self._first = self._last = window
        self._near = len(window)
        self._last_at = 0
        self.wide = wide
        self.long = long
        self._left = MAX_READ - len(window)
        self._steps = MAX_STEPS

    def step(self) -> None:
        """Count one message, node or name."""
        self._steps -= 1
        if self._steps < 0:
            raise Beyond

    def some(self, address: int, n: int) -> bytes:
        """Up to ``n`` bytes: fewer at the end of the file."""
        if address + n <= self._near:
            return self._first[address : address + n]
        at = address - self._last_at
        if at < 0 or at + n > len(self._last):
            if n > self._left:
                raise Beyond
            data = self._path.read_at(self._base + address, min(max(n, _STRIDE), self._left))
            self._left -= max(len(data), _STRIDE)  # a bound on the number of reads as well
            self._last, self._last_at, at = data, address, 0
        return self._last[at : at + n]

    def take(self, address: int, n: int) -> bytes:
        """Exactly ``n`` bytes."""
        end = address + n
        if end <= self._near:
            return self._first[address:end]
        data = self.some(address, n)
        if len(data) < n:
            raise Beyond
        return data

    def signed(self, address: int, signature: bytes, n: int) -> bytes:
        """Exactly ``n`` bytes that start with ``signature``."""
        data = self.take(address, n)
        if not data.startswith(signature):
            raise Beyond
        return data

    def addresses(self, address: int, count: int) -> list[int]:
        """``count`` addresses that stand one behind the other."""
        wide = self.wide
        data = self.take(address, wide * count)
        return [uint(data, at, wide) for at in range(0, len(data), wide)]

    def known(self, address: int) -> bool:
        """Whether it is not the undefined address (nothing is stored there)."""
        return address != (1 << 8 * self.wide) - 1


def uint(data: bytes, at: int, size: int) -> int:
    """An unsigned number of ``size`` bytes."""
    return int.from_bytes(data[at : at + size], "little")


def name_of(data: bytes) -> str:
    """The text in front of the first NUL; bytes that are no UTF-8 become U+FFFD."""
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def symbol_names(file: Metadata, tree: int, heap: int) -> Iterator[str]:
    """The members of a symbol table group: a version 1 B-tree over a local heap."""
    wide, long = file.wide, file.long
    head = file.signed(heap, b"HEAP", 8 + 2 * long + wide)
    size, segment = uint(head, 8, long), uint(head, 8 + 2 * long, wide)
    for offset in sorted(_symbol_offsets(file, tree)):  # sorted: read from front to back
        most = min(size - offset, MAX_NAME)
        data = file.some(segment + offset, max(0, min(most, _USUAL_NAME)))
        if 0 not in data:
            data = file.some(segment + offset, max(0, most))
        if data.find(b"\0") < 1:
            raise Beyond
        yield name_of(data)


def _symbol_offsets(file: Metadata, tree: int) -> Iterator[int]:
    wide, long = file.wide, file.long
    nodes = [tree]
    while nodes:
        address = nodes.pop()
        file.step()
        head = file.signed(address, b"TREE", 8)
        count = uint(head, 6, 2)
        if head[4] != 0:  # a tree of groups
            raise Beyond
        # Keys and children take turns, behind the addresses of two siblings.
        rows = file.take(address + 8 + 2 * wide, count * (long + wide))
        for at in range(long, len(rows), long + wide):
            file.step()
            child = uint(rows, at, wide)
            if head[5]:  # the level; leaves are at 0
                nodes.append(child)
                continue
            symbols = uint(file.signed(child, b"SNOD", 8), 6, 2)
            row = long + wide + 24  # the library writes a name's offset as long as a length
            entries = file.take(child + 8, symbols * row)
            for entry in range(0, len(entries), row):
                file.step()
                yield uint(entries, entry, long)


def tree_records(file: Metadata, tree: int, kind: int) -> Iterator[bytes]:
    """The records of a version 2 B-tree of this type, in no order."""
    wide = file.wide
    head = file.signed(tree, b"BTHD", 18 + wide)
    node, size, depth = uint(head, 6, 4), uint(head, 10, 2), uint(head, 12, 2)
    if head[5] != kind or not 0 < size <= min(node, _MAX_RECORD) or depth > _MAX_DEPTH:
        raise Beyond
    # A child's number of records is as wide as the fullest leaf needs, the number in and below it
    # as wide as the fullest branch of its depth; leaves have no second one.
    fullest = (node - 10) // size
    few = _width(fullest)
    many = [0]
    below = fullest
    for _ in range(depth):
        row = wide + few + many[-1]
        fullest = max(0, (node - 10 - row) // (size + row))
        below = (fullest + 1) * below + fullest
        many.append(_width(below))
    count = uint(head, 16 + wide, 2)
    nodes = [(uint(head, 16, wide), count, depth)] if count else []
    while nodes:
        address, count, depth = nodes.pop()
        file.step()
        row = wide + few + many[depth - 1] if depth else 0
        body = count * size
        length = 6 + body + row * (count + 1)
        data = file.signed(address, b"BTIN" if depth else b"BTLF", length)
        for at in range(6, 6 + body, size):
            file.step()
            yield data[at : at + size]
        if depth:
            nodes += (
                (uint(data, at, wide), uint(data, at + wide, few), depth - 1)
                for at in range(6 + body, length, row)
            )


def _width(number: int) -> int:
    return max(1, (number.bit_length() + 7) // 8)


class FractalHeap:
    """Objects of a fractal heap: where they are, by their identifiers."""

    def __init__(self, file: Metadata, address: int) -> None:
        wide, long = file.wide, file.long
        table = 14 + 10 * long + 2 * wide
        head = file.signed(address, b"FRHP", table + 8 + 2 * long + wide)
        self._file = file
        self._huge_tree = uint(head, 14 + long, wide)
        self._huge: dict[int, int] | None = None
        self._columns = uint(head, table, 2)
        self._start = uint(head, table + 2, long)  # bytes of a block in the first row
        largest = uint(head, table + 2 + long, long)
        bits = uint(head, table + 2 + 2 * long, 2)
        self._root = uint(head, table + 6 + 2 * long, wide)
        self._rows = uint(head, table + 6 + 2 * long + wide, 2)
        self._offset = (bits + 7) // 8
        filtered = uint(head, 7, 2)
        if filtered or not self._columns or not 0 < self._start <= largest:
            raise Beyond
        self._direct = largest.bit_length() - self._start.bit_length() + 2

    def where(self, identifier: bytes) -> int:
        """The address of an object."""
        if len(identifier) < 1 + self._offset:
            raise Beyond
        kind = identifier[0] >> 4  # the version, 0, and the type
        if kind == 1:
            return self._where_huge(uint(identifier, 1, len(identifier) - 1))
        if kind:
            raise Beyond
        offset = uint(identifier, 1, self._offset)
        if not self._rows:
            return self._root + offset
        first = self._columns * self._start  # bytes of a row; each row from the third has twice
        row = (offset // first).bit_length()
        if row >= min(self._rows, self._direct):
            raise Beyond  # blocks below blocks: more than MAX_READ
        begin, size = (first << (row - 1), self._start << (row - 1)) if row else (0, self._start)
        column = (offset - begin) // size
        file = self._file
        at = 5 + file.wide + self._offset + file.wide * (row * self._columns + column)
        file.signed(self._root, b"FHIB", 4)
        block = uint(file.take(self._root + at, file.wide), 0, file.wide)
        return block + (offset - begin) % size

    def _where_huge(self, key: int) -> int:
        file = self._file
        if self._huge is None:
            wide, long = file.wide, file.long
            self._huge = {
                uint(record, wide + long, long): uint(record, 0, wide)
                for record in tree_records(file, self._huge_tree, 1)
            }
        if key not in self._huge:
            raise Beyond
        return self._huge[key]


def global_object(file: Metadata, collection: int, index: int, n: int) -> bytes:
    """``n`` bytes of an object of the global heap."""
    long = file.long
    prefix = 8 + (long + 7) // 8 * 8  # of the collection, and of each object in it
    at, end = collection, collection + uint(file.signed(collection, b"GCOL", prefix), 8, long)
    size = 0
    while (at := at + prefix + (size + 7) // 8 * 8) < end:
        file.step()
        head = file.take(at, prefix)
        if uint(head, 0, 2) == index:
            return file.take(at + prefix, n)
        size = uint(head, 8, long)
    raise Beyond
