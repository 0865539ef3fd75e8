"""The torch binarizer: what torch.save writes today comes back, from any source, under any name."""

from __future__ import annotations

import bz2
import collections
import contextlib
import gc
import gzip
import io
import lzma
import os
import subprocess
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mlup
import mlup_torch
from mlup.files import BUDGET, ModelPath

pytestmark = [
    # torch.save itself calls these of its own
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:Sparse (CSR|invariant).*:UserWarning"),
    pytest.mark.filterwarnings("ignore:Failed to initialize NumPy:UserWarning"),
]

SETTINGS = settings(
    max_examples=100,
    deadline=4000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
PROTOCOLS = (1, 2, 3, 4, 5)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, 5),
    )


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(6, 3, 8, 8)).sum().backward()
    optimizer.step()
    return model, optimizer


NET, OPTIMIZER = trained()
X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
WEIGHT = torch.randn(30, 4, generator=torch.Generator().manual_seed(2))


def quantized() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it will go one day
        return torch.quantize_per_tensor(WEIGHT, 0.1, 8, torch.quint8)


OBJECTS = {
    "state dict": NET.state_dict(),
    "module": NET,
    "checkpoint": {
        "epoch": 3,
        "model": NET.state_dict(),
        "optimizer": OPTIMIZER.state_dict(),
        "config": {"lr": 1e-3, "layers": [4, 5], "name": "модель"},
    },
    "tensor": WEIGHT,
    "parameter": nn.Parameter(WEIGHT.clone()),
    "list": [WEIGHT, WEIGHT.t(), 3, "text", None],
    "shared": {"a": WEIGHT, "b": WEIGHT, "rows": WEIGHT[3:9], "column": WEIGHT[:, 1]},
    "empty": {"a": torch.zeros(0), "b": torch.zeros(0, 3), "c": torch.tensor(2.5)},
    "sparse": torch.eye(5).to_sparse(),
    "quantized": {"q": quantized()},
    "no tensors": {"classes": ["a", "b"], "threshold": 0.5},
    "none": None,
    "a number": 5,
    **{
        str(dtype): {"w": (WEIGHT * 3).abs().to(dtype), "b": torch.ones(3, dtype=dtype)}
        for dtype in (
            torch.bfloat16,
            torch.float16,
            torch.float64,
            torch.uint8,
            torch.int8,
            torch.int16,
            torch.int32,
            torch.int64,
            torch.bool,
            torch.complex64,
            torch.complex128,
        )
    },
}
NEWER = {  # without a storage class of their own
    "storage": WEIGHT.untyped_storage(),
    "uint16": {"w": WEIGHT.abs().to(torch.uint16)},
    "float8": {"w": WEIGHT.to(torch.float8_e4m3fn)},
}


def saved(model: object, **how: object) -> bytes:
    stream = io.BytesIO()
    torch.save(model, stream, **how)
    return stream.getvalue()


def legacy(model: object, **how: object) -> bytes:
    return saved(model, _use_new_zipfile_serialization=False, **how)


def same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        if one.is_sparse:
            one, other = one.to_dense(), other.to_dense()
        if one.is_quantized:
            one, other = one.dequantize(), other.dequantize()
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype.is_floating_point and one.element_size() == 1:
            one, other = one.view(torch.uint8), other.view(torch.uint8)
        return torch.equal(one, other)
    if isinstance(one, nn.Module):
        with torch.no_grad():
            return torch.equal(one.eval()(X), other.eval()(X))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@contextlib.contextmanager
def on_device(location: str):
    """While in it, torch takes every storage for one on that device."""
    registry = torch.serialization._package_registry
    before = list(registry)
    torch.serialization.register_package(0, lambda storage: location, lambda storage, where: None)
    try:
        yield
    finally:
        registry[:] = before


# -- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("name", OBJECTS)
def test_whatever_torch_saves_comes_back(tmp_path, best, name, save):
    data = save(OBJECTS[name])
    (tmp_path / "model").write_bytes(data)
    native = torch.load(tmp_path / "model", weights_only=False)
    assert same(native, OBJECTS[name])
    for source in (tmp_path / "model", data):
        assert best(source) == ("torch", 0.95)
        assert same(mlup.load(source), native)


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("name", NEWER)
def test_what_has_no_storage_class_is_loaded_where_torch_loads_it(best, name, save):
    """Of the older format, torch 2.13 writes these and does not read them back."""
    data = save(NEWER[name])
    assert best(data) == ("torch", 0.95)
    try:
        native = torch.load(io.BytesIO(data), weights_only=False)
    except AttributeError as error:
        with pytest.raises(mlup.ModelBinarizationError, match=str(error)):
            mlup.load(data)
    else:
        loaded = mlup.load(data)
        assert type(loaded) is type(native)
        assert same(loaded, native) or list(loaded) == list(native)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("name", ["state dict", "module", "checkpoint", "shared"])
def test_every_protocol_that_torch_reads_is_recognised(best, name, save, protocol):
    data = save(OBJECTS[name], pickle_protocol=protocol)
    assert best(data) == ("torch", 0.95)
    assert same(mlup.load(data), OBJECTS[name])


@pytest.mark.parametrize("save", [saved, legacy])
def test_protocol_0_which_torch_cannot_read_back_is_nobodys(best, save):
    data = save(OBJECTS["state dict"], pickle_protocol=0)
    with pytest.raises(AssertionError):
        torch.load(io.BytesIO(data), weights_only=False)
    assert best(data) is None


@pytest.mark.parametrize("save", [saved, legacy])
def test_a_module_comes_back_ready_to_predict(save):
    assert NET.train().training
    data = save(NET)
    assert torch.load(io.BytesIO(data), weights_only=False).training
    loaded = mlup.load(data)
    assert not any(module.training for module in loaded.modules())
    with torch.no_grad():
        assert torch.equal(loaded(X), NET.eval()(X))


def test_a_state_dict_comes_back_as_the_dict_it_is():
    loaded = mlup.load(saved(NET.state_dict()))
    assert type(loaded) is collections.OrderedDict
    model = network()
    assert model.load_state_dict(loaded)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("state dict", "of collections.OrderedDict"),
        ("module", "of torch.nn.modules.container.Sequential"),
        ("tensor", "of tensors"),
        ("no tensors", "PyTorch"),
    ],
)
def test_the_reason_says_what_is_inside(name, reason):
    for data in (saved(OBJECTS[name]), legacy(OBJECTS[name])):
        assert reason in mlup.detect(data).best.reason
    assert "records" in mlup.detect(saved(OBJECTS[name])).best.reason
    assert "before 1.6" in mlup.detect(legacy(OBJECTS[name])).best.reason


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize(
    ("name", "score"),
    [
        *((f"model{extension}", 0.99) for extension in mlup_torch.extensions),
        ("MODEL.PT", 0.99),
        ("model", 0.95),
        ("model.onnx", 0.95),
        ("model.keras", 0.95),
        ("model.pkl", 0.95),
        ("model.zip", 0.95),
        ("model.safetensors", 0.95),
        ("model.gz", 0.95),
        ("модель_模型.pt", 0.99),
        ("a name with blanks.pth", 0.99),
        ("x" * 200 + ".pt", 0.99),
    ],
)
def test_any_name_loads_and_a_fitting_one_adds_to_the_score(tmp_path, best, name, score, save):
    torch.save(WEIGHT, tmp_path / name, _use_new_zipfile_serialization=save is saved)
    assert best(tmp_path / name) == ("torch", score)
    assert same(mlup.load(tmp_path / name), WEIGHT)


@pytest.mark.parametrize("extension", mlup_torch.extensions)
def test_the_extension_alone_is_nothing(tmp_path, best, extension):
    (tmp_path / f"m{extension}").write_bytes(b"\x00\x01 nothing of the kind")
    assert best(tmp_path / f"m{extension}") is None


# -- sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("name", ["state dict", "module"])
def test_every_kind_of_source_is_loaded(tmp_path, name, save):
    data = save(OBJECTS[name])
    path = tmp_path / "model.dat"
    path.write_bytes(data)
    sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data)]
    sources += [mlup.LoadedFile(path=str(path)), mlup.LoadedFile(raw_data=data)]
    for source in sources:
        assert same(mlup.load(source), OBJECTS[name])
    for buffering in (-1, 0):
        with open(path, "rb", buffering=buffering) as stream:
            assert same(mlup.load(stream), OBJECTS[name])
            assert not stream.closed
    with open(path, "r+b") as stream:
        assert same(mlup.load(stream), OBJECTS[name])


@pytest.mark.parametrize("save", [saved, legacy])
def test_a_stream_is_read_from_where_it_stands(tmp_path, save):
    data = b"a header" + save(OBJECTS["state dict"])
    (tmp_path / "behind").write_bytes(data)
    with open(tmp_path / "behind", "rb") as stream:
        for source in (stream, io.BytesIO(data)):
            source.seek(8)
            assert same(mlup.load(source), OBJECTS["state dict"])


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("module", [gzip, bz2, lzma])
@pytest.mark.parametrize("buffered", [False, True])
def test_a_compressed_stream_is_read_as_what_it_decompresses_to(tmp_path, module, save, buffered):
    """Their ``fileno()`` is that of the compressed bytes, and torch would read from there."""
    with module.open(tmp_path / "packed", "wb") as stream:
        stream.write(save(OBJECTS["state dict"]))
    with module.open(tmp_path / "packed") as stream:
        if buffered:
            stream = io.BufferedReader(stream)
        assert same(mlup.load(stream), OBJECTS["state dict"])


@pytest.mark.parametrize("save", [saved, legacy])
def test_a_stream_of_another_kind_is_loaded(save):
    with tempfile.SpooledTemporaryFile(max_size=10) as stream:
        stream.write(save(OBJECTS["state dict"]))
        stream.seek(0)
        assert same(mlup.load(stream), OBJECTS["state dict"])
    reading, writing = os.pipe()
    with open(writing, "wb") as stream:
        stream.write(save(WEIGHT))
    with open(reading, "rb") as stream:
        assert same(mlup.load(stream), WEIGHT)


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("location", ["cuda:0", "cuda:7", "mps", "xpu:0", "hpu", "mtia:0"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="here the tensors would go to the GPU")
def test_a_checkpoint_of_a_gpu_loads_on_a_machine_without(save, location):
    with on_device(location):
        data = save(OBJECTS["checkpoint"])
    assert location.encode() in data
    with pytest.raises((RuntimeError, AttributeError)):
        torch.load(io.BytesIO(data), weights_only=False)
    loaded = mlup.load(data)
    assert same(loaded, OBJECTS["checkpoint"])
    assert {each.device.type for each in loaded["model"].values()} == {"cpu"}


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize(
    "location",
    [
        "cpu",
        torch.device("cpu"),
        {"cuda:0": "cpu"},
        {"cuda:0": "meta"},
        lambda storage, where: storage,
        "meta",
        torch.device("meta"),
    ],
    ids=str,
)
def test_map_location_takes_what_torch_takes(save, location):
    with on_device("cuda:0"):
        data = save(WEIGHT)
    loaded = mlup.load(data, options={"map_location": location})
    native = torch.load(io.BytesIO(data), map_location=location, weights_only=False)
    assert loaded.device == native.device
    assert loaded.is_meta or same(loaded, native)


@pytest.mark.parametrize("location", [0, 1.5, ["cpu"], b"cpu", "gpu", "", "cuda:x", object()])
def test_a_location_that_torch_does_not_take_is_refused_clearly(location):
    with pytest.raises(mlup.OptionError, match=r"map_location=.*: expected a device"):
        mlup.load(saved(WEIGHT), options={"map_location": location})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("save", [saved, legacy])
def test_a_device_that_is_not_there_is_torchs_error(save):
    with pytest.raises(mlup.ModelBinarizationError, match="CUDA") as caught:
        mlup.load(save(WEIGHT), options={"map_location": "cuda:0"})
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="Linux shows what is mapped")
def test_mmap_maps_the_file(tmp_path):
    path = tmp_path / "big.pt"
    torch.save({"w": torch.arange(300_000.0)}, path)

    def maps() -> bool:
        return str(path) in Path("/proc/self/maps").read_text()

    loaded = mlup.load(path, options={"mmap": True})
    assert maps()
    assert torch.equal(loaded["w"], torch.arange(300_000.0))
    del loaded
    gc.collect()
    assert not maps()
    for options in (None, {"mmap": False}, {"mmap": None}):
        loaded = mlup.load(path, options=options)
        assert not maps()
        assert torch.equal(loaded["w"], torch.arange(300_000.0))


def test_mmap_of_every_kind_of_source(tmp_path):
    data = saved(OBJECTS["checkpoint"])
    for name in ("m.pt", "m", "m.safetensors"):
        (tmp_path / name).write_bytes(data)
        loaded = mlup.load(tmp_path / name, options={"mmap": True})
        assert same(loaded, OBJECTS["checkpoint"])
        with open(tmp_path / name, "rb") as stream:
            loaded = mlup.load(stream, options={"mmap": True})
            assert same(loaded, OBJECTS["checkpoint"])
    for source in (data, io.BytesIO(data)):
        assert same(mlup.load(source, options={"mmap": True}), OBJECTS["checkpoint"])


def test_mmap_of_the_older_format_is_refused_clearly(tmp_path):
    (tmp_path / "old.pt").write_bytes(legacy(WEIGHT))
    with pytest.raises(mlup.OptionError, match=r"old\.pt cannot be loaded with mmap=True"):
        mlup.load(tmp_path / "old.pt", options={"mmap": True})


@pytest.mark.parametrize("value", [1, "yes", "false", "r"])
def test_mmap_is_true_or_false(value):
    with pytest.raises(mlup.OptionError, match=r"mmap=.*: expected True or False"):
        mlup.load(saved(WEIGHT), options={"mmap": value})


def test_an_option_it_does_not_know_is_refused():
    with pytest.raises(mlup.OptionError, match="map_location, mmap"):
        mlup.load(saved(WEIGHT), options={"device": "cpu"})


# -- bad input ----------------------------------------------------------------------------------


def refused(data: bytes, best) -> None:
    """It is nobody's; asked for by name, torch's own error is chained."""
    assert best(data) is None
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(data)
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(data, "torch")
    assert caught.value.__cause__ is not None
    assert "was not loaded by torch" in str(caught.value)


@pytest.mark.parametrize("name", ["state dict", "module", "no tensors"])
def test_a_truncated_archive_is_refused_wherever_it_was_cut(best, name):
    data = saved(OBJECTS[name])
    for length in range(1, len(data) - 22, len(data) // 60):
        refused(data[:length], best)


@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("old", [b"_rebuild_tensor_v2", b"OrderedDict", b"FloatStorage"])
def test_a_damaged_pickle_ends_in_one_error(save, old):
    data = save({"w": WEIGHT}).replace(old, b"X" * len(old))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    (name,) = caught.value.refused
    assert name.endswith("X" * len(old))
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(data, trust=True)
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize("save", [saved, legacy])
def test_a_class_that_is_not_here_is_named(tmp_path, monkeypatch, save):
    (tmp_path / "lost_module.py").write_text(
        textwrap.dedent(
            """
            from torch import nn

            class Lost(nn.Module):
                def forward(self, x):
                    return x
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    import lost_module

    data = save(lost_module.Lost())
    assert "lost_module.Lost" in mlup.detect(data).best.reason
    with pytest.raises(mlup.UnsafeModelError) as refusal:
        mlup.load(data)
    assert refusal.value.refused == ("lost_module.Lost",)
    for allow in (["lost_module.Lost"], ["lost_module.*"]):
        assert torch.equal(mlup.load(data, allow=allow)(X), X)
    del sys.modules["lost_module"]
    monkeypatch.undo()
    with pytest.raises(mlup.ModelBinarizationError, match="lost_module") as caught:
        mlup.load(data, allow=["lost_module.Lost"])
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_no_file_is_left_open(tmp_path):
    for name, data in (("zip", saved(WEIGHT)), ("legacy", legacy(WEIGHT))):
        (tmp_path / name).write_bytes(data[:-60])
        for options in ({}, {"mmap": True}):
            with pytest.raises(mlup.ModelLoadError):
                mlup.load(tmp_path / name, "torch", options=options)
        (tmp_path / name).write_bytes(data)
        mlup.load(tmp_path / name)
    gc.collect()  # a file that was not closed warns here, and a warning is an error


MUTATIONS = """
import io, random, warnings
import torch
import mlup
from torch import nn

warnings.simplefilter("ignore")
generator = random.Random(7)
model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
samples = []
for what in (model, model.state_dict()):
    for zipped in (True, False):
        stream = io.BytesIO()
        torch.save(what, stream, _use_new_zipfile_serialization=zipped)
        samples.append(stream.getvalue())
for number in range(400):
    mutant = bytearray(samples[number % 4])
    for _ in range(generator.choice([1, 2, 5, 20])):
        mutant[generator.randrange(len(mutant))] = generator.randrange(256)
    if generator.random() < 0.2:
        del mutant[generator.randrange(len(mutant)):]
    try:
        mlup.load(bytes(mutant), "torch")
    except (mlup.ModelBinarizationError, mlup.UnsafeModelError) as error:
        assert error.__cause__ is not None or "was not loaded by torch: it" in str(error), error
print("survived")
"""


def test_damaged_files_end_in_one_error_and_not_the_process():
    """In a process of its own: what a damaged pickle does is not known beforehand."""
    command = [sys.executable, "-c", MUTATIONS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.endswith("survived\n"), done.stderr


# -- detection ----------------------------------------------------------------------------------


def test_a_detection_imports_no_torch(tmp_path):
    (tmp_path / "zip").write_bytes(saved(NET))
    (tmp_path / "legacy").write_bytes(legacy(NET))
    program = (
        "import sys, mlup\n"
        f"for name in ('zip', 'legacy'):\n"
        f"    assert mlup.detect({str(tmp_path)!r} + '/' + name).best.binarizer == 'torch'\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_a_detection_reads_does_not_grow_with_the_tensors(tmp_path, zipped):
    read = []
    for count in (10_000, 1_000_000):
        torch.save(torch.zeros(count), tmp_path / "m", _use_new_zipfile_serialization=zipped)
        with ModelPath.of(tmp_path / "m") as path:
            assert mlup_torch.score(path, path.head, path.tail) == 0.95
            read.append(BUDGET - path.left)
    assert abs(read[0] - read[1]) < 100  # a number in the pickle may be a few bytes longer
    assert read[1] < 20_000


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("save", [saved, legacy])
def test_score_can_be_tried_without_mlup_around_it(tmp_path, kind, save):
    data = save(OBJECTS["module"])
    (tmp_path / "m.pt").write_bytes(data)
    path = kind(tmp_path / "m.pt")
    assert mlup_torch.score(path, data[:100], data[-100:]) == 0.99


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "torch")
    assert (info.distribution, info.status, info.problem) == ("mlup-torch", "ok", None)
    assert info.version == mlup_torch.__version__
    assert info.extensions == mlup_torch.extensions
    assert (info.options, info.requires) == (("map_location", "mmap"), ("torch",))
    assert "torch.save" in info.description


def test_every_name_the_predecessor_had_for_it_loads():
    for name in (
        "torch",
        "mlup-torch:torch",
        mlup.BinarizationType.TORCH,
        "mlup.ml.binarization.torch.TorchBinarizer",
    ):
        assert same(mlup.load(saved(WEIGHT), name), WEIGHT)


# -- properties ---------------------------------------------------------------------------------

SAMPLES = [saved(OBJECTS[name]) for name in ("state dict", "module", "no tensors", "shared")]


def test_damaged_bytes_never_make_detection_raise(damaged):
    damaged(SAMPLES)


@SETTINGS
@given(
    model=st.recursive(
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=9),
            st.lists(st.integers(0, 9), max_size=5).map(torch.tensor),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    protocol=st.sampled_from(PROTOCOLS),
    save=st.sampled_from([saved, legacy]),
)
def test_whatever_is_saved_is_recognised_and_comes_back(best, model, protocol, save):
    data = save(model, pickle_protocol=protocol)
    assert best(data) == ("torch", 0.95)
    assert same(mlup.load(data), model)
