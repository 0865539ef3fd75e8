"""A changed value written into YAML text, and nothing else of the text touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def edited(
    source: str, before: Mapping[str, Any], after: Mapping[str, Any], load: Callable[[str], Any]
) -> str | None:
    """``source``, which says ``before``, made to say ``after``.

    Only texts and numbers on a line of their own are changed or added; ``None`` where that is
    not enough, or where the result would not read as ``after``.
    """
    from ruamel.yaml import YAML

    node = YAML().compose(source)
    if node is None:  # nothing but comments: a first key goes below them
        source += ("\n" if source and not source.endswith("\n") else "") + "mlup: 0\n"
        whole = edited(source, {"mlup": 0}, {"mlup": 0, **after}, load)
        whole = whole.replace("mlup: 0\n", "", 1) if whole else None
        return whole if whole is not None and load(whole) == after else None
    edits = _edits(node, source, before, after, load)
    if edits is None:
        return None
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source if load(source) == after else None


def _edits(
    node: Any, source: str, before: Any, after: Any, load: Callable[[str], Any]
) -> list[_Edit] | None:
    if not hasattr(node, "value") or any(key not in after for key in before):
        return None
    nodes = {key.value: (key, value) for key, value in node.value if hasattr(key, "value")}
    edits: list[_Edit] = []
    for key, value in after.items():
        if key in before and before[key] == value and type(before[key]) is type(value):
            continue
        if key in before and isinstance(before[key], Mapping) and isinstance(value, Mapping):
            if key not in nodes:
                return None
            deeper = _edits(nodes[key][1], source, before[key], value, load)
            if deeper is None:
                return None
            edits += deeper
            continue
        token = _token(value, load)
        if token is None or node.flow_style:
            return None
        if key not in nodes:  # new, or so far only by way of a merge
            edits.append(_added(node, source, f"{key}: {token}"))
            continue
        old = nodes[key][1]
        start, end = old.start_mark.index, old.end_mark.index
        if not isinstance(old.value, str) or "\n" in source[start:end] or old.anchor:
            return None
        edits.append(_Edit(start, end, token if end > start else f" {token}"))
    return edits


def _added(node: Any, source: str, line: str) -> _Edit:
    """A line behind the mapping's last key that stands on one line, else in front of its first."""
    first = node.value[0][0].start_mark
    indent = " " * first.column
    for key, value in reversed(node.value):
        if isinstance(value.value, str) and key.start_mark.line == value.end_mark.line:
            end = source.find("\n", value.end_mark.index)
            return (
                _Edit(len(source), len(source), f"\n{indent}{line}\n")
                if end < 0
                else _Edit(end + 1, end + 1, f"{indent}{line}\n")
            )
    return _Edit(first.index, first.index, f"{line}\n{indent}")


def _token(value: Any, load: Callable[[str], Any]) -> str | None:
    """A value as YAML on one line; ``None`` for anything but text and numbers."""
    if not isinstance(value, (str, int, float)):
        return None
    plain = str(value)
    if isinstance(value, str) and "\n" not in plain:
        try:
            if load(f"key: {plain} # c\n") == {"key": value}:
                return plain
        except Exception:  # ruamel raises errors of many kinds: it needs its quotes then
            pass
    return json.dumps(value, ensure_ascii=False)
