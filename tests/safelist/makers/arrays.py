"""numpy: arrays of every type, scalars, random states, and functions that models refer to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from . import Benign

REQUIRES = ("numpy",)

TYPES = "?bhilqBHILQefdgFDG"
FUNCTIONS = (
    *("log", "log1p", "log2", "log10", "exp", "expm1", "exp2", "sqrt", "cbrt", "square", "abs"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh"),
    *("sign", "negative", "reciprocal", "floor", "ceil", "rint", "trunc", "clip", "isnan"),
    *("isfinite", "isinf", "logical_not", "power", "add", "subtract", "multiply", "divide"),
    *("maximum", "minimum", "fmax", "fmin", "deg2rad", "rad2deg", "greater", "less", "equal"),
    *("absolute", "conjugate", "mod", "floor_divide", "true_divide", "hypot", "arctan2"),
    *("logaddexp", "heaviside", "not_equal", "greater_equal", "less_equal", "logical_and"),
    *("logical_or", "logical_xor", "arccosh", "arctanh", "positive", "sinc", "nan_to_num"),
    *("mean", "median", "std", "var", "min", "max", "sum", "prod", "cumsum", "argmax", "argmin"),
    *("nanmean", "nanmedian", "nanstd", "nanmin", "nanmax", "nansum", "average", "ravel"),
    *("asarray", "array", "concatenate", "hstack", "vstack", "where", "round", "unique", "zeros"),
    *("ones", "percentile", "quantile", "dot", "diff", "gradient", "argsort", "sort", "transpose"),
    *("squeeze", "expand_dims", "reshape", "ptp", "atleast_2d", "isin", "angle", "real", "imag"),
)
REFERRED = (
    *("ndarray", "generic", "number", "integer", "floating", "float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool_", "str_"),
    *("bytes_", "object_", "complex64", "complex128", "datetime64", "timedelta64", "dtype"),
    *("longdouble", "intp", "matrix"),
)


class _Mapped:
    """A memory-mapped array, whose file is gone with its folder."""

    def __call__(self) -> Any:
        with TemporaryDirectory() as folder:
            path = Path(folder, "mapped.npy")
            np.save(path, np.arange(4.0))
            return np.load(path, mmap_mode="r")


def _arrays() -> dict[str, Any]:
    cases: dict[str, Any] = {
        f"array {np.dtype(kind)} {kind}": np.ones(3, dtype=kind) for kind in TYPES
    }
    structured = [("x", "f8"), ("name", "U5"), ("at", "i4", (2,))]
    aligned = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    titled = np.dtype({"names": ["a"], "formats": ["f8"], "titles": ["A title"]})
    big_endian = np.arange(3, dtype=">f8")
    cases |= {
        "array empty": np.empty((0, 3)),
        "array scalar": np.array(1.5),
        "array fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "array strided": np.arange(12.0)[::2],
        "array big-endian": big_endian,
        "array large": np.arange(2000.0).reshape(20, 100),
        "array text": np.array(["a", "bcd"]),
        "array bytes": np.array([b"a", b"bcd"]),
        "array objects": np.array(["a", 1, None, (1, 2)], dtype=object),
        "array of arrays": np.array([np.ones(2), np.ones(3)], dtype=object),
        "array of datetimes": np.array(["2026-01-01", "NaT"], dtype="M8[ns]"),
        "array of timedeltas": np.array([1, 2], dtype="m8[s]"),
        "array structured": np.zeros(2, dtype=structured),
        "array structured of objects": np.zeros(2, dtype=[("a", "O"), ("b", "i8")]),
        "array void": np.zeros(2, dtype="V4"),
        "array record": np.rec.array([(1, 2.0)], dtype=[("a", "i8"), ("b", "f8")]),
        "array masked": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
        "array masked record": np.ma.masked_array(
            np.zeros(2, dtype=[("a", "f8")]), mask=[(True,), (False,)]
        ),
        "masked": np.ma.masked,
        "array matrix": np.matrix([[1.0, 2.0]]),
        "array characters": np.char.array(["a", "b"]),
        "array read-only": _read_only(),
        "dtypes": [np.dtype(kind) for kind in TYPES],
        "dtypes of text": [np.dtype("U4"), np.dtype("S4"), np.dtype("M8[D]"), np.dtype("m8[us]")],
        "dtypes structured": [np.dtype(structured), aligned, titled, np.dtype(("f4", (2, 3)))],
        "dtype big-endian": np.dtype(">i4"),
        "dtype metadata": np.dtype("f8", metadata={"unit": "m"}),
        "scalars": [np.dtype(kind).type(1) for kind in TYPES],
        "scalar datetime": [np.datetime64("2026-01-01"), np.timedelta64(3, "D")],
        "scalar text": [np.str_("a"), np.bytes_(b"a")],
        "scalar void": np.zeros(1, dtype=[("a", "f8")])[0],
        "polynomial": np.polynomial.Polynomial([1.0, 2.0]),
        "polynomial chebyshev": np.polynomial.Chebyshev([1.0, 2.0]),
        "poly1d": np.poly1d([1.0, 2.0]),
        "error states": np.geterr(),
        "nested": {"a": [np.ones(2), {"b": (np.float32(1), np.int64(2))}]},
    }
    if hasattr(np.dtypes if hasattr(np, "dtypes") else np, "StringDType"):
        cases["array of strings"] = np.array(["a", "b"], dtype=np.dtypes.StringDType())
    return cases


def _read_only() -> Any:
    array = np.arange(3.0)
    array.flags.writeable = False
    return array


def _randoms() -> dict[str, Any]:
    cases: dict[str, Any] = {
        "RandomState": np.random.RandomState(1),
        "RandomState of PCG64": np.random.RandomState(np.random.PCG64(1)),
        "RandomState state": np.random.RandomState(1).get_state(),
        "class RandomState": np.random.RandomState,
        "Generator": np.random.default_rng(1),
        "SeedSequence": np.random.SeedSequence(5, spawn_key=(1,)),
    }
    for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        bits = getattr(np.random, name)
        cases[f"Generator of {name}"] = np.random.Generator(bits(1))
        cases[f"bit generator {name}"] = bits(1)
        cases[f"state of {name}"] = bits(1).state
    return cases


def _drawn(value: Any) -> Any:
    if isinstance(value, np.random.RandomState):
        return value.rand(3)
    if isinstance(value, np.random.Generator):
        return value.random(3)
    if isinstance(value, np.random.BitGenerator):
        return value.random_raw(3)
    return repr(value)


def models() -> Iterator[Benign]:
    for name, value in _arrays().items():
        yield Benign(f"numpy {name}", lambda value=value: value, repr)
    yield Benign("numpy array mapped", _Mapped(), list)
    for name, value in _randoms().items():
        yield Benign(f"numpy {name}", lambda value=value: value, _drawn_copy)
    for name in FUNCTIONS + REFERRED:
        if hasattr(np, name):
            yield Benign(f"numpy function {name}", lambda name=name: getattr(np, name), repr)


def _drawn_copy(value: Any) -> Any:
    import copy

    return _drawn(copy.deepcopy(value))  # drawing changes it
