"""A model's source as ``deserialize`` sees it: :class:`LoadedFile`."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from mlup import sources, streams
from mlup.errors import SourceError


class LoadedFile(NamedTuple):
    """What ``deserialize`` receives. The first two fields are the predecessor's, in its order.

    Attributes:
        raw_data: bytes, str, an open binary file, or ``b""`` where ``path`` says it all.
        path: the file or folder on this machine as text, or ``None``.
        options: the options given for this load, already checked against the plugin's own list.
        trust: whether the caller lets the file run what it names.
        allow: names that the caller lets it use, beside the safe ones: exact ones as text, or
            ``"my_package.*"`` for what is defined in a package of the caller's.
    """

    raw_data: Any = b""
    path: str | None = None
    options: Mapping[str, Any] = MappingProxyType({})
    trust: bool = False
    allow: tuple[str, ...] = ()

    @property
    def on_disk(self) -> str | None:
        """The path, where it says it all; ``None`` where ``raw_data`` holds the model."""
        raw = self.raw_data
        empty = raw is None or (isinstance(raw, bytes) and not raw)
        return os.fsdecode(self.path) if self.path is not None and empty else None

    @property
    def label(self) -> str:
        """What to call it in a message: its path, an open file's name, or ``<bytes>``."""
        if self.path is not None:
            return os.fsdecode(self.path)
        return streams.stream_name(self.raw_data) or "<bytes>"

    def allows(self, name: str) -> bool:
        """Whether the caller lets the file use what goes by exactly this name."""
        return self.trust or name in self.allow

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The model as a binary stream at its beginning. The caller's own stream is left open.

        Raises:
            SourceError: there is a folder, or an object that is neither bytes nor a file.
        """
        path = self.on_disk
        if path is not None:
            try:
                stream = open(path, "rb")
            except OSError as error:
                raise sources.unreadable(path, error) from error
            with stream:
                yield stream
        elif isinstance(self.raw_data, str):
            yield io.BytesIO(self.raw_data.encode())
        elif isinstance(self.raw_data, (bytes, bytearray, memoryview)):
            yield io.BytesIO(self.raw_data)
        elif hasattr(self.raw_data, "read"):
            yield self.raw_data
        else:
            raise SourceError(
                f"There is no file to open: raw_data is of type {type(self.raw_data).__name__}."
            )

    @contextlib.contextmanager
    def as_path(self, suffix: str | None = None) -> Iterator[str]:
        """The model as a path of this machine, for frameworks that take nothing else.

        A file that is on disk under a fitting name is given as it is. Bytes and streams are
        copied to a temporary file, which is removed afterwards; a file whose name must end in
        ``suffix`` and does not is linked, not copied.

        Args:
            suffix: the ending the framework insists on, with its dot (``".keras"``).

        Raises:
            SourceError: the temporary file cannot be written.
        """
        known = self.on_disk or _path_of_stream(self.raw_data)
        if known is not None and (suffix is None or known.endswith(suffix)):
            yield known
            return
        import shutil
        import tempfile

        try:
            folder = tempfile.mkdtemp(prefix="mlup-")
        except OSError as error:
            raise SourceError(f"A temporary folder cannot be made: {error}") from error
        try:
            target = os.path.join(folder, "model" + (suffix or ""))
            try:
                if known is None:
                    with self.open() as stream, open(target, "wb") as copy:
                        shutil.copyfileobj(stream, copy, 1024 * 1024)
                else:
                    link(os.path.abspath(known), target)
            except OSError as error:
                raise SourceError(
                    f"{target}, a temporary file, was not written: {error}"
                ) from error
            yield target
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def opened_path(stream: BinaryIO, path: str) -> str:
    """A path to a file that is open, for a library that takes no stream.

    Where the system has one (Linux), it leads to the very file that is open, whatever ``path`` has
    become meanwhile; elsewhere it is ``path``.
    """
    through = f"/proc/self/fd/{stream.fileno()}"
    return through if os.path.exists(through) else path


def link(existing: str, target: str) -> None:
    """Give a file or a folder another path: a link where that can be, else a copy.

    Args:
        existing: its absolute path.
        target: where the link is made.

    Raises:
        OSError: neither a link nor a copy can be made there.
    """
    try:
        os.symlink(existing, target)
    except (OSError, NotImplementedError):  # Windows without the privilege
        try:
            os.link(existing, target)
        except OSError:  # a folder, or another volume
            import shutil

            copy = shutil.copytree if os.path.isdir(existing) else shutil.copyfile
            copy(existing, target)


def _path_of_stream(stream: object) -> str | None:
    """The path of an ordinary open file that stands at its beginning, or ``None``.

    Only the two types that ``open(…, "rb")`` returns count: a ``GzipFile`` also has a
    ``fileno()``, of bytes other than those it reads.
    """
    raw = stream.raw if type(stream) is io.BufferedReader else stream
    if type(raw) is not io.FileIO or not isinstance(raw.name, (str, bytes)):
        return None
    try:
        path = os.fsdecode(raw.name)
        same = os.path.samestat(os.fstat(raw.fileno()), os.stat(path))
        return path if same and cast(BinaryIO, stream).tell() == 0 else None
    except (OSError, ValueError):
        return None
