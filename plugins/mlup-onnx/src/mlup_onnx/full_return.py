"""ONNX models, run by ONNX Runtime: predict gives all outputs. Only when asked for by name."""

from __future__ import annotations

import mlup
from mlup_onnx import extensions as extensions
from mlup_onnx import inspect as inspect
from mlup_onnx import options as options
from mlup_onnx import requires as requires
from mlup_onnx import safe_list as safe_list

# There is no score() here: the same files are those of the binarizer "onnx".


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """An ``onnxruntime.InferenceSession`` with ``predict``, which returns the list of all outputs."""
    from mlup_onnx.loading import load

    return load(file, full_return=True)
