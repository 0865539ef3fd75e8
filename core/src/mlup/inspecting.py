"""What a source would import and run, found without doing either: :func:`inspect`."""

from __future__ import annotations

from collections.abc import Iterable

from mlup import explaining
from mlup.allowing import checked_allow
from mlup.errors import MLupError, ModelBinarizationError, UnknownModelError
from mlup.files import ModelPath
from mlup.loading import Detection, detected, file_of
from mlup.registry import AUTO, Binarizer, Registry, current
from mlup.report import Report
from mlup.streams import DEFAULT_SPOOL_LIMIT


def inspect(
    source: object,
    binarizer: object = AUTO,
    *,
    allow: Iterable[str] = (),
    spool_limit: int = DEFAULT_SPOOL_LIMIT,
) -> Report:
    """Say what a model's file would import and run. It is neither imported nor run.

    The verdicts are those of :func:`load` without ``trust``. A report is for reading, not for
    deciding: the decision is made while a file is loaded.

    Args:
        source: as for :func:`load`.
        binarizer: whose reading of the file is asked for; ``"auto"``: the one that would load it.
        allow: names that you would give to :func:`load`.
        spool_limit: bytes that a stream that cannot seek may have.

    Raises:
        SourceError: the source cannot be read.
        UnknownModelError: no installed binarizer recognised it.
        BinarizerNotFoundError: the one asked for is not to be had.
        OptionError: ``allow`` is not a list of names.
        ModelBinarizationError: the file is too damaged to be read at all.
    """
    from mlup.resolving import canonical, is_name, resolve

    allowed = checked_allow(allow)
    registry = current()
    with ModelPath.of(source, spool_limit=spool_limit) as path:
        detection = detected(path, registry)
        if is_name(binarizer) and canonical(binarizer) == AUTO:
            registry.say_conflicts()
            chosen = _best(path, detection, registry)
        else:
            chosen = resolve(binarizer, registry)
        file = file_of(source, path)._replace(allow=allowed)
        try:
            report = registry.hooks_of(chosen).inspect(file=file)
        except (MLupError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a plugin's inspection of a damaged file may raise anything
            name = chosen.info.name
            raise ModelBinarizationError(
                explaining.failed(str(path), name, error, detection).replace(
                    "loaded", "inspected", 1
                )
            ) from error
        return _whole(report, chosen, detection)


def _best(path: ModelPath, detection: Detection, registry: Registry) -> Binarizer:
    from mlup.verdicts import verdict

    if detection.best is not None:
        name: str | None = detection.best.binarizer
    else:  # what nobody would load is looked into by the one who knows the format
        known = verdict(path)
        name = known and known.inspected_by
    # One whose framework is missing inspects too: it needs none.
    found = name and registry.get(name)
    if not found:
        raise UnknownModelError(
            explaining.unknown(detection, registry), path=detection.path, verdict=detection.verdict
        )
    return found


def _whole(report: object, chosen: Binarizer, detection: Detection) -> Report:
    """A plugin's report with what core knows."""
    notes = []
    if detection.tied:
        names = " and ".join(each.binarizer for each in detection.tied)
        notes.append(f"{names} are equally sure of it; this is how {chosen.info.name} reads it")
    if detection.mismatch:
        notes.append(detection.mismatch)
    if detection.verdict:
        notes.append(f"it looks like {detection.verdict}")
    if not isinstance(report, Report):
        notes.append(
            f"the plugin of {chosen.info.name} has no inspect(file), so nothing is known of what the "
            "file would run"
        )
        report = Report(checked=False)
    stopped = report.stopped or (detection.verdict or "" if detection.best is None else "")
    return report._replace(
        format=chosen.registered_as, notes=(*report.notes, *notes), stopped=stopped
    )
