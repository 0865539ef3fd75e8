"""The decision over a Keras file: what is refused, under which names, and what the caller allows."""

from __future__ import annotations

import importlib
import os
import sys
import zipfile
from collections.abc import Iterable
from typing import Any, Final

import mlup
from mlup_tensorflow.configurations import configurations
from mlup_tensorflow.keras_archives import archive_objection, hdf5_objection, weights_of
from mlup_tensorflow.keras_files import WEIGHTS
from mlup_tensorflow.keras_gate import Known, Named, named
from mlup_tensorflow.keras_path import ASSETS, KerasPath
from mlup_tensorflow.links import leads_out
from mlup_tensorflow.refusals import how_to_give, quoted, without_compiling
from mlup_tensorflow.unknown_arguments import unknown_arguments

_SHOWN: Final = 5  # names
_PACKAGE: Final = ".*"


def allows(file: mlup.LoadedFile, each: Named) -> bool:
    """Whether the caller lets a file use what it names."""
    if not each.can_be_allowed:
        return False
    packages = (entry[:-1] for entry in file.allow if entry.endswith(_PACKAGE))
    return file.allows(each.full) or any(each.full.startswith(package) for package in packages)


def checked(
    file: mlup.LoadedFile, at: KerasPath, known: Known, compile: bool
) -> tuple[dict[str, object], bool]:
    """Read what a file names, and refuse what is neither safe nor allowed.

    Args:
        file: as the caller gave it.
        at: what Keras would be given.
        known: whether an object of this name is given or registered.
        compile: whether Keras is to compile the model.

    Returns:
        Objects that the caller allowed, by the names that Keras looks them up by; and whether
        Keras's own safe mode would refuse what the caller allowed.

    Raises:
        UnsafeModelError: of all that is refused.
        ModelBinarizationError: an allowed object is not to be had.
        Exception: any that a damaged file makes zipfile, h5py or json raise.
    """
    objection = _objection(at)
    if objection:
        raise mlup.UnsafeModelError(objection, path=file.label, binarizer="tensorflow")
    wrong = [each for each in named(configurations(at, compile), known) if each.wrong]
    allowed = [each for each in wrong if allows(file, each)]
    refused = [each for each in wrong if each not in allowed]
    if refused:
        raise _refusal(file, at, refused, compile, known)
    return _objects(file, allowed), bool(allowed)


def _objection(at: KerasPath) -> str | None:
    if at.kind == "folder":
        outside = leads_out(at.home, ASSETS)
        if outside:
            return f"a link in its folder leads out of it: {outside[:200]!r}"
    stream = at.weights
    if stream is None:
        return None
    size = os.fstat(stream.fileno()).st_size
    if at.kind == "zip":
        with zipfile.ZipFile(stream) as archive:
            objection = archive_objection(archive, size)
            if objection or WEIGHTS not in archive.namelist():
                return objection
            return hdf5_objection(weights_of(archive, stream), archive.getinfo(WEIGHTS).file_size)
    return hdf5_objection(stream, size)


def _refusal(
    file: mlup.LoadedFile, at: KerasPath, refused: list[Named], compile: bool, known: Known
) -> mlup.UnsafeModelError:
    said = dict.fromkeys(_said(each) for each in refused)
    shown = list(said)[:_SHOWN]
    if len(said) > len(shown):
        shown.append(f"and {len(said) - len(shown)} more")
    to_give = {each.key: each.name for each in refused if each.key and not _is_of_keras(each)}
    if to_give and compile and at.kind == "hdf5":  # where some names are plain text
        given = {*to_give, *(file.options.get("custom_objects") or ())}
        to_give.update((name, name) for name in unknown_arguments(at, given))
    if to_give:
        shown.append(f"import the module that registers it{how_to_give(to_give)}")
        if compile and not _wrong_without_compiling(at, known, refused):
            shown[-1] += without_compiling
    names = dict.fromkeys(each.full for each in refused if each.can_be_allowed)
    return mlup.UnsafeModelError(
        "; ".join(shown), path=file.label, binarizer="tensorflow", refused=names
    )


def _wrong_without_compiling(at: KerasPath, known: Known, refused: list[Named]) -> bool:
    rest = named(configurations(at, compile=False), known)
    return any(each in refused for each in rest)


def _said(each: Named) -> str:
    if each.full == "keras.layers.Lambda":
        return "it holds a Python lambda, which is code"
    if each.module == "tensorflow":
        return f"it calls {quoted(each.name)} of TensorFlow, which {each.wrong}"
    what = "function" if each.role == "reference" else "class"
    where = f" of {quoted(each.module)}" if each.module else ""
    return f"it names the {what} {quoted(each.name)}{where}, which {each.wrong}"


def _is_of_keras(each: Named) -> bool:
    return each.module.partition(".")[0] in ("keras", "tf_keras", "tensorflow")


def _objects(file: mlup.LoadedFile, allowed: Iterable[Named]) -> dict[str, object]:
    """What the caller allowed, imported: Keras itself would import it in some versions only."""
    found: dict[str, object] = {}
    for each in allowed:
        if _is_of_keras(each) and each.role == "call":
            continue
        try:
            value: Any = getattr(importlib.import_module(each.module), each.name)
        except (ImportError, AttributeError) as error:
            raise mlup.ModelBinarizationError(
                f"{file.label} was not loaded by tensorflow: {each.full}, which is allowed, is not to "
                f"be had ({type(error).__name__}: {error}); make it importable"
                f"{how_to_give({each.key: each.name})}"
            ) from error
        packages = tuple(entry[:-1] for entry in file.allow if entry.endswith(_PACKAGE))
        elsewhere = f"{getattr(value, '__module__', '')}."
        if not file.allows(each.full) and not elsewhere.startswith(packages):
            raise mlup.UnsafeModelError(
                f"{each.full} is defined in {elsewhere[:-1]}, not in the package that is allowed",
                path=file.label,
                binarizer="tensorflow",
                refused=[each.full],
            )
        found[each.key or each.name] = value
    return found


def known_to(package: Any, given: Iterable[str]) -> Known:
    """Whether objects of a name are given, or registered with a Keras."""
    objects = dict.fromkeys(given, True)

    def known(name: str) -> object:
        return name in objects or package.saving.get_registered_object(name) is not None

    return known


def known_here(name: str) -> object:
    """Whether an object of a name is registered with a Keras that has been imported already."""
    for package in ("keras", "tf_keras"):
        saving = getattr(sys.modules.get(package), "saving", None)
        if saving is not None and saving.get_registered_object(name) is not None:
            return True
    return False
