"""What is known of a plugin: :class:`PluginInfo`, what it lacks, and where it failed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mlup import __version__
from mlup.errors import described
from mlup.names import OFFICIAL_EXTRAS, install_line

_ADOPTED: Final = "import line"


class MisfitError(TypeError):
    """One function of a plugin does not fit the contract.

    Attributes:
        failed_at: its file and line; ``""`` where it has none.
    """

    def __init__(self, message: str, function: Callable[..., Any]) -> None:
        super().__init__(message)
        code = getattr(function, "__code__", None)  # of a method, too
        self.failed_at = f"{code.co_filename}:{code.co_firstlineno}" if code else ""


class IncompatibleError(MisfitError):
    """It was written for a version of the contract that this mlup-core does not have."""


class PluginInfo(NamedTuple):
    """What ``mlup plugins`` shows of one entry point.

    Attributes:
        name: the binarizer's name.
        distribution: the distribution it came with.
        version: that distribution's version.
        status: ``ok``, ``disabled``, ``unavailable`` (what it requires is not importable),
            ``broken``, ``conflict`` (another distribution claims the name), ``incompatible``
            (written for another version of the contract).
        extensions: the format's usual file extensions.
        description: the first line of the plugin's docstring.
        problem: what is wrong and what to do, or ``None``.
        entry_point: the entry point's value.
        requires: import names that ``deserialize`` needs.
        options: options that ``deserialize`` understands; ``None``: it did not say.
        kind: ``binarizer``, or ``wrapper`` for a plugin that surrounds loads.
        failed_at: file and line of the plugin at which its import failed, or of the function that
            does not fit (``"/…/acme.py:3"``); ``""`` where there is none, or it is not known.
    """

    name: str
    distribution: str
    version: str
    status: str
    extensions: tuple[str, ...] = ()
    description: str = ""
    problem: str | None = None
    entry_point: str = ""
    requires: tuple[str, ...] = ()
    options: tuple[str, ...] | None = None
    kind: str = "binarizer"
    failed_at: str = ""

    @property
    def standing(self) -> str:
        """The status as it stands in a sentence, after "is"."""
        return "in conflict" if self.status == "conflict" else self.status

    def as_dict(self) -> dict[str, object]:
        """The keys of ``mlup plugins --json``, which stay as they are."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "status": self.status,
            "extensions": list(self.extensions),
            "description": self.description,
            "problem": self.problem,
        }


def availability(info: PluginInfo) -> PluginInfo:
    """The same, or ``unavailable`` where something it requires cannot be imported."""
    if info.status != "ok" or not info.requires:
        return info
    missing = missing_requirements(info)
    if not missing:
        return info
    said = f"{', '.join(missing)} cannot be imported here: {cure(info)}"
    return info._replace(status="unavailable", problem=said)


def cure(info: PluginInfo) -> str:
    """What to install where something that a plugin requires is missing."""
    line = install_line(info.name)
    if line and info.distribution == f"mlup-{OFFICIAL_EXTRAS[info.name]}":
        return line
    said = f"install the package that provides {', '.join(missing_requirements(info)) or 'it'}"
    own = info.distribution == _ADOPTED  # the caller's own class or module
    return said if own else f"{said} ({info.distribution} does not bring it)"


def broken(info: PluginInfo, error: BaseException) -> PluginInfo:
    """The same, of a plugin that could not be imported or does not fit the contract."""
    module = info.entry_point.partition(":")[0].strip()
    top = module.partition(".")[0]
    if isinstance(error, MisfitError):
        said, where = str(error), error.failed_at
    else:
        said, where = described(error), _failed_at(error, top)
    if "-" in module:
        said = f"{module!r} is no module name; write {module.replace('-', '_')}"
    elif isinstance(error, ModuleNotFoundError) and error.name == top:
        from mlup.discovery import nearest_module

        said = (
            f"the entry point names the module {top!r}, which {info.distribution} {info.version} "
            f"does not have{nearest_module(top, info.distribution)}"
        )
    elif isinstance(error, ModuleNotFoundError):
        said += "; install it (authors: import a framework inside deserialize(), only there)"
    said += f" (version {info.version or 'unknown'}, with mlup-core {__version__})"
    status = "incompatible" if isinstance(error, IncompatibleError) else "broken"
    return info._replace(status=status, problem=said, failed_at=where)


def _failed_at(error: BaseException, package: str) -> str:
    """The last line of the plugin's own that was being run, or that is no Python."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    where, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__")
        if isinstance(name, str) and (name == package or name.startswith(f"{package}.")):
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def missing_requirements(info: PluginInfo) -> list[str]:
    """The names in ``requires`` that no importer finds. Nothing is imported for it."""
    from importlib.util import find_spec

    missing = []
    for name in info.requires:
        top = name.partition(".")[0]
        try:
            found = top in sys.modules or find_spec(top) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            missing.append(top)
    return missing
