"""From a file to a ``ScriptModule``, with a look at what it would run; and that look alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import mlup
from mlup_torch.script_checking import ScriptFile, collect, refuse_unsafe, report
from mlup_torch.script_source import Uses

_FLATBUFFER: Final = b"PTMF"
"""What stands at byte 4 of a flatbuffer of the lite interpreter; ``torch.jit.load`` takes it too."""

_NOT_CHECKED: Final = "it is a flatbuffer of the lite interpreter, whose operations are not checked"


def load(file: mlup.LoadedFile) -> Any:
    """The module, in ``eval()``.

    Raises:
        UnsafeModelError: it would do more than compute, or hides what it does.
        OptionError: ``map_location`` is no device.
    """
    from mlup_torch.devices import chosen_device

    device = chosen_device(file.options.get("map_location"))
    with file.as_path() as path:
        if file.trust:
            return _loaded(path, device)
        with open(path, "rb") as stream:
            if _is_flatbuffer(stream):
                raise mlup.UnsafeModelError(_NOT_CHECKED, path=file.label, binarizer="torch-jit")
            with _same_file(stream) as same:
                uses = Uses(set(), set())
                collect(_by_torch(same, stream), uses)
                refuse_unsafe(uses, file)
                return _loaded(same, device)


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """What it would run, without torch."""
    uses = Uses(set(), set())
    notes = []
    with file.open() as stream:
        if _is_flatbuffer(stream):
            return mlup.Report(notes=(f"refused: {_NOT_CHECKED}",))
        try:
            collect(_by_zipfile(stream), uses)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            notes.append(f"the archive is damaged, and was read no further: {error}")
        except Exception as error:  # zlib's and struct's errors
            notes.append(f"the archive is damaged, and was read no further: {error!r}")
    return report(uses, file, notes)


def _loaded(path: str, device: Any) -> Any:
    import torch

    module: Any = torch.jit.load(path, map_location=device)
    return module.eval()


def _is_flatbuffer(stream: BinaryIO) -> bool:
    start = stream.tell()
    head = stream.read(8)
    stream.seek(start)
    return head[4:] == _FLATBUFFER


@contextlib.contextmanager
def _same_file(stream: BinaryIO) -> Iterator[str]:
    """A path that stays this open file, whatever becomes of its name in the meantime."""
    opened = f"/proc/self/fd/{stream.fileno()}"
    if os.path.exists(opened):
        yield opened
        return
    with tempfile.TemporaryDirectory(prefix="mlup-") as folder:
        target = os.path.join(folder, "model")
        with open(target, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1024 * 1024)
        yield target


def _by_torch(path: str, stream: BinaryIO) -> ScriptFile:
    """The records as torch itself finds them: what is checked is what it compiles.

    Raises:
        RuntimeError: it is no archive, or is damaged.
    """
    import torch

    reader: Any = torch._C.PyTorchFileReader(path)
    names: list[str] = reader.get_all_records()
    if hasattr(reader, "get_record_size"):
        sizes = {name: reader.get_record_size(name) for name in names}
    else:  # an older torch
        sizes = {**dict.fromkeys(names, 0), **_by_zipfile(stream).sizes}
    return ScriptFile(sizes, reader.get_record, os.fstat(stream.fileno()).st_size)


def _by_zipfile(stream: BinaryIO) -> ScriptFile:
    """The records as Python finds them; of several with one name, all of them.

    Raises:
        BadZipFile: it is no archive, or is damaged.
    """
    archive = zipfile.ZipFile(stream)
    records: dict[str, list[zipfile.ZipInfo]] = {}
    for each in archive.infolist():
        records.setdefault(each.filename.partition("/")[2], []).append(each)

    def read(name: str) -> bytes:
        parts = []
        for each in records[name]:
            with archive.open(each) as record:
                parts.append(record.read(each.file_size))
        return b"\n".join(parts)

    sizes = {name: sum(each.file_size for each in same) for name, same in records.items()}
    return ScriptFile(sizes, read, stream.seek(0, os.SEEK_END))
