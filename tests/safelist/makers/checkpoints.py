"""PyTorch: tensors, state dicts and training checkpoints."""

from __future__ import annotations

import io
import random
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from . import Benign

REQUIRES = ("torch", "numpy")

OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop")
OPTIMIZERS += ("Rprop", "SGD", "SparseAdam", "LBFGS", "Adafactor", "Muon")
SCHEDULERS: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 2]},
    "ConstantLR": {},
    "LinearLR": {},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 5},
    "PolynomialLR": {},
    "ReduceLROnPlateau": {},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0},
    "OneCycleLR": {"max_lr": 1.0, "total_steps": 5},
}


def streams(model: Any) -> Iterator[bytes]:
    """Every pickle that ``torch.save`` puts into its two formats."""
    for protocol in (2, 3, 4, 5):
        target = io.BytesIO()
        torch.save(model, target, pickle_protocol=protocol)
        with zipfile.ZipFile(target) as archive:
            name = next(each for each in archive.namelist() if each.endswith("data.pkl"))
            yield archive.read(name)
    target = io.BytesIO()
    torch.save(model, target, _use_new_zipfile_serialization=False)
    yield _main_of_legacy(target.getvalue())


def _main_of_legacy(content: bytes) -> bytes:
    import pickletools

    stream = io.BytesIO(content)
    for _ in range(3):  # the magic number, the protocol and the system
        for _ in pickletools.genops(stream):
            pass
    return content[stream.tell() :]


def _network() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Linear(3, 2)
    )


def _stepped(name: str) -> tuple[Any, Any]:
    network = _network()
    cls = getattr(torch.optim, name)
    parameters = list(network.parameters())
    if name == "SparseAdam":
        network = torch.nn.Embedding(5, 2, sparse=True)
        optimizer = cls(list(network.parameters()))
        network(torch.tensor([1, 2])).sum().backward()
        optimizer.step()
        return network, optimizer
    if name == "Muon":
        parameters = [each for each in parameters if each.ndim == 2]
    if name == "SGD":
        optimizer = cls(parameters, lr=0.1, momentum=0.9)
    elif name in ("Adam", "AdamW"):
        optimizer = cls(parameters, amsgrad=True)
    else:
        optimizer = cls(parameters)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = network(torch.ones(3, 4) * torch.arange(3.0)[:, None]).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return network, optimizer


def _checkpoint(name: str) -> Any:
    network, optimizer = _stepped(name)
    return {
        "epoch": 3,
        "model_state_dict": network.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": 0.25,
        "arguments": {"lr": 0.1, "layers": [4, 3], "name": "net"},
    }


def _scheduled(name: str) -> Any:
    network = _network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **SCHEDULERS[name])
    optimizer.step()
    scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    return {"model": network.state_dict(), "scheduler": scheduler.state_dict()}


def _composed(kind: str) -> Any:
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD(_network().parameters(), lr=0.1)
    parts = [schedulers.ConstantLR(optimizer), schedulers.ExponentialLR(optimizer, 0.9)]
    if kind == "SequentialLR":
        return {"scheduler": schedulers.SequentialLR(optimizer, parts, [2]).state_dict()}
    return {"scheduler": schedulers.ChainedScheduler(parts).state_dict()}


def _training() -> Any:
    network, optimizer = _stepped("Adam")
    average = torch.optim.swa_utils.AveragedModel(network)
    average.update_parameters(network)
    return {
        "state_dict": network.state_dict(),
        "ema": average.state_dict(),
        "optimizer_states": [optimizer.state_dict()],
        "scaler": torch.amp.GradScaler("cpu").state_dict(),
        "best": np.float64(0.5),
        "accuracy": np.float32(0.5),
        "step": np.int64(10),
        "history": np.arange(4.0),
        "rng": torch.get_rng_state(),
        "numpy_rng": np.random.RandomState(0).get_state(),
        "generator": np.random.default_rng(0).bit_generator.state,
        "python_rng": random.Random(0).getstate(),
        "size": network[0].weight.shape,
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "hyper_parameters": OrderedDict(lr=0.1, betas=(0.9, 0.99)),
        "classes": {"a", "b"},
    }


def _tensors() -> dict[str, Any]:
    kinds = (
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "complex64",
        "complex128",
        "uint8",
        "int8",
    )
    kinds += ("int16", "int32", "int64", "bool", "uint16", "uint32", "uint64", "complex32")
    kinds += ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
    cases: dict[str, Any] = {
        f"tensor {kind}": torch.zeros(2, 3).to(getattr(torch, kind)) for kind in kinds
    }
    matrix = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    shared = torch.arange(10.0)
    cases |= {
        "tensor empty": torch.empty(0, 3),
        "tensor of one": torch.tensor(1.5),
        "tensor strided": matrix.t(),
        "tensors sharing": [shared[:4], shared[2:]],
        "tensor requiring gradients": torch.ones(2, requires_grad=True),
        "Parameter": torch.nn.Parameter(matrix.clone()),
        "Parameter frozen": torch.nn.Parameter(matrix.clone(), requires_grad=False),
        "ParameterList": torch.nn.ParameterList([torch.nn.Parameter(matrix.clone())]).state_dict(),
        "Buffer": torch.nn.Buffer(matrix.clone()),
        "tensor coo": matrix.to_sparse(),
        "tensor csr": matrix.to_sparse_csr(),
        "tensor csc": matrix.to_sparse_csc(),
        "tensor bsr": torch.eye(4).to_sparse_bsr((2, 2)),
        "tensor bsc": torch.eye(4).to_sparse_bsc((2, 2)),
        "tensor meta": torch.ones(2, device="meta"),
        "tensor conjugate": torch.ones(2, dtype=torch.complex64).conj(),
        "tensor negative": torch.ones(2, dtype=torch.complex64).conj().imag,
        "tensor with an attribute": _with_attribute(matrix.clone()),
        "tensor nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "tensor jagged": torch.nested.nested_tensor(
            [torch.ones(2, 2), torch.ones(3, 2)], layout=torch.jagged
        ),
        "Parameter with an attribute": _with_attribute(torch.nn.Parameter(matrix.clone())),
        "storage": torch.ones(3).untyped_storage(),
        "storage typed": _typed(),
        "Size": torch.Size([1, 2]),
        "devices": [torch.device("cpu"), torch.device("cuda", 0), torch.device("cuda:1")],
        "dtypes": [getattr(torch, kind) for kind in kinds],
        "layouts": [torch.strided, torch.sparse_coo, torch.sparse_csr],
        "tensors": {"a": torch.ones(1), "b": [torch.ones(1)]},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases["tensor quantized"] = torch.quantize_per_tensor(matrix, 0.1, 0, torch.qint8)
        cases["tensor quantized unsigned"] = torch.quantize_per_tensor(matrix, 0.1, 0, torch.quint8)
        cases["tensor quantized wide"] = torch.quantize_per_tensor(matrix, 0.1, 0, torch.qint32)
        cases["tensor quantized by channel"] = torch.quantize_per_channel(
            matrix, torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8
        )
    return cases


def _with_attribute(tensor: Any) -> Any:
    tensor.origin = "layer"
    return tensor


def _typed() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.FloatStorage([1.0, 2.0])


def _said(value: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return repr(value)


def models() -> Iterator[Benign]:
    for name, value in _tensors().items():
        yield Benign(f"torch {name}", partial(_same, value), _said)
    yield Benign("torch state dict", lambda: _network().state_dict(), _said)
    for name in OPTIMIZERS:
        if hasattr(torch.optim, name):
            yield Benign(f"torch checkpoint of {name}", partial(_checkpoint, name), _said)
    for name in SCHEDULERS:
        yield Benign(f"torch checkpoint of {name}", partial(_scheduled, name), _said)
    for name in ("SequentialLR", "ChainedScheduler"):
        yield Benign(f"torch checkpoint of {name}", partial(_composed, name), _said)
    yield Benign("torch training", _training, _said)


def _same(value: Any) -> Any:
    return value
