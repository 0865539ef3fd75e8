"""The values of the options ``providers`` and ``sess_options``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlup
from mlup import log


def checked_providers(value: Any) -> list[Any] | None:
    """The execution providers as onnxruntime takes them: names, or tuples of name and options.

    Those that are not in this build of onnxruntime are left out, with a warning. Without any,
    onnxruntime decides: on the CPU, or on what ``sess_options`` names.

    Args:
        value: a list of them, or one name; ``None`` for onnxruntime's choice.

    Raises:
        OptionError: it is no list, it has a name that onnxruntime does not know, or nothing in it
            is in this build.
    """
    if value is None:
        return None
    from onnxruntime import get_all_providers, get_available_providers

    available = get_available_providers()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise mlup.OptionError(
            f"providers={value!r}: expected a list of execution providers, the first choice first, "
            f"such as {available[-1:]!r}."
        )
    providers = [_provider(each) for each in value]
    absent = [name for name in map(_name, providers) if name not in available]
    known = {*get_all_providers(), *available}
    for name in absent:
        if name not in known:
            raise mlup.OptionError(
                f"providers={value!r}: onnxruntime knows no {name!r}; it knows "
                f"{', '.join(sorted(known))}."
            )
    if not absent:
        return providers
    said = f"this onnxruntime has no {', '.join(absent)}; it has {', '.join(available)}"
    found = [each for each in providers if _name(each) in available]
    if not found:
        raise mlup.OptionError(
            f"providers={value!r}: {said}. Others come with other packages, onnxruntime-gpu say."
        )
    log.logger().warning("providers=%r: %s. The model is loaded without.", value, said)
    return found


def _name(provider: Any) -> str:
    return str(provider if isinstance(provider, str) else provider[0])


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
