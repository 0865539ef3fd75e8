"""The command line: a module for each command.

A command's module is imported when that command runs, so that each pays only for itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from mlup import __version__

_COMMANDS: Final = ("detect", "doctor", "inspect", "load", "pin", "plugins")


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import ``mlup.cli.<name>`` and return its ``command``."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"mlup.cli.{cmd_name}").command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlup")
@click.option("-v", "--verbose", count=True, help="Say more: -v the choices, -vv every score.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, verbose: int, debug: bool) -> None:
    """Find out what a model file is, and load it.

    \b
    Examples:
      mlup detect model.bin
      mlup inspect model.bin
      mlup load model.bin
      mlup plugins
      mlup doctor

    \b
    Completion for your shell (bash, zsh or fish), in its start-up file:
      eval "$(_MLUP_COMPLETE=bash_source mlup)"

    Exit codes: 0 found or loaded; 1 not recognised, refused or unreadable; 2 wrong usage.
    """
    ctx.obj = {"debug": debug, "verbose": verbose}


def main() -> None:
    """The entry point of the ``mlup`` script and of ``python -m mlup``."""
    cli(prog_name="mlup")
