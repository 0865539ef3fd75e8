"""The report: what load would do, without doing it."""

from __future__ import annotations

import collections
import io
import pickle
import subprocess
import sys
import types

import pytest

import mlup
import mlup_safepickle
from mlup_safepickle import Refused


def inspect(data: bytes, *allow: str) -> mlup.Report:
    return mlup_safepickle.inspect(io.BytesIO(data), allow=allow)


def said(report: mlup.Report) -> list[tuple[str, str, str]]:
    return [(str(each), each.role, each.verdict) for each in report.imports]


CASES: dict[str, tuple[bytes, list[tuple[str, str, str]]]] = {
    "reference": (b"cbuiltins\nlen\n.", [("builtins.len", "reference", "safe")]),
    "called reference": (b"cbuiltins\nlen\n)R.", [("builtins.len", "call", "refused")]),
    "call": (b"cbuiltins\nset\n)R.", [("builtins.set", "call", "safe")]),
    "new": (b"cargparse\nNamespace\n)\x81.", [("argparse.Namespace", "call", "safe")]),
    "called new": (b"cargparse\nNamespace\n)R.", [("argparse.Namespace", "call", "refused")]),
    "not listed": (b"cos\nsystem\n.", [("os.system", "reference", "refused")]),
    "called": (b"cos\nsystem\n(Vx\ntR.", [("os.system", "call", "refused")]),
    "inst": (b"(Vx\nios\nsystem\n.", [("os.system", "call", "refused")]),
    "obj": (b"(cos\nsystem\nVx\no.", [("os.system", "call", "refused")]),
    "by stack": (b"Vos\nVsystem\n\x93.", [("os.system", "reference", "refused")]),
    "of Python 2": (b"c__builtin__\neval\n.", [("builtins.eval", "reference", "refused")]),
    "once": (
        b"(cos\nsystem\ncos\nsystem\n)Rcos\nsystem\nt.", [("os.system", "call", "refused")]
    ),
    "reconstructed": (
        b"ccopyreg\n_reconstructor\n(cargparse\nNamespace\ncbuiltins\nobject\nNtR.",
        [("copyreg._reconstructor", "call", "safe"), ("argparse.Namespace", "call", "safe"),
         ("builtins.object", "reference", "safe")],
    ),
    "reconstructed reference": (
        b"ccopyreg\n_reconstructor\n(cbuiltins\nlen\ncbuiltins\nobject\nNtR.",
        [("copyreg._reconstructor", "call", "safe"), ("builtins.len", "call", "refused"),
         ("builtins.object", "reference", "safe")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_roles_and_verdicts(name: str) -> None:
    data, wanted = CASES[name]
    assert said(inspect(data)) == wanted
    assert inspect(data).notes == ()


NAMED = [b"cbuiltins\nlen\n", b"cargparse\nNamespace\n", b"cbuiltins\nset\n", b"cos\nsystem\n",
         b"cbuiltins\ndict\n", b"cnot_there\nAtAll\n", b"ccollections\nOrderedDict\n"]  # fmt: skip
USES = [b".", b"0N.", b")R.", b")\x81.", b")}\x92.", b"}b.", b"}Va\nI1\nsb.", b"q\x01h\x01\x86."]


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("allow", [(), ("os.system",)])
def test_load_refuses_what_the_report_says(named: bytes, use: bytes, allow: tuple[str]) -> None:
    if allow and named == b"cos\nsystem\n" and use[0] == ord(")"):
        use = b"0N."  # it would be called, or is found to be no class by importing it alone
    report = inspect(named + use, *allow)
    try:
        mlup_safepickle.load(io.BytesIO(named + use), allow=allow)
    except Refused as refused:
        assert report.refused or report.notes
        if refused.allowable:
            assert set(refused.names) <= set(report.refused)  # noqa: PT017
    except ImportError:
        pytest.fail("it was imported without being listed")
    else:
        assert not report.refused
        assert not report.notes


@pytest.mark.parametrize("protocol", range(6))
def test_ordinary_pickles_have_nothing_refused(protocol: int) -> None:
    for value in (
        [1, {"a": (2, b"x")}, {3}, range(4), complex(1, 2)], collections.OrderedDict(a=1),
        collections.deque([1]), collections.defaultdict(list, a=[1]), types.SimpleNamespace(a=1),
        collections.Counter("ab"), bytearray(b"x"), slice(1, 2),
    ):  # fmt: skip
        report = inspect(pickle.dumps(value, protocol))
        assert report.refused == ()
        assert report.notes == ()


def test_an_exact_name_that_is_allowed_is_safe() -> None:
    assert inspect(b"cos\nsystem\n)R.", "os.system").refused == ()
    assert inspect(b"cmine.sub\nModel\n)R.", "mine.*").refused == ()
    assert inspect(b"cmine_too\nModel\n)R.", "mine.*").refused == ("mine_too.Model",)
    assert inspect(b"\x80\x04Vmine\nVos.system\n\x93.", "mine.*").refused == ("mine.os.system",)


def test_everything_that_would_be_refused_is_told() -> None:
    data = b"(cos\nsystem\ncbuiltins\neval\ncbuiltins\nset\nt."
    assert inspect(data).refused == ("os.system", "builtins.eval")


def test_a_second_pickle_is_looked_into() -> None:
    report = inspect(b"N.cos\nsystem\n)R.")
    assert report.refused == ("os.system",)
    assert any("second" in note for note in report.notes)


def test_bytes_behind_the_pickle() -> None:
    assert any("follow" in note for note in inspect(b"N.\xff\xfe").notes)
    assert inspect(b"N.").notes == ()


@pytest.mark.parametrize("end", [b"", b"\xff", b"h\x09.", b"R.", b"B\xff\xff\xff\x7f.", b"\x82\x01.",
                                 b"NQ.", b"\x97."])  # fmt: skip
def test_damage_is_told_with_what_came_before_it(end: bytes) -> None:
    report = inspect(b"cos\nsystem\n0" + end)
    assert report.refused == ("os.system",)
    assert any("cannot be followed" in note for note in report.notes)


def test_many_pickles_end() -> None:
    assert inspect(b"N." * 10_000).notes


OPEN = {
    "a call of what the file made": b"](tR.",
    "a call of a method": b"cbuiltins\ngetattr\n(cargparse\nNamespace\n)\x81V_get_args\ntR)R.",
    "arguments": b"cbuiltins\nrange\n(L1000000000000L\ntR.",
    "values for an instance": b"cargparse\nNamespace\n(I1\nt\x81.",
    "items for a number": b"NI1\na.",
}


@pytest.mark.parametrize("name", OPEN)
def test_what_is_refused_without_its_name_is_noted(name: str) -> None:
    with pytest.raises(Refused):
        mlup_safepickle.load(io.BytesIO(OPEN[name]))
    report = inspect(OPEN[name])
    assert report.refused or report.notes


def test_nothing_is_imported() -> None:
    program = """
import io, sys, mlup_safepickle
mlup_safepickle.inspect(io.BytesIO(b"N."))
before = set(sys.modules)
for module, name in (("this", "s"), ("sklearn.svm._classes", "SVC"), ("numpy", "dtype"), ("a.b", "c")):
    data = f"c{module}\\n{name}\\n".encode() + b")R}b."
    mlup_safepickle.inspect(io.BytesIO(data), allow=("this.s", "a.*"))
print(sorted(set(sys.modules) - before))
"""
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_it_begins_where_the_stream_stands() -> None:
    stream = io.BytesIO(b"cos\nsystem\n.cbuiltins\nlen\n.")
    stream.seek(12)
    assert mlup_safepickle.inspect(stream).refused == ()
