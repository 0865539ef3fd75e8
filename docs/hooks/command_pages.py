"""The command line as mkdocs-click shows it: the examples in the help are code blocks there."""

from __future__ import annotations

import inspect
import re
from copy import copy
from typing import Final

import click

from mlup.cli import cli as _cli

_KEPT: Final = re.compile(r"^\x08\n(.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


def documented(command: click.Command) -> click.Command:
    """A copy of the command with click's ``\\b`` paragraphs as Markdown; of its subcommands too."""
    said = _KEPT.sub(_code, inspect.cleandoc(command.help or ""))
    if isinstance(command, click.Group):
        context = click.Context(command)
        found = {
            name: command.get_command(context, name) for name in command.list_commands(context)
        }
        commands = {name: documented(each) for name, each in found.items() if each is not None}
        shown: click.Command = click.Group(command.name, commands)
    else:
        shown = copy(command)
    shown.help = said
    shown.params = [_with_a_plain_default(each) for each in command.params]
    return shown


def _with_a_plain_default(parameter: click.Parameter) -> click.Parameter:
    """Newer clicks have a sentinel for "no default", which mkdocs-click would show."""
    shown = copy(parameter)
    if isinstance(shown, click.Option) and repr(shown.default).startswith("Sentinel"):
        shown.default = None
    return shown


def _code(found: re.Match[str]) -> str:
    said, *lines = found[1].splitlines()
    commands = "\n".join(f"$ {line.strip()}" for line in lines)
    return f"{said}\n\n```console\n{commands}\n```"


cli = documented(_cli)
