"""The first bytes of an LZ4 frame, in Python: what a file is must not depend on ``lz4`` being here.

Source: the LZ4 frame format 1.6.x and block format descriptions. Loading uses the ``lz4``
package, through joblib.
"""

from __future__ import annotations

MAGIC = b"\x04\x22\x4d\x18"


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
