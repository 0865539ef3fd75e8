"""Where a configuration of pymlup keeps what mlup asks for, and which file it means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from mlup import log
from mlup.config_files import kind
from mlup.errors import ConfigError, ModelLoadError

_DISK: Final = "mlup.ml.storage.local_disk.DiskStorage"
_MEMORY: Final = "mlup.ml.storage.memory.MemoryStorage"


def section(data: MutableMapping[str, Any], own: tuple[str, ...]) -> MutableMapping[str, Any]:
    """Where mlup's keys are: under ``ml:`` in a file of the predecessor's, else at the top.

    Raises:
        ConfigError: ``ml:`` is no mapping.
    """
    ml = data.get("ml")
    if any(key in data for key in own) or ml is None:
        return data
    if not isinstance(ml, MutableMapping):
        raise ConfigError(f"ml: must be a mapping, not {kind(ml)}.")
    return ml


def storage(section: Mapping[str, Any]) -> MutableMapping[str, Any] | None:
    """The predecessor's ``storage_kwargs``; ``None`` where there are none."""
    kwargs = section.get("storage_kwargs")
    return kwargs if isinstance(kwargs, MutableMapping) else None


def model_path(section: Mapping[str, Any], where: str) -> str | None:
    """The path in ``storage_kwargs``.

    Raises:
        ConfigError: it is no path, or the storage is none that mlup has.
    """
    kwargs = section.get("storage_kwargs") or {}
    if not isinstance(kwargs, Mapping):
        raise ConfigError(f"{where}storage_kwargs must be a mapping, not {kind(kwargs)}.")
    storage_type = section.get("storage_type")
    if storage_type not in (_DISK, _MEMORY, None):
        raise ConfigError(
            f"{where}storage_type {storage_type!r} is not known; mlup reads files and folders "
            f"({_DISK}). Give the model's path under path: instead."
        )
    path = kwargs.get("path_to_files")
    if path is not None and not isinstance(path, str):
        raise ConfigError(f"{where}path_to_files must be text, not {kind(path)}.")
    return path


def masked(path: str, section: Mapping[str, Any]) -> str:
    """The file that ``files_mask`` picks, searched in names as the predecessor did.

    Raises:
        ConfigError: the mask is no regular expression.
        ModelLoadError: no file matches it.
    """
    mask = (section.get("storage_kwargs") or {}).get("files_mask")
    if mask is None:
        return path
    try:
        pattern = re.compile(str(mask))
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"files_mask {mask!r} is no regular expression: {error}") from error
    if not os.path.isdir(path):
        if os.path.exists(path) and not pattern.search(path):
            raise ModelLoadError(f"{path} does not match files_mask {mask!r}; correct one of them.")
        return path
    try:
        names = sorted(name for name in os.listdir(path) if pattern.search(name))
    except OSError as error:
        raise ModelLoadError(f"{path} cannot be listed: {error}") from error
    if not names:
        raise ModelLoadError(f"No file in {path} matches files_mask {mask!r}.")
    if len(names) > 1:
        log.logger().warning(
            "%d files in %s match files_mask %r; the first by name is taken: %s",
            len(names),
            path,
            mask,
            names[0],
        )
    return os.path.join(path, names[0])
