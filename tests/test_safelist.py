"""The safe lists: exact names, each with a benign model that needs it, none with a trap."""

from __future__ import annotations

import importlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from safelist import generate, makers, traps

PATHS = sorted({generate.BUILTINS, *generate.LISTS.values()})
REVIEW = json.loads(generate.REVIEWED.read_text(encoding="utf-8"))


pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries', of what is new or old in them


@cache
def entries() -> dict[str, dict[str, str]]:
    return {
        key: entry
        for path in PATHS
        for key, entry in json.loads(path.read_text(encoding="utf-8"))["names"].items()
    }


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_list_is_exact_names_with_roles(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert set(document) == {"generated_with", "names"}
    assert list(document["names"]) == sorted(document["names"])
    for key, entry in document["names"].items():
        module, _, name = key.partition(":")
        parts = (*module.split("."), *name.split("."))
        assert all(part.isidentifier() for part in parts), key
        assert set(entry) <= {
            "role",
            "needed_by",
            "call_check",
            "state_check",
            "whole",
            "functions",
        }, key
        assert entry["role"] in ("reference", "new", "call"), key
        assert entry["needed_by"], key


def test_the_lists_are_what_the_records_and_the_review_add_up_to() -> None:
    expected = generate.lists(dict(generate.stored()))
    assert set(expected) == set(PATHS)
    for path, document in expected.items():
        assert json.loads(path.read_text(encoding="utf-8")) == document, path.name


def test_every_entry_is_needed_by_a_model_in_a_record() -> None:
    needed = {
        (key, seen["role"], seen["needed_by"])
        for _, record in generate.stored()
        for key, seen in record["names"].items()
    }
    for key, entry in entries().items():
        assert (key, entry["role"], entry["needed_by"]) in needed, key


def test_the_models_that_are_named_are_made_by_the_makers() -> None:
    installed = makers.installed()
    newest = {
        record["maker"]: record
        for label, record in generate.stored()
        if record["maker"] in installed
        and label == generate.label(record["maker"], installed[record["maker"]])
    }
    if not newest:
        pytest.skip("no record is of the installed releases")
    for name, record in newest.items():
        made = {benign.name for benign in makers.every(installed[name])}
        missing = {seen["needed_by"] for seen in record["names"].values()} - made
        assert not missing, name


def test_every_call_has_a_check_or_was_read() -> None:
    read = (generate.REVIEWED.parent / "README.md").read_text(encoding="utf-8")
    for key, entry in entries().items():
        if "__pyx_unpickle_" in key:  # Cython's, which makes its own class only
            continue
        if entry["role"] == "call" and "call_check" not in entry:
            assert f"`{key}`" in read, f"{key} may be called: say in the README why that is safe"


def test_checks_are_there() -> None:
    for key, entry in entries().items():
        for kind in ("call_check", "state_check"):
            if kind not in entry:
                continue
            module, _, name = entry[kind].partition(":")
            if module.startswith("mlup_safepickle"):
                pytest.importorskip("mlup_safepickle")
            assert callable(getattr(importlib.import_module(module), name)), key


def test_what_is_refused_is_in_no_list() -> None:
    assert not set(REVIEW["refused"]) & set(entries())
    assert not [key for key in entries() if key.startswith(("scipy.stats", "os:", "posix:"))]


def test_no_entry_has_a_trap() -> None:
    said: dict[str, Any] = {}
    for key, entry in entries().items():
        try:
            found = traps.traps(key, entry["role"])
        except (
            ImportError,
            AttributeError,
        ):  # another release's name, or a library that is not here
            continue
        if found and "call_check" not in entry and "state_check" not in entry:
            said[key] = found
    assert not said


@pytest.mark.parametrize(
    ("key", "role"),
    [("numpy:memmap", "new"), ("zipfile:ZipFile", "call"), ("pkgutil:resolve_name", "call")],
)
def test_the_walk_finds_known_traps(key: str, role: str) -> None:
    pytest.importorskip(key.partition(":")[0])
    assert traps.traps(key, role)


def test_scipy_distributions_execute_their_state() -> None:
    pytest.importorskip("scipy")
    assert traps.traps("scipy.stats._continuous_distns:norm_gen", "new")


def roles_in(record: dict[str, Any]) -> dict[str, str]:
    """Which of several models is named for a name depends on what else this process did."""
    return {key: seen["role"] for key, seen in record["names"].items()}


def test_the_installed_releases_need_what_the_lists_say() -> None:
    listed = entries()
    order = ("reference", "new", "call")
    stored = dict(generate.stored())
    for label, record in generate.collected():
        if label in stored:
            assert roles_in(record) == roles_in(stored[label]), f"{label}: run nox -s safelist"
        for key, seen in record["names"].items():
            if generate.path_of(key) is None or key in REVIEW["refused"]:
                continue
            assert key in listed, f"{key} of {seen['needed_by']}: run nox -s safelist"
            assert order.index(listed[key]["role"]) >= order.index(seen["role"]), key
