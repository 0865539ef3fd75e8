"""What a load gives, its options, and what it says where it fails."""

from __future__ import annotations

import io
import json
import pickle
import struct

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from safetensors import SafetensorError

import mlup


def file_of(entries: dict, data: bytes) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture
def path(tmp_path):
    tensors = {
        "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "bias": np.ones(3, ml_dtypes.bfloat16),
        "scalar": np.array(2),
        "empty": np.zeros((0, 4), np.float32),
    }
    safetensors.numpy.save_file(tensors, tmp_path / "m.safetensors", metadata={"format": "np"})
    return tmp_path / "m.safetensors"


def sources(path):
    yield path
    yield path.read_bytes()
    yield io.BytesIO(path.read_bytes())
    with path.open("rb") as stream:
        yield stream


def test_it_gives_arrays_by_name(path):
    for source in sources(path):
        loaded = mlup.load(source)
        assert isinstance(loaded, dict)
        assert {name: each.dtype for name, each in loaded.items()} == {
            "weight": np.float32,
            "bias": ml_dtypes.bfloat16,
            "scalar": np.int64,
            "empty": np.float32,
        }
        assert loaded["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert loaded["bias"].astype(np.float32).tolist() == [1, 1, 1]
        assert (loaded["scalar"].shape, loaded["scalar"].item()) == ((), 2)
        assert loaded["empty"].shape == (0, 4)
        assert loaded.metadata == {"format": "np"}


def test_arrays_are_the_callers_own(path):
    """They may be written to, and outlive the file."""
    loaded = mlup.load(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert loaded["weight"][1, 2] == 5
    loaded["weight"] += 1
    copy = pickle.loads(pickle.dumps(loaded))
    assert (copy.metadata, copy["weight"].tolist()) == ({"format": "np"}, [[1, 2, 3], [4, 5, 6]])


def test_types_that_numpy_lacks_say_what_to_do():
    data = {"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}
    with pytest.raises(mlup.OptionError, match=r"'a' is of the type F4.*framework=torch"):
        mlup.load(file_of(data, b"xy"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"framework": "jax"}, "expected 'numpy' or 'torch'"),
        ({"framework": 1}, "expected 'numpy' or 'torch'"),
        ({"framework": ["torch"]}, "expected 'numpy' or 'torch'"),
        ({"device": "cpu"}, "framework='torch' as well"),
        ({"backend": "mmap"}, "it takes framework, device"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(path, options, said):
    with pytest.raises(mlup.OptionError, match=said):
        mlup.load(path, options=options)


def test_without_pytorch_the_error_says_so(path, monkeypatch):
    from mlup_safetensors import option_values

    monkeypatch.setattr(option_values, "find_spec", lambda name: None)
    with pytest.raises(mlup.OptionError, match="pip install torch"):
        mlup.load(path, options={"framework": "torch"})
    assert mlup.load(path)


@pytest.mark.parametrize(
    ("entry", "data"),
    [
        ({"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 4]}, b"1234"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, b"1234"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0, 2**63]}, b"1234"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [1, 5]}, b"12345"),
        ({"dtype": "Q8", "shape": [4], "data_offsets": [0, 4]}, b"1234"),
    ],
)
def test_a_header_that_lies_is_an_error(entry, data):
    file = file_of({"a": entry}, data)
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(file, "safetensors")
    assert isinstance(caught.value.__cause__, SafetensorError)


def test_a_file_cut_anywhere_is_an_error(path):
    data = path.read_bytes()
    for length in [*range(24), len(data) // 2, len(data) - 1]:
        with pytest.raises(mlup.ModelBinarizationError):
            mlup.load(data[:length], "safetensors")
        with pytest.raises(mlup.UnknownModelError):
            mlup.load(data[:length])


def test_inspect_says_what_there_is(path):
    report = mlup.inspect(path)
    assert (report.imports, report.operations, report.stopped) == ((), (), "")
    assert "4 tensors (BF16, F32, I64)" in report.notes[0]
    assert mlup.inspect(path.read_bytes()[:-1], "safetensors").stopped


def test_shards_are_loaded_one_by_one(tmp_path):
    for number in (1, 2):
        safetensors.numpy.save_file(
            {f"layer.{number}": np.ones(number)},
            tmp_path / f"model-0000{number}-of-00002.safetensors",
        )
    index = {
        "metadata": {"total_size": 24},
        "weight_map": {
            "layer.1": "model-00001-of-00002.safetensors",
            "layer.2": "model-00002-of-00002.safetensors",
        },
    }
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert mlup.detect(tmp_path).best is None
    assert mlup.detect(tmp_path / "model.safetensors.index.json").best is None
    tensors = {}
    for shard in sorted(tmp_path.glob("*.safetensors")):
        tensors |= mlup.load(shard)
    assert tensors.keys() == {"layer.1", "layer.2"}


def test_mlup_plugins_shows_it_whole():
    info = next(each for each in mlup.plugins() if each.name == "safetensors")
    assert (info.distribution, info.status, info.problem) == ("mlup-safetensors", "ok", None)
    assert (info.extensions, set(info.options)) == ((".safetensors",), {"framework", "device"})
