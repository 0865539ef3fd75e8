"""The formats of models that are worth a word when no installed binarizer claims them: data.

For messages only: what is chosen is the plugins' decision, and none of this takes part in it.
Each row is what the user reads and the test that earns it. Sources: the formats' own
specifications and files that their frameworks wrote; for HDF5, protobuf and zip the readers of
:mod:`mlup.probe`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mlup import probe
from mlup.files import ModelPath
from mlup.probe.protobufs import BYTES, VARINT

NO_BINARIZER: Final = "no binarizer is known for it"


class Verdict(str):
    """What bytes are, and the official binarizer that would know more of them, if any.

    Attributes:
        binarizer: one of :mod:`mlup.names`, or ``None``.
        refused: what it means that this binarizer is installed and does not want it.
        inspected_by: the one that tells most of the bytes, though it would not load them.
    """

    binarizer: str | None
    refused: str
    inspected_by: str | None

    def __new__(
        cls,
        said: str,
        binarizer: str | None = None,
        refused: str = "",
        inspected_by: str | None = None,
    ) -> Verdict:
        """``said`` names the bytes."""
        self = str.__new__(cls, said)
        self.binarizer = binarizer
        self.refused = refused
        self.inspected_by = inspected_by or binarizer
        return self


def of(said: str, binarizer: str) -> Verdict:
    """A model of an official binarizer: where that one is installed, something is wrong with it."""
    damaged = f", which the binarizer {binarizer!r} does not accept: truncated or damaged?"
    return Verdict(said, binarizer, damaged)


def foreign(said: str, then: str = "", inspected_by: str | None = None) -> Verdict:
    """A model that no official binarizer loads."""
    return Verdict(f"{said}; {NO_BINARIZER}{then and ': ' + then}", inspected_by=inspected_by)


def compressed(said: str) -> Verdict:
    """What joblib may have compressed."""
    return Verdict(said, "joblib", ", without a whole pickle inside")


_LEGACY_TORCH: Final = of("a PyTorch file of before 1.6", "torch")
_XGBOOST: Final = of("an XGBoost model", "xgboost")
_XGBOOST_BINARY: Final = of("an XGBoost model in the binary form of before 3.1", "xgboost")
_CATBOOST: Final = foreign("a CatBoost model", "CatBoost().load_model(...)")
_SAFETENSORS: Final = of("a safetensors file", "safetensors")
_NPZ: Final = foreign("an npz file of NumPy arrays", "numpy.load(...)")
_TRANSFORMERS: Final = foreign(
    "a folder of Hugging Face transformers", "AutoModel.from_pretrained(...)"
)
_CHECKPOINT: Final = Verdict(
    "a TensorFlow checkpoint: weights without a model; save the whole model instead"
)
_WEIGHTS: Final = Verdict(
    "Keras weights only, without a model (no model_config): build the model in code and call its "
    "load_weights(), or save the whole model"
)

OF_DILL: Final = ("dill._dill._create_function", "dill._dill._create_type")
DILL: Final = foreign(
    "a pickle with functions or classes of dill's", "dill.load(...)", inspected_by="pickle"
)

LFS: Final = b"version https://git-lfs.github.com/spec/v1"

MARKS: Final[tuple[tuple[int, bytes, Verdict], ...]] = (
    (
        0,
        LFS,
        Verdict("a Git LFS pointer, not the file itself; run: git lfs pull"),
    ),
    (0, b"tree\nversion=", of("a LightGBM text model", "lightgbm")),
    (0, b"tree\nnum_class=", of("a LightGBM text model of before 2.0.12", "lightgbm")),
    (0, b"tree\r\nversion=", of("a LightGBM text model with Windows line ends", "lightgbm")),
    (0, b"______LightGBM_Binary_File_Token______", Verdict("a LightGBM Dataset, not a model")),
    (0, b"L119547037146038801333356L", _LEGACY_TORCH),
    (2, b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", _LEGACY_TORCH),
    (11, b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", _LEGACY_TORCH),
    (4, b"ORTM", of("an ONNX Runtime model (ORT format)", "onnx")),
    (0, b"ir_version:", foreign("an ONNX model in protobuf's text format", "convert it with onnx")),
    (0, b'{"learner":', _XGBOOST),
    (0, b"{L\0\0\0\0\0\0\0\x07learner", _XGBOOST),
    (0, b"binf", _XGBOOST_BINARY),
    (0, b"bs64", _XGBOOST_BINARY),
    (0, b"CBM1", _CATBOOST),
    (0, b"GGUF", foreign("a GGUF model", "llama.cpp and its bindings load it")),
    (0, b"\x93NUMPY", foreign("a NumPy array (npy)", "numpy.load(...)")),
    (4, b"TFL3", foreign("a TensorFlow Lite model", "tf.lite.Interpreter(model_path=...)")),
    (4, b"ET12", foreign("an ExecuTorch program")),
    (0, b"<PMML", foreign("a PMML model")),
    (0, b"<net ", foreign("an OpenVINO model", "openvino.Core().read_model(...)")),
    (0, b"\x1f\x8b", compressed("gzip-compressed data")),
    (0, b"BZh", compressed("bzip2-compressed data")),
    (0, b"\xfd7zXZ\x00", compressed("xz-compressed data")),
    (0, b"]\0\0", compressed("lzma-compressed data")),
    (0, b"\x04\x22\x4d\x18", compressed("lz4-compressed data")),
    (0, b"x\x01", compressed("zlib-compressed data")),
    (0, b"x\x5e", compressed("zlib-compressed data")),
    (0, b"x\x9c", compressed("zlib-compressed data")),
    (0, b"x\xda", compressed("zlib-compressed data")),
    (0, b"\x89PNG\r\n", Verdict("a PNG image")),
    (0, b"%PDF-", Verdict("a PDF document")),
    (0, b"\x7fELF", Verdict("an ELF binary")),
    (0, b"SQLite format 3\x00", Verdict("an SQLite database")),
)
"""(offset, bytes that stand there, what it is), for what a mark alone tells."""

WITHIN_HEAD: Final[tuple[tuple[bytes, bytes, Verdict], ...]] = (
    (b"{", b'"learner"', _XGBOOST),
    (
        b"{",
        b'"name": "tree"',
        Verdict("LightGBM's dump_model() as JSON, which nothing loads; use save_model()"),
    ),
    (b"{", b'"module": "keras', Verdict("the architecture of a Keras model, without weights")),
    (b"{", b'"oblivious_trees"', _CATBOOST),
    (b"{", b'"float_features"', _CATBOOST),
    (b"<?xml", b"<PMML", foreign("a PMML model")),
    (b"<?xml", b"<net ", foreign("an OpenVINO model", "openvino.Core().read_model(...)")),
)
"""(how it starts, what the first 100 bytes also hold, what it is)."""

FOLDERS: Final[tuple[tuple[frozenset[str], Verdict], ...]] = (
    (frozenset({"saved_model.pb"}), of("a TensorFlow SavedModel folder", "tensorflow-saved")),
    (frozenset({"saved_model.pbtxt"}), of("a TensorFlow SavedModel folder", "tensorflow-saved")),
    (
        frozenset({"metadata.json", "config.json", "model.weights.h5"}),
        of("an unpacked Keras model", "tensorflow"),
    ),
    (frozenset({"checkpoint"}), _CHECKPOINT),
    (
        frozenset({"variables.index"}),
        Verdict("the variables of a TensorFlow SavedModel; give the folder around it"),
    ),
    (frozenset({"model.onnx"}), Verdict("a folder with an ONNX model; give its model.onnx")),
    (frozenset({"MLmodel"}), Verdict("an MLflow model folder; give the model inside it")),
    (frozenset({"config.json", "model.safetensors"}), _TRANSFORMERS),
    (frozenset({"config.json", "model.safetensors.index.json"}), _TRANSFORMERS),
    (frozenset({"config.json", "pytorch_model.bin"}), _TRANSFORMERS),
    (
        frozenset({"adapter_config.json", "adapter_model.safetensors"}),
        foreign("a folder of a PEFT adapter", "PeftModel.from_pretrained(...)"),
    ),
    (
        frozenset({"model_index.json"}),
        foreign("a folder of Hugging Face diffusers", "DiffusionPipeline.from_pretrained(...)"),
    ),
    (frozenset({"Manifest.json", "Data"}), foreign("a CoreML model package (mlpackage)")),
    (
        frozenset({"variables"}),
        Verdict("a part of a TensorFlow SavedModel: saved_model.pb is missing"),
    ),
)
"""(names that the folder has, what it is)."""


def zip_archive(path: ModelPath) -> Verdict | None:
    """A model in a zip archive, by the names of its members."""
    directory = probe.zip_directory(path)
    if directory is None:
        return None
    names = frozenset(directory.names)
    for root in (name[: -len("data.pkl")] for name in names if name.endswith("data.pkl")):
        if root + ".data/extern_modules" in names:
            return foreign("a torch.package archive", "torch.package.PackageImporter(...)")
        if root + "constants.pkl" in names:
            return of("a TorchScript archive", "torch-jit")
        if root + "version" in names or root + ".data/version" in names:
            return of("a PyTorch archive", "torch")
    if any(name.endswith("archive_format") for name in names):
        return foreign("an exported PyTorch program (pt2)", "torch.export.load(...)")
    if {"metadata.json", "config.json"} <= names:
        if "model.weights.h5" in names:
            return of("a Keras model", "tensorflow")
        return Verdict("a Keras archive without model.weights.h5, from which Keras loads no model")
    if any(name.endswith("saved_model.pb") for name in names):
        return Verdict("a zipped TensorFlow SavedModel; unpack it and give the folder")
    if "schema.json" in names:
        return of("a skops file", "skops")
    if names and all(name.endswith(".npy") for name in names):
        return _NPZ
    return None


def hdf5(path: ModelPath) -> Verdict | None:
    """A Keras model or its weights, by the attributes and members at the root of an HDF5 file."""
    root = probe.hdf5_root(path)
    if root is None:
        return None
    if root.truncated:
        return Verdict("a truncated HDF5 file: it ends before its own end-of-file address")
    if "model_config" in root.attributes:
        return of("a Keras model in HDF5", "tensorflow")
    found = {*root.attributes, *root.links}
    if found & {"layer_names", "model_weights", "_layer_checkpoint_dependencies"} or (
        {"layers", "vars"} <= found
    ):
        return _WEIGHTS
    return Verdict("an HDF5 file without a Keras model (no model_config)")


def protobuf(path: ModelPath) -> Verdict | None:
    """ONNX, SavedModel, CoreML, GraphDef: by the numbers and types of a message's fields."""
    head = path.head
    message = probe.protobuf_fields(path) if head[:1] in _FIRST_TAGS else None
    if message is None:
        return None
    shape = {(field.number, field.wire) for field in message.fields}
    if message.complete and _GRAPH_DEF >= shape > {(1, BYTES)}:
        return foreign("a TensorFlow GraphDef (a frozen graph)", "tf.graph_util.import_graph_def")
    version = message.first(1)
    if version is None or version.wire != VARINT or not 0 < version.value < 100:
        return None
    if any(200 <= number <= 3000 for number, _ in shape) and message.complete:
        return foreign("a CoreML model", "coremltools.models.MLModel(...)")
    if message.overrun:
        last = message.fields[-1]
        tag = head[last.offset + last.size :][:1] or b"\x3a"  # of the field that breaks off
        if head.startswith(b"\x08\x01\x12") and head[4:6].find(b"\x0a") >= 0:
            return of("a TensorFlow SavedModel that breaks off", "tensorflow-saved")
        if shape <= _ONNX and tag in _FIRST_TAGS:
            return of("an ONNX model that breaks off", "onnx")
        return None
    if not message.complete or not shape <= _ONNX:
        return None
    if (7, BYTES) in shape:
        return of("an ONNX model", "onnx")
    if shape == {(1, VARINT), (2, BYTES)} and version.value == 1:
        return of("a TensorFlow SavedModel (saved_model.pb)", "tensorflow-saved")
    return None


_FIRST_TAGS: Final = (b"\x08", b"\x0a", b"\x12", b"\x1a", b"\x3a", b"\x42")
_GRAPH_DEF: Final = frozenset({(1, 2), (2, 2), (3, 0), (4, 2)})  # nodes, library, version, versions
_ONNX: Final = frozenset(
    {(number, 2) for number in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26)} | {(1, 0), (5, 0)}
)
"""(field number, wire type) of ModelProto, as onnx.proto has them."""


def safetensors(path: ModelPath) -> Verdict | None:
    """A length of the header in eight bytes, little-endian, and the header as JSON."""
    length = int.from_bytes(path.head[:8], "little")
    if path.head[8:9] != b"{" or not 2 <= length <= 100_000_000:
        return None
    return (
        _SAFETENSORS
        if 8 + length <= path.size
        else of("a truncated safetensors file", "safetensors")
    )


def others(path: ModelPath) -> Verdict | None:
    """Marks that stand elsewhere than in the first bytes."""
    if path.tail.endswith(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"):  # of a table of LevelDB's
        return _CHECKPOINT
    if path.size % 512 == 0 and path.read_at(257, 5) == b"ustar":
        return Verdict("a tar archive; unpack it")
    return None


STRUCTURES: Final[tuple[Callable[[ModelPath], Verdict | None], ...]] = (
    safetensors,
    protobuf,
    others,
)
"""Formats without a mark, tried last."""
