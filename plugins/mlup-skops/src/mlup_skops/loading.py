"""From a file to what ``skops.io.dump`` was given."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

import mlup
from mlup_safepickle import Refused
from mlup_safepickle.importing import defined, package_of, packages_of
from mlup_skops.members import BombError, SchemaError
from mlup_skops.schema import Name, Schema, read

_SHOWN: Final = 12
_FOLLOWED: Final = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""Types that skops since 0.15 does not trust for what they hold, not for what they run."""


def load(file: mlup.LoadedFile) -> Any:
    """What was saved.

    Raises:
        UnsafeModelError: it names what skops does not trust and the caller does not allow, or grows
            beyond what its size accounts for.
        ModelBinarizationError: its schema is none.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    with file.open() as stream:
        if file.trust:
            allowed = _untrusted(stream)
        else:
            allowed = _allowed(_schema(stream, file).names, file)
        stream.seek(0)
        try:
            return skops.io.load(stream, trusted=sorted(allowed))
        except UntrustedTypesFoundException as error:
            raise _refusal(_untrusted(stream) - allowed, file) from error


def _untrusted(stream: BinaryIO) -> set[str]:
    import skops.io

    stream.seek(0)
    return set(skops.io.get_untrusted_types(file=stream))


def _schema(stream: BinaryIO, file: mlup.LoadedFile) -> Schema:
    try:
        return read(stream)
    except BombError as error:
        raise mlup.UnsafeModelError(str(error), path=file.label, binarizer="skops") from error
    except (SchemaError, RecursionError, zipfile.BadZipFile, KeyError) as error:
        said = error.args[0] if isinstance(error, KeyError) else error
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by skops: {said}. It is no skops file, or a damaged one; "
            "get it again, or save the model again with skops.io.dump()."
        ) from error


def _allowed(names: Iterable[Name], file: mlup.LoadedFile) -> set[str]:
    """What the caller allows: exact names, and what the caller's own packages define."""
    allowed = {each for each in file.allow if not each.endswith(".*")}
    packages = packages_of(file.allow)
    for each in names:
        package = package_of(packages, each.module, each.name)
        if package is None or each.trusted:
            continue
        try:
            defined(each.module, each.name, package)
        except Refused:
            continue
        allowed.add(str(each))
    return allowed


def _refusal(names: set[str], file: mlup.LoadedFile) -> mlup.UnsafeModelError:
    refused = sorted(names)
    some = ", ".join(refused[:_SHOWN]) + (", …" if len(refused) > _SHOWN else "")
    said = f"it holds {some}, which skops does not trust by default"
    if not names.isdisjoint(_FOLLOWED):
        said += (
            " (scikit-learn follows the numbers in a tree without a look: one that was tampered with "
            "ends the process when it predicts)"
        )
    return mlup.UnsafeModelError(said, path=file.label, binarizer="skops", refused=refused)
