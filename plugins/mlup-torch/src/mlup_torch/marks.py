"""The first bytes of PyTorch's two formats: all that a foreign file is asked."""

from __future__ import annotations

from typing import Final

ZIP: Final = b"PK\x03\x04"

MAGIC: Final = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled magic number of before 1.6, behind the PROTO opcode."""

_MAGIC_TEXT: Final = b"L119547037146038801333356L\n."


def is_legacy(head: bytes) -> bool:
    """Whether a file begins with the magic number's pickle, of protocol 1 or higher."""
    if head[:1] == b"\x80":  # PROTO; from protocol 4 on a FRAME stands in between
        return head.startswith(MAGIC, 2) or head.startswith(MAGIC, 11)
    return head.startswith(_MAGIC_TEXT + b"M")  # protocol 0 goes on with "I1001"
