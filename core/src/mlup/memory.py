"""Returns an object that is already in memory; only when asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlup.errors import ModelBinarizationError
from mlup.hookspecs import hookimpl

if TYPE_CHECKING:
    from mlup.files import LoadedFile

extensions: Final = ()
requires: Final = ()
options: Final[dict[str, str]] = {}
safe_list: Final = ()


@hookimpl
def deserialize(file: LoadedFile) -> object:
    """The object itself, as it was given.

    Raises:
        ModelBinarizationError: the source is a path, so that nothing is in memory yet.
    """
    if file.path is not None and isinstance(file.raw_data, bytes) and not file.raw_data:
        raise ModelBinarizationError(
            f"binarizer='memory' returns an object that is already in memory, and {file.path} is a "
            "path; use binarizer='auto' to load it."
        )
    return file.raw_data
