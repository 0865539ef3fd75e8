"""``framework="torch"``. PyTorch is not among what the plugin needs, so neither is it for its other tests."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

import mlup

torch = pytest.importorskip("torch")
import safetensors.torch  # noqa: E402 - it imports torch
from safetensors import SafetensorError  # noqa: E402

OF_BYTES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
    "BOOL": torch.bool, "C64": torch.complex64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz, "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "F8_E8M0": torch.float8_e8m0fnu,
}  # fmt: skip


def file_of(entries: dict, data: bytes) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture
def path(tmp_path):
    tensors = {
        "weight": torch.arange(6.0).reshape(2, 3),
        "bias": torch.ones(3, dtype=torch.bfloat16),
        "scalar": torch.tensor(2),
        "empty": torch.zeros(0, 4),
    }
    safetensors.torch.save_file(tensors, tmp_path / "m.safetensors", metadata={"format": "pt"})
    return tmp_path / "m.safetensors"


def sources(path):
    yield path
    yield path.read_bytes()
    yield io.BytesIO(path.read_bytes())


def test_it_gives_pytorchs_tensors(path):
    written = safetensors.torch.load_file(path)
    for options in ({"framework": "torch"}, {"framework": "pt", "device": "cpu"}):
        for source in sources(path):
            loaded = mlup.load(source, options=options)
            assert loaded.keys() == written.keys()
            for name, each in loaded.items():
                assert each.dtype == written[name].dtype
                assert torch.equal(each, written[name])
            assert loaded.metadata == {"format": "pt"}


def test_a_module_takes_them(tmp_path):
    module = torch.nn.Linear(3, 2)
    safetensors.torch.save_model(module, str(tmp_path / "m"))
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(mlup.load(tmp_path / "m", options={"framework": "torch"}))
    assert torch.equal(other(torch.ones(3)), module(torch.ones(3)))


@pytest.mark.parametrize("dtype", OF_BYTES)
def test_every_type_is_what_pytorch_takes_it_for(dtype):
    kind = OF_BYTES[dtype]
    data = bytes([0, 0x3C, 0x40, 0x38, 1, 0, 0x44, 0x41]) * 2
    if dtype == "BOOL":
        data = bytes([0, 1] * 8)
    count = len(data) // kind.itemsize
    file = file_of({"a": {"dtype": dtype, "shape": [count], "data_offsets": [0, len(data)]}}, data)
    array, tensor = mlup.load(file)["a"], mlup.load(file, options={"framework": "torch"})["a"]
    assert tensor.dtype == kind
    assert array.tobytes() == data
    if kind.is_complex:
        assert array.tolist() == tensor.tolist()
    else:
        assert np.array_equal(array.astype(np.float64), tensor.double().numpy(), equal_nan=True)


def test_types_of_less_than_a_byte_are_pytorchs_alone():
    data = {"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}
    loaded = mlup.load(file_of(data, b"xy"), options={"framework": "torch"})
    assert loaded["a"].dtype == torch.float4_e2m1fn_x2


@pytest.mark.parametrize("device", ["gpu", [], "cpu:x"])
def test_a_device_that_is_none_is_said(path, device):
    with pytest.raises(mlup.OptionError, match="such as 'cpu' or 'cuda:0'"):
        mlup.load(path, options={"framework": "torch", "device": device})


@pytest.mark.parametrize("offsets", [[0, 8], [1, 5], [0, 2**63]])
def test_a_header_that_lies_is_an_error(offsets):
    entry = {"dtype": "F32", "shape": [1], "data_offsets": offsets}
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(file_of({"a": entry}, b"1234"), "safetensors", options={"framework": "torch"})
    assert isinstance(caught.value.__cause__, SafetensorError)
