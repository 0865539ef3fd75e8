"""Files under names that say more, or less, or something wrong: :class:`Sample`."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """A model and the file or folder that the author's ``write`` made of it."""

    name: str
    model: Any
    path: Path

    @property
    def is_dir(self) -> bool:
        """Whether the format is a folder."""
        return self.path.is_dir()

    def data(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()

    def files(self) -> Iterator[Path]:
        """The file itself, or those in the folder, in the order of their names."""
        if not self.is_dir:
            yield self.path
        else:
            yield from sorted(each for each in self.path.rglob("*") if each.is_file())


class Upload(io.BytesIO):
    """Bytes that go by a name, as a form's upload does."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def under(path: Path, target: Path) -> Path:
    """The same file or folder under another path: a link where that can be, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:  # Windows without the privilege
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, target)
    return target
