"""From a file to what ``torch.save`` was given."""

from __future__ import annotations

import contextlib
import io
import pickle
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import mlup
from mlup import probe
from mlup.loaded_file import opened_path
from mlup_torch.devices import chosen_location
from mlup_torch.marks import ZIP

_OF_WEIGHTS: Final = 2  # the only protocol that torch's reader of weights reads without warning


def load(file: mlup.LoadedFile) -> object:
    """What was saved; a module in ``eval()``.

    Raises:
        UnsafeModelError: it names or does what it may not.
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
        options = {"map_location": location, "mmap": mmap}
        loaded: Any
        if file.trust:
            loaded = torch.load(source, weights_only=False, **options)
        else:
            loaded = _load_safely(file, source, options)
    if isinstance(loaded, torch.nn.Module):
        with contextlib.suppress(AttributeError):  # quantized modules come back without _modules
            loaded.eval()
    return loaded


def _load_safely(file: mlup.LoadedFile, source: str | BinaryIO, options: dict[str, Any]) -> Any:
    """As weights alone, and where there is more in it, through the hardened unpickler."""
    from mlup_safepickle import Refused, refuse

    try:
        if not isinstance(source, str):
            return _load_stream(file, source, None, options)
        with open(source, "rb") as stream:
            return _load_stream(file, stream, source if options["mmap"] else None, options)
    except Refused as refused:
        from mlup_torch.inspecting import inspect

        raise refuse(refused, file, "torch", lambda: inspect(file)) from refused


def _load_stream(
    file: mlup.LoadedFile, stream: BinaryIO, mapped: str | None, options: dict[str, Any]
) -> Any:
    """What is checked is loaded: all of it is read from one open file, which ``mapped`` is a path to."""
    import torch

    from mlup_safepickle import size_of
    from mlup_torch.containers import (
        NoTorchFileError,
        check_container,
        check_no_script,
        check_records,
    )
    from mlup_torch.hardened import Pickling

    start, size = stream.tell(), size_of(stream)
    zipped = stream.read(len(ZIP)) == ZIP
    stream.seek(start)
    # Of the format before 1.6, nothing is loaded as weights alone: its sparse tensors would have to
    # be looked for in what comes out.
    protocol, plain = 0, False
    try:
        check_container(stream, size)
        if zipped:
            protocol, plain = check_records(stream, size)
    except NoTorchFileError as error:
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by torch: {error}."
        ) from error
    source = stream if mapped is None else opened_path(stream, mapped)
    if protocol == _OF_WEIGHTS and plain:
        try:
            return torch.load(source, weights_only=True, **options)
        except pickle.UnpicklingError:  # it holds more than weights
            stream.seek(start)
    pickling: Any = Pickling(file.allow, size)
    check_no_script(stream)
    loaded = torch.load(source, pickle_module=pickling, weights_only=False, **options)
    pickling.check()
    return loaded


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
