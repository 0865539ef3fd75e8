"""Symbolic links in a model's folder that lead out of it."""

from __future__ import annotations

import os
from typing import Final

_BLOBS: Final = "blobs"  # where the cache of Hugging Face keeps what its snapshots link to


def leads_out(home: str, name: str) -> str | None:
    """The first link in one of a model's folders that leads out of the model; ``None``: there is none.

    Args:
        home: the model's folder.
        name: of the folder in it.
    """
    home = os.path.realpath(home)
    blobs = os.path.join(home.partition(f"{os.sep}snapshots{os.sep}")[0], _BLOBS)
    paths = [os.path.join(home, name)]
    for where, folders, files in os.walk(paths[0]):
        paths += (os.path.join(where, each) for each in (*folders, *files))
    for path in paths:
        if os.path.islink(path):
            place = os.path.realpath(path)
            if not place.startswith((home + os.sep, blobs + os.sep)):
                return os.path.relpath(path, home)
    return None
