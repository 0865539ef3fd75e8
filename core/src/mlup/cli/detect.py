"""``mlup detect``: what files and folders are, without loading them."""

from __future__ import annotations

import os
from typing import Any

import click

from mlup import log
from mlup.cli.failing import FAILED, Command, one_line
from mlup.cli.output import write, write_json
from mlup.errors import MLupError
from mlup.loading import Detection, detect, say_choice
from mlup.plugin_info import availability
from mlup.ranking import Candidate
from mlup.registry import current
from mlup.showing import shown


@click.command("detect", cls=Command, short_help="Say what files are, without loading them.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, a line per path.")
@click.option("--all", "show_all", is_flag=True, help="Show every candidate, best first.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], as_json: bool, show_all: bool) -> None:
    """Say what each PATH is: the best binarizer, its confidence, the reason.

    Nothing in a file is run, and no framework is imported. A folder is taken for one model.

    \b
    Example:
      mlup detect model.bin
      mlup detect --json models/*

    Exit code 1 if any path was not recognised or could not be read, or if several binarizers are
    equally sure of it.
    """
    current()  # a broken installation ends here, where MLUP_STRICT_PLUGINS is set
    found_all = True
    for each in paths:
        path = os.fsdecode(each)
        try:
            detection = detect(path)
        except MLupError as error:
            found_all = False
            _write_error(path, one_line(error), as_json)
            continue
        if detection.mismatch:
            log.logger().warning("%s: %s", path, detection.mismatch)
        if not detection.tied:
            say_choice(detection)
        found_all = found_all and detection.best is not None and not detection.tied
        if as_json:
            write_json(_as_dict(path, detection))
        else:
            _write_lines(path, detection, show_all)
    if not found_all:
        ctx.exit(FAILED)


def _as_dict(path: str, detection: Detection) -> dict[str, Any]:
    best = detection.best
    return {
        "path": path,
        "binarizer": best.binarizer if best else None,
        "score": best.score if best else 0.0,
        "reason": best.reason if best else None,
        "candidates": [_candidate(each) for each in detection.candidates],
        "verdict": detection.verdict,
        "problems": [*map(str, detection.problems), *_tie(detection)],
    }


def _tie(detection: Detection) -> list[str]:
    names = " and ".join(each.binarizer for each in detection.tied)
    return [f"{names} are equally sure; name one to load it"] if names else []


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "binarizer": candidate.binarizer,
        "score": candidate.score,
        "reason": candidate.reason,
        "distribution": candidate.distribution,
    }


def _write_error(path: str, message: str, as_json: bool) -> None:
    if as_json:
        nothing: dict[str, Any] = {"binarizer": None, "score": 0.0, "reason": None}
        rest: dict[str, Any] = {"candidates": [], "verdict": None, "problems": []}
        write_json({"path": path, **nothing, **rest, "error": message})
    else:
        write(message if shown(path) in message else f"{path}: {message}", err=True)


def _write_lines(path: str, detection: Detection, show_all: bool) -> None:
    best = detection.best
    if best is None:
        write(f"{path}: not recognised" + (f": {detection.verdict}" if detection.verdict else ""))
        return
    write(f"{path}: {best.binarizer} {best.score:.2f} ({best.reason})", bold=True)
    for each in detection.candidates[1:] if show_all else ():
        write(f"  then {each.binarizer} {each.score:.2f} ({each.reason})", dim=True)
    for said in [*_tie(detection), *_missing(best.binarizer)]:
        write(f"  {said}", dim=True)


def _missing(name: str) -> list[str]:
    binarizer = current().get(name)
    info = binarizer and availability(binarizer.info)
    return [info.problem] if info and info.problem else []
