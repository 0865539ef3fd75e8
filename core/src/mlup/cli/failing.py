"""How a command fails: one line on standard error and an exit code; ``--debug`` for the rest."""

from __future__ import annotations

import traceback
from typing import Any, Final

import click

from mlup import log
from mlup.errors import MLupError
from mlup.showing import shown

FAILED: Final = 1


class Command(click.Command):
    """A command that takes ``--debug``, and turns errors into one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--debug"], is_flag=True, help="Show the traceback of an error.")
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; an ``MLupError`` ends it with code 1."""
        debug = ctx.params.pop("debug", False) or (ctx.obj or {}).get("debug", False)
        log.tracebacks = debug
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:  # the last stop: nothing may end in a traceback unasked
            if debug:
                for line in traceback.format_exc().splitlines():
                    click.echo(shown(line), err=True)
            else:
                click.echo(f"mlup: {one_line(error)}", err=True)
            ctx.exit(FAILED)


def one_line(error: BaseException) -> str:
    """An error for the terminal. One that mlup did not mean to raise asks to be reported."""
    if isinstance(error, MLupError):
        return shown(str(error))
    if isinstance(error, OSError):
        return shown(f"the output cannot be written: {error.strerror or error}")
    return shown(
        f"unexpected {type(error).__name__}: {error}. This is a bug in mlup; "
        "please report it with what --debug shows."
    )
