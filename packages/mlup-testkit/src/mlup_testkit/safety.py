"""Does a file that is damaged or hostile do any harm: the tests of ``deserialize`` at its worst."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mlup
from mlup_testkit import payloads
from mlup_testkit.asking import Outcome, loaded_in_fresh_processes
from mlup_testkit.author import Author
from mlup_testkit.samples import Sample
from mlup_testkit.subject import Subject

_SAMPLES = 4  # whose files are damaged and made hostile
_FILES = 6  # of a folder


class Safety(Author):
    """What a file may do to whoever loads it: nothing but fail."""

    def test_damaged_files_are_refused(self, subject: Subject) -> None:
        """If this fails, a file that is empty, breaks off, or holds garbage ended badly.

        *Another model came out*: the framework takes what it gets. Check the length that the
        header promises, or an end mark, and raise ``mlup.ModelBinarizationError``.
        *The process ended*, or it never did: the framework trusts the file. Check the structure
        before it sees it.
        *Another error*: raise whatever your framework raises: mlup makes it a
        ``ModelBinarizationError``.

        Not tried: a flipped byte inside the data, which only a checksum in the format can tell.
        """
        wrong = []
        for case, outcome in _outcomes(subject, "damaged"):
            if outcome.loaded:
                if not _is_the_model(subject, case):
                    wrong.append(f"{case['said']}: another model came out of it, and no error")
            elif not outcome.refused:
                wrong.append(f"{case['said']}: {outcome.said}")
        assert not wrong, "\n".join(wrong)

    def test_nothing_in_a_file_runs(self, subject: Subject, request: pytest.FixtureRequest) -> None:
        """If this fails, loading a hostile file ran what is in it, under the default trust.

        Whoever gets a model from elsewhere runs that person's code. ``pickle.load``, ``joblib.load``,
        ``torch.load(weights_only=False)`` and ``numpy.load(allow_pickle=True)`` do it; load pickles
        through ``mlup_safepickle`` instead, refuse the rest unless ``file.trust`` is set, and raise
        ``mlup.UnsafeModelError`` for what you refuse::

            import mlup_safepickle

            with file.open() as stream:
                return mlup_safepickle.load(stream, allow=file.allow)

        ``eval`` and ``exec`` of what is in a file do it too, so your own code may not run text
        while it loads a file, yours included: take ``ast.literal_eval`` or ``json.loads``.
        """
        hostile = [*_outcomes(subject, "own"), *_outcomes(subject, "hostile")]
        given = {"binarizer": subject.name, "hostile": subject.gives_hostile}
        request.node.user_properties.append(("mlup_testkit", given))
        wrong = [
            f"{case['said']}, loaded by {case['binarizer']}: {'; '.join(outcome.done)}"
            for case, outcome in hostile
            if outcome.done
        ]
        assert not wrong, "\n".join(wrong)

    def test_hostile_files_do_not_end_the_process(self, subject: Subject) -> None:
        """If this fails, loading a hostile file ended the process, or never returned.

        The framework trusts what is in the file. Check it before the framework sees it, and raise
        ``mlup.UnsafeModelError``.
        """
        wrong = [
            f"{case['said']}, loaded by {case['binarizer']}: {outcome.said}"
            for case, outcome in _outcomes(subject, "hostile")
            if not outcome.loaded and not outcome.refused
        ]
        assert not wrong, "\n".join(wrong)


Case = dict[str, Any]


def _outcomes(subject: Subject, kind: str) -> list[tuple[Case, Outcome]]:
    """All files of the three tests are loaded in the same processes."""
    subject.needs_framework()

    def load() -> list[tuple[Case, Outcome]]:
        warm_up = [sample.path for sample in subject.samples]
        cases = [_case(subject, "own", path.name, path, subject.name) for path in warm_up]
        cases += [*_damaged(subject), *_hostile(subject)]
        outcomes = loaded_in_fresh_processes(subject.name, subject.own_modules, warm_up, cases)
        return [(case, outcomes[case["key"]]) for case in cases]

    return [each for each in subject.remember("outcomes", load) if each[0]["kind"] == kind]


def _is_the_model(subject: Subject, case: Case) -> bool:
    sample = next(each for each in subject.samples if each.name == case["sample"])
    try:
        return subject.same(sample, mlup.load(case["path"], subject.name))
    except Exception:  # the author's comparison fails over what is not such a model
        return False


# -- damaged --------------------------------------------------------------------------------------


def _damaged(subject: Subject) -> Iterator[Case]:
    for sample in subject.samples[:_SAMPLES]:
        for path in list(sample.files())[:_FILES]:
            for said, data in _worse(path.read_bytes()):
                target = _with(subject, sample, path, data)
                what = f"{path.relative_to(sample.path.parent)} {said}"
                yield _case(subject, "damaged", what, target, subject.name, sample.name)


def _worse(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "cut to a quarter", data[: len(data) // 4]
    yield "cut to a half", data[: len(data) // 2]
    yield "without its last byte", data[:-1]
    garbage = random.Random(1).randbytes(2 * len(data) + 1000)  # noqa: S311 - always the same
    yield "with garbage behind its first bytes", data[: min(16, len(data) // 2)] + garbage


# -- hostile --------------------------------------------------------------------------------------


def _hostile(subject: Subject) -> Iterator[Case]:
    modules = subject.folder / "modules"
    modules.mkdir(exist_ok=True)
    samples = subject.samples[:_SAMPLES]
    extension = samples[0].path.suffix or subject.extension
    made: list[tuple[str, Path, Path]] = []

    def alone(said: str, name: str, data: bytes, marker: Path) -> None:
        target = _place(subject) / name
        target.write_bytes(data)
        made.append((said, target, marker))

    for how, wrapped in payloads.WRAPPINGS.items():
        for protocol in (0, 2, 4):
            marker = _marker(subject)
            data = wrapped(payloads.executing(marker, protocol))
            alone(f"a pickle of protocol {protocol} {how}", f"hostile{extension}", data, marker)
        marker = _marker(subject)
        data = wrapped(payloads.importing(marker, modules))
        alone(f"an import {how}", f"hostile{extension}", data, marker)
    marker = _marker(subject)
    alone("a command", f"hostile{extension}", payloads.starting(marker), marker)
    for sample in samples:
        for path in list(sample.files())[:_FILES]:
            marker = _marker(subject)
            # The second is for a list of what is forbidden: nobody can have this module on it.
            for what, payload in (
                ("a call", payloads.executing(marker)),
                ("an import", payloads.importing(marker, modules)),
            ):
                found = list(payloads.inside(path.read_bytes(), payload))
                found += [("instead of it", payload)] if sample.is_dir else []
                for how, hostile in found:
                    said = f"{path.relative_to(sample.path.parent)} with {what} {how}"
                    made.append((said, _with(subject, sample, path, hostile), marker))
    marker = _marker(subject)
    for name, data in subject.hostile(marker).items():
        alone(f"{name} of hostile()", name, data, marker)
    for said, path, marker in made:
        for binarizer in (subject.name, "auto"):
            yield _case(subject, "hostile", said, path, binarizer, marker=marker)


# -- both -----------------------------------------------------------------------------------------


def _case(
    subject: Subject,
    kind: str,
    said: str,
    path: Path,
    binarizer: str,
    sample: str = "",
    marker: Path | None = None,
) -> Case:
    return {
        "key": f"{path}|{binarizer}",
        "kind": kind,
        "said": said,
        "path": str(path),
        "binarizer": binarizer,
        "sample": sample,
        "marker": str(marker or _marker(subject)),
        "modules": str(subject.folder / "modules"),
    }


def _with(subject: Subject, sample: Sample, path: Path, data: bytes) -> Path:
    """A copy of a sample in which one file is another."""
    target = _place(subject) / sample.name
    if sample.is_dir:
        shutil.copytree(sample.path, target)
        (target / path.relative_to(sample.path)).write_bytes(data)
    else:
        target.write_bytes(data)
    return target


def _place(subject: Subject) -> Path:
    place = subject.folder / "files" / str(subject.next_number())
    place.mkdir(parents=True)
    return place


def _marker(subject: Subject) -> Path:
    return subject.folder / f"marker{subject.next_number()}"
