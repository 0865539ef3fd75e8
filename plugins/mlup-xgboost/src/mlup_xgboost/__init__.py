"""XGBoost models in JSON and UBJSON, as ``Booster.save_model`` writes them."""

from __future__ import annotations

import os
from typing import Any, Final

import mlup

__version__ = "0.1.0"

extensions: Final = (".ubj", ".json", ".xgb", ".model", ".bst", ".deprecated")
requires: Final = ("xgboost",)
options: Final[dict[str, str]] = {
    "nthread": "threads that the booster uses; XGBoost takes all without it",
}
safe_list: Final = ()  # a model names nothing to import


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """0.95 for a whole model in JSON or UBJSON: a learner, not of a configuration, and its version last.

    With its names in another order than XGBoost's: 0.95 where it is read whole (up to 256 KiB),
    0.8 above. 0.9 for the old binary form, by its parameters and names; XGBoost 3.1 and later do
    not load it. The extension adds 0.05, up to 0.99. A truncated document is nobody's.
    """
    if head[:1] not in _FIRST and head[36:100].strip(b"\0"):
        return None
    from mlup_xgboost.recognising import look  # its patterns cost a fresh process time

    found = look(path, head, tail)
    if found is None:
        return None
    named = str(path).lower().endswith(extensions)
    return mlup.Score(min(0.99, round(found.confidence + 0.05 * named, 2)), found.said)


_FIRST: Final = (b"{", b"b", b" ", b"\n", b"\r", b"\t")


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """An ``xgboost.Booster``, once its trees are known to lead somewhere.

    Also of a file that an estimator such as ``XGBClassifier`` saved. XGBoost's parser and its predictions trust the file: over a name that is missing or a child that
    is none they end the process, or never return. The file is read once; what was checked is what
    XGBoost is given. Its name plays no part: XGBoost itself chooses the form by the extension.

    Raises:
        UnsafeModelError: it is whole, but not as XGBoost writes it; ``trust`` loads it all the same.
        ModelBinarizationError: it is no whole model, or XGBoost cannot load it.
    """
    import xgboost

    from mlup_safepickle.checks.xgboost.learner import reader_of
    from mlup_safepickle.checks.xgboost.values import (
        DamagedError,
        HostileError,
        IncompatibleError,
    )

    params = _params(file)
    with file.open() as stream:
        data = bytearray(stream.read())
    data = _stripped(data)
    reader = reader_of(xgboost.__version__)
    try:
        _check(data, file, reader)
        booster = xgboost.Booster(params)
        booster.load_model(data)
    except HostileError as error:
        if file.trust:  # of the document itself, which trust does not make readable
            raise mlup.ModelBinarizationError(
                f"{file.label} was not loaded by xgboost: {error}."
            ) from error
        raise mlup.UnsafeModelError(
            f"{error}; XGBoost may end the process over such a model, or read past its end",
            path=file.label,
            binarizer="xgboost",
            hint="Get the file again, or save the model again with Booster.save_model(). "
            "trust=True (CLI: --trust) gives it to XGBoost all the same.",
        ) from error
    except IncompatibleError as error:
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by xgboost: {error}."
        ) from error
    except DamagedError as error:
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by xgboost: {error}. It is no XGBoost model, or not a "
            "whole one; get the file again, or save the model again with Booster.save_model()."
        ) from error
    except UnicodeDecodeError as error:  # XGBoost quotes the file in its message, cut anywhere
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by xgboost: XGBoost {xgboost.__version__} does not read "
            "it; get the file again, or save the model again with Booster.save_model()."
        ) from error
    return booster


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """What the document is, and whether it is whole; its trees are checked when it is loaded.

    A model imports and runs nothing.
    """
    from mlup_safepickle.checks.xgboost import learner
    from mlup_safepickle.checks.xgboost.values import DamagedError, HostileError, length
    from mlup_xgboost import binary

    with file.open() as stream:
        data = _stripped(bytearray(stream.read()))
    said = binary.described(bytes(data[: binary.NEEDED * 4 // 3 + 8]))
    if said is not None:
        return mlup.Report(notes=(f"{said}: it would be refused without trust",))
    try:
        found = learner.learner_of(_read(data))
    except (DamagedError, HostileError) as error:
        return mlup.Report(notes=(f"it would be refused: {error}",), stopped=str(error))
    booster = found.get("gradient_booster")
    booster = booster.get("gbtree", booster) if type(booster) is dict else {}
    model = booster.get("model")
    trees = max(length(model.get("trees")), 0) if type(model) is dict else 0
    return mlup.Report(notes=(f"a model of {trees} trees, which are checked when it is loaded",))


def _check(data: bytearray, file: mlup.LoadedFile, reader: tuple[int, int]) -> None:
    from mlup_safepickle.checks.xgboost import learner
    from mlup_safepickle.checks.xgboost.values import HostileError, IncompatibleError
    from mlup_xgboost import binary

    if binary.begins(data[:4]) or binary.described(bytes(data[: binary.NEEDED])) is not None:
        if reader >= binary.READABLE_BEFORE:
            raise IncompatibleError(
                "it has XGBoost's old binary form, which XGBoost reads no more since 3.1. Load it "
                'once with xgboost<3.1 and save it again: booster.save_model("model.ubj")'
            )
        if not file.trust:
            raise HostileError("it has XGBoost's old binary form, which cannot be checked")
        return
    document = _read(data)
    try:
        learner.check(document, reader)
    except HostileError:
        if not file.trust:
            raise


def _read(data: bytearray) -> dict[str, Any]:
    from mlup_safepickle.checks.xgboost import jsontext, ubjson

    return ubjson.read(data) if data[:2] == b"{L" else jsontext.read(data)


def _stripped(data: bytearray) -> bytearray:
    """Without blanks in front, with which XGBoost reads no JSON."""
    return data.lstrip(b" \t\r\n") if data[:1].isspace() else data


def _params(file: mlup.LoadedFile) -> dict[str, int] | None:
    threads = file.options.get("nthread")
    if threads is None:
        return None
    if type(threads) is not int or not 0 <= threads <= (os.cpu_count() or 1) * 64:
        raise mlup.OptionError(f"nthread={threads!r}: expected a number of threads, 0 for all.")
    return {"nthread": threads}
