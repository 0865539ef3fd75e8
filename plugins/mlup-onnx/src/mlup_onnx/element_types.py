"""Values as arrays of the element type that an input wants."""

from __future__ import annotations

from typing import Any, Final

from mlup.errors import PredictTransformDataError

_DTYPES: Final = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
    **{f"tensor(int{bits})": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"tensor(uint{bits})": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
"""onnxruntime's name of a type → numpy's."""


def converted(value: Any, wanted: Any) -> Any:
    """The value as an array of the input's type, or as the list of such arrays for a sequence.

    Numbers are converted where numpy calls that ``same_kind`` (float64 to float32, integers to
    floats) and none becomes infinite, and integers to any integers that can hold them. What goes
    to an input that takes neither tensors nor sequences of them goes as it is.

    Args:
        value: an array, nested lists, or anything else that numpy makes an array of, or a list of
            these for a sequence; an ``onnxruntime.OrtValue`` goes as it is.
        wanted: the input, an ``onnxruntime.NodeArg``.

    Raises:
        PredictTransformDataError: it is no array, of another kind, or has masked values; or the
            input's type is one that numpy does not have.
    """
    from onnxruntime import OrtValue

    if isinstance(value, OrtValue):
        return value
    try:
        if wanted.type.startswith("seq(tensor("):
            return _sequence(value, wanted.type[len("seq(") : -1])
        return _array(value, wanted.type) if wanted.type.startswith("tensor(") else value
    except PredictTransformDataError as error:
        said = f"The input {wanted.name!r} wants {wanted.type}; {error}"
        raise PredictTransformDataError(said) from error.__cause__


def _sequence(value: Any, kind: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise PredictTransformDataError(
            f"it was given {type(value).__name__}. Give a list of arrays."
        )
    return [_array(each, kind) for each in value]


def _array(value: Any, kind: str) -> Any:
    """As an array of onnxruntime's type ``kind``."""
    import numpy as np

    name = _DTYPES.get(kind)
    if name is None:
        raise PredictTransformDataError(
            "numpy has no such type. Give an onnxruntime.OrtValue, of "
            "OrtValue.ortvalue_from_numpy_with_onnx_type() say."
        )
    if np.ma.is_masked(value):
        raise PredictTransformDataError(
            "some of the values it was given are masked, which a model knows nothing of. Fill "
            "them: x.filled(0) say."
        )
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged lists, a tensor on a GPU: numpy and others raise anything
        raise PredictTransformDataError(
            f"the {type(value).__name__} it was given is no array: {error}"
        ) from error
    found = _texts(array) if name == "str" else _numbers(array, np.dtype(name))
    if found is None:
        raise PredictTransformDataError(
            f"{array.dtype} values do not convert to {name} without loss. Convert them yourself "
            "where that is meant."
        )
    return found


def _numbers(array: Any, dtype: Any) -> Any:
    import numpy as np

    if array.dtype == dtype:
        return array
    if array.size == 0:  # of an empty list numpy makes floats
        return array.astype(dtype)
    if array.dtype.kind in "iu" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        holds = limits.min <= array.min() and array.max() <= limits.max
        return array.astype(dtype) if holds else None
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        return None
    with np.errstate(over="ignore"):
        found = array.astype(dtype)
    if dtype.kind == "f" and (np.isinf(found) & ~np.isinf(array)).any():
        raise PredictTransformDataError(
            f"some of the {array.dtype} values it was given are beyond what {dtype} holds, "
            f"{np.finfo(dtype).max}. Scale or clip them."
        )
    return found


def _texts(array: Any) -> Any:
    """Text as onnxruntime takes it; bytes are taken to be UTF-8."""
    import numpy as np

    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "T":  # numpy's StringDType
        return array.astype(object)
    return array if array.dtype.kind in "UO" or array.size == 0 else None
