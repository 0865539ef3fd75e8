"""The fixture ``site``: a folder of fake distributions, installed the way pip installs real ones.

Each has a ``<name>-<version>.dist-info`` with ``METADATA`` and ``entry_points.txt`` beside its
modules, and the folder stands first on ``sys.path``. Plugins of other distributions that happen
to be installed are hidden (core's own stay), so that a test sees the same plugins everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

import mlup
from mlup import registry
from mlup.discovery import EntryPoint
from mlup.registry import PluginInfo

_PLUGIN = """\
import mlup
calls = []
{top}
@mlup.hookimpl{marked}
def score(path, head, tail):
{score}

@mlup.hookimpl
def deserialize(file):
    calls.append(file)
{deserialize}
"""


class Site:
    """The fake installation; every method leaves mlup ready to discover what it changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def distribution(
        self,
        name: str,
        entry_points: Mapping[str, str],
        modules: Mapping[str, str] | None = None,
        *,
        version: str = "1.0",
        refresh: bool = True,
    ) -> None:
        """Install ``{entry point: value}`` and ``{dotted module name: source}``."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(headers + "\nVersion: of nothing\n", "utf-8")
        lines = [f"{key} = {value}\n" for key, value in entry_points.items()]
        text = "[mlup.binarizers]\n" + "".join(lines)
        (info / "entry_points.txt").write_text(text, "utf-8")
        for module, source in (modules or {}).items():
            self.module(module, source)
        if refresh:
            mlup.refresh()

    def module(self, name: str, source: str) -> None:
        """Write a module that belongs to no plugin, or to one that is installed later."""
        *packages, last = name.split(".")
        folder = self.folder
        for package in packages:
            folder = folder / package
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
        (folder / f"{last}.py").write_text(dedent(source), "utf-8")
        mlup.refresh()

    def plugin(
        self,
        name: str,
        score: str = "return 0.9 if head.startswith(b'ACME') else None",
        *,
        deserialize: str = "return f'loaded by {__name__}'",
        top: str = "",
        marked: str = "",
        distribution: str | None = None,
    ) -> str:
        """Install a plugin module of the usual shape, and return the module's name.

        ``score`` and ``deserialize`` are the functions' bodies, ``top`` stands above them, and
        ``marked`` behind ``@mlup.hookimpl`` of ``score``. ``calls`` in the module counts loads.
        """
        distribution = distribution or f"dist-{name}"
        module = f"{distribution}_{name}".replace("-", "_")
        source = _PLUGIN.format(
            top=dedent(top),
            marked=marked,
            score=indent(dedent(score), "    "),
            deserialize=indent(dedent(deserialize), "    "),
        )
        self.distribution(distribution, {name: module}, {module: source})
        return module

    def info(self, name: str, distribution: str | None = None) -> PluginInfo:
        """The one line of ``mlup.plugins()`` with that name."""
        (info,) = (
            each
            for each in mlup.plugins()
            if each.name == name and distribution in (None, each.distribution)
        )
        return info

    def holds(self, path: object) -> bool:
        return str(path).startswith(str(self.folder))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    installed = Site(tmp_path / "site")
    installed.folder.mkdir()
    monkeypatch.syspath_prepend(str(installed.folder))
    for variable in ("MLUP_STRICT_PLUGINS", "MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)
    find = registry.find_entry_points

    def find_ours() -> list[EntryPoint]:
        return [
            each
            for each in find()
            if each.distribution == "mlup-core" or installed.holds(each.source.dist.locate_file(""))
        ]

    monkeypatch.setattr(registry, "find_entry_points", find_ours)
    mlup.refresh()
    yield installed
    for name, module in list(sys.modules.items()):
        if installed.holds(getattr(module, "__file__", None)):
            del sys.modules[name]
    mlup.refresh()
