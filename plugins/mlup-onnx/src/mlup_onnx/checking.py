"""What a model reaches for beside its own bytes, refused where that is not harmless."""

from __future__ import annotations

from typing import Any, BinaryIO, Final, NamedTuple

import mlup
from mlup_onnx import ort_format
from mlup_onnx.external_data import folders_of, is_a_range, leads_outside, objection
from mlup_onnx.model_contents import Contents, DamagedModelError, ModelReader
from mlup_onnx.ort_contents import OrtReader

_REACHING_OUT: Final = frozenset(
    {
        "ai.onnx.contrib.ImageReader",  # onnxruntime-extensions: opens the file that a tensor names
        "com.microsoft.ATenOp",
        "com.microsoft.EPContext",  # a compiled model, in a file of any name, for native code
        "com.microsoft.PythonOp",  # onnxruntime-training: calls Python
        "com.microsoft.PythonOpGrad",
        "com.microsoft.TritonOp",
        "org.pytorch.aten.ATen",  # onnxruntime-training: runs any operation of PyTorch's
    }
)
_OF_THE_NETWORK: Final = "com.microsoft.extensions."  # onnxruntime-extensions: calls Azure, OpenAI

_NO_FOLDER: Final = (
    "Give the model's path, so that they are looked for beside it. If you trust the file: "
    "trust=True (CLI: --trust)."
)
_NO_HELP: Final = (
    "Put them into the model's folder and save the model with a location that is relative to it "
    "(onnx.save_model(…, save_as_external_data=True, location=NAME))."
)
_ONNXRUNTIME_REFUSES: Final = (1, 24)
"""Since then it refuses itself what lies outside the model's folder, whoever trusts it."""


class Objection(NamedTuple):
    """A place of weights that is refused, and why."""

    location: str
    why: str


def reader_of(stream: BinaryIO) -> ModelReader | OrtReader:
    """What reads the format of the model that stands from here on."""
    start = stream.tell()
    ort = ort_format.is_ort_format(stream.read(8))
    stream.seek(start)
    return OrtReader(stream) if ort else ModelReader(stream)


def refuse_unsafe(
    contents: Contents, file: mlup.LoadedFile, path: str | None, binarizer: str
) -> None:
    """Stop at operators that do more than compute, and at weights outside the model's folder.

    Args:
        contents: what the model refers to.
        file: for its label, and what the caller allows.
        path: where the model is; ``None`` for bytes.
        binarizer: the name in the error.

    Raises:
        UnsafeModelError: there is such a thing.
    """
    operators = [name for name in contents.operators if not _is_allowed(name, file.allow)]
    if operators:
        raise mlup.UnsafeModelError(
            f"it has the operator{'s' if len(operators) > 1 else ''} {', '.join(operators)}, which "
            "may open files, use the network or call other programs",
            path=file.label,
            binarizer=binarizer,
            refused=operators,
        )
    found = objections(contents, file, path)
    if found:
        first = found[0]
        raise mlup.UnsafeModelError(
            f"its weights {first.why}: {first.location!r}"
            + (f", and {len(found) - 1} more" if len(found) > 1 else ""),
            path=file.label,
            binarizer=binarizer,
            **_way_out(found, path),
        )


def objections(contents: Contents, file: mlup.LoadedFile, path: str | None) -> list[Objection]:
    """The places of weights that are not in the model's folder, and that are not allowed."""
    folders = () if path is None else folders_of(path)
    found: dict[str, Objection] = {}
    harmless = set(file.allow)
    for data in contents.external:
        location = data.location
        if location in found or (location in harmless and is_a_range(data)):
            continue
        why = None if location in harmless else objection(location, folders)
        if why is None and not is_a_range(data):
            why = "begin or end at a place that is no number of bytes"
        if why is None:
            harmless.add(location)
        else:
            found[location] = Objection(location, why)
    return list(found.values())


def inspected(file: mlup.LoadedFile) -> mlup.Report:
    """The operators, and where the weights are. Places that are refused are among the operations."""
    path = path_of(file)
    notes = []
    with file.open() as stream:
        reader = reader_of(stream)
        try:
            reader.read()
        except DamagedModelError as error:
            notes.append(f"the model is damaged, and was read no further: {error}")
    contents = reader.found
    refused = objections(contents, file, path)
    notes += [f"refused: its weights {each.why}: {each.location!r}" for each in refused]
    others = dict.fromkeys(data.location for data in contents.external)
    for each in refused:
        del others[each.location]
    notes += [f"its weights are in another file: {location!r}" for location in others]
    return mlup.Report(
        operations=(
            *(
                mlup.Operation(name, "safe" if _is_allowed(name, file.allow) else "refused")
                for name in contents.operators
            ),
            *(mlup.Operation(each.location, "refused") for each in refused),
        ),
        notes=tuple(notes),
    )


def path_of(file: mlup.LoadedFile) -> str | None:
    """The model's path, where it has one that onnxruntime can be given.

    Only then are weights beside the model found.
    """
    path = file.on_disk
    if path is None:
        path = getattr(file.raw_data, "name", None)
        if not isinstance(path, str) or file.raw_data.tell() != 0:
            return None
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is no text; onnxruntime takes nothing else
        return None
    return path


def _is_allowed(name: str, allow: tuple[str, ...]) -> bool:
    if name not in _REACHING_OUT and not name.startswith(_OF_THE_NETWORK):
        return True
    return name in allow or name.rpartition(".")[2] in allow


def _way_out(found: list[Objection], path: str | None) -> dict[str, Any]:
    if path is None:
        return {"hint": _NO_FOLDER}
    import onnxruntime

    locations = [each.location for each in found]
    version = tuple(map(int, onnxruntime.__version__.split(".")[:2]))
    if version >= _ONNXRUNTIME_REFUSES and leads_outside(locations[0], folders_of(path)):
        return {"hint": _NO_HELP}
    return {"refused": locations}
