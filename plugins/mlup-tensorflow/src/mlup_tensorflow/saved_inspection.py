"""The operations of a SavedModel, told without TensorFlow."""

from __future__ import annotations

import ast
import os
import re
from typing import Final

import mlup
from mlup_tensorflow.graph_checks import CHECKED_BY_NAME, Used, outside_assets, used, verdict
from mlup_tensorflow.graphs import Message, NotAMessageError
from mlup_tensorflow.links import leads_out
from mlup_tensorflow.saved_files import ASSETS, BINARY, TEXT, VARIABLES

_BINARY_STARTS: Final = (b"\x08", b"\x12")
_TOKEN: Final = re.compile(
    rb"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[A-Za-z_]\w*|[^\s]""", re.DOTALL
)


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The report; a damaged message is told as far as it can be read."""
    notes: list[str] = []
    home = file.on_disk
    if home is not None and os.path.isdir(home):
        name = BINARY if os.path.exists(os.path.join(home, BINARY)) else TEXT
        with open(os.path.join(home, name), "rb") as stream:
            data = stream.read()
        binary = name == BINARY
        for each in (VARIABLES, ASSETS):
            outside = leads_out(home, each)
            if outside:
                notes.append(f"a link in its folder leads out of it: {outside!r}; refused")
    else:
        with file.open() as source:
            data = source.read()
        binary = data[:1] in _BINARY_STARTS
    found = _binary(data, notes) if binary else _text(data, notes)
    notes += [f"{each.name}: {each.wrong}" for each in found if each.wrong]
    return mlup.Report(
        operations=tuple(
            mlup.Operation(
                each.name, "refused" if each.wrong and each.name not in file.allow else "safe"
            )
            for each in found
        ),
        notes=tuple(notes),
    )


def _binary(data: bytes, notes: list[str]) -> list[Used]:
    message = Message(data)
    try:
        found = used(message)
        notes += [
            f"an asset outside of its folder: {name!r}; refused" for name in outside_assets(message)
        ]
    except NotAMessageError as error:
        notes.append(f"it cannot be read: {error}")
        return []
    return found


def _text(data: bytes, notes: list[str]) -> list[Used]:
    """By the fields called ``op``, which no other message in a SavedModel has."""
    found: dict[str, None] = {}
    tokens = (each[0] for each in _TOKEN.finditer(data) if not each[0].startswith(b"#"))
    state, name = 0, ""
    for token in tokens:
        if state == 2 and token[:1] in (b'"', b"'"):
            name += _unquoted(token)  # strings that stand one behind the other are one
            continue
        if state == 2 and name:
            found[name] = None
        state = 1 if token == b"op" else 2 if state == 1 and token == b":" else 0
        name = ""
    if not CHECKED_BY_NAME.isdisjoint(found):
        notes.append("where its files are is checked when it is loaded, not in its text form")
    return [Used(name, verdict(name)) for name in found]


def _unquoted(token: bytes) -> str:
    try:
        return str(
            ast.literal_eval("b" + token.decode("ascii")).decode("utf-8", "backslashreplace")
        )
    except (ValueError, SyntaxError):
        return token[1:-1].decode("utf-8", "backslashreplace")
