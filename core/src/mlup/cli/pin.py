"""``mlup pin``: write the choice into a configuration."""

from __future__ import annotations

import os

import click

from mlup.cli.failing import FAILED, Command
from mlup.cli.output import write
from mlup.config import Config


@click.command("pin", cls=Command, short_help="Write the choice into a configuration.")
@click.argument("config", type=click.Path())
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if it still says auto.")
@click.pass_context
def command(ctx: click.Context, config: str, check: bool) -> None:
    """Replace "auto" in CONFIG (YAML or JSON) by the binarizer that detection chooses.

    The model is not loaded. Comments and all other keys stay.

    \b
    Example:
      mlup pin service.yaml
      mlup pin service.yaml --check
    """
    name = os.fsdecode(config)
    settings = Config.load(name)
    if not settings.resolve():
        write(f"{name}: pinned already: {settings.binarization_type}")
        return
    if check:
        write(f"{name}: says auto; mlup pin would write: {settings.binarization_type}")
        ctx.exit(FAILED)
    settings.save()
    write(f"{name}: binarization_type: auto -> {settings.binarization_type}", bold=True)
