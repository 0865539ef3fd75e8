"""The operations and classes that TorchScript's source and pickles refer to.

Facts, of ``torch/csrc/jit/frontend/lexer.h``, ``serialization/import_source.cpp`` and
``runtime/…/ir_emitter.cpp``, tried with torch 2.13. In the code of an archive three names lead out of
it: ``torch`` (the operations of ``aten``), ``ops`` (those of any namespace) and ``__torch__`` (the
archive's own classes, and below ``__torch__.torch.classes`` those in C++). They are values:
``t = torch; t.save(…)``, ``(torch).save`` and ``getattr(torch, "sa" "ve")`` all write a file. But
what writes the code, ``python_print.cpp``, only ever prints them as the whole dotted name, prints
no comments, and renames variables that are called so. Whatever else stands there is refused, so
that no reading of expressions is needed.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mlup_torch.script_operations import REACHING_OUT_OF_ATEN

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_GAP: Final = r"[\s\\]*"  # blanks and continued lines are between tokens
_ROOT: Final = r"(?:torch|ops|__torch__)(?![A-Za-z0-9_])"
_TOKEN: Final = re.compile(
    # No end of a string is looked for behind more escapes than any text has: that takes memory.
    r"""(?P<text>\"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*){0,9999}\"{3}"""
    r"""|'{3}[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*){0,9999}'{3}"""
    r"""|"(?!"")[^"\\\n]*(?:\\.[^"\\\n]*){0,9999}\""""
    r"""|'(?!'')[^'\\\n]*(?:\\.[^'\\\n]*){0,9999}')"""
    rf"|(?P<chain>{_ROOT}(?:{_GAP}\.{_GAP}{_NAME}){{0,100}})(?P<colon>{_GAP}:)?"
    r"|(?P<odd>[\"'#])"
    # All the rest: a method's name, any other name, a number with its dot, what stands behind a dot.
    rf"|(?:def[\s\\]+{_NAME}|(?!{_ROOT}){_NAME}|[0-9][A-Za-z0-9_]*\.?"
    rf"|\.\.\.|\.{_GAP}{_NAME}|\.|[^A-Za-z0-9_.\"'#]+){{1,500}}",
    re.DOTALL | re.ASCII,
)
"""Strings and the dotted names that matter, as torch's lexer has them."""

_CLASS: Final = re.compile(rb"__torch__[.\n]torch[.\n]classes[.\n]([\w.]*)(?:\n(\w+))?", re.ASCII)
"""A class in C++ as a pickle's GLOBAL names it, module and class on a line each, or as a type."""

_CLASSES: Final = ["torch", "classes"]
_LONGEST: Final = 100  # names behind the first, as the pattern has them
_TELLING: Final = re.compile(rf"\b(?:getattr|{'|'.join(sorted(REACHING_OUT_OF_ATEN))})\b")
_AS_A_VALUE: Final = "{} as a value in its code"
_ODD: Final = {
    "#": "a comment in its code",
    '"': "a string without an end in its code",
    "'": "a string without an end in its code",
}


class Uses(NamedTuple):
    """What a piece of TorchScript refers to.

    Attributes:
        names: operations (``aten::add``) and classes in C++ (``torch.classes.quantized.…``).
        oddities: what torch does not write, and what may hide a name.
    """

    names: set[str]
    oddities: set[str]


def uses_of_source(source: str) -> Uses:
    """Of the text of one file of an archive's ``code/``."""
    found = Uses(set(), set())
    for token in _TOKEN.finditer(source):
        text, chain, colon, odd = token.groups()
        if chain is not None:
            parts = re.findall(_NAME, chain)
            if not (colon and len(parts) == 1):  # "ops : int" declares an attribute
                _name(parts, found)
        elif text is not None:
            if "__torch__" in text:  # the name of a type
                found.names.update(uses_of_pickle(text.encode("utf-8", "replace")))
        elif odd is not None:
            found.oddities.add(_ODD[odd])
            break
    if any(each.endswith(_AS_A_VALUE[2:]) for each in found.oddities):
        _follow_aliases(source, found)
    return found


def uses_of_pickle(data: bytes) -> set[str]:
    """The classes in C++ that a pickle, or any bytes, refers to.

    Sought in the bytes: torch's reader takes a global's two lines as they stand, wherever the dots
    are, and has no other way to name one. What a string in there happens to say is found too.
    """
    found = set()
    for match in _CLASS.finditer(data):
        name = b".".join(filter(None, match.groups())).decode("ascii")
        found.add("torch.classes." + ".".join(name.split(".")[:2]))
    return found


def _name(parts: list[str], found: Uses) -> None:
    """Take note of a dotted name."""
    root, *names = parts
    if len(names) >= _LONGEST:
        found.oddities.add("a name of many parts in its code")
    if root == "ops" and names[1:2] == ["autograd"]:
        root, names = "torch", names[1:]
    while root == "torch" and names[:1] == ["autograd"]:  # stands for torch itself
        names = names[1:]
    least = {"torch": 1, "ops": 2, "__torch__": 1}[root]
    if root == "__torch__" and names[: len(_CLASSES)] == _CLASSES[: len(names)]:
        least = 4 if len(names) >= len(_CLASSES) else len(_CLASSES)
    if len(names) < least:
        found.oddities.add(_AS_A_VALUE.format(".".join([root, *names])))
    elif root == "torch":
        found.names.add(f"aten::{names[0]}")
    elif root == "ops":
        found.names.add(f"{names[0]}::{names[1]}")
    elif least == 4:
        found.names.add(".".join(("torch.classes", *names[2:4])))


def _follow_aliases(source: str, found: Uses) -> None:
    """Where ``torch`` goes by another name, any name may be that of one of its operations."""
    words = set(_TELLING.findall(source))
    found.names.update(f"aten::{word}" for word in words - {"getattr"})
    if "getattr" not in words:  # then what it is asked for is spelled out
        found.oddities.discard(_AS_A_VALUE.format("torch"))
