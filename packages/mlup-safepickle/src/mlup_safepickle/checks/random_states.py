"""NumPy's random generators: their constructors call what they are given, their states are indexes.

Source: ``numpy/random/_pickle.py`` and ``_mt19937.pyx`` of NumPy 2.4.
"""

from __future__ import annotations

from typing import Any, Final

_NAMES: Final = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_BUFFER: Final = 4  # words in that of a Philox
_MOST: Final = 64  # values in a state
_KEY: Final = 624  # words in the state of a Mersenne twister


def generator(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``__generator_ctor`` and ``__randomstate_ctor``: a bit generator or its name, and no other maker."""
    from numpy.random import _pickle
    from numpy.random.bit_generator import BitGenerator

    if kwargs or len(args) > 2:
        return "there are other arguments"
    if args and not (
        args[0] in _NAMES if type(args[0]) is str else isinstance(args[0], BitGenerator)
    ):
        return "it is not of a bit generator of NumPy's"
    if args[1:] and args[1] is not getattr(_pickle, "__bit_generator_ctor"):
        return "it would call another function"
    return None


def bit_generator(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``__bit_generator_ctor``: a bit generator of NumPy's, or its name."""
    from numpy.random.bit_generator import BitGenerator

    known = len(args) == 1 and (
        args[0] in _NAMES
        if type(args[0]) is str
        else isinstance(args[0], type)
        and issubclass(args[0], BitGenerator)
        and args[0].__name__ in _NAMES
    )
    return None if known and not kwargs else "it is no bit generator of NumPy's"


def seed_sequence(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``__pyx_unpickle_SeedSequence``: the class, a checksum, and perhaps a state."""
    from numpy.random import SeedSequence

    if kwargs or len(args) not in (2, 3) or args[0] is not SeedSequence or type(args[1]) is not int:
        return "there are other arguments"
    return None if args[2:] in ((), (None,)) or type(args[2]) is tuple else "its state is none"


def state(state: Any, instance: Any) -> str | None:
    """What a generator's ``state`` is, alone or with its seed sequence: plain values, all through.

    NumPy takes numbers and arrays out of it, and so would ask any other object for them.
    """
    import numpy as np

    given = state[0] if type(state) is tuple and len(state) == 2 else state
    if given is None:
        return None
    if type(given) is not dict:
        return "it is no dict"
    todo: list[Any] = [given]
    for _ in range(_MOST):
        if not todo:
            break
        each = todo.pop()
        if type(each) is dict:
            todo += each.values()
        elif type(each) is np.ndarray:
            if each.dtype.kind not in "iu":
                return "its words are none"
        elif type(each) not in (str, int, float, bool, type(None)):
            return f"it holds an object of type {type(each).__name__}"
    if todo:
        return "it is longer than any"
    inner = given.get("state")
    if not 0 <= _whole(given.get("buffer_pos", 0)) <= _BUFFER:
        return "its position is not within its words"
    if given.get("bit_generator") != "MT19937" or type(inner) is not dict:
        return None
    key, position = inner.get("key"), inner.get("pos")
    if getattr(key, "shape", None) != (_KEY,) or not 0 <= _whole(position) <= _KEY:
        return "its position is not within its words"
    return None


def _whole(value: Any) -> int:
    return value if type(value) is int else -1
