"""Docstrings as Markdown: what Sphinx's roles and Google's sections say, in the site's own signs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

_ROLE = re.compile(r":[a-z:]+:`~?([^`]+)`")
_LITERAL = re.compile(r"``(.+?)``")
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields|Note):$")
_ENTRY = re.compile(r"^    ([\w, ]+): (.*)$")


def markdown(docstring: str) -> str:
    """A docstring as Markdown.

    Args:
        docstring: as ``__doc__`` has it.
    """
    text = inspect.cleandoc(docstring)
    text = _ROLE.sub(lambda found: f"``{found[1]}``", text)
    return "\n".join(_lines(_LITERAL.sub(r"`\1`", text).splitlines())).strip()


def _lines(lines: list[str]) -> Iterator[str]:
    listed = False
    code = False
    for at, line in enumerate(lines):
        if code and line.strip() and not line.startswith("    "):
            code = False
            yield "```"
            yield ""
        section = _SECTION.match(line)
        entry = _ENTRY.match(line)
        if section:
            listed = True
            yield f"**{section[1]}**"
            yield ""
        elif listed and entry:
            yield f"- `{entry[1]}`: {entry[2]}"
        elif listed and line.startswith("    "):
            yield "  " + line.strip()
        elif line.endswith("::"):
            code = True
            yield line[:-1]
            yield ""
            yield _fence(lines[at + 1 :])
        elif code:
            yield line[4:]
        else:
            listed = listed and not line.strip()
            yield line
    if code:
        yield "```"


def _fence(following: list[str]) -> str:
    first = next((line.strip() for line in following if line.strip()), "")
    return "```toml" if first.startswith("[") else "```python"
