"""Copier, run on the template that lies in this package: :func:`generate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TEMPLATE: Final = Path(__file__).with_name("template")
"""What ``copier copy`` takes: ``copier.yml`` with the questions, and the tree."""

_MAY_BE_THERE: Final = {".git"}
"""In a folder that counts as empty: people make the repository first."""

_NOT_VALID: Final = "Validation error for question "
"""How copier begins the message of an answer that a validator of ``copier.yml`` refused."""


class TemplateError(Exception):
    """Nothing was generated. The message says why, and what to do."""


def generate(folder: str | os.PathLike[str], answers: Mapping[str, str], *, ask: bool) -> None:
    """Make a distribution in a folder, and say on stderr what was made.

    Args:
        folder: where; it may exist if there is nothing in it but ``.git``.
        answers: answers to questions of ``copier.yml``, by their names. These are not asked.
        ask: whether the other questions are asked, on the terminal; otherwise their defaults hold.

    Raises:
        TemplateError: the folder has something in it or cannot be written, an answer is not
            valid, or there is no terminal to ask on.
        KeyboardInterrupt: the user stopped answering.
    """
    # Imported here: it takes a third of a second, which --help need not.
    import copier
    from copier.errors import CopierError, InteractiveSessionError

    target = Path(folder)
    try:
        _refuse_what_is_there(target)
        copier.run_copy(str(TEMPLATE), target, data=dict(answers), defaults=not ask)
    except InteractiveSessionError as error:
        raise TemplateError(
            "There is no terminal to ask the questions on. --defaults takes the defaults; "
            "--name, --author and so on give answers (see --help)."
        ) from error
    except ValueError as error:
        said = str(error)
        if not said.startswith(_NOT_VALID):
            raise
        question, _, why = said.removeprefix(_NOT_VALID).partition(": ")
        raise TemplateError(_not_valid(question.strip("'"), why, answers, target)) from error
    except (CopierError, OSError) as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise TemplateError(f"{target} was not made: {error}") from error


def _refuse_what_is_there(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise TemplateError(f"{folder} is there already, and is no folder: give another name.")
    there = sorted({each.name for each in folder.iterdir()} - _MAY_BE_THERE)
    if there:
        some = ", ".join(there[:3]) + (", …" if len(there) > 3 else "")
        raise TemplateError(
            f"{folder} is there already, and not empty ({some}): give a new folder, or empty it. "
            "Nothing was written."
        )


def _not_valid(question: str, why: str, answers: Mapping[str, str], folder: Path) -> str:
    said = f"{question}: {why.strip()}"
    if question == "name" and "name" not in answers:
        said += (
            f"\nThe folder's name ({folder.name}) was taken for it: give another folder, or --name."
        )
    return f"{said}\nNothing was written."
