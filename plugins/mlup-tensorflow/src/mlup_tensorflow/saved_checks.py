"""The decision over a SavedModel: which of its operations are refused, and where its files are."""

from __future__ import annotations

import re
from typing import Final

import mlup
from mlup_tensorflow.graph_checks import outside_assets, used
from mlup_tensorflow.graphs import Message, NotAMessageError
from mlup_tensorflow.links import leads_out
from mlup_tensorflow.saved_files import ASSETS, TEXT, VARIABLES
from mlup_tensorflow.saved_refusals import POINTER, UNREADABLE, is_pointer

_SHOWN: Final = 8  # operations
_NAME: Final = re.compile(r"[\w.>/-]{1,200}", re.ASCII)


def checked(file: mlup.LoadedFile, data: bytes, name: str, home: str) -> bytes:
    """A SavedModel in its binary form that may be loaded.

    Args:
        file: as the caller gave it.
        data: the message, binary or as text.
        name: that of its format.
        home: the folder with its variables and assets.

    Raises:
        UnsafeModelError: it holds operations that are refused, or files that are not its own.
        ModelBinarizationError: it is no SavedModel message.
    """
    try:
        if name == TEXT and not is_pointer(data):
            data = _binary(data)
        message = Message(data)
        wrong = [each for each in used(message) if each.wrong and not file.allows(each.name)]
        outside = outside_assets(message)
    except Exception as error:  # protobuf's text format has its own
        said = POINTER if is_pointer(data) else f"{UNREADABLE}{_more(error)}"
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by tensorflow-saved: it is {said}"
        ) from error
    if wrong:
        shown = [f"{_shown(each.name)} ({each.wrong})" for each in wrong[:_SHOWN]]
        if len(wrong) > len(shown):
            shown.append(f"and {len(wrong) - len(shown)} more")
        raise mlup.UnsafeModelError(
            f"it holds operations that are not safe: {', '.join(shown)}",
            path=file.label,
            binarizer="tensorflow-saved",
            refused=[each.name for each in wrong if _NAME.fullmatch(each.name)],
        )
    links = [link for each in (VARIABLES, ASSETS) if (link := leads_out(home, each))]
    if outside or links:
        raise mlup.UnsafeModelError(
            f"it takes files from outside of its folder: {(outside + links)[0][:200]!r}",
            path=file.label,
            binarizer="tensorflow-saved",
        )
    return data


def _binary(text: bytes) -> bytes:
    from google.protobuf import text_format  # type: ignore[import-untyped]
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    text_format.Parse(text.decode("utf-8"), message)
    return bytes(message.SerializePartialToString())


def _more(error: Exception) -> str:
    return f" ({error})" if isinstance(error, NotAMessageError) else ""


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else repr(name[:200])
