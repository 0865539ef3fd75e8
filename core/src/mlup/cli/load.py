"""``mlup load``: load a model, and say what it is."""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter
from typing import Any

import click

from mlup.cli.failing import Command, one_line
from mlup.cli.output import write, write_json
from mlup.errors import MLupError, UnsafeModelError
from mlup.loading import MEMORY, load_named
from mlup.registry import AUTO, current
from mlup.resolving import canonical, check, resolve
from mlup.showing import shown


def _complete_binarizer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from mlup.registry import current

    return [name for name in ("auto", *current().names()) if name.startswith(incomplete)]


@click.command("load", cls=Command, short_help="Load a model, and say what it is.")
@click.argument("path", type=click.Path())
@click.option(
    "--binarizer",
    default="auto",
    show_default=True,
    metavar="NAME",
    shell_complete=_complete_binarizer,
    help="A binarizer's name, distribution:name, or the import line of your own.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="K=V",
    help="An option for the binarizer; V is JSON, or else text. Repeatable.",
)
@click.option("--trust", is_flag=True, help="Let the file import and run whatever it names.")
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="A name that the file may use beside the safe ones, or my_package.*; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
def command(
    path: str,
    binarizer: str,
    options: tuple[str, ...],
    trust: bool,
    allow: tuple[str, ...],
    as_json: bool,
) -> None:
    """Load the model in PATH, and print its type, the time, the memory, and its predict.

    What the file names is imported only if it is on the safe lists, or allowed.

    \b
    Example:
      mlup load model.bin
      mlup load model.bin --binarizer joblib --option mmap_mode=r
      mlup load model.bin --allow my_package.MyModel

    The JSON object has path, binarizer, type, time, memory, has_predict. Of a model that was not
    loaded it has path and error; and, where the reason is what its file names or holds, binarizer,
    refused (the names that --allow would need) and hint.
    """
    parsed = dict(_parse(each) for each in options)
    choice = _own(binarizer)
    before = _peak_memory()
    started = perf_counter()
    try:
        model, chosen = load_named(
            os.fsdecode(path), choice, trust=trust, allow=allow, options=parsed
        )
    except MLupError as error:
        if as_json:
            write_json({"path": os.fsdecode(path), "error": one_line(error), **_refusal(error)})
        raise
    seconds = perf_counter() - started
    peak = _peak_memory()
    memory = None if before is None or peak is None else peak - before
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    predicts = callable(getattr(model, "predict", None))
    if as_json:
        write_json(
            {
                "path": os.fsdecode(path),
                "binarizer": chosen,
                "type": kind,
                "time": seconds,
                "memory": memory,
                "has_predict": predicts,
            }
        )
        return
    write(f"{path}: loaded by {chosen}", bold=True)
    write(f"  type     {kind}")
    write(f"  time     {seconds:.3f} s (its framework's import included)")
    write(f"  memory   {'unknown' if memory is None else f'{memory / 1e6:.1f} MB'} at the peak")
    write(f"  predict  {'yes' if predicts else 'no'}")


def _refusal(error: MLupError) -> dict[str, Any]:
    if not isinstance(error, UnsafeModelError):
        return {}
    return {
        "binarizer": error.binarizer,
        "refused": list(error.refused),
        "hint": shown(error.hint),
    }


def _own(binarizer: str) -> object:
    """The caller's own class or module, which is mostly beside him; a name is left as it is.

    The working directory is last on the path, so that it shadows nothing, and only while an
    import line is imported: plugins are never looked for there.
    """
    name, registry = canonical(binarizer), current()
    if name == MEMORY:
        raise click.UsageError("--binarizer memory: a path is not in memory; leave it out")
    try:
        here = [os.getcwd()]
    except OSError:  # the working directory was removed
        here = []
    if name == AUTO or check(name, registry, *here) is not None:
        return name
    sys.path += here
    try:
        return resolve(name, registry).target
    finally:
        del sys.path[len(sys.path) - len(here) :]


def _parse(option: str) -> tuple[str, Any]:
    name, equals, value = option.partition("=")
    if not equals or not name:
        raise click.UsageError(f"--option {option!r}: expected K=V, such as mmap_mode=r")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _peak_memory() -> int | None:
    """The peak of this process's resident memory, in bytes; ``None`` where the system won't say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
