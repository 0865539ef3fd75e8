"""scikit-learn models saved by skops."""

from __future__ import annotations

from typing import Final

import mlup

__version__ = "0.1.0"

extensions: Final = (".skops",)
requires: Final = ("skops",)
options: Final[dict[str, str]] = {}

_ZIP: Final = b"PK\x03\x04"


def safe_list() -> frozenset[str]:
    """The names that skops trusts by default, as of the versions in ``trusted.json``."""
    from mlup_skops.trusted import names

    return names()


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """0.95 for a zip of ``schema.json`` and arrays, whose schema begins as skops writes it.

    0.9 where the schema is packed by bzip2 or LZMA, so that its beginning is not seen. The extension
    adds 0.05, up to 0.99. A truncated file is nobody's.
    """
    if not head.startswith(_ZIP):
        return None
    from mlup_skops.archive import archive  # a fresh process mostly sees other files

    found = archive(path)
    if found is None:
        return None
    confidence = 0.95 if found.seen else 0.9
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, round(confidence + 0.05, 2))
    return mlup.Score(confidence, found.reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """What was saved, by ``skops.io.load``, with skops' own check of types in force.

    Types that skops does not trust by default are refused by the names that ``allow`` takes; with
    ``trust`` the file has all types that it names.
    """
    from mlup_skops.loading import load

    return load(file)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The types and functions that its schema names, judged by skops' list of trusted ones.

    The list is a copy (``trusted.json``), since skops itself imports scikit-learn.
    """
    from mlup_skops.inspecting import inspect

    return inspect(file)
