"""How everything is run: ``nox -s demo``, ``nox -s tests``; ``nox -l`` lists the rest.

Environments are kept in ``.nox/``: add ``-R`` to reuse them without installing again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.sessions = ["lint", "typing", "tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
CORE = ROOT / "core"
PLUGINS = sorted((ROOT / "plugins").glob("mlup-*"))
DISTRIBUTIONS = [CORE, *PLUGINS, *sorted((ROOT / "packages").glob("mlup-*"))]
SOURCES = [str(each / "src") for each in DISTRIBUTIONS]
CONSTRAINTS = ("-c", str(ROOT / "tests" / "constraints.txt"))

TESTING = ("pytest", "hypothesis")
MODELS = ("scikit-learn", "lz4")
OLDEST = (  # what the distributions say they still work with
    "pluggy==1.5.0",
    "importlib-metadata==6.0.0",
    "click==8.1.0",
    "rich==13.0.0",
    "ruamel.yaml==0.18.0",
    "joblib==1.2.0",
)


def _present() -> list[str]:
    """The supported Pythons of this machine, pyenv's included (only some are on PATH there)."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [os.environ["PATH"], *map(str, sorted(pyenv.glob("3.*/bin")))]
    os.environ["PATH"] = os.pathsep.join(places)  # nox looks here too
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = [f"3.{minor}" for minor in range(10, 14)]
    return [each for each in wanted if each == running or _starts(f"python{each}")]


def _starts(name: str) -> bool:
    # Every folder is tried: pyenv's shims come first, and fail for a version that is not chosen.
    for place in os.environ["PATH"].split(os.pathsep):
        found = shutil.which(name, path=place)
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return True
    return False


PYTHONS = _present()
DEFAULT = "3.11" if "3.11" in PYTHONS else f"{sys.version_info.major}.{sys.version_info.minor}"


def _install(session: nox.Session, *what: str | Path) -> None:
    """Our distributions as they stand (editable), with the test environment's pins."""
    arguments: list[str] = []
    for each in what:
        arguments += ["-e", str(each)] if isinstance(each, Path) else [each]
    session.install(*CONSTRAINTS, *arguments)


SUITES = [nox.param(python, "all", id=f"{python}-all") for python in PYTHONS]
SUITES += [
    nox.param(DEFAULT, each, id=f"{DEFAULT}-{each}-alone")
    for each in ("core", *(plugin.name for plugin in PLUGINS))
]
SUITES += [nox.param(PYTHONS[0], "oldest", id=f"{PYTHONS[0]}-oldest")] if PYTHONS else []


@nox.session
@nox.parametrize("python,suite", SUITES)
def tests(session: nox.Session, suite: str) -> None:
    """Every test on every Python that is here; each distribution alone; the oldest dependencies."""
    everything = ["core/tests", *(f"plugins/{each.name}/tests" for each in PLUGINS), "tests"]
    if suite == "core":
        _install(session, CORE, *TESTING)
        paths = ["core/tests"]
    elif suite == "all":
        _install(session, *DISTRIBUTIONS, *TESTING, *MODELS)
        paths = everything
    elif suite == "oldest":
        session.install(*TESTING, *OLDEST, *MODELS, *_editable(DISTRIBUTIONS))
        paths = everything
    else:
        models = () if suite == "mlup-pickle" else MODELS
        _install(session, CORE, ROOT / "plugins" / suite, *TESTING, *models)
        paths = [f"plugins/{suite}/tests"]
    session.run("pytest", "-q", *(session.posargs or paths))


def _editable(folders: list[Path]) -> list[str]:
    return [argument for each in folders for argument in ("-e", str(each))]


@nox.session
def demo(session: nox.Session) -> None:
    """Train models, give them misleading names, and let mlup find out what they are."""
    session.install(*CONSTRAINTS, *map(str, DISTRIBUTIONS), *MODELS)
    session.run("python", "tests/demo.py", *session.posargs)


@nox.session(python=DEFAULT)
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install(*CONSTRAINTS, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=DEFAULT)
def typing(session: nox.Session) -> None:
    """Mypy, strict, on everything that ships and on the programs beside it."""
    _install(session, *DISTRIBUTIONS, "mypy", "nox")
    session.run("mypy", *SOURCES, "noxfile.py", "tests/demo.py", "tests/bench")


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios, measured side by side in one run. ``nox -s bench -- cold_start`` runs one of them."""
    session.install(*CONSTRAINTS, *map(str, DISTRIBUTIONS), *MODELS)
    for each in session.posargs or ("accuracy", "detect", "cold_start", "load"):
        session.run("python", f"tests/bench/{each}.py")


@nox.session(python=DEFAULT)
def build(session: nox.Session) -> None:
    """Wheels and sdists of every distribution into ``dist/``, then a fresh environment from them."""
    session.install(*CONSTRAINTS, "build", "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for each in DISTRIBUTIONS:
        session.run("python", "-m", "build", "--outdir", "dist", str(each), silent=True)
    built = sorted(map(str, (ROOT / "dist").iterdir()))
    session.run("twine", "check", "--strict", *built, silent=True)
    fresh = Path(session.create_tmp()) / "fresh"
    session.run("python", "-m", "venv", "--clear", str(fresh))
    scripts = fresh / ("Scripts" if os.name == "nt" else "bin")
    install = ("-m", "pip", "install", "-q", "--find-links", "dist", "mlup-core[all]")
    session.run(str(scripts / "python"), *install, external=True)
    session.run(str(scripts / "mlup"), "plugins", external=True)
    session.log("built: %s", " ".join(Path(each).name for each in built))
