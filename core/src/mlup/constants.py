"""The predecessor's names, kept so that its users can move.

``from mlup.constants import BinarizationType, LoadedFile`` works as it did in pymlup. The
values of :class:`BinarizationType` are the dotted names that its configs saved;
:mod:`mlup.names` says which of today's binarizers each one means.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from mlup.files import LoadedFile as LoadedFile

IS_X: Final = "is_X"
THERE_IS_ARGS: Final = "there_is_args"
DEFAULT_X_ARG_NAME: Final = "data_for_predict"
ITEM_ID_COL_NAME: Final = "mlup_item_id"
PREDICT_ID_HEADER: Final = "X-Predict-id"


class BinarizationType(Enum):
    """How a model was saved. Accepted by :func:`mlup.load` and by a config, beside ``"auto"``."""

    MEMORY = "mlup.ml.binarization.memory.MemoryBinarizer"
    JOBLIB = "mlup.ml.binarization.joblib.JoblibBinarizer"
    PICKLE = "mlup.ml.binarization.pickle.PickleBinarizer"
    LIGHTGBM = "mlup.ml.binarization.lightgbm.LightGBMBinarizer"
    TENSORFLOW = "mlup.ml.binarization.tensorflow.TensorFlowBinarizer"
    TENSORFLOW_ZIP = "mlup.ml.binarization.tensorflow.TensorFlowSavedBinarizer"
    TORCH = "mlup.ml.binarization.torch.TorchBinarizer"
    TORCH_JIT = "mlup.ml.binarization.torch.TorchJITBinarizer"
    ONNX_INFERENCE_SESSION = "mlup.ml.binarization.onnx.InferenceSessionBinarizer"
    ONNX_INFERENCE_SESSION_FULL_RETURN = (
        "mlup.ml.binarization.onnx.InferenceSessionFullReturnBinarizer"
    )


class StorageType(Enum):
    """Where the predecessor kept a model."""

    memory = "mlup.ml.storage.memory.MemoryStorage"
    disk = "mlup.ml.storage.local_disk.DiskStorage"


class ModelLibraryType(Enum):
    """The predecessor's libraries. Kept in configs, not used by mlup."""

    SKLEARN = "sklearn"
    SCIKIT_LEARN = "scikit-learn"
    LIGHTGMB = "lightgbm"
    TENSORFLOW = "tensorflow"
    TORCH = "torch"
    ONNX = "onnx_inference_session"
    other = "other"


class ModelDataTransformerType(Enum):
    """The predecessor's data transformers. Kept in configs, not used by mlup."""

    PANDAS_DF = "mlup.ml.data_transformers.pandas_data_transformer.PandasDataFrameTransformer"
    NUMPY_ARR = "mlup.ml.data_transformers.numpy_data_transformer.NumpyDataTransformer"
    TENSORFLOW_TENSOR = (
        "mlup.ml.data_transformers.tf_tensor_data_transformer.TFTensorDataTransformer"
    )
    TORCH_TENSOR = (
        "mlup.ml.data_transformers.torch_tensor_data_transformer.TorchTensorDataTransformer"
    )
    SRC_TYPES = "mlup.ml.data_transformers.src_data_transformer.SrcDataTransformer"


class WebAppArchitecture(Enum):
    """The predecessor's web architectures. Kept in configs, not used by mlup."""

    directly_to_predict = "mlup.web.architecture.directly_to_predict.DirectlyToPredictArchitecture"
    worker_and_queue = "mlup.web.architecture.worker_and_queue.WorkerAndQueueArchitecture"
    batching = "mlup.web.architecture.batching.BatchingSingleProcessArchitecture"
