"""The lines of trees: ``key=number number …``, and nothing that LightGBM would not take as numbers.

LightGBM 4.7 ends the process over most of what is no number (``Log::Fatal`` within a parallel loop),
whatever the line is for.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from mlup_lightgbm.header import HostileTextError

MOST_LINES: Final = 22
"""LightGBM reads no more of a tree."""

_KEY: Final = re.compile(rb"[a-z_]+")
_NUMBER: Final = re.compile(rb"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|(?i:nan|inf(?:inity)?))")

# The kinds of bytes that trees are written in, and which may follow which: a table
# of pairs costs a tenth of what matching each number does.
_KINDS: Final = {
    "digit": b"0123456789",
    "dot": b".",
    "sign": b"+-",
    "e": b"e",
    "letter": b"Tabcdfghijklmnopqrstuvwxyz_",
    "equals": b"=",
    "blank": b" ",
    "newline": b"\n",
}
_FOLLOWING: Final = {
    "digit": "digit dot e blank newline",
    "dot": "digit",
    "sign": "digit",
    "e": "digit sign e letter equals",  # of an exponent, or in a key
    "letter": "e letter equals",
    "equals": "digit sign newline",
    "blank": "digit sign",
    "newline": "newline e letter",
}
_CODES: Final = {kind: number for number, kind in enumerate(_KINDS, 1)}
_CLASSES: Final = bytes(
    next((_CODES[kind] for kind, found in _KINDS.items() if byte in found), 0)
    for byte in range(256)
)
_PAIRS: Final = bytes(
    _CODES[kind] << 4 | _CODES[following]
    for kind, found in _FOLLOWING.items()
    for following in found.split()
)
_LINE_ENDS: Final = tuple(_CODES[last] << 4 | _CODES["newline"] for last in ("digit", "equals"))


class Alike(NamedTuple):
    """Trees that have the same lines.

    Attributes:
        keys: of their lines, in their order.
        names: what follows ``Tree=``, for messages.
        values: of each tree, of each line; empty ones may follow.
        places: of each tree, the number of its first line.
    """

    keys: tuple[bytes, ...]
    names: list[bytes]
    values: list[list[bytes]]
    places: list[int]


def spelled(piece: bytes) -> bytes:
    """Whole trees with one blank between two numbers.

    Args:
        piece: whole trees, from ``Tree=``.

    Raises:
        HostileTextError: there is something that is no number.
    """
    return piece if _plain(piece) else b"\n".join(map(_line, piece.split(b"\n")))


def grouped(piece: bytes) -> list[Alike]:
    """Trees by their keys.

    Args:
        piece: what :func:`spelled` returned.

    Raises:
        HostileTextError: a tree has a line too many, one twice, or one without a key.
    """
    found: dict[tuple[bytes, ...], Alike] = {}
    first = 1  # line of a tree behind its "Tree="
    # In each line there is one "=": without them keys and values take turns.
    for part in piece.replace(b"=", b"\n")[len(b"Tree=") :].split(b"\nTree\n"):
        items = part.split(b"\n")
        keys = tuple(items[1::2])
        alike = found.get(keys)
        if alike is None:
            alike = found[keys] = Alike(_keys(items[0], keys), [], [], [])
        alike.names.append(items[0])
        alike.values.append(items[2::2])
        alike.places.append(first)
        first += len(items) - len(alike.keys)
    return list(found.values())


def lengths(piece: bytes) -> Any:
    """How many numbers each line has, of what :func:`spelled` returned."""
    import numpy as np

    text = np.frombuffer(piece, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts: Any = np.append(0, ends[:-1] + 1)
    blanks = np.add.reduceat(text == ord(" "), starts, dtype=np.int32).astype(np.int64)
    return np.where(text[ends - 1] == ord("="), 0, blanks + 1)


def _plain(piece: bytes) -> bool:
    """Whether it is the usual: each byte may follow the one in front of it, no letter is a value."""
    import numpy as np

    kinds = np.frombuffer(piece.translate(_CLASSES), np.uint8)
    pairs = kinds[:-1] << 4 | kinds[1:]
    if pairs.tobytes().translate(None, _PAIRS):
        return False
    # A letter can now stand in a value only where "1e" goes on as a key: to a second "=".
    lines = sum(np.count_nonzero(pairs == end) for end in _LINE_ENDS)
    return bool(np.count_nonzero(kinds == _CODES["equals"]) == lines)


def _line(line: bytes) -> bytes:
    key, equals, value = line.partition(b"=")
    if line and not equals:
        raise HostileTextError(f"a tree has the line {line[:40]!r}")
    tokens = list(filter(None, value.split(b" ")))
    for token in tokens:
        if not _NUMBER.fullmatch(token):
            raise HostileTextError(
                f"the line {key[:20]!r} of a tree has {token[:30]!r} for a number"
            )
    return key + equals + b" ".join(tokens)


def _keys(name: bytes, turns: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The keys of a tree, of which one or more are empty at its end: a blank line."""
    keys = turns
    while keys and not keys[-1]:
        keys = keys[:-1]
    said = ""
    if not keys or len(keys) > MOST_LINES:
        said = f"has {len(keys)} lines"
    elif keys == turns:
        said = "ends in no blank line"
    elif len(set(keys)) < len(keys):
        said = "has a line twice"
    elif not all(map(_KEY.fullmatch, keys)):
        said = "has a blank line, or one without a key"
    if said:
        raise HostileTextError(f"tree {name[:20].decode('ascii', 'replace')} {said}")
    return keys
