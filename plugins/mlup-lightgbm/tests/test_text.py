"""Whatever bytes come: detection never raises, and no load ends the process or never ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import mlup
import mlup_lightgbm
from mlup.files import BUDGET, ModelPath
from mlup_lightgbm.text import IncompleteTextError, check, survey

SETTINGS = settings(
    max_examples=100,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
PLACES = st.one_of(st.integers(0, 300), st.integers(0, 1 << 16), st.integers(-600, -1))


@pytest.fixture(scope="module", autouse=True)
def _only_lightgbm():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "lightgbm")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


def model(rounds: int = 4, **params) -> bytes:
    random = np.random.default_rng(2)
    x = random.random((120, 3))
    x[:, 0] = random.integers(0, 7, 120)
    data = lightgbm.Dataset(x, x.sum(1), categorical_feature=[0], params={"verbose": -1})
    given = {"verbose": -1, "num_threads": 1, "num_leaves": 5, "min_data_in_leaf": 5, **params}
    booster = lightgbm.train(given, data, rounds)
    booster.pandas_categorical = [[f"city-{n}" for n in range(60)]] if rounds == 3 else None
    return booster.model_to_string().encode()


def crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def old(text: bytes) -> bytes:
    """As LightGBM 2.0.12 to 2.1.1 wrote it."""
    trees, _, rest = text.partition(b"end of trees\n")
    importances = rest.replace(b"feature_importances", b"feature importances")
    return trees + importances[: importances.index(b"\nparameters:")]


def before_sizes(text: bytes) -> bytes:
    """As LightGBM 2.0.10 wrote it: neither a version nor sizes."""
    lines = old(text).split(b"\n")
    return b"\n".join(
        line for line in lines if not line.startswith((b"version=", b"tree_sizes=", b"is_linear="))
    )


PLAIN = model()
SAMPLES = {
    "plain": PLAIN,
    "windows": crlf(PLAIN),
    "categories": model(3),
    "forest": model(boosting="rf", bagging_freq=1, bagging_fraction=0.5),
    "multiclass": model(objective="multiclassova", num_class=8, min_data_in_leaf=1),
    "old": old(PLAIN),
    "before sizes": before_sizes(PLAIN),
    "before sizes, windows": crlf(before_sizes(PLAIN)),
}


def claim(data: bytes) -> float | None:
    detection = mlup.detect(data)
    assert detection.problems == ()
    with ModelPath.of(data) as path:
        found = mlup_lightgbm.score(path, path.head, path.tail)
        assert path.left >= 0
        assert not path.overdrawn
    assert (detection.best and detection.best.score) == found
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_claimed(name):
    assert claim(SAMPLES[name]) == (0.9 if "windows" in name or name == "before sizes" else 0.95)


# -- detection ----------------------------------------------------------------------------------


@SETTINGS
@given(sample=st.sampled_from(sorted(SAMPLES)), at=PLACES)
def test_what_is_cut_within_its_trees_is_not_claimed(sample, at):
    text = SAMPLES[sample]
    found = claim(text[:at])
    if len(text[:at]) <= text.rindex(b"shrinkage="):
        assert found is None


@SETTINGS
@given(
    sample=st.sampled_from(sorted(SAMPLES)),
    changes=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=12)), min_size=1, max_size=5),
    insert=st.booleans(),
)
def test_flipped_and_inserted_bytes_never_make_detection_raise(sample, changes, insert):
    data = bytearray(SAMPLES[sample])
    for place, new in changes:
        at = place % len(data)
        data[at : at if insert else at + len(new)] = new
    claim(bytes(data))


@SETTINGS
@given(
    first=st.sampled_from(
        [b"", b"tree\n", b"tree\nversion=v4\n", b"tree\r\nversion=v3\r\n", b"tree\nnum_class=1\n"]
    ),
    header=st.booleans(),
    rest=st.binary(max_size=400),
    last=st.sampled_from(
        [b"", b"\nend of trees\n", b"\nend of parameters", b"\npandas_categorical:null\n", b"]]\n"]
    ),
)
def test_random_bytes_within_the_format_never_make_detection_raise(first, header, rest, last):
    lines = b"num_class=1\nlabel_index=0\nmax_feature_idx=0\nfeature_names=a\nfeature_infos=none\n"
    claim(first + (lines if header else b"") + rest + last)


@SETTINGS
@given(sizes=st.one_of(st.binary(max_size=30), st.text("0123456789 +-_\r\t", max_size=40)))
@example("9" * 5000)
@example("9" * 15)
@example(" ")
@example("1 ")
@example("-1")
@example("1_0")
def test_any_sizes_are_right_or_refused(sizes):
    value = sizes.encode() if isinstance(sizes, str) else sizes
    start = PLAIN.index(b"tree_sizes=") + 11
    right = PLAIN[start : PLAIN.index(b"\n", start)]
    data = PLAIN[:start] + value + PLAIN[start + len(right) :]
    if value.split() != right.split():
        claim(data)
        with pytest.raises(mlup.MLupError):
            mlup.load(data, "lightgbm")


def test_a_line_of_a_megabyte_is_looked_at_no_further():
    for data in (
        b"tree\nversion=v4\n" + b"x" * (2 * BUDGET),
        b"tree\nversion=v4\n" + b"x\n" * BUDGET + b"\npandas_categorical:null\n",
        PLAIN + b"y" * (2 * BUDGET) + b"]]\n",
        PLAIN[: PLAIN.index(b"Tree=3")] + b"z=1\n" * BUDGET,
        PLAIN[:40] + b"\n" * BUDGET,
    ):
        claim(data)  # which sees to it that the budget is kept


def test_a_source_that_shrinks_meanwhile_is_incomplete():
    for left in (10, 100, 400, len(PLAIN) // 2):
        shrunk = io.BytesIO(PLAIN[:left])

        def read(offset, n, stream=shrunk):
            stream.seek(offset)
            return stream.read(n)

        with pytest.raises(IncompleteTextError):
            survey(read, len(PLAIN), 1 << 20, 1 << 20)
        with pytest.raises(IncompleteTextError):
            survey(read, len(PLAIN) * 9, 1 << 20, 2000)


def test_a_zero_and_a_tree_are_found_on_every_side_of_a_chunk(monkeypatch, tmp_path):
    path = tmp_path / "m"
    start = PLAIN.index(b"Tree=1")
    for chunk in range(start - 6, start + 7):
        monkeypatch.setattr("mlup_lightgbm.text._CHUNK", chunk)
        for text, whole in (
            (PLAIN, True),
            (PLAIN.replace(b"Tree=1", b"Tree:1"), False),
            (PLAIN.replace(b"Tree=1", b"Tree=\0"), False),
            (PLAIN.replace(b"Tree=1", b"\0ree=1"), False),
        ):
            path.write_bytes(text)
            with open(path, "rb") as stream:
                if whole:
                    assert check(stream).trees == 4
                else:
                    with pytest.raises(IncompleteTextError):
                        check(stream)


# -- loading, in a process of its own -----------------------------------------------------------

LOADER = """
import os, sys
import lightgbm, numpy, mlup

folder, reference = sys.argv[1:]
points = numpy.random.default_rng(1).random((30, 3)) * 6
right = lightgbm.Booster(model_file=reference).predict(points)
loaded = refused = 0
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    with open(path, "rb") as stream:
        data = stream.read()
    for source in (path, data):
        try:
            booster = mlup.load(source, "lightgbm")
        except mlup.MLupError:
            refused += 1
            continue
        assert numpy.array_equal(booster.predict(points), right), name
        loaded += 1
print("counted", loaded, refused)
"""


def damaged(text: bytes) -> list[bytes]:
    """Cut; a piece lost, doubled or zeroed among its trees, or lost behind; something added."""
    first, last = text.index(b"Tree=0"), text.rindex(b"shrinkage=")
    cut = [text[:at] for at in range(0, len(text), max(1, len(text) // 120))]
    cut += [text[:at] for at in range(max(0, len(text) - 90), len(text))]
    places = range(first, last, max(1, (last - first) // 25))
    changed = []
    for at in places:
        for length in (1, 7, 300):
            changed.append(text[:at] + text[at + length :])
            changed.append(text[:at] + text[at : at + length] * 2 + text[at + length :])
            changed.append(text[:at] + bytes(length) + text[at + length :])
    parameters = text.find(b"\nparameters:")
    for at in range(parameters, len(text), 70) if parameters > 0 else ():
        changed += [text[:at] + text[at + length :] for length in (1, 33)]
    behind = [text + bytes(n) for n in (1, 4096)] + [text + text, text + b"Tree=9\n", text + b"x"]
    return list(dict.fromkeys([*cut, *changed, *behind]))


def loaded_and_refused(tmp_path, variants: list[bytes], text: bytes) -> tuple[int, int]:
    """Load each of ``variants``, from its path and from bytes: how many gave the whole model."""
    for folder in ("damaged", "temporary"):
        (tmp_path / folder).mkdir()
    for number, variant in enumerate(variants):
        (tmp_path / "damaged" / f"{number:04}.txt").write_bytes(variant)
    (tmp_path / "whole").write_bytes(text.replace(b"\r\n", b"\n"))
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "damaged"), str(tmp_path / "whole")],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path / "temporary"),
            "MLUP_PLUGINS": "lightgbm",
            "MLUP_DISABLE_PLUGINS": "",
        },
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert os.listdir(tmp_path / "temporary") == []
    loaded, refused = map(int, done.stdout.split("counted ")[1].split())
    assert loaded + refused == 2 * len(variants)
    return loaded, refused


@pytest.mark.parametrize("name", ["plain", "windows", "categories", "multiclass", "old"])
def test_no_damaged_text_ends_the_process(tmp_path, name):
    text = SAMPLES[name]
    loaded, refused = loaded_and_refused(tmp_path, damaged(text), text)
    assert refused > loaded > 0


@pytest.mark.parametrize("name", ["before sizes", "before sizes, windows"])
def test_no_cut_text_without_sizes_ends_the_process(tmp_path, name):
    text = SAMPLES[name]
    loaded_and_refused(tmp_path, [text[:at] for at in range(0, len(text), 9)], text)


def test_an_end_without_a_newline_does_not_end_the_process(tmp_path):
    """LightGBM 4.7 does, given the file: it reads on behind its buffer for the end of the line."""
    end = PLAIN.index(b"end of parameters") + len(b"end of parameters")
    # Many times, as what stands behind the buffer differs.
    assert loaded_and_refused(tmp_path, [PLAIN[:end]] * 40, PLAIN) == (80, 0)
