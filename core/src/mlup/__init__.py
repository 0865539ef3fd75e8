"""mlup loads a trained model from a file without being told what the file is.

For users:
    ``detect(source)``        what is it: a ranked list of binarizers, with reasons
    ``inspect(source)``       what would it import and run
    ``load(source)``          here is the model: the framework's own object
    ``plugins()``             which binarizers are installed, and which are broken
    ``refresh()``             look for installed plugins again (after ``pip install`` in a notebook)
    ``Config``                the choice, the path and the options in a YAML or JSON file
    ``BinarizationType``      the predecessor's names of binarizers
    ``MLupError``             the root of every error (see :mod:`mlup.errors`)

For plugin authors:
    ``hookimpl``              marks your ``score`` and ``deserialize`` (see :mod:`mlup.hookspecs`)
    ``Score``                 a confidence with its reason
    ``ModelPath``             what ``score`` receives
    ``LoadedFile``            what ``deserialize`` receives
    ``UnsafeModelError``      what it raises for a file that it will not run
    ``Report``                what an ``inspect`` of yours returns, of ``Import`` and ``Operation``
    ``mlup.probe``            bounded readers of file structure

Names are loaded when they are first used: ``import mlup`` itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mlup.config import Config
    from mlup.constants import BinarizationType
    from mlup.errors import (
        AmbiguousModelError,
        BinarizerNotFoundError,
        ConfigError,
        LoadError,
        MLupError,
        ModelBinarizationError,
        ModelLoadError,
        OptionError,
        PluginError,
        ProbeError,
        SourceError,
        UnknownModelError,
        UnsafeModelError,
    )
    from mlup.files import LoadedFile, ModelPath
    from mlup.hookspecs import hookimpl
    from mlup.inspecting import inspect
    from mlup.loading import Detection, detect, load
    from mlup.plugin_info import PluginInfo
    from mlup.ranking import Candidate, Score
    from mlup.registry import plugins, refresh
    from mlup.report import Import, Operation, Report

__version__ = "0.1.0"

_HOME: Final[dict[str, str]] = {
    "Config": "config",
    "BinarizationType": "constants",
    "AmbiguousModelError": "errors",
    "BinarizerNotFoundError": "errors",
    "ConfigError": "errors",
    "LoadError": "errors",
    "MLupError": "errors",
    "ModelBinarizationError": "errors",
    "ModelLoadError": "errors",
    "OptionError": "errors",
    "PluginError": "errors",
    "ProbeError": "errors",
    "SourceError": "errors",
    "UnknownModelError": "errors",
    "UnsafeModelError": "errors",
    "LoadedFile": "files",
    "ModelPath": "files",
    "hookimpl": "hookspecs",
    "inspect": "inspecting",
    "Detection": "loading",
    "detect": "loading",
    "load": "loading",
    "Candidate": "ranking",
    "Score": "ranking",
    "PluginInfo": "plugin_info",
    "plugins": "registry",
    "refresh": "registry",
    "Import": "report",
    "Operation": "report",
    "Report": "report",
}

_MODULES: Final = ("constants", "errors", "hookspecs", "probe")

__all__ = [
    "AmbiguousModelError",
    "BinarizationType",
    "BinarizerNotFoundError",
    "Candidate",
    "Config",
    "ConfigError",
    "Detection",
    "Import",
    "LoadError",
    "LoadedFile",
    "MLupError",
    "ModelBinarizationError",
    "ModelLoadError",
    "ModelPath",
    "Operation",
    "OptionError",
    "PluginError",
    "PluginInfo",
    "ProbeError",
    "Report",
    "Score",
    "SourceError",
    "UnknownModelError",
    "UnsafeModelError",
    "__version__",
    "detect",
    "hookimpl",
    "inspect",
    "load",
    "plugins",
    "refresh",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"mlup.{name}")
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'mlup' has no attribute {name!r}")
    value = getattr(import_module(f"mlup.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
