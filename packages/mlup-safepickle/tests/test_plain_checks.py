"""``checks.plain``: what builtins and containers may be made of."""

from __future__ import annotations

import io
from collections import Counter, OrderedDict, deque
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused
from mlup_safepickle.checks import plain

GOOD: list[tuple[Any, tuple[Any, ...]]] = [
    (plain.nothing, ()),
    (plain.collection, ()),
    (plain.collection, ([1, 2],)),
    (plain.collection, ((1, "a"),)),
    (plain.mapping, ()),
    (plain.mapping, ({"a": 1},)),
    (plain.mapping, ([["a", 1], ("b", 2)],)),
    (plain.default_mapping, (list,)),
    (plain.default_mapping, (None, {"a": 1})),
    (plain.bounded_deque, ([1], 3)),
    (plain.bounded_deque, ((), None)),
    (plain.bytes_or_bytearray, ()),
    (plain.bytes_or_bytearray, (b"a",)),
    (plain.bytes_or_bytearray, ("a", "latin-1")),
    (plain.bytes_or_bytearray, ([1, 2],)),
    (plain.encoded, ("\xff", "latin1")),
    (plain.numbers, (1, 2.5)),
    (plain.bounds, (1, None, 2)),
    (plain.short_range, (5,)),
    (plain.short_range, (0, 100, 3)),
    (plain.plain_values, ("a", 1, b"x", None)),
]
BAD: list[tuple[Any, tuple[Any, ...]]] = [
    (plain.nothing, (1,)),
    (plain.collection, (range(10),)),
    (plain.collection, (10**9,)),
    (plain.collection, ([], [])),
    (plain.collection, (iter([1]),)),
    (plain.collection, ("text",)),
    (plain.mapping, (range(3),)),
    (plain.mapping, ([1, 2],)),
    (plain.mapping, ([(1, 2, 3)],)),
    (plain.mapping, (["ab"],)),
    (plain.default_mapping, (len,)),
    (plain.default_mapping, (lambda: 1,)),
    (plain.default_mapping, (list, range(5))),
    (plain.default_mapping, (list, {}, {})),
    (plain.bounded_deque, (range(5), 3)),
    (plain.bounded_deque, ([1], "3")),
    (plain.bounded_deque, ([1], 3, 4)),
    (plain.bytes_or_bytearray, (10**9,)),
    (plain.bytes_or_bytearray, (range(10**9),)),
    (plain.bytes_or_bytearray, ("a", "rot13")),
    (plain.bytes_or_bytearray, ("a", "latin-1", "replace")),
    (plain.bytes_or_bytearray, (True,)),
    (plain.encoded, ("a", "zlib_codec")),
    (plain.encoded, ("a", "idna")),
    (plain.encoded, (b"a", "latin1")),
    (plain.encoded, ("a",)),
    (plain.numbers, ("1",)),
    (plain.bounds, ([],)),
    (plain.short_range, (10**12,)),
    (plain.short_range, (2**24 + 1,)),
    (plain.short_range, (0, -(10**20), -1)),
    (plain.short_range, (1, 2, 0)),
    (plain.short_range, ()),
    (plain.short_range, ("5",)),
    (plain.plain_values, ([],)),
    (plain.plain_values, ((1,),)),
]


@pytest.mark.parametrize(("check", "args"), GOOD)
def test_ordinary_arguments(check: Any, args: tuple[Any, ...]) -> None:
    assert check(args, {}) is None


@pytest.mark.parametrize(("check", "args"), BAD)
def test_other_arguments(check: Any, args: tuple[Any, ...]) -> None:
    assert check(args, {})


@pytest.mark.parametrize("check", sorted({check for check, _ in GOOD}, key=lambda f: f.__name__))
def test_no_keywords_hide_something(check: Any) -> None:
    if check is plain.default_mapping:
        assert check((), {"a": 1})
    else:
        assert check((), {"a": []})


class Brought(list[int]):
    """Its ``__iter__`` could be the file's."""


def test_collections_are_made_of_exact_types() -> None:
    assert plain.collection((deque([1]),), {}) is None
    for given in (OrderedDict(a=1), Counter("a"), Brought([1])):
        assert plain.collection((given,), {})
        assert plain.mapping((given,), {})
        assert plain.bounded_deque((given,), {})
        assert plain.default_mapping((list, given), {})


@pytest.mark.parametrize(
    "data",
    [
        b"cbuiltins\nrange\n(L1000000000000L\ntR.",
        b"cbuiltins\nbytearray\n(I1000000000\ntR.",
        b"cbuiltins\nbytes\n(I1000000000\ntR.",
        b"cbuiltins\nbytes\n(I1000000000\nt\x81.",
        b"cbuiltins\nset\n(cbuiltins\nrange\n(I1000\ntRtR.",
        b"c_codecs\nencode\n(Vx\nVbz2\ntR.",
        b"ccollections\ndefaultdict\n(cbuiltins\nlen\ntR.",
    ],
)
def test_a_pickle_with_such_arguments_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="arguments that are not safe") as caught:
        mlup_safepickle.load(io.BytesIO(data))
    assert len(caught.value.names) == 1


def test_keys_that_a_file_planted_are_not_called() -> None:
    """``dict(x)`` asks a subclass of dict for its ``keys``, which a state can have set."""
    data = b"cbuiltins\ndict\n(ccollections\nOrderedDict\n)R}Vkeys\nccollections\nCounter\nsbtR."
    with pytest.raises(Refused):
        mlup_safepickle.load(io.BytesIO(data))
