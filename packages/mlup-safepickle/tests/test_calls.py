"""``functools.partial``, what is complete when it is made, and what gets one state."""

from __future__ import annotations

import argparse
import functools
import io
import pickle
import types
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Acting, Budget, Refused
from mlup_safepickle.checks import calls
from mlup_safepickle.safelists import CALL, NEW, Entry


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


# -- partial -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(6))
def test_partials_of_functions(protocol: int) -> None:
    for value in (functools.partial(len), functools.partial(len, [1], a=2)):
        loaded = load(pickle.dumps(value, protocol))
        assert type(loaded) is functools.partial
        assert (loaded.func, loaded.args, loaded.keywords) == (len, value.args, value.keywords)
    with_attributes = functools.partial(len, [3])
    with_attributes.note = "x"  # type: ignore[attr-defined]
    assert load(pickle.dumps(with_attributes, protocol)).note == "x"


NO_FUNCTIONS = [int, argparse.Namespace, functools.partial(len), types.MethodType(len, []), None, 1, "f"]  # fmt: skip


@pytest.mark.parametrize("function", NO_FUNCTIONS, ids=str)
def test_a_partial_is_of_a_function(function: Any) -> None:
    assert calls.partial_call((function,), {})
    assert calls.partial_state((function, (), {}, None), None)


def test_a_partial_is_made_without_arguments() -> None:
    assert calls.partial_call((len,), {}) is None
    for args, kwargs in (((), {}), ((len, 1), {}), ((len,), {"a": 1})):
        assert calls.partial_call(args, kwargs)  # type: ignore[arg-type]
    for data in (b"cbuiltins\nint\n", b"cbuiltins\nlen\nI1\n", b"", b"](e"):
        with pytest.raises(Refused):
            load(b"cfunctools\npartial\n(" + data + b"tR.")


def test_the_state_of_a_partial() -> None:
    assert calls.partial_state((len, (), {}, None), None) is None
    assert calls.partial_state((len, (1,), None, {"a": 1}), None) is None
    for state in (None, [len, (), {}, None], (len, (), {}), (len, [], {}, None),
                  (len, (), [], None), (len, (), {}, []), (len, (), {}, None, None)):  # fmt: skip
        assert calls.partial_state(state, None)


def test_a_partial_is_not_called_by_its_file() -> None:
    made = b"cfunctools\npartial\ncbuiltins\nlen\n\x85R(cbuiltins\nlen\n(]t}Ntb"
    assert load(made + b".").args == ([],)
    with pytest.raises(Refused, match="made itself"):
        load(made + b")R.")


# -- one state, and only before it is used ---------------------------------------------------------


class _Compiled:
    """Without a ``__dict__``, as what is not written in Python."""

    __slots__ = ()


class Thing(_Compiled):
    """A class whose states are checked."""


class Container:
    """One whose states are not."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Acting:
    here = types.ModuleType("sp_calls")
    for each in (Thing, Container):
        monkeypatch.setattr(each, "__module__", "sp_calls")
        setattr(here, each.__name__, each)
    here.nothing_against = lambda *_: None  # type: ignore[attr-defined]
    here.give = lambda *args: Container()  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "sp_calls", here)
    checks = ("sp_calls:nothing_against",)
    entries = {
        "Thing": Entry(NEW, state_checks=checks),
        "Container": Entry(NEW),
        "give": Entry(CALL, whole=True),
    }
    return Acting({("sp_calls", key): each for key, each in entries.items()}, (), Budget(100))


def test_a_checked_state_is_set_once(machine: Acting) -> None:
    thing = machine.new(machine.find("sp_calls", "Thing"), (), {})
    machine.build(thing, {"a": 1})
    with pytest.raises(Refused, match="in use"):
        machine.build(thing, {"a": 2})
    assert thing.a == 1
    other = machine.new(machine.find("sp_calls", "Container"), (), {})
    machine.build(other, {"a": 1})
    machine.build(other, {"a": 2})
    assert other.a == 2


USES = {
    "argument": lambda machine, thing: machine.call(machine.find("sp_calls", "give"), (thing,)),
    "in a tuple": lambda machine, thing: machine.call(
        machine.find("sp_calls", "give"), (1, (thing,))
    ),
    "in a dict": lambda machine, thing: machine.call(
        machine.find("sp_calls", "give"), ({"a": thing},)
    ),
    "state": lambda machine, thing: machine.build(
        machine.new(machine.find("sp_calls", "Container"), (), {}), {"a": thing}
    ),
    "slots": lambda machine, thing: machine.build(
        machine.new(machine.find("sp_calls", "Container"), (), {}), (None, {"a": thing})
    ),
}


@pytest.mark.parametrize("use", USES)
def test_what_was_used_gets_no_state(machine: Acting, use: str) -> None:
    thing = machine.new(machine.find("sp_calls", "Thing"), (), {})
    with pytest.raises(Refused):  # noqa: PT012 - its use, or the state behind it
        USES[use](machine, thing)
        machine.build(thing, {"a": 1})
    assert not hasattr(thing, "a")


def test_what_is_whole_gets_no_state(machine: Acting) -> None:
    made = machine.call(machine.find("sp_calls", "give"), ())
    for _ in range(2):
        with pytest.raises(Refused, match="in use"):
            machine.build(made, {"a": 1})
    assert not hasattr(made, "a")


# -- names and attributes ----------------------------------------------------------------------------


def test_a_long_name_is_none() -> None:
    for module, name in (("m" * 1000, "n"), ("m", "n" * 60_000), ("m", "n." * 500)):
        with pytest.raises(Refused, match=r"a name of \d+ characters"):
            load(b"c" + module.encode() + b"\n" + name.encode() + b"\n.")
    with pytest.raises(Refused, match="not on the safe list"):
        load(b"c" + b"m" * 500 + b"\nn\n.")


def test_attributes_of_pythons_own_are_not_set() -> None:
    made = b"cargparse\nNamespace\n)\x81}V%s\nI1\nsb."
    for name in (b"__class__", b"__reduce__", b"__array__", b"__getattr__", b"__anything__"):
        with pytest.raises(Refused, match=r"would (set|have an object taken for an array)"):
            load(made % name)
    for name in (b"__doc__", b"__module__", b"__wrapped__", b"_private", b"__half"):
        assert vars(load(made % name)) == {name.decode(): 1}
