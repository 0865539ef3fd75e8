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
PACKAGES = sorted((ROOT / "packages").glob("mlup-*"))
DISTRIBUTIONS = [CORE, *PACKAGES, *PLUGINS]
UNPICKLING = ROOT / "packages" / "mlup-safepickle"
KIT = ROOT / "packages" / "mlup-testkit"
NEEDS = dict.fromkeys(
    ("mlup-joblib", "mlup-pickle", "mlup-skops", "mlup-torch", "mlup-xgboost"), (UNPICKLING,)
)
"""What of ours a plugin needs beside core, and beside the kit in its tests."""
HEAVY = [ROOT / "plugins" / name for name in ("mlup-tensorflow", "mlup-torch")]
"""Plugins whose framework has hundreds of megabytes: it is installed for one Python only."""
LIGHT = [each for each in DISTRIBUTIONS if each not in HEAVY]
SOURCES = [str(each / "src") for each in DISTRIBUTIONS]
PROGRAMS = (
    "tests/demo.py",
    "tests/demo_models.py",
    "tests/look_at_site.py",
    "tests/one_load.py",
    "tests/tutorial.py",
    "tests/bench",
)
CONSTRAINTS = ("-c", str(ROOT / "tests" / "constraints.txt"))

TESTING = ("pytest", "pytest-xdist", "hypothesis")
MODELS = ("scikit-learn", "lz4", "onnx", "skl2onnx", "xgboost-cpu")
"""What writes the models that the tests load, beside the frameworks themselves."""
GENERATED = ("hatchling",)
"""What builds a distribution that the template made."""
LISTED = ("pandas", "catboost")
"""What else the safe lists are made from."""
WRITERS = {
    "mlup-joblib": ("scikit-learn", "lz4"),
    "mlup-lightgbm": ("scikit-learn", "pandas"),
    "mlup-onnx": ("onnx", "skl2onnx", "scikit-learn", "pandas"),
    "mlup-safetensors": ("torch",),
    "mlup-skops": ("scikit-learn",),
    "mlup-template": GENERATED,
    "mlup-tensorflow": ("tf_keras",),
    "mlup-xgboost": ("xgboost-cpu", "scikit-learn"),
}
"""The same, for the tests of one plugin alone."""
OLDEST = (  # what the distributions say they still work with
    "pluggy==1.5.0",
    "importlib-metadata==6.0.0",
    "click==8.1.0",
    "rich==13.0.0",
    "ruamel.yaml==0.18.0",
    "joblib==1.2.0",
    "copier==9.8.0",
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


def _install(session: nox.Session, *what: str | Path, deps: bool = True) -> None:
    """Our distributions as they stand (editable), with the test environment's pins.

    ``deps=False`` leaves their frameworks out: detection needs none.
    """
    arguments: list[str] = [] if deps else ["--no-deps"]
    for each in what:
        arguments += ["-e", str(each)] if isinstance(each, Path) else [each]
    if deps and {"torch", "mlup-torch"} & {Path(each).name for each in what}:
        session.install(*CONSTRAINTS, "torch")  # first, so that nothing else asks for another build
    session.install(*CONSTRAINTS, *arguments)


SUITES = [nox.param(each, "all", id=f"{each}-all") for each in PYTHONS if each != DEFAULT]
SUITES += [
    nox.param(DEFAULT, each, id=f"{DEFAULT}-{each}-alone")
    for each in ("core", *(alone.name for alone in (*PACKAGES, *PLUGINS)))
]
SUITES += [nox.param(DEFAULT, "together", id=f"{DEFAULT}-together")]
SUITES += [nox.param(PYTHONS[0], "oldest", id=f"{PYTHONS[0]}-oldest")] if PYTHONS else []


@nox.session
@nox.parametrize("python,suite", SUITES)
def tests(session: nox.Session, suite: str) -> None:
    """Every test on every Python that is here; each distribution alone; the oldest dependencies.

    On one Python each distribution's tests run with nothing else installed, and those that cross
    distributions with everything, PyTorch and TensorFlow included. On the others all run in one environment,
    where these two plugins take part without their frameworks, as far as detection goes. What takes
    minutes (models of every kind) runs together with everything, and on the oldest Python; bombs
    together alone.
    """
    light = [f"{_folder(each)}/tests" for each in LIGHT]
    left_out = ""
    if suite == "core":
        _install(session, CORE, *TESTING)
        paths = ["core/tests"]
    elif suite == "all":
        _install(session, *LIGHT, *TESTING, *MODELS, *GENERATED)
        _install(session, *HEAVY, deps=False)
        paths = [*light, "tests"]
        left_out = "bomb" if session.python == PYTHONS[0] else "slow"
    elif suite == "together":
        _install(session, *DISTRIBUTIONS, *TESTING, *MODELS, *LISTED, *GENERATED, "tf_keras")
        paths = ["tests"]
    elif suite == "oldest":
        session.install(*TESTING, *OLDEST, *MODELS, *GENERATED, *_editable(LIGHT))
        _install(session, *HEAVY, deps=False)
        paths = [*light, "tests"]
        left_out = "slow"
    else:
        (alone,) = (each for each in DISTRIBUTIONS if each.name == suite)
        ours = dict.fromkeys((CORE, KIT, *NEEDS.get(suite, ()), alone))
        _install(session, *ours, *TESTING, *WRITERS.get(suite, ()))
        paths = [f"{_folder(alone)}/tests"]
    marks = ("-m", f"not {left_out}") if left_out else ()
    side_by_side = ("-n", "auto") if len(paths) > 1 or suite == "together" else ()
    session.run("pytest", "-q", *side_by_side, *marks, *(session.posargs or paths))


def _folder(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _editable(folders: list[Path]) -> list[str]:
    return [argument for each in folders for argument in ("-e", str(each))]


@nox.session(python=DEFAULT)
def demo(session: nox.Session) -> None:
    """Train models, give them misleading names, and let mlup find out what they are.

    ``nox -s demo -- all`` adds PyTorch and TensorFlow.
    """
    everything = "all" in session.posargs
    _install(session, *(DISTRIBUTIONS if everything else LIGHT), *MODELS)
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
    _install(session, CORE, "mypy", "nox", "pytest", "copier", "mkdocs-material", "mkdocs-click")
    _install(session, *DISTRIBUTIONS[1:], deps=False)
    session.run("mypy", *SOURCES, "noxfile.py", *PROGRAMS)
    session.run("mypy", "docs/hooks", env={"MYPYPATH": "docs/hooks"})


@nox.session(python=DEFAULT)
def accuracy(session: nox.Session) -> None:
    """Who is chosen, over folders of labelled files: ``nox -s accuracy -- FOLDER ...``.

    Any folder with ``manifest.jsonl`` and ``files/``; without one, the golden files. All plugins
    take part, and no framework is installed: none is needed.
    """
    _install(session, CORE)
    _install(session, *DISTRIBUTIONS[1:], deps=False)
    session.run("python", "tests/bench/accuracy.py", *(session.posargs or ["tests/golden"]))


@nox.session(python=DEFAULT)
def safelist(session: nox.Session) -> None:
    """Make the safe lists anew from models of the installed libraries, and show the difference.

    ``nox -s safelist -- --check`` writes nothing, and fails if there is one.
    """
    _install(session, *DISTRIBUTIONS, *MODELS, *LISTED, "tf_keras")
    session.run("python", "-m", "safelist.generate", *session.posargs, env={"PYTHONPATH": "tests"})
    for tool in sorted((ROOT / "plugins").glob("*/tools/*.py")):
        session.run("python", str(tool), *session.posargs)


@nox.session(python=DEFAULT)
def bench(session: nox.Session) -> None:
    """Ratios, measured side by side in one run. ``nox -s bench -- cold_start`` runs one of them."""
    programs = session.posargs or ["detect", "cold_start", "load", "safe_cost", "safety"]
    if {"load", "safe_cost", "safety"}.intersection(programs):
        _install(session, *DISTRIBUTIONS, *MODELS, *LISTED)
    else:
        _install(session, CORE)
        _install(session, *DISTRIBUTIONS[1:], deps=False)
    for each in programs:
        session.run("python", f"tests/bench/{each}.py")


@nox.session(python=DEFAULT)
def build(session: nox.Session) -> None:
    """Wheels and sdists of every distribution into ``dist/``."""
    session.install(*CONSTRAINTS, "build", "hatchling", "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for each in DISTRIBUTIONS:
        building = ("-m", "build", "--no-isolation", "--outdir", "dist", str(each))
        session.run("python", *building, silent=True)
    built = sorted(map(str, (ROOT / "dist").iterdir()))
    session.run("twine", "check", "--strict", *built, silent=True)
    session.log("built: %s", " ".join(Path(each).name for each in built))


@nox.session(python=DEFAULT)
def docs(session: nox.Session) -> None:
    """The documentation site into ``site/``, strictly.

    ``nox -s docs -- look`` also opens every page in Chromium, at two widths.
    """
    _install(session, CORE, "mkdocs-material", "mkdocs-click")
    _install(session, *DISTRIBUTIONS[1:], deps=False)
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})
    if "look" in session.posargs:
        session.install(*CONSTRAINTS, "playwright")
        session.run("python", "tests/look_at_site.py", "site")


@nox.session(python=DEFAULT)
def tutorial(session: nox.Session) -> None:
    """Follow the tutorial to the letter, in a fresh folder and environment, with ``dist/``."""
    build(session)
    session.run("python", "tests/tutorial.py", "dist")


INSTALLS = {  # what is installed from dist/ -> the binarizers with which something is loaded there
    "mlup-core[torch,onnx]": ("torch", "torch-jit", "onnx"),
    "mlup-core[pickle]": ("pickle",),
    "mlup-core[joblib]": ("joblib",),
    "mlup-core[lightgbm]": ("lightgbm",),
    "mlup-core[torch]": ("torch", "torch-jit"),
    "mlup-core[tensorflow]": ("tensorflow", "tensorflow-saved"),
    "mlup-core[onnx]": ("onnx",),
    "mlup-core[safetensors]": ("safetensors",),
    "mlup-core[skops]": ("skops",),
    "mlup-core[xgboost]": ("xgboost",),
    "./core[torch,onnx]": ("torch", "torch-jit", "onnx"),  # a checkout
}


@nox.session(python=DEFAULT)
def wheels(session: nox.Session) -> None:
    """What a stranger installs: ``mlup-core[...]`` from ``dist/``, each in a fresh environment."""
    build(session)
    fresh = Path(session.create_tmp()) / "fresh"
    scripts = fresh / ("Scripts" if os.name == "nt" else "bin")
    try:
        for what, binarizers in INSTALLS.items():
            session.run("python", "-m", "venv", "--clear", str(fresh), silent=True)
            pip = (str(scripts / "python"), "-m", "pip", "install", "-q", *CONSTRAINTS)
            if "torch" in what:
                session.run(*pip, "torch", external=True)
            session.run(*pip, "--find-links", "dist", what, external=True)
            session.run(str(scripts / "mlup"), "plugins", external=True)
            check = ("tests/one_load.py", *binarizers)
            session.run(str(scripts / "python"), *check, external=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # a gigabyte, with PyTorch in it
