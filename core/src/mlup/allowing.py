"""What a caller lets a file name: the argument ``allow`` of :func:`mlup.load`, checked."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Final

from mlup.errors import OptionError

PACKAGE: Final = ".*"
"""The ending of an entry that stands for what a package of the caller's own defines."""

_WORD: Final = r"[^\W\d]\w*"
_DOTTED: Final = rf"{_WORD}(?:\.{_WORD})*(?:\.{_WORD}|\.\*)"
_SEVERAL: Final = re.compile(rf"{_DOTTED}(?:\s*,\s*{_DOTTED})+,?")
# One letter and a colon may be a drive: the place of an ONNX model's weights can be allowed, too.
_WITH_COLON: Final = re.compile(rf"(?!\w:)({_WORD}(?:\.{_WORD})*):({_WORD}(?:\.{_WORD})*)")
_ENTRY: Final = re.compile(r"[^\s*]+")
_PACKAGE_ENTRY: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\.\*")


def checked_allow(allow: object) -> tuple[str, ...]:
    """The entries of ``allow``, each an exact name or ``"my_package.*"``.

    Raises:
        OptionError: it is no collection of text, or an entry says too much.
    """
    if isinstance(allow, (str, bytes)) or not isinstance(allow, Iterable):
        raise OptionError(
            f"allow={allow!r}: expected a list of names, such as allow=['my_package.MyModel']."
        )
    entries = tuple(allow)
    for each in entries:
        _refuse_misspelled(each)
        if not isinstance(each, str) or not (
            _ENTRY.fullmatch(each) or _PACKAGE_ENTRY.fullmatch(each)
        ):
            raise OptionError(
                f"allow holds {each!r}: expected an exact name, such as 'my_package.module.MyModel', "
                "or 'my_package.*' for what a package of your own defines."
            )
        if each.endswith(PACKAGE) and each.partition(".")[0] in sys.stdlib_module_names:
            raise OptionError(
                f"allow holds {each!r}: that is Python's own; only a package of yours can be allowed "
                "as a whole. Write the exact name."
            )
    return entries


def _refuse_misspelled(entry: object) -> None:
    """What no name of a file is ever equal to, though it has the look of one."""
    if not isinstance(entry, str):
        return
    if _SEVERAL.fullmatch(entry):
        names = [each.strip() for each in entry.split(",") if each.strip()]
        flags = " ".join(f"--allow {each}" for each in names)
        raise OptionError(
            f"allow holds {entry!r}, which is {len(names)} names in one: write allow={names!r} ({flags})."
        )
    match = _WITH_COLON.fullmatch(entry)
    if match:
        name = f"{match[1]}.{match[2]}"
        raise OptionError(
            f"allow holds {entry!r}, which no file ever names: write allow=[{name!r}] (--allow {name}), "
            "with a dot for the colon."
        )


def checked_trust(trust: object) -> bool:
    """``trust``, which is ``True`` or ``False`` and nothing that merely looks like it.

    Raises:
        OptionError: it is something else.
    """
    if isinstance(trust, bool):
        return trust
    raise OptionError(f"trust={trust!r}: expected True or False.")
