"""What may be wrong with a file before any pickle in it is read: what it is, and how long it gets."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from typing import BinaryIO, Final

from mlup_safepickle import Refused
from mlup_torch.marks import ZIP, is_legacy

_FREE: Final = 128 * 1024 * 1024
_RATIO: Final = 20
_LOCAL_HEADER: Final = 30


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


def _check_archive(stream: BinaryIO, size: int) -> None:
    try:
        records = zipfile.ZipFile(stream).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise NoTorchFileError(f"its zip directory is damaged ({error})") from error
    if any(each.filename.endswith("/constants.pkl") for each in records):
        raise NoTorchFileError("it is a TorchScript archive; name the binarizer 'torch-jit'")
    total = sum(max(each.file_size, each.compress_size) for each in records)
    if total > _FREE + _RATIO * size:
        raise Refused(
            f"its records are {total >> 20} MiB long, far more than its size accounts for "
            f"({_RATIO} times its size and {_FREE >> 20} MiB), as a bomb is"
        )


def _is_tar(stream: BinaryIO) -> bool:
    start = stream.tell()
    try:
        with tarfile.open(fileobj=stream, mode="r:", format=tarfile.PAX_FORMAT):
            return True
    except tarfile.TarError:
        return False
    finally:
        stream.seek(start)


def protocol(stream: BinaryIO) -> int:
    """The protocol of a file's main pickle; 0 where it does not say.

    Args:
        stream: a checked file, from its beginning; it is left there.
    """
    start = stream.tell()
    head = stream.read(4)
    if head.startswith(ZIP):
        found = pickle_of(zipfile.ZipFile(stream).infolist())
        head = content(stream, found, 2) if found else b""
    stream.seek(start)
    return head[1] if head[:1] == b"\x80" else 0


def pickle_of(records: list[zipfile.ZipInfo]) -> zipfile.ZipInfo | None:
    """The record of an archive that torch unpickles: ``data.pkl`` in its one folder."""
    return next((each for each in records if each.filename.split("/")[1:] == ["data.pkl"]), None)


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
