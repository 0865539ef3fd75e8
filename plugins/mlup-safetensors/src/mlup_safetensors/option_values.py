"""The values of the options ``framework`` and ``device``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

import mlup

_FRAMEWORKS: Final = {"numpy": "numpy", "np": "numpy", "torch": "torch", "pt": "torch"}
"""Their names, and those that safetensors has for them."""


def checked_framework(value: object) -> str:
    """``"numpy"`` or ``"torch"``.

    Raises:
        OptionError: it is another one, or not installed.
    """
    if value is None:
        return "numpy"
    framework = _FRAMEWORKS.get(value) if isinstance(value, str) else None
    if framework is None:
        raise mlup.OptionError(
            f"framework={value!r}: expected 'numpy' or 'torch'. Others take NumPy's arrays: "
            "jax.numpy.asarray, tensorflow.convert_to_tensor."
        )
    if framework == "torch" and find_spec("torch") is None:
        raise mlup.OptionError(
            f"framework={value!r}: PyTorch is not installed. Install it (pip install torch), or leave "
            "the option out for NumPy's arrays."
        )
    return framework


def checked_device(value: object, framework: str) -> Any:
    """A device as PyTorch has them.

    Raises:
        OptionError: it is none, or the tensors are NumPy's.
    """
    if value is None:
        return "cpu"
    if framework != "torch":
        raise mlup.OptionError(
            f"device={value!r}: NumPy's arrays are in the computer's memory; a device takes "
            "framework='torch' as well."
        )
    import torch

    try:
        return str(torch.device(value))
    except (RuntimeError, TypeError) as error:
        raise mlup.OptionError(
            f"device={value!r}: expected a device of PyTorch's, such as 'cpu' or 'cuda:0'."
        ) from error
