"""A path as Keras wants it: with the suffix by which it chooses its reader."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import mlup
from mlup import probe
from mlup.loaded_file import link
from mlup_tensorflow.keras_files import CONFIG, METADATA, VERSION, WEIGHTS, ZIP, keras_version

ASSETS: Final = "assets"
_OPEN_FILES: Final = "/proc/self/fd"  # of Linux: a path to the very file that is open


class KerasPath(NamedTuple):
    """What Keras is given.

    Attributes:
        path: a file, or a folder with a separator at its end.
        kind: ``"zip"``, ``"hdf5"`` or ``"folder"``.
        weights: the open file, or that of a folder's weights; ``None``: there are none.
        home: the folder as the user knows it.
    """

    path: str
    kind: str
    weights: BinaryIO | None = None
    home: str = ""

    def saved_by(self) -> str | None:
        """The version of Keras that wrote it; ``None`` where it does not say."""
        try:
            if self.kind == "hdf5":
                found = re.match(
                    VERSION, probe.hdf5_text(self.path, "keras_version") or "", re.ASCII
                )
                return found and found[0]
            if self.kind == "folder":
                with open(os.path.join(self.path, METADATA), "rb") as metadata:
                    return keras_version(metadata.read(4096))
            with zipfile.ZipFile(self.path) as archive, archive.open(METADATA) as member:
                return keras_version(member.read(4096))
        except (OSError, KeyError, RuntimeError, zipfile.BadZipFile):  # damaged, or without it
            return None


@contextlib.contextmanager
def path_for_keras(file: mlup.LoadedFile) -> Iterator[KerasPath]:
    """Keras goes by the suffix, in lower case; here the content says which it gets.

    What Keras opens under this path is the open file that ``weights`` is, not whatever may have
    taken its name since; a folder's configuration is a copy.
    """
    with contextlib.ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="mlup-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if file.on_disk is not None and os.path.isdir(file.on_disk):
            yield _folder(file.on_disk, folder, stack)
            return
        known = stack.enter_context(file.as_path())
        stream = stack.enter_context(open(known, "rb"))
        is_zip = stream.read(len(ZIP)) == ZIP
        path = os.path.join(folder, "model.keras" if is_zip else "model.h5")
        _give(stream, path)
        yield KerasPath(path, "zip" if is_zip else "hdf5", stream)


def _folder(home: str, folder: str, stack: contextlib.ExitStack) -> KerasPath:
    weights = None
    for name in (CONFIG, METADATA):
        if os.path.isfile(os.path.join(home, name)):
            shutil.copyfile(os.path.join(home, name), os.path.join(folder, name))
    if os.path.isfile(os.path.join(home, WEIGHTS)):
        weights = stack.enter_context(open(os.path.join(home, WEIGHTS), "rb"))
        _give(weights, os.path.join(folder, WEIGHTS))
    if os.path.isdir(os.path.join(home, ASSETS)):
        link(os.path.abspath(os.path.join(home, ASSETS)), os.path.join(folder, ASSETS))
    # With the separator even a folder called x.keras is taken for a folder.
    return KerasPath(os.path.join(folder, ""), "folder", weights, home)


def _give(stream: BinaryIO, path: str) -> None:
    """Let an open file have a path."""
    stream.seek(0)
    if os.path.isdir(_OPEN_FILES):
        os.symlink(f"{_OPEN_FILES}/{stream.fileno()}", path)
    else:
        with open(path, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1024 * 1024)


def generation(version: str) -> int:
    """The first number of a version; 0 where there is none."""
    return numbers(version)[0]


def numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version."""
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", version)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
