"""A file in a folder as ``score`` sees it, read on the folder's budget."""

from __future__ import annotations

import os
from typing import Any

from mlup import sources
from mlup.files import ModelPath


def _of_the_folder(name: str) -> Any:
    def read(member: Member) -> Any:
        return getattr(member.folder, name)

    def write(member: Member, value: Any) -> None:
        setattr(member.folder, name, value)

    return property(read, write)


class Member(ModelPath):
    """Made by :meth:`mlup.files.ModelPath.member`.

    Attributes:
        folder: what it lies in, whose allowance it shares.
    """

    def __init__(self, reader: sources.Reader, folder: ModelPath, name: str) -> None:
        super().__init__(reader, location=os.path.join(folder, name))
        self.folder = folder

    left = _of_the_folder("left")
    overdrawn = _of_the_folder("overdrawn")
    held = _of_the_folder("held")
