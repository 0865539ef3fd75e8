"""The bounded decompressors: the same bytes as the real ones give, little memory, no surprises."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib

import lz4.frame
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlup.files import ModelPath
from mlup_joblib.inflating import PIECE, compression, inflate
from mlup_joblib.lz4 import MAGIC, first_bytes

COMPRESS = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": lambda data, level: bz2.compress(data, level),
    "xz": lambda data, level: lzma.compress(data, lzma.FORMAT_XZ, preset=level),
    "lzma": lambda data, level: lzma.compress(data, lzma.FORMAT_ALONE, preset=level),
    "lz4": lz4.frame.compress,
    "zfile": lambda data, level: (
        b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data, level)
    ),
}
PROSE = b"".join(b"Sentence %d says that %d is not %d. " % (n, n, n * n) for n in range(400))
NOISE = bytes((n * n * 31 + n // 7) % 251 for n in range(5000))
SETTINGS = settings(
    max_examples=150,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def inflated(data: bytes) -> bytes:
    with ModelPath.of(data) as path:
        return inflate(path, compression(path.head) or "")


def peak_of(data: bytes) -> tuple[bytes, int]:
    inflated(data)  # imports are not what is measured
    tracemalloc.start()
    try:
        found = inflated(data)
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("level", [1, 3, 6, 9])
@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize(
    "data", [PROSE, NOISE, b"a", b"\0" * 9000], ids=["prose", "noise", "a", "0"]
)
def test_the_first_bytes_are_those_of_the_real_decompressor(kind, level, data):
    compressed = COMPRESS[kind](data, level)
    assert compression(compressed) == kind
    assert inflated(compressed) == data[:PIECE]


@SETTINGS
@given(data=st.binary(max_size=3000), kind=st.sampled_from(sorted(COMPRESS)))
def test_any_data_comes_out_of_any_compressor(data, kind):
    assert inflated(COMPRESS[kind](data, 3)) == data[:PIECE]


@SETTINGS
@given(
    pieces=st.lists(
        st.tuples(st.binary(min_size=1, max_size=30), st.integers(1, 400)), max_size=12
    ),
    level=st.integers(-3, 12),
    checksum=st.booleans(),
    store_size=st.booleans(),
    linked=st.booleans(),
    block_size=st.sampled_from([0, 4, 5, 6, 7]),
)
def test_every_kind_of_lz4_frame_is_read(pieces, level, checksum, store_size, linked, block_size):
    data = b"".join(piece * times for piece, times in pieces)
    frame = lz4.frame.compress(
        data,
        compression_level=level,
        content_checksum=checksum,
        block_checksum=checksum,
        store_size=store_size,
        block_linked=linked,
        block_size=block_size,
    )
    assert first_bytes(frame, PIECE) == data[:PIECE]
    assert first_bytes(frame, 7) == data[:7]
    assert inflated(frame) == data[:PIECE]


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("data", [PROSE, NOISE], ids=["prose", "noise"])
def test_of_a_truncated_file_the_beginning_or_nothing_comes_out(kind, data):
    compressed = COMPRESS[kind](data, 3)
    for length in range(0, len(compressed), 3):
        found = inflated(compressed[:length])
        assert found == data[: len(found)]


@pytest.mark.parametrize(
    "make",
    [
        lambda data: gzip.compress(data, mtime=1),
        lambda data: b"\x1f\x8b\x08\x04" + bytes(6) + b"\x05\x00extra" + _deflated(data),
        lambda data: b"\x1f\x8b\x08\x08" + bytes(6) + b"model.pkl\0" + _deflated(data),
        lambda data: b"\x1f\x8b\x08\x10" + bytes(6) + b"a comment\0" + _deflated(data),
        lambda data: b"\x1f\x8b\x08\x18" + bytes(6) + b"n\0" + b"c\0" + _deflated(data),
    ],
    ids=["time", "extra", "name", "comment", "name and comment"],
)
def test_every_gzip_header_is_read(make):
    assert inflated(make(PROSE)) == PROSE[:PIECE]


def _deflated(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


def test_a_stored_gzip_and_one_with_its_name_are_read():
    stream = io.BytesIO()
    with gzip.GzipFile("a name.pkl", "wb", 0, stream) as file:
        file.write(PROSE)
    assert inflated(stream.getvalue()) == PROSE[:PIECE]


@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64])
def test_every_xz_check_is_read(check):
    assert inflated(lzma.compress(PROSE, lzma.FORMAT_XZ, check)) == PROSE[:PIECE]


def test_a_bz2_block_of_the_largest_size_is_read():
    """bz2 gives nothing before a whole block has been read: 900 kB at level 9."""
    import random

    data = random.Random(1).randbytes(1_200_000)
    assert inflated(bz2.compress(data, 9)) == data[:PIECE]


@pytest.mark.parametrize(("columns", "end"), [(18, b""), (19, b""), (19, b"L"), (18, b"L")])
def test_every_old_joblib_header_is_read(columns, end):
    header = b"ZF" + (hex(len(PROSE)).encode() + end).ljust(columns)
    assert inflated(header + zlib.compress(PROSE)) == PROSE[:PIECE]


# -- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zlib", "gzip", "xz", "lzma", "lz4", "zfile"])
def test_a_bomb_is_inflated_no_further_than_a_piece(kind):
    bomb = COMPRESS[kind](bytes(4_000_000), 9)
    found, peak = peak_of(bomb)
    assert found == bytes(PIECE)
    assert peak < 512 * 1024


def test_a_bz2_bomb_is_inflated_no_further_than_a_piece():
    found, peak = peak_of(bz2.compress(bytes(4_000_000), 9))
    assert found == bytes(PIECE)
    assert peak < 8 * 1024 * 1024  # its one block: 900 kB, and four bytes a byte


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x80000000, 0])
def test_the_dictionary_an_lzma_header_asks_for_is_not_allocated(size):
    data = lzma.compress(PROSE, lzma.FORMAT_ALONE, preset=3)
    found, peak = peak_of(data[:1] + size.to_bytes(4, "little") + data[5:])
    if compression(data[:1] + size.to_bytes(4, "little")) is None:
        assert found == b""
    else:
        assert found == PROSE[:PIECE]
    assert peak < 512 * 1024


def test_the_dictionary_an_xz_header_asks_for_is_not_allocated():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 64 << 20}]
    data = bytearray(lzma.compress(b"short", lzma.FORMAT_XZ, filters=filters))
    at = data.index(b"\x21\x01", 12) + 2  # the filter's id, the length of its properties
    data[at] = 40  # 4 GiB - 1
    found, peak = peak_of(bytes(data))
    assert found == b"short"
    assert peak < 512 * 1024


@pytest.mark.parametrize("kind", sorted(set(COMPRESS) - {"bz2"}))
def test_only_the_beginning_is_read(kind):
    with ModelPath.of(COMPRESS[kind](NOISE * 200, 1) + bytes(3_000_000)) as path:
        left = path.left
        assert inflate(path, kind) == NOISE[:PIECE]
        assert left - path.left <= 4096


# -- damage -------------------------------------------------------------------------------------

MAGICS = {
    "zlib": [b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"],
    "gzip": [b"\x1f\x8b", b"\x1f\x8b\x08\x00"],
    "bz2": [b"BZh", b"BZh91AY&SY"],
    "xz": [b"\xfd7zXZ\x00", b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01"],
    "lzma": [b"]\x00\x00", b"]\x00\x00\x80\x00" + b"\xff" * 8],
    "lz4": [MAGIC, MAGIC + b"\x60\x40\x82", MAGIC + b"\x6d\x40"],
    "zfile": [b"ZF0x", b"ZF0x1f               x\x9c", b"ZF0x1f                x\x9c"],
}


@SETTINGS
@given(
    magic=st.sampled_from([(kind, magic) for kind in MAGICS for magic in MAGICS[kind]]),
    rest=st.binary(max_size=500),
)
@example(("lz4", MAGIC), b"")
@example(("lz4", MAGIC + b"\x40\x40\x00"), b"\x02\x00\x00\x00\xf0\xff")
@example(("lz4", MAGIC + b"\x40\x40\x00"), b"\x04\x00\x00\x00\x10a\x00\x00")
@example(("lz4", MAGIC + b"\x40\x40\x00"), b"\xff\xff\xff\x7f\x1fa\x01\x00" + b"\xff" * 300)
@example(("lzma", b"]\x00\x00"), b"")
@example(("xz", b"\xfd7zXZ\x00"), bytes(30))
def test_noise_behind_a_magic_gives_little_or_nothing(magic, rest):
    kind, start = magic
    assert compression(start + rest) == kind
    assert len(inflated(start + rest)) <= PIECE


@SETTINGS
@given(
    kind=st.sampled_from(sorted(COMPRESS)),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_file_gives_little_or_nothing(kind, changes):
    data = bytearray(COMPRESS[kind](PROSE, 3))
    for at, value in changes:
        data[at % len(data)] = value
    if compression(bytes(data)) is not None:
        assert len(inflated(bytes(data))) <= PIECE


@SETTINGS
@given(rest=st.binary(max_size=300), limit=st.integers(0, 2000))
def test_an_lz4_frame_gives_at_most_the_limit_or_a_value_error(rest, limit):
    try:
        assert len(first_bytes(MAGIC + rest, limit)) <= limit
    except ValueError:
        pass


@pytest.mark.parametrize("data", [b"", b"no frame", MAGIC, MAGIC + b"\x40\x40", MAGIC[:3]])
def test_what_is_no_lz4_frame_is_a_value_error(data):
    with pytest.raises(ValueError, match="LZ4"):
        first_bytes(data, PIECE)


@pytest.mark.parametrize(
    "head",
    [b"", b"x", b"x\x02", b"\x1f\x8c", b"BZ2", b"\xfd7zX", b"]\x00\x01", b"ZF1x", b"PK\x03\x04"],
)
def test_other_first_bytes_speak_of_no_compressor(head):
    assert compression(head) is None
