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
    """The value as an array of the input's type; as it is where the input takes no plain tensor.

    Numbers are converted where numpy calls that ``same_kind`` (float64 to float32, integers to
    floats), and integers to any integers that can hold them.

    Args:
        value: an array, nested lists, or anything else that numpy makes an array of; an
            ``onnxruntime.OrtValue`` goes as it is.
        wanted: the input, an ``onnxruntime.NodeArg``.

    Raises:
        PredictTransformDataError: it is no array, or of another kind.
    """
    import numpy as np
    from onnxruntime import OrtValue

    name = _DTYPES.get(wanted.type)
    if name is None or isinstance(value, OrtValue):
        return value
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged lists, a tensor on a GPU: numpy and others raise anything
        raise PredictTransformDataError(
            f"The input {wanted.name!r} wants {wanted.type}; the {type(value).__name__} it was "
            f"given is no array: {error}"
        ) from error
    found = _texts(array) if name == "str" else _numbers(array, np.dtype(name))
    if found is None:
        raise PredictTransformDataError(
            f"The input {wanted.name!r} wants {wanted.type}; {array.dtype} values do not convert "
            f"to {name} without loss. Convert them yourself where that is meant."
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
    return array.astype(dtype) if np.can_cast(array.dtype, dtype, "same_kind") else None


def _texts(array: Any) -> Any:
    """Text as onnxruntime takes it; bytes are taken to be UTF-8."""
    import numpy as np

    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "T":  # numpy's StringDType
        return array.astype(object)
    return array if array.dtype.kind in "UO" or array.size == 0 else None
