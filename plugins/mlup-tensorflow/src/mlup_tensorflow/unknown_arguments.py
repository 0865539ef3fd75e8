"""What HDF5 was compiled with and Keras 3 does not know.

Seen in Keras 3.15: over such a loss it says *string indices must be integers*, of an optimizer its
name in small letters.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final

from mlup_tensorflow.configurations import training_config
from mlup_tensorflow.keras_path import KerasPath, generation

_ARGUMENTS: Final = (
    ("losses", "loss"),
    ("metrics", "metrics"),
    ("metrics", "weighted_metrics"),
    ("optimizers", "optimizer_config"),
)
_CHOSEN_BY_LOSS: Final = {"acc", "accuracy", "ce", "crossentropy"}  # names of several metrics


def unknown_arguments(at: KerasPath, given: Container[str]) -> list[str]:
    """The names of losses, metrics and optimizers that are neither Keras's, registered, nor given."""
    import keras

    if generation(keras.__version__) < 3:  # Keras 2 knows the short ones
        return []
    training = training_config(at)
    unknown = {
        name: None
        for kind, argument in _ARGUMENTS
        for name in _names(training.get(argument))
        if name not in given
        and name not in _CHOSEN_BY_LOSS
        and keras.saving.get_registered_object(name) is None
        and not _is_of_keras(getattr(keras, kind), name)
    }
    return list(unknown)


def _names(value: object) -> Iterator[str]:
    """From one, or from one or more for each output."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and "class_name" in value:
        yield str(value["class_name"])
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _names(each)


def _is_of_keras(module: Any, name: str) -> bool:
    own = name.rpartition(">")[2]  # Keras 2 writes Custom>Adam
    if hasattr(module, own):
        return True
    try:
        module.get(own)
    except (TypeError, ValueError):
        return False
    return True
