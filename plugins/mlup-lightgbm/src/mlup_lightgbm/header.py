"""What LightGBM takes from the lines in front of the trees, checked before it does.

Source: ``GBDT::LoadModelFromString`` in ``src/boosting/gbdt_model_text.cpp``, the objectives'
constructors in ``src/objective``, and ``GBDT::DumpModel``. LightGBM 4.7 divides by the number of
trees per iteration, writes a prediction of as many numbers as the *objective* has classes into
room for as many as the *header* has, and looks for the parts of an objective and of a feature's
range without asking whether there are any.
"""

from __future__ import annotations

import re
from typing import Final

_KNOWN: Final = frozenset(
    {
        b"num_class",
        b"num_tree_per_iteration",
        b"label_index",
        b"max_feature_idx",
        b"objective",
        b"average_output",
        b"feature_names",
        b"monotone_constraints",
        b"feature_infos",
        b"tree_sizes",
    }
)
_NUMBER: Final = re.compile(rb" *-?\d{1,9} *")
_MONOTONE: Final = re.compile(rb"-?[01](?: -?[01])*")
_OBJECTIVE: Final = re.compile(rb"[\w.]+(?: +[\w.]+(?::[^\s:=]+)?)* *")
_CLASSES: Final = re.compile(rb"num_class:(\S*)")
_INFOS: Final = re.compile(
    rb" *(?:none|\[[^\s:\]]+:[^\s:\]]+\]|-?\d{1,10}(?::-?\d{1,10})*)"
    rb"(?: +(?:none|\[[^\s:\]]+:[^\s:\]]+\]|-?\d{1,10}(?::-?\d{1,10})*))* *"
)
_LINE_END: Final = re.compile(rb"[\r\n]+")
_MOST_CLASSES: Final = 1 << 16  # of a model without trees; the others have a tree for each


class HostileTextError(ValueError):
    """The text is one that LightGBM would read or write past an end for. The message says why."""


def check_header(lines: bytes, trees: int) -> int:
    """Make sure that the header says one thing, of which LightGBM can make use.

    Args:
        lines: what LightGBM reads as the header: all that is in front of the first tree; without
            a tree, the whole text.
        trees: their number.

    Returns:
        The number of features.

    Raises:
        HostileTextError: a value is missing, doubled, or not one that LightGBM can work with.
    """
    values = _values(lines)
    classes = _number(values, b"num_class")
    if not 1 <= classes <= max(trees, _MOST_CLASSES):
        raise HostileTextError(f"its header says num_class={classes}")
    if _number(values, b"num_tree_per_iteration", classes) != classes:
        raise HostileTextError(
            f"its header has a num_tree_per_iteration that is not its num_class={classes}"
        )
    if trees % classes:
        raise HostileTextError(f"its {trees} trees do not divide among {classes} classes")
    _number(values, b"label_index", 0)
    features = _number(values, b"max_feature_idx") + 1
    if features < 1:
        raise HostileTextError(f"its header says max_feature_idx={features - 1}")
    for key in (b"feature_names", b"feature_infos", b"monotone_constraints"):
        if key in values or key != b"monotone_constraints":
            found = len(_parts(values.get(key, b""), b" "))
            if found != features:
                said = f"{found} {key.decode()} for {features} features"
                raise HostileTextError(f"its header has {said}")
    if not _INFOS.fullmatch(values[b"feature_infos"]):
        raise HostileTextError("its line feature_infos=… holds something else than ranges")
    if not _MONOTONE.fullmatch(values.get(b"monotone_constraints", b"0").strip(b" ")):
        raise HostileTextError("its line monotone_constraints=… holds something else than -1, 0, 1")
    if b"objective" in values:
        _check_objective(values[b"objective"], classes)
    return features


def _parts(text: bytes, between: bytes) -> list[bytes]:
    """As ``Common::Split`` of LightGBM finds them: none is empty."""
    return list(filter(None, text.split(between)))


def _values(lines: bytes) -> dict[bytes, bytes]:
    """The lines that count, as LightGBM tells them: parts between ``=``, empty ones left out."""
    values: dict[bytes, bytes] = {}
    for line in _LINE_END.split(lines):
        key = (_parts(line, b"=") or [b""])[0]
        if line.startswith(b"Tree="):
            raise HostileTextError("a tree begins within its header")
        if key not in _KNOWN:
            continue
        if key in values:
            raise HostileTextError(f"its header says {key.decode()} twice")
        if line.startswith(b"=") or (line == key) != (key == b"average_output"):
            raise HostileTextError(f"its header has the line {line[:40]!r}")
        values[key] = line[len(key) + 1 :]
    return values


def _number(values: dict[bytes, bytes], key: bytes, default: int | None = None) -> int:
    value = values.get(key)
    if value is None and default is not None:
        return default
    if value is None or not _NUMBER.fullmatch(value):
        said = "is missing" if value is None else f"is {value[:40]!r}"
        raise HostileTextError(f"in its header {key.decode()} {said}")
    return int(value)


def _check_objective(value: bytes, classes: int) -> None:
    if not _OBJECTIVE.fullmatch(value):
        raise HostileTextError(f"its objective is {value[:40]!r}")
    for said in _CLASSES.findall(value):
        if said != b"%d" % classes:
            raise HostileTextError(
                f"its objective has {said[:20].decode('ascii', 'replace')} classes, its header {classes}"
            )
