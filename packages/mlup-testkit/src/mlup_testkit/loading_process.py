"""Run as a program: load files under the default trust, and watch what that does.

Reads a job as JSON from standard input, and writes a line of JSON for each load into the file that
it is given, at once: some loads end the process.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import warnings
from types import FrameType
from typing import Any

from mlup_testkit.asking import MADE_ITS_MARKER

_FORBIDDEN = frozenset(
    (
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile",
        "os.startfile/2", "os.system", "pty.spawn", "socket.bind", "socket.connect",
        "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "urllib.Request",
    )
)  # fmt: skip
_RUNNING = frozenset(("compile", "exec"))  # eval() of text is both


def main() -> None:
    """One job, from beginning to end."""
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)
    import mlup

    right = (mlup.ModelBinarizationError, mlup.UnsafeModelError)
    nobody_s = (mlup.UnknownModelError, mlup.AmbiguousModelError)
    done: list[str] = []
    watching = False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in _FORBIDDEN:
            done.append(f"{event}{arguments!r}"[:200])
            raise PermissionError(f"{event}: a model's file started this")
        if watching and event in _RUNNING:
            caller = sys._getframe(1)
            module = str(caller.f_globals.get("__name__"))
            if f"{module}.".startswith(job["own"] + ".") and not _is_imported(caller):
                line = linecache.getline(caller.f_code.co_filename, caller.f_lineno).strip()
                said = f"line {caller.f_lineno} of {module} runs text as Python: {line}"
                if said not in done:
                    done.append(said)

    sys.addaudithook(watch)
    with open(sys.argv[1], "w", encoding="utf-8") as answers:

        def answer(line: dict[str, Any]) -> None:
            answers.write(json.dumps(line) + "\n")
            answers.flush()

        for path, binarizer in job["warm"]:
            mlup.load(path, binarizer)
        answer({"ready": True})
        for case in job["cases"]:
            done.clear()
            sys.path[:0] = [case["modules"]]
            said, refused = "loaded", False
            watching = True
            try:
                mlup.load(case["path"], case["binarizer"])
            except BaseException as error:  # that is what is asked for
                said = f"{type(error).__name__}: {str(error)[:500]}"
                refused = isinstance(
                    error, right + (nobody_s if case["binarizer"] == "auto" else ())
                )
            finally:
                watching = False
                del sys.path[0]
            if os.path.exists(case["marker"]):
                done.append(MADE_ITS_MARKER)
                os.remove(case["marker"])
            answer({"key": case["key"], "said": said, "refused": refused, "done": done})


def _is_imported(frame: FrameType | None) -> bool:
    """Whether a frame is part of an import, which compiles what modules are made of."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


if __name__ == "__main__":
    main()
