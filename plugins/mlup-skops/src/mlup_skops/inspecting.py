"""What a skops file would import, without skops."""

from __future__ import annotations

import zipfile

import mlup
from mlup import report
from mlup_safepickle.importing import package_of, packages_of
from mlup_skops import trusted
from mlup_skops.members import BombError, SchemaError
from mlup_skops.schema import Schema, read


def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The names in its schema, each once."""
    try:
        with file.open() as stream:
            schema = read(stream)
    except (BombError, SchemaError, RecursionError, zipfile.BadZipFile, KeyError) as error:
        said = str(error.args[0]) if isinstance(error, KeyError) else str(error)
        return mlup.Report(notes=(f"it would be refused: {said}",), stopped=said)
    written = f"skops {schema.version}" if schema.version else "skops"
    return mlup.Report(
        imports=_imports(schema, file),
        notes=(
            f"written by {written}, in version {schema.protocol} of its format",
            f"the verdicts are those of {trusted.versions()}; a load asks the skops that is installed",
        ),
    )


def _imports(schema: Schema, file: mlup.LoadedFile) -> tuple[mlup.Import, ...]:
    packages = packages_of(file.allow)
    found: dict[tuple[str, str], tuple[str, bool]] = {}
    for each in schema.names:
        safe = (
            each.trusted
            or str(each) in file.allow
            or package_of(packages, each.module, each.name) is not None
        )
        role, so_far = found.get((each.module, each.name), (report.REFERENCE, True))
        call = report.CALL in (each.role, role)
        found[each.module, each.name] = (report.CALL if call else report.REFERENCE, so_far and safe)
    return tuple(
        mlup.Import(module, name, role, report.SAFE if safe else report.REFUSED)
        for (module, name), (role, safe) in found.items()
    )
