"""Which names may be imported, and what may be done with them."""

from __future__ import annotations

import argparse
import copyreg
import io
import pickle
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Acting, Budget, Refused
from mlup_safepickle.names import before, of_python_3, today
from mlup_safepickle.safelists import CALL, NEW, REFERENCE, Entry


def load(data: bytes, *allow: str) -> Any:
    return mlup_safepickle.load(io.BytesIO(data), allow=allow)


def name(module: str, qualname: str) -> bytes:
    return b"\x80\x04X%s%sX%s%s\x93" % (
        len(module).to_bytes(4, "little"),
        module.encode(),
        len(qualname).to_bytes(4, "little"),
        qualname.encode(),
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of the caller's own, which imports things it does not define."""
    root = tmp_path / "sp_mine"
    (root / "inner").mkdir(parents=True)
    source = """
        import os
        from os import system
        from argparse import Namespace
        import functools
        class Model:
            class Nested: ...
            def __setstate__(self, state): self.got = state
        class Plain: ...
        def make(n): return [n]
        chained = functools.partial(make, 1)
        NUMBER = 5
    """
    (root / "__init__.py").write_text(dedent(source))
    (root / "inner" / "__init__.py").write_text("class Deep: ...\n")
    (root / "__main__.py").write_text("raise SystemExit('ran')\n")
    (tmp_path / "sp_mine_too.py").write_text("class Other: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "sp_mine"  # type: ignore[misc]
    for each in [each for each in sys.modules if each.startswith("sp_mine")]:
        del sys.modules[each]


HOSTILE = [
    "os.system", "posix.system", "nt.system", "subprocess.Popen", "builtins.eval", "builtins.exec",
    "builtins.open", "builtins.__import__", "builtins.compile", "importlib.import_module",
    "runpy.run_path", "pip.main", "pkgutil.resolve_name", "operator.methodcaller",
    "operator.attrgetter", "operator.itemgetter", "builtins.map", "builtins.type", "builtins.vars",
    "builtins.setattr", "ctypes.CDLL", "marshal.loads", "types.FunctionType", "types.CodeType",
    "asyncio.run", "webbrowser.open", "pickle.loads", "copyreg.__newobj__", "sys.modules",
    "functools.reduce", "code.interact", "pty.spawn", "shutil.rmtree", "socket.socket",
]  # fmt: skip


@pytest.mark.parametrize("said", HOSTILE)
def test_a_name_that_is_not_listed_is_refused_by_name(said: str) -> None:
    module, _, what = said.rpartition(".")
    loaded = set(sys.modules)
    for data in (name(module, what), f"c{module}\n{what}\n".encode()):
        with pytest.raises(Refused) as caught:
            load(data + b".")
        (refused,) = caught.value.names
        assert refused.rpartition(".")[2] == what
        assert caught.value.allowable
    assert set(sys.modules) <= loaded | {"_compat_pickle"}


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("argparse", "_os.system"),
        ("collections", "_sys.modules"),
        ("builtins", "dict.__subclasses__"),
        ("builtins", "len.__self__.eval"),
        ("argparse.Namespace", "__init__"),
        ("", "os.system"),
        ("builtins", ""),
        ("builtins ", "len"),
    ],
)
def test_names_with_dots_do_not_walk(module: str, what: str) -> None:
    with pytest.raises(Refused):
        load(name(module, what) + b".")


def test_names_are_texts() -> None:
    for data in (b"NN\x93.", b"Vos\nN\x93.", b"C\x02os\x8c\x06system\x93."):
        with pytest.raises(pickle.UnpicklingError):
            load(data)


# -- roles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use", [b"(tR.", b")\x81.", b")}\x92.", b"(I1\ntR."], ids=["call", "new", "new_ex", "args"]
)
def test_a_reference_is_never_called(use: bytes) -> None:
    assert load(b"cbuiltins\nlen\n.") is len
    with pytest.raises(Refused, match="may only refer") as caught:
        load(b"cbuiltins\nlen\n" + use)
    assert caught.value.names == ("builtins.len",)


def test_inst_and_obj_ask_for_the_same_roles() -> None:
    for data in (b"(I1\nibuiltins\nlen\n.", b"(cbuiltins\nlen\nI1\no.", b"(ibuiltins\nlen\n."):
        with pytest.raises(Refused, match="may only refer"):
            load(data)


def test_what_is_new_is_not_called_and_takes_no_arguments() -> None:
    assert load(b"cargparse\nNamespace\n)\x81.") == argparse.Namespace()
    with pytest.raises(Refused, match="may only refer"):
        load(b"cargparse\nNamespace\n(tR.")
    with pytest.raises(Refused, match="of its own choice"):
        load(b"cargparse\nNamespace\n(I1\nt\x81.")


def test_what_the_file_made_is_never_called() -> None:
    for code in (b"N", b"]", b"Vx\n", b"cargparse\nNamespace\n)\x81"):
        for use in (b")R.", b")\x81."):
            with pytest.raises(Refused, match="made itself"):
                load(code + use)


def test_arguments_are_a_tuple() -> None:
    with pytest.raises(Refused, match="no tuple"):
        load(b"cbuiltins\nset\n]R.")
    with pytest.raises(Refused, match="no class has"):
        load(b"cbuiltins\nset\n]\x81.")


def acting(**entries: Entry) -> Acting:
    table = {("sp_test", key): entry for key, entry in entries.items()}
    return Acting(table, (), Budget(100))


def refuse_all(args: Any, kwargs: Any = None) -> str | None:
    return "never" if args and args != (1,) else None


def test_checks_are_asked_before_a_call_and_before_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    class Thing:
        def __init__(self, *args: Any) -> None:
            self.args = args

    module = types.ModuleType("sp_test")
    Thing.__module__, Thing.__qualname__ = "sp_test", "Thing"
    module.Thing = Thing  # type: ignore[attr-defined]
    module.check = lambda args, kwargs: f"saw {args}" if args != (1,) else None  # type: ignore[attr-defined]
    module.state = lambda state, instance: f"saw {state}" if state != {} else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sp_test", module)
    machine = acting(Thing=Entry(CALL, ("sp_test:check",), ("sp_test:state",)))
    found = machine.find("sp_test", "Thing")
    assert machine.call(found, (1,)).args == (1,)
    for use in (machine.call, lambda cls, args: machine.new(cls, args, {})):
        with pytest.raises(Refused, match=r"saw \(2,\)") as caught:
            use(found, (2,))
        assert caught.value.names == ("sp_test.Thing",)
    made = machine.call(found, (1,))
    assert machine.build(made, {}) is made
    made = machine.call(found, (1,))  # another one: each gets one state
    with pytest.raises(Refused, match=r"saw \{.a.: 1\}"):
        machine.build(made, {"a": 1})
    assert not hasattr(made, "a")
    assert REFERENCE < NEW < CALL


# -- what the caller allows -----------------------------------------------------------------------


def test_an_exact_name(package: str) -> None:
    made = name(package, "Model") + b")\x81}Va\nI1\nsb."
    with pytest.raises(Refused) as caught:
        load(made)
    assert caught.value.names == (f"{package}.Model",)
    assert load(made, *caught.value.names).got == {"a": 1}
    with pytest.raises(Refused):  # the next call knows nothing of it
        load(made)
    assert (
        load(name(package, "Model.Nested") + b".", f"{package}.Model.Nested").__name__ == "Nested"
    )


def test_a_package(package: str) -> None:
    everything = f"{package}.*"
    assert type(load(name(package, "Plain") + b")\x81.", everything)).__name__ == "Plain"
    assert load(name(package, "make") + b"(I3\ntR.", everything) == [3]
    assert load(name(f"{package}.inner", "Deep") + b".", everything).__name__ == "Deep"


@pytest.mark.parametrize(
    "what", ["os", "system", "Namespace", "chained", "NUMBER", "functools", "os.system",
             "Model.Nested", "make.__globals__", "Model.__init__", "__builtins__", "__loader__"]
)  # fmt: skip
def test_a_package_is_what_it_defines(package: str, what: str) -> None:
    with pytest.raises(Refused):
        load(name(package, what) + b".", f"{package}.*")


def test_a_package_is_not_its_main_nor_a_namesake(package: str) -> None:
    for module, what in ((f"{package}.__main__", "x"), (f"{package}_too", "Other")):
        with pytest.raises(Refused):
            load(name(module, what) + b".", f"{package}.*")
    assert f"{package}.__main__" not in sys.modules
    assert f"{package}_too" not in sys.modules


# -- spellings -------------------------------------------------------------------------------


def test_names_of_python_2() -> None:
    assert of_python_3("__builtin__", "set") == ("builtins", "set")
    assert of_python_3("copy_reg", "_reconstructor") == ("copyreg", "_reconstructor")
    assert load(b"\x80\x02c__builtin__\nset\n(]K\x01atR.") == {1}
    with pytest.raises(Refused) as caught:
        load(b"\x80\x02c__builtin__\neval\n.")
    assert caught.value.names == ("builtins.eval",)
    with pytest.raises(Refused, match="__builtin__"):  # protocol 3 and later are Python 3's
        load(b"\x80\x03c__builtin__\nset\n.")


def test_numpy_core_has_two_names() -> None:
    assert today("numpy.core") == "numpy._core"
    assert today("numpy.core.multiarray") == "numpy._core.multiarray"
    assert today("numpy.core_extra") == "numpy.core_extra"
    assert before("numpy._core.multiarray") == "numpy.core.multiarray"
    assert before("numpy.linalg") == "numpy.linalg"


# -- nothing global ------------------------------------------------------------------------------


def test_eight_threads_of_which_one_allows(package: str) -> None:
    made = name(package, "Plain") + b")\x81."
    load(made, f"{package}.Plain")
    state = (dict(copyreg.dispatch_table), dict(copyreg._extension_registry), pickle.Unpickler)  # type: ignore[attr-defined]
    results: dict[int, set[str]] = {}
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        seen = results.setdefault(number, set())
        for _ in range(100):
            try:
                load(made, *([f"{package}.Plain"] if number == 0 else []))
                seen.add("loaded")
            except Refused:
                seen.add("refused")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == {0: {"loaded"}, **{number: {"refused"} for number in range(1, 8)}}
    assert state == (
        dict(copyreg.dispatch_table),
        dict(copyreg._extension_registry),
        pickle.Unpickler,
    )  # type: ignore[attr-defined]
