"""How a command speaks and fails: one line on standard error, an exit code; ``-v``, ``--debug``."""

from __future__ import annotations

import traceback
from typing import Any, Final

import click

from mlup import log
from mlup.errors import MLupError
from mlup.showing import shown

FAILED: Final = 1
VERBOSE: Final = "Say more: -v the choices, -vv every score."


class Command(click.Command):
    """A command that takes ``--verbose`` and ``--debug``, and turns errors into one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["-v", "--verbose"], count=True, help=VERBOSE),
            click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; an ``MLupError`` ends it with code 1."""
        before = ctx.obj or {}  # what stood before the command
        _listen(ctx.params.pop("verbose", 0) + before.get("verbose", 0))
        debug = ctx.params.pop("debug", False) or before.get("debug", False)
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


def _listen(verbose: int) -> None:
    def set_up() -> None:
        from mlup.cli.logs import write_to_stderr

        write_to_stderr(verbose)

    log.on_first_use = set_up
    if verbose:
        log.logger()


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
