"""NumPy's random generators: all load and go on; states with an index outside do not."""

from __future__ import annotations

import argparse
import io
import pickle
from collections import OrderedDict, defaultdict
from typing import Any

import pytest

import mlup_safepickle
from mlup_safepickle import Refused

np = pytest.importorskip("numpy")
states = pytest.importorskip("mlup_safepickle.checks.random_states")

KINDS = ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"]


def load(data: bytes) -> Any:
    return mlup_safepickle.load(io.BytesIO(data))


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_each_generator_goes_on_where_it_was(kind: str, protocol: int) -> None:
    bits = getattr(np.random, kind)(7)
    for value in (np.random.Generator(bits), np.random.RandomState(bits)):
        value.random(5)
        loaded = load(pickle.dumps(value, protocol))
        assert type(loaded) is type(value)
        assert type(loaded.bit_generator if hasattr(loaded, "bit_generator") else loaded._bit_generator) is type(bits)  # fmt: skip
        draw = "random" if hasattr(value, "random") else "random_sample"
        assert getattr(loaded, draw)(9).tolist() == getattr(value, draw)(9).tolist()
    loaded = load(pickle.dumps(bits, protocol))
    assert loaded.random_raw(9).tolist() == bits.random_raw(9).tolist()


@pytest.mark.parametrize("protocol", range(6))
def test_a_random_state_of_scikit_learns_kind(protocol: int) -> None:
    value = np.random.RandomState(3)
    value.standard_normal()  # has a Gaussian in reserve
    loaded = load(pickle.dumps({"rng": [value, value]}, protocol))["rng"]
    assert loaded[0] is loaded[1]
    assert loaded[0].standard_normal(4).tolist() == value.standard_normal(4).tolist()


def test_the_form_of_numpy_before_1_24() -> None:
    """Names instead of classes, and a state that is a dict alone."""
    value = np.random.RandomState(3)

    class Old:
        def __reduce__(self) -> Any:
            from numpy.random import _pickle

            make = getattr(_pickle, "__randomstate_ctor")
            return make, ("MT19937",), value.get_state(legacy=False)

    for protocol in range(2, 6):
        loaded = load(pickle.dumps(Old(), protocol))
        assert (
            loaded.random_sample(4).tolist() == np.random.RandomState(3).random_sample(4).tolist()
        )


# -- arguments ------------------------------------------------------------------------------------


def test_generators_are_made_of_bit_generators() -> None:
    from numpy.random import _pickle

    bits, make = np.random.MT19937(1), getattr(_pickle, "__bit_generator_ctor")
    for args in ((), ("PCG64",), (bits,), ("MT19937", make), (bits, make)):
        assert states.generator(args, {}) is None
    for args in (("os",), (np.random.MT19937,), (len,), (1,), (None,), (argparse.Namespace(),),
                 ("PCG64", len), ("PCG64", None), (bits, make, 1), ({"MT19937"},)):  # fmt: skip
        assert states.generator(args, {})
    assert states.generator((), {"bit_generator": bits})


def test_bit_generators_are_numpys() -> None:
    class PCG64(np.random.PCG64):  # type: ignore[misc, name-defined]
        """Of another package, with the name of NumPy's."""

    for kind in KINDS:
        assert states.bit_generator((kind,), {}) is None
        assert states.bit_generator((getattr(np.random, kind),), {}) is None
    for args in ((), ("Other",), (len,), (dict,), (np.random.BitGenerator,), (np.random.Generator,),
                 ("PCG64", 1), (np.random.PCG64(1),), (["PCG64"],)):  # fmt: skip
        assert states.bit_generator(args, {})
    assert states.bit_generator(("PCG64",), {"a": 1})
    assert PCG64(1).random_raw() == np.random.PCG64(1).random_raw()


def test_seed_sequences() -> None:
    cls = np.random.SeedSequence
    for args in ((cls, 5), (cls, 5, None), (cls, 5, (1,))):
        assert states.seed_sequence(args, {}) is None
    for args in ((), (cls,), (dict, 5), (cls, "5"), (cls, 5, [1]), (cls, 5, (), 1), (cls(1), 5)):
        assert states.seed_sequence(args, {})
    assert states.seed_sequence((cls, 5), {"state": None})


# -- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_of_each_kind_is_one(kind: str) -> None:
    bits = getattr(np.random, kind)(7)
    bits.random_raw(3)
    assert states.state(bits.state, bits) is None
    assert states.state((bits.state, bits.seed_seq), bits) is None


def twister(**other: Any) -> dict[str, Any]:
    given = np.random.MT19937(1).state
    given["state"] = {**given["state"], **other}
    return given


KEY = np.zeros(624, np.uint32)


@pytest.mark.parametrize("position", [-1, 625, 10**6, 2**31, -(2**31), 1.5, "1", None, True, [1]])
def test_a_position_outside_the_words(position: Any) -> None:
    for given in (twister(pos=position), (twister(pos=position), None)):
        assert states.state(given, None)
    for inside in (0, 1, 623, 624):
        assert states.state(twister(pos=inside), None) is None


@pytest.mark.parametrize("key", [KEY[:10], KEY.reshape(2, 312), KEY[:0], list(range(624)), None, 5,
                                 np.zeros(625, np.uint32)], ids=range(7))  # fmt: skip
def test_other_words(key: Any) -> None:
    assert states.state(twister(key=key), None)


def test_states_that_are_no_dict() -> None:
    for given in ([], "x", 5, (1, 2), ("MT19937", KEY, 0, 0, 0.0), ([], None)):
        assert states.state(given, None)


def test_a_position_outside_in_a_pickle() -> None:
    data = pickle.dumps(np.random.RandomState(1), 2)
    position = b"posq"
    at = data.index(position) + len(position) + 1
    assert data[at : at + 3] == b"Mp\x02"  # 624
    with pytest.raises(Refused, match="position"):
        load(data[:at] + b"M\x71\x02" + data[at + 3 :])
    with pytest.raises(Refused, match="position"):
        load(data[:at] + b"J\x00\x00\x00\x80" + data[at + 3 :])


@pytest.mark.parametrize("position", [-1, -200, 5, 2**31 - 1])
def test_a_position_outside_the_buffer_of_philox(position: int) -> None:
    """With -200, NumPy 2.4 gives what lies before it in memory as random numbers."""
    bits = np.random.Philox(1)
    for inside in range(5):
        assert states.state({**bits.state, "buffer_pos": inside}, bits) is None
    assert states.state({**bits.state, "buffer_pos": position}, bits)


class Asked:
    """Says that it is a number, and an array."""

    def __index__(self) -> int:
        raise AssertionError("the state was asked for its value")

    __int__ = __array__ = __len__ = __iter__ = __index__


class Words(np.ndarray):  # type: ignore[misc]
    """A subclass, which may bring methods along."""


OTHERS = {
    "an object": Asked(),
    "an object in a list": [Asked()],
    "a tuple": (1, 2),
    "bytes": b"a",
    "a number of NumPy's": np.uint64(1),
    "real numbers": np.zeros(4),
    "objects": np.array([None, 1]),
    "a subclass of an array": np.zeros(4, np.uint64).view(Words),
    "a dict that makes its values": defaultdict(list, state=1),
    "a dict in order": OrderedDict(state=1),
}


@pytest.mark.parametrize("given", OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_of_plain_values(kind: str, given: str) -> None:
    """NumPy takes what it needs out of them, and so would ask any other object."""
    bits = getattr(np.random, kind)(7)
    for name in ("state", "has_uint32", "other"):
        hostile = {**bits.state, name: OTHERS[given]}
        assert states.state(hostile, bits)
        assert states.state((hostile, bits.seed_seq), bits)
        assert states.state({**bits.state, "state": {"state": OTHERS[given]}}, bits)


def test_a_state_is_short() -> None:
    bits = np.random.PCG64(1)
    assert states.state({**bits.state, **{str(each): each for each in range(50)}}, bits) is None
    assert states.state({**bits.state, **{str(each): each for each in range(70)}}, bits)
    nested: dict[str, Any] = {}
    nested["state"] = nested
    assert states.state(nested, bits)


def test_a_default_is_not_asked_for() -> None:
    """The first step of an attack: NumPy looks a key up, and the dict calls what makes defaults."""

    class Hostile:
        def __reduce__(self) -> Any:
            from numpy.random import _pickle

            made, given = getattr(_pickle, "__bit_generator_ctor"), np.random.SFC64(1).state
            return made, ("SFC64",), ({**given, "state": defaultdict(list)}, None)

    for protocol in range(2, 6):
        with pytest.raises(Refused, match="defaultdict"):
            load(pickle.dumps(Hostile(), protocol))
