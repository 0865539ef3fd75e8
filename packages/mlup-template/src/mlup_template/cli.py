"""The command line: ``mlup-template FOLDER``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from mlup_template.generating import TEMPLATE, TemplateError, generate

QUESTIONS: Final = {
    "name": "the format's name, and its binarizer's (by default the folder's, without mlup-)",
    "description": "what the files are, in one line",
    "extension": "their usual extension, such as .acme",
    "framework": "import name of the framework that reads them (by default none)",
    "package": "its name on PyPI, perhaps with a version; '' leaves the installing to people",
    "author": "author, for pyproject.toml and the licence (MIT)",
}
"""The questions of the template's ``copier.yml``, each with the help of its option."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of ``mlup-template``. Exit codes: 0 made; 1 not made; 2 wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    answers = {name: value for name in QUESTIONS if (value := getattr(given, name)) is not None}
    if given.defaults and answers.get("package") and not answers.get("framework"):
        parser.error("--package is what --framework is installed from: give both")
    try:
        generate(given.folder, answers, ask=not given.defaults)
    except TemplateError as error:
        print(f"mlup-template: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        print("mlup-template: stopped; nothing was written.", file=sys.stderr)  # noqa: T201
        sys.exit(130)


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
    for name, said in QUESTIONS.items():
        parser.add_argument(f"--{name}", metavar="TEXT", help=said)
    parser.add_argument("--version", action="version", version=f"mlup-template {__version__}")
    return parser
