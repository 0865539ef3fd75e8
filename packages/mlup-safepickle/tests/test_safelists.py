"""Safe lists: their format, where they come from, and what a bad one costs."""

from __future__ import annotations

import io
import json
import logging
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mlup
import mlup_safepickle
from mlup_safepickle import Refused, table
from mlup_safepickle.safelists import CALL, NEW, REFERENCE, Entry, parse

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs distributions as pip does, with a safe list in a package."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    for variable in ("MLUP_STRICT_PLUGINS", "MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)

    def do(name: str, text: str | None, package: str = "sp_lib") -> None:
        folder = site.joinpath(*package.split("."))
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch() if "." in package else None
        (folder / "__init__.py").write_text("class Thing: ...\nclass Other: ...\nIMPORTED = 1\n")
        if text is not None:
            (folder / "safelist.json").write_text(text)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mlup.safelists]\n{name} = {package}\n")
        mlup.refresh()

    yield do
    for each in [each for each in sys.modules if each.startswith("sp_lib")]:
        del sys.modules[each]
    monkeypatch.undo()
    mlup.refresh()


def listed(**names: Any) -> str:
    return json.dumps({"names": {f"sp_lib:{key}": entry for key, entry in names.items()}})


NEW_THING = listed(Thing={"role": "new", "needed_by": "Thing"})
THING = b"\x80\x04csp_lib\nThing\n)\x81."


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


def test_a_distribution_contributes_names(install: Install) -> None:
    with pytest.raises(Refused):
        load(THING)
    install("sp_dist", NEW_THING)
    assert table()["sp_lib", "Thing"] == Entry(NEW)
    assert "sp_lib" not in sys.modules  # the list is read where it lies
    assert type(load(THING)).__name__ == "Thing"
    with pytest.raises(Refused):
        load(THING.replace(b"Thing", b"Other"))


def test_a_list_in_a_package_within_another(install: Install) -> None:
    install("sp_dist", NEW_THING, "sp_lib.inner")
    assert ("sp_lib", "Thing") in table()
    assert not {each for each in sys.modules if each.startswith("sp_lib")}


def test_a_list_in_a_namespace_package(install: Install, tmp_path: Path) -> None:
    install("sp_dist", NEW_THING, "sp_lib.inner")
    (tmp_path / "site" / "sp_lib" / "__init__.py").unlink()
    mlup.refresh()
    assert ("sp_lib", "Thing") in table()


def test_a_list_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "sp.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("sp_lib/__init__.py", "")
        out.writestr("sp_lib/safelist.json", NEW_THING)
        out.writestr("sp_dist-1.0.dist-info/METADATA", "Name: sp_dist\nVersion: 1.0\n")
        out.writestr("sp_dist-1.0.dist-info/entry_points.txt", "[mlup.safelists]\nx = sp_lib\n")
    monkeypatch.syspath_prepend(str(archive))
    mlup.refresh()
    try:
        assert ("sp_lib", "Thing") in table()
    finally:
        monkeypatch.undo()
        mlup.refresh()


@pytest.mark.parametrize(
    ("variable", "value"), [("MLUP_PLUGINS", "pickle"), ("MLUP_DISABLE_PLUGINS", "sp_dist")]
)
def test_an_excluded_distribution_contributes_nothing(
    install: Install, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    install("sp_dist", NEW_THING)
    assert ("sp_lib", "Thing") in table()
    monkeypatch.setenv(variable, value)
    mlup.refresh()
    assert ("sp_lib", "Thing") not in table()
    assert ("builtins", "set") in table()  # those of this package stay


BAD = {
    "no file": None,
    "no JSON": "{",
    "no names": "{}",
    "a list": "[]",
    "no module": '{"names": {"Thing": {"role": "new"}}}',
    "no name": '{"names": {"sp_lib:": {"role": "new"}}}',
    "no role": '{"names": {"sp_lib:Thing": {}}}',
    "another role": '{"names": {"sp_lib:Thing": {"role": "run"}}}',
    "another key": '{"names": {"sp_lib:Thing": {"role": "new", "cal_check": "a:b"}}}',
    "a wildcard": '{"names": {"sp_lib:*": {"role": "new"}}}',
    "a prefix": '{"names": {"sp_lib.*:Thing": {"role": "new"}}}',
    "a check without its function": '{"names": {"sp_lib:Thing": {"role": "call", "call_check": "a"}}}',
    "a list of checks": '{"names": {"sp_lib:Thing": {"role": "call", "call_check": ["a:b"]}}}',
    "text for an entry": '{"names": {"sp_lib:Thing": "new"}}',
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_list_costs_itself_and_is_logged(
    what: str, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    good = json.dumps({"names": {"sp_good:Thing": {"role": "reference"}}})
    install("sp_good", good, "sp_lib_good")
    install("sp_bad", BAD[what])
    with caplog.at_level(logging.DEBUG):
        found = table()
    assert ("sp_lib", "Thing") not in found
    assert found["sp_good", "Thing"] == Entry(REFERENCE)
    assert ("builtins", "set") in found
    assert any("sp_bad" in each.getMessage() for each in caplog.records)


@pytest.mark.parametrize("what", [key for key, text in BAD.items() if text and text[0] == "{" and "names" in text])  # fmt: skip
def test_a_bad_entry_is_no_list(what: str) -> None:
    with pytest.raises((ValueError, AttributeError)):
        parse(BAD[what] or "")


def test_spellings_of_before_are_those_of_today() -> None:
    text = '{"names": {"numpy.core.sp:Thing": {"role": "call", "versions": "<2"}}}'
    assert parse(text) == {("numpy._core.sp", "Thing"): Entry(CALL)}


def test_two_lists_on_a_name_keep_the_checks(install: Install) -> None:
    install("sp_one", listed(Thing={"role": "call", "call_check": "a:b"}))
    install("sp_two", listed(Thing={"role": "new", "state_check": "c:d"}), "sp_lib_two")
    assert table()["sp_lib", "Thing"] == Entry(CALL, ("a:b",), ("c:d",))


def test_two_lists_on_a_name_keep_both_of_their_checks(install: Install) -> None:
    install("sp_one", listed(Thing={"role": "call", "call_check": "a:b", "whole": True}))
    install("sp_two", listed(Thing={"role": "call", "call_check": "c:d"}), "sp_lib_two")
    assert set(table()["sp_lib", "Thing"].call_checks) == {"a:b", "c:d"}
    assert table()["sp_lib", "Thing"].whole


def test_another_list_does_not_take_a_check_off(install: Install) -> None:
    names = {"names": {"builtins:range": {"role": "call"}, "numpy:dtype": {"role": "call"}}}
    before = table()["builtins", "range"], table()["numpy", "dtype"]
    install("sp_dist", json.dumps(names))
    assert (table()["builtins", "range"], table()["numpy", "dtype"]) == before
    with pytest.raises(Refused):
        load(b"cbuiltins\nrange\n(L1000000000000L\ntR.")


def test_the_lists_of_this_package_are_exact() -> None:
    for (module, name), entry in table().items():
        assert module
        assert "*" not in module + name
        for check in (*entry.call_checks, *entry.state_checks):
            assert check.count(":") == 1
