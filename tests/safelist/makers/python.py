"""The standard library: what models hold beside arrays."""

from __future__ import annotations

import argparse
import array
import collections
import datetime
import decimal
import math
import operator
import pathlib
import random
import re
import types
import uuid
from collections.abc import Iterator
from typing import Any

from . import Benign

REQUIRES = ()


def _cases() -> dict[str, Any]:
    counter = collections.Counter("mississippi")
    by_default = collections.defaultdict(list, a=[1])
    nested = collections.defaultdict(dict, a={"b": 1})
    return {
        "set": {1, 2, 3},
        "frozenset": frozenset({1, 2}),
        "dict": {"a": 1, 2: None, (1, "x"): 2.5},
        "list": [1, [2, [3]]],
        "tuple": (1, (2, (3,), ()), "x", b"y"),
        "numbers": [0, 255, -1, 70000, 2**40, -(2**70), 1.5, math.inf, True, False, None],
        "texts": ["", "é", "a" * 300, b"", b"\xff" * 300, "\udcff", "a\nb\\"],
        "complex": 1 + 2j,
        "bytes": b"model",
        "bytearray": bytearray(b"model"),
        "empty bytearray": bytearray(),
        "slice": [slice(0, 3), slice(None, None, 2)],
        "range": range(1, 10, 2),
        "ellipsis": [Ellipsis, NotImplemented],
        "types": [
            int,
            float,
            str,
            bool,
            list,
            dict,
            set,
            tuple,
            bytes,
            object,
            complex,
            frozenset,
            bytearray,
            slice,
            range,
        ],
        "builtin functions": [len, min, max, sum, sorted, abs, round, any, all],
        "math functions": [math.log, math.exp, math.sqrt, math.sin, math.log1p],
        "operators": [operator.add, operator.sub, operator.mul, operator.truediv],
        "OrderedDict": collections.OrderedDict(a=1, b=collections.OrderedDict()),
        "defaultdict": by_default,
        "defaultdict of dicts": nested,
        "defaultdict of ints": [
            collections.defaultdict(int, a=1),
            collections.defaultdict(float, a=1.0),
            collections.defaultdict(set, a={1}),
            collections.defaultdict(None, a=1),
        ],
        "Counter": counter,
        "deque": collections.deque([1, 2], maxlen=5),
        "ChainMap": collections.ChainMap({"a": 1}, {"b": 2}),
        "date": datetime.date(2026, 1, 2),
        "time": datetime.time(1, 2, 3),
        "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001
        "datetime utc": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
        "datetime zone": datetime.datetime(
            2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X")
        ),
        "timedelta": datetime.timedelta(days=1, seconds=2),
        "Decimal": decimal.Decimal("1.25"),
        "Namespace": argparse.Namespace(lr=0.1, layers=[1, 2]),
        "UUID": uuid.UUID(int=5),
        "PurePath": pathlib.PurePosixPath("a/b"),
        "Path": pathlib.Path("a/b"),
        "Random": random.Random(1).getstate(),
        "array": array.array("d", [1.0, 2.0]),
        "SimpleNamespace": types.SimpleNamespace(a=1, b=[2]),
        "pattern": re.compile("[a-z]+", re.IGNORECASE),
        "recursive": _recursive(),
    }


def _recursive() -> list[Any]:
    outer: list[Any] = [1]
    outer.append({"self": outer})
    return outer


def models() -> Iterator[Benign]:
    for name, value in _cases().items():
        yield Benign(f"python {name}", lambda value=value: value, repr)
