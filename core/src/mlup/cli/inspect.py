"""``mlup inspect``: what a model's file would import and run, without doing either."""

from __future__ import annotations

import os
from typing import Any

import click

from mlup.cli.failing import FAILED, Command, one_line
from mlup.cli.output import write, write_json, write_table
from mlup.errors import MLupError
from mlup.inspecting import inspect
from mlup.report import Report


@click.command("inspect", cls=Command, short_help="Say what a file would import and run.")
@click.argument("path", type=click.Path())
@click.option(
    "--binarizer",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Whose reading of the file is asked for.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="A name that you would allow, or my_package.*; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@click.pass_context
def command(
    ctx: click.Context, path: str, binarizer: str, allow: tuple[str, ...], as_json: bool
) -> None:
    """Say what the model in PATH would import and run, and whether 'mlup load' lets it.

    Nothing in the file is imported or run.

    \b
    Example:
      mlup inspect model.bin
      mlup inspect --json model.bin

    Exit code 1 if anything would be refused, if the file breaks off, was not recognised or is not
    readable, or if the plugin cannot tell. What only the data itself shows is checked when it is
    loaded.
    """
    name = os.fsdecode(path)
    try:
        report = inspect(name, binarizer, allow=allow)
    except MLupError as error:
        if as_json:
            write_json({"path": name, "error": one_line(error)})
        raise
    if as_json:
        write_json(_as_dict(name, report))
    else:
        _write_lines(name, report)
    if report.refused or report.stopped or not report.checked:
        ctx.exit(FAILED)


def _as_dict(path: str, report: Report) -> dict[str, Any]:
    return {
        "path": path,
        "format": report.format,
        "imports": [each._asdict() for each in report.imports],
        "operations": [each._asdict() for each in report.operations],
        "notes": list(report.notes),
        "stopped": report.stopped,
        "checked": report.checked,
    }


def _write_lines(path: str, report: Report) -> None:
    refused = len(report.refused)
    said = f"{refused} of what it names would be refused" if refused else "no name in it is refused"
    if not report.checked:
        said = "not checked"
    if report.stopped:
        said = f"would not be loaded: {report.stopped}"
    write(f"{path}: {report.format}, {said}", bold=True)
    rows = [(each.verdict, each.role, str(each)) for each in report.imports]
    rows += [(each.verdict, "operation", str(each)) for each in report.operations]
    if rows:
        rows.sort(key=lambda row: row[0])  # what is refused comes first
        write_table(("verdict", "role", "name"), rows)
    for note in report.notes:
        write(f"  note: {note}")
