"""What bytes are when no binarizer wants them: a word for the user, as data.

Each row is a phrase and the test that earns it; the first that holds is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mlup import probe
from mlup.errors import MLupError
from mlup.files import ModelPath

_MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer; run: git lfs pull"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ\x00", "xz-compressed data"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "an ELF binary"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
"""The first bytes → what they are. Formats that a binarizer knows say so by their score."""


def verdict(path: ModelPath) -> str | None:
    """What the bytes are; ``None`` where nothing is known of them. Never raises for content."""
    path.next_reader()
    try:
        for test in _TESTS:
            found = test(path)
            if found:
                return found
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
    return "an empty file" if path.size == 0 else None


def _zeros(path: ModelPath) -> str | None:
    return None if path.head.strip(b"\0") or path.tail.strip(b"\0") else "zeros only, at both ends"


def _marked(path: ModelPath) -> str | None:
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


def _pickle(path: ModelPath) -> str | None:
    start = probe.pickle_start(path)
    if start is None:
        return None
    if start.lone_number:
        return "a pickled number with more data behind it: no model that pickle could return"
    if not probe.pickle_stops(path):
        return f"a truncated pickle (protocol {start.protocol}): it does not reach its STOP"
    return (
        f"a pickle (protocol {start.protocol}), and no binarizer for it is installed: "
        "pip install 'mlup-core[pickle]'"
    )


def _text(path: ModelPath) -> str | None:
    try:
        text = path.head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(path.head) - 4 or path.size <= len(path.head):
            return None
        text = path.head[: error.start].decode()  # the edge cut a character in two
    plain = all(character.isprintable() or character in "\t\r\n\f" for character in text)
    return "text of no model format that an installed binarizer knows" if plain else None


_TESTS: Final[tuple[Callable[[ModelPath], str | None], ...]] = (
    _folder,
    _empty,
    _zeros,
    _marked,
    _html,
    _zip,
    _pickle,
    _text,
)
