"""Tries attack files, each in a process of its own that is forked off after the imports.

``python -m attacks.runner`` reads a JSON list of cases on its standard input and writes one JSON
line for each: what came of it, what it cost, what it touched.
"""

from __future__ import annotations

import codecs
import importlib
import json
import os
import pkgutil
import select
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

FORBIDDEN = (
    "antigravity", "this", "pip", "idlelib", "webbrowser", "smtplib", "numpy.f2py", "pdb", "pty",
    "numpy.testing", "lib2to3", "ensurepip", "turtle", "tkinter", "venv", "code", "codeop", "runpy",
    "distutils", "xmlrpc", "ftplib", "imaplib", "test.support", "sqlite3", "cProfile", "profile",
)  # fmt: skip
"""Modules that nothing of ours imports while it loads."""

ADDRESS_SPACE = 4 << 30
"""More than this may not be asked for at once, so that a bomb that goes off hurts nobody."""

_RUNNING = ("os.system", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.",
    "socket.", "ctypes.", "urllib.", "smtplib.", "ftplib.", "shutil.", "os.remove", "os.rename",
    "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate", "os.putenv",
    "signal.", "code.__new__", "function.__new__", "webbrowser.", "sqlite3.", "sys.settrace",
    "sys.setprofile", "cpython.", "marshal.", "pickle.find_class", "builtins.input", "builtins.breakpoint",
)  # fmt: skip


class Watch:
    """What the interpreter's audit events say while one step runs."""

    def __init__(self) -> None:
        self.step = ""
        self.own = ""
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.step and len(self.seen) < 20:
            said = (self._quiet if self.step == "look" else self._careful)(event, args)
            if said:
                self.seen.append(said[:300])

    def _quiet(self, event: str, args: tuple[Any, ...]) -> str | None:
        """While looking: nothing but the file itself is opened, nothing is imported or run."""
        if event == "open":
            return self._opened(args)
        if event == "import":
            name = str(args[0])
            return None if name.startswith("mlup") else f"import {name}"
        if event in ("exec", "compile"):  # of our own modules, when they are first needed
            where = str(args[1] if event == "compile" else args[0].co_filename)
            return None if "mlup" in where else f"{event} {where}"
        if event.startswith(_RUNNING) and event != "marshal.loads":
            return f"{event} {args!r}"
        return None

    def _careful(self, event: str, args: tuple[Any, ...]) -> str | None:
        """While loading: listed modules may be imported, and their files read."""
        if event == "open":
            return self._opened(args)
        if event.startswith(_RUNNING) and event not in ("marshal.loads", "code.__new__"):
            where = args[1] if event in ("os.symlink", "os.link") else args[0] if args else ""
            if event.startswith(("os.", "shutil.")) and self._temporary(where):
                return None
            if event == "ctypes.dlopen" and "site-packages" in str(args[0]):
                return None  # a library's own, when it is imported
            if event == "pickle.find_class" and str(args[0]).partition(".")[0] in _LIBRARIES:
                return None  # a library's own files, by its own loader; the state is compared
            return f"{event} {args!r}"
        return None

    def _temporary(self, path: Any) -> bool:
        """In the folder for temporary files, or relative to a folder that was opened there."""
        name = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        return self.step == "load" and (
            name.startswith(_TEMPORARY) or name == os.path.basename(name)
        )

    def _opened(self, args: tuple[Any, ...]) -> str | None:
        path, mode, flags = args[0], args[1], args[2]
        if not isinstance(path, (str, bytes)):
            return None  # a descriptor: what it is of was opened before
        name = os.fsdecode(path)
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if self.step == "load" and name.startswith(_TEMPORARY):
            return None
        if writes:
            return f"open {name} to write"
        if name.startswith((self.own, "/proc/self/", "/dev/null")):
            return None
        if name.endswith(
            (".zip", ".py", ".pyc", ".so", ".pyi", ".json", "METADATA", "entry_points.txt")
        ) and ("python" in name or "/src/" in name or name == __file__):
            return None  # what is imported, and the lists of names
        return f"open {name}"


_TEMPORARY = tempfile.gettempdir() + os.sep
_LIBRARIES = (
    "sklearn",
    "numpy",
    "scipy",
    "joblib",
    "torch",
    "lightgbm",
    "collections",
    "mlup_safepickle",
)


def _status(name: str) -> int:
    """Kilobytes, from Linux's own account of the process (``ru_maxrss`` is inherited)."""
    try:
        with open("/proc/self/status") as lines:
            for line in lines:
                if line.startswith(name):
                    return int(line.split()[1])
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _chain(error: BaseException) -> list[str]:
    seen: list[str] = []
    each: BaseException | None = error
    while each is not None and len(seen) < 8:
        seen.append(type(each).__name__)
        each = each.__cause__ or each.__context__
    return seen


def _outcome(action: Any) -> dict[str, Any]:
    import mlup

    start = time.process_time()
    try:
        value = action()
        said: dict[str, Any] = {"end": "loaded", "value": type(value).__name__}
    except mlup.UnsafeModelError as error:
        said = {"end": "unsafe", "refused": list(error.refused)[:50], "message": str(error)[:3000]}
        said["length"] = len(str(error))
        said["chain"] = _chain(error)
    except mlup.ModelLoadError as error:
        said = {"end": "refused", "error": type(error).__name__, "message": str(error)[:3000]}
        said["length"] = len(str(error))
        said["chain"] = _chain(error)
    except BaseException as error:
        said = {"end": "raised", "error": f"{type(error).__name__}: {error}"[:500]}
    said["seconds"] = round(time.process_time() - start, 3)
    return said


def _attempts(case: dict[str, Any]) -> dict[str, Any]:
    """Everything that is done with one file: looked at, then loaded in every way."""
    import mlup

    path = case["path"]
    if case["bomb"]:  # once by each, it takes its time
        name = case["binarizers"][0]
        return {
            "look detect": lambda: mlup.detect(path),
            f"look inspect {name}": lambda: mlup.inspect(path, name),
            f"load {name}": lambda: mlup.load(path, name),
        }
    done: dict[str, Any] = {
        "look detect": lambda: mlup.detect(path),
        "look inspect": lambda: mlup.inspect(path),
    }
    for name in case["binarizers"]:
        done[f"look inspect {name}"] = lambda name=name: mlup.inspect(path, name)
    done["load"] = lambda: mlup.load(path)
    for name in case["binarizers"]:
        done[f"load {name}"] = lambda name=name: mlup.load(path, name)
        if case["bytes"]:
            done[f"load {name} from bytes"] = lambda name=name: mlup.load(_read(path), name)
    return done


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _natively(case: dict[str, Any]) -> dict[str, Any]:
    """By the framework's own loader: the attack is real."""
    import pickle

    path = case["path"]
    try:
        if case["runs"] == "pickle":
            pickle.loads(_read(path))
        elif case["runs"] == "joblib":
            import joblib

            joblib.load(path)
        elif case["runs"] == "torch":
            import torch

            torch.load(path, weights_only=False)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"[:300]
    else:
        said = ""
    deadline = time.monotonic() + 3
    while (
        not os.path.lexists(case["marker"])
        and time.monotonic() < deadline
        and not ("ModuleNotFoundError" in said or "t get attribute" in said)
    ):
        time.sleep(0.02)  # some start a process or a thread
    return {"native": said, "marker": os.path.lexists(case["marker"])}


def _tried(case: dict[str, Any], watch: Watch, telling: int | None = None) -> dict[str, Any]:
    from attacks.state import changed, snapshot

    if case["native"]:
        return _natively(case)
    watch.own = os.path.dirname(case["path"])
    before, modules = snapshot(), set(sys.modules)
    memory, space = _status("VmHWM"), _status("VmPeak")
    _limit()
    done: dict[str, Any] = {}
    for name, action in _attempts(case).items():
        if telling is not None:
            os.write(telling, f"{name}\n".encode())
        watch.seen, watch.step = [], name.split()[0]
        done[name] = _outcome(action)
        watch.step = ""
        done[name]["events"] = watch.seen
        if os.path.lexists(case["marker"]):
            done[name]["marker"] = True
    return {
        "done": done,
        "marker": os.path.lexists(case["marker"]),
        "changed": changed(before, snapshot()),
        "imported": sorted(
            name
            for name in set(sys.modules) - modules
            if name.startswith(tuple(f"{each}." for each in FORBIDDEN)) or name in FORBIDDEN
        ),
        "megabytes": (_status("VmHWM") - memory) // 1024,
        "asked": (_status("VmPeak") - space) // 1024,
    }


def _limit() -> None:
    import resource

    here = _status("VmSize") * 1024
    resource.setrlimit(resource.RLIMIT_AS, (here + ADDRESS_SPACE, here + ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _forked(case: dict[str, Any], watch: Watch, seconds: int) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.setsid()
            said = json.dumps(_tried(case, watch, writer)).encode()
            with os.fdopen(writer, "wb") as stream:
                stream.write(said)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(90)
        os._exit(0)
    os.close(writer)
    pieces: list[bytes] = []
    deadline = time.monotonic() + seconds
    hung = False
    with os.fdopen(reader, "rb") as stream:
        while True:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                hung = True
                os.kill(child, signal.SIGKILL)
                break
            piece = os.read(stream.fileno(), 1 << 20)
            if not piece:
                break
            pieces.append(piece)
    _, status = os.waitpid(child, 0)
    if hung:
        return {"died": f"nothing after {seconds} seconds, during {_last(pieces)}"}
    if status:
        how = (
            f"signal {os.WTERMSIG(status)}"
            if os.WIFSIGNALED(status)
            else f"exit {os.WEXITSTATUS(status)}"
        )
        return {"died": f"{how}, during {_last(pieces)}"}
    said = b"".join(pieces).splitlines()
    if not said or not said[-1].startswith(b"{"):
        return {"died": f"ended without a word, during {_last(pieces)}"}
    return json.loads(said[-1])  # type: ignore[no-any-return]


def _last(pieces: list[bytes]) -> str:
    steps = b"".join(pieces).decode(errors="replace").split("\n")[:-1]
    return steps[-1] if steps else "the beginning"


_STANDARD = (
    "tarfile",
    "zipfile",
    "dataclasses",
    "importlib.readers",
    "importlib.resources.readers",
)
"""What our own modules import when they first need it: nothing that a file could ask for."""


def _is_here(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a module that is no package yet, before Python 3.11
        return False


def _warm(modules: list[str], benign: list[str]) -> None:
    """Import what loads need, so that nothing that happens later is explained by it."""
    import mlup

    for name in modules:
        __import__(name)
    for name in filter(_is_here, _STANDARD):
        __import__(name)
    for each in entry_points(group="mlup.binarizers"):
        package = importlib.import_module(each.value.partition(":")[0])
        for part in pkgutil.iter_modules(getattr(package, "__path__", [])):
            with suppress(ImportError):  # a part that is of no use without its framework
                importlib.import_module(f"{package.__name__}.{part.name}")
    for name in ("cp437", "raw_unicode_escape"):  # Python's own, for names in zips and old texts
        codecs.lookup(name)
    for path in benign:
        mlup.detect(path)
        with suppress(mlup.MLupError):  # some only take their reader's modules in
            mlup.inspect(path)
            mlup.load(path)


def main() -> None:
    """Read the cases, try them, tell."""
    job = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    os.environ["PYTHONBREAKPOINT"] = "0"
    null = os.open(os.devnull, os.O_RDWR)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(null, 0)
    os.dup2(null, 1)
    _warm(job["modules"], job["benign"])
    watch = Watch()
    for case in job["cases"]:
        if job["fork"]:
            said = _forked(case, watch, job["seconds"])
        else:
            said = _tried(case, watch)
        out.write(json.dumps({"name": case["name"], **said}) + "\n")


if __name__ == "__main__":
    main()
