"""Does it give the model back: the tests of ``deserialize``."""

from __future__ import annotations

import reprlib

import pytest

import mlup
from mlup_testkit.author import Author
from mlup_testkit.samples import Sample, under
from mlup_testkit.subject import Subject

_NO_OPTION = "no_such_option_of_any_framework"
_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 120


class Loading(Author):
    """What ``deserialize`` returns, however the file comes."""

    def test_it_loads_what_was_written(self, subject: Subject) -> None:
        """If this fails, loading a file by its path does not give back the model that was written.

        An error is the framework's, chained below; or ``models()`` or ``write()`` is missing, or
        failed. If nothing is raised, ``same(model, loaded)`` returned something false: compare
        predictions, and return the result of the comparison. Numbers that the format rounds are
        close, not equal::

            def same(self, model, loaded):
                return math.isclose(loaded.predict(3), model.predict(3), rel_tol=1e-6)
        """
        for sample in subject.samples:
            _same(subject, sample, mlup.load(sample.path, subject.name), "by its path")

    def test_it_loads_bytes(self, subject: Subject) -> None:
        """If this fails, ``deserialize`` needs a file on disk, and was given bytes in memory.

        Do not use ``file.path``: it is ``None`` here. Take what your framework takes::

            with file.open() as stream: ...             # a binary stream
            with file.as_path(".acme") as path: ...     # a path, of a temporary file if need be
        """
        for sample in _files(subject):
            _same(subject, sample, mlup.load(sample.data(), subject.name), "from bytes")

    def test_it_loads_an_open_file(self, subject: Subject) -> None:
        """If this fails, ``deserialize`` cannot read an open file, or closed the caller's.

        ``file.open()`` and ``file.as_path()`` work for it too; the stream that ``file.open()``
        gives is the caller's own, so leave it open.
        """
        for sample in _files(subject):
            with sample.path.open("rb") as stream:
                loaded = mlup.load(stream, subject.name)
                assert not stream.closed, "the caller's file was closed"
            _same(subject, sample, loaded, "from an open file")

    def test_it_loads_under_any_name(self, subject: Subject) -> None:
        """If this fails, ``deserialize`` depends on the file's extension.

        Where your framework insists on one, ask for a path that ends in it::

            with file.as_path(".acme") as path:
                return acme.load(path)
        """
        for sample in subject.samples:
            for name in ("nameless", "other.bin"):
                path = under(
                    sample.path, subject.folder / "any" / str(subject.next_number()) / name
                )
                _same(subject, sample, mlup.load(path, subject.name), f"as {name!r}")

    def test_it_is_loaded_without_being_named(self, subject: Subject) -> None:
        """If this fails, ``mlup.load(path)`` does not give the model that ``write`` wrote.

        The error says who was chosen and why; ``mlup detect --all FILE`` shows all candidates.
        """
        _ = subject.scorer
        for sample in subject.samples:
            _same(subject, sample, mlup.load(sample.path), "without a binarizer's name")

    def test_unknown_options_are_refused(self, subject: Subject) -> None:
        """If this fails, an option that does not exist was taken and ignored.

        A user who misspells ``device`` must hear of it. List the options, and mlup refuses all
        others before your code is called; ``()`` where there are none::

            options = {"device": "where tensors are put, such as 'cpu'"}
        """
        sample = subject.samples[0]
        refused = (mlup.OptionError, mlup.ModelBinarizationError)
        with pytest.raises(refused, match=_NO_OPTION):
            mlup.load(sample.path, subject.name, options={_NO_OPTION: 1})


def _files(subject: Subject) -> list[Sample]:
    found = [each for each in subject.samples if not each.is_dir]
    return found or pytest.skip("its models are folders")


def _same(subject: Subject, sample: Sample, loaded: object, how: str) -> None:
    if not subject.same(sample, loaded):
        pytest.fail(
            f"{sample.name}, loaded {how}: same(model, loaded) is not true of\n"
            f"  {_shown(sample.model)}\n  {_shown(loaded)}\n"
            f"If numbers were rounded, compare them with math.isclose or numpy.allclose in same().",
            pytrace=False,
        )


def _shown(model: object) -> str:
    return f"{type(model).__name__}: {_SHORT.repr(model)}"
