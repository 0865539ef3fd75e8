"""PyTorch: full modules, every class of ``torch.nn`` that can be built."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.utils import prune

from . import Benign
from .checkpoints import streams

REQUIRES = ("torch",)
__all__ = ["models", "streams"]

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "AdaptiveLogSoftmaxWithLoss": (4, 6, [2, 4]),
    "Bilinear": (2, 3, 4),
    "ConstantPad1d": (1, 0.5),
    "ConstantPad2d": (1, 0.5),
    "ConstantPad3d": (1, 0.5),
    "Embedding": (5, 3),
    "EmbeddingBag": (5, 3),
    "Flatten": (),
    "Fold": ((4, 4), 2),
    "FractionalMaxPool2d": (2, 3),
    "FractionalMaxPool3d": (2, 3),
    "GRU": (2, 3, 2),
    "GRUCell": (2, 3),
    "GroupNorm": (2, 4),
    "LPPool1d": (2, 3),
    "LPPool2d": (2, 3),
    "LPPool3d": (2, 3),
    "LSTM": (2, 3, 2),
    "LSTMCell": (2, 3),
    "LayerNorm": (4,),
    "Linear": (4, 3),
    "LinearCrossEntropyLoss": (4, 3),
    "MultiheadAttention": (4, 2),
    "PixelShuffle": (2,),
    "PixelUnshuffle": (2,),
    "RNN": (2, 3),
    "RNNBase": ("LSTM", 2, 3),
    "RNNCell": (2, 3),
    "RNNCellBase": (2, 3, True, 1),
    "RMSNorm": (4,),
    "Threshold": (0.1, 20.0),
    "Transformer": (4, 2, 1, 1, 8),
    "TransformerDecoderLayer": (4, 2, 8),
    "TransformerEncoderLayer": (4, 2, 8),
    "Unflatten": (1, (2, 2)),
    "NLLLoss2d": (),
    "CrossMapLRN2d": (2,),
    "LocalResponseNorm": (2,),
    "ChannelShuffle": (2,),
    "Module": (),
    "ModuleDict": (),
    "ModuleList": (),
    "ParameterDict": (),
    "ParameterList": (),
    "Sequential": (),
    "Identity": (),
}
PADDED = ("ReflectionPad", "ReplicationPad", "ZeroPad", "CircularPad")
POOLS = ("MaxPool", "AvgPool", "MaxUnpool", "AdaptiveAvgPool", "AdaptiveMaxPool")
NORMS = ("BatchNorm", "InstanceNorm")
INPUTS: dict[str, tuple[int, ...]] = {"Linear": (2, 4), "Conv1d": (1, 2, 6), "Conv2d": (1, 2, 6, 6)}


def _built(name: str) -> Any:
    cls = getattr(nn, name)
    if name in ARGUMENTS:
        return cls(*ARGUMENTS[name])
    if name == "TransformerEncoder":
        return cls(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2)
    if name == "TransformerDecoder":
        return cls(nn.TransformerDecoderLayer(4, 2, 8), 2)
    if name == "Container":
        return cls()
    if name.startswith("LazyConv"):
        return cls(3, 2)
    if name == "LazyLinear":
        return cls(3)
    if name.startswith("Conv"):
        return cls(2, 3, 2)
    if name.startswith((*PADDED, *POOLS, "Unfold")):
        return cls(2)
    if name == "SyncBatchNorm" or name.startswith(NORMS):
        return cls(4)
    if name == "DataParallel":
        return cls(nn.Linear(4, 3))
    if name.endswith("Upsample") or name.startswith("Upsampling"):
        return cls(scale_factor=2)
    if name == "TripletMarginWithDistanceLoss":
        return cls(distance_function=nn.PairwiseDistance())
    return cls()


def _classes() -> Iterator[str]:
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not isinstance(cls, type) or not issubclass(cls, nn.Module):
            continue
        if name not in ("Container", "DistributedDataParallel"):
            yield name


def _containers() -> dict[str, Any]:
    hooked = nn.Linear(4, 3)
    pair = nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(3, 2))
    shared = nn.Linear(4, 4)
    return {
        "Sequential": pair,
        "Sequential evaluated": nn.Sequential(nn.Linear(4, 3), nn.Tanh()).eval(),
        "ModuleList": nn.ModuleList([nn.Linear(2, 2), nn.ReLU()]),
        "ModuleDict": nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.GELU()}),
        "ParameterList": nn.ParameterList([torch.ones(2)]),
        "ParameterDict": nn.ParameterDict({"a": torch.ones(2)}),
        "sharing": nn.Sequential(shared, nn.ReLU(), shared),
        "frozen": hooked.requires_grad_(False),
        "double": nn.Linear(4, 3).double(),
        "half": nn.Linear(4, 3).half(),
        "meta": nn.Linear(4, 3, device="meta"),
        "with gradients": _with_gradients(),
        "convolutions": nn.Sequential(
            nn.Conv2d(2, 3, 3, padding="same"),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(3, 2),
            nn.LogSoftmax(dim=1),
        ),
        "recurrent": nn.ModuleList([nn.Embedding(5, 4), nn.LSTM(4, 3, 2, bidirectional=True)]),
        "transformer": nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 8, activation="gelu"), 1, enable_nested_tensor=False
        ),
        "transformer of functions": nn.TransformerEncoderLayer(
            4, 2, 8, activation=nn.functional.silu
        ),
        "optimizer": torch.optim.Adam(nn.Linear(2, 2).parameters()),
        "model and optimizer": _model_and_optimizer(),
        "AveragedModel": torch.optim.swa_utils.AveragedModel(nn.Linear(4, 3)),
        "TensorDataset": torch.utils.data.TensorDataset(torch.ones(3, 2), torch.ones(3)),
        "Subset": torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.ones(3)), [0, 2]),
        "ConcatDataset": torch.utils.data.ConcatDataset(
            [torch.utils.data.TensorDataset(torch.ones(3))]
        ),
        "functions": [
            nn.functional.relu,
            nn.functional.gelu,
            torch.tanh,
            torch.sigmoid,
            torch.relu,
        ],
        "classes": [nn.Linear, nn.ReLU, torch.Tensor, torch.optim.Adam],
    }


def _with_gradients() -> Any:
    module = nn.Linear(4, 3)
    module(torch.ones(2, 4)).sum().backward()
    return module


def _model_and_optimizer() -> Any:
    module = nn.Sequential(nn.Linear(4, 3))
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    module(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    return {"model": module, "optimizer": optimizer, "epoch": 1}


def _optimizers() -> Iterator[tuple[str, Any]]:
    from .checkpoints import OPTIMIZERS, _stepped

    for name in OPTIMIZERS:
        if hasattr(torch.optim, name):
            yield f"optimizer {name}", partial(lambda name: _stepped(name)[1], name)


def _schedulers() -> Iterator[tuple[str, Any]]:
    from .checkpoints import SCHEDULERS

    def scheduler(name: str) -> Any:
        optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
        return getattr(torch.optim.lr_scheduler, name)(optimizer, **SCHEDULERS[name])

    for name in SCHEDULERS:
        yield f"scheduler {name}", partial(scheduler, name)


def _normed(kind: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "weight_norm":
            return nn.utils.weight_norm(nn.Linear(4, 3))
        if kind == "spectral_norm":
            return nn.utils.spectral_norm(nn.Linear(4, 3))
        module = nn.Linear(4, 3)
        prune.l1_unstructured(module, "weight", amount=2)
        return module


def _quantized(kind: str) -> Any:
    from torch.ao import quantization

    torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "dynamic":
            module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.LSTM(3, 2))
            return quantization.quantize_dynamic(module, {nn.Linear, nn.LSTM}, torch.qint8)
        if kind == "stubs":
            return nn.Sequential(
                quantization.QuantStub(), nn.Linear(4, 3), quantization.DeQuantStub()
            )
        module = nn.Sequential(
            quantization.QuantStub(), nn.Conv2d(2, 3, 2), nn.ReLU(), quantization.DeQuantStub()
        ).eval()
        module.qconfig = quantization.default_qconfig
        if kind == "fused":
            module = quantization.fuse_modules(module, [["1", "2"]])
        prepared = quantization.prepare(module)
        prepared(torch.ones(1, 2, 4, 4))
        return quantization.convert(prepared)


def _use(module: Any) -> Any:
    if isinstance(module, nn.Module):
        weights = {name: repr(value) for name, value in module.state_dict().items()}
        return repr(module), weights
    return repr(module)


def models() -> Iterator[Benign]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _classes():
            yield Benign(f"nn.{name}", partial(_built, name), _use)
        for name, value in _containers().items():
            yield Benign(f"torch module {name}", partial(_same, value), _use)
        for name, make in (*_optimizers(), *_schedulers()):
            yield Benign(f"torch {name}", make, type)
        for kind in ("weight_norm", "spectral_norm", "pruned"):
            yield Benign(f"torch module {kind}", partial(_normed, kind), _use)
        for kind in ("dynamic", "stubs", "static", "fused"):
            yield Benign(f"torch module quantized {kind}", partial(_quantized, kind), _use)


def _same(value: Any) -> Any:
    return value
