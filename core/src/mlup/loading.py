"""From a source to what it is (:func:`detect`) and to the model (:func:`load`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from mlup import explaining, log, ranking
from mlup.allowing import checked_allow, checked_trust
from mlup.errors import (
    AmbiguousModelError,
    BinarizerNotFoundError,
    MLupError,
    ModelBinarizationError,
    OptionError,
    UnknownModelError,
)
from mlup.files import LoadedFile, ModelPath
from mlup.ranking import Candidate, Problem
from mlup.registry import Binarizer, Registry, current
from mlup.streams import DEFAULT_SPOOL_LIMIT

MEMORY: Final = "memory"


class Detection(NamedTuple):
    """What a source is.

    Attributes:
        path: what was looked at, as text.
        candidates: the binarizers that could load it, best first.
        problems: the plugins that failed while scoring it, or have a name that others claim too.
        verdict: what the bytes are when they are no model; ``None`` where there is a candidate,
            or where nothing is known of them.
    """

    path: str
    candidates: tuple[Candidate, ...]
    problems: tuple[Problem, ...]
    verdict: str | None

    @property
    def best(self) -> Candidate | None:
        """The surest candidate; the first by name where several tie (see :attr:`tied`)."""
        return self.candidates[0] if self.candidates else None

    @property
    def tied(self) -> tuple[Candidate, ...]:
        """The contenders at the top when there is no single best; :func:`load` refuses those."""
        return ranking.tied(self.candidates)

    @property
    def mismatch(self) -> str | None:
        """What is wrong with the name, where it promises another format than the bytes hold."""
        return explaining.mismatch(self, current())


class Loaded(NamedTuple):
    """A model, and the name of the binarizer that loaded it."""

    model: Any
    binarizer: str


def detect(source: object, *, spool_limit: int = DEFAULT_SPOOL_LIMIT) -> Detection:
    """Say what a source is, from a few hundred bytes. Nothing in it is run or imported.

    Args:
        source: a path (``str`` or ``os.PathLike``) of a file or a folder, ``bytes``, an open
            binary file (read from where it stands, and put back there), or a ``LoadedFile``. A
            stream that cannot seek is read to its end, into a temporary file.
        spool_limit: bytes that such a stream may have.

    Raises:
        SourceError: it cannot be read.
        PluginError: a plugin failed, and ``MLUP_STRICT_PLUGINS`` is set.
    """
    registry = current()
    registry.say_conflicts()
    path = ModelPath.of(source, spool_limit=spool_limit)
    try:
        return detected(path, registry)
    finally:
        path.close()


def load(
    source: object,
    binarizer: object = "auto",
    *,
    trust: bool = False,
    allow: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    on_tie: str = "raise",
    spool_limit: int = DEFAULT_SPOOL_LIMIT,
) -> Any:
    """Load a model with the right framework, and return the framework's own object.

    Nothing that the file brings along is run, and only what ordinary models are made of is
    imported, unless ``trust`` or ``allow`` says so.

    Args:
        source: as for :func:`detect`; with ``binarizer="memory"`` any object.
        binarizer: ``"auto"``; a binarizer's name (``"joblib"``) or ``"distribution:name"``; a
            ``BinarizationType`` or its dotted value; the import line of your own class or module
            (``"my_module.MyBinarizer"``), or that class or module itself.
        trust: let the file import and run whatever it names.
        allow: names that it may use beside the safe ones, for this call: exact ones
            (``"my_package.module.MyModel"``), or ``"my_package.*"`` for the classes and functions
            that a package of your own defines.
        options: keyword options for the binarizer, such as ``{"mmap_mode": "r"}``.
        on_tie: ``"raise"``, or ``"first"`` to take the first by name of equally sure binarizers.
        spool_limit: bytes that a stream that cannot seek may have.

    Raises:
        SourceError: the source cannot be read.
        UnknownModelError: no installed binarizer recognised it.
        AmbiguousModelError: several are equally sure.
        BinarizerNotFoundError: the one asked for is not to be had.
        OptionError: it does not understand an option, or ``trust`` or ``allow`` is of no use.
        UnsafeModelError: the file names or holds what is neither safe nor allowed.
        ModelBinarizationError: it failed. No other binarizer is tried then.
    """
    return load_named(
        source,
        binarizer,
        trust=trust,
        allow=allow,
        options=options,
        on_tie=on_tie,
        spool_limit=spool_limit,
    ).model


def load_named(
    source: object,
    binarizer: object = "auto",
    *,
    trust: bool = False,
    allow: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    on_tie: str = "raise",
    spool_limit: int = DEFAULT_SPOOL_LIMIT,
) -> Loaded:
    """As :func:`load`, with the name of the binarizer that did it."""
    from mlup.resolving import AUTO, canonical, is_name, resolve

    if on_tie not in ("raise", "first"):
        raise ValueError(f"on_tie={on_tie!r}: expected 'raise' or 'first'")
    trusted, allowed = checked_trust(trust), checked_allow(allow)
    registry = current()
    name = canonical(binarizer) if is_name(binarizer) else None
    if name == MEMORY:
        file = source if isinstance(source, LoadedFile) else LoadedFile(raw_data=source)
        label = f"an object of type {type(source).__name__}"
        return _deserialize(file, resolve(MEMORY, registry), registry, options, label)
    chosen = None if name == AUTO else resolve(binarizer, registry)
    if chosen is None:
        registry.say_conflicts()
    with ModelPath.of(source, spool_limit=spool_limit) as path:
        detection = detected(path, registry)
        if chosen is None:
            chosen = _resolve_choice(choose(detection, registry, on_tie), detection, registry)
        else:
            explaining.warn_if_contradicted(chosen, detection, registry)
        file = file_of(source, path)
        file = file._replace(trust=trusted or file.trust, allow=(*file.allow, *allowed))
        return _deserialize(file, chosen, registry, options, str(path), detection)


def _resolve_choice(name: str, detection: Detection, registry: Registry) -> Binarizer:
    from mlup.resolving import resolve

    try:
        return resolve(name, registry)
    except BinarizerNotFoundError as error:  # its framework is not here
        reason = next(each.reason for each in detection.candidates if each.binarizer == name)
        raise BinarizerNotFoundError(f"{detection.path} looks like {reason}. {error}") from error


def choose(detection: Detection, registry: Registry, on_tie: str = "raise") -> str:
    """The name of the binarizer for a detection.

    Raises:
        UnknownModelError: there is no candidate.
        AmbiguousModelError: there are several best, and ``on_tie`` is ``"raise"``.
    """
    best = detection.best
    if best is None:
        raise UnknownModelError(
            explaining.unknown(detection, registry), path=detection.path, verdict=detection.verdict
        )
    tied = detection.tied
    names = [each.binarizer for each in tied or (best,)]
    if tied and on_tie == "raise":
        raise AmbiguousModelError(
            f"{detection.path}: {' and '.join(names)} are equally sure ({best.score:.2f}), so none "
            f"was chosen. Name one (binarizer={names[0]!r}, --binarizer {names[0]}), or take the first by name "
            "(on_tie='first').",
            path=detection.path,
            candidates=tied,
        )
    if detection.mismatch:
        log.logger().warning("%s: %s", detection.path, detection.mismatch)
    say_choice(detection)
    return names[0]


def say_choice(detection: Detection) -> None:
    """Write the best candidate of a detection and its runner-up to the log, at INFO."""
    best = detection.best
    if best is None or not log.informing():
        return
    runner_up = next((f"; next {c.binarizer} {c.score:.2f}" for c in detection.candidates[1:]), "")
    log.logger().info(
        "%s: chose %s (%.2f: %s)%s",
        detection.path,
        best.binarizer,
        best.score,
        best.reason,
        runner_up,
    )


def file_of(source: object, path: ModelPath) -> LoadedFile:
    """What a plugin receives for a source that was opened as ``path``."""
    file = LoadedFile(raw_data=path.raw_data(), path=path.location)
    if isinstance(source, LoadedFile):
        path_hint = source.path if file.path is None else file.path
        file = source._replace(raw_data=file.raw_data, path=path_hint)
    return file


def detected(path: ModelPath, registry: Registry) -> Detection:
    """What a source is that is open already."""
    candidates, problems = ranking.rank(path, registry.scorers, registry.strict)
    problems += registry.conflicts
    return Detection(
        str(path), candidates, problems, None if candidates else explaining.word(path, registry)
    )


def _deserialize(
    file: LoadedFile,
    chosen: Binarizer,
    registry: Registry,
    options: Mapping[str, Any] | None,
    label: str,
    detection: Detection | None = None,
) -> Loaded:
    if options is not None and not isinstance(options, Mapping):
        raise OptionError(f"options={options!r}: expected a mapping such as {{'mmap_mode': 'r'}}.")
    given = {**file.options, **(options or {})}
    check_options(chosen, given)
    name = chosen.info.name
    try:
        model = registry.hooks_of(chosen).deserialize(file=file._replace(options=given))
    except ModelBinarizationError as error:  # the plugin knows what is wrong, not what it is
        if detection is None or detection.verdict is None:
            raise
        raise ModelBinarizationError(f"{error}{explaining.bytes_are(detection)}") from error
    except MLupError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a framework raises is chained into one clear error
        raise ModelBinarizationError(explaining.failed(label, name, error, detection)) from error
    return Loaded(model, chosen.registered_as)


def check_options(chosen: Binarizer, given: Mapping[str, Any]) -> None:
    """Refuse options that a binarizer does not understand.

    Raises:
        OptionError: the message lists the known ones.
    """
    known = chosen.info.options
    unknown = [] if known is None else sorted(set(given) - set(known), key=str)
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise OptionError(
            f"The binarizer {chosen.info.name!r} does not understand the option "
            f"{', '.join(map(repr, unknown))}; {takes}."
        )
