"""What must hold of the arguments of torch's ``_rebuild_…`` functions: views within their storage.

``torch.load`` resolves storages; these functions make tensors of them, and one of them
(``_rebuild_from_type_v2``) calls another function that the file names.

Source: ``torch/_utils.py`` and ``torch/_tensor.py`` of PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final


def tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, …)``, and quantized ones."""
    if kwargs or not 4 <= len(args) <= 8:
        return "there are other arguments"
    return _view(args[0], args[1], args[2], args[3], args[0]) or _hooks(args[5:7])


def typed_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_tensor_v3``, which gets the dtype: its storage is of bytes."""
    import torch

    if kwargs or not 7 <= len(args) <= 8 or not isinstance(args[6], torch.dtype):
        return "there are other arguments"
    return _view(args[0], args[1], args[2], args[3], args[6]) or _hooks(args[5:6])


def _view(storage: Any, offset: Any, size: Any, stride: Any, of: Any) -> str | None:
    import torch

    if not isinstance(storage, (torch.storage.TypedStorage, torch.UntypedStorage)):
        return "it is not of a storage of the file"
    sizes, strides = _numbers(size), _numbers(stride)
    if sizes is None or strides is None or len(sizes) != len(strides) or type(offset) is not int:
        return "its sizes are none"
    item = of.itemsize if isinstance(of, torch.dtype) else torch._utils._element_size(of.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if offset < 0 or (0 not in sizes and (last + 1) * item > storage.nbytes()):
        return "it reaches beyond its storage"
    return None


def _numbers(value: Any) -> tuple[int, ...] | None:
    """Sizes or strides, none below zero."""
    good = isinstance(value, (tuple, list)) and all(type(n) is int and n >= 0 for n in value)
    return tuple(value) if good else None


def _hooks(hooks: tuple[Any, ...]) -> str | None:
    return (
        "it brings hooks along" if any(isinstance(each, dict) and each for each in hooks) else None
    )


def nested_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_nested_tensor(buffer, sizes, strides, offsets)``: each part within the buffer."""
    import torch

    if kwargs or len(args) != 4 or not all(isinstance(each, torch.Tensor) for each in args):
        return "there are other arguments"
    buffer, sizes, strides, offsets = args
    if sizes.shape != strides.shape or sizes.ndim != 2 or offsets.shape != (len(sizes),):
        return "its parts have other shapes"
    if any(bool((each < 0).any()) for each in (sizes, strides, offsets)):
        return "its sizes are none"
    last = offsets + ((sizes - 1).clamp(min=0) * strides).sum(dim=1)
    return "it reaches beyond its buffer" if bool((last >= max(1, buffer.numel())).any()) else None


def sparse_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_sparse_tensor(layout, data)``: torch itself looks at its indices in the end."""
    import torch

    if (
        kwargs
        or len(args) != 2
        or not isinstance(args[0], torch.layout)
        or type(args[1]) is not tuple
    ):
        return "there are other arguments"
    return None


def meta_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad)``: no memory at all."""
    return None if len(args) == 4 and not kwargs else "there are other arguments"


def parameter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_parameter(tensor, requires_grad, hooks)``, and with a state of its own."""
    import torch

    if kwargs or len(args) not in (3, 4) or not isinstance(args[0], torch.Tensor):
        return "there are other arguments"
    return _hooks(args[2:3]) or _attributes(args[3] if len(args) == 4 else None)


def _attributes(state: Any) -> str | None:
    """What ``torch._utils._set_obj_state`` sets: attributes of a tensor, by name."""
    parts = state if type(state) is tuple else (state,)
    for part in parts:
        if part is None:
            continue
        if type(part) is not dict or not all(type(name) is str for name in part):
            return "its attributes are none"
        for name in part:
            if name.startswith("__") or hasattr(_tensor_type(), name):
                return f"it would set {name:.100} of a tensor"
    return None


def _tensor_type() -> Any:
    import torch

    return torch.Tensor


def from_type(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_from_type_v2(function, type, arguments, state)``: calls one of the above."""
    import torch

    if kwargs or len(args) != 4 or type(args[2]) is not tuple:
        return "there are other arguments"
    function, cls, arguments, state = args
    check = next(
        (
            check
            for name, check in _OF_FUNCTIONS.items()
            if function is getattr(torch._utils, name, None)
        ),
        None,
    )
    if check is None:
        return "it would call another function"
    if not isinstance(cls, type) or not issubclass(cls, torch.Tensor):
        return "it is no tensor"
    return check(arguments, {}) or _attributes(state)


_OF_FUNCTIONS: Final[dict[str, Callable[[tuple[Any, ...], dict[str, Any]], str | None]]] = {
    "_rebuild_tensor_v2": tensor,
    "_rebuild_tensor_v3": typed_tensor,
    "_rebuild_qtensor": tensor,
    "_rebuild_nested_tensor": nested_tensor,
    "_rebuild_sparse_tensor": sparse_tensor,
    "_rebuild_meta_tensor_no_storage": meta_tensor,
    "_rebuild_parameter": parameter,
    "_rebuild_parameter_with_state": parameter,
}
