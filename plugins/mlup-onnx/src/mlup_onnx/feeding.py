"""From the arguments of ``predict`` to what ``InferenceSession.run`` takes: a value for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlup.errors import PredictError
from mlup_onnx.element_types import converted


def feed(session: Any, data: tuple[Any, ...]) -> dict[str, Any]:
    """A value for each input that was given, converted to the input's type.

    Args:
        session: an ``onnxruntime.InferenceSession``.
        data: the arguments of ``predict``.

    Raises:
        PredictError: an input is missing, unknown, or one too many.
        PredictTransformDataError: a value is none of the type that its input wants.
    """
    inputs = session.get_inputs()
    known = {each.name: each for each in inputs}
    required = [each.name for each in inputs if not each.type.startswith("optional")]
    if _is_by_name(data, inputs):
        given: dict[str, Any] = dict(data[0])
        known.update((each.name, each) for each in session.get_overridable_initializers())
    else:
        if len(data) == 1 and len(required) > 1 and isinstance(data[0], (list, tuple)):
            data = tuple(data[0])
        if len(data) > len(inputs):
            raise PredictError(
                f"predict() was given {len(data)} inputs, and {_takes(session)}. Several inputs are "
                "given as predict(a, b) or predict({name: a, …})."
            )
        given = dict(zip(known, data, strict=False))
    unknown = [name for name in given if name not in known]
    missing = [name for name in required if name not in given]
    if unknown or missing:
        faults = [f"without {', '.join(map(repr, missing))}"] if missing else []
        faults += [f"with the unknown {', '.join(map(repr, unknown))}"] if unknown else []
        raise PredictError(f"predict() was called {' and '.join(faults)}; {_takes(session)}.")
    return {name: converted(value, known[name]) for name, value in given.items()}


def _is_by_name(data: tuple[Any, ...], inputs: Sequence[Any]) -> bool:
    """Whether the one argument is a dict by name, and not the value of an input that is a map."""
    if len(data) != 1 or not isinstance(data[0], Mapping):
        return False
    if len(inputs) != 1 or not inputs[0].type.startswith("map("):
        return True
    return isinstance(data[0].get(inputs[0].name), Mapping)


def _takes(session: Any) -> str:
    """The inputs with their types and shapes, for a message."""
    inputs = session.get_inputs()
    said = "the model takes " + (", ".join(map(described, inputs)) or "no input")
    others = session.get_overridable_initializers()
    if others:
        said += f", and by name also {', '.join(map(described, others))}"
    return said


def described(each: Any) -> str:
    """An input with its type and shape: ``x: tensor(float) [?, 4]``."""
    shape = ", ".join("?" if size is None else str(size) for size in each.shape)
    return f"{each.name}: {each.type} [{shape}]"
