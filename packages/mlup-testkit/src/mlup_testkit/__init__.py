"""Tests for binarizers: subclass :class:`BinarizerContract`, and inherit them.

``BinarizerContract``          the tests of one binarizer (see :mod:`mlup_testkit.contract`)
``mlup_testkit.golden``        labelled files of many formats, written by the frameworks
``python -m mlup_testkit``     which installed binarizer is chosen for which of them

pytest finds the package by itself once it is installed. Nothing of it is imported before a test
asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlup_testkit.contract import BinarizerContract

__version__ = "0.1.0"

__all__ = ["BinarizerContract", "__version__"]


def __getattr__(name: str) -> Any:
    if name != "BinarizerContract":
        raise AttributeError(f"module 'mlup_testkit' has no attribute {name!r}")
    from mlup_testkit.contract import BinarizerContract

    return BinarizerContract
