"""``torch/``: what ``torch.save`` writes, in both its formats, and what only looks like it."""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch._sources import get_source_lines_and_file

from makers.book import Book, finite
from makers.zips import rezipped

TORCH = f"torch {torch.__version__}"
LEGACY = f"{TORCH}, _use_new_zipfile_serialization=False"


def make(book: Book) -> None:
    """Write the folder."""
    torch.manual_seed(3)
    values = objects()

    def put(name: str, content: Any, format: str = "torch-zip", **more: Any) -> None:
        data = content if isinstance(content, bytes) else saved(content)
        producer = more.pop("producer", LEGACY if format == "torch-legacy" else TORCH)
        book.add(name, "torch", format, producer, data, check=_tried, **more)

    for name, kind in (
        ("lstm.pt", "lstm"),
        ("layers.pth", "layers"),
        ("lightning.ckpt", "lightning"),
        ("training.pth.tar", "training"),
        ("transformer.model", "transformer"),
        ("embedding", "embedding"),
        ("kinds.bin", "kinds"),
        ("sparse.pkl", "sparse"),
        ("shared.npz", "shared"),
        ("parameter.weights", "parameter"),
        ("settings.onnx", "settings"),
        ("traced_by_fx.h5", "graph"),
        ("float8.pt", "float8"),
    ):
        put(name, values[kind])
        if kind not in ("transformer", "graph", "float8"):  # too long; not legacy
            legacy = saved(values[kind], _use_new_zipfile_serialization=False)
            put(f"legacy_{name}", legacy, "torch-legacy")
    for protocol in (3, 4, 5):
        data = saved(values["layers"], pickle_protocol=protocol)
        put(f"layers_p{protocol}.pt", data)
        old = {"_use_new_zipfile_serialization": False, "pickle_protocol": protocol}
        put(f"legacy_layers_p{protocol}.pt", saved(values["layers"], **old), "torch-legacy")

    _under_names(book, values["layers"])
    _with_settings(put, values["layers"])
    _written_anew(put, saved(values["layers"]))
    plain = pickle.dumps(values["training"], 4)
    book.add(
        "plain_pickle.pt",
        "pickle",
        "pickle-p4",
        f"pickle, {TORCH}",
        plain,
        check=lambda path: pickle.loads(plain),
        acceptable=("joblib",),
        notes="a pickle of tensors, each of which holds a legacy torch file",
    )
    _not_models(book, values)


def objects() -> dict[str, Any]:
    """What people save, small."""
    layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.1, momentum=0.9)
    layers(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    weight = torch.arange(6.0)
    lightning = {
        "epoch": 1,
        "global_step": 20,
        "pytorch-lightning_version": "2.6.0",
        "state_dict": {f"model.{name}": each for name, each in layers.state_dict().items()},
        "hyper_parameters": {"lr": 0.1, "classes": ["a", "b"]},
    }
    return {
        "lstm": torch.nn.LSTM(3, 2).state_dict(),
        "layers": layers.state_dict(),
        "lightning": lightning,
        "training": {
            "model": layers.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state()[:64],
        },
        "transformer": torch.nn.TransformerEncoderLayer(4, 2, 8),
        "embedding": torch.nn.Embedding(5, 3),
        "kinds": {
            "complex": torch.ones(2, dtype=torch.complex64),
            "mask": torch.tensor([True, False]),
            "whole": torch.arange(4, dtype=torch.int16),
            "none": torch.empty(0),
        },
        "float8": {"w": torch.ones(3).to(torch.float8_e4m3fn)},
        "sparse": torch.eye(3).to_sparse(),
        "shared": collections.OrderedDict(a=weight, b=weight[2:], c=weight.view(2, 3)),
        "parameter": torch.nn.Parameter(weight),
        "settings": {"size": 3, "name": "no tensor here"},
        "graph": torch.fx.symbolic_trace(layers),
    }


def saved(value: Any, **how: Any) -> bytes:
    """The bytes of ``torch.save``."""
    buffer = io.BytesIO()
    with mock.patch("torch.serialization.get_source_lines_and_file", source):
        torch.save(value, buffer, **how)
    return buffer.getvalue()


def source(kind: Any, *more: Any) -> tuple[list[str], int, str | None]:
    """As PyTorch's own, but without the folder in which PyTorch is installed on this machine."""
    lines, at, path = get_source_lines_and_file(kind, *more)
    if path is None or "/torch/" not in path:
        return lines, at, path
    return lines, at, path[path.rindex("/torch/") + 1 :]


def _under_names(book: Book, state: Any) -> None:
    """PyTorch names the archive's top folder after the file, whatever that is called."""
    for name in (
        "code.pt",
        "constants.pkl.pt",
        "bytecode.pkl.pt",
        "extra_names/models.archive_format",
        "config.json.pt",
        "schema.json",
        "metadata.json.bin",
        "model.weights.h5",
        "Weights №3.pt",
        "v1.0.2",
    ):
        book.add(
            name,
            "torch",
            "torch-zip",
            TORCH,
            lambda path: torch.save(state, path),
            check=_tried,
            notes="the archive's top folder is called after the file",
        )


def _with_settings(put: Any, state: Any) -> None:
    from torch.utils.serialization import config

    config.save.storage_alignment = 4096
    put("aligned_4096.pt", state, notes="records are aligned to 4096 bytes by long extra fields")
    config.save.storage_alignment = 64
    torch.serialization.set_crc32_options(False)
    put("no_crc.pt", state, notes="set_crc32_options(False)")
    torch.serialization.set_crc32_options(True)
    with torch.serialization.skip_data():
        put("skipped_data.pt", state, notes="skip_data(): the tensors' bytes are zeros")
    many = {f"block.{at}.bias": torch.zeros(1) for at in range(90)}
    put("many_tensors.ckpt", many, notes="a directory of 97 records")


def _written_anew(put: Any, data: bytes) -> None:
    """Archives that were unpacked and packed again by other programs."""
    anew = f"{TORCH}, packed again by zipfile"
    put("deflated.pt", rezipped(data, zipfile.ZIP_DEFLATED), producer=anew)
    put(
        "bytes_first.pt",
        rezipped(data, key=lambda name: ("data/" not in name, name)),
        producer=anew,
    )
    put("by_name.zip", rezipped(data, zipfile.ZIP_DEFLATED, key=str), producer=anew)
    with_folder = rezipped(data, before=[("archive/", ""), ("archive/data/", "")])
    put("with_folders.pt", with_folder, producer=anew, notes="folders have entries of their own")
    commented = rezipped(data, comment=b"trained on Sunday. " * 9)
    put("with_comment.pt", commented, producer=anew, notes="the comment fills the last 100 bytes")
    elsewhere = rezipped(data, rename=lambda name: name.replace("archive/", "my model/"))
    put("other_folder.zip", elsewhere, producer=anew)
    few = rezipped(data, key=str, rename=lambda name: name)
    with zipfile.ZipFile(io.BytesIO(few)) as archive:
        keep = [n for n in archive.namelist() if n.split("/", 1)[1] not in _NEW_RECORDS]
        from makers.zips import zipped

        old = zipped([(n, archive.read(n)) for n in keep], zipfile.ZIP_STORED)
    put("as_1_6.pt", old, producer=anew, notes="only the records that torch 1.6 wrote")


_NEW_RECORDS = (".format_version", ".storage_alignment", "byteorder", ".data/serialization_id")


def _not_models(book: Book, values: dict[str, Any]) -> None:
    """Other things that PyTorch writes."""
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()).eval()
    program = torch.export.export(layers, (torch.ones(1, 2),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine

    def export(path: str) -> None:
        buffer = io.BytesIO()
        torch.export.save(program, buffer)
        with open(path, "wb") as stream:
            stream.write(buffer.getvalue())

    def exported(path: str) -> Any:
        with open(path, "rb") as stream:
            return torch.export.load(stream)

    for name in ("exported.pt2", "exported.pt", "exported"):
        book.add(name, "torch-export", "torch-pt2", TORCH, export, check=exported)

    def package(path: str) -> None:
        with torch.package.PackageExporter(path) as exporter:
            exporter.extern("**")
            exporter.save_pickle("model", "model.pkl", {"weights": torch.ones(2)})
            exporter.save_text("model", "card.txt", "a small model")

    def unpacked(path: str) -> Any:
        return torch.package.PackageImporter(path).load_pickle("model", "model.pkl")

    for name in ("packaged.pt", "packaged"):
        book.add(name, "none", "torch-package", TORCH, package, check=unpacked)

    def distributed(path: str) -> None:
        import torch.distributed.checkpoint as checkpoint

        checkpoint.save({"w": torch.ones(4)}, checkpoint_id=path)

    book.add("distributed", "none", "torch-dcp", TORCH, distributed, notes="a folder of shards")


def _tried(path: str) -> Any:
    loaded = torch.load(path, map_location="cpu", weights_only=False)
    for each in loaded.values() if isinstance(loaded, dict) else [loaded]:
        if isinstance(each, torch.Tensor) and each.dtype in (torch.float32, torch.float64):
            finite(each.detach().to_dense().numpy())
    if isinstance(loaded, torch.nn.Module):
        if isinstance(loaded, torch.nn.Embedding):
            given = torch.from_numpy(np.arange(3))
        else:
            given = torch.ones(2, 4 if isinstance(loaded, torch.nn.TransformerEncoderLayer) else 3)
        finite(loaded.eval()(given).detach().numpy())
    return loaded
