"""``checks.plain``: what builtins and containers may be made of."""

from __future__ import annotations

import io
import pickle
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
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


PATTERNS: dict[str, tuple[Any, ...]] = {
    "longer than any": ("a" * 1001, 0),
    "longer than any, in bytes": (b"a" * 1001, 0),
    "that is printed": ("ab", int(re.DEBUG)),
    "that is a template": ("ab", 1),
    "of letters in both cases": ("[\x01-\U0010ffff]", int(re.IGNORECASE)),
    "of one letter in both cases": ("\u0451", int(re.IGNORECASE | re.UNICODE)),
    "of escapes in both cases": (r"[\x01-\U0010ffff]", int(re.IGNORECASE)),
    "of short escapes in both cases": (r"[\x01-\uffff]", int(re.IGNORECASE)),
    "of names in both cases": (r"[\x01-\N{BULLET}]", int(re.IGNORECASE)),
    "of bytes in both cases": (b"[\x01-\xff]", int(re.IGNORECASE)),
    "that says both cases itself": ("(?i)[\x01-\U0010ffff]", int(re.UNICODE)),
    "that says it of a part": (r"a(?i:[\x01-\U0010ffff])", int(re.UNICODE)),
    "that says it among others": (r"(?msi)\uffff", int(re.UNICODE)),
    "of a number": (5, 0),
    "of a list": (["a"], 0),
    "of a pattern": (re.compile("a"), 0),
    "with flags that are none": ("a", "0"),
    "with flags that are a truth": ("a", True),
    "with flags of its class": ("a", re.ASCII),
    "without flags": ("a",),
    "with more": ("a", 0, 0),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_that_no_model_has(name: str) -> None:
    assert plain.pattern(PATTERNS[name], {})
    text, *flags = PATTERNS[name]
    if type(text) is str and len(flags) == 1 and type(flags[0]) is int:
        stored = text.encode()
        data = b"X" + len(stored).to_bytes(4, "little") + stored + b"I%d\n" % flags[0]
        with pytest.raises(Refused, match=r"re\._compile"):
            mlup_safepickle.load(io.BytesIO(b"cre\n_compile\n(" + data + b"tR."))


def test_patterns_that_models_have() -> None:
    for given in (
        re.compile(r"(?u)\b\w\w+\b"), re.compile("[a-z]+", re.IGNORECASE), re.compile(b"a", re.DOTALL),
        re.compile("[\u4e00-\u9fa5]+"), re.compile("(?i)a+"), re.compile(r"\(\?\u0451"),
        re.compile("a" * 1000),
    ):  # fmt: skip
        assert plain.pattern((given.pattern, given.flags), {}) is None
        assert mlup_safepickle.load(io.BytesIO(pickle.dumps(given))) == given
    assert plain.pattern(("a", 0), {"flags": 0})


def patterns(*texts: str) -> bytes:
    stored = (each.encode() for each in texts)
    made = (
        b"cre\n_compile\n(X" + len(each).to_bytes(4, "little") + each + b"K\x20tR"
        for each in stored
    )
    return b"(" + b"".join(made) + b"t."


def test_as_many_patterns_as_models_have() -> None:
    """If this fails, an ordinary pipeline with many vectorizers is refused."""
    tokens = [rf"(?u)\b\w{{{number},}}\b" for number in range(1000)]
    scripts = [f"[\u4e00-\u9fa5]{{{number}}}" for number in range(1, 101)]
    found = mlup_safepickle.load(io.BytesIO(patterns(*tokens, *scripts)))
    assert [each.pattern for each in found] == [*tokens, *scripts]


def test_more_patterns_than_can_be_compiled(loaded_apart: Callable[[bytes], str]) -> None:
    """If this fails, a file of a megabyte takes minutes: each of these patterns takes half a second."""
    wide = [f"{number:03}" + "[\x01-\U0010ffff]" * 150 for number in range(1000)]
    assert loaded_apart(patterns(*wide)) == "Refused"
    escaped = [f"{number:03}" + r"[\x01-\U0010ffff]" * 55 for number in range(1000)]
    assert loaded_apart(patterns(*escaped)) == "Refused"


ARRAYS = ("__array__", "__array_interface__", "__array_struct__", "__array_function__",
          "__array_ufunc__", "__cuda_array_interface__", "__dlpack__", "__buffer__")  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_no_key_has_an_object_taken_for_an_array(name: str) -> None:
    """A key of a dict becomes an attribute: of ``Bunch``, of a module, of a partial."""
    key = b"V" + name.encode() + b"\n"
    for code in (b"}%sNs.", b"}(%sNu.", b"(%sNd.", b"ccollections\nOrderedDict\n)R%sNs.",
                 b"cbuiltins\ndict\n(](%sNtatR.", b"ccollections\nOrderedDict\n(](%sNtatR.",
                 b"ccollections\ndefaultdict\n(N](%sNtatR.", b"ccollections\nCounter\n(](%sNtatR."):  # fmt: skip
        with pytest.raises(Refused, match="taken for an array"):
            mlup_safepickle.load(io.BytesIO(code % key))
        assert len(mlup_safepickle.load(io.BytesIO(code % b"V__array_priority__\n"))) == 1


def test_keys_that_a_file_planted_are_not_called() -> None:
    """``dict(x)`` asks a subclass of dict for its ``keys``, which a state can have set."""
    data = b"cbuiltins\ndict\n(ccollections\nOrderedDict\n)R}Vkeys\nccollections\nCounter\nsbtR."
    with pytest.raises(Refused):
        mlup_safepickle.load(io.BytesIO(data))
