"""ONNX models, as protobuf or in the ORT format, run by ONNX Runtime: predict gives the first output."""

from __future__ import annotations

from typing import Final

import mlup
from mlup_onnx import model_proto, ort_format

__version__ = "0.1.0"

extensions: Final = (".onnx", ".ort")
requires: Final = ("onnxruntime",)
options: Final = {
    "providers": "execution providers, the first choice first, such as ['CPUExecutionProvider']",
    "sess_options": "an onnxruntime.SessionOptions (in Python only)",
}
# An ONNX file names nothing of Python. Its operators are ONNX Runtime's own, all of which it may
# have but those few that open files, use the network or call other programs.
safe_list: Final[tuple[str, ...]] = ()


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """An ONNX ModelProto, read field by field, or a model in the ORT format: 0.95.

    The extension adds 0.05, up to 0.99.
    """
    if head[4:8] == ort_format.MARK:
        reason = ort_format.described(path)
    elif head[:1] in model_proto.FIRST_BYTES:
        reason = model_proto.described(path)
    else:
        return None
    if reason is None:
        return None
    return mlup.Score(0.99 if str(path).lower().endswith(extensions) else 0.95, reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """An ``onnxruntime.InferenceSession`` with ``predict``.

    ``predict`` returns the first output alone where the model has several, and onnxruntime's
    list of one where it has one.
    """
    from mlup_onnx.loading import load

    return load(file, full_return=False)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The operators, those in nested graphs and functions too, with verdicts; where the weights are."""
    from mlup_onnx.checking import inspected

    return inspected(file)
