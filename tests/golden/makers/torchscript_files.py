"""``torchscript/``: scripted, traced, frozen, lite, and packed again by other programs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch

from makers.book import Book, finite
from makers.torch_files import source
from makers.zips import rezipped, zipped

TORCH = f"torch {torch.__version__}"
_NEW_RECORDS = ("byteorder", ".data/serialization_id")


def make(book: Book) -> None:
    """Write the folder."""
    torch.manual_seed(4)
    with mock.patch("torch._sources.get_source_lines_and_file", source):
        _make(book)


def _make(book: Book) -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Sigmoid()).eval()
    image = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).eval()
    rows, picture = torch.ones(2, 3), torch.ones(1, 1, 5, 5)
    scripted, traced = torch.jit.script(layers), torch.jit.trace(layers, rows)

    def put(name: str, content: bytes | Callable[[str], object], given: Any, **more: Any) -> None:
        producer = more.pop("producer", TORCH)
        finer = more.pop("format", "torchscript")
        book.add(name, "torch-jit", finer, producer, content, check=_tried(given), **more)

    put("scripted.pt", scripted.save, (rows,))
    put("scripted_again", scripted.save, (rows,))
    put("traced.torchscript", traced.save, (rows,))
    put("conv.pth", torch.jit.trace(image, picture).save, (picture,))
    put("cell.pt", torch.jit.script(torch.nn.GRUCell(3, 2)).save, (rows,))
    put("embedding.bin", torch.jit.script(torch.nn.Embedding(4, 2)).save, (torch.tensor([1]),))
    frozen = torch.jit.freeze(torch.jit.script(image))
    put("frozen.pt", frozen.save, (picture,), notes="torch.jit.freeze: weights are constants")
    note = "no parameter: the first record is data.pkl, as in torch.save's files"
    put("no_parameters.pt", torch.jit.script(torch.nn.Softmax(1)).save, (rows,), notes=note)
    traced_function = torch.jit.trace(lambda x: x * 2 + 1, rows)
    put("function.pt", traced_function.save, (rows,), notes="a function, no module")
    half = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 2)).to(torch.bfloat16))
    put("bfloat16.onnx", half.save, (rows.to(torch.bfloat16),))

    # Names that end up inside: the top folder is called after the file.
    for name in ("data.pkl", "data.pt", "archive_format.pt", "model.json", "v1.keras"):
        put(name, scripted.save, (rows,), notes="the archive's top folder is called after the file")

    def with_extra_files(path: str) -> None:
        extra = {"labels.json": '["a", "b"]', "model.onnx": "no model"}
        torch.jit.save(scripted, path, _extra_files=extra)

    put("extra_files.pt", with_extra_files, (rows,))
    lite = scripted._save_for_lite_interpreter
    put("lite.ptl", lite, (rows,), format="torch-lite")
    put("lite_conv", frozen._save_for_lite_interpreter, (picture,), format="torch-lite")
    flat = scripted._save_to_buffer_for_lite_interpreter(_use_flatbuffer=True)
    flatbuffer: dict[str, Any] = {
        "format": "torch-lite-flatbuffer",
        "acceptable": ("none",),  # issue 3 asks for archives only
        "notes": "PTMF at byte 4; torch.jit.load opens it",
    }
    put("flat.ptl", flat, (rows,), **flatbuffer)

    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    data, anew = buffer.getvalue(), f"{TORCH}, packed again by zipfile"
    deflated = rezipped(data, zipfile.ZIP_DEFLATED)
    put("deflated.pt", deflated, (rows,), producer=anew)
    sorted_names = rezipped(data, zipfile.ZIP_DEFLATED, key=str)
    put("by_name.zip", sorted_names, (rows,), producer=anew)
    backwards = rezipped(data, key=lambda name: [-ord(letter) for letter in name])
    put("backwards.pt", backwards, (rows,), producer=anew)
    folders = rezipped(data, before=[("archive/", ""), ("archive/code/", "")])
    put("with_folders.pt", folders, (rows,), producer=anew)
    commented = rezipped(data, comment=b"exported on Monday. " * 8)
    put("with_comment.pt", commented, (rows,), producer=anew, notes="the comment fills the end")
    put("as_1_0.pt", _as_old(data), (rows,), producer=anew, notes="no debug, no byteorder records")


def _as_old(data: bytes) -> bytes:
    """``version`` first, no debug records and none of today's: the order of PyTorch 1.x."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [n for n in archive.namelist() if n.split("/", 1)[1] not in _NEW_RECORDS]
        names = [n for n in names if not n.endswith(".debug_pkl")]
        names.sort(key=lambda n: (not n.endswith("/version"), "/code/" not in n, n))
        members: list[tuple[str, bytes | str]] = [(n, archive.read(n)) for n in names]
    return zipped(members, zipfile.ZIP_STORED)


def _tried(given: tuple[Any, ...]) -> Callable[[str], Any]:
    def check(path: str) -> Any:
        loaded = torch.jit.load(path, map_location="cpu")
        result = loaded(*given)
        result = result[0] if isinstance(result, tuple) else result
        finite(result.detach().float().numpy())
        return loaded

    return check
