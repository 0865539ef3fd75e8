"""Text that comes from files, made fit to be read: printable, and not longer than a person reads."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 300
"""Characters of a reason or of a verdict, at most."""


def shown(text: str, longest: int | None = None) -> str:
    """One printable line.

    Control characters, escape sequences for the terminal and undecodable bytes are shown as
    escapes, newlines and tabs as blanks.

    Args:
        text: anything.
        longest: characters after which the rest is left out; ``None``: none are.
    """
    if longest is not None and len(text) > longest:
        text = text[: longest - 2] + " …"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return " " if character in "\n\t" else character.encode("unicode_escape").decode("ascii")
