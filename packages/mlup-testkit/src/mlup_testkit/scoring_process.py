"""Run as a program: score files with the binarizers of ``MLUP_PLUGINS``, and watch what that does.

Reads a job as JSON from standard input, writes one line of JSON into the file that it is given.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_WATCHED = frozenset(("open", "os.listdir", "os.scandir"))
_MLUP_S_OWN = {("mlup.sources", "open_local"), ("mlup.files", "members")}


def main() -> None:
    """One job, from beginning to end."""
    job = json.load(sys.stdin)
    before = set(sys.modules)
    from mlup import ModelPath, ranking, registry

    paths = [(path, os.path.isfile(path)) for path in job["paths"]]
    scorers = registry.current().scorers
    opened: list[str] = []
    scored: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _WATCHED and scored and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path != scored[0] and not path.startswith(scored[0] + os.sep):
                return  # a module of the plugin's own, say
            caller = sys._getframe(1)
            where = caller.f_globals.get("__name__", "?"), caller.f_code.co_name
            if where not in _MLUP_S_OWN:
                opened.append(f"{event} of {os.path.basename(path)} by {where[0]}.{where[1]}")

    sys.addaudithook(watch)
    for path, is_file in paths:
        with ModelPath.local(path) as source:
            scored.append(os.path.abspath(path))
            ranking.rank(source, scorers)
            scored.clear()
        if is_file:
            with open(path, "rb") as stream:
                data = stream.read()
            with ModelPath.of(data) as source:
                ranking.rank(source, scorers)
    modules = {name.partition(".")[0] for name in set(sys.modules) - before}
    with open(sys.argv[1], "w", encoding="utf-8") as answers:
        answers.write(json.dumps({"modules": sorted(modules), "opened": opened}))


if __name__ == "__main__":
    main()
