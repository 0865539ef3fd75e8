"""What the author of a plugin fills in: :class:`Author`, the open part of the contract's class."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import mlup
from mlup_testkit.explaining import Elsewhere
from mlup_testkit.subject import Subject, undisturbed

SUBJECTS = pytest.StashKey[dict[type, Subject]]()


class Author:
    """What only the author knows: the name, how a file is written, when two models are equal."""

    binarizer: str = ""
    """The entry point's name."""

    acceptable: Collection[str] = frozenset()
    """Labels of golden files of other formats that it may claim too."""

    def models(self) -> Mapping[str, Any]:
        """File name -> a model; one or more, small ones, not all alike."""
        pytest.fail(
            f"Say in {type(self).__name__} which models the samples are made of: "
            'def models(self): return {"line.acme": Line(2, 1)}',
            pytrace=False,
        )

    def write(self, model: Any, path: Path) -> None:
        """Write a model to ``path`` with the framework's own writer. It may make a folder there."""
        pytest.fail(
            f"Say in {type(self).__name__} how a model is written: "
            "def write(self, model, path): acme.save(model, path)",
            pytrace=False,
        )

    def same(self, model: Any, loaded: Any) -> bool:
        """Whether what was loaded is as good as what was written; predictions tell it best."""
        return bool(model == loaded)

    def hostile(self, marker: Path) -> Mapping[str, bytes]:
        """File name -> bytes of a file that would create ``marker`` if what is in it ran.

        The kit makes its own; these are for what only your format has.
        """
        return {}

    @pytest.fixture
    def subject(
        self,
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Subject]:
        """The binarizer under contract. All installed plugins are heard meanwhile."""
        disturbed = undisturbed(monkeypatch)
        if disturbed:
            mlup.refresh()
        subjects = request.session.stash.setdefault(SUBJECTS, {})
        found = subjects.get(type(self))
        if found is None:
            folder = tmp_path_factory.mktemp("contract")
            found = subjects[type(self)] = Subject(self, folder)
        found.elsewhere = Elsewhere.than(request)
        yield found
        if disturbed:
            monkeypatch.undo()
            mlup.refresh()
