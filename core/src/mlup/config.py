"""A model's configuration: which binarizer, which path, which options; the predecessor's too.

The keys of mlup's own are ``binarization_type``, ``path`` and ``options``, at the top of the
file. In a file of pymlup's they are looked for where pymlup put them: ``binarization_type`` and
``options`` under ``ml:``, the path in ``ml.storage_kwargs``. Every other key, and every comment,
is kept as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mlup import config_files, log
from mlup.constants import StorageType
from mlup.errors import BinarizerNotFoundError, ConfigError, ModelLoadError
from mlup.resolving import AUTO, canonical

_PATH, _TYPE, _OPTIONS = "path", "binarization_type", "options"


@dataclass
class Config:
    """The choice, the path and the options.

    Attributes:
        binarization_type: ``"auto"``, a binarizer's name, or an import line of your own. A
            ``BinarizationType`` or its dotted value is turned into today's name.
        path: the model's file or folder. A relative one is looked for beside the configuration
            file, then in the working directory (for a file of pymlup's, the other way round).
        options: keyword options for the binarizer.
    """

    binarization_type: Any = AUTO
    path: str | os.PathLike[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    _file: str | None = field(default=None, repr=False, compare=False)
    _document: config_files.Document | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.binarization_type = _name(self.binarization_type, "binarization_type")

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Config:
        """Read a YAML or JSON file, of mlup's or of pymlup's. The model is not loaded.

        Raises:
            ConfigError: it cannot be read or understood.
        """
        name = os.fspath(file)
        document = config_files.read(name)
        section = _section(document.data)
        where = f"{name}: "
        options = section.get(_OPTIONS) or {}
        if not isinstance(options, Mapping):
            raise ConfigError(f"{where}options must be a mapping, not {type(options).__name__}.")
        path = section.get(_PATH)
        if path is not None and not isinstance(path, str):
            raise ConfigError(f"{where}path must be text, not {type(path).__name__}.")
        return cls(
            _name(section.get(_TYPE) or AUTO, where + _TYPE),
            path if path is not None else _predecessor_path(section, where),
            {str(key): value for key, value in options.items()},
            name,
            document,
        )

    def save(self, file: str | os.PathLike[str] | None = None) -> None:
        """Write it back, or to another file: YAML or JSON, by the extension. All or nothing.

        Raises:
            ConfigError: there is no file to write to, or it cannot be written. Nothing is
                half-written then.
        """
        target = os.fspath(file) if file is not None else self._file
        if target is None:
            raise ConfigError("This configuration was not read from a file: save(file) needs one.")
        document = self._document or config_files.Document({})
        changed = config_files.Document(**{**vars(document), "data": document.copy()})
        self._write_into(changed.data, target)
        default = document.format if self._document else "yaml"
        config_files.write(target, changed.text(config_files.format_of(target, default)))
        self._file, self._document = target, changed

    def load_model(self, source: object = None) -> Any:
        """Load the model, and keep the choice: ``binarization_type`` is not ``"auto"`` afterwards.

        Args:
            source: what to load instead of :attr:`path`; anything :func:`mlup.load` takes.

        Raises:
            ConfigError: the configuration names no model.
            ModelLoadError: as :func:`mlup.load`.
        """
        from mlup.loading import load_named

        what = self._source() if source is None else source
        try:
            loaded = load_named(what, self.binarization_type, options=self.options)
        except BinarizerNotFoundError as error:
            if self._file is None:
                raise
            raise BinarizerNotFoundError(f"{self._file}: {error}") from error
        self.binarization_type = loaded.binarizer
        return loaded.model

    def resolve(self) -> bool:
        """Replace ``"auto"`` by the best binarizer, without loading the model.

        Returns:
            Whether anything changed.

        Raises:
            ConfigError: the configuration names no model.
            ModelLoadError: as :func:`mlup.load` where nothing, or no single one, is best.
        """
        if _name(self.binarization_type, _TYPE) != AUTO:
            return False
        from mlup.loading import choose, detect
        from mlup.registry import current

        self.binarization_type = choose(detect(self._source()), current())
        return True

    def _source(self) -> str:
        if self.path is None or not os.fspath(self.path):
            raise ConfigError(
                f"{self._file or 'This configuration'} names no model: set path: to its file or folder."
            )
        path = os.fspath(self.path)
        if os.path.isabs(path):
            places = [path]
        else:
            beside = os.path.join(os.path.dirname(os.path.abspath(self._file or "")), path)
            places = [path, beside] if self._is_predecessor else [beside, path]
        found = next((place for place in places if os.path.lexists(place)), places[0])
        section = _section(self._document.data) if self._document else {}
        return _masked(found, section, self._file) if self._is_predecessor else found

    @property
    def _is_predecessor(self) -> bool:
        return (
            self._document is not None
            and _section(self._document.data).get(_PATH) is None
            and ("storage_kwargs" in _section(self._document.data))
        )

    def _write_into(self, data: MutableMapping[str, Any], target: str) -> None:
        section = _section(data)
        chosen = self.binarization_type = _name(self.binarization_type, _TYPE)
        if _TYPE not in section or _name(section[_TYPE] or AUTO, _TYPE) != chosen:
            section[_TYPE] = chosen
        if self.path is not None:
            path = self._path_for(target)
            if self._is_predecessor:
                if section["storage_kwargs"].get("path_to_files") != path:
                    section["storage_kwargs"]["path_to_files"] = path
            elif section.get(_PATH) != path:
                section[_PATH] = path
        if (section.get(_OPTIONS) or {}) != self.options:
            section[_OPTIONS] = dict(self.options)

    def _path_for(self, target: str) -> str:
        """The path as it must read in ``target``, so that it still leads to the model."""
        path = os.fspath(self.path or "")
        here = os.path.dirname(os.path.abspath(self._file)) if self._file else os.getcwd()
        there = os.path.dirname(os.path.abspath(target))
        if os.path.isabs(path) or here == there or self._is_predecessor:
            return path
        moved = os.path.join(here, path)
        return os.path.relpath(moved, there) if os.path.lexists(moved) else path


def _name(value: object, where: str) -> str:
    try:
        return canonical(value)
    except BinarizerNotFoundError as error:
        raise ConfigError(f"{where}: {error}") from error


def _section(data: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where mlup's keys are: under ``ml:`` in a file of the predecessor's, else at the top."""
    ml = data.get("ml")
    own = _TYPE in data or _PATH in data
    return ml if isinstance(ml, MutableMapping) and not own else data


def _predecessor_path(section: Mapping[str, Any], where: str) -> str | None:
    kwargs = section.get("storage_kwargs") or {}
    if not isinstance(kwargs, Mapping):
        raise ConfigError(f"{where}storage_kwargs must be a mapping, not {type(kwargs).__name__}.")
    storage = section.get("storage_type", StorageType.disk.value)
    if storage not in (StorageType.disk.value, StorageType.memory.value, None):
        raise ConfigError(
            f"{where}storage_type {storage!r} is not known; mlup reads files and folders "
            f"({StorageType.disk.value}). Give the model's path under path: instead."
        )
    path = kwargs.get("path_to_files")
    if path is not None and not isinstance(path, str):
        raise ConfigError(f"{where}path_to_files must be text, not {type(path).__name__}.")
    return path


def _masked(path: str, section: Mapping[str, Any], file: str | None) -> str:
    """The file that the predecessor's ``files_mask`` picks, searched in names as it did."""
    mask = (section.get("storage_kwargs") or {}).get("files_mask")
    if mask is None:
        return path
    try:
        pattern = re.compile(str(mask))
    except re.error as error:
        raise ConfigError(
            f"{file}: files_mask {mask!r} is no regular expression: {error}"
        ) from error
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
