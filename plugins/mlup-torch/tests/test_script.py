"""The torch-jit binarizer: TorchScript is told from a checkpoint, and comes back ready to predict."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

import mlup
import mlup_torch.script
from mlup.files import BUDGET, ModelPath

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Lite Interpreter:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Failed to initialize NumPy:UserWarning"),
]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 5)
    )


NET = network()
X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def script(**how: object) -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(NET.train()), stream, **how)
    return stream.getvalue()


def trace() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(NET.eval(), X), stream)
    return stream.getvalue()


def frozen() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.freeze(torch.jit.script(NET.eval())), stream)
    return stream.getvalue()


def lite() -> bytes:
    return bytes(torch.jit.script(NET)._save_to_buffer_for_lite_interpreter())


def without_parameters() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Sequential(nn.ReLU(), nn.Flatten())), stream)
    return stream.getvalue()


def rewritten(
    data: bytes, change=lambda name, data: data, method: int = 0, last_first=False
) -> bytes:
    """The same records, as Python's zipfile writes them."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(stream, "w", method) as new,
    ):
        for each in old.infolist()[:: -1 if last_first else 1]:
            new.writestr(each.filename, change(each.filename, old.read(each)))
    return stream.getvalue()


MAKE = {
    "script": script,
    "trace": trace,
    "frozen": frozen,
    "lite": lite,
    "extra files": lambda: script(_extra_files={"config.json": '{"classes": 5}'}),
    "without parameters": without_parameters,
    "by zipfile": lambda: rewritten(script()),
    "deflated": lambda: rewritten(script(), method=zipfile.ZIP_DEFLATED),
    "data.pkl first": lambda: rewritten(script(), last_first=True),
}


@pytest.fixture(scope="module")
def files():
    return {name: make() for name, make in MAKE.items()}


def predicted(module: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return module(X)


# -- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKE)
def test_torchscript_comes_back_and_predicts_as_before(tmp_path, best, files, name):
    path = tmp_path / "model"
    path.write_bytes(files[name])
    native = torch.jit.load(path).eval()
    for source in (path, files[name]):
        assert best(source) == ("torch-jit", 0.95)
        loaded = mlup.load(source)
        assert isinstance(loaded, torch.jit.ScriptModule)
        assert torch.equal(predicted(loaded), predicted(native))
    if name != "without parameters":
        torch.testing.assert_close(predicted(loaded), predicted(NET.eval()))


def test_it_comes_back_in_eval(files):
    assert torch.jit.load(io.BytesIO(files["script"])).training
    loaded = mlup.load(files["script"])
    assert not any(module.training for module in loaded.modules())


def test_a_function_is_loaded_as_torch_loads_it(best):
    @torch.jit.script
    def double(x):
        return x + x

    stream = io.BytesIO()
    torch.jit.save(double, stream)
    assert best(stream.getvalue()) == ("torch-jit", 0.95)
    assert torch.equal(mlup.load(stream.getvalue())(X), X + X)


def test_the_reason_names_the_class(files):
    reason = mlup.detect(files["script"]).best.reason
    assert reason.startswith("TorchScript archive of torch.nn.modules.container.Sequential (")


@pytest.mark.parametrize(
    ("name", "score"),
    [
        *((f"model{extension}", 0.99) for extension in mlup_torch.script.extensions),
        ("MODEL.PT", 0.99),
        ("model", 0.95),
        ("model.onnx", 0.95),
        ("model.pkl", 0.95),
        ("model.safetensors", 0.95),
        ("модель_模型.pt", 0.99),
        ("x" * 200 + ".pt", 0.99),
    ],
)
def test_any_name_loads_and_a_fitting_one_adds_to_the_score(tmp_path, best, name, score):
    module = torch.jit.script(NET.eval())
    module.save(str(tmp_path / name))
    assert best(tmp_path / name) == ("torch-jit", score)
    assert torch.equal(predicted(mlup.load(tmp_path / name)), predicted(module))


def test_a_checkpoint_is_not_torchscript():
    stream = io.BytesIO()
    torch.save(NET.state_dict(), stream)
    with ModelPath.of(stream.getvalue()) as path:
        assert mlup_torch.script.score(path, path.head, path.tail) is None


@pytest.mark.parametrize("missing", ["constants.pkl", "code/", "data.pkl", "version"])
def test_an_archive_that_lacks_a_part_is_nobodys(best, files, missing):
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(files["script"])) as old,
        zipfile.ZipFile(stream, "w") as new,
    ):
        for each in old.infolist():
            if not each.filename.startswith(f"archive/{missing}"):
                new.writestr(each.filename, old.read(each))
    with pytest.raises(RuntimeError):
        torch.jit.load(io.BytesIO(stream.getvalue()))
    claimed = best(stream.getvalue())
    assert claimed is None or (claimed[0], missing) == ("torch", "constants.pkl")


# -- sources ------------------------------------------------------------------------------------


def test_every_kind_of_source_is_loaded(tmp_path, files):
    data = files["script"]
    expected = predicted(torch.jit.load(io.BytesIO(data)).eval())
    path = tmp_path / "model.dat"
    path.write_bytes(data)
    (tmp_path / "behind").write_bytes(b"a header" + data)
    sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data)]
    sources += [mlup.LoadedFile(path=str(path)), mlup.LoadedFile(raw_data=data)]
    for source in sources:
        assert torch.equal(predicted(mlup.load(source)), expected)
    with open(path, "rb") as stream:
        assert torch.equal(predicted(mlup.load(stream)), expected)
        assert not stream.closed
    with open(tmp_path / "behind", "rb") as stream:
        stream.seek(8)
        assert torch.equal(predicted(mlup.load(stream)), expected)
    reading, writing = os.pipe()
    with open(writing, "wb") as stream:
        stream.write(data[: 1 << 15])
        assert len(data) < 1 << 15
    with open(reading, "rb") as stream:
        assert torch.equal(predicted(mlup.load(stream)), expected)


# -- options ------------------------------------------------------------------------------------


@pytest.mark.skipif(torch.cuda.is_available(), reason="here the tensors would go to the GPU")
@pytest.mark.parametrize("location", ["cuda:0", "cuda:3"])
def test_a_model_of_a_gpu_loads_on_a_machine_without(files, location):
    tag = b"X" + len(location).to_bytes(4, "little") + location.encode()

    def moved(name: str, data: bytes) -> bytes:
        return data.replace(b"X\x03\0\0\0cpu", tag) if name.endswith("data.pkl") else data

    data = rewritten(files["script"], moved)
    assert location.encode() in data
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.jit.load(io.BytesIO(data))
    loaded = mlup.load(data)
    assert torch.equal(predicted(loaded), predicted(mlup.load(files["script"])))


@pytest.mark.parametrize("location", [None, "cpu", torch.device("cpu")])
def test_map_location_takes_a_device(files, location):
    loaded = mlup.load(files["script"], options={"map_location": location})
    assert {each.device.type for each in loaded.parameters()} == {"cpu"}


@pytest.mark.parametrize("location", [{"cuda": "cpu"}, print, 0, b"cpu", "gpu", ["cpu"]])
def test_what_is_no_device_is_refused_clearly(files, location):
    with pytest.raises(mlup.OptionError, match=r"map_location=.*: expected a device"):
        mlup.load(files["script"], options={"map_location": location})


def test_an_option_it_does_not_know_is_refused(files):
    with pytest.raises(mlup.OptionError, match="map_location"):
        mlup.load(files["script"], options={"mmap": True})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there_is_torchs_error(files):
    with pytest.raises(mlup.ModelBinarizationError, match="CUDA"):
        mlup.load(files["script"], options={"map_location": "cuda:0"})


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["script", "frozen", "without parameters"])
def test_a_truncated_file_is_refused_wherever_it_was_cut(best, files, name):
    data = files[name]
    for length in range(1, len(data) - 22, len(data) // 40):
        assert best(data[:length]) is None
        with pytest.raises(mlup.UnknownModelError):
            mlup.load(data[:length])
        with pytest.raises(mlup.ModelBinarizationError) as caught:
            mlup.load(data[:length], "torch-jit")
        assert isinstance(caught.value.__cause__, RuntimeError)


def test_damaged_code_ends_in_one_error(best, files):
    def broken(name: str, data: bytes) -> bytes:
        return data.replace(b"def forward", b"fed drawrof") if name.endswith(".py") else data

    data = rewritten(files["script"], broken)
    assert best(data) == ("torch-jit", 0.95)
    with pytest.raises(mlup.ModelBinarizationError, match="was not loaded by torch-jit"):
        mlup.load(data)


MUTATIONS = """
import io, random, warnings
import torch
import mlup
from torch import nn

warnings.simplefilter("ignore")
generator = random.Random(5)
stream = io.BytesIO()
torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))), stream)
data = stream.getvalue()
for _ in range(150):
    mutant = bytearray(data)
    for _ in range(generator.choice([1, 2, 5, 20])):
        mutant[generator.randrange(len(mutant))] = generator.randrange(256)
    if generator.random() < 0.2:
        del mutant[generator.randrange(len(mutant)):]
    try:
        mlup.load(bytes(mutant), "torch-jit")
    except mlup.ModelBinarizationError as error:
        assert error.__cause__ is not None
    except mlup.UnsafeModelError:
        pass
print("survived")
"""


def test_damaged_files_end_in_one_error_and_not_the_process():
    command = [sys.executable, "-c", MUTATIONS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.endswith("survived\n"), done.stderr


def test_no_file_is_left_open(tmp_path, files):
    for data in (files["script"], files["script"][:-60]):
        (tmp_path / "m").write_bytes(data)
        for source in (tmp_path / "m", data, io.BytesIO(data)):
            try:
                mlup.load(source, "torch-jit")
            except mlup.ModelBinarizationError:
                assert data is not files["script"]
    gc.collect()  # a file that was not closed warns here, and a warning is an error


# -- detection ----------------------------------------------------------------------------------


def test_what_a_detection_reads_does_not_grow_with_the_model():
    read = []
    for width in (10, 1000):
        stream = io.BytesIO()
        torch.jit.save(torch.jit.script(nn.Linear(width, width)), stream)
        with ModelPath.of(stream.getvalue()) as path:
            assert mlup_torch.script.score(path, path.head, path.tail) == 0.95
            read.append(BUDGET - path.left)
    assert abs(read[0] - read[1]) < 100
    assert read[1] < 4096


@pytest.mark.parametrize("kind", [str, Path])
def test_score_can_be_tried_without_mlup_around_it(tmp_path, files, kind):
    data = files["script"]
    (tmp_path / "m.pt").write_bytes(data)
    path = kind(tmp_path / "m.pt")
    assert mlup_torch.script.score(path, data[:100], data[-100:]) == 0.99


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "torch-jit")
    assert (info.distribution, info.status, info.problem) == ("mlup-torch", "ok", None)
    assert info.extensions == mlup_torch.script.extensions
    assert (info.options, info.requires) == (("map_location",), ("torch",))
    assert "TorchScript" in info.description


def test_every_name_the_predecessor_had_for_it_loads(files):
    for name in (
        "torch-jit",
        "mlup-torch:torch-jit",
        mlup.BinarizationType.TORCH_JIT,
        "mlup.ml.binarization.torch.TorchJITBinarizer",
    ):
        assert isinstance(mlup.load(files["script"], name), torch.jit.ScriptModule)


def test_damaged_bytes_never_make_detection_raise(damaged, files):
    damaged(list(files.values()))
