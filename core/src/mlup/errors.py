"""Every failure of mlup is one of these, rooted at :class:`MLupError`.

A message says what was tried, what was seen and what to do next; the cause is chained
(``error.__cause__``). The names of the predecessor, pymlup, are all here and mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from mlup.showing import shown

LONGEST_ERROR: Final = 2000
"""Characters of another library's message that are quoted, at most."""


def described(error: BaseException) -> str:
    """``Type: message``; the type alone where there is no message, or none that can be had."""
    try:
        said = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a plugin's exception, a plugin's __str__
        said = "(its message cannot be printed)"
    # A framework's message may quote the file: what it holds must not reach a terminal as it is,
    # nor in its full length. The chained error has the whole.
    said = "\n".join(map(shown, said[:LONGEST_ERROR].split("\n"))) + (
        " …" if len(said) > LONGEST_ERROR else ""
    )
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class MLupError(Exception):
    """The root: ``except mlup.MLupError`` catches whatever mlup raises on purpose."""


class ConfigError(MLupError):
    """A configuration cannot be read, understood or saved. Nothing was written."""


class PluginError(MLupError):
    """An installed plugin is broken, and ``MLUP_STRICT_PLUGINS=1`` asked to hear of it."""


class ProbeError(MLupError):
    """A bounded read was refused: past the budget, past a limit, or after the source was closed."""


class LoadError(MLupError):
    """Something could not be loaded."""


class WebAppLoadError(LoadError):
    """The predecessor's name for a web application that did not start. mlup never raises it."""


class ModelLoadError(LoadError):
    """A model was not loaded. Every reason for it is a subclass of this."""


class SourceError(ModelLoadError):
    """The source cannot be read: missing, forbidden, not a file, closed, or opened as text."""


class UnknownModelError(ModelLoadError):
    """No installed binarizer recognised the source.

    Attributes:
        path: what was looked at, as text.
        verdict: what the bytes are when they are no model, or ``None``.
    """

    def __init__(self, message: str, *, path: str = "", verdict: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.verdict = verdict


class AmbiguousModelError(ModelLoadError):
    """Several binarizers are equally sure, so none was chosen.

    Attributes:
        path: what was looked at, as text.
        candidates: the contenders (:class:`mlup.ranking.Candidate`), by name.
    """

    def __init__(self, message: str, *, path: str = "", candidates: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.candidates = tuple(candidates)


class BinarizerNotFoundError(ModelLoadError):
    """The binarizer that was asked for is not installed, is broken, or cannot be imported."""


class OptionError(ModelLoadError):
    """An option that the chosen binarizer does not understand."""


class ModelBinarizationError(ModelLoadError):
    """The chosen binarizer could not turn the bytes into a model; the framework's error is chained."""


_NAMES_IN_HINT: Final = 12
_LONGEST_NAME: Final = 200
_NAME: Final = re.compile(r"[^\W\d][\w.:/-]*|\.{0,2}/?[\w][\w./-]*", re.ASCII)


class UnsafeModelError(ModelLoadError):
    """A model was not loaded because of what its file names or holds. Nothing of it was run.

    Attributes:
        path: what was to be loaded, as text.
        binarizer: by which binarizer.
        refused: the names that ``allow`` would have to hold; empty where no name helps.
        hint: how to load it all the same.
    """

    def __init__(
        self,
        said: str,
        *,
        path: str = "",
        binarizer: str = "",
        refused: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        """Put the message together.

        Args:
            said: why, as the rest of "It was not loaded: …", without a full stop.
            path: what was to be loaded (:attr:`mlup.LoadedFile.label`).
            binarizer: the binarizer's name.
            refused: the names that would have to be allowed, as ``allow`` takes them.
            hint: what to do; by default how to allow these names, or to trust the file.
        """
        self.path = path
        self.binarizer = binarizer
        self.refused = tuple(refused)
        self.hint = _how_to_allow(self.refused) if hint is None else hint
        # Without a path it is a message that stands already: an exception comes out of a pickle so.
        why = shown(said, LONGEST_ERROR)  # it quotes the file
        message = f"{path} ({binarizer}) was not loaded: {why}.\n{self.hint}" if path else said
        super().__init__(message)


def _how_to_allow(names: tuple[str, ...]) -> str:
    hint = "If you trust the file: trust=True (CLI: --trust)."
    if not names:
        return hint
    # The file chose these, and people copy this line into a program or a shell.
    if not all(len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) for name in names):
        return f"{hint} Its names are none that should be copied from here."
    which = "this name" if len(names) == 1 else f"these {len(names)} names"
    if len(names) > _NAMES_IN_HINT:
        return f"{hint} To accept just {which}: allow=error.refused; mlup inspect lists them."
    quoted = ", ".join(f'"{name}"' for name in names)
    flags = " ".join(f"--allow {name}" for name in names)
    said = f"{hint} To accept just {which}: allow=[{quoted}] ({flags})."
    if len(names) > 1:
        said += ' What your own package defines: allow=["my_package.*"].'
    return said


class PredictError(MLupError):
    """A prediction failed before the model saw it: ``predict`` of the ONNX binarizers raises it."""

    http_status: int = 500
    type: str = "predict_error"


class _PredictionError(PredictError):
    """A message and the prediction it is about."""

    def __init__(
        self,
        msg: str,
        predict_id: str,
        http_status: int | None = None,
        type: str | None = None,
    ) -> None:
        super().__init__(msg)
        self.msg = msg
        self.predict_id = predict_id
        self.http_status = self.http_status if http_status is None else http_status
        self.type = self.type if type is None else type


class PredictWaitResultError(_PredictionError):
    """The predecessor's time-out while waiting for a prediction. mlup never raises it."""

    http_status = 408
    type = "predict_wait_result_error"


class PredictTransformDataError(PredictError):
    """The data of a prediction do not convert to what the model takes."""

    type: str = "predict_transform_data_error"


class PredictValidationInnerDataError(_PredictionError):
    """The predecessor's refusal of the data of a prediction. mlup never raises it."""

    http_status = 422
    type = "validation_error"
