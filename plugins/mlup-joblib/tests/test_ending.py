"""A compressed dump that breaks off is nobody's, as far as a bounded look can tell."""

from __future__ import annotations

import io
import pickle
import zlib

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup
import mlup_joblib
from mlup.files import BUDGET, ModelPath
from mlup_joblib.ending import SHORT, ends
from mlup_joblib.inflating import compression

COMPRESSORS = ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")
ALWAYS = ("bz2", "xz", "lz4")  # the last bytes or the frame tell, however long the file is
GENERATOR = np.random.default_rng(3)
SMALL = {"weights": GENERATOR.normal(size=200), "name": "small"}
LARGE = {"weights": GENERATOR.normal(size=60_000), "name": "large"}


def dumped(model, compressor, level=3):
    stream = io.BytesIO()
    joblib.dump(model, stream, compress=(compressor, level))
    return stream.getvalue()


def whole(data):
    with ModelPath.of(data) as path:
        answer = ends(path, compression(path.head))
        assert path.left >= 0
        return answer


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_whole_file_ends(compressor, level):
    for model in (SMALL, LARGE, {"zeros": np.zeros(300_000)}, {}):
        assert whole(dumped(model, compressor, level))


def test_what_zlib_does_not_compress_ends_too():
    for model in (SMALL, LARGE):
        assert whole(zlib.compress(pickle.dumps(model), 0))


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_short_file_that_breaks_off_does_not(compressor):
    data = dumped(SMALL, compressor)
    assert len(data) < SHORT
    for length in {*range(20, len(data), 17), *range(len(data) - 12, len(data))}:
        if compressor == "lz4" and length >= len(data) - 4:
            continue  # its checksum or end mark is cut: below
        assert not whole(data[:length]), length


def test_an_lz4_frame_without_its_last_bytes_does_not_end():
    data = dumped(SMALL, "lz4")
    assert [whole(data[: len(data) - cut]) for cut in range(6)] == [True] + [False] * 5


@pytest.mark.parametrize("compressor", ALWAYS)
def test_a_long_file_that_breaks_off_does_not(compressor):
    data = dumped(LARGE, compressor)
    assert len(data) > SHORT
    for length in (len(data) - 1, len(data) - 9, len(data) * 9 // 10, len(data) // 2, SHORT + 1):
        assert not whole(data[:length]), length


def test_the_length_at_the_end_of_a_long_gzip_file_must_be_possible():
    data = dumped(LARGE, "gzip")
    assert len(data) > SHORT
    assert whole(data)
    assert not whole(data[:-4] + b"\xff\xff\xff\xff")


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_nobody_claims_what_breaks_off(compressor):
    data = dumped(SMALL, compressor)
    assert mlup.detect(data).best.binarizer == "joblib"
    cut = data[: len(data) * 6 // 10]
    assert mlup.detect(cut).best is None
    with pytest.raises(mlup.UnknownModelError, match="without a whole pickle inside"):
        mlup.load(cut)


def test_a_bomb_is_believed_and_costs_little():
    data = dumped({"zeros": np.zeros(4_000_000)}, "lzma", 9)  # 32 MB in a few KB
    assert len(data) < SHORT
    assert whole(data)


@given(data=st.binary(max_size=400), kind=st.sampled_from([*COMPRESSORS, "zfile"]))
@settings(max_examples=300, deadline=None)
def test_random_bytes_never_raise(data, kind):
    assert ends(ModelPath.of(data), kind) in (True, False)


@given(
    at=st.integers(0, 3000),
    new=st.binary(min_size=1, max_size=9),
    compressor=st.sampled_from(COMPRESSORS),
)
@settings(max_examples=200, deadline=None)
def test_damage_never_raises(at, new, compressor):
    data = bytearray(dumped(SMALL, compressor))
    at %= len(data)
    data[at : at + len(new)] = new
    path = ModelPath.of(bytes(data))
    mlup_joblib.score(path, path.head, path.tail)
    assert BUDGET - path.left <= 2 * SHORT + 8192 or compressor == "bz2"
