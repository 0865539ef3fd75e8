"""What may be called is never handed to the file: it holds a token, which only the machine can use."""

from __future__ import annotations

import importlib
import importlib.util
import io
import pickle
import sys
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused, table
from mlup_safepickle.safelists import CALL


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


CALLEES = {
    "getattr": b"cbuiltins\ngetattr\n",
    "_reconstructor": b"ccopyreg\n_reconstructor\n",
    "encode": b"c_codecs\nencode\n",
    "compile": b"cre\n_compile\n",
}
NAMESPACE = b"cargparse\nNamespace\n)\x81"
HELD = {
    "alone": (b"%s", lambda held: held),
    "in a list": (b"]%sa", lambda held: held[0]),
    "in a tuple": (b"%s\x85", lambda held: held[0]),
    "in a set": (b"(%s\x91", lambda held: next(iter(held))),
    "as a value": (b"}Va\n%ss", lambda held: held["a"]),
    "as a key": (b"}%sNs", lambda held: next(iter(held))),
    "in a deque": (b"ccollections\ndeque\n)R%sa", lambda held: held[0]),
    "in an attribute": (NAMESPACE + b"}Va\n%ssb", lambda held: held.a),
    "in a slot": (NAMESPACE + b"N}Va\n%ss\x86b", lambda held: held.a),
    "as an argument": (b"cbuiltins\nset\n(]%satR", lambda held: next(iter(held))),
    "of a default": (b"ccollections\ndefaultdict\n(N}Va\n%sstR", lambda held: held["a"]),
}


def callee(name: str) -> Any:
    module, function = CALLEES[name][1:-1].decode().split("\n")
    return getattr(importlib.import_module(module), function)


@pytest.mark.parametrize("where", HELD)
@pytest.mark.parametrize("name", CALLEES)
def test_a_file_holds_a_token(name: str, where: str) -> None:
    code, taken_from = HELD[where]
    held = taken_from(load(code % CALLEES[name] + b"."))
    assert not callable(held)
    assert held is not callee(name)
    assert not isinstance(held, (str, bytes, int))


def importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_every_listed_function_that_may_be_called_is_a_token() -> None:
    tried = 0
    for (module, name), entry in table().items():
        if entry.role < CALL or module.partition(".")[0] not in sys.stdlib_module_names:
            continue
        if not importable(module):
            continue  # of another release of Python
        real: Any = importlib.import_module(module)
        for part in name.split("."):
            real = getattr(real, part)
        if not isinstance(real, type):
            names = b"V%s\nV%s\n\x93." % (module.encode(), name.encode())
            assert not callable(load(b"\x80\x04" + names)), (module, name)
            tried += 1
    assert tried >= len(CALLEES)


USED = {
    "of a partial": b"cfunctools\npartial\n%s\x85R.",
    "of a partial by its state": b"cfunctools\npartial\ncbuiltins\nlen\n\x85R(%s)}Ntb.",
    "that makes a default": b"ccollections\ndefaultdict\n%s\x85R.",
    "that makes a default by a slot": b"ccollections\ndefaultdict\n)RN}Vdefault_factory\n%ss\x86b.",
    "whose attribute is taken": b"cbuiltins\ngetattr\n(%sV__self__\ntR.",
    "whose function is taken": b"cbuiltins\ngetattr\n(%sVfunction\ntR.",
    "of which an instance is made": b"%s)\x81.",
    "that is a class": b"ccopyreg\n_reconstructor\n(%scbuiltins\nobject\nNtR.",
    "that gets a state": b"%s}Vfunction\ncbuiltins\nlen\nsb.",
    "that gets a slot": b"%sN}Vfunction\ncbuiltins\nlen\ns\x86b.",
    "that takes items": b"%sNa.",
    "by an attrgetter": b"coperator\nattrgetter\nVfunction\n\x85R%s\x85R.",
    "by a methodcaller": b"coperator\nmethodcaller\nV__call__\n\x85R%s\x85R.",
    "within a list, by a call of it": b"]%sa)R.",
}


@pytest.mark.parametrize("use", USED)
@pytest.mark.parametrize("name", CALLEES)
def test_a_token_is_of_no_use(name: str, use: str) -> None:
    with pytest.raises(Refused):
        load(USED[use] % CALLEES[name])


def test_the_class_of_a_token_is_no_name() -> None:
    for cls in (b"_Callee", b"Acting"):
        with pytest.raises(Refused, match="not on the safe list"):
            load(b"cmlup_safepickle.acting\n" + cls + b"\n.")


def test_a_check_that_takes_functions_takes_its_own_alone() -> None:
    np = pytest.importorskip("numpy")
    state = np.random.RandomState(1)
    assert load(pickle.dumps(state, 2)).random_sample() == state.random_sample()
    made = b"cnumpy.random._pickle\n__randomstate_ctor\n(VMT19937\n%stR."
    for name in CALLEES:
        with pytest.raises(Refused, match="another function"):
            load(made % CALLEES[name])
