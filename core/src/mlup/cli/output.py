"""What commands print: tables on a terminal, plain lines elsewhere, JSON that is always ASCII."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from mlup.showing import shown


def write(text: str, *, bold: bool = False, dim: bool = False, err: bool = False) -> None:
    """A cleaned line; styled on a terminal only."""
    styled = click.style(shown(text), bold=bold, dim=dim) if colours(err=err) else shown(text)
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # the caller closed it (>&-)
        return
    try:
        click.echo(styled, err=err)
    except UnicodeEncodeError:  # a terminal that is not UTF-8
        encoding = stream.encoding or "ascii"
        click.echo(styled.encode(encoding, "backslashreplace").decode(encoding), err=err)


def write_json(value: Any) -> None:
    """One object a line. ASCII, so that a name of undecodable bytes survives every terminal."""
    import json

    if sys.stdout is not None:
        click.echo(json.dumps(value))


def colours(*, err: bool = False) -> bool:
    """Whether to style: only on a terminal, and not where NO_COLOR is set (no-color.org)."""
    return _is_terminal(sys.stderr if err else sys.stdout) and not os.environ.get("NO_COLOR")


def _is_terminal(stream: Any) -> bool:
    return stream is not None and stream.isatty()  # None: the caller closed it (>&-)


def write_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: drawn by rich on a terminal, aligned columns elsewhere."""
    cells = [[shown(each) for each in row] for row in rows]
    if _is_terminal(sys.stdout):
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column)
        for row in cells:
            table.add_row(*[Text(each) for each in row])  # Text: names are not markup
        Console().print(table)
        return
    lines = [list(columns), *cells]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        write(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
