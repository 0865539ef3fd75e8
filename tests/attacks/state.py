"""What no load may change: everything of the process that a pickle could reach."""

from __future__ import annotations

import copyreg
import gc
import os
import pickle
import signal
import struct
import sys
import threading
from typing import Any

_CLASSES = (
    ("collections", "OrderedDict"),
    ("argparse", "Namespace"),
    ("types", "SimpleNamespace"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("joblib.numpy_pickle", "NumpyUnpickler"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.random.mtrand", "RandomState"),
    ("sklearn.base", "BaseEstimator"),
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.tree._tree", "Tree"),
    ("torch", "Tensor"),
    ("torch.nn.modules.module", "Module"),
    ("torch.nn.modules.linear", "Linear"),
    ("mlup_safepickle", "Unpickler"),
)
_FUNCTIONS = (("copyreg", "_reconstructor"), ("copyreg", "__newobj__"))
_MODULES = ("pickle", "_pickle", "copyreg", "os", "builtins", "joblib.numpy_pickle", "io", "codecs")
_DTYPES = ("f8", "f4", "i8", "i4", "u1", "?", "O", "c16")


def _attributes(value: Any) -> dict[str, int]:
    return {name: id(each) for name, each in vars(value).items() if name != "_abc_impl"}


def _numpy() -> dict[str, object]:
    np = sys.modules["numpy"]
    dtypes = {name: np.dtype(name) for name in _DTYPES}
    seen: dict[str, object] = {f"dtype {name}": id(each) for name, each in dtypes.items()}
    seen |= {
        f"dtype {name} is": (repr(each), each.byteorder, each.isnative, each.flags, each.itemsize)
        for name, each in dtypes.items()
    }
    seen["1.5 as float64"] = np.array([1.5]).tobytes() == struct.pack("=d", 1.5)
    seen["numpy.geterr"] = np.geterr()
    seen["numpy.random"] = str(np.random.get_state(legacy=True)[1][:4])
    return seen


def snapshot() -> dict[str, object]:
    """By name; equal before and after."""
    seen: dict[str, object] = {
        "copyreg.dispatch_table": {
            str(key): id(value) for key, value in copyreg.dispatch_table.items()
        },
        "copyreg extensions": (
            dict(copyreg._extension_registry),  # type: ignore[attr-defined]
            dict(copyreg._inverted_registry),  # type: ignore[attr-defined]
            dict(copyreg._extension_cache),  # type: ignore[attr-defined]
        ),
        "pickle._Unpickler.dispatch": _ids(pickle._Unpickler.dispatch),  # type: ignore[attr-defined]
        "recursion limit": sys.getrecursionlimit(),
        "trace": (sys.gettrace(), sys.getprofile()),
        "sys.path": list(sys.path),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "threads": threading.active_count(),
        "gc": gc.isenabled(),
        "signals": [
            signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
        ],
        "files": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
    }
    for name in _MODULES:
        if name in sys.modules:
            seen[f"module {name}"] = _attributes(sys.modules[name])
    for module, name in (*_CLASSES, *_FUNCTIONS):
        if module in sys.modules and hasattr(sys.modules[module], name):
            value = getattr(sys.modules[module], name)
            seen[f"{module}.{name}"] = (_attributes(value), getattr(value, "__bases__", ()))
    function = copyreg._reconstructor  # type: ignore[attr-defined]
    seen["copyreg._reconstructor"] = (
        function.__defaults__,
        function.__kwdefaults__,
        function.__dict__,
    )
    if "numpy" in sys.modules:
        seen |= _numpy()
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        seen["torch safe globals"] = sorted(map(str, torch.serialization.get_safe_globals()))
        seen["torch default dtype"] = str(torch.get_default_dtype())
        seen["torch random"] = torch.initial_seed()
    return seen


def _ids(table: dict[Any, Any]) -> dict[Any, int]:
    return {key: id(value) for key, value in table.items()}


def changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """What differs, each in a few words; what was imported only since then is not compared."""
    found = []
    for name, value in before.items():
        now = after.get(name)
        if now == value:
            continue
        if isinstance(value, dict) and isinstance(now, dict):
            keys = [str(key) for key in {*value, *now} if value.get(key) != now.get(key)]
            if name == "copyreg.dispatch_table":  # an import of a listed module may add its own
                keys = [key for key in keys if key in value]
            if name.startswith("module "):  # a submodule that was imported
                keys = [key for key in keys if f"{name[7:]}.{key}" not in sys.modules]
            if keys:
                found.append(f"{name}: {', '.join(sorted(keys)[:5])}")
        else:
            found.append(f"{name}: {str(value)[:200]} -> {str(now)[:200]}")
    return found
