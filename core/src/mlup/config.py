"""A model's configuration: which binarizer, which path, which options; the predecessor's too.

The keys of mlup's own are ``binarization_type``, ``path``, ``options``, ``trust`` and ``allow``, at
the top of the file. In a file of pymlup's they are looked for where pymlup put them: ``binarization_type`` and
``options`` under ``ml:``, the path in ``ml.storage_kwargs``. Every other key, and every comment,
is kept as it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mlup import config_files, predecessor, replacing
from mlup.allowing import checked_allow, checked_trust
from mlup.config_files import kind
from mlup.errors import BinarizerNotFoundError, ConfigError, ModelLoadError, OptionError
from mlup.resolving import AUTO, canonical

_PATH, _TYPE, _OPTIONS = "path", "binarization_type", "options"
_TRUST, _ALLOW = "trust", "allow"
_OWN = (_TYPE, _PATH)


@dataclass
class Config:
    """The choice, the path and the options.

    Attributes:
        binarization_type: ``"auto"``, a binarizer's name, or an import line of your own. A
            ``BinarizationType`` or its dotted value is turned into today's name.
        path: the model's file or folder. A relative one is looked for beside the configuration
            file, then in the working directory (for a file of pymlup's, the other way round).
        options: keyword options for the binarizer.
        trust: whether the model's file may import and run whatever it names.
        allow: names that it may use beside the safe ones (see :func:`mlup.load`).
    """

    binarization_type: Any = AUTO
    path: str | os.PathLike[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    trust: bool = False
    allow: list[str] = field(default_factory=list)
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
        where = f"{name}: "
        try:
            section = predecessor.section(document.data, _OWN)
        except ConfigError as error:
            raise ConfigError(where + str(error)) from None
        options = section.get(_OPTIONS)
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(f"{where}options must be a mapping, not {kind(options)}.")
        path = section.get(_PATH)
        if path is not None and not isinstance(path, str):
            raise ConfigError(f"{where}path must be text, not {kind(path)}.")
        return cls(
            _name(section.get(_TYPE) or AUTO, where + _TYPE),
            path if path is not None else predecessor.model_path(section, where),
            dict(options or {}),
            _trust(section, where),
            _allow(section, where),
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
        document = (self._document or config_files.Document({})).copy()
        self._write_into(document.data, target)
        text = document.text(config_files.format_of(target, document.format))
        same = self._file is not None and os.path.realpath(target) == os.path.realpath(self._file)
        replacing.replace(target, text, document.raw if same else None)
        self._file, self._document = target, config_files.read(target)

    def load_model(self, source: object = None) -> Any:
        """Load the model, and keep the choice: ``binarization_type`` is not ``"auto"`` afterwards.

        Args:
            source: what to load instead of :attr:`path`; anything :func:`mlup.load` takes.

        Raises:
            ConfigError: the configuration names no model.
            ModelLoadError: as :func:`mlup.load`.
        """
        from mlup.files import LoadedFile
        from mlup.loading import load_named

        with self._named():
            what = LoadedFile(path=self._source()) if source is None else source
            loaded = load_named(
                what,
                self.binarization_type,
                trust=self.trust,
                allow=self.allow,
                options=self.options,
            )
        self.binarization_type = loaded.binarizer
        return loaded.model

    def resolve(self) -> bool:
        """Replace ``"auto"`` by the best binarizer, without loading the model.

        A choice that was made already is checked: it must be installed and understand the options.

        Returns:
            Whether anything changed.

        Raises:
            ConfigError: the configuration names no model.
            ModelLoadError: as :func:`mlup.load` where nothing, or no single one, is best.
        """
        from mlup.loading import check_options, choose, detect
        from mlup.registry import current
        from mlup.resolving import check

        registry = current()
        before = _name(self.binarization_type, _TYPE)
        with self._named():
            chosen = choose(detect(self._source()), registry) if before == AUTO else before
            binarizer = check(chosen, registry)
            if binarizer is not None:
                check_options(binarizer, self.options)
        self.binarization_type = chosen
        return before == AUTO

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Put the configuration's name in front of what is said about its model."""
        try:
            yield
        except (ModelLoadError, ConfigError) as error:
            if self._file is not None and self._file not in str(error):
                error.args = (f"{self._file}: {error}", *error.args[1:])
            raise

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
        return predecessor.masked(found, self._section()) if self._is_predecessor else found

    def _section(self) -> MutableMapping[str, Any]:
        return predecessor.section(self._document.data, _OWN) if self._document else {}

    @property
    def _is_predecessor(self) -> bool:
        section = self._section()
        return section.get(_PATH) is None and predecessor.storage(section) is not None

    def _write_into(self, data: MutableMapping[str, Any], target: str) -> None:
        section = predecessor.section(data, _OWN)
        storage = predecessor.storage(section) if self._is_predecessor else None
        chosen = self.binarization_type = _name(self.binarization_type, _TYPE)
        if _TYPE not in section or _name(section[_TYPE] or AUTO, _TYPE) != chosen:
            section[_TYPE] = chosen
        if self.path is not None:
            path = self._path_for(target)
            if storage is None:
                if section.get(_PATH) != path:
                    section[_PATH] = path
            elif storage.get("path_to_files") != path:
                storage["path_to_files"] = path
        if repr(dict(section.get(_OPTIONS) or {})) != repr(self.options):  # 1 is not True here
            section[_OPTIONS] = dict(self.options)
        if bool(section.get(_TRUST)) != self.trust:
            section[_TRUST] = self.trust
        if list(section.get(_ALLOW) or ()) != list(self.allow):
            section[_ALLOW] = list(self.allow)

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
        raise ConfigError(
            f"{where} must be 'auto', a binarizer's name or an import line, not {kind(value)}."
        ) from error


def _trust(section: Mapping[str, Any], where: str) -> bool:
    try:
        return checked_trust(section.get(_TRUST) or False)
    except OptionError as error:
        raise ConfigError(
            f"{where}trust must be true or false, not {section[_TRUST]!r}."
        ) from error


def _allow(section: Mapping[str, Any], where: str) -> list[str]:
    try:
        return list(checked_allow(section.get(_ALLOW) or ()))
    except OptionError as error:
        raise ConfigError(where + str(error)) from error
