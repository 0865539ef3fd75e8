"""Whether a zip archive is a skops file, from its directory and the beginning of its schema.

Source: ``skops/io/_persist.py`` of skops 0.3 to 0.16. Beside ``schema.json``, which comes last, there
are arrays (``140644761155408.npy``), sparse matrices (``.npz``) and bytes (``.bin``), none of them in
a folder. The schema begins with the class and the module of what was saved.
"""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

from mlup import ModelPath, probe

SCHEMA: Final = "schema.json"

_DATA: Final = (".npy", ".npz", ".bin")
_STORED, _DEFLATED = 0, 8
_PACKED: Final = (12, 14)  # by bzip2 or LZMA, which skops writes on request
_HEADER: Final = 30  # of a member; its name, an extra field and its data follow
_BEGINNING: Final = 1024  # bytes of the schema that are read
_END: Final = 100

_WORD: Final = rb'"([^"\\]{1,100})"'
_TOP: Final = re.compile(
    rb'\{\s*"__class__"\s*:\s*' + _WORD + rb'\s*,\s*"__module__"\s*:\s*' + _WORD + rb"\s*,"
)
_VERSION: Final = re.compile(rb'"_skops_version"\s*:\s*"([\w.+!-]{1,30})"\s*\}\s*$')


class Archive(NamedTuple):
    """What is known of a skops file.

    Attributes:
        seen: the schema's beginning was read, and not only its name.
        reason: what it is, for the user.
    """

    seen: bool
    reason: str


@probe.reader
def archive(path: ModelPath) -> Archive | None:
    """What the archive is, where it is skops'; ``None`` for every other zip, and for a damaged one."""
    directory = probe.zip_directory(path)
    if directory is None or directory.prefix:
        return None
    others = [name for name in directory.names if name != SCHEMA]
    if not all(name.endswith(_DATA) and "/" not in name for name in others):
        return None
    if not directory.complete:  # the schema comes last, and out of sight
        return (
            Archive(False, f"skops file with more than {len(others):,} arrays")
            if _long(path, others)
            else None
        )
    if len(directory.names) - len(others) != 1:
        return None
    record = directory.record(SCHEMA)
    assert record is not None  # the line above counted it
    if record.method in _PACKED:
        return Archive(False, "skops file with a packed schema") if others else None
    beginning, end = _edges(path, record)
    top = _TOP.match(beginning)
    if top is None:
        return None
    version = _VERSION.search(end)
    said = f"skops file of {_text(top[2])}.{_text(top[1])}"
    return Archive(True, said + (f" (skops {_text(version[1])})" if version else ""))


def _long(path: ModelPath, others: list[str]) -> bool:
    """Whether a directory too long to be read whole ends in the schema's entry."""
    name = SCHEMA.encode()
    window = path.read_at(max(0, path.size - 1024), 1024)
    return bool(others) and window.rfind(name, window.rfind(b"PK\x01\x02") + 46) >= 0


def _edges(path: ModelPath, record: probe.ZipRecord) -> tuple[bytes, bytes]:
    """How the schema begins, and how it ends where it is stored as it is."""
    at = record.header_offset
    header = path.read_at(at, _HEADER)
    if not header.startswith(b"PK\x03\x04") or len(header) < _HEADER:
        return b"", b""
    at += (
        _HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    )
    beginning = path.read_at(at, min(_BEGINNING, record.compressed_size))
    if record.method == _STORED:
        return beginning, path.read_at(at + max(0, record.size - _END), min(_END, record.size))
    if record.method == _DEFLATED:
        try:
            return zlib.decompressobj(-15).decompress(beginning, _BEGINNING), b""
        except zlib.error:
            pass
    return b"", b""


def _text(word: bytes) -> str:
    return word.decode("utf-8", "replace")
