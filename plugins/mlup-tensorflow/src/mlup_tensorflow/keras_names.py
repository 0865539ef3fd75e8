"""What a Keras configuration may name: the list in ``keras_names.json``.

``tools/keras_names.py`` writes it, from the classes and functions that Keras 3 and ``tf_keras`` define.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import NamedTuple


class Names(NamedTuple):
    """The list, one spelling for all of Keras 2, Keras 3 and ``tf_keras`` (:func:`normal`).

    Attributes:
        classes: as ``module.Class``.
        functions: as ``module.function``.
        short: what older files name without a module.
        left_out: Keras's classes that a file must not have made, because they run or read things.
        operations: TensorFlow's functions on tensors, as ``TFOpLambda`` of Keras 2 names them.
    """

    classes: frozenset[str]
    functions: frozenset[str]
    short: frozenset[str]
    left_out: frozenset[str]
    operations: frozenset[str]


@functools.lru_cache(maxsize=1)
def names() -> Names:
    """The list, read once."""
    data = json.loads(files("mlup_tensorflow").joinpath("keras_names.json").read_text("utf-8"))
    return Names(
        frozenset(f"{module}.{each}" for module, some in data["classes"].items() for each in some),
        frozenset(
            f"{module}.{each}" for module, some in data["functions"].items() for each in some
        ),
        frozenset(each for some in data["classes"].values() for each in some)
        | frozenset(data["without_module"]),
        frozenset(data["left_out"]),
        frozenset(data["tensorflow"]),
    )


def normal(module: str) -> str:
    """A module of any Keras as the list spells it: ``keras.`` without ``tf_`` and ``src``."""
    for prefix in ("tf_keras.src.", "keras.src.", "tf_keras.", "tensorflow.keras."):
        if module.startswith(prefix):
            return "keras." + module[len(prefix) :]
    return "keras" if module in ("tf_keras", "tensorflow.keras") else module
