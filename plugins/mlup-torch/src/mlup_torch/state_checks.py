"""What must hold of the states of modules, optimizers and hooks: plain containers of what they hold.

Their classes call methods of what is in there, while a state is set or when ``eval()`` comes.

Source: ``torch/nn/modules/module.py``, ``torch/optim/optimizer.py`` and ``torch/utils/hooks.py`` of
PyTorch 2.13.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, defaultdict
from typing import Any, Final

_DICTS: Final = (dict, OrderedDict)
_MOST_HANDLES: Final = 2**31
_FLAGS: Final = ("capturable", "fused", "foreach", "maximize", "differentiable")
_STEPS: Final = ("step", "eta", "mu", "mu_product")
_MOST_LAYERS: Final = 10_000
_HOOK_DICTS: Final = (OrderedDict, weakref.WeakValueDictionary)
_OF_OPTIMIZERS: Final = frozenset({"defaults", "state", "param_groups"})


def optimizer_state(state: Any, instance: Any) -> str | None:
    """``defaults``, ``state`` and ``param_groups``, of plain containers, and no hooks."""
    if type(state) is not dict or not all(type(name) is str for name in state):
        return "it is no dict of names"
    for name, value in state.items():
        if name in _OF_OPTIMIZERS:
            continue
        if name.endswith("_hooks"):
            if type(value) not in _DICTS or value:
                return "it brings hooks along"
        elif callable(value) or hasattr(type(instance), name):
            return f"it would replace {name:.100}"
    if type(state.get("defaults", {})) is not dict:
        return "its defaults are no dict"
    return _groups(state.get("param_groups", [])) or _steps(state.get("state", {}))


def _groups(groups: Any) -> str | None:
    if type(groups) is not list or not all(type(each) is dict for each in groups):
        return "its param_groups are no dicts"
    for each in groups:
        if any(type(each.get(flag)) not in (bool, type(None)) for flag in _FLAGS):
            return "its param_groups have other flags"
        parameters = each.get("params", [])
        if type(parameters) is not list or not all(map(_is_parameter, parameters)):
            return "its parameters are none"
    return None


def _is_parameter(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor) or type(value) is int


def _steps(steps: Any) -> str | None:
    """For each parameter a dict, whose numbers are made tensors."""
    import torch

    if type(steps) not in (dict, defaultdict):
        return "its state is no dict"
    for each in steps.values():
        if type(each) is not dict:
            return "its state of a parameter is no dict"
        for name in _STEPS:
            value = each.get(name, 0)
            if not isinstance(value, torch.Tensor) and type(value) not in (int, float):
                return f"its {name} is no number"
    return None


def module_state(state: Any, instance: Any) -> str | None:
    """Parameters, buffers and modules in dicts of their own, and hooks in dicts."""
    import torch

    if type(state) is tuple:  # of quantized ones, in an order of their own
        return None
    if type(state) not in _DICTS:
        return "it is no dict"
    for name, kind in (
        ("_parameters", torch.Tensor),
        ("_buffers", torch.Tensor),
        ("_modules", torch.nn.Module),
    ):
        held = state.get(name, {})
        if type(held) not in _DICTS:
            return f"its {name} are no dict"
        if not all(each is None or isinstance(each, kind) for each in held.values()):
            return f"its {name} are none"
    for name, value in state.items():
        if type(name) is not str:
            return "it is no dict of names"
        if name.endswith("_hooks") and value is not None and type(value) not in _DICTS:
            return f"its {name} are no dict"
    if type(state.get("_non_persistent_buffers_set", set())) is not set:
        return "its _non_persistent_buffers_set is no set"
    return _weights_of_rnn(state) if isinstance(instance, torch.nn.RNNBase) else None


def _weights_of_rnn(state: Any) -> str | None:
    for name in ("all_weights", "_all_weights", "_flat_weights", "_flat_weights_names"):
        value = state.get(name, [])
        if type(value) is not list:
            return f"its {name} are no list"
        for each in value:
            inner = each if name.endswith("all_weights") and type(each) is list else [each]
            if not all(one is None or type(one) is str or _is_parameter(one) for one in inner):
                return f"its {name} are none"
    if any(type(state.get(n, 0)) not in (int, bool) for n in ("num_layers", "proj_size")):
        return "its sizes are none"
    if state.get("num_layers", 0) > _MOST_LAYERS:
        return "it has more layers than any"
    return None


def handle_state(state: Any, instance: Any) -> str | None:
    """``(hooks, id, more hooks)`` of a ``RemovableHandle``, which counts on from there for all."""
    if type(state) is not tuple or not 2 <= len(state) <= 3:
        return "it is no handle's"
    if type(state[1]) is not int or not 0 <= state[1] < _MOST_HANDLES:
        return "its number is none"
    more = state[2] if len(state) == 3 else None
    if type(more) not in (type(None), list, tuple):
        return "its hooks are no dicts"
    if not all(each is None or type(each) in _HOOK_DICTS for each in (state[0], *(more or ()))):
        return "its hooks are no dicts"
    return None
