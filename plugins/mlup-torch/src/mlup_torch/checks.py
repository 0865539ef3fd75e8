"""What must hold of the arguments of torch's ``_rebuild_…`` functions: views within their storage.

``torch.load`` resolves storages; these functions make tensors of them, and one of them
(``_rebuild_from_type_v2``) calls another function that the file names.

And of states: ``__setstate__``, and ``eval()`` after it, call methods of what is in them
(``self.defaults.setdefault(…)``, ``self._modules.items()``). Of exact dicts and lists these are known.

Source: ``torch/_utils.py``, ``torch/_tensor.py``, ``torch/optim``, ``torch/nn/modules`` and
``torch/utils/hooks.py`` of PyTorch 2.13.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

_DICTS: Final = (dict, OrderedDict)


def tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)``.

    And ``_rebuild_qtensor``, which has the quantizer's parameters before ``requires_grad``.
    """
    if kwargs or not 4 <= len(args) <= 7:
        return "there are other arguments"
    view = _view(args[0], args[1], args[2], args[3], args[0])
    quantizer = args[4] if len(args) > 4 and type(args[4]) is tuple else ()
    for each in quantizer[1:]:
        plain = each if type(each) is list else [each]
        if not _is_tensor(each) and not all(type(n) in (int, float) for n in plain):
            return "its scales are none"
    return view or _hooks(args[5:6]) or _metadata(args[6:7])


def typed_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_tensor_v3``, which gets the dtype: its storage is of bytes."""
    import torch

    if kwargs or not 7 <= len(args) <= 8 or not isinstance(args[6], torch.dtype):
        return "there are other arguments"
    view = _view(args[0], args[1], args[2], args[3], args[6])
    return view or _hooks(args[5:6]) or _metadata(args[7:8])


def _view(storage: Any, offset: Any, size: Any, stride: Any, of: Any) -> str | None:
    import torch

    if not isinstance(storage, (torch.storage.TypedStorage, torch.UntypedStorage)):
        return "it is not of a storage of the file"
    sizes, strides = _numbers(size), _numbers(stride)
    if sizes is None or strides is None or len(sizes) != len(strides) or type(offset) is not int:
        return "its sizes are none"
    untyped = getattr(storage, "_untyped_storage", storage)  # a typed one warns when it is asked
    item = of.itemsize if isinstance(of, torch.dtype) else torch._utils._element_size(of.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if offset < 0 or (0 not in sizes and (last + 1) * item > untyped.nbytes()):
        return "it reaches beyond its storage"
    return None


def _numbers(value: Any) -> tuple[int, ...] | None:
    """Sizes or strides, none below zero."""
    good = isinstance(value, (tuple, list)) and all(type(n) is int and n >= 0 for n in value)
    return tuple(value) if good else None


def _hooks(hooks: tuple[Any, ...]) -> str | None:
    empty = all(
        type(each) in (bool, type(None)) or (type(each) in _DICTS and not each) for each in hooks
    )
    return None if empty else "it brings hooks along"


def _metadata(metadata: tuple[Any, ...]) -> str | None:
    """``conj`` and ``neg``: to be read with another sign."""
    for each in metadata:
        if each is not None and (type(each) not in _DICTS or not set(each) <= {"conj", "neg"}):
            return "its metadata is none"
    return None


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _whole(tensor: Any) -> bool:
    """Whether there is memory for each of its items: a stride of 0 makes of one as many as one likes."""
    import torch

    return (
        isinstance(tensor, torch.Tensor)
        and tensor.layout is torch.strided
        and not tensor.is_nested
        and (
            tensor.device.type == "meta"
            or tensor.numel() * tensor.itemsize <= tensor.untyped_storage().nbytes()
        )
    )


def nested_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_nested_tensor(buffer, sizes, strides, offsets)``: each part within the buffer."""
    if kwargs or len(args) != 4 or not all(map(_whole, args)):
        return "there are other arguments"
    return _parts(*args)


def _parts(buffer: Any, sizes: Any, strides: Any, offsets: Any) -> str | None:
    import torch

    if sizes.shape != strides.shape or sizes.ndim != 2 or offsets.shape != (len(sizes),):
        return "its parts have other shapes"
    if any(
        each.dtype is not torch.int64 or each.device.type != "cpu"
        for each in (sizes, strides, offsets)
    ):
        return "its sizes are none"
    count = buffer.numel()
    for part, steps, offset in zip(sizes.tolist(), strides.tolist(), offsets.tolist(), strict=True):
        if offset < 0 or min((*part, *steps), default=0) < 0:
            return "its sizes are none"
        last = offset + sum((n - 1) * step for n, step in zip(part, steps, strict=True))
        if 0 not in part and last >= count:
            return "it reaches beyond its buffer"
    return None


def sparse_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """``_rebuild_sparse_tensor(layout, data)``: what its indices are is seen in the end."""
    import torch

    if (
        kwargs
        or len(args) != 2
        or not isinstance(args[0], torch.layout)
        or type(args[1]) is not tuple
        or not 3 <= len(args[1]) <= 4
    ):
        return "there are other arguments"
    values = 1 if args[0] is torch.sparse_coo else 2
    if not all(map(_whole, args[1][:values])) or not _is_tensor(args[1][values]):
        return "its indices are none"
    return None


def layout(tensor: Any) -> str | None:
    """What is wrong with a loaded tensor that is sparse or nested.

    Torch looks at the indices of sparse ones only where ``check_sparse_tensor_invariants`` is enabled,
    for the whole process; and of nested ones when they are made, before their storages may be read.
    """
    import torch

    if tensor.device.type == "meta" or tensor.layout is getattr(torch, "jagged", None):
        return None
    if tensor.is_nested:
        parts = (
            tensor._nested_tensor_size(),
            tensor._nested_tensor_strides(),
            tensor._nested_tensor_storage_offsets(),
        )
        return _parts(tensor.values(), *parts)
    tensor = tensor.detach()
    kind, size = tensor.layout, tensor.size()
    try:
        if kind is torch.sparse_coo:
            torch.sparse_coo_tensor(
                tensor._indices(),
                tensor._values(),
                size,
                check_invariants=True,
                is_coalesced=tensor.is_coalesced(),
            )
            return None
        rows = kind in (torch.sparse_csr, torch.sparse_bsr)
        torch.sparse_compressed_tensor(
            tensor.crow_indices() if rows else tensor.ccol_indices(),
            tensor.col_indices() if rows else tensor.row_indices(),
            tensor.values(),
            size,
            layout=kind,
            check_invariants=True,
        )
    except (RuntimeError, IndexError) as error:
        return f"{str(error).splitlines()[0]:.200}"
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
