"""All cases, in the order in which they are tried."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec

from attacks.case import Case

SUBJECTS = (
    "opcodes", "streams", "building", "gadgets", "listed", "bombs", "joblib_files", "joblib_bombs",
    "numpy_files", "torch_files",
    "other_files",
)  # fmt: skip


@cache
def all_cases() -> tuple[Case, ...]:
    """Those for which what they attack is installed."""
    found = [
        case
        for subject in SUBJECTS
        for case in importlib.import_module(f"attacks.{subject}").cases()
        if all(find_spec(name) for name in case.needs)
    ]
    names = [case.name for case in found]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return tuple(found)
