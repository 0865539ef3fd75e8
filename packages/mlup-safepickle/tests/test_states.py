"""States: slots of compiled types, names that others look up, and what the file keeps hold of."""

from __future__ import annotations

import collections
import functools
import io
import pickle
import sys
import types
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused
from mlup_safepickle.checks import calls


def load(data: bytes, *allow: str) -> Any:
    return mlup_safepickle.load(io.BytesIO(data), allow=allow)


class Defaults(collections.defaultdict[str, int]):
    """With slots of its own, above those of a compiled type."""

    __slots__ = ("own",)


class Taking:
    """Keeps the state that it gets."""

    def __setstate__(self, state: Any) -> None:
        self.state = state


class Emptying:
    """Changes the state that it gets, as scikit-learn's estimators do."""

    def __setstate__(self, state: Any) -> None:
        state.clear()


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    """These classes under a name that can be imported, however pytest imported this file."""
    here = types.ModuleType("sp_states")
    for each in (Defaults, Taking, Emptying):
        monkeypatch.setattr(each, "__module__", "sp_states")
        setattr(here, each.__name__, each)
    monkeypatch.setitem(sys.modules, "sp_states", here)


# -- slots -----------------------------------------------------------------------------------------

SLOT = b"N}V%s\n%ss\x86b."


@pytest.mark.parametrize("factory", [b"cbuiltins\nlen\n", b"cbuiltins\nlist\n", b"N"])
@pytest.mark.parametrize("made", [b"ccollections\ndefaultdict\n)R", b"csp_states\nDefaults\n)\x81"])
def test_a_slot_of_a_compiled_type_is_none(made: bytes, factory: bytes) -> None:
    """``default_factory`` would be called for any key that is looked up."""
    with pytest.raises(Refused, match="no slot of it"):
        load(made + SLOT % (b"default_factory", factory), "sp_states.*")


def test_a_slot_of_the_class_is_one() -> None:
    made = load(b"csp_states\nDefaults\n)\x81" + SLOT % (b"own", b"I1\n"), "sp_states.*")
    assert (made.own, made.default_factory) == (1, None)


# -- names -----------------------------------------------------------------------------------------

STATED = b"csp_states\nTaking\n)\x81}%s%ssb."
NAMESPACE = b"cargparse\nNamespace\n)\x81}%s%ssb."
SPECIAL = (b"__array__", b"__array_interface__", b"__call__", b"__deepcopy__", b"__setstate__")


@pytest.mark.parametrize("code", [STATED, NAMESPACE], ids=["__setstate__", "__dict__"])
@pytest.mark.parametrize("name", SPECIAL)
def test_a_state_has_no_special_names(name: bytes, code: bytes) -> None:
    with pytest.raises(Refused):
        load(code % (b"V" + name + b"\n", b"N"), "sp_states.*")
    kept = load(code % (b"V__wrapped__\n", b"N"), "sp_states.*")
    assert "__wrapped__" in vars(kept).get("state", vars(kept))


def test_a_special_name_by_a_subclass_of_str() -> None:
    """An instance's ``__dict__`` finds it by its hash, whatever class it has."""
    np = pytest.importorskip("numpy")
    for name in SPECIAL:
        named = pickle.dumps(np.str_(name.decode()), 2)[2:-1]
        with pytest.raises(Refused):
            load(STATED % (named, b"N"), "sp_states.*")


@pytest.mark.parametrize("name", SPECIAL)
def test_a_partial_has_no_special_attributes(name: bytes) -> None:
    made = b"cfunctools\npartial\ncbuiltins\nlen\n\x85R(cbuiltins\nlen\n)}}V%s\nNstb."
    assert calls.partial_state((len, (), {}, {name.decode(): None}), None)
    with pytest.raises(Refused):
        load(made % name)
    assert load(made % b"__wrapped__").__wrapped__ is None


VERSIONS = {
    "a list": b"](I1\nI2\ne",
    "a number": b"I1\n",
    "bytes": b"C\x031.2",
    "long": b"V" + b"1" * 65 + b"\n",
    "of control characters": b"X\x05\x00\x00\x00\x1b[2Jx",
    "of two lines": b"X\x03\x00\x00\x00a\nb",
}


@pytest.mark.parametrize("code", [STATED, NAMESPACE], ids=["__setstate__", "__dict__"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_a_short_text(version: str, code: bytes) -> None:
    """scikit-learn puts it into a warning: its ``str`` may take for ever, or steer a terminal."""
    with pytest.raises(Refused, match="no version"):
        load(code % (b"V_sklearn_version\n", VERSIONS[version]), "sp_states.*")
    for known in (b"1.2.2", b"1.9.dev0+1.g4be3e1d", b"1" * 64):
        load(code % (b"V_sklearn_version\n", b"V" + known + b"\n"), "sp_states.*")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_of_an_estimator(version: str) -> None:
    pytest.importorskip("sklearn")
    made = b"csklearn.linear_model._base\nLinearRegression\n)\x81}V_sklearn_version\n%ssb."
    with pytest.raises(Refused, match="no version"):
        load(made % VERSIONS[version])


# -- what the file keeps hold of -------------------------------------------------------------------


def test_a_state_is_a_copy_of_what_was_checked() -> None:
    state = b"}q\x01Va\nI1\nsb0h\x01"
    kept, given = load(
        b"csp_states\nTaking\n)\x81q\x00" + state + b"Va\nI2\ns0(h\x00h\x01t.", "sp_states.*"
    )
    assert (kept.state, given) == ({"a": 1}, {"a": 2})
    _, given = load(b"csp_states\nEmptying\n)\x81q\x00" + state + b"0(h\x00h\x01t.", "sp_states.*")
    assert given == {"a": 1}


def test_the_attributes_of_an_object_are_not_the_files_dict() -> None:
    code = b"cargparse\nNamespace\n)\x81q\x00}q\x01Va\nI1\nsb0h\x01V__deepcopy__\nNs0h\x00."
    assert vars(load(code)) == {"a": 1}


def test_the_attributes_of_a_partial_are_not_the_files_dict() -> None:
    state = b"(cbuiltins\nlen\n)}q\x01}q\x02tb0h\x01Va\nI1\ns0h\x02V__deepcopy__\nNs0h\x00."
    loaded = load(b"cfunctools\npartial\ncbuiltins\nlen\n\x85Rq\x00" + state)
    assert type(loaded) is functools.partial
    assert (loaded.keywords, vars(loaded)) == ({}, {})
