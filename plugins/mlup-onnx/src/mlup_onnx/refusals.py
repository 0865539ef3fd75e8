"""Why onnxruntime refused a model, and what to do about it, from what its error says.

Seen in onnxruntime 1.19, 1.23 and 1.32. An error that is none of these speaks for itself.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from typing import Any, Final

from mlup_onnx.model_contents import DamagedModelError

_UPGRADE: Final = "upgrade it (pip install --upgrade onnxruntime)"


def _version() -> str:
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"


def _ir_version(seen: str, supported: str) -> str:
    return (
        f"it has ONNX IR version {seen}, and {_version()} reads up to {supported}; {_UPGRADE}, or "
        "export the model with an older one"
    )


def _opset(seen: str, domain: str, supported: str) -> str:
    return (
        f"it needs opset {seen} of {domain}, and {_version()} has up to {supported}; {_UPGRADE}, or "
        "export the model with an older one"
    )


def _missing_data(place: str) -> str:
    return f"its weights are in another file, and {place} does not exist; put that file there"


def _data_elsewhere(place: str) -> str:
    return f"its weights are in another file, {place}, outside the model's folder; put it beside it"


def _path_needed() -> str:
    return (
        "its weights are in another file, which is looked for beside the model; give the model's "
        "path instead of its bytes"
    )


def _data_by_absolute_path(name: str) -> str:
    return (
        f"the weights {name} are in another file, which the model names by an absolute path, and "
        "onnxruntime does not follow those; export the model again, or save it with a location "
        "that is relative to it (onnx.save_model(…, save_as_external_data=True, location=NAME))"
    )


def _pointer(path: str, size: int) -> str | None:
    """The Git LFS pointer of ``size`` bytes that lies beside the model, where there is one."""
    for folder in (os.path.dirname(path), os.path.dirname(os.path.realpath(path))):
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if not entry.is_file() or entry.stat().st_size != size:
                    continue
                with open(entry.path, "rb") as stream:
                    if stream.read(len(_LFS)) == _LFS:
                        return entry.path
    return None


def _lfs_pointer(path: str) -> str:
    return (
        f"its weights are in another file, and {path} is only a Git LFS pointer to it; run: "
        "git lfs pull"
    )


def _short_data(name: str, wanted: str, found: str) -> str:
    return (
        f"the file of its weights is not the right one, or truncated: {name!r} needs {wanted} bytes "
        f"of it, and it has {found} in all; copy or export both files again"
    )


def _operator(domain: str, name: str) -> str:
    if domain in ("", "ai.onnx", "ai.onnx.ml", "com.microsoft"):
        return (
            f"it needs the operator {name} of {domain or 'ai.onnx'}, which {_version()} does not "
            f"have; {_UPGRADE}"
        )
    said = (
        f"it needs the operator {domain}:{name}, which is none of onnxruntime's; register the library "
        "that has it (so = onnxruntime.SessionOptions(); so.register_custom_ops_library(path)) and "
        "load with options={'sess_options': so}"
    )
    if domain == "ai.onnx.contrib":
        said += (
            ". It is in onnxruntime-extensions: pip install onnxruntime-extensions, and path is "
            "onnxruntime_extensions.get_library_path()"
        )
    return said


def _domain(name: str, domain: str) -> str:
    return f"its operator {name} is of {domain!r}, and it imports no opset of that: it is damaged"


def _opset_lacks(name: str, opset: str) -> str:
    return (
        f"its operator {name} is not in opset {opset} as {_version()} knows it; {_UPGRADE}, or "
        "export the model again"
    )


def _implementation(name: str, opset: str) -> str:
    from onnxruntime import get_available_providers

    return (
        f"none of its execution providers has {name} (opset {opset}) for these types; {_UPGRADE}, "
        f"or name another in providers (there are {', '.join(get_available_providers())})"
    )


def _damaged() -> str:
    return (
        "it is no whole ONNX model: damaged, truncated or something else; copy or export it again"
    )


def _ort_version(seen: str) -> str:
    return (
        f"it has ORT format version {seen}, which {_version()} does not read; {_UPGRADE}, or convert "
        "the ONNX model again (python -m onnxruntime.tools.convert_onnx_models_to_ort)"
    )


_EXTERNAL: Final[tuple[tuple[str, Callable[..., str]], ...]] = (
    (r'External data path does not exist: "([^"]*)"', _missing_data),
    (r"filesystem error: .*: No such file or directory \[([^]]*)\]", _missing_data),  # < 1.24
    (r'escapes (?:model|working) directory.*?External data path: "([^"]*)"', _data_elsewhere),
    # Of bytes whose weights lie in the working directory, where they are read only now and then.
    (r"model_path must not be empty", _path_needed),
)
_SHORT_DATA: Final = r"External initializer: (.*?) offset: .* read: (\d+) given file_length: (\d+)"
_LFS: Final = b"version https://git-lfs"
_KNOWN: Final[tuple[tuple[str, Callable[..., str]], ...]] = (
    *_EXTERNAL,
    (
        r"External data path validation failed for initializer: (.*?)\. Error: .*Absolute path not allowed",
        _data_by_absolute_path,
    ),
    (_SHORT_DATA, _short_data),
    (r"Unsupported model IR version: (\d+), max supported IR version: (\d+)", _ir_version),
    (r"Opset (\d+) is under development.* support for domain (\S+) is till opset (\d+)", _opset),
    (r"Fatal error: (\S*?):(\S+?)\(-?\d+\) is not a registered function/op", _operator),
    (r"In Node, \(.*?, (\S+), .*Error No opset import for domain '(.*)'", _domain),
    (r"No Op registered for (\S+) with domain_version of (\d+)", _opset_lacks),
    (r"Could not find an implementation for (\S+?)\((\d+)\) node", _implementation),
    (r"ORT format model version \[(.*?)\] is not supported", _ort_version),
    (r"INVALID_PROTOBUF|ORT model verification failed|codec can't decode", _damaged),
)


def explained(error: BaseException, path: str | None) -> str | None:
    """What to tell the user of an error of onnxruntime's; ``None``: what it says itself.

    Args:
        error: what the load raised.
        path: the model's path, where its weights may lie too; ``None`` for bytes and streams.
    """
    if isinstance(error, DamagedModelError):
        return _damaged()
    if path is None and is_about_external_data(error):
        return _path_needed()
    short = re.search(_SHORT_DATA, str(error), re.DOTALL)
    pointer = _pointer(path, int(short[3])) if path is not None and short else None
    return _first(_KNOWN, str(error)) if pointer is None else _lfs_pointer(pointer)


def is_about_external_data(error: BaseException) -> bool:
    """Whether the file with the weights was not found, or is not where it may be."""
    return _first(_EXTERNAL, str(error)) is not None


def _first(known: Any, said: str) -> str | None:
    for pattern, explain in known:
        found = re.search(pattern, said, re.DOTALL)
        if found:
            return str(explain(*found.groups()))
    return None
