"""Configuration files as text: YAML (comments kept) and JSON, read whole and replaced atomically.

This module knows the formats, not what the keys mean.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from mlup.errors import ConfigError

MAX_SIZE: Final = 16 * 1024 * 1024
"""Bytes of a configuration file; a longer one is taken for something else."""

_BOM: Final = "\ufeff"


@dataclass
class Document:
    """A mapping, and how it was written down."""

    data: MutableMapping[str, Any]
    format: str = "yaml"
    newline: str = "\n"
    bom: bool = False
    indent: int | str = 2
    dash_offset: int = 0
    source: str | None = None

    def copy(self) -> MutableMapping[str, Any]:
        """The data, to be changed. Read anew: ruamel's deep copies lose merges and time zones."""
        if self.source is not None:
            return _load_yaml(self.source) or {}
        return json.loads(json.dumps(_plain(self.data)))  # type: ignore[no-any-return]

    def text(self, format: str) -> str:
        """The document as text.

        Raises:
            ConfigError: a value cannot be written in this format.
        """
        try:
            if format == "json":
                body = json.dumps(_plain(self.data), indent=self.indent, ensure_ascii=False) + "\n"
            else:
                body = self._yaml_text()
        except Exception as error:  # ruamel and json raise errors of many kinds for a foreign value
            raise ConfigError(
                f"The configuration cannot be written as {format.upper()}: {error}. "
                "Nothing was changed."
            ) from error
        return (_BOM if self.bom else "") + body.replace("\n", self.newline)

    def _yaml_text(self) -> str:
        from ruamel.yaml import YAML

        if self.source is not None and self.format == "yaml":
            from mlup.config_edits import edited

            text = edited(self.source, _load_yaml(self.source) or {}, self.data, _load_yaml)
            if text is not None:
                return text
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 1 << 20  # never fold a line that was not folded
        dash = self.dash_offset
        mapping = self.indent if isinstance(self.indent, int) else len(self.indent.expandtabs(2))
        yaml.indent(mapping=mapping, sequence=dash + 2, offset=dash)
        stream = io.StringIO()
        yaml.dump(self.data if self.format == "yaml" else _plain(self.data), stream)
        return stream.getvalue()


def format_of(path: str, default: str) -> str:
    """``json`` or ``yaml`` by the file's extension."""
    suffix = os.path.splitext(path)[1].lower()
    return {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(suffix, default)


def read(path: str) -> Document:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is no YAML or JSON, or is not a mapping.
    """
    try:
        if not os.path.isfile(path) and os.path.exists(path):
            raise ConfigError(f"{path} is not a file; give a YAML or JSON file.")
        with open(path, "rb") as stream:
            raw = stream.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"The configuration {path!r} cannot be read: {error}") from error
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
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    guess = "json" if text.lstrip().startswith("{") else "yaml"
    document = _parse(path, text, format_of(path, guess))
    document.bom, document.newline = bom, newline
    return document


def _parse(path: str, text: str, format: str) -> Document:
    try:
        data = json.loads(text) if format == "json" else _load_yaml(text)
    except Exception as error:  # ruamel raises errors of many kinds for damaged text
        where = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid {format.upper()}: {where[:300]}") from error
    if data is None:
        data = {}
    if not isinstance(data, MutableMapping):
        raise ConfigError(
            f"{path} holds {type(data).__name__} at its top; expected a mapping such as "
            "'binarization_type: auto'."
        )
    if format == "json":
        spaces = re.search(r"\A\s*\{[ \t]*\n([ \t]+)", text)
        return Document(data, format, indent=spaces[1] if spaces else 2)
    indent, dash = _indentation(text)
    return Document(data, format, indent=indent, dash_offset=dash, source=text)


def _load_yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()  # round trip: comments stay, and tags (!!python/…) are kept as text, never built
    yaml.preserve_quotes = True
    return yaml.load(text)


def _indentation(text: str) -> tuple[int, int]:
    """Spaces of the first nested mapping, and in front of the first list's dash."""
    nested = re.search(
        r"^[^\s#-][^\n]*[:{][ ]*(?:#[^\n]*)?\n(?:[ ]*#[^\n]*\n)*([ ]+)[^\s#-]", text, re.M
    )
    dash = re.search(r"^([ ]*)[^\s#-][^\n]*:[ ]*(?:#[^\n]*)?\n\1([ ]*)- ", text, re.M)
    return len(nested[1]) if nested else 2, len(dash[2]) if dash else 0


def _plain(value: Any) -> Any:
    """Without ruamel's own types, so that JSON can hold it."""
    if isinstance(value, MutableMapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def write(path: str, text: str) -> None:
    """Replace a file in one step: a crash leaves the old one whole.

    A link is followed, so that what it points to is replaced; the file's mode is kept.

    Raises:
        ConfigError: it cannot be written. The old file is as it was.
    """
    target = os.path.realpath(path)
    temporary = None
    try:
        encoded = text.encode("utf-8")
        descriptor, temporary = tempfile.mkstemp(
            prefix=".mlup-", suffix=".tmp", dir=os.path.dirname(target)
        )
        with open(descriptor, "wb") as stream:
            stream.write(encoded)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The configuration {path!r} was not saved: {error}. The file is as it was."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):  # replaced: nothing is left to remove
                os.unlink(temporary)


def _mode(path: str) -> int:
    """The mode of the file that is replaced, or what the umask leaves of a new one."""
    try:
        return os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
