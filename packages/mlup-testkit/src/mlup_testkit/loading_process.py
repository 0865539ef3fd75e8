"""Run as a program: load files under the default trust, and watch what that does.

Reads a job as JSON from standard input, and writes a line of JSON for each load into the file that
it is given, at once: some loads end the process.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

from mlup_testkit.asking import MADE_ITS_MARKER

_FORBIDDEN = frozenset(
    (
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile",
        "os.startfile/2", "os.system", "pty.spawn", "socket.bind", "socket.connect",
        "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "urllib.Request",
    )
)  # fmt: skip


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


if __name__ == "__main__":
    main()
