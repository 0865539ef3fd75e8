"""Keys of dicts and sets: what hashing and comparing them may cost; and what copies and calls count."""

from __future__ import annotations

import argparse
import io
import itertools
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Acting, Budget, Reader, Refused, Unpickler, table
from mlup_safepickle.budget import CALL


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


def spent(data: bytes) -> Budget:
    """What is left after a load, of the budget of an empty file."""
    budget = Budget(0)
    Unpickler(Reader(io.BytesIO(data)), Acting(table(), (), budget), budget).load()
    return budget


@pytest.mark.parametrize("protocol", range(6))
def test_ordinary_keys(protocol: int) -> None:
    for key in (2**64 - 1, -(2**64) + 1, (-1,) * 8, (-2, -1, 0) * 2, ("a", (1, (2.5, None))), 1e300,
                frozenset({1, ("a", b"b")}), complex(1, 2), b"x", True, None):  # fmt: skip
        for value in ({key: 1}, {key}, frozenset({key})):
            assert load(pickle.dumps(value, protocol)) == value


def test_integers_of_more_than_64_bits_are_no_keys() -> None:
    for key in (2**64, -(2**64), 2**4000):
        for value in ({key: 1}, {key}, frozenset({key})):
            with pytest.raises(Refused, match="more than 64 bits"):
                load(pickle.dumps(value))
    for value in ([2**64, {1: 2**4000}], {(1, 2**70): 1}):
        assert load(pickle.dumps(value)) == value


def test_many_keys_of_one_hash() -> None:
    """``hash(-1) == hash(-2)``, so tuples of ten of these are 1,024 of one hash."""
    keys = list(itertools.product((-1, -2), repeat=10))
    for value in (dict.fromkeys(keys), set(keys), frozenset(keys)):
        with pytest.raises(Refused, match="have one hash"):
            load(pickle.dumps(value))
    few = dict.fromkeys(keys[:500])
    assert load(pickle.dumps([few, few, dict(few)])) == [few, few, few]  # each dict by itself


def plain_uuid(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)


def test_a_uuid_is_a_key_by_its_number() -> None:
    """``hash(UUID)`` is Python, and hashes whatever the file put there."""
    small = {plain_uuid(5): 1}
    assert load(pickle.dumps(small)) == small
    made = b"cuuid\nUUID\n)\x81}Vint\n%ssb"
    nested = made % (b"K\x01\x85" + b"2\x86" * 60)
    for code in (b"}" + nested + b"Ns.", b"\x8f(" + nested + b"\x90.", b"(" + nested + b"\x91.",
                 b"}" + nested + b"\x85Ns.", b"cbuiltins\nset\n(]" + nested + b"atR.",
                 b"}" + made % nested + b"Ns."):  # fmt: skip
        with pytest.raises(Refused, match="nested so deeply"):
            load(code)
    assert load(nested + b".").int[0] is not None  # it is no key


def test_ordinary_uuids_are_keys() -> None:
    value = {uuid.UUID("12345678-1234-4234-8234-123456789abc"): 1}
    assert load(pickle.dumps(value)) == value


def test_hashing_is_counted() -> None:
    key = b"(" + b"N" * 1000 + b"t"
    few, many = (
        spent(b"}" + key + b"q\x01" + b"N" + b"s" + b"h\x01Ns" * times + b".") for times in (0, 100)
    )
    assert few.opcodes - many.opcodes > 100 * 1000
    with pytest.raises(Refused, match="nested so deeply"):
        load(b"}(" + b"N" * 5000 + b"tNs.")
    assert Budget(0).hashed(["a", 1.5, None, b"x", True] * 100_000, []) is None


# -- copies and calls --------------------------------------------------------------------------


def test_a_copy_of_something_large_is_counted() -> None:
    size = 1_000_000
    large = b"\x96" + size.to_bytes(8, "little") + b"a" * size + b"q\x010"
    call = b"cbuiltins\nbytearray\nh\x01\x85R0"
    none, ten = spent(large + b"N."), spent(large + call * 10 + b"N.")
    assert 10 * size <= none.memory - ten.memory < 10 * size + 100_000
    with pytest.raises(Refused, match="as a bomb does"):
        load(large + call * 200 + b"N.")
    # One copy of what is in the file is what every pickle before protocol 5 makes.
    assert load(pickle.dumps(bytearray(10 * size), 4)) == bytearray(10 * size)


def test_a_copy_of_a_list_is_counted_by_its_items() -> None:
    items = b"](" + b"N" * 100_000 + b"eq\x010"
    for call in (b"ccollections\ndeque\nh\x01\x85R0", b"cbuiltins\nset\nh\x01\x85R0"):
        none, ten = spent(items + b"N."), spent(items + call * 10 + b"N.")
        assert none.memory - ten.memory >= 10 * 8 * 100_000


def test_what_a_state_copies_is_counted() -> None:
    """``__dict__`` is updated with the state; a list or text in it is not copied."""
    state = b"}(" + b"".join(b"Va%d\nN" % number for number in range(10_000)) + b"uq\x010"
    made = b"cargparse\nNamespace\n)\x81h\x01b0"
    none, ten = spent(state + b"N."), spent(state + made * 10 + b"N.")
    assert none.memory - ten.memory >= 10 * 8 * 10_000
    assert load(pickle.dumps(argparse.Namespace(a="x" * 10**6))).a == "x" * 10**6


@pytest.mark.parametrize(
    "call",
    [b"cbuiltins\nset\n)R0", b"cbuiltins\nset\n)\x810", b"cbuiltins\nset\n)}\x920",
     b"(ibuiltins\nset\n0", b"(cbuiltins\nset\no0"],
    ids=["reduce", "newobj", "newobj_ex", "inst", "obj"],
)  # fmt: skip
def test_calls_are_counted(call: bytes) -> None:
    none, many = spent(b"N."), spent(call * 500 + b"N.")
    assert none.opcodes - many.opcodes >= 500 * CALL


# -- what would take for ever: in a process with limits --------------------------------------------

NAMESPACE = b"cargparse\nNamespace\n)\x81"
OPEN = b"cnumpy\ndtype\n(VV8\n\x89\x88tR0"  # what may still get a state
NESTED = b"K\x01\x85" + b"2\x86" * 60


def keys(values: Iterable[Any]) -> bytes:
    return b"\x80\x04}(" + b"".join(part(each) + b"N" for each in values) + b"u."


def part(value: Any) -> bytes:
    """Without a memo, as a piece of a stream."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, 3)
    pickler.fast = True
    pickler.dump(value)
    return out.getvalue()[2:-1]


def tuples(count: int) -> Iterator[tuple[int, int]]:
    """Pairs whose hashes are one (``tuplehash`` of CPython, solved for the second)."""
    one, two, five, mask = (
        11400714785074694791,
        14029467366897019727,
        2870177450012600261,
        2**64 - 1,
    )
    inverse, number = pow(two, -1, 2**64), 0
    while count:
        number += 1
        lane = five + number * two & mask
        other = (12345 - ((lane << 31 | lane >> 33) & mask) * one) * inverse & mask
        other -= (other >> 63) << 64
        if abs(other) < 2**61 - 1 and other != -1:
            count -= 1
            yield number, other


SLOW: dict[str, Callable[[], bytes]] = {
    "tuples of one hash": lambda: keys(tuples(30_000)),
    "complex numbers of one hash": lambda: keys(
        complex(-1000003.0 * n, n) for n in range(30_000)
    ),
    "decimals of one hash": lambda: keys(Decimal(n * (2**61 - 1)) for n in range(30_000)),
    "state in itself": lambda: NAMESPACE + b"}q\x01Va\nh\x01sb.",
    "open, state in itself": lambda: OPEN + NAMESPACE + b"}q\x01Va\nh\x01sb.",
    "open, state of nested tuples": lambda: OPEN + NAMESPACE + b"}Va\n" + NESTED + b"sb.",
    "open, arguments of nested tuples": lambda: OPEN + b"cbuiltins\nset\nK\x01\x85\x85" + b"2\x86" * 60 + b"\x85R.",
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_it_ends_soon(name: str, loaded_apart: Callable[[bytes], str]) -> None:
    if name.startswith("open"):
        pytest.importorskip("numpy")
    assert loaded_apart(SLOW[name]()) in ("Refused", "loaded")
