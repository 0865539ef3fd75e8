"""JSON as XGBoost reads it. Source: ``JsonReader`` in ``src/common/json.cc``, XGBoost 1.0 to 3.2.

The standard library reads the text, but not the arrays of numbers that a tree is made of: they
are nearly all of it, and reading them would cost more than XGBoost's own reading.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from mlup_safepickle.checks.xgboost.values import (
    DEEPEST,
    JSON,
    DamagedError,
    HostileError,
    Packed,
    shown,
)

_ARRAY: Final = re.compile(
    rb'"(base_weights|leaf_weights|loss_changes|sum_hessian|split_conditions|default_left'
    rb"|split_type|left_children|right_children|parents|split_indices|weights|weight_drop"
    rb'|leaf_child_counts|categories|tree_info)"([ \t\r\n]*:[ \t\r\n]*)\[([^][{}"\\]*)\]'
)
_STRING_OR_BRACKET: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_EMPTY_NAME: Final = re.compile(rb'""[ \t\r\n]*:')
_FOLLOWS_A_NAME: Final = re.compile(rb"[ \t\r\n]*:")
_PLAIN_STRING: Final = re.compile(rb'"[^"]*"')
_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))
_NUMBERS: Final = b"0123456789+-.eENaInfitytrufals, \t\r\n"  # also NaN, Infinity, true, false


def read(data: bytes | bytearray) -> dict[str, Any]:
    """The document; the arrays of a tree's numbers are counted and kept as text.

    Raises:
        DamagedError: it is no JSON, it breaks off, or something follows its end.
        HostileError: an object has a name twice or one that XGBoost reads in another way, or it is
            nested too deep.
    """
    packed: list[Packed] = []

    def keep(found: re.Match[bytes]) -> bytes:
        text = found[3]
        if text.translate(None, _NUMBERS):
            raise DamagedError(f"its {found[1].decode()} at byte {found.start()} are no numbers")
        count = text.count(b",") + 1 if text.strip() else 0
        packed.append((JSON, count, text, 0, len(text)))
        return b'"%b"%b{"":%d}' % (found[1], found[2], len(packed) - 1)

    rest = _ARRAY.sub(keep, bytes(data))
    if len(_EMPTY_NAME.findall(rest)) != len(packed):  # what stands for an array has an empty name
        raise HostileError("an object in it has an empty name")
    _check_structure(rest)

    def make(pairs: list[tuple[str, Any]]) -> Any:
        if len(pairs) == 1 and pairs[0][0] == "":
            return packed[pairs[0][1]]
        made = dict(pairs)
        if len(made) != len(pairs):
            raise HostileError("an object in it has a name twice")
        return made

    try:
        document = json.loads(rest.decode("utf-8", "surrogateescape"), object_pairs_hook=make)
    except (DamagedError, HostileError):
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its JSON breaks off or is none ({error})") from None
    if type(document) is not dict:
        raise DamagedError("it does not begin with an object")
    return document


def _check_structure(text: bytes) -> None:
    """Before the standard library goes down in calls, as XGBoost would."""
    if b"\\" in text:
        brackets = _brackets_and_names(text)
    else:
        brackets = _PLAIN_STRING.sub(b"", text.translate(None, _STRUCTURE))
    depth = 0
    for bracket in brackets:
        if bracket in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise HostileError("it is nested too deep")
        else:
            depth -= 1


def _brackets_and_names(text: bytes) -> bytes:
    brackets = bytearray()
    for found in _STRING_OR_BRACKET.finditer(text):
        token = found[0]
        if token[0] != 0x22:  # "
            brackets += token
        elif b"\\" in token and _FOLLOWS_A_NAME.match(text, found.end()):
            spelled = token.decode("latin-1")  # XGBoost reads fewer escapes than JSON has
            raise HostileError(f"a name in it is written with a backslash: {shown(spelled)}")
    return bytes(brackets)
