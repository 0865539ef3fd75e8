"""From a file to its tensors."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

import mlup
from mlup.loaded_file import opened_path
from mlup_safetensors.option_values import checked_device, checked_framework
from mlup_safetensors.tensors import Tensors

_LENGTH: Final = 8  # of the header's length

_DTYPES: Final = {
    "BOOL": "?",
    "U8": "u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
}
"""The format's types that NumPy has."""

_ML_DTYPES: Final = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
"""Those that ``ml_dtypes`` has. What is smaller than a byte (F4, F6) it keeps in another way."""


def load(file: mlup.LoadedFile) -> Tensors:
    """The tensors of the framework that the options name.

    Raises:
        OptionError: an option is of no use, or NumPy has no such tensors.
        safetensors.SafetensorError: it is no safetensors file, or a damaged one.
    """
    framework = checked_framework(file.options.get("framework"))
    device = checked_device(file.options.get("device"), framework)
    with file.as_path() as path, open(path, "rb") as stream:
        # safetensors takes a path alone; this is one to the file that is open here.
        opened = opened_path(stream, path)
        return _torch(opened, device) if framework == "torch" else _numpy(opened, stream, file)


def _torch(path: str, device: Any) -> Tensors:
    from safetensors import safe_open

    with safe_open(path, framework="pt", device=device) as tensors:
        loaded = Tensors({name: tensors.get_tensor(name) for name in tensors.offset_keys()})
        loaded.metadata = tensors.metadata() or {}
    return loaded


def _numpy(path: str, stream: BinaryIO, file: mlup.LoadedFile) -> Tensors:
    """Arrays of their own memory, one behind the other.

    ``safetensors.numpy`` has no bfloat16 and no float8. So safetensors checks the header, all of it
    when the file is opened, and says what there is; the bytes go from the file into the arrays.
    """
    import numpy as np
    from safetensors import SafetensorError, safe_open

    loaded = Tensors()
    with safe_open(path, framework="np") as tensors:
        loaded.metadata = tensors.metadata() or {}
        stream.seek(_LENGTH + int.from_bytes(stream.read(_LENGTH), "little"))
        # They fill the file without a gap, which is what safetensors checks.
        for name in tensors.offset_keys():
            one = tensors.get_slice(name)
            array = np.empty(one.get_shape(), _dtype(one.get_dtype(), name, file))
            read = stream.readinto(array.reshape(-1).view(np.uint8))  # type: ignore[attr-defined]
            if read != array.nbytes:
                raise SafetensorError(f"the file breaks off within the tensor {name!r}")
            loaded[name] = array
    return loaded


def _dtype(dtype: str, name: str, file: mlup.LoadedFile) -> Any:
    import numpy as np

    if dtype in _DTYPES:
        return np.dtype(_DTYPES[dtype])
    if dtype in _ML_DTYPES:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, _ML_DTYPES[dtype]))
    raise mlup.OptionError(
        f"{file.label} was not loaded: its tensor {name!r} is of the type {dtype}, which NumPy does "
        "not have; options={'framework': 'torch'} (CLI: --option framework=torch) gives PyTorch's, "
        "where PyTorch has that type."
    )
