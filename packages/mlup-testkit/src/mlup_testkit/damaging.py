"""Files with bytes cut off and changed, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

_MUTATIONS = 150
_STARTS = 48


def truncations(data: bytes) -> Iterator[bytes]:
    """Beginnings of every length up to 48, then of about fifty lengths more."""
    lengths = set(range(min(_STARTS, len(data))))
    lengths.update(range(0, len(data), max(1, len(data) // 40)))
    lengths.update(len(data) - cut for cut in (1, 2, 4, 8, 22, 64) if cut < len(data))
    for length in sorted(lengths):
        yield data[:length]


def mutations(data: bytes) -> Iterator[bytes]:
    """Copies with a few bytes replaced, inserted or taken out; mostly near the two ends."""
    if not data:
        return
    chance = random.Random(len(data))  # noqa: S311 - the same in every run
    for _ in range(_MUTATIONS):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            reach = chance.choice((16, 100, 1000, len(data)))
            at = min(chance.randrange(reach), len(copy) - 1) if copy else 0
            at = at if chance.random() < 0.6 else max(0, len(copy) - 1 - at)
            some = chance.choice(
                (b"\xff\xff\xff\xff", bytes(4), chance.randbytes(chance.randint(1, 8)))
            )
            end = at + chance.choice((0, len(some), len(some)))
            copy[at:end] = some if chance.random() < 0.9 else b""
        yield bytes(copy)
