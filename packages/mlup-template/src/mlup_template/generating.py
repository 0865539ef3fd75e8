"""Copier, run on the template that lies in this package: :func:`generate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

TEMPLATE: Final = Path(__file__).with_name("template")
"""What ``copier copy`` takes: ``copier.yml`` with the questions, and the tree."""

_MAY_BE_THERE: Final = {".git"}
"""In a folder that counts as empty: people make the repository first."""

_NOT_VALID: Final = "Validation error for question "
"""How copier begins the message of an answer that a validator of ``copier.yml`` refused."""


class TemplateError(Exception):
    """Nothing was generated. The message says why, and what to do."""


class InvalidAnswerError(TemplateError):
    """A question has an answer that is not valid, or a default that is not.

    Attributes:
        question: its name in ``copier.yml``.
        why: what is wrong, and what is allowed.
    """

    def __init__(self, question: str, why: str, folder: Path, *, given: bool) -> None:
        self.question = question
        self.why = why
        said = f"{question}: {why}"
        if question == "name" and not given:
            said += (
                f"\nThe folder's name ({folder.name}) was taken for it: give another folder, "
                "or --name."
            )
        super().__init__(f"{said}\nNothing was written.")


def generate(folder: str | os.PathLike[str], answers: Mapping[str, str]) -> dict[str, str]:
    """Make a distribution in a folder.

    Args:
        folder: where; it may exist if there is nothing in it but ``.git``.
        answers: answers to questions of ``copier.yml``, by their names. The others have their
            defaults.

    Returns:
        All answers, and what follows from them: ``distribution``, ``module`` …

    Raises:
        InvalidAnswerError: an answer is not valid.
        TemplateError: the folder has something in it, or cannot be written.
    """
    refuse_what_is_there(folder)
    return _copied(folder, answers, pretend=False)


def completed(folder: str | os.PathLike[str], answers: Mapping[str, str]) -> dict[str, str]:
    """What :func:`generate` would return. Nothing is written."""
    return _copied(folder, answers, pretend=True)


def refuse_what_is_there(folder: str | os.PathLike[str]) -> None:
    """Nothing that is in the folder is ever overwritten.

    Raises:
        TemplateError: it is a file, or has anything but ``.git`` in it.
    """
    target = Path(folder)
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise TemplateError(f"{target} is there already, and is no folder: give another name.")
    there = sorted({each.name for each in target.iterdir()} - _MAY_BE_THERE)
    if there:
        some = ", ".join(there[:3]) + (", …" if len(there) > 3 else "")
        raise TemplateError(
            f"{target} is there already, and not empty ({some}): give a new folder, or empty it. "
            "Nothing was written."
        )


def _copied(
    folder: str | os.PathLike[str], answers: Mapping[str, str], *, pretend: bool
) -> dict[str, str]:
    # Imported here: it takes a third of a second, which --help need not.
    import copier
    from copier.errors import CopierError

    target = Path(folder)
    try:
        worker: Any = copier.run_copy(
            str(TEMPLATE), target, data=dict(answers), defaults=True, quiet=True, pretend=pretend
        )
    except ValueError as error:
        said = str(error)
        if not said.startswith(_NOT_VALID):
            raise
        name, _, why = said.removeprefix(_NOT_VALID).partition(": ")
        question = name.strip("'")
        raise InvalidAnswerError(
            question, why.strip(), target, given=question in answers
        ) from error
    except (CopierError, OSError) as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise TemplateError(f"{target} was not made: {error}") from error
    return {name: each for name, each in worker.answers.user.items() if isinstance(each, str)}
