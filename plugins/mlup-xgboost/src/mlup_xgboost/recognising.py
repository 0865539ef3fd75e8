"""A model by its two ends: what stands in its learner, and its version or braces last.

XGBoost sorts the names in its objects, so its own files begin with ``learner`` and end with
``version``; other writers put them as they like.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import mlup
from mlup_xgboost import binary

_WINDOW: Final = 64 * 1024
_WHOLE: Final = 256 * 1024
"""A document in another order of names is read to its end up to this size."""

_JSON_OPENS: Final = re.compile(rb'\s*\{\s*"(learner|version)"\s*:')
_JSON_ENDS: Final = re.compile(
    rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]\s*\}\s*\Z'
)
_UBJ_OPENS: Final = re.compile(rb"\{L\0{7}\x07(learner|version)", re.DOTALL)
_UBJ_ENDS: Final = re.compile(
    rb"L\0{7}\x07version\[#L\0{7}\x03((?:[iU].|I..|l.{4}|L.{8}){3})\}\Z", re.DOTALL
)

_IN_LEARNER: Final = (
    b"attributes",
    b"feature_names",
    b"feature_types",
    b"gradient_booster",
    b"learner_model_param",
    b"objective",
)
_OF_CONFIGURATIONS: Final = (b"generic_param", b"learner_train_param")


class Evidence(NamedTuple):
    """What was found: the confidence without the extension, and the words for it."""

    confidence: float
    said: str


def look(path: mlup.ModelPath, head: bytes, tail: bytes) -> Evidence | None:
    """The evidence that the file is an XGBoost model, whole; ``None`` where there is none."""
    opens = _UBJ_OPENS.match(head)
    if opens is not None:
        return _document(path, opens[1], "UBJSON", _UBJ_ENDS.search(tail))
    opens = _JSON_OPENS.match(head)
    if opens is not None:
        return _document(path, opens[1], "JSON", _JSON_ENDS.search(tail))
    return _old(path, head)


def _document(
    path: mlup.ModelPath, first: bytes, form: str, end: re.Match[bytes] | None
) -> Evidence | None:
    start = path.read_at(0, _WINDOW)
    if any(_key(name, form) in start for name in _OF_CONFIGURATIONS):
        return None
    if not any(_key(name, form) in start for name in _IN_LEARNER):
        return None
    if first == b"learner" and end is not None:
        return Evidence(0.95, f"XGBoost model in {form}{_version(end, form)}")
    # Another order: only the whole document tells that it does not break off between two braces.
    if path.size > _WHOLE:
        closed = path.read_at(path.size - 64, 64).rstrip().endswith((b"}}", b"]}"))
        return Evidence(0.8, f"{form} that begins as an XGBoost model") if closed else None
    return _whole(path, form)


def _whole(path: mlup.ModelPath, form: str) -> Evidence | None:
    from mlup_safepickle.checks.xgboost import jsontext, ubjson
    from mlup_safepickle.checks.xgboost.values import DamagedError, HostileError

    data = path.read_at(0, path.size)
    try:
        document = jsontext.read(data) if form == "JSON" else ubjson.read(data)
    except DamagedError:
        return None
    except HostileError:
        return Evidence(0.9, f"XGBoost model in {form}, a strange one")
    learner = document.get("learner")
    if type(learner) is not dict or "gradient_booster" not in learner or "version" not in document:
        return None
    return Evidence(0.95, f"XGBoost model in {form}")


def _key(name: bytes, form: str) -> bytes:
    if form == "JSON":
        return b'"' + name + b'"'
    return b"L" + len(name).to_bytes(8, "big") + name


def _version(end: re.Match[bytes], form: str) -> str:
    if form == "JSON":
        return " of version " + ".".join(end[each].decode() for each in (1, 2, 3))
    numbers = end[1]
    if len(numbers) != 6:  # of a byte each, as XGBoost writes them
        return ""
    return f" of version {numbers[1]}.{numbers[3]}.{numbers[5]}"


def _old(path: mlup.ModelPath, head: bytes) -> Evidence | None:
    reserved = head[36:100]
    if not binary.begins(head) and (len(head) < 100 or any(reserved)):
        return None
    said = binary.described(path.read_at(0, binary.NEEDED * 4 // 3 + 8))
    return None if said is None else Evidence(0.9, said)
