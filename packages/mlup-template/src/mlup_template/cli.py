"""The command line: ``mlup-template FOLDER``."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from mlup_template.asking import QUESTIONS, ask
from mlup_template.generating import TEMPLATE, TemplateError, generate, refuse_what_is_there

_MADE: Final = """\
{distribution} is in {folder}. It works as it is, on a made-up format:

  cd {quoted}
  pip install -e ".[test]"
  pytest
  mlup plugins {name}

Then replace what is marked REPLACE in src/{module}/__init__.py, tests/test_contract.py
and README.md, and take the marks away."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of ``mlup-template``. Exit codes: 0 made; 1 not made; 2 wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    answers = {name: value for name in QUESTIONS if (value := getattr(given, name)) is not None}
    if given.defaults and answers.get("package") and not answers.get("framework"):
        parser.error("--package is what --framework is installed from: give both")
    try:
        refuse_what_is_there(given.folder)
        if not given.defaults:
            answers = ask(given.folder, answers)
        print(_made(given.folder, generate(given.folder, answers)))  # noqa: T201
    except TemplateError as error:
        print(f"mlup-template: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nmlup-template: stopped; nothing was written.", file=sys.stderr)  # noqa: T201
        sys.exit(130)


def _made(folder: str, answers: Mapping[str, str]) -> str:
    quoted = subprocess.list2cmdline([folder]) if os.name == "nt" else shlex.quote(folder)
    return _MADE.format_map({**answers, "folder": folder, "quoted": quoted})


def _parser() -> argparse.ArgumentParser:
    from mlup_template import __version__

    parser = argparse.ArgumentParser(
        prog="mlup-template",
        description="Make a distribution with a binarizer for mlup: one that works, on a made-up "
        "format, with its tests, README and CI, and marks where yours goes in. What is not given "
        "here is asked.",
        epilog=f"The template is a copier template: {TEMPLATE}",
    )
    parser.add_argument("folder", metavar="FOLDER", help="where, such as mlup-acme: a new folder")
    parser.add_argument(
        "--defaults", action="store_true", help="ask nothing: what is not given has its default"
    )
    for name, question in QUESTIONS.items():
        said = f"{question.asks} (default: {question.default})"
        parser.add_argument(f"--{name}", metavar="TEXT", help=said)
    parser.add_argument("--version", action="version", version=f"mlup-template {__version__}")
    return parser
