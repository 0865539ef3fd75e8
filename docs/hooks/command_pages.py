"""The command line as mkdocs-click shows it: the examples in the help are code blocks there."""

from __future__ import annotations

import inspect
import re
from typing import Final

import click

from mlup.cli import cli as _cli

_KEPT: Final = re.compile(r"^\x08\n(.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


def documented(command: click.Command) -> click.Command:
    """The command with click's ``\\b`` paragraphs as Markdown; its subcommands too."""
    command.help = _KEPT.sub(_code, inspect.cleandoc(command.help or ""))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                documented(found)
    for parameter in command.params:
        # Newer clicks have a sentinel for "no default", which mkdocs-click would show.
        if isinstance(parameter, click.Option) and repr(parameter.default).startswith("Sentinel"):
            parameter.default = None
    return command


def _code(found: re.Match[str]) -> str:
    said, *lines = found[1].splitlines()
    commands = "\n".join(f"$ {line.strip()}" for line in lines)
    return f"{said}\n\n```console\n{commands}\n```"


cli = documented(_cli)
