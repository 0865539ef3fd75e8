"""Files that would make a marker if what is in them ran: payloads, and what they are put into."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

_MEMBERS: Final = 24  # of one archive that are replaced, one after the other
_EMBEDDED: Final = 8  # pickles inside one file
_SEARCHED: Final = 1024 * 1024  # bytes in which they are looked for


class _Call:
    """Pickled, it is a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._reduced = function, arguments

    def __reduce__(self) -> Any:
        return self._reduced


def executing(marker: Path, protocol: int = 2) -> bytes:
    """A pickle that runs Python."""
    return pickle.dumps(_Call(exec, f"open({os.fspath(marker)!r}, 'w').close()"), protocol)


def starting(marker: Path) -> bytes:
    """A pickle that starts a command."""
    return pickle.dumps(_Call(os.system, f'echo > "{marker}"'), 4)


def importing(marker: Path, modules: Path) -> bytes:
    """A pickle that names a class of a module whose import makes the marker."""
    module = f"hostile_{marker.name}"
    source = f"open({os.fspath(marker)!r}, 'w').close()\n\nclass Model: pass\n"
    (modules / f"{module}.py").write_text(source, "utf-8")
    return f"c{module}\nModel\n)R.".encode()


def array_of(payload: bytes) -> bytes:
    """A ``.npy`` file of objects, which are a pickle (NEP 1, "A Simple File Format for NumPy Arrays")."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


def archive_of(payload: bytes) -> bytes:
    """A ``.npz`` file with such an array."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("arr_0.npy", array_of(payload))
    return archive.getvalue()


WRAPPINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "alone": bytes,
    "in gzip": gzip.compress,
    "in zlib": zlib.compress,
    "in bz2": bz2.compress,
    "in xz": lzma.compress,
    "in lzma": partial(lzma.compress, format=lzma.FORMAT_ALONE),
    "in npy": array_of,
    "in npz": archive_of,
}
"""A pickle alone, compressed in the ways that loaders undo, and as an array of objects."""


def inside(data: bytes, payload: bytes) -> Iterator[tuple[str, bytes]]:
    """A file of the author's with a payload in it: for each member, for each pickle."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        yield from _members(data, payload)
        return
    if data[:1] == b"\x80":  # before everything else, and taken from the stack again
        yield "in front", payload[:-1] + b"0" + data[2:]
    for start, end in _pickles(data):
        yield f"for the pickle at {start}", data[:start] + payload + data[end:]


def _members(data: bytes, payload: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(each, archive.read(each)) for each in archive.infolist() if not each.is_dir()]
    for replaced, old in members[:_MEMBERS]:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as copy:
            for each, content in members:
                copy.writestr(each, _instead(old, payload) if each is replaced else content)
        yield f"for the member {replaced.filename}", written.getvalue()


def _instead(old: bytes, payload: bytes) -> bytes:
    return array_of(payload) if old.startswith(b"\x93NUMPY") else payload


def _pickles(data: bytes) -> Iterator[tuple[int, int]]:
    """Where whole pickles of protocol 2 and later stand in other bytes."""
    found, at = 0, data.find(b"\x80", 0, _SEARCHED)
    while at >= 0 and found < _EMBEDDED:
        end = (
            _end_of(data, at)
            if data[at + 1 : at + 2] in (b"\x02", b"\x03", b"\x04", b"\x05")
            else 0
        )
        if end:
            found += 1
            yield at, end
        at = data.find(b"\x80", max(end, at + 1), _SEARCHED)


def _end_of(data: bytes, start: int) -> int:
    stream = io.BytesIO(data)
    stream.seek(start)
    try:
        for _ in pickletools.genops(stream):
            pass
    except Exception:  # these bytes were no pickle
        return 0
    return stream.tell()
