"""Zips written anew by Python: other order, other compression, other extras than the frameworks'."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

_DAY = (2024, 5, 6, 7, 8, 10)


def zipped(
    members: list[tuple[str, bytes | str]],
    compression: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
) -> bytes:
    """A zip of these members, in this order; a name that ends in ``/`` is a folder's entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name, data in members:
            info = zipfile.ZipInfo(name, _DAY)
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else compression
            archive.writestr(info, data)
    return buffer.getvalue()


def rezipped(
    data: bytes,
    compression: int = zipfile.ZIP_STORED,
    *,
    key: Callable[[str], Any] | None = None,
    rename: Callable[[str], str] | None = None,
    before: list[tuple[str, bytes | str]] | None = None,
    comment: bytes = b"",
) -> bytes:
    """The same members in another archive: sorted by ``key``, renamed, with others before them."""
    members: list[tuple[str, bytes | str]] = list(before or [])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        members += [
            (rename(name) if rename else name, archive.read(name))
            for name in (sorted(names, key=key) if key else names)
        ]
    return zipped(members, compression, comment)
