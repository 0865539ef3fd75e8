"""Writes the safe lists from benign models: ``nox -s safelist``, or ``python -m safelist.generate``.

1. Every maker whose library is installed makes its models; each is pickled at every protocol, and the
   names in them are recorded with their roles in ``seen/``, one record for these very releases.
2. The lists are what all the records say together, so that models of other releases load too, minus
   ``REFUSED`` and plus the checks of ``reviewed.json``.

``--check`` writes nothing, prints what would change, and exits with 1 if anything would.
``--merge`` leaves out the first step. Other arguments are the makers to run (all by default).
"""

from __future__ import annotations

import argparse
import difflib
import io
import json
import pickle
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from safelist import makers
from safelist.collecting import ROLES, Names, names_in

ROOT = Path(__file__).parents[2]
SEEN = Path(__file__).parent / "seen"
REVIEWED = Path(__file__).parent / "reviewed.json"
SHARED = ROOT / "packages/mlup-safepickle/src/mlup_safepickle/lists"
TORCH = ROOT / "plugins/mlup-torch/src/mlup_torch/safelist.json"
LISTS = {
    "numpy": SHARED / "numpy.json",
    "scipy": SHARED / "scipy.json",
    "pandas": SHARED / "pandas.json",
    "sklearn": SHARED / "sklearn.json",
    "joblib": SHARED / "sklearn.json",
    "pytz": SHARED / "pandas.json",
    "dateutil": SHARED / "pandas.json",
    "xgboost": SHARED / "xgboost.json",
    "catboost": SHARED / "catboost.json",
    "_catboost": SHARED / "catboost.json",
    "torch": TORCH,
}
"""Which list a name belongs to, by its first package; the standard library's is the rest."""
BUILTINS = SHARED / "builtins.json"
ELSEWHERE = {"lightgbm"}
"""Packages whose list a plugin writes by hand."""
RELEASES = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu", "builtins": "python"}
"""The distribution that a list is of, where it is not called like the list."""
HOMES = {
    "builtins": ["python"],
    "numpy": ["arrays"],
    "scipy": ["sparse"],
    "pandas": ["frames"],
    "sklearn": ["estimators", "pipelines"],
    "torch": ["modules", "checkpoints"],
}
"""The makers from which a list prefers to name the model that needs an entry."""

Record = dict[str, Any]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("makers", nargs="*")
    options = parser.parse_args(arguments)
    records = dict(stored())
    if not options.merge:
        records |= dict(collected(options.makers or None))
    changed = False
    written = {SEEN / f"{label}.json": _text(record) for label, record in records.items()}
    written |= {path: _text(merged) for path, merged in lists(records).items()}
    for path, text in written.items():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text == before:
            continue
        changed = True
        name = str(path.relative_to(ROOT))
        lines = difflib.unified_diff(before.splitlines(), text.splitlines(), name, name, n=0)
        print("\n".join(lines))
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(options.check and changed)


def stored() -> Iterator[tuple[str, Record]]:
    """Every record of ``seen/``, by its label."""
    for path in sorted(SEEN.glob("*.json")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def collected(only: list[str] | None = None) -> Iterator[tuple[str, Record]]:
    """A record of each maker, as the installed releases pickle its models."""
    for name, module in makers.installed().items():
        if only is None or name in only:
            yield label(name, module), record(name, module)


def label(name: str, module: ModuleType) -> str:
    versions = makers.versions(module).items()
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return "-".join([name, python, *(f"{library}{version}" for library, version in versions)])


def record(name: str, module: ModuleType) -> Record:
    """What a maker's models need: per name the role, and the first model that needs it so."""
    names: dict[str, dict[str, str]] = {}
    stateful: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for benign in makers.every(module):
            try:
                found = names_of(benign.make(), module)
            except makers.NotInThisRelease:
                continue
            stateful |= found.stateful
            for key, role in found.roles.items():
                known = names.get(key)
                if known is None or ROLES.index(role) > ROLES.index(known["role"]):
                    names[key] = {"role": role, "needed_by": benign.name}
    versions = makers.versions(module)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "maker": name,
        "releases": {"python": python, **versions},
        "names": {
            key: {**names[key], **({"state": True} if key in stateful else {})}
            for key in sorted(names)
        },
    }


def names_of(model: Any, module: ModuleType) -> Names:
    """The names in every pickle of a model; a maker may know more ways of saving its models."""
    streams = getattr(module, "streams", pickles)
    found = Names()
    for stream in streams(model):
        found.add(names_in(stream))
    return found


def pickles(model: Any) -> Iterator[bytes]:
    """The model at every protocol that it can be pickled with, and as joblib dumps it."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            yield pickle.dumps(model, protocol)
        except TypeError:  # protocols 0 and 1 do not know every class
            if protocol >= 2:
                raise
    try:
        from joblib.numpy_pickle import NumpyPickler
    except ImportError:
        return

    class Dumped(NumpyPickler):  # type: ignore[misc]
        def _create_array_wrapper(self, array: Any) -> Any:
            wrapper = super()._create_array_wrapper(array)

            return _Wrapper(wrapper.subclass, wrapper.dtype)  # no raw arrays between opcodes

    stream = io.BytesIO()
    Dumped(stream).dump(model)
    yield stream.getvalue()


class _Wrapper:
    """joblib's array wrapper, as far as the names in it go."""

    def __init__(self, subclass: type, dtype: Any) -> None:
        self.subclass, self.dtype = subclass, dtype

    def write_array(self, array: Any, pickler: Any) -> None: ...

    def __reduce__(self) -> Any:
        return (dict, ((("subclass", self.subclass), ("dtype", self.dtype)),))


def lists(records: dict[str, Record]) -> dict[Path, Record]:
    """The lists that the records add up to."""
    review = json.loads(REVIEWED.read_text(encoding="utf-8"))
    needs: dict[Path, dict[str, list[Any]]] = {}
    releases: dict[Path, set[str]] = {}
    for record in records.values():
        for key, seen in record["names"].items():
            path = path_of(key)
            if path is None or key in review["refused"]:
                continue
            releases.setdefault(path, set()).add(record["releases"].get(_release_of(path), ""))
            rank = (record["maker"] in HOMES.get(_name_of(path), ()), _newness(record))
            role = ROLES.index(seen["role"])
            needs.setdefault(path, {}).setdefault(key, []).append((role, *rank, seen["needed_by"]))
    return {
        path: {
            "generated_with": {_release_of(path): sorted(releases[path] - {""}, key=_version)},
            "names": {key: _entry(key, max(seen), review) for key, seen in sorted(names.items())},
        }
        for path, names in needs.items()
    }


def _entry(key: str, seen: Any, review: Record) -> dict[str, str]:
    role, needed_by = ROLES[seen[0]], seen[-1]
    return {"role": role, "needed_by": needed_by, **review["entries"].get(key, {})}


def path_of(key: str) -> Path | None:
    package = key.partition(":")[0].partition(".")[0]
    return None if package in ELSEWHERE else LISTS.get(package, BUILTINS)


def _name_of(path: Path) -> str:
    return "torch" if path == TORCH else path.stem


def _release_of(path: Path) -> str:
    return RELEASES.get(_name_of(path), _name_of(path))


def _newness(record: Record) -> list[tuple[Any, ...]]:
    releases = record["releases"]
    order = ("torch", "scikit-learn", "pandas", "scipy", "numpy", "python")
    return [_version(releases.get(each, "0")) for each in order]


def _version(said: str) -> tuple[Any, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in said.split("+")[0].split("."))


def _text(document: Record) -> str:
    """JSON with one name on each line, so that differences are easy to read."""
    head = {key: value for key, value in document.items() if key != "names"}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    names = [
        f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document["names"].items()
    ]
    return "{\n" + ",\n".join(lines) + ',\n "names": {\n' + ",\n".join(names) + "\n }\n}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
