"""The first bytes of an LZ4 frame, in Python: what a file is must not depend on ``lz4`` being here.

Source: the LZ4 frame format 1.6.x and block format descriptions. Loading uses the ``lz4``
package, through joblib.
"""

from __future__ import annotations

from typing import Final

import mlup

MAGIC: Final = b"\x04\x22\x4d\x18"

MAX_BLOCKS: Final = 256
"""Blocks of a frame that are walked, at most (joblib's are 4 MiB, lz4's own 64 KiB)."""


def first_bytes(data: bytes, limit: int) -> bytes:
    """Up to ``limit`` bytes of the first block of a frame.

    Raises:
        ValueError: it is not an LZ4 frame, or it is damaged.
    """
    if len(data) < 7 or not data.startswith(MAGIC):
        raise ValueError("no LZ4 frame")
    flags = data[4]
    start = 7 + (8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0)  # content size, dictionary
    size = int.from_bytes(data[start : start + 4], "little")
    block = data[start + 4 : start + 4 + (size & 0x7FFFFFFF)]
    return block[:limit] if size & 0x80000000 else _block(block, limit)


def ends(path: mlup.ModelPath) -> bool:
    """Whether the blocks of a frame lead to its end mark, as far as :data:`MAX_BLOCKS` go."""
    flags = path.head[4] if path.size > 4 else 0
    at = 7 + (8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0)
    for _ in range(MAX_BLOCKS):
        field = path.read_at(at, 4)
        if len(field) < 4:
            return False
        size = int.from_bytes(field, "little") & 0x7FFFFFFF
        if size == 0:
            return at + 4 + (4 if flags & 0x04 else 0) <= path.size  # the content's checksum
        at += 4 + size + (4 if flags & 0x10 else 0)  # the block's checksum
    return at <= path.size


def _block(block: bytes, limit: int) -> bytes:
    out = bytearray()
    position = 0
    while position < len(block) and len(out) < limit:
        token = block[position]
        count, position = _length(block, position + 1, token >> 4)
        out += block[position : position + min(count, limit)]
        position += count
        if len(out) >= limit or position + 2 > len(block):
            break  # enough; or the last sequence, which has no match; or the piece ends here
        distance = int.from_bytes(block[position : position + 2], "little")
        count, position = _length(block, position + 2, token & 15)
        if not 0 < distance <= len(out):
            raise ValueError("an LZ4 match points before the beginning")
        count = min(count + 4, limit - len(out))
        source = bytes(out[-distance:])
        out += (source * (count // distance + 1))[:count] if count > 0 else b""
    return bytes(out[:limit])


def _length(block: bytes, position: int, nibble: int) -> tuple[int, int]:
    """A length that continues in the following bytes while they are 255."""
    count = nibble
    if nibble == 15:
        while position < len(block):
            byte = block[position]
            position += 1
            count += byte
            if byte != 255:
                break
    return count, position
