"""From a file to what ``torch.save`` was given."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import mlup
from mlup import probe
from mlup_torch.devices import chosen_location
from mlup_torch.marks import ZIP


def load(file: mlup.LoadedFile) -> object:
    """What was saved; a module in ``eval()``.

    Raises:
        OptionError: an option's value cannot be used, at all or with this file.
    """
    import torch

    location = chosen_location(file.options.get("map_location"))
    mmap = file.options.get("mmap") or False
    if not isinstance(mmap, bool):
        raise mlup.OptionError(f"mmap={mmap!r}: expected True or False.")
    with _path(file) if mmap else _source(file) as source:
        if mmap:
            _check_mappable(str(source), file.label)
        loaded: Any = torch.load(source, map_location=location, mmap=mmap, weights_only=False)
    return loaded.eval() if isinstance(loaded, torch.nn.Module) else loaded


@contextlib.contextmanager
def _source(file: mlup.LoadedFile) -> Iterator[str | BinaryIO]:
    """A path, or a stream that torch reads rightly."""
    raw = file.raw_data
    if file.on_disk is None and (not hasattr(raw, "read") or _read_rightly(raw)):
        with file.open() as stream:
            yield stream
    else:
        with _path(file) as path:
            yield path


def _read_rightly(stream: object) -> bool:
    """Whether a stream's ``fileno()``, if it has one, is that of the bytes that it reads.

    Torch reads from there: of a ``BZ2File``, buffered once more or not, the compressed bytes.
    """
    if type(stream) in (io.BufferedReader, io.BufferedRandom):
        return type(stream.raw) is io.FileIO  # type: ignore[attr-defined]
    return type(stream) in (io.BytesIO, io.FileIO)


@contextlib.contextmanager
def _path(file: mlup.LoadedFile) -> Iterator[str]:
    """A path whose ending does not make torch choose another format's reader."""
    with file.as_path() as path:
        if not path.endswith(".safetensors"):
            yield path
        else:
            with mlup.LoadedFile(path=path).as_path(".pt") as link:
                yield link


def _check_mappable(path: str, label: str) -> None:
    """Torch maps compressed records as if they were tensors, without a word.

    Raises:
        OptionError: the file is no archive, or its tensors are compressed.
    """
    with open(path, "rb") as stream:
        zipped = stream.read(len(ZIP)) == ZIP
    if not zipped:
        raise mlup.OptionError(
            f"{label} cannot be loaded with mmap=True: it is no zip archive, as PyTorch writes "
            "them since 1.6. Load it without mmap, or save it again with torch.save."
        )
    directory = probe.zip_directory(path)
    if directory is not None and any(record.method for record in directory.records):
        raise mlup.OptionError(
            f"{label} cannot be loaded with mmap=True: its records are compressed. Load it "
            "without mmap, or save it again with torch.save."
        )
