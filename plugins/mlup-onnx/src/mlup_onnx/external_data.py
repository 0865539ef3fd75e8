"""Where a model's weights may be: in ordinary files, in its own folder.

What onnx and ONNX Runtime had to learn one by one: ``..`` (CVE-2022-25882, CVE-2024-27318,
CVE-2024-5187), links out of the folder (CVE-2026-27489), hard links (CVE-2026-34446). ONNX Runtime
1.24 and later refuse most of these, earlier ones none.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Final

from mlup_onnx.model_contents import ExternalData

_IN_MEMORY: Final = "*/"
"""How ONNX Runtime's own tags begin (``*/_ORT_MEM_ADDR_/*``): the offset is an address in memory."""

_NUMBER: Final = re.compile(r"[0-9]{0,18}", re.ASCII)


def folders_of(path: str) -> tuple[str, ...]:
    """Where a model's weights may be: beside its name, and beside what that is a link to.

    The second is how the cache of the Hugging Face hub is built: all names there are links.
    """
    return os.path.dirname(path) or ".", os.path.dirname(os.path.realpath(path))


def is_a_range(data: ExternalData) -> bool:
    """Whether it says where in the file the values are as numbers of bytes, or does not say it."""
    return bool(_NUMBER.fullmatch(data.offset) and _NUMBER.fullmatch(data.length))


def objection(location: str, folders: tuple[str, ...]) -> str | None:
    """What is wrong with a place, as the rest of "its weights …"; ``None``: nothing.

    A file that does not exist is nothing that could be read: ONNX Runtime says that best.

    Args:
        location: what the model says.
        folders: those of the model; none for bytes.
    """
    if location.startswith(_IN_MEMORY):
        return "would be read from an address in memory"
    if not location or "\0" in location:
        return "are in a file without a name"
    if location[0] in "/\\" or re.match(r"[A-Za-z]:", location):
        return "are at an absolute path"
    if ".." in re.split(r"[/\\]", location):
        return "are at a path that leads upwards"
    if "\\" in location and os.name != "nt":
        return "are at a path with backslashes"
    if not folders:
        return "would be read from the working directory, since bytes have no folder"
    if leads_outside(location, folders):
        return "are behind a link that leads out of the model's folder"
    for folder in folders:
        wrong = _objection_to_file(os.path.join(folder, location))
        if wrong is not None:
            return wrong
    return None


def leads_outside(location: str, folders: tuple[str, ...]) -> bool:
    """Whether it is not in the model's folder, once all links are followed."""
    inside = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
    return (
        os.path.isabs(location)
        or "\0" in location
        or not all(
            os.path.join(os.path.realpath(os.path.join(folder, location)), "").startswith(inside)
            for folder in folders
        )
    )


def _objection_to_file(path: str) -> str | None:
    try:
        found = os.stat(path)
    except OSError:  # ONNX Runtime will not find it either
        return None
    if not stat.S_ISREG(found.st_mode):
        return "are in something that is no ordinary file"
    if found.st_nlink > 1:
        return "are in a file with more names (a hard link), which may lie in any folder"
    return None
