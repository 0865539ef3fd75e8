"""What may be wrong with a file before any pickle in it is read: what it is, and how long it gets."""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

from mlup_safepickle import Refused
from mlup_torch.marks import ZIP, is_legacy

_FREE: Final = 128 * 1024 * 1024
_RATIO: Final = 20
_LOCAL_HEADER: Final = 30
_END: Final = 22  # bytes of the end record, before its comment
_LONGEST_COMMENT: Final = 0xFFFF
_LOCATOR: Final = 20
_END64: Final = 56
_UNKNOWN: Final = (0xFFFF, 0xFFFFFFFF)


class NoTorchFileError(ValueError):
    """It is neither of the two formats that are read by default. The message says what it is."""


def check_container(stream: BinaryIO, size: int) -> None:
    """Make sure that torch reads a zip archive or the format before 1.6, and no bomb.

    Args:
        stream: the file, from its beginning; it is left there.
        size: its length in bytes.

    Raises:
        Refused: it is of a kind that only ``trust`` opens.
        NoTorchFileError: it is nothing of torch's.
    """
    start = stream.tell()
    head = stream.read(64)
    stream.seek(start)
    try:
        if head.startswith(ZIP):
            _check_archive(stream, size)
        elif not start and _is_tar(stream):
            # Before any other format, torch unpacks these to the disk.
            raise Refused(
                "it is a tar file, as PyTorch wrote them before 0.1.10, which is unpacked"
            )
        elif not is_legacy(head):
            raise NoTorchFileError(
                "it begins neither as a zip archive nor as PyTorch's older format"
            )
    finally:
        stream.seek(start)


def check_records(stream: BinaryIO, size: int) -> tuple[int, bool]:
    """The same by torch's own reader, which finds records in another way than :mod:`zipfile`.

    Args:
        stream: an archive that :func:`check_container` let pass, from its beginning; it is left there.
        size: its length in bytes.

    Returns:
        The protocol of the pickle that torch reads (0 where it does not say), and whether it may be
        one of plain tensors alone.

    Raises:
        Refused: the two see different archives, or it is a bomb.
        NoTorchFileError: it is nothing of torch's.
        RuntimeError: torch cannot read it.
    """
    import torch

    start = stream.tell()
    reader: Any = torch._C.PyTorchFileReader(stream)
    try:
        names: list[str] = reader.get_all_records()
        _check_names(names)
        seen = {each.partition("/")[2] for each in zipfile.ZipFile(stream).namelist()}
        if {each for each in names if each} != {each for each in seen if each}:
            raise Refused("PyTorch finds other records in it than its zip directory has")
        if hasattr(reader, "get_record_size"):  # an older torch has none
            _check_sizes(map(reader.get_record_size, names), size)
        content: bytes = reader.get_record("data.pkl")
    finally:
        stream.seek(start)
    plain = b"sparse" not in content and b"nested" not in content
    return content[1] if content[:1] == b"\x80" else 0, plain


def check_no_script(stream: BinaryIO) -> None:
    """Once more, before anything but weights is loaded, what torch itself asks.

    Raises:
        Refused: torch would take it for TorchScript, and run it.
    """
    import torch

    start = stream.tell()
    zipped = stream.read(len(ZIP)) == ZIP
    stream.seek(start)
    asked = getattr(torch.serialization, "_is_torchscript_zip", None)
    if not zipped or asked is None:
        return
    try:
        script = asked(torch._C.PyTorchFileReader(stream))
    finally:
        stream.seek(start)
    if script:
        raise Refused("PyTorch takes it for a TorchScript archive, which it would run")


def _check_archive(stream: BinaryIO, size: int) -> None:
    start = stream.tell()
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise NoTorchFileError(f"its zip directory is damaged ({error})") from error
    records = archive.infolist()
    _check_names([each.filename.partition("/")[2] for each in records])
    if _directory(stream, start) != (archive.start_dir, len(records)):
        raise Refused(
            "its zip directory is not where its end record says: PyTorch would read another "
            "archive than the one that was checked"
        )
    _check_sizes((max(each.file_size, each.compress_size) for each in records), size)


def _check_names(names: list[str]) -> None:
    """Torch finds records whatever their case: of two, it is not known which."""
    lower = [each.lower() for each in names]
    if "constants.pkl" in lower:
        raise NoTorchFileError("it is a TorchScript archive; name the binarizer 'torch-jit'")
    if len(set(lower)) < len(lower):
        raise Refused("it has records of the same name")


def _check_sizes(sizes: Iterable[int], size: int) -> None:
    total = sum(sizes)
    if total > _FREE + _RATIO * size:
        raise Refused(
            f"its records are {total >> 20} MiB long, far more than its size accounts for "
            f"({_RATIO} times its size and {_FREE >> 20} MiB), as a bomb is"
        )


def _directory(stream: BinaryIO, start: int) -> tuple[int, int] | None:
    """Where the directory is and how many records it has, if all that says so says the same.

    Sources: APPNOTE 4.3.14 to 4.3.16; ``mz_zip_reader_read_central_dir`` of miniz, which goes by the
    offsets, and ``_EndRecData`` of :mod:`zipfile`, which goes by what stands before what.
    """
    stream.seek(0, 2)
    length = stream.tell()
    base = max(start, length - _END - _LONGEST_COMMENT - _LOCATOR - _END64)
    stream.seek(base)
    tail = stream.read(length - base)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END:
        return None
    *disks, here, count, long, offset = struct.unpack("<4H2I", tail[at + 4 : at + 20])
    before = at
    if tail[max(0, at - _LOCATOR) : at].startswith(b"PK\x06\x07"):
        before = at - _LOCATOR - _END64
        disk, place, all_disks = struct.unpack("<IQI", tail[at - _LOCATOR + 4 : at])
        if (
            before < 0
            or not tail.startswith(b"PK\x06\x06", before)
            or place != base + before - start
        ):
            return None
        *disks64, here64, count64, long64, offset64 = struct.unpack(
            "<2I4Q", tail[before + 16 : before + _END64]
        )
        pairs = zip((here, count, long, offset), (here64, count64, long64, offset64), strict=True)
        if any(old != new and old not in _UNKNOWN for old, new in pairs):
            return None
        if disk or all_disks > 1 or any(disks64):
            return None
        here, count, long, offset = here64, count64, long64, offset64
    if any(each not in (0, 0xFFFF) for each in disks) or here != count:
        return None
    return (start + offset, count) if start + offset + long == base + before else None


def _is_tar(stream: BinaryIO) -> bool:
    start = stream.tell()
    try:
        with tarfile.open(fileobj=stream, mode="r:", format=tarfile.PAX_FORMAT):
            return True
    except tarfile.TarError:
        return False
    finally:
        stream.seek(start)


def pickle_of(records: list[zipfile.ZipInfo]) -> zipfile.ZipInfo | None:
    """The record of an archive that torch unpickles: ``data.pkl`` in its one folder, in any case."""
    return next(
        (each for each in records if each.filename.lower().split("/")[1:] == ["data.pkl"]), None
    )


def content(stream: BinaryIO, record: zipfile.ZipInfo, most: int) -> bytes:
    """Up to ``most`` bytes of a record, as torch reads it: whatever its checksum and flags are."""
    stream.seek(record.header_offset)
    header = stream.read(_LOCAL_HEADER)
    stream.seek(
        int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1
    )
    data = stream.read(min(record.compress_size, most + 1024))
    if record.compress_type == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-15).decompress(data, most)
    return data[:most]
