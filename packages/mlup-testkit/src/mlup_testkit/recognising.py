"""Is it sure of its own files, and modest with others: the tests of ``score``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import mlup
from mlup_testkit import golden
from mlup_testkit.author import Author
from mlup_testkit.damaging import mutations, truncations
from mlup_testkit.samples import Upload, under
from mlup_testkit.subject import Answer, Subject

BY_NAME = 0.3
"""What the extension alone is worth, at most."""

SURE = 0.8
"""What a file of one's own is worth, at least: a text signature of the format."""

_WRONG = (".bin", ".zip", ".txt", ".model")


class Recognising(Author):
    """What ``score`` says, of whatever it is given."""

    def test_it_is_sure_of_its_own_files(self, subject: Subject) -> None:
        """If this fails, ``score`` gives a file of yours less than 0.8 when its name does not help.

        Files are renamed, uploaded without a name, and called ``model.bin``. Look at the content:
        the first and last bytes, or the structure through ``path.read_at`` and ``mlup.probe``. The
        extension is worth 0.05 on top. A format without any mark in its content cannot do better
        than 0.3 by its name: override this test with ``@pytest.mark.xfail(reason="…")`` then.
        """
        _ = subject.scorer
        for sample in subject.samples:
            for extension in ("", _wrong(subject), sample.path.suffix):
                found = _ask_as(subject, sample.path, f"sure{extension}")
                said = f"{sample.name} as 'sure{extension}'"
                assert found.problem is None, f"{said}: {found.problem}"
                assert found.score >= SURE, f"{said}: {found.score:.2f}, expected {SURE} or more"

    def test_it_is_chosen_for_its_own_files(self, subject: Subject) -> None:
        """If this fails, another installed binarizer is as sure of a file of yours, or surer.

        Each candidate and its reason is in the message. Where the file is in truth the other
        format's too, read on until you find what only yours has. If that binarizer claims what it
        should not, tell its authors.
        """
        _ = subject.scorer
        for sample in subject.samples:
            sources: list[object] = [sample.path]
            sources += [_renamed(subject, sample.path, f"chosen{e}") for e in ("", _wrong(subject))]
            sources += [] if sample.is_dir else [sample.data()]
            for source in sources:
                _is_chosen(subject, sample.name, source)
            if not sample.is_dir:
                with sample.path.open("rb") as stream:
                    _is_chosen(subject, sample.name, stream)
                    assert stream.tell() == 0

    def test_nothing_is_not_its_file(self, subject: Subject) -> None:
        """If this fails, ``score`` claims an empty file, a single byte, or noise.

        Check a mark of the format before anything else, and return ``None`` without it. Your
        extension alone is worth 0.3 at most, where the content has no mark at all::

            if not head.startswith(b"ACME"):
                return None
        """
        _ = subject.scorer
        noise = random.Random(0)  # noqa: S311 - the same bytes in every run
        sources = [b"", *(bytes([byte]) for byte in range(256))]
        sources += [noise.randbytes(size) for size in (*range(2, 130), 1000, 5000, 100_000)]
        sources += [bytes(size) for size in (8, 200, 5000)] + [b" \n" * 300, b"{}", b"[]", b"a,b\n"]
        for data in sources:
            said = f"{len(data)} bytes, {data[:8]!r}"
            _claims(subject, subject.ask(data), 0.0, said)
            by_name = subject.ask(Upload(data, "noise" + subject.extension))
            _claims(subject, by_name, BY_NAME, f"{said}, under its extension")

    def test_golden_files_of_other_formats_are_not_its(
        self, subject: Subject, request: pytest.FixtureRequest
    ) -> None:
        """If this fails, ``score`` claims files that other frameworks wrote, or fails over them.

        The message lists them; they are in ``mlup_testkit.golden.FILES``. A container that several
        formats share (a zip, HDF5) is not yours until you have found your own record in it. Only
        where your binarizer loads such a file and gives an equal object, say so:
        ``acceptable = {"pickle"}``, with the labels of the manifest.
        """
        _ = subject.scorer
        wrong = []
        foreign = subject.foreign()
        for row in foreign:
            found = subject.ask(row.file)
            if found.score or found.problem:
                wrong.append(f"{row.path} ({row.label}): {found.problem or found.score}")
        counts = {"binarizer": subject.name, "foreign": len(foreign), "claimed": len(wrong)}
        request.node.user_properties.append(("mlup_testkit", counts))
        assert not wrong, f"{len(wrong)} of {len(foreign)}:\n" + "\n".join(wrong[:20])

    def test_its_extension_does_not_make_other_files_its(self, subject: Subject) -> None:
        """If this fails, a file of another format is claimed because it has your extension.

        Add 0.05 for the extension to what the content is worth, and return ``None`` where the
        content is another's. Where the format has no mark in its content, 0.3 at most.
        """
        _ = subject.scorer
        wrong = []
        for row in subject.foreign():
            found = _ask_as(subject, row.file, f"{row.path.replace('/', '-')}{subject.extension}")
            if found.score > BY_NAME or found.problem:
                wrong.append(f"{row.path} ({row.label}): {found.problem or found.score}")
        assert not wrong, f"under {subject.extension}, {len(wrong)}:\n" + "\n".join(wrong[:20])

    def test_its_scores_are_in_the_scale(self, subject: Subject) -> None:
        """If this fails, ``score`` returns 1.0 or more, less than 0, or what is no number.

        0.99 is the most: content can always lie. Cut what you add up::

            return mlup.Score(min(0.99, confidence + 0.05), "ACME header, version 1")
        """
        _ = subject.scorer
        for sample in subject.samples:
            for name in (sample.name, "x" + subject.extension, "x"):
                found = _ask_as(subject, sample.path, name)
                assert found.problem is None, f"{sample.name} as {name!r}: {found.problem}"
                assert found.score < 1.0, f"{sample.name} as {name!r}: {found.score}"

    def test_its_scores_do_not_change(self, subject: Subject) -> None:
        """If this fails, ``score`` said two things of the same bytes.

        It must depend on nothing but its arguments: no counter, no clock, nothing that an earlier call left behind.
        """
        _ = subject.scorer
        sources: list[object] = [row.file for row in golden.rows()[::10]]
        sources += [sample.path for sample in subject.samples]
        for source in sources:
            answers = [subject.ask(source) for _ in range(3)]
            assert len(set(answers)) == 1, f"{source}: {answers}"

    def test_damaged_files_do_not_make_score_fail(self, subject: Subject) -> None:
        """If this fails, ``score`` raised over a file that breaks off, or that has wrong bytes in it.

        Everybody's files come by, so every number in them may be anything. ``struct.unpack`` of
        too few bytes, ``.decode()`` without ``errors=``, an index past the end: check before, or
        catch it and return ``None``.
        """
        _ = subject.scorer
        for sample in subject.samples:
            for path in sample.files():
                data = path.read_bytes()
                for damaged in (*truncations(data), *mutations(data)):
                    found = subject.ask(Upload(damaged, path.name))
                    assert found.problem is None, (
                        f"{path.name}, {len(data)} bytes, as {len(damaged)} bytes "
                        f"{damaged[:100]!r}: {found.problem}"
                    )


def _wrong(subject: Subject) -> str:
    return next(each for each in _WRONG if each not in subject.info.extensions)


def _renamed(subject: Subject, path: Path, name: str) -> Path:
    return under(path, subject.folder / "renamed" / str(subject.next_number()) / name)


def _ask_as(subject: Subject, path: Path, name: str) -> Answer:
    """Ask of a file under another name."""
    if path.is_dir():
        return subject.ask(_renamed(subject, path, name))
    return subject.ask(Upload(path.read_bytes(), name))


def _claims(subject: Subject, found: Answer, most: float, said: str) -> None:
    assert found.problem is None, f"{said}: {found.problem}"
    assert found.score <= most, f"{said}: {found.score:.2f}, expected {most or 'None'}"


def _is_chosen(subject: Subject, name: str, source: object) -> None:
    detection = mlup.detect(source)
    said = "\n".join(f"{c.score:.2f} {c.binarizer}: {c.reason}" for c in detection.candidates)
    how = f"{name} as {type(source).__name__} {getattr(source, 'name', '')!r}:\n{said or 'nobody'}"
    assert detection.best is not None, how
    assert detection.best.binarizer == subject.name, how
    assert not detection.tied, f"a tie: {how}"
