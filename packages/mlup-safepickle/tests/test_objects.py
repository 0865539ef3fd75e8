"""States, items, attributes and instances; and what is only meant to cost time or memory."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import io
import pathlib
import pickle
import re
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import mlup_safepickle
from mlup_safepickle import Budget, Refused


def load(data: bytes, *allow: str) -> Any:
    return mlup_safepickle.load(io.BytesIO(data), allow=allow)


class Colour(enum.Enum):
    RED = 1


class Slots:
    __slots__ = ("a", "b")


class WithProperty:
    ran: list[Any] = []

    @property
    def a(self) -> int:
        return 1

    @a.setter
    def a(self, value: Any) -> None:
        self.ran.append(value)


class Setting:
    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError("the file ran __setattr__")


class Pair(NamedTuple):
    a: int
    b: int


class MyList(list[int]): ...


class MyDict(dict[str, int]): ...


class MyInt(int): ...


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    """These classes under a name that can be imported, however pytest imported this file."""
    here = types.ModuleType("sp_objects")
    for each in (Colour, Slots, WithProperty, Setting, Pair, MyList, MyDict, MyInt):
        monkeypatch.setattr(each, "__module__", "sp_objects")
        setattr(here, each.__name__, each)
    monkeypatch.setitem(sys.modules, "sp_objects", here)


ALLOW = "sp_objects.*"


@pytest.mark.parametrize("protocol", range(6))
def test_ordinary_objects_of_the_standard_library(protocol: int) -> None:
    utc = datetime.timezone.utc
    for value in (
        collections.OrderedDict(a=1, b=[2]), collections.defaultdict(list, a=[1]),
        collections.defaultdict(None, a=1), collections.Counter("aab"),
        collections.deque([1, 2], 5), collections.deque([1]), {1, 2}, frozenset({3}),
        datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, tzinfo=utc),
        datetime.time(1), datetime.timedelta(3, 4), utc, decimal.Decimal("1.50"),
        re.compile("a+", re.IGNORECASE), slice(1, None, 2), range(5), bytearray(b"x"), b"\xff",
        pathlib.PurePosixPath("a/b"), uuid.UUID(int=5), types.SimpleNamespace(a=1), int, dict,
        complex(1, 2), NotImplemented, ..., collections.ChainMap({"a": 1}),
    ):  # fmt: skip
        if protocol < 2 and isinstance(value, types.SimpleNamespace) and sys.version_info < (3, 10):
            continue
        loaded = load(pickle.dumps(value, protocol))
        assert loaded == value
        assert type(loaded) is type(value)


@pytest.mark.parametrize("protocol", range(6))
def test_objects_of_ones_own(protocol: int) -> None:
    slots = Slots()
    slots.a = 5  # type: ignore[attr-defined]
    if protocol >= 2:
        assert load(pickle.dumps(slots, protocol), ALLOW).a == 5
    for value in (Pair(1, 2), MyList([1, 2]), MyDict(a=1), MyInt(7), Colour.RED):
        loaded = load(pickle.dumps(value, protocol), ALLOW)
        assert loaded == value
        assert type(loaded) is type(value)


# -- states ------------------------------------------------------------------------------------


STATE = b"}Vplanted\nI1\nsb."


@pytest.mark.parametrize(
    "code",
    [
        b"cargparse\nNamespace\n",
        b"cbuiltins\ndict\n",
        b"cbuiltins\nlen\n",
        b"cbuiltins\nEllipsis\n",
        b"csp_objects\nColour\n(I1\ntR",
        b"cargparse\nNamespace\n)\x81}sb",
        b"cbuiltins\ngetattr\n(cargparse\nNamespace\n)\x81V_get_args\ntR",
    ],
    ids=["class", "builtin class", "function", "singleton", "enum", "nothing", "method"],
)
@pytest.mark.parametrize("state", [b"N}Vplanted\nI1\ns\x86b.", STATE], ids=["slots", "dict"])
def test_a_state_is_for_an_instance_of_the_file(code: bytes, state: bytes) -> None:
    with pytest.raises((Refused, pickle.UnpicklingError)):
        load(code + state, ALLOW)
    for each in (__import__("argparse").Namespace, Colour, Colour.RED):
        assert not hasattr(each, "planted")


def test_a_module_that_the_caller_allowed_is_not_changed() -> None:
    with pytest.raises(Refused, match="for the whole process") as caught:
        load(b"csp_objects\nmodule\n" + STATE, "sp_objects.module") if setattr(
            sys.modules["sp_objects"], "module", re
        ) is None else None
    assert not caught.value.allowable
    assert not hasattr(re, "planted")


def test_a_state_that_is_no_dict_of_names() -> None:
    for state in (b"I1\nb.", b"Vx\nb.", b"]I1\nab.", b"}I1\nI2\nsb.", b"NI1\n\x86b."):
        with pytest.raises(Refused):
            load(b"cargparse\nNamespace\n)\x81" + state)


def test_what_is_planted_in_an_instance_is_not_called() -> None:
    made = b"cargparse\nNamespace\n)\x81}V%s\ncbuiltins\nlen\nsb"
    for dunder in (b"__setstate__", b"__class__", b"__len__", b"__reduce__"):
        with pytest.raises(Refused, match="would set"):
            load(made % dunder + b".")
    for planted, use in (
        (b"append", b"I1\na."), (b"extend", b"(I1\ne."), (b"__setitem__", b"I1\nI2\ns."),
        (b"__setitem__", b"(I1\nI2\nu."), (b"add", b"(I1\n\x90."), (b"__call__", b")R."),
        (b"update", b"(I1\nI2\nu."),
    ):  # fmt: skip
        with pytest.raises(Refused):
            load(made % planted + use)


def test_a_state_sets_no_property_and_runs_no_setattr() -> None:
    cls = b"csp_objects\n%s\n)\x81"
    with pytest.raises(Refused, match="no slot"):
        load(cls % b"WithProperty" + b"N}Va\nI1\ns\x86b.", ALLOW)
    assert load(cls % b"WithProperty" + b"}Va\nI1\nsb.", ALLOW).__dict__ == {"a": 1}
    assert WithProperty.ran == []
    assert load(cls % b"Setting" + b"}Va\nI1\nsb.", ALLOW).a == 1
    assert load(cls % b"Setting" + b"N}Va\nI1\ns\x86b.", ALLOW).a == 1
    for slot in (b"__class__", b"__dict__"):
        with pytest.raises(Refused):
            load(cls % b"Setting" + b"N}V" + slot + b"\ncargparse\nNamespace\ns\x86b.", ALLOW)


# -- items -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [b"N", b"I1\n", b"Vx\n", b")", b"cbuiltins\nlen\n", b"\x8f"])
@pytest.mark.parametrize("use", [b"I1\na.", b"(I1\ne.", b"I1\nI2\ns.", b"(I1\nI2\nu."])
def test_items_are_for_containers(target: bytes, use: bytes) -> None:
    with pytest.raises(Refused, match="no container"):
        load(target + use)


def test_an_odd_number_of_items_is_damage() -> None:
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        load(b"}(I1\nu.")
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        load(b"(I1\nd.")


def test_a_class_is_no_container_of_its_own() -> None:
    with pytest.raises(Refused):
        load(b"cbuiltins\nlist\nI1\na.")


# -- getattr and copyreg ------------------------------------------------------------------------

NAMESPACE = b"cargparse\nNamespace\n)\x81"


def test_a_bound_method_can_be_kept() -> None:
    method = load(b"cbuiltins\ngetattr\n(" + NAMESPACE + b"V_get_args\ntR.")
    assert isinstance(method, types.MethodType)
    with pytest.raises(Refused, match="made itself"):
        load(b"cbuiltins\ngetattr\n(" + NAMESPACE + b"V_get_args\ntR)R.")


@pytest.mark.parametrize(
    "arguments",
    [
        b"cbuiltins\nlen\nV__self__\n", b"cargparse\nNamespace\nV__init__\n",
        b"cargparse\nNamespace\nVmro\n", NAMESPACE + b"V__init__\n", NAMESPACE + b"V__class__\n",
        NAMESPACE + b"V__dict__\n", NAMESPACE + b"Vnone\n", NAMESPACE + b"V_get_args\nN",
        b"](I1\neVappend\n", b"Vx\nVformat\n", b"NV__class__\n", NAMESPACE + b"I1\n",
        b"cargparse\nNamespace\n)\x81}V_get_args\ncbuiltins\nlen\nsbV__setattr__\n",
    ],
)  # fmt: skip
def test_nothing_else_is_got_of_an_object(arguments: bytes) -> None:
    with pytest.raises(Refused):
        load(b"cbuiltins\ngetattr\n(" + arguments + b"tR.")


def test_what_was_planted_is_not_got() -> None:
    code = b"cbuiltins\ngetattr\n(" + NAMESPACE + b"}V%s\ncbuiltins\nlen\nsbV%s\ntR."
    with pytest.raises(Refused):
        load(code % (b"found", b"found"))
    assert isinstance(load(code % (b"_get_args", b"_get_args")), types.MethodType)


@pytest.mark.parametrize(
    "arguments",
    [
        b"cbuiltins\nlen\ncbuiltins\nobject\nN",  # a reference
        b"NNN",
        NAMESPACE + b"cbuiltins\nobject\nN",
        b"csp_objects\nMyList\ncbuiltins\nlen\nN",
        b"csp_objects\nMyList\ncbuiltins\nlist\n)",  # another type than the base
        b"csp_objects\nMyList\ncbuiltins\ndict\n}",
        b"csp_objects\nMyInt\ncsp_objects\nMyInt\nI1\n",
    ],
)
def test_reconstructor_makes_what_new_would(arguments: bytes) -> None:
    with pytest.raises(Refused):
        load(b"ccopyreg\n_reconstructor\n(" + arguments + b"tR.", ALLOW)


def test_newobj_by_name_is_refused() -> None:
    for what in (b"__newobj__", b"__newobj_ex__"):
        with pytest.raises(Refused) as caught:
            load(b"ccopyreg\n" + what + b"\n(cargparse\nNamespace\ntR.")
        assert caught.value.names == (f"copyreg.{what.decode()}",)


# -- budgets, in this process: they stop early ----------------------------------------------------


def test_memo_numbers_are_only_numbers() -> None:
    assert load(b"K\x01r\xff\xff\xff\xff.") == 1
    assert load(b"K\x01p99999999999999999999\n.") == 1
    with pytest.raises(pickle.UnpicklingError):
        load(b"h\x01.")


def test_a_nested_tuple_is_no_key() -> None:
    bomb = b"K\x01\x85" + b"2\x86" * 60
    for code in (b"}" + bomb + b"Ns.", b"}(" + bomb + b"Nu.", b"(" + bomb + b"Nd.",
                 b"\x8f(" + bomb + b"\x90.", b"(" + bomb + b"\x91.",
                 b"cbuiltins\nset\n(]" + bomb + b"atR.",
                 b"ccollections\nOrderedDict\n(](" + bomb + b"Nleat" + b"R."):  # fmt: skip
        with pytest.raises((Refused, pickle.UnpicklingError)):
            load(code)
    assert load(bomb[: 3 + 2 * 8] + b".") is not None
    deep = b")" + b"\x85" * 2000
    with pytest.raises(Refused, match="nested so deeply"):
        load(b"}" + deep + b"Ns.")


def test_a_deep_value_is_no_key_and_loads() -> None:
    load(b"]" * 5000 + b"a" * 4999 + b".")


def test_containers_are_counted() -> None:
    budget = Budget(0)
    with pytest.raises(Refused, match="as a bomb does"):  # noqa: PT012
        for _ in range(2**21):
            budget.take(216)
    with pytest.raises(Refused, match="opcodes"):  # noqa: PT012
        for _ in range(2**21):
            budget.count(2**16)
    data = b"(" + b"\x8f" * 600_000 + b"t."
    with pytest.raises(Refused, match="as a bomb does"):
        load(data)
    assert len(load(b"(" + b"]" * 300_000 + b"t.")) == 300_000


# -- what hangs or eats memory where it is not stopped: in a process with limits -----------------------

BOMB = b"K\x01\x85" + b"2\x86" * 60
BOMBS: dict[str, Callable[[], bytes]] = {
    "uuid_as_key": lambda: b"}cuuid\nUUID\n)\x81}Vint\n" + BOMB + b"sbNs.",
    "copies_of_bytes": lambda: b"B" + (10**6).to_bytes(4, "little") + b"a" * 10**6 + b"q\x010"
    b"cbuiltins\nbytearray\nq\x020(" + b"h\x02h\x01\x85R" * 20000 + b"t.",
    "copies_of_lists": lambda: b"](" + b"N" * 10**6 + b"eq\x010"
    b"ccollections\ndeque\nq\x020(" + b"h\x02h\x01\x85R" * 2000 + b"t.",
    "endless_line": lambda: b"V" + b"a" * 60_000_000 + b"\n.",
    "keys_of_one_hash": lambda: b"}("
    + b"".join(b"\x8a\x0a" + ((k + 1) * (2**61 - 1)).to_bytes(10, "little") + b"N" for k in range(60_000))
    + b"u.",
    "large_key_many_times": lambda: b"(" + b"N" * 4000 + b"tq\x010}(" + b"h\x01N" * 300_000 + b"u.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_soon_in_little_memory(name: str, loaded_apart: Callable[[bytes], str]) -> None:
    assert loaded_apart(BOMBS[name]()) in ("Refused", "loaded")
