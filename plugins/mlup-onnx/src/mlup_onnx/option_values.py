"""The values of the options ``providers`` and ``sess_options``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlup


def checked_providers(value: Any) -> list[Any] | None:
    """The execution providers as onnxruntime takes them: names, or tuples of name and options.

    Without any, onnxruntime decides: on the CPU, or on what ``sess_options`` names.

    Raises:
        OptionError: it is no list, or it names one that this onnxruntime does not have.
    """
    if value is None:
        return None
    from onnxruntime import get_available_providers

    available = get_available_providers()
    if isinstance(value, (str, Mapping)) or not isinstance(value, (list, tuple)):
        raise mlup.OptionError(
            f"providers={value!r}: expected a list of execution providers, the first choice first, "
            f"such as {available[-1:]!r}."
        )
    providers = [_provider(each) for each in value]
    for each in providers:
        name = each if isinstance(each, str) else each[0]
        if name not in available:
            raise mlup.OptionError(
                f"providers={value!r}: this onnxruntime has no {name!r}; it has "
                f"{', '.join(available)}. Others come with other packages, onnxruntime-gpu say."
            )
    return providers


def _provider(value: Any) -> Any:
    """A name, or ``(name, options)``; a list of two, as YAML and JSON have it, is that too."""
    if isinstance(value, str):
        return value
    if (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], Mapping)
    ):
        return value[0], dict(value[1])
    raise mlup.OptionError(
        f"providers: {value!r} is neither a provider's name nor (name, options), such as "
        "('CUDAExecutionProvider', {'device_id': 0})."
    )


def checked_sess_options(value: Any) -> Any:
    """The ``onnxruntime.SessionOptions``, or ``None``.

    Raises:
        OptionError: it is something else.
    """
    from onnxruntime import SessionOptions

    if value is None or isinstance(value, SessionOptions):
        return value
    raise mlup.OptionError(
        f"sess_options={value!r}: expected an onnxruntime.SessionOptions, not "
        f"{type(value).__name__}."
    )
