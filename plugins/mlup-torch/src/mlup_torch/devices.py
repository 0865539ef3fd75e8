"""``map_location``: where the tensors of a file go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import mlup

if TYPE_CHECKING:
    import torch


def chosen_location(
    given: object,
) -> str | torch.device | dict[str, str] | Callable[..., Any] | None:
    """What ``torch.load`` takes: a device, a mapping of devices, or a function of each storage.

    Raises:
        OptionError: it is none of these.
    """
    if isinstance(given, dict) or callable(given):
        return given
    return _device(given, "a device ('cpu', 'cuda:1', a torch.device), a dict or a function")


def chosen_device(given: object) -> str | torch.device | None:
    """What ``torch.jit.load`` takes: a device alone.

    Raises:
        OptionError: it is none.
    """
    return _device(given, "a device: 'cpu', 'cuda:1' or a torch.device")


def _device(given: object, expected: str) -> str | torch.device | None:
    """The device that is given; if none is, the CPU on a machine without CUDA.

    ``None`` leaves each tensor to the device that it was saved from.
    """
    import torch

    if given is None:
        return None if torch.cuda.is_available() else "cpu"
    if isinstance(given, torch.device):
        return given
    if isinstance(given, str):
        try:
            torch.device(given)
        except RuntimeError as error:
            raise mlup.OptionError(f"map_location={given!r}: expected {expected}.") from error
        return given
    raise mlup.OptionError(f"map_location={given!r}: expected {expected}.")
