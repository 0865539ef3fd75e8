"""``mlup plugins``: which binarizers are installed, and which are broken."""

from __future__ import annotations

import click

from mlup.cli.failing import Command
from mlup.cli.output import write, write_json, write_table
from mlup.plugin_info import PluginInfo
from mlup.registry import plugins


@click.command("plugins", cls=Command, short_help="List the installed binarizers.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
def command(as_json: bool) -> None:
    """List the installed binarizers, the broken ones included.

    \b
    Example:
      mlup plugins
      mlup plugins --json

    Exit code 0, even where a plugin is broken; with MLUP_STRICT_PLUGINS=1 that is code 1.
    """
    infos = plugins()
    if as_json:
        write_json([_as_dict(info) for info in infos])
        return
    rows = [
        (
            info.name,
            f"{info.distribution} {info.version}".strip(),
            info.status,
            " ".join(info.extensions),
            info.description,
        )
        for info in infos
    ]
    write_table(("name", "distribution", "status", "extensions", "description"), rows)
    for info in infos:
        if info.problem:
            write(f"{info.name}: {info.status}: {info.problem}", bold=True)


def _as_dict(info: PluginInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "distribution": info.distribution,
        "version": info.version,
        "status": info.status,
        "extensions": list(info.extensions),
        "description": info.description,
        "problem": info.problem,
    }
