"""What is known of a plugin: :class:`PluginInfo`, and whether what it requires is here."""

from __future__ import annotations

import sys
from typing import NamedTuple

from mlup.names import OFFICIAL_EXTRAS, install_line


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
    return f"pip install {info.distribution}, or the package that provides it"


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
