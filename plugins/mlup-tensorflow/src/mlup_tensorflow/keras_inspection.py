"""What a Keras file names, told without Keras, h5py or numpy."""

from __future__ import annotations

import os
import zipfile
from typing import Any, BinaryIO, Final

import mlup
from mlup import probe
from mlup.files import ModelPath
from mlup.probe import hdf5, hdf5_metadata
from mlup.probe.hdf5 import Hdf5Root
from mlup.probe.hdf5_headers import text_of
from mlup_tensorflow.configurations import decoded
from mlup_tensorflow.keras_archives import archive_objection
from mlup_tensorflow.keras_checks import allows, known_here
from mlup_tensorflow.keras_files import CONFIG, ZIP
from mlup_tensorflow.keras_gate import named
from mlup_tensorflow.keras_path import ASSETS
from mlup_tensorflow.links import leads_out

_ATTRIBUTES: Final = ("model_config", "training_config")


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The report; a damaged file is told as far as it can be read."""
    notes: list[str] = []
    try:
        configurations = decoded(_texts(file, notes))
    except Exception as error:  # of zipfile and json, over damaged files
        notes.append(f"it cannot be read: {type(error).__name__}: {str(error)[:200]}")
        configurations = []
    imports, operations = [], []
    for each in named(configurations, known_here):
        verdict = "refused" if each.wrong and not allows(file, each) else "safe"
        if each.module:
            imports.append(mlup.Import(each.module, each.name, each.role, verdict))
        elif each.wrong:
            operations.append(mlup.Operation(each.name, verdict))
            notes.append(f"{each.name!r} {each.wrong}; options={{'custom_objects': …}} can give it")
        if each.wrong and each.module:
            notes.append(f"{each.full} {each.wrong}")
    return mlup.Report(
        imports=_once(imports), operations=_once(operations), notes=tuple(dict.fromkeys(notes))
    )


def _once(found: list[Any]) -> tuple[Any, ...]:
    """Each once; of two verdicts over a name the worse."""
    best = {each[:-1]: each for each in found}
    best.update({each[:-1]: each for each in found if each.verdict == "refused"})
    return tuple(best.values())


def _texts(file: mlup.LoadedFile, notes: list[str]) -> list[Any]:
    home = file.on_disk
    if home is not None and os.path.isdir(home):
        outside = leads_out(home, ASSETS)
        if outside:
            notes.append(f"a link in its folder leads out of it: {outside!r}; refused")
        with open(os.path.join(home, CONFIG), encoding="utf-8") as config:
            return [config.read()]
    with file.open() as stream:
        start = stream.tell()
        is_zip = stream.read(len(ZIP)) == ZIP
        stream.seek(start)
        if is_zip:
            return _of_archive(stream, notes)
    with ModelPath.of(file) as path:
        return _of_hdf5(path, notes)


def _of_archive(stream: BinaryIO, notes: list[str]) -> list[Any]:
    with zipfile.ZipFile(stream) as archive:
        objection = archive_objection(archive, stream.seek(0, os.SEEK_END))
        if objection:
            notes.append(f"{objection}; refused")
            return []
        return [archive.read(CONFIG)]


def _of_hdf5(path: ModelPath, notes: list[str]) -> list[Any]:
    root: Hdf5Root | None = probe.hdf5_root(path)
    texts = []
    for name in _ATTRIBUTES if root else ():
        text = _long_text(path, name)
        if text is not None:
            texts.append(text)
        elif root and (name in root.attributes or not root.complete):
            notes.append(f"{name} is too long, or kept in a way, to be read here; load() checks it")
    return texts


def _long_text(path: ModelPath, name: str) -> str | None:
    """``probe.hdf5_text`` for as much as the probe reads of one file, not only for short texts."""
    opened = hdf5._opened(path)
    if opened is None or name not in opened.attributes:
        return None
    start = opened.root.offset
    window = path.read_at(start, hdf5_metadata.WINDOW)
    metadata = hdf5_metadata.Metadata(path, start, window, opened.wide, opened.long)
    try:
        return text_of(metadata, opened.attributes[name], hdf5_metadata.MAX_READ)
    except hdf5_metadata.Beyond:
        return None
