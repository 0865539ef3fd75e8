"""What a TorchScript archive would run, found in its records; refused where it is not safe.

Facts, of ``torch/csrc/jit/serialization/import.cpp`` and ``caffe2/serialize/inline_container.cc``,
tried with torch 2.13: ``torch.jit.load`` unpickles ``constants.pkl`` and ``data.pkl``, compiles the
``code/….py`` of the classes in there, and runs their ``__setstate__``. Records are found without
regard to case; where there is a ``model.json``, it and what it names are read instead (PyTorch 1.0 to
1.2). Flatbuffers are loaded too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import mlup
from mlup_torch.script_operations import is_safe
from mlup_torch.script_source import Uses, uses_of_pickle, uses_of_source

_ALLOWANCE: Final = 128 * 1024 * 1024
_RATIO: Final = 20
_LONGEST_CODE: Final = 8 * 1024 * 1024  # bytes of all files; large models have one or two
_LONGEST_NAME: Final = 400  # torch lists the first 511 bytes of a name


class ScriptFile(NamedTuple):
    """What is read of an archive.

    Attributes:
        sizes: each record's name in the archive's folder, and its size when it is unpacked.
        read: the content of a record.
        size: of the archive.
    """

    sizes: Mapping[str, int]
    read: Callable[[str], bytes]
    size: int


def collect(archive: ScriptFile, found: Uses) -> None:
    """Take note of all operations and classes that loading and running it may lead to.

    Raises:
        Exception: whatever ``archive.read`` raises.
    """
    if sum(archive.sizes.values()) > _ALLOWANCE + _RATIO * archive.size:
        found.oddities.add(f"more than {_RATIO} times its size when it is unpacked")
        return
    code = [name for name in archive.sizes if name.lower().endswith(".py")]
    if sum(archive.sizes[name] for name in code) > _LONGEST_CODE:
        found.oddities.add(f"more than {_LONGEST_CODE // 1024**2} MB of code")
        return
    for name in archive.sizes:
        lower = name.lower()
        if len(name) > _LONGEST_NAME:
            found.oddities.add("a record with a name longer than torch reads")
        elif lower == "model.json":
            found.oddities.add(
                "model.json, the format before PyTorch 1.3, whose code is not checked"
            )
        elif lower.startswith("extra/"):
            continue
        elif lower.endswith(".py"):
            names, oddities = uses_of_source(archive.read(name).decode("utf-8", "replace"))
            found.names.update(names)
            found.oddities.update(oddities)
        elif lower.endswith(".pkl"):
            found.names.update(uses_of_pickle(archive.read(name)))


def refuse_unsafe(uses: Uses, file: mlup.LoadedFile) -> None:
    """Stop at what does more than compute.

    Raises:
        UnsafeModelError: there is such a thing, and the caller does not allow it.
    """
    names = sorted(name for name in uses.names if not (is_safe(name) or file.allows(name)))
    if not names and not uses.oddities:
        return
    parts = []
    if names:
        parts.append(
            f"it would use {', '.join(names[:12])}{', …' if len(names) > 12 else ''}, which "
            f"{'is' if len(names) == 1 else 'are'} not known to do nothing but compute"
        )
    if uses.oddities:
        parts.append(f"it has {' and '.join(sorted(uses.oddities))}, which may hide what it runs")
    raise mlup.UnsafeModelError(
        "; ".join(parts),
        path=file.label,
        binarizer="torch-jit",
        refused=() if uses.oddities else names,
    )


def report(uses: Uses, file: mlup.LoadedFile, notes: Iterable[str]) -> mlup.Report:
    """The same for :func:`mlup.inspect`."""
    return mlup.Report(
        operations=tuple(
            mlup.Operation(name, "safe" if is_safe(name) or name in file.allow else "refused")
            for name in sorted(uses.names)
        ),
        notes=(
            *(
                f"refused: it has {each}, which may hide what it runs"
                for each in sorted(uses.oddities)
            ),
            *notes,
        ),
    )
