"""``mlup plugins``: which binarizers are installed, which are broken, and all about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlup import log
from mlup.cli.failing import Command, one_line
from mlup.cli.output import write, write_json, write_table
from mlup.errors import BinarizerNotFoundError, PluginError
from mlup.registry import current, plugins, refresh

if TYPE_CHECKING:
    from mlup.plugin_details import Framework, PluginDetails


def _complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    try:
        infos = plugins()
    except PluginError:  # MLUP_STRICT_PLUGINS is set; a shell is no place to say so
        return []
    names = {info.name for info in infos}
    names |= {f"{info.distribution}:{info.name}" for info in infos if info.status == "conflict"}
    return sorted(name for name in names if name.startswith(incomplete))


@click.command("plugins", cls=Command, short_help="List the installed binarizers, or show one.")
@click.argument("name", required=False, shell_complete=_complete_name)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array; of NAME, an object.")
def command(name: str | None, as_json: bool) -> None:
    """List the installed binarizers, the broken ones included; or show everything about NAME.

    NAME is a binarizer's name, or distribution:name where two distributions claim one.

    \b
    Example:
      mlup plugins
      mlup plugins --json
      mlup plugins joblib

    The JSON array has objects of seven keys: name, distribution, version, status, extensions,
    description, problem. Of NAME it is one object a line, a line per distribution that claims the
    name, with these keys and kind, entry_point, file, hooks, options, requires, frameworks,
    safe_list_size, recognises, returns, inspects.

    Exit code 0, even where a plugin is broken; with MLUP_STRICT_PLUGINS=1 that is code 1. Code 1
    too where NAME is not installed.
    """
    if name is None:
        _write_list(as_json)
        return
    try:
        found = _details(name)
    except BinarizerNotFoundError as error:
        if as_json:
            write_json({"name": name, "error": one_line(error)})
        raise
    for each in found:
        if as_json:
            write_json(each.as_dict())
        else:
            _write_page(each)


def _write_list(as_json: bool) -> None:
    infos = plugins()
    if as_json:
        write_json([info.as_dict() for info in infos])
        return
    rows = [
        (
            info.name,
            f"{info.distribution} {info.version}".strip(),
            info.status,
            " ".join(info.extensions),
            info.description,
        )
        for info in infos
    ]
    write_table(("name", "distribution", "status", "extensions", "description"), rows)
    for info in infos:
        if info.problem:
            write(f"{info.name}: {info.status}: {info.problem}", bold=True)


def _details(name: str) -> list[PluginDetails]:
    from mlup.plugin_details import details_of
    from mlup.resolving import canonical, unknown_plugin

    wanted = canonical(name)
    log.silent = True  # what is wrong with it is on its page
    try:
        found = [
            details_of(info, binarizer)
            for info, binarizer in current().entries()
            if wanted in (info.name, f"{info.distribution}:{info.name}")
        ]
    finally:
        log.silent = False
    if not found:
        refresh()  # and look again aloud: what is wrong elsewhere may be why it is not there
        raise BinarizerNotFoundError(unknown_plugin(wanted, plugins()))
    return found


def _write_page(found: PluginDetails) -> None:
    from mlup.plugin_details import to_do

    info = found.info
    write(f"{info.name}: {info.status} ({info.distribution} {info.version})", bold=True)
    if info.description:
        write(f"  {info.description}")
    if info.problem:
        _write_fact("problem", info.problem)
        _write_fact("at", info.failed_at)
        _write_fact("to do", to_do(info) or "")
    _write_fact("kind", info.kind if found.hooks else "")
    _write_fact("entry point", f"{info.name} = {info.entry_point}")
    _write_fact("file", found.file or "not found")
    _write_fact("hooks", ", ".join(found.hooks))
    _write_fact("extensions", " ".join(info.extensions))
    _write_fact("requires", ", ".join(map(_framework, found.frameworks)))
    if found.safe_list_problem:
        _write_fact("safe list", f"cannot be read: {found.safe_list_problem}")
    elif found.safe_list_size is not None:
        _write_fact("safe list", f"{found.safe_list_size} names")
    for name, line in (found.options or {}).items():
        _write_fact("option", f"{name}: {line}" if line else name)
    for what, text in (
        ("recognises", found.recognises),
        ("returns", found.returns),
        ("inspects", found.inspects),
    ):
        if text:
            write(f"  {what}")
            for line in text.split("\n"):
                write(f"    {line}".rstrip())


def _write_fact(what: str, value: str) -> None:
    if value:
        write(f"  {what:11}  {value}")


def _framework(framework: Framework) -> str:
    if not framework.found:
        return f"{framework.name} (not found)"
    known = f"{framework.distribution} {framework.version}" if framework.distribution else "found"
    return f"{framework.name} ({known})"
