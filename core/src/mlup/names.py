"""Names of binarizers as data: the predecessor's, and the extras that install the official ones.

Only for messages and for resolving what a caller wrote: no decision in core depends on a format.
"""

from __future__ import annotations

from typing import Final

BINARIZER_NAMES: Final[dict[str, str]] = {
    "mlup.ml.binarization.memory.MemoryBinarizer": "memory",
    "mlup.ml.binarization.joblib.JoblibBinarizer": "joblib",
    "mlup.ml.binarization.pickle.PickleBinarizer": "pickle",
    "mlup.ml.binarization.lightgbm.LightGBMBinarizer": "lightgbm",
    "mlup.ml.binarization.tensorflow.TensorFlowBinarizer": "tensorflow",
    "mlup.ml.binarization.tensorflow.TensorFlowSavedBinarizer": "tensorflow-saved",
    "mlup.ml.binarization.torch.TorchBinarizer": "torch",
    "mlup.ml.binarization.torch.TorchJITBinarizer": "torch-jit",
    "mlup.ml.binarization.onnx.InferenceSessionBinarizer": "onnx",
    "mlup.ml.binarization.onnx.InferenceSessionFullReturnBinarizer": "onnx-full-return",
}
"""The predecessor's dotted value → the name of today's binarizer."""

OFFICIAL_EXTRAS: Final[dict[str, str]] = {
    "joblib": "joblib",
    "pickle": "pickle",
    "lightgbm": "lightgbm",
    "tensorflow": "tensorflow",
    "tensorflow-saved": "tensorflow",
    "torch": "torch",
    "torch-jit": "torch",
    "onnx": "onnx",
    "onnx-full-return": "onnx",
    "safetensors": "safetensors",
    "skops": "skops",
    "xgboost": "xgboost",
}
"""An official binarizer → the extra of ``mlup-core`` that installs it."""

EXTENSIONS: Final[dict[str, tuple[str, ...]]] = {
    ".pkl": ("pickle", "joblib"),  # joblib's own documentation dumps to it
    ".pickle": ("pickle", "joblib"),
    ".joblib": ("joblib",),
    ".lgb": ("lightgbm",),
    ".lgbm": ("lightgbm",),
    ".pt": ("torch", "torch-jit"),
    ".pth": ("torch", "torch-jit"),
    ".torchscript": ("torch-jit",),
    ".ptl": ("torch-jit",),
    ".keras": ("tensorflow", "tensorflow-saved"),
    ".h5": ("tensorflow",),
    ".hdf5": ("tensorflow",),
    ".onnx": ("onnx",),
    ".ort": ("onnx",),
    ".safetensors": ("safetensors",),
    ".skops": ("skops",),
    ".ubj": ("xgboost",),
}
"""An extension that promises a format → the binarizers that keep the promise."""

GENERIC_EXTENSIONS: Final = frozenset(
    {".txt", ".bin", ".model", ".data", ".dat", ".pb", ".zip", ".tar", ".json", ".ckpt"}
    | {".gz", ".bz2", ".xz", ".z", ".lzma", ".lz4"}
)
"""Extensions that promise nothing, though a plugin may name them."""

FOREIGN_EXTENSIONS: Final[dict[str, tuple[str, ...]]] = {
    ".gguf": ("GGUF",),
    ".cbm": ("CatBoost",),
    ".tflite": ("TensorFlow Lite",),
    ".mlmodel": ("CoreML",),
    ".npz": ("NumPy",),
    ".npy": ("NumPy",),
}
"""The same for formats that no official binarizer loads."""


def install_line(name: str) -> str | None:
    """The command that installs an official binarizer; ``None`` for any other name."""
    extra = OFFICIAL_EXTRAS.get(name)
    return f"pip install 'mlup-core[{extra}]'" if extra else None
