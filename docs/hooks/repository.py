"""The repository around ``docs/``, and what becomes of links that lead there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

PAGES: Final = {
    "CHANGELOG.md": "changelog.md",
    "packages/mlup-safepickle": "safe-unpickler.md",
    "packages/mlup-safepickle/README.md": "safe-unpickler.md",
    "tests/safelist/README.md": "safe-lists.md",
}
"""A file or folder of the repository -> the page that shows it."""

_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_ELSEWHERE: Final = re.compile(r"[a-z]+:")


def relinked(text: str, source: str, page: str) -> str:
    """Markdown whose links to files of the repository lead to pages of the site.

    A link to a file that no page shows becomes plain text.

    Args:
        text: the Markdown.
        source: the file it stands in, from the repository's root.
        page: the page it is put on, from ``docs/``.
    """

    def replaced(found: re.Match[str]) -> str:
        said, target, anchor = found[1], found[2], found[3] or ""
        if _ELSEWHERE.match(target):
            return found[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))
        if path.startswith("docs" + os.sep):
            shown = path.removeprefix("docs" + os.sep)
        elif path in PAGES:
            shown = PAGES[path]
        else:
            return said
        return f"[{said}]({os.path.relpath(shown, os.path.dirname(page) or '.')}{anchor})"

    return _LINK.sub(replaced, text)


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level; ``""`` where there is none."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    return found[1].strip() if found else ""
