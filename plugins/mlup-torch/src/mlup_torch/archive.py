"""What a zip archive of PyTorch's holds: an object of torch.save, or TorchScript.

Facts, of ``caffe2/serialize/inline_container.cc`` and tried with torch 2.13: its reader takes
archives whose first record lies in a folder, refuses records outside that folder, and wants a
``version`` in it; records may be stored or deflated, and stand in any order.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from mlup import probe
from mlup_torch.marks import ZIP

if TYPE_CHECKING:
    from mlup import ModelPath

_MARKS: Final = ("byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")
"""Records that only PyTorch writes; its first versions with archives wrote none of them."""

_PLAIN: Final = ("", "data.pkl", "version")
_FOREIGN: Final = ("archive_format", ".data/extern_modules")  # torch.export, torch.package
_TEXT_ID: Final = b"P('storage', <class"
"""How protocol 0 writes a persistent id: as text, which torch.load cannot read back."""

_IMPORT: Final = re.compile(rb"c([\w.]{1,100})\n([\w.]{1,100})\n", re.ASCII)

_PROTOCOL_2: Final = b"\x80\x02"
_STORED, _DEFLATED = 0, 8
_HEADER: Final = 30  # of a record in the zip; its name, an extra field and its data follow
_PIECE: Final = 512  # bytes of data.pkl that are read for its first import
_TAIL: Final = 256 * 1024  # bytes of a directory too long to be read whole
_MAX_NAME: Final = 1024  # bytes of a name in there; a longer one is none of torch's
_SHOWN: Final = 100  # characters of a class's name; a longer one is not shown

_ENTRY: Final = b"PK\x01\x02"
_LENGTHS: Final = struct.Struct("<8xH18x3H12x")  # of an entry: flags; name, extra field, comment
_BEHIND: Final = (_ENTRY, b"PK\x05\x06", b"PK\x06\x06")
"""What follows an entry of a directory: another one, or the end's record, of zip64 or without."""


class Archive(NamedTuple):
    """What an archive is.

    Attributes:
        script: TorchScript; otherwise an object of torch.save.
        reason: the same for the user, with the object's class where it came into sight.
    """

    script: bool
    reason: str


@probe.reader
def archive(path: ModelPath) -> Archive | None:
    """Which kind of PyTorch archive it is; ``None`` for every other zip, and for a damaged one."""
    directory = probe.zip_directory(path)
    if directory is None or directory.prefix or not directory.names:
        return None
    root, slash, _ = directory.names[0].partition("/")
    root += slash
    names = frozenset(directory.names)
    # If the first and the last by alphabet lie in the folder, so do those between them.
    if not slash or not (min(names).startswith(root) and max(names).startswith(root)):
        return None
    if not directory.complete:
        names |= _last(path)
    script = _is_script(names, root)
    if script is None:
        return None
    record = directory.record(root + "data.pkl")
    of = _of(path, record) if record else ""  # it may stand in a part that was not read
    if of is None:
        return None
    what = "TorchScript" if script else "PyTorch"
    count = f"{'' if directory.complete else 'more than '}{len(directory.names)} records"
    return Archive(script, f"{what} archive{of} ({count})")


def _is_script(names: frozenset[str], root: str) -> bool | None:
    """Whether it is TorchScript, by the names in a folder; ``None``: no archive of these."""

    def no(*each: str) -> bool:
        return names.isdisjoint([root + name for name in each])

    if no("data.pkl") or no("version", ".data/version") or not no(*_FOREIGN):
        return None
    if not no("constants.pkl"):  # torch.load goes by this name, too
        code = root + "code/"
        return True if any(name.startswith(code) for name in names) else None
    if not no(*_MARKS):
        return False
    # Nothing but the storages then: any folder may hold a data.pkl beside a version.
    for name in names:
        folder, _, key = name[len(root) :].rpartition("/")
        if key.strip("0123456789") if folder == "data" else folder or key not in _PLAIN:
            return None
    return False


def _last(path: ModelPath) -> frozenset[str]:
    """The names at a directory's end: TorchScript's own records come behind its tensors'.

    The window may begin anywhere, so the mark of an entry is looked for. From there on whole
    entries are taken, none of which overlap: the names take no more memory than the window.
    """
    data = path.read_at(max(0, path.size - _TAIL), _TAIL)
    names = set()
    at = data.find(_ENTRY, 0, -_LENGTHS.size)
    for _ in range(_TAIL // _LENGTHS.size):  # no more entries than that fit in
        if at < 0:
            break
        flags, length, extra, comment = _LENGTHS.unpack_from(data, at)
        start = at + _LENGTHS.size
        end = start + length + extra + comment
        if not data.startswith(_BEHIND, end):
            end = at + len(_ENTRY)  # no entry: four bytes that happen to be its mark
        elif length <= _MAX_NAME:
            name = data[start : start + length]
            names.add(name.decode("utf-8" if flags & 0x800 else "cp437", "replace"))
        at = data.find(_ENTRY, end, -_LENGTHS.size)
    return frozenset(names)


def _of(path: ModelPath, record: probe.ZipRecord) -> str | None:
    """What the archive's pickle is of, for the reason; ``None`` where no pickle stands there."""
    data = _pickle(path, record)
    if data is None:
        return None
    found = _IMPORT.search(data) if data.startswith(_PROTOCOL_2) else None
    if found:  # torch's default, and most files: much cheaper than following the opcodes
        return named(f"{found[1].decode()}.{found[2].decode()}")
    start = probe.pickle_start_of(data, record.size)
    return named(start.first_name) if start else None


def _pickle(path: ModelPath, record: probe.ZipRecord) -> bytes | None:
    """How the archive's pickle begins; ``None`` where none stands at its place."""
    at = record.header_offset
    data = path.read_at(at, _HEADER)
    if not data.startswith(ZIP) or len(data) < _HEADER:
        return None
    # The extra field pads the data to a multiple of 64 bytes, or of any number in torch's config.
    at += _HEADER + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    data = path.read_at(at, min(_PIECE, record.compressed_size))
    if record.method == _DEFLATED:
        data = _inflated(data)
    elif record.method != _STORED:
        return None
    return data if data and _TEXT_ID not in data else None


def _inflated(data: bytes) -> bytes:
    import zlib

    try:
        return zlib.decompressobj(-15).decompress(data, _PIECE)
    except zlib.error:
        return b""


def named(name: str | None) -> str:
    """`` of package.Class`` for a reason, from a pickle's first import; ``""``: none to show."""
    if name is None or len(name) > _SHOWN or not name.isprintable():
        return ""
    if name.startswith("torch._utils."):  # how a tensor is rebuilt
        return " of tensors"
    return f" of {name.removeprefix('__torch__.')}"
