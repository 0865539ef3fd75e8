"""What pymlup promised and mlup keeps (DESIGN.md, section 4)."""

from __future__ import annotations

import sys

import pytest

import mlup
from mlup import constants, errors
from mlup.constants import BinarizationType, LoadedFile
from mlup.ml.binarization.base import BaseBinarizer

ACME = b"ACME\x01 and then the weights"

# The member, the value that configs hold, today's name.
BINARIZERS = [
    ("MEMORY", "mlup.ml.binarization.memory.MemoryBinarizer", "memory"),
    ("JOBLIB", "mlup.ml.binarization.joblib.JoblibBinarizer", "joblib"),
    ("PICKLE", "mlup.ml.binarization.pickle.PickleBinarizer", "pickle"),
    ("LIGHTGBM", "mlup.ml.binarization.lightgbm.LightGBMBinarizer", "lightgbm"),
    ("TENSORFLOW", "mlup.ml.binarization.tensorflow.TensorFlowBinarizer", "tensorflow"),
    (
        "TENSORFLOW_ZIP",
        "mlup.ml.binarization.tensorflow.TensorFlowSavedBinarizer",
        "tensorflow-saved",
    ),
    ("TORCH", "mlup.ml.binarization.torch.TorchBinarizer", "torch"),
    ("TORCH_JIT", "mlup.ml.binarization.torch.TorchJITBinarizer", "torch-jit"),
    ("ONNX_INFERENCE_SESSION", "mlup.ml.binarization.onnx.InferenceSessionBinarizer", "onnx"),
    (
        "ONNX_INFERENCE_SESSION_FULL_RETURN",
        "mlup.ml.binarization.onnx.InferenceSessionFullReturnBinarizer",
        "onnx-full-return",
    ),
]


# -- names ----------------------------------------------------------------------------------


def test_the_binarization_types_and_their_values():
    values = {member.name: member.value for member in BinarizationType}
    assert values == {name: value for name, value, _ in BINARIZERS}
    assert mlup.BinarizationType is BinarizationType


@pytest.mark.parametrize(("member", "value", "name"), BINARIZERS[1:])
def test_a_binarization_type_its_value_and_todays_name_are_one_choice(site, member, value, name):
    site.plugin(name, "return None")
    said = f"loaded by dist_{name}_{name}".replace("-", "_")
    for choice in (BinarizationType[member], value, name):
        assert mlup.load(ACME, choice) == said


@pytest.mark.parametrize("choice", [BinarizationType.MEMORY, BINARIZERS[0][1], "memory"])
@pytest.mark.parametrize("model", [object(), None, b"", "a text", 42, [1]])
def test_memory_returns_the_object_itself(site, choice, model):
    assert mlup.load(model, choice) is model


def test_memory_returns_what_a_loaded_file_holds(site):
    model = object()
    assert mlup.load(LoadedFile(model), BinarizationType.MEMORY) is model


def test_memory_is_never_chosen_by_auto(site):
    assert mlup.detect(ACME).candidates == ()


def test_memory_has_nothing_to_return_where_there_is_only_a_path(site, tmp_path):
    with pytest.raises(errors.ModelBinarizationError, match="already in memory"):
        mlup.load(LoadedFile(path=str(tmp_path)), "memory")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IS_X", "is_X"),
        ("THERE_IS_ARGS", "there_is_args"),
        ("DEFAULT_X_ARG_NAME", "data_for_predict"),
        ("ITEM_ID_COL_NAME", "mlup_item_id"),
        ("PREDICT_ID_HEADER", "X-Predict-id"),
    ],
)
def test_constants_keep_their_values(name, value):
    assert getattr(constants, name) == value


@pytest.mark.parametrize(
    ("enum", "members"),
    [
        (
            "StorageType",
            {
                "memory": "mlup.ml.storage.memory.MemoryStorage",
                "disk": "mlup.ml.storage.local_disk.DiskStorage",
            },
        ),
        (
            "ModelLibraryType",
            {
                "SKLEARN": "sklearn",
                "SCIKIT_LEARN": "scikit-learn",
                "LIGHTGMB": "lightgbm",
                "TENSORFLOW": "tensorflow",
                "TORCH": "torch",
                "ONNX": "onnx_inference_session",
                "other": "other",
            },
        ),
    ],
)
def test_enums_keep_their_members(enum, members):
    assert {each.name: each.value for each in getattr(constants, enum)} == members


@pytest.mark.parametrize("enum", ["ModelDataTransformerType", "WebAppArchitecture"])
def test_enums_of_what_mlup_does_not_do_are_kept_for_configs(enum):
    for each in getattr(constants, enum):
        assert each.value.startswith("mlup.")


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("MLupError", "Exception"),
        ("LoadError", "MLupError"),
        ("ModelLoadError", "LoadError"),
        ("WebAppLoadError", "LoadError"),
        ("ModelBinarizationError", "ModelLoadError"),
        ("PredictError", "MLupError"),
        ("PredictWaitResultError", "PredictError"),
        ("PredictTransformDataError", "PredictError"),
        ("PredictValidationInnerDataError", "PredictError"),
        # mlup's own, below the predecessor's:
        ("UnknownModelError", "ModelLoadError"),
        ("AmbiguousModelError", "ModelLoadError"),
        ("BinarizerNotFoundError", "ModelLoadError"),
        ("OptionError", "ModelLoadError"),
        ("SourceError", "ModelLoadError"),
        ("ConfigError", "MLupError"),
        ("PluginError", "MLupError"),
        ("ProbeError", "MLupError"),
    ],
)
def test_errors_keep_their_names_and_their_tree(name, parent):
    ancestors = getattr(errors, name).__mro__[1:]
    public = [each for each in ancestors if not each.__name__.startswith("_")]
    assert public[0] is getattr(errors, parent, Exception)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("PredictWaitResultError", 408, "predict_wait_result_error"),
        ("PredictValidationInnerDataError", 422, "validation_error"),
    ],
)
def test_prediction_errors_are_made_as_they_were(name, status, kind):
    error = getattr(errors, name)("too late", "id-1")
    assert (str(error), error.msg, error.predict_id) == ("too late", "too late", "id-1")
    assert (error.http_status, error.type) == (status, kind)
    with pytest.raises(errors.PredictError, match="too late"):
        raise error
    assert getattr(errors, name)(msg="m", predict_id="p", http_status=500).http_status == 500


# -- LoadedFile -----------------------------------------------------------------------------


def test_a_loaded_file_is_made_as_it_was():
    file = LoadedFile(b"raw", "path")
    assert (file.raw_data, file.path) == (b"raw", "path")
    assert (LoadedFile().raw_data, LoadedFile().path) == (b"", None)
    assert LoadedFile(path="p", raw_data=b"r") == LoadedFile(b"r", "p")
    assert mlup.LoadedFile is LoadedFile


def test_a_loaded_file_cannot_be_changed():
    with pytest.raises(AttributeError):
        LoadedFile(b"raw").path = "another"


def test_a_loaded_file_is_a_source(site, tmp_path):
    site.plugin("acme")
    model = tmp_path / "model"
    model.write_bytes(ACME)
    for file in (LoadedFile(ACME), LoadedFile(path=str(model)), LoadedFile(b"", str(model))):
        assert mlup.detect(file).best.binarizer == "acme"
        assert mlup.load(file) == "loaded by dist_acme_acme"


# -- one's own binarizer --------------------------------------------------------------------

MINE = """
from mlup.constants import LoadedFile
from mlup.ml.binarization.base import BaseBinarizer

class MyBinarizer(BaseBinarizer):
    @classmethod
    def deserialize(cls, data: LoadedFile):
        assert issubclass(cls, MyBinarizer)
        if data.path is None:
            return "from memory", data.raw_data
        with open(data.path, "rb") as stream:
            return "from disk", stream.read()

    @classmethod
    def is_this_type(cls, loaded_file: LoadedFile) -> float:
        raise AssertionError("nobody asks when it is named")
"""


@pytest.fixture
def mine(site):
    site.module("my_module", MINE)
    return "my_module.MyBinarizer"


def test_a_base_binarizer_of_ones_own_is_named_by_its_import_line(mine, tmp_path, caplog):
    model = tmp_path / "model.bin"
    model.write_bytes(ACME)
    assert mlup.load(model, mine) == ("from disk", ACME)
    assert mlup.load(str(model), mine) == ("from disk", ACME)
    assert mlup.load(ACME, mine) == ("from memory", ACME)
    assert mlup.load(ACME, sys.modules["my_module"].MyBinarizer) == ("from memory", ACME)
    assert caplog.messages == []


def test_a_base_binarizer_of_ones_own_works_in_a_config_and_keeps_its_name(mine, tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(ACME)
    config = mlup.Config(binarization_type=mine, path=str(model))
    assert config.load_model() == ("from disk", ACME)
    assert config.binarization_type == mine


def test_a_failure_of_ones_own_binarizer_is_chained(site):
    source = MINE.replace("if data.path is None:", "raise EOFError('cut')\n        if False:")
    site.module("my_module", source)
    with pytest.raises(errors.ModelBinarizationError, match="EOFError: cut") as caught:
        mlup.load(ACME, "my_module.MyBinarizer")
    assert isinstance(caught.value.__cause__, EOFError)


def test_a_base_binarizer_needs_deserialize_only():
    class Mine(BaseBinarizer):
        @classmethod
        def deserialize(cls, data):
            return data

    assert Mine.is_this_type(LoadedFile(ACME)) == 0.0
    assert Mine().deserialize(ACME) == ACME
    with pytest.raises(TypeError, match="abstract"):
        BaseBinarizer()


def test_a_base_binarizer_without_is_this_type_is_never_chosen_by_auto(site):
    site.module("my_module", MINE)
    source = """
        from mlup.ml.binarization.base import BaseBinarizer

        class Silent(BaseBinarizer):
            @classmethod
            def deserialize(cls, data):
                return "loaded in silence"
    """
    site.distribution("dist-silent", {"silent": "silent:Silent"}, {"silent": source})
    detection = mlup.detect(ACME)
    assert (detection.candidates, detection.problems) == ((), ())
    assert mlup.load(ACME, "silent") == "loaded in silence"


# -- selection ------------------------------------------------------------------------------


def test_auto_is_the_default_and_picks_the_best(site):
    site.plugin("acme")
    assert mlup.load(ACME) == mlup.load(ACME, "auto") == mlup.load(ACME, binarizer="auto")


def test_nothing_recognised_is_a_model_load_error(site):
    with pytest.raises(errors.ModelLoadError):
        mlup.load(b"nobody knows this")


def test_after_a_load_the_config_holds_the_choice(site, tmp_path):
    site.plugin("acme")
    model = tmp_path / "model.bin"
    model.write_bytes(ACME)
    config = mlup.Config(path=model)
    assert config.binarization_type == "auto"
    assert config.load_model() == "loaded by dist_acme_acme"
    assert config.binarization_type == "acme"
    file = tmp_path / "mlup.json"
    config.save(file)
    assert "auto" not in file.read_text("utf-8")
    assert mlup.Config.load(file).load_model() == "loaded by dist_acme_acme"


def test_a_load_that_fails_leaves_the_config_as_it_was(site, tmp_path):
    site.plugin("acme", deserialize="raise EOFError")
    model = tmp_path / "model.bin"
    model.write_bytes(ACME)
    config = mlup.Config(path=model)
    with pytest.raises(errors.ModelLoadError):
        config.load_model()
    assert config.binarization_type == "auto"


def test_the_choice_among_rivals_is_kept_with_its_distribution(site, tmp_path):
    site.plugin("acme", distribution="first")
    site.plugin("acme", distribution="second")
    model = tmp_path / "model.bin"
    model.write_bytes(ACME)
    config = mlup.Config(binarization_type="second:acme", path=model)
    assert config.load_model() == "loaded by second_acme"
    assert config.binarization_type == "second:acme"


@pytest.mark.parametrize(("member", "value", "name"), BINARIZERS)
def test_a_config_understands_the_dotted_values(member, value, name):
    assert mlup.Config(binarization_type=value).binarization_type == name
    assert mlup.Config(binarization_type=BinarizationType[member]).binarization_type == name


def test_a_detection_does_not_load_the_model(site):
    module = site.plugin("acme")
    assert mlup.detect(ACME).best.binarizer == "acme"
    assert sys.modules[module].calls == []
