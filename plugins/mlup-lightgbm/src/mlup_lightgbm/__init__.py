"""LightGBM text models, as ``Booster.save_model`` writes them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any, Final

import mlup

__version__ = "0.1.0"

extensions: Final = (".txt", ".lgb", ".lgbm", ".model")
requires: Final = ("lightgbm",)
options: Final = {
    "params": "a mapping of LightGBM's parameters; LightGBM 4 takes them from the model and ignores these",
}
safe_list: Final[tuple[str, ...]] = ()  # a text model holds numbers, and names nothing that is run

_FIRST: Final = (b"tree\nversion=v", b"tree\r\nversion=v", b"tree\nnum_c", b"tree\r\nnum_c")
_OPENINGS: Final = _FIRST + tuple(b"\xef\xbb\xbf" + first for first in _FIRST)


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """A whole text model, with a header, the last tree where the header says, and an end: 0.95.

    0.9 where that tree cannot be looked up (Windows line ends; files of LightGBM before 2.0.12; a
    header of half a megabyte), 0.8 where the last line is too long as well. The extension
    adds 0.05, up to 0.99. Not recognised: a truncated file, for which LightGBM gives half a model,
    or ends the process.
    """
    if not head.startswith(_OPENINGS):
        return None
    from mlup_lightgbm.text import (
        text_model,
    )  # its patterns cost a fresh process half a millisecond

    model = text_model(path)
    if model is None:
        return None
    confidence = 0.8
    if model.ends:
        confidence = 0.95 if model.measured else 0.9
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, round(confidence + 0.05, 2))
    return mlup.Score(confidence, model.described())


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The ``lightgbm.Booster``, once its text is known to be one that LightGBM writes.

    LightGBM's parser and its predictions trust the text: over a number too few, a child that is
    none or a zero byte they end the process, write where they should not, or never return. The
    text is read once; what was checked is what LightGBM is given.

    With ``trust`` LightGBM reads the file, and only the text's structure is looked at before.
    """
    import lightgbm

    from mlup_lightgbm.header import HostileTextError
    from mlup_lightgbm.text import IncompleteTextError
    from mlup_lightgbm.validation import normal, validate

    params = _params(file)
    try:
        if file.trust:
            return _trusted(file, params)
        with file.open() as stream:
            data = normal(stream.read())
        validate(data)
        text = data.decode()
        del data  # LightGBM's package makes a copy of its own
        return lightgbm.Booster(params=params, model_str=text)
    except HostileTextError as error:
        raise mlup.UnsafeModelError(
            f"{error}; LightGBM may end the process over such a text, or read past its end",
            path=file.label,
            binarizer="lightgbm",
            hint="Get the file again, or save the model again with Booster.save_model(). "
            "trust=True (CLI: --trust) gives it to LightGBM all the same.",
        ) from error
    except (IncompleteTextError, UnicodeDecodeError) as error:
        raise mlup.ModelBinarizationError(_refused(file, error)) from error


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """What is wrong with the text, all but the numbers in its trees, and how many trees it has.

    A text model imports and runs nothing; the numbers are checked when it is loaded.
    """
    from mlup_lightgbm.header import HostileTextError
    from mlup_lightgbm.text import IncompleteTextError
    from mlup_lightgbm.validation import normal, validate_outside_trees

    with file.open() as stream:
        data = normal(stream.read())
    try:
        trees = validate_outside_trees(data).trees
    except (HostileTextError, IncompleteTextError, UnicodeDecodeError) as error:
        return mlup.Report(notes=(f"it would be refused: {error}",), stopped=str(error))
    return mlup.Report(
        notes=(f"text of {trees} trees; the numbers in them are checked when it is loaded",)
    )


def _trusted(file: mlup.LoadedFile, params: dict[str, Any] | None) -> object:
    import lightgbm

    from mlup_lightgbm.text import check
    from mlup_lightgbm.validation import normal

    path = file.on_disk
    if path is not None and _native(path):
        with file.open() as stream:
            model = check(stream)
        if model.native:
            return lightgbm.Booster(params=params, model_file=path)
    with file.open() as stream:
        data = normal(stream.read())
    check(io.BytesIO(data))
    return lightgbm.Booster(params=params, model_str=data.decode())


def _params(file: mlup.LoadedFile) -> dict[str, Any] | None:
    params = file.options.get("params")
    if params is None:
        return None
    if isinstance(params, Mapping) and all(isinstance(name, str) for name in params):
        return dict(params)
    raise mlup.OptionError(
        f"params={params!r}: expected a mapping of LightGBM's parameters. Best leave it out: "
        "LightGBM 4 and later take them from the model and ignore these."
    )


def _native(path: str) -> bool:
    """Whether LightGBM opens a file of this name: it hands the name in UTF-8 to ``fopen``."""
    if os.name == "nt":
        return path.isascii()
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is no UTF-8
        return False
    return True


def _refused(file: mlup.LoadedFile, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        said = f"its text is not UTF-8 ({error}); write it again in UTF-8, with names that are"
    else:
        said = (
            f"{error}. It is no LightGBM text model, or not a whole one, on which LightGBM may end "
            "the process; get the file again, or save the model again with Booster.save_model()"
        )
    return f"{file.label} was not loaded by lightgbm: {said}."
