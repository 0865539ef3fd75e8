"""A model's source as ``score`` sees it: :class:`ModelPath`, with its names and bounded reads.

This module knows nothing of plugins. What ``deserialize`` sees is in :mod:`mlup.loaded_file`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from mlup import sources, streams
from mlup.errors import ProbeError, SourceError
from mlup.loaded_file import LoadedFile as LoadedFile

if TYPE_CHECKING:
    import pathlib

EDGE: Final = 100
"""Bytes of ``head`` and of ``tail``."""

BUDGET: Final = 1024 * 1024
"""Bytes that one plugin may read through :meth:`ModelPath.read_at` in one detection."""

_UNNAMED: Final = ("", ".", "..")

MAX_MEMBERS: Final = 1000
"""Names that :meth:`ModelPath.members` returns, at most."""


class ModelPath(os.PathLike[str]):
    """What is being looked at: names like pathlib's, and bounded reads.

    ``open(path)`` and ``os.fspath(path)`` work where the source is a file or folder of this
    machine; :meth:`open` and :meth:`read_at` work for every source. Made by mlup; a plugin
    author who tests ``score`` alone passes a plain ``str`` or :class:`pathlib.Path` instead.

    Attributes:
        size: length in bytes (0 for a folder).
        remembered: results of :mod:`mlup.probe`, so that each is computed once per detection.
    """

    # Defaults on the class, not in __init__: one of these is made for every file.
    _closed = False
    _head: bytes | None = None
    _tail: bytes | None = None
    _prefix = b""  # the longest beginning that was read so far
    held = False  # while plugins score: none may close it for the others
    left = BUDGET
    overdrawn = False

    def __init__(
        self, reader: sources.Reader, *, location: str | None, name: str | None = None
    ) -> None:
        self._reader = reader
        self._location = location
        self._name = name
        self.size = reader.size
        self.remembered: dict[Any, Any] = {}

    @classmethod
    def of(cls, source: object, *, spool_limit: int = streams.DEFAULT_SPOOL_LIMIT) -> ModelPath:
        """Open any source: a path, bytes, an open binary file, a :class:`LoadedFile`.

        Raises:
            SourceError: it cannot be read, or it is none of these.
        """
        if isinstance(source, str):
            return cls.local(source)
        try:
            if isinstance(source, os.PathLike):
                return cls.local(os.fsdecode(source))
            if isinstance(source, (bytes, bytearray, memoryview)):
                return cls(sources.Memory(bytes(source)), location=None)
        except (TypeError, ValueError) as error:  # a __fspath__ of no path, a released memoryview
            raise SourceError(
                f"The source, a {type(source).__name__}, is unusable: {error}"
            ) from error
        if isinstance(source, LoadedFile):
            return cls._of_loaded_file(source, spool_limit)
        if hasattr(source, "read"):
            stream = cast(BinaryIO, source)
            name = streams.stream_name(stream)
            return cls(streams.open_stream(stream, name, spool_limit), location=None, name=name)
        raise SourceError(
            f"An object of type {type(source).__name__} is no source: give a path, bytes, an open "
            "binary file or a LoadedFile. A model that is in memory already is returned as it is "
            "by binarizer='memory'."
        )

    @classmethod
    def local(cls, path: str) -> ModelPath:
        """Open a file or folder of this machine."""
        return cls(sources.open_local(path), location=path)

    @classmethod
    def _of_loaded_file(cls, file: LoadedFile, spool_limit: int) -> ModelPath:
        raw = file.raw_data
        if file.on_disk is not None:
            return cls.local(file.on_disk)
        opened = cls.of(raw.encode() if isinstance(raw, str) else raw, spool_limit=spool_limit)
        if file.path is not None:
            opened._name = os.path.basename(os.fsdecode(file.path))
        return opened

    def __fspath__(self) -> str:
        if self._location is None:
            raise SourceError(
                f"{self} is not a file of this machine; read it with path.open() or path.read_at()."
            )
        return self._location

    def __str__(self) -> str:
        return self._location or self._name or "<bytes>"

    def __repr__(self) -> str:
        return f"ModelPath({str(self)!r}, size={self.size})"

    @property
    def location(self) -> str | None:
        """The path of the file or folder on this machine; ``None`` for bytes and streams."""
        return self._location

    @property
    def name(self) -> str:
        """The last part of the path, or the name an open file goes by; ``""`` for bytes."""
        if self._name is None:
            path = self._location or ""
            name = path[path.rfind(os.sep) + 1 :]
            if path and (name in _UNNAMED or os.altsep):  # "folder/"; Windows' two separators
                name = os.path.basename(os.path.abspath(path))
            self._name = name
        return self._name

    @property
    def suffix(self) -> str:
        """The last extension with its dot, as pathlib has it: ``".gz"``, or ``""``."""
        name = self.name
        dot = name.rfind(".")
        return name[dot:] if 0 < dot < len(name) - 1 else ""

    @property
    def stem(self) -> str:
        """The name without :attr:`suffix`."""
        return self.name[: len(self.name) - len(self.suffix)]

    @property
    def parent(self) -> pathlib.PurePath:
        """The folder it is in, as pathlib has it; ``PurePath(".")`` for bytes and streams."""
        import pathlib

        if self._location is None:
            return pathlib.PurePath()
        return pathlib.Path(self._location).parent

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._reader.is_dir

    def members(self) -> tuple[str, ...]:
        """The names in a folder, sorted, :data:`MAX_MEMBERS` at most; ``()`` for anything else."""
        if not self._reader.is_dir or self._location is None:
            return ()
        names: tuple[str, ...] | None = self.remembered.get("members")
        if names is None:
            found = []
            try:
                with os.scandir(self._location) as entries:
                    for entry in entries:
                        found.append(entry.name)
                        if len(found) >= MAX_MEMBERS:
                            break
            except OSError as error:
                raise sources.unreadable(self._location, error) from error
            names = self.remembered["members"] = tuple(sorted(found))
        return names

    def member(self, name: str) -> ModelPath | None:
        """A file or folder in this folder, to look into; ``None`` where it has none of that name.

        What is read of it counts as read of the folder, and it is closed with the folder. A link
        is followed wherever it leads, as the frameworks do: folders of downloaded models often
        consist of links into a cache. Devices and pipes are not opened.
        """
        if self._location is None or not self._reader.is_dir:
            return None
        if name in _UNNAMED or os.path.basename(name) != name:  # a path is no name
            return None
        from mlup.members import Member

        opened: dict[str, Member | None] = self.remembered.setdefault("opened", {})
        if name not in opened:
            try:
                reader = sources.open_local(os.path.join(self._location, name))
            except SourceError:  # a folder's listing may name a FIFO, a broken link, a secret
                opened[name] = None
            else:
                opened[name] = Member(reader, self, name)
        return opened[name]

    @property
    def head(self) -> bytes:
        """The first :data:`EDGE` bytes; fewer for a short file, ``b""`` for a folder."""
        if self._head is None:
            self._head = self._prefix = self._read(0, EDGE)
        return self._head

    @property
    def tail(self) -> bytes:
        """The last :data:`EDGE` bytes."""
        if self._tail is None:
            self._tail = self.head if self.size <= EDGE else self._read(self.size - EDGE, EDGE)
        return self._tail

    def edges(self) -> tuple[bytes, bytes]:
        """:attr:`head` and :attr:`tail`."""
        if self._head is not None or self.size <= EDGE or self._closed:
            return self.head, self.tail
        read = self._reader.read
        try:
            head = self._head = self._prefix = read(0, EDGE)
            tail = self._tail = read(self.size - EDGE, EDGE)
        except Exception as error:  # of a caller's file object, which may raise anything
            raise sources.unreadable(str(self), error) from error
        return head, tail

    def read_at(self, offset: int, n: int) -> bytes:
        """Up to ``n`` bytes from ``offset``: fewer at the end of the source, ``b""`` past it.

        The request is cut to what the source holds before anything is allocated, so ``n`` may
        come from the file itself.

        Raises:
            ProbeError: the plugin has read :data:`BUDGET` bytes in this detection (its score is
                void then, whatever it returns), or the source was closed.
            ValueError: ``offset`` or ``n`` is negative.
        """
        if offset < 0 or n < 0:
            raise ValueError(f"read_at({offset}, {n}): offset and n must not be negative")
        n = min(n, self.size - offset)
        if n <= 0:
            return b""
        if offset + n <= len(self._prefix):
            return self._prefix[offset : offset + n]  # already here
        if self._tail is not None and offset >= self.size - len(self._tail):
            start = offset - self.size + len(self._tail)
            return self._tail[start : start + n]
        if n > self.left:
            self.overdrawn = True
            raise ProbeError(
                f"read_at({offset}, {n}) on {self}: only {self.left} of the {BUDGET} bytes that a "
                "plugin may read in one detection are left. Score from structure, not content."
            )
        self.left -= n
        data = self._read(offset, n)
        if offset == 0:
            self._prefix = data  # the longest so far
        return data

    def _read(self, offset: int, n: int) -> bytes:
        if self._closed:
            raise ProbeError(f"{self} was closed after its detection; open it again to read it.")
        try:
            return self._reader.read(offset, n)
        except Exception as error:  # of a caller's file object, which may raise anything
            raise sources.unreadable(str(self), error) from error

    def open(self, mode: str = "rb") -> BinaryIO:
        """A new binary stream over the whole source. For ``deserialize``, not for ``score``."""
        if mode != "rb":
            raise ValueError(f"a model is opened in mode 'rb', not {mode!r}")
        return self._reader.open()

    def raw_data(self) -> bytes | BinaryIO:
        """What ``deserialize`` gets as ``raw_data``."""
        return self._reader.raw_data()

    def next_reader(self) -> None:
        """Give the next plugin its own budget, so that a greedy one costs only itself."""
        self.left = BUDGET
        self.overdrawn = False

    def close(self) -> None:
        """Release the source. Names and remembered results stay; further reads raise."""
        if not self._closed and not self.held:
            self._closed = True
            self._reader.close()
            for member in self.remembered.get("opened", {}).values():
                if member is not None:
                    member.close()

    def __enter__(self) -> ModelPath:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
