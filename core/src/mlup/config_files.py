"""Configuration files as text: YAML (comments kept) and JSON, read whole and replaced atomically.

This module knows the formats, not what the keys mean.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from mlup.errors import ConfigError
from mlup.sources import unreadable

MAX_SIZE: Final = 256 * 1024
"""Bytes of a configuration file; a longer one is taken for something else."""

MAX_VALUES: Final = 100_000
"""Values of a configuration, those counted again that YAML's aliases repeat."""

_BOM: Final = "\ufeff"
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (Mapping, "a mapping"),
    (list, "a list"),
    (type(None), "nothing"),
)


@dataclass
class Document:
    """A mapping, and how it was written down.

    Attributes:
        data: the mapping.
        format: ``yaml`` or ``json``.
        source: the text it was read from, its line ends normalised; ``""`` for a new one.
        raw: the file's bytes as they were read; ``None`` for a new one.
        newline: the line end of the file.
        bom: whether the file begins with a byte order mark.
    """

    data: MutableMapping[str, Any]
    format: str = "yaml"
    source: str = ""
    raw: bytes | None = None
    newline: str = "\n"
    bom: bool = False

    def copy(self) -> Document:
        """The same, to be changed. Read anew: ruamel's deep copies lose merges and time zones."""
        data = _load(self.source, self.format) if self.source else {}
        return Document(data or {}, self.format, self.source, self.raw, self.newline, self.bom)

    def text(self, format: str) -> str:
        """The document as text.

        Raises:
            ConfigError: a value cannot be written in this format.
        """
        try:
            body = self._json_text() if format == "json" else self._yaml_text()
        except Exception as error:  # ruamel and json raise errors of many kinds for a foreign value
            raise ConfigError(
                f"The configuration cannot be written as {format.upper()}: {error}. "
                "Nothing was changed."
            ) from error
        return (_BOM if self.bom else "") + body.replace("\n", self.newline)

    def _json_text(self) -> str:
        spaces = re.match(r"\s*\{[ \t]*\n([ \t]+)", self.source)
        indent = spaces[1] if spaces and self.format == "json" else 2
        body = json.dumps(_plain(self.data), indent=indent, ensure_ascii=False) + "\n"
        if not body.isascii() and any("\ud800" <= each <= "\udfff" for each in body):
            body = json.dumps(_plain(self.data), indent=indent) + "\n"
        return _NUMBER.sub(r"\1", body)

    def _yaml_text(self) -> str:
        from ruamel.yaml import YAML

        if self.source and self.format == "yaml":
            from mlup.config_edits import edited

            text = edited(self.source, _load_yaml(self.source) or {}, self.data, _load_yaml)
            if text is not None:
                return text
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 1 << 20  # never fold a line that was not folded
        nested, dash = _indentation(self.source)
        yaml.indent(mapping=nested, sequence=dash + 2, offset=dash)
        stream = io.StringIO()
        yaml.dump(self.data if self.format == "yaml" else _plain(self.data, {}), stream)
        return stream.getvalue()


def format_of(path: str, default: str) -> str:
    """``json`` or ``yaml`` by the file's extension."""
    suffix = os.path.splitext(path)[1].lower()
    return {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(suffix, default)


def kind(value: object) -> str:
    """What a value is, in the words of somebody who writes a configuration."""
    return next((word for each, word in _KINDS if isinstance(value, each)), "something else")


def read(path: str) -> Document:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is no YAML or JSON, or is not a mapping.
    """
    raw = _read_bytes(path)
    if len(raw) > MAX_SIZE:
        raise ConfigError(f"{path} is longer than {MAX_SIZE} bytes; is it a model, not a config?")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is no YAML or JSON: it is not UTF-8 text (byte {error.start}). "
            "Is it the model itself? A configuration names the model under path:."
        ) from error
    bom, text = text.startswith(_BOM), text.removeprefix(_BOM)
    newline = "\n"
    if text.count("\r\n") == text.count("\n") > 0:  # a mixture is left as it is
        newline, text = "\r\n", text.replace("\r\n", "\n")
    kind_of_text = format_of(path, "json" if text.lstrip().startswith("{") else "yaml")
    data = _parsed(path, text, kind_of_text)
    return Document(data, kind_of_text, text, raw, newline, bom)


def _read_bytes(path: str) -> bytes:
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise ConfigError(f"{path} is not a file; give a YAML or JSON file.")
        with open(path, "rb") as stream:
            return stream.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"The configuration {unreadable(path, error)}") from error


def _parsed(path: str, text: str, format: str) -> MutableMapping[str, Any]:
    try:
        data = _load(text, format)
    except Exception as error:  # ruamel raises errors of many kinds for damaged text
        raise ConfigError(f"{path} is not valid {format.upper()}: {_where(error)}") from error
    if data is None:
        data = {}
    if not isinstance(data, MutableMapping):
        raise ConfigError(
            f"{path} holds {kind(data)} at its top; expected a mapping such as "
            "'binarization_type: auto'."
        )
    if _weight(data, {}) > MAX_VALUES:
        raise ConfigError(
            f"{path} holds more than {MAX_VALUES} values, counting what its aliases repeat."
        )
    return data


def _where(error: Exception) -> str:
    """A parser's complaint in a line: what, and in which line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())[:300]
    said = str(getattr(error, "problem", None) or error).strip().partition("\n")[0]
    return f"line {mark.line + 1}: {said}"


def _load(text: str, format: str) -> Any:
    if format == "json":
        return json.loads(text, parse_float=_Float, object_pairs_hook=_without_duplicates)
    return _load_yaml(text)


def _load_yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()  # round trip: comments stay, and tags (!!python/…) are kept as text, never built
    yaml.preserve_quotes = True
    return yaml.load(text)


class _Float(float):
    """A number of a JSON file that is written back digit for digit."""

    text: str

    def __new__(cls, text: str) -> _Float:
        self = super().__new__(cls, text)
        self.text = text
        return self


_NUMBER: Final = re.compile(r'"\\u0000([0-9eE.+-]+)\\u0000"')


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def _weight(value: Any, known: dict[int, int]) -> int:
    """How many values there are, aliases counted each time; a loop counts as too many."""
    if not isinstance(value, (Mapping, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = MAX_VALUES + 1  # until it is known, so that a loop ends
        inside = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_weight(each, known) for each in inside)
    return known[id(value)]


def _indentation(text: str) -> tuple[int, int]:
    """Spaces of the first nested mapping, and in front of the first list's dash."""
    nested: int | None = None
    dash: int | None = None
    opened: int | None = None  # the indentation of a line just above that ends in a colon
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        if not bare or bare.startswith("#"):
            continue
        depth = len(line) - len(bare)
        if opened is not None and bare.startswith("- "):
            dash = depth - opened if dash is None and depth >= opened else dash
        elif opened is not None and depth > opened and nested is None:
            nested = depth - opened
        ends = not bare.startswith("-") and bare.partition(" #")[0].rstrip().endswith(":")
        opened = depth if ends else None
    return nested or 2, dash or 0


def _plain(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Without ruamel's own types; ``known`` keeps aliases as one object, for YAML."""
    if isinstance(value, MutableMapping):
        return {str(key): _plain(each, known) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, known) for each in value]
    if isinstance(value, _Float):
        return float(value) if known is not None else f"\0{value.text}\0"
    for each in (bool, int, float, str):
        if isinstance(value, each):
            return each(value)
    return value
