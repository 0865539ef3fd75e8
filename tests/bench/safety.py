"""What safe loading refuses and what it loads: ``nox -s bench -- safety``.

Every attack of ``tests/attacks`` and every benign model of ``tests/safelist``, counted by subject; and,
for each benign model and each name in it, whether the name that a refusal gives is enough to load it.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from attacks.tables import SUBJECTS, all_cases
from attacks.trying import tried
from safelist import makers

import mlup

TORCH = ("checkpoints", "modules")


def main() -> None:
    """Print the three tables."""
    warnings.simplefilter("ignore")
    attacks()
    benign()
    copied()
    sys.stdout.flush()


def attacks() -> None:
    """By subject: how the attacks ended."""
    cases = all_cases()
    with tempfile.TemporaryDirectory() as folder:
        plain = [case for case in cases if "torch" not in case.needs]
        others = [case for case in cases if "torch" in case.needs]
        seen = tried(plain, Path(folder, "plain"))
        seen |= tried(
            others, Path(folder, "torch"), modules=("numpy", "torch", "torch.serialization")
        )
    print(
        "attacks: files, each looked at, loaded with 'auto' and by name, from a path and from memory"
    )
    print(f"  {'subject':<14} {'files':>5} {'unsafe':>7} {'refused':>8} {'inert':>6} {'markers':>8} "
          f"{'deaths':>7} {'named':>11} {'slowest':>8} {'memory':>7}")  # fmt: skip
    for subject in SUBJECTS:
        module = sys.modules[f"attacks.{subject}"]
        mine = {case.name for case in module.cases()}
        _row(subject, [(case, seen[case.name]) for case in cases if case.name in mine])
    _row("in all", [(case, seen[case.name]) for case in cases])


def _row(subject: str, tries: list[tuple[Any, dict[str, Any]]]) -> None:
    ends: Counter[str] = Counter()
    named = nameable = deaths = markers = 0
    slowest = memory = 0.0
    for case, said in tries:
        deaths += "died" in said
        markers += bool(said.get("marker"))
        memory = max(memory, said.get("megabytes", 0))
        steps = said.get("done", {})
        slowest = max([slowest, *(step["seconds"] for step in steps.values())])
        loads = [step for name, step in steps.items() if name.startswith("load ")]
        ends[_worst(loads)] += 1
        unsafe = [step for step in loads if step["end"] == "unsafe"]
        if case.names and unsafe:
            nameable += 1
            named += all(set(case.names) & set(step["refused"]) for step in unsafe)
    said_named = f"{named} of {nameable}"
    print(f"  {subject:<14} {len(tries):>5} {ends['unsafe']:>7} {ends['refused']:>8} {ends['loaded']:>6} "
          f"{markers:>8} {deaths:>7} {said_named:>11} {slowest:>6.1f} s {memory:>4.0f} MB")  # fmt: skip


def _worst(loads: list[dict[str, Any]]) -> str:
    ends = {step["end"] for step in loads}
    return next((end for end in ("raised", "loaded", "refused", "unsafe") if end in ends), "none")


def benign() -> None:
    """By library: how many models load with the defaults."""
    print(
        "\nbenign models, with the defaults: pickle protocols 0, 2, 4, 5 and joblib, or torch.save"
    )
    for maker, module in makers.installed().items():
        loaded, refused = 0, []
        for each in makers.every(module):
            contents = _saved(maker, each)
            if contents is None:
                continue
            try:
                for content in contents:
                    mlup.load(content)
                loaded += 1
            except mlup.MLupError as error:
                names = getattr(error, "refused", ())
                refused.append(f"{each.name} ({', '.join(names) or type(error).__name__})")
        print(f"  {maker:<12} {loaded:>4} of {loaded + len(refused):>4}  {'; '.join(refused)}")


def _saved(maker: str, each: makers.Benign) -> list[bytes] | None:
    try:
        model = each.make()
        if maker in TORCH:
            return [_torch(model)]
        return [*(pickle.dumps(model, protocol) for protocol in (2, 4, 5)), _joblib(model)]
    except Exception:  # not every release makes every model
        return None


def _torch(model: Any) -> bytes:
    import torch

    target = io.BytesIO()
    torch.save(model, target)
    return target.getvalue()


def _joblib(model: Any) -> bytes:
    import joblib

    target = io.BytesIO()
    joblib.dump(model, target)
    return target.getvalue()


def copied() -> None:
    """A list without one name refuses by that name; the name, copied into ``allow``, loads the model."""
    from mlup_safepickle import Acting, Budget, Reader, Refused, Unpickler, table

    known = table()
    tries = good = 0
    for maker, module in makers.installed().items():
        for each in makers.every(module) if maker not in TORCH else ():
            try:
                content = pickle.dumps(each.make())
            except Exception:
                continue
            report = mlup.inspect(content, "pickle")
            if report.refused:
                continue
            for name in report.imports:
                less = {key: entry for key, entry in known.items() if ".".join(key) != str(name)}

                def load(
                    allow: tuple[str, ...], less: Any = less, content: bytes = content
                ) -> None:
                    budget = Budget(len(content))
                    reader = Reader(io.BytesIO(content), len(content))
                    Unpickler(reader, Acting(less, allow, budget), budget).load()

                try:
                    load(())
                except Refused as refused:
                    tries += 1
                    try:
                        load(refused.names)
                        good += 1
                    except Exception as error:
                        print(f"  {each.name}: {refused.names} did not help: {error}")
    print(
        f"\na name that a refusal gives, copied into allow=: {good} of {tries} load ({good / tries:.1%})"
    )


if __name__ == "__main__":
    main()
