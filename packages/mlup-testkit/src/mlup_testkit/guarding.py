"""Is the contract whole: no test was removed, or replaced without a reason."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any

from mlup_testkit.author import Author

GUARD = "test_no_test_was_removed_or_replaced"
OPEN = frozenset(("binarizer", "acceptable", "models", "write", "same", "hostile"))
"""What the author fills in. Everything else of the contract stays as it is."""


class Guarding(Author):
    """The contract looks after itself."""

    def test_no_test_was_removed_or_replaced(self) -> None:
        """If this fails, an inherited test was removed, or overridden without saying why.

        A test that cannot hold for your format is overridden so, and stays visible::

            @pytest.mark.xfail(reason="the format has no mark in its content")
            def test_it_is_sure_of_its_own_files(self, subject):
                super().test_it_is_sure_of_its_own_files(subject)
        """
        wrong = changes(type(self))
        assert not wrong, "; ".join(wrong)


def changes(found: type) -> list[str]:
    """What a subclass of the contract changes that it must not."""
    contract = _contract_of(found)
    if contract is None:
        return []
    wrong = []
    for name in dir(contract):
        if name in OPEN or (name.startswith("__") and name.endswith("__")):
            continue
        ours, theirs = getattr_static(contract, name), getattr_static(found, name, None)
        if theirs is ours:
            continue
        if not name.startswith("test_"):
            wrong.append(f"{name} is the kit's own and was replaced")
        elif not callable(theirs):
            wrong.append(f"{name} was removed")
        elif name == GUARD:
            wrong.append(f"{name} was overridden, and is what looks after the others")
        elif not _explained(theirs):
            wrong.append(f'{name} was overridden without @pytest.mark.xfail(reason="...")')
    return wrong


def _contract_of(found: type) -> type | None:
    from mlup_testkit.contract import BinarizerContract

    is_contract = issubclass(found, BinarizerContract) and found is not BinarizerContract
    return BinarizerContract if is_contract else None


def _explained(test: Any) -> bool:
    marks = getattr(test, "pytestmark", ())
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
