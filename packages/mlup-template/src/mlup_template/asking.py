"""The questions, on the terminal: :func:`ask`. What a valid answer is, ``copier.yml`` says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from mlup_template.generating import InvalidAnswerError, TemplateError, completed


class Question(NamedTuple):
    """A question of ``copier.yml``.

    Attributes:
        asks: for what, in a line.
        default: the answer that is taken without one, in words.
        needs: the question without whose answer this one is not asked, or ``""``.
    """

    asks: str
    default: str
    needs: str = ""


QUESTIONS: Final = {
    "name": Question("name of the format and of its binarizer", "the folder's, without mlup-"),
    "description": Question("what the files are, in one line", "'Acme models'"),
    "extension": Question("their usual extension", ".acme"),
    "framework": Question("import name of the framework that reads them", "none"),
    "package": Question(
        "its name on PyPI, perhaps with a version", "the framework's", needs="framework"
    ),
    "author": Question(
        "author, for pyproject.toml and the licence (MIT)", "'the mlup-acme authors'"
    ),
}
"""In the order of ``copier.yml``."""

EMPTY = "-"
"""What is typed for an empty answer, since Enter alone takes the default."""


def ask(folder: str | os.PathLike[str], given: Mapping[str, str]) -> dict[str, str]:
    """Ask each question that has no answer yet: its default in brackets, and again until valid.

    Copier has its own prompts; they put the default into the line, and what is typed behind it.

    Args:
        folder: where the distribution is to be made: the default of its name.
        given: the answers that are there.

    Returns:
        All answers.

    Raises:
        TemplateError: one of the given answers is not valid, or there is nobody who answers.
    """
    with suppress(ImportError):
        import readline  # noqa: F401 - arrow keys at input()

    answers = dict(given)
    for name, question in QUESTIONS.items():
        if name in answers:
            continue
        default: str | None = None
        try:
            known = completed(folder, answers)
        except InvalidAnswerError as error:
            if error.question != name:
                raise
            print(f"The default will not do; {error.why}")  # noqa: T201
        else:
            if question.needs and not known[question.needs]:
                continue
            default = known[name]
        answers[name] = _asked(folder, answers, name, default)
    return answers


def _asked(
    folder: str | os.PathLike[str], answers: Mapping[str, str], name: str, default: str | None
) -> str:
    question = QUESTIONS[name]
    shown = "" if default is None else f" [{default or 'none'}]"
    if question.needs:
        shown += f", or {EMPTY} for none"
    prompt = f"{question.asks[0].upper()}{question.asks[1:]}{shown}: "
    while True:
        try:
            typed = input(prompt).strip()
        except EOFError as error:
            raise TemplateError(
                "There is nobody to answer. --defaults takes the defaults; "
                "--name, --author and so on give answers (see --help). Nothing was written."
            ) from error
        if not typed and default is not None:
            return default
        answer = "" if typed == EMPTY else typed
        try:
            completed(folder, {**answers, name: answer})
        except InvalidAnswerError as error:
            if error.question == name:
                print(f"  {error.why}")  # noqa: T201
                continue
        return answer
