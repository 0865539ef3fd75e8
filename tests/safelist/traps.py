"""Which listed names could execute, open or import something by being called or given a state.

Of a class: the source of ``__setstate__``, ``__setattr__``, ``__new__`` unless it is a reference, and
``__init__`` if it may be called; of a function: its own; of both, up to three steps on: functions of the same module and methods of
the same class that those call. Compiled code has no source: the README has what was read of it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

CALLS = frozenset(
    {
        *(
            "exec",
            "eval",
            "compile",
            "open",
            "__import__",
            "import_module",
            "urlopen",
            "urlretrieve",
        ),
        *(
            "load",
            "loads",
            "memmap",
            "fromfile",
            "tofile",
            "CDLL",
            "LoadLibrary",
            "system",
            "popen",
        ),
        *(
            "read_pickle",
            "read_csv",
            "read_text",
            "read_bytes",
            "write_text",
            "write_bytes",
            "unlink",
        ),
        *("from_file", "load_model", "rmtree", "makedirs", "mkdir", "resolve_name", "run_module"),
    }
)
MODULES = frozenset({"os", "subprocess", "ctypes", "shutil", "socket", "runpy", "urllib", "pickle"})
BY_STATE = ("__setstate__", "__setattr__")
EXAMINED = {
    "re:_compile": "compiles a regular expression, not Python",
    "numpy:record": "its own fields, by the name that is set",
    "xgboost.core:Booster": "hands bytes to the native parser; a path is no state",
    "torch._dynamo.decorators:_DimRange": "a frozen dataclass: its own fields",
    **dict.fromkeys(
        (
            *("pandas:DataFrame", "pandas:Series", "pandas.core.frame:DataFrame"),
            *("pandas.core.series:Series", "torch.nn.modules.rnn:GRU", "torch.nn.modules.rnn:LSTM"),
            *("torch.nn.modules.rnn:RNN", "torch.nn.modules.rnn:RNNBase"),
        ),
        "asks itself for an attribute before it sets it",
    ),
}
"""What the walk finds and a reader found harmless, with the reason."""
HARMLESS = frozenset({"os.path", "os.environ"})


def traps(key: str, role: str) -> list[str]:
    """What there is to fear of a listed name, as ``method: call``; [] for what was not found.

    Raises ImportError or AttributeError for a name that the installed release does not have.
    """
    value = found(key)
    if key in EXAMINED:
        return []
    if isinstance(value, type):  # of a reference too: arrays are made of any subclass of ndarray
        made = {"reference": (), "new": ("__new__",), "call": ("__new__", "__init__")}
        names = (*BY_STATE, *made[role])
        starts = [(name, vars(cls)[name]) for name in names for cls in _first(value, name)]
        return [f"{name}: {trap}" for name, start in starts for trap in _within(start, value)]
    if isinstance(value, FunctionType) and role == "call":
        return [f"{value.__name__}: {trap}" for trap in _within(value, None)]
    return []


def found(key: str) -> Any:
    """The object of a key."""
    module, _, name = key.partition(":")
    value: Any = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _first(cls: type, name: str) -> list[type]:
    return [each for each in cls.__mro__ if name in vars(each)][:1]


def _within(function: Any, cls: type | None, further: int = 3) -> Iterator[str]:
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, FunctionType):
        return
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):  # made by exec, as dataclasses and named tuples make theirs
        return
    module = sys.modules.get(function.__module__)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [each.name.partition(".")[0] for each in node.names]
            if MODULES & {*names, (getattr(node, "module", None) or "").partition(".")[0]}:
                yield ast.unparse(node)
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func)
        last, first = said.rpartition(".")[2], said.partition(".")[0]
        if last in CALLS or (first in MODULES and not said.startswith(tuple(HARMLESS))):
            yield said
        elif (
            said == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant)
        ):
            yield ast.unparse(node)
        elif further:
            called = _called(node.func, cls, module)
            if called is not None:
                yield from (f"{said} -> {trap}" for trap in _within(called, cls, further - 1))


def _called(node: ast.expr, cls: type | None, module: ModuleType | None) -> Any:
    if isinstance(node, ast.Name):
        called = getattr(module, node.id, None)
        return called if isinstance(called, FunctionType) else None
    of_self = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    if cls is not None and of_self and node.value.id in ("self", "cls"):  # type: ignore[attr-defined]
        return inspect.getattr_static(cls, node.attr, None)  # type: ignore[attr-defined]
    return None


def main() -> None:
    """Print every trap of the lists, as far as the libraries are installed."""
    import json

    from safelist.generate import SHARED, TORCH

    for path in (*sorted(SHARED.glob("*.json")), TORCH):
        for key, entry in json.loads(path.read_text(encoding="utf-8"))["names"].items():
            try:
                said = traps(key, entry["role"])
            except (ImportError, AttributeError):
                continue
            if said:
                print(path.stem, entry["role"], key, sorted(set(said)))


if __name__ == "__main__":
    sys.path.insert(0, str(__import__("pathlib").Path(__file__).parents[1]))
    main()
