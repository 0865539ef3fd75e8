"""One cause, one failure: the tests that explain what makes others impossible."""

from __future__ import annotations

from inspect import getattr_static
from typing import Final, NoReturn

import pytest

IS_INSTALLED: Final = "test_it_is_installed"
LISTS_REQUIRED: Final = "test_it_lists_what_it_requires"
IS_WRITTEN: Final = "test_it_loads_what_was_written"


class Elsewhere:
    """Which of the tests that explain are run beside the one that runs now."""

    def __init__(self, tests: frozenset[str] = frozenset()) -> None:
        self._tests = tests

    @classmethod
    def than(cls, request: pytest.FixtureRequest) -> Elsewhere:
        """Those of the same class that take part in this run as the kit wrote them."""
        from mlup_testkit.contract import BinarizerContract

        asking = request.node
        beside = {each.name for each in request.session.items if _class_of(each) is request.cls}
        return cls(
            frozenset(
                name
                for name in (IS_INSTALLED, LISTS_REQUIRED, IS_WRITTEN)
                if name in beside - {asking.name}
                and getattr_static(request.cls, name) is getattr_static(BinarizerContract, name)
            )
        )

    def skip(self, test: str) -> None:
        """Skip the test that runs now where another one of the run fails of the same."""
        if test in self._tests:
            pytest.skip(f"see {test}")

    def fail(self, test: str, said: str) -> NoReturn:
        """The same, and fail with what is to be said where none does."""
        self.skip(test)
        pytest.fail(said, pytrace=False)


def _class_of(item: pytest.Item) -> type | None:
    return getattr(item, "cls", None)
