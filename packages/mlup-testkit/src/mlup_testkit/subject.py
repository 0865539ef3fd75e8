"""The binarizer under contract, with its samples: :class:`Subject`."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import pytest

import mlup
from mlup import ModelPath, PluginInfo, ranking, registry
from mlup.files import BUDGET
from mlup.ranking import Scorer
from mlup_testkit import golden
from mlup_testkit.explaining import IS_INSTALLED, IS_WRITTEN, LISTS_REQUIRED, Elsewhere
from mlup_testkit.samples import Sample

if TYPE_CHECKING:
    from mlup_testkit.author import Author

T = TypeVar("T")


class Answer(NamedTuple):
    """What the binarizer's ``score`` said of a source.

    Attributes:
        score: 0.0 where it said ``None``.
        problem: what is wrong with how it answered, or ``None``.
        read: bytes that it read beyond the first and the last hundred.
    """

    score: float
    problem: str | None
    read: int


class Subject:
    """The binarizer under contract. One of these serves all tests of a class."""

    def __init__(self, author: Author, folder: Path) -> None:
        self._author = author
        self.folder = folder
        self.name = author.binarizer
        self.acceptable = frozenset(author.acceptable)
        self.elsewhere = Elsewhere()
        self._unwritten = False
        self._reports: dict[str, Any] = {}
        self._numbers = itertools.count(1)

    @property
    def info(self) -> PluginInfo:
        """Its line in ``mlup plugins``."""
        found = [each for each in mlup.plugins() if each.name == self.name]
        if found:
            return found[0]
        names = ", ".join(sorted({each.name for each in mlup.plugins()}))
        if not self.name:
            said = f'Set binarizer = "…" in {type(self._author).__name__}: the name of your entry point.'
        else:
            said = (
                f"No installed distribution has an entry point {self.name!r} in the group "
                f"mlup.binarizers. Install yours again (pip install -e .) after you changed its "
                f"pyproject.toml."
            )
        return self.elsewhere.fail(IS_INSTALLED, f"{said} Installed are: {names}.")

    @property
    def plugin(self) -> Any:
        """The module, or whatever else the entry point names.

        Fails the test where it cannot be used.
        """
        info = self.info
        if info.status not in ("ok", "unavailable"):
            self.elsewhere.fail(IS_INSTALLED, f"{self.name} is {info.status}: {info.problem}")
        return self._binarizer.target

    @property
    def _binarizer(self) -> registry.Binarizer:
        found = registry.current().get(self.name)
        assert found is not None, f"{self.name} is no binarizer: it surrounds the loads of others"
        return found

    def hook(self, name: str) -> Any:
        """The function that implements a hook, or ``None``."""
        _ = self.plugin
        found = self._binarizer
        hook = getattr(registry.current().hooks_of(found), name)
        own = [each for each in hook.get_hookimpls() if each.plugin is found.plugin]
        return own[0].function if own else None

    @property
    def scorer(self) -> Scorer:
        """Its voice in a detection; the test is skipped where it only loads."""
        for each in registry.current().scorers:
            if each.binarizer == self.name:
                return each
        _ = self.plugin  # fails the test where it cannot be used
        return pytest.skip(f"{self.name} has no score(): it loads only when it is asked for")

    def ask(self, source: object) -> Answer:
        """What its ``score`` says of a path, bytes, an open file or a ``LoadedFile``."""
        scorer = self.scorer
        with ModelPath.of(source) as path:
            candidates, problems = ranking.rank(path, (scorer,))
            read = BUDGET - path.left
        score = candidates[0].score if candidates else 0.0
        failed = [str(each) for each in problems if each.error]  # others are merely slow
        return Answer(score, failed[0] if failed else None, read)

    def needs_framework(self) -> None:
        """Skip the test where what the binarizer requires is not installed."""
        info = self.info
        if info.status == "unavailable":
            pytest.skip(f"{self.name}: {info.problem}; see {LISTS_REQUIRED}")

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What the author's ``write`` made of the author's ``models``.

        What they raise is told by one test; the others are skipped then.
        """
        _ = self.plugin
        self.needs_framework()
        if self._unwritten:
            self.elsewhere.skip(IS_WRITTEN)
        try:
            return self.remember("samples", self._written)
        except (Exception, pytest.fail.Exception):  # the author's, and the author's to see
            self._unwritten = True
            self.elsewhere.skip(IS_WRITTEN)
            raise

    def _written(self) -> tuple[Sample, ...]:
        models = self._author.models()
        if not models:
            pytest.fail(
                "models() gave nothing: a file name and a model, one or more.", pytrace=False
            )
        folder = self.folder / "samples"
        shutil.rmtree(folder, ignore_errors=True)  # of a write() that failed, for another test
        folder.mkdir()
        found = []
        for name, model in models.items():
            path = folder / name
            assert path.parent == folder, f"models(): {name!r} is no file name"
            self._author.write(model, path)
            if not path.exists():
                said = f"write() left nothing at {name!r}: write the model to `path`."
                pytest.fail(said, pytrace=False)
            found.append(Sample(name, model, path))
        return tuple(found)

    @property
    def extension(self) -> str:
        """One of its extensions, or one that nobody has."""
        return (*self.info.extensions, ".own")[0]

    def same(self, sample: Sample, loaded: Any) -> bool:
        """Whether the author takes a loaded model for the one that was written."""
        try:
            return bool(self._author.same(sample.model, loaded))
        except Exception as error:  # numpy, pandas, polars and torch have a type each, and one word
            if "ambiguous" not in str(error):
                raise
            kind = f"{type(sample.model).__module__}.{type(sample.model).__qualname__}"
            return pytest.fail(
                f"model == loaded is no yes or no ({kind.removeprefix('builtins.')}): override "
                f"same(), for example with numpy.allclose(model, loaded)",
                pytrace=False,
            )

    @property
    def gives_hostile(self) -> bool:
        """Whether the author has hostile files of the format's own."""
        from mlup_testkit.author import Author

        return type(self._author).hostile is not Author.hostile

    def hostile(self, marker: Path) -> dict[str, bytes]:
        """The author's own hostile files."""
        return dict(self._author.hostile(marker))

    def foreign(self) -> list[golden.Row]:
        """The golden files that are not its own."""
        own = {self.name, *self.acceptable}
        return [
            row for row in golden.rows() if row.label not in own and self.name not in row.acceptable
        ]

    def next_number(self) -> int:
        """For names in :attr:`folder` that must not be there yet."""
        return next(self._numbers)

    def remember(self, key: str, make: Callable[[], T]) -> T:
        """What ``make()`` returned the first time."""
        if key not in self._reports:
            self._reports[key] = make()
        return cast(T, self._reports[key])

    @property
    def own_modules(self) -> str:
        """The module whose code, with what is below it, is the plugin's own.

        It is the whole package of a distribution that requires mlup, and no more than the entry
        point's module where a framework ships its plugin itself.
        """
        module = self.info.entry_point.partition(":")[0].strip()
        required = metadata.requires(self.info.distribution) or ()
        return (
            module.partition(".")[0]
            if any(each.startswith("mlup") for each in required)
            else module
        )


def undisturbed(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let every installed plugin take part, whatever the environment says; whether it said any."""
    said = [name for name in os.environ if name.startswith("MLUP_")]
    for name in said:
        monkeypatch.delenv(name)
    return bool(said)
