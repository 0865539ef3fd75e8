"""What bytes are when no binarizer wants them: a word for the user.

Each test is a question about the source; the first that has an answer gives the verdict. What
the formats of models look like is data, in :mod:`mlup.known_formats`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mlup import known_formats, probe
from mlup.errors import MLupError
from mlup.files import ModelPath
from mlup.known_formats import Verdict
from mlup.names import EXTENSIONS
from mlup.showing import LONGEST, shown

_VERSIONS: Final = 3  # of a served SavedModel: its last folders are looked into, no more


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


def _folder(path: ModelPath) -> Verdict | str | None:
    if not path.is_dir():
        return None
    members = path.members()
    if not members:
        return "an empty folder"
    for names, said in known_formats.FOLDERS:
        if names <= set(members):
            return _pointer(path, sorted(names)) or said
    versions = [name for name in members if name.isdigit()]
    for version in versions[-_VERSIONS:]:  # a member stays open as long as the folder
        inner = path.member(version)
        if inner and "saved_model.pb" in inner.members():
            return f"a folder of a TensorFlow SavedModel's versions; give one, such as {version}"
    some = shown(", ".join(members[:5]), LONGEST) + (", …" if len(members) > 5 else "")
    return f"a folder in which no installed binarizer sees a model ({some})"


def _pointer(path: ModelPath, names: list[str]) -> str | None:
    """What is in a folder's place after a clone without Git LFS."""
    for name in names:
        file = path.member(name)
        if file and file.head.startswith(known_formats.LFS):
            return f"a folder in which {name} is a Git LFS pointer; run: git lfs pull"
    return None


def _empty(path: ModelPath) -> str | None:
    return "an empty file" if path.size == 0 and not path.is_dir() else None


def _zeros(path: ModelPath) -> str | None:
    return None if path.head.strip(b"\0") or path.tail.strip(b"\0") else "zeros only, at both ends"


def _marked(path: ModelPath) -> Verdict | None:
    head = path.head
    for offset, mark, said in known_formats.MARKS:
        if head.startswith(mark, offset):
            return said
    for start, mark, said in known_formats.WITHIN_HEAD:
        if head.startswith(start) and mark in head:
            return said
    return None


def _html(path: ModelPath) -> str | None:
    start = path.head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page: a failed download?"
    return None


def _zip(path: ModelPath) -> Verdict | str | None:
    head = path.head
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if probe.zip_directory(path) is None:
        length = int.from_bytes(head[26:28], "little")
        first = head[30 : 30 + length].decode("utf-8", "replace")
        said = f", though it starts with {first!r}" if first and 30 + length <= len(head) else ""
        return f"a truncated zip archive: it has no end-of-directory record{said}"
    return known_formats.zip_archive(path) or (
        "a zip archive in which no installed binarizer sees a model"
    )


def _hdf5(path: ModelPath) -> Verdict | None:
    return known_formats.hdf5(path) if path.head.startswith(b"\x89HDF\r\n\x1a\n") else None


def _structured(path: ModelPath) -> Verdict | None:
    return next(filter(None, (test(path) for test in known_formats.STRUCTURES)), None)


def _pickle(path: ModelPath) -> Verdict | str | None:
    start = probe.pickle_start(path)
    if start is None:
        return None
    if start.lone_number:
        said = "a pickled number with more data behind it: no model that pickle could return"
        return Verdict(said, inspected_by="pickle")
    kind = f"protocol {start.protocol}" if start.protocol else "protocol 0 or 1"
    if not probe.pickle_stops(path):
        said = f"a pickle or joblib dump ({kind}) that does not reach its STOP: truncated?"
        return Verdict(said, inspected_by="pickle")
    if probe.pickle_imports(path, known_formats.OF_DILL):
        return known_formats.DILL
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
    if not all(character.isprintable() or character in "\t\r\n\f" for character in text):
        return None
    beginning = shown(" ".join(text.split()), 60)
    return f"text of no model format that an installed binarizer knows: {beginning!r}"


def _named(path: ModelPath) -> Verdict | None:
    """The last word: only the name speaks of a model."""
    binarizers = EXTENSIONS.get(path.suffix.lower())
    if binarizers is None:
        return None
    said = f"nothing that its name ({path.suffix.lower()}) promises, or a damaged one"
    return Verdict(said, binarizers[0])


_TESTS: Final[tuple[Callable[[ModelPath], Verdict | str | None], ...]] = (
    _folder,
    _empty,
    _zeros,
    _marked,
    _html,
    _zip,
    _hdf5,
    _pickle,
    _structured,
    _text,
    _named,
)
