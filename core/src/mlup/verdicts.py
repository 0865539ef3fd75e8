"""What bytes are when no binarizer wants them: a word for the user, as data.

Each row is a phrase and the test that earns it; the first that holds is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mlup import probe
from mlup.errors import MLupError
from mlup.files import ModelPath


class Verdict(str):
    """What bytes are, and the official binarizer that would know more of them, if any."""

    binarizer: str | None

    def __new__(cls, said: str, binarizer: str | None = None) -> Verdict:
        """``said`` names the bytes; ``binarizer`` is one of :mod:`mlup.names`."""
        self = str.__new__(cls, said)
        self.binarizer = binarizer
        return self


_MARKS: Final[tuple[tuple[bytes, Verdict], ...]] = (
    (
        b"version https://git-lfs.github.com/spec/v1",
        Verdict("a Git LFS pointer; run: git lfs pull"),
    ),
    (b"\x89HDF\r\n\x1a\n", Verdict("an HDF5 file")),
    (b"\x1f\x8b", Verdict("gzip-compressed data", "joblib")),
    (b"BZh", Verdict("bzip2-compressed data", "joblib")),
    (b"\xfd7zXZ\x00", Verdict("xz-compressed data", "joblib")),
    (b"\x04\x22\x4d\x18", Verdict("lz4-compressed data", "joblib")),
    (b"x\x01", Verdict("zlib-compressed data", "joblib")),
    (b"x\x5e", Verdict("zlib-compressed data", "joblib")),
    (b"x\x9c", Verdict("zlib-compressed data", "joblib")),
    (b"x\xda", Verdict("zlib-compressed data", "joblib")),
    (b"\x89PNG\r\n", Verdict("a PNG image")),
    (b"%PDF-", Verdict("a PDF document")),
    (b"\x7fELF", Verdict("an ELF binary")),
    (b"SQLite format 3\x00", Verdict("an SQLite database")),
)
"""The first bytes → what they are. Formats that an installed binarizer knows say so by their score."""


def verdict(path: ModelPath) -> Verdict | None:
    """What the bytes are; ``None`` where nothing is known of them. Never raises for content."""
    path.next_reader()
    try:
        for test in _TESTS:
            found = test(path)
            if found:
                return found if isinstance(found, Verdict) else Verdict(found)
    except MLupError:  # a file that cannot be read further has no verdict
        pass
    return None


def _folder(path: ModelPath) -> str | None:
    if not path.is_dir():
        return None
    members = path.members()
    if not members:
        return "an empty folder"
    shown = ", ".join(members[:5]) + (", …" if len(members) > 5 else "")
    return f"a folder in which no installed binarizer sees a model ({shown})"


def _empty(path: ModelPath) -> str | None:
    return "an empty file" if path.size == 0 and not path.is_dir() else None


def _zeros(path: ModelPath) -> str | None:
    return None if path.head.strip(b"\0") or path.tail.strip(b"\0") else "zeros only, at both ends"


def _marked(path: ModelPath) -> Verdict | None:
    return next((said for mark, said in _MARKS if path.head.startswith(mark)), None)


def _html(path: ModelPath) -> str | None:
    start = path.head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page: a failed download?"
    return None


def _zip(path: ModelPath) -> str | None:
    if not path.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if probe.zip_directory(path) is None:
        return "a truncated zip archive: it has no end-of-directory record"
    return "a zip archive in which no installed binarizer sees a model"


def _pickle(path: ModelPath) -> Verdict | str | None:
    start = probe.pickle_start(path)
    if start is None:
        return None
    if start.lone_number:
        return "a pickled number with more data behind it: no model that pickle could return"
    kind = f"protocol {start.protocol}" if start.protocol else "protocol 0 or 1"
    if not probe.pickle_stops(path):
        return Verdict(f"a pickle or joblib dump ({kind}) that does not reach its STOP: truncated?")
    if probe.pickle_interleaved(path):
        return Verdict(f"a joblib dump ({kind})", "joblib")
    return Verdict(f"a pickle ({kind})", "pickle")


def _text(path: ModelPath) -> str | None:
    try:
        text = path.head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(path.head) - 4 or path.size <= len(path.head):
            return None
        text = path.head[: error.start].decode()  # the edge cut a character in two
    plain = all(character.isprintable() or character in "\t\r\n\f" for character in text)
    return "text of no model format that an installed binarizer knows" if plain else None


_TESTS: Final[tuple[Callable[[ModelPath], Verdict | str | None], ...]] = (
    _folder,
    _empty,
    _zeros,
    _marked,
    _html,
    _zip,
    _pickle,
    _text,
)
