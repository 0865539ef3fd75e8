"""``mlup doctor``: what is installed, what is wrong with it, and what to do."""

from __future__ import annotations

import click

from mlup.cli.failing import FAILED, Command
from mlup.cli.output import write, write_json, write_table
from mlup.doctoring import Examination, examine


@click.command("doctor", cls=Command, short_help="Say what is wrong with the installation.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look at the environment, the installed binarizers and their safe lists; say what to do.

    \b
    Example:
      mlup doctor
      mlup doctor --json

    The JSON object has the keys mlup, python, platform, environment, dependencies, binarizers (as
    in mlup plugins --json) and problems, an array of objects with level, what and do.

    Errors are binarizers that are broken, incompatible or in conflict, safe lists that cannot be
    read, and dependencies that do not fit; all else is a warning. Exit code 1 if there is an error.
    """
    found = examine()
    if as_json:
        write_json(found.as_dict())
    else:
        _write_page(found)
    if found.failed:
        ctx.exit(FAILED)


def _write_page(found: Examination) -> None:
    write(f"mlup-core {found.mlup['version']}  {found.mlup['file']}", bold=True)
    write(f"Python {found.python['version']}  {found.python['executable']}")
    write(found.platform)
    for name, value in found.environment.items():
        write(f"{name}: {'not set' if value is None else value}")
    write("")
    if found.dependencies:
        write_table(
            ("dependency", "required", "installed"),
            [
                (each.name, each.required or "any", each.version or "none")
                for each in found.dependencies
            ],
        )
        write("")
    write_table(
        ("binarizer", "distribution", "status"),
        [
            (each.name, f"{each.distribution} {each.version}".strip(), each.status)
            for each in found.binarizers
        ],
    )
    write("")
    for problem in found.problems:
        write(f"{problem.level}: {problem.what}", bold=problem.level == "error")
        write(f"  to do: {problem.do}")
    if not found.problems:
        write("No problems found.", bold=True)
