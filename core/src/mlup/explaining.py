"""What the user is told of a detection and of a load: why, why not, and what to do next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from mlup import log
from mlup.errors import described
from mlup.names import EXTENSIONS, FOREIGN_EXTENSIONS, GENERIC_EXTENSIONS, install_line

if TYPE_CHECKING:
    from mlup.files import ModelPath
    from mlup.known_formats import Verdict
    from mlup.loading import Detection
    from mlup.registry import Binarizer, Registry

SURE: Final = 0.9
"""From this score on, bytes "clearly say" what they are."""

_UNHEARD: Final = ("broken", "conflict", "incompatible", "disabled")


def mismatch(detection: Detection, registry: Registry) -> str | None:
    """What is wrong with a name that promises another format than the bytes hold."""
    best = detection.best
    extension = os.path.splitext(detection.path)[1].lower()
    if best is None or not extension or extension in GENERIC_EXTENSIONS:
        return None
    promised = {*EXTENSIONS.get(extension, ()), *registry.names_of(extension)}
    promised.update(FOREIGN_EXTENSIONS.get(extension, ()))
    if not promised or promised & {each.binarizer for each in detection.candidates}:
        return None
    names = " or ".join(sorted(promised))
    return f"its name ({extension}) says {names}, its content {best.binarizer}"


def word(path: ModelPath, registry: Registry) -> str | None:
    """What the bytes are that nobody claims, and what would help; ``None``: nothing is known."""
    from mlup.verdicts import verdict

    found = verdict(path)
    return found and found + _advice(found, registry)


def _advice(found: Verdict, registry: Registry) -> str:
    """What to do about an official binarizer that would have known more of the bytes."""
    name = found.binarizer
    if name is None:
        return ""
    if registry.get(name) is not None:
        return found.refused
    for info in registry.plugins():
        if info.name == name:
            return f"; the binarizer {name!r} is {info.standing}, see 'mlup plugins'"
    return f"; the binarizer {name!r} is not installed: {install_line(name)}"


def unknown(detection: Detection, registry: Registry) -> str:
    """Why nothing was chosen."""
    said = f"{detection.path} was not recognised by any installed binarizer"
    failed = {each.binarizer: each.message for each in detection.problems if each.error}
    said_no = [each.binarizer for each in registry.scorers if each.binarizer not in failed]
    unheard = {info.name: info for info in registry.plugins() if info.status in _UNHEARD}
    nobody = "none of them gave an answer" if failed or unheard else "none is installed"
    said += f" ({', '.join(said_no) or nobody})."
    if detection.verdict:
        said += f" It is {detection.verdict}" + ("" if detection.verdict.endswith("?") else ".")
    for name, problem in failed.items():
        said += f" {name} failed while scoring: {problem}."
    if unheard:
        listed = ", ".join(f"{name} ({info.standing})" for name, info in unheard.items())
        said += f" Not heard, see 'mlup plugins': {listed}."
    rivals = [repr(f"{each.distribution}:{each.binarizer}") for each in registry.conflicts]
    named = f", such as {' or '.join(rivals)}" if rivals else ""
    return (
        f"{said} If you know what it is, name the binarizer{named} (binarizer=, --binarizer, or "
        "binarization_type: in a configuration)."
    )


def warn_if_contradicted(chosen: Binarizer, detection: Detection, registry: Registry) -> None:
    """Say so in the log where the bytes clearly are of another format than was asked for."""
    best = detection.best
    if best is None or best.score < SURE:
        return
    if any(each.binarizer == chosen.info.name for each in detection.candidates):
        return
    silent = all(each.binarizer != chosen.info.name for each in registry.scorers)
    if silent and chosen.info.distribution == best.distribution:
        return  # another reading of the same format, as onnx-full-return is of onnx's
    log.logger().warning(
        "%s is loaded with %s, as asked, but its bytes look like %s (%.2f: %s)",
        detection.path,
        chosen.info.name,
        best.binarizer,
        best.score,
        best.reason,
    )


def failed(label: str, name: str, error: BaseException, detection: Detection | None) -> str:
    """Why a load failed: what was tried, what was seen, what to do."""
    said = f"{label} was not loaded by {name}: {described(error)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        said += (
            f" (the model needs the module {top!r}: install the package that provides it, or put "
            "its folder on PYTHONPATH)"
        )
    elif isinstance(error, AttributeError) and "__main__" in said:
        said += (
            " (the script that saved the model defined this name itself: move it into a module "
            "that can be imported here too)"
        )
    candidates = detection.candidates if detection else ()
    others = [
        f"{each.binarizer} ({each.score:.2f})" for each in candidates if each.binarizer != name
    ]
    if others:
        said += f". Not tried, name it to try it: {', '.join(others)}"
    return said + bytes_are(detection)


def bytes_are(detection: Detection | None) -> str:
    """What nobody claims is said to be, after the error of the binarizer that was named for it."""
    if detection is None or detection.verdict is None:
        return ""
    return f" (what it looks like: {detection.verdict})"
