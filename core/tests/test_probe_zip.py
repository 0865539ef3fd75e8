"""The zip probe against the standard library's zipfile: the same records, from bounded reads."""

from __future__ import annotations

import io
import pathlib
import random
import struct
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlup import probe, sources
from mlup.files import BUDGET, ModelPath
from mlup.probe.zips import MAX_DIRECTORY

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")


def opened(data):
    return ModelPath(sources.Memory(data), location=None, name="")


def archive(members=(("a.txt", b"a" * 100), ("b/c.bin", b"c" * 1000)), *, comment=b"", **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
        file.comment = comment
    return stream.getvalue()


def assert_as_zipfile(data, *, prefix=0):
    found = probe.zip_directory(opened(data))
    assert found is not None
    assert found.complete
    assert found.prefix == prefix
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        expected = [
            (
                info.orig_filename,
                info.compress_type,
                info.compress_size,
                info.file_size,
                info.header_offset,
            )
            for info in file.infolist()
        ]
    records = [
        (each.name, each.method, each.compressed_size, each.size, each.header_offset + prefix)
        for each in found.records
    ]
    assert records == expected
    assert found.names == tuple(name for name, *_ in expected)
    return found


# -- what zipfile writes --------------------------------------------------------------------

NAMES = {
    "ascii": "data.pkl",
    "folders": "archive/data/0",
    "unicode": "модель/данные.bin",
    "cp437": "é.txt",
    "spaces": " a b ",
    "long": "x" * 5000,
}


def test_an_empty_archive():
    found = assert_as_zipfile(archive(()))
    assert found.records == ()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_methods(method):
    found = assert_as_zipfile(archive(compression=method))
    assert {each.method for each in found.records} == {method}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert_as_zipfile(archive([(NAMES[name], b"data"), ("other", b"")]))


def test_a_name_in_the_old_code_page():
    data = archive([("grun.txt", b"data")]).replace(b"grun.txt", b"gr\x81n.txt")
    found = assert_as_zipfile(data)
    assert found.names == ("grün.txt",)


def test_a_name_that_is_not_its_encoding():
    data = archive([("grün.txt", b"data")]).replace("grün.txt".encode(), b"gr\xff\xfen.txt")
    assert len(probe.zip_directory(opened(data)).records) == 1


@pytest.mark.parametrize(
    "comment",
    [
        b"short",
        b"x" * 100,
        b"x" * 65_535,
        b"PK\x05\x06",
        b"a PK\x05\x06 in a comment",
        b"PK\x05\x06" * 30,
        b"x" * 200 + b"PK\x05\x06 further on, with words behind it" * 3,
        b"\0" * 50 + b"PK\x01\x02" + b"\0" * 50,
    ],
    ids=lambda comment: f"{len(comment)} bytes of {comment[:4]!r}",
)
def test_comments(comment):
    data = archive(comment=comment)
    found = probe.zip_directory(opened(data))
    assert found is not None
    assert found.names == ("a.txt", "b/c.bin")
    assert (found.complete, found.prefix) == (True, 0)


@pytest.mark.parametrize("prefix", [b"#!/bin/sh\n", b"MZ" + bytes(5000), b"PK\x05\x06" + bytes(18)])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_bytes_in_front(prefix, comment):
    assert_as_zipfile(prefix + archive(comment=comment), prefix=len(prefix))


def test_bytes_behind():
    found = probe.zip_directory(opened(archive() + b"\n"))
    assert found.names == ("a.txt", "b/c.bin")


def test_many_members():
    found = assert_as_zipfile(archive([(f"data/{number}", b"x") for number in range(300)]))
    assert len(found.records) == 300


def test_a_member_with_an_extra_field_and_a_comment():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in ("a", "b"):
            info = zipfile.ZipInfo(name)
            info.comment = b"PK\x01\x02 in a comment"
            info.extra = struct.pack("<HH4s", 0x4642, 4, b"ZZZZ")
            file.writestr(info, b"data")
    assert_as_zipfile(stream.getvalue())


def test_a_folder_and_a_member_twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive([("folder/", b""), ("a", b"1"), ("a", b"2")])
    assert assert_as_zipfile(data).names == ("folder/", "a", "a")


@pytest.mark.parametrize("streamed", [False, True])
def test_an_archive_written_to_a_stream(streamed):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *args):
            raise io.UnsupportedOperation("seek")

        def tell(self):
            raise io.UnsupportedOperation("tell")

    stream = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("a", "w", force_zip64=True) as member:
            member.write(b"data" * 100)
        file.writestr("b", b"more")
    assert_as_zipfile(stream.getvalue())


@given(
    members=st.dictionaries(
        st.text(
            st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
            min_size=1,
            max_size=20,
        ),
        st.binary(max_size=300),
        max_size=8,
    ),
    comment=st.binary(max_size=300).filter(lambda comment: b"PK\x05\x06" not in comment),
    # zipfile itself is led astray by the marks of an archive in front of an archive
    prefix=st.binary(max_size=300).filter(lambda prefix: b"PK" not in prefix),
    deflated=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_every_archive_of_zipfiles(members, comment, prefix, deflated):
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    data = archive(members.items(), comment=comment, compression=method)
    assert_as_zipfile(prefix + data, prefix=len(prefix))


# -- zip64 ----------------------------------------------------------------------------------


@pytest.fixture
def small_limits(monkeypatch):
    """What zipfile takes for too large for plain zip, so that small archives become zip64."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 200)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("prefix", [b"", b"in front"])
@pytest.mark.parametrize("comment", [b"", b"comment " * 40])
@pytest.mark.parametrize("count", [1, 4, 20])
def test_zip64(count, comment, prefix):
    sizes = [0, 100, 201, 1000]
    data = archive(
        [(f"m{number}", bytes(sizes[number % 4])) for number in range(count)],
        comment=comment,
        compression=zipfile.ZIP_DEFLATED,
    )
    if count > 3:
        assert b"PK\x06\x06" in data
        assert b"PK\x06\x07" in data
    assert_as_zipfile(prefix + data, prefix=len(prefix))


@pytest.mark.usefixtures("small_limits")
def test_zip64_sizes_are_read_in_their_order():
    data = archive([("first", bytes(150)), ("large", bytes(100_000)), ("last", b"x")])
    found = assert_as_zipfile(data)
    first, large, last = found.records
    assert (first.size, large.size, large.compressed_size) == (150, 100_000, 100_000)
    assert last.header_offset > 100_000


def as_zip64(data, *, count=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF, lies=()):
    """An archive without a comment, with its end record made the shell of a zip64 one."""
    body, end = data[: -END.size], data[-END.size :]
    _, _, _, _, number, length, start, _ = END.unpack(end)
    told = {"count": number, "size": length, "offset": start, **dict(lies)}
    record = END64.pack(
        b"PK\x06\x06", 44, 45, 45, 0, 0, told["count"], told["count"], told["size"], told["offset"]
    )
    locator = LOCATOR64.pack(b"PK\x06\x07", 0, len(body), 1)
    short = END.pack(b"PK\x05\x06", 0, 0, min(count, 0xFFFF), count, size, offset, 0)
    return body + record + locator + short


@pytest.mark.parametrize("which", ["count", "size", "offset", "all"])
def test_one_field_that_is_all_ones_means_zip64(which):
    data = archive()
    _, _, _, _, count, size, offset, _ = END.unpack(data[-END.size :])
    fields = {"count": count, "size": size, "offset": offset}
    made = as_zip64(data, **({} if which == "all" else {**fields, which: None} | ones(which)))
    assert_as_zipfile(made)


def ones(which):
    return {which: 0xFFFF if which == "count" else 0xFFFFFFFF}


def test_pytorchs_zip64_whose_short_record_is_right_too():
    data = archive()
    _, _, _, _, count, size, offset, _ = END.unpack(data[-END.size :])
    made = as_zip64(data, count=count, size=size, offset=offset)
    found = probe.zip_directory(opened(made))
    assert found.names == ("a.txt", "b/c.bin")
    assert found.complete


def test_a_number_of_members_that_no_plain_zip_has():
    stream = io.BytesIO()
    info = zipfile.ZipInfo("x")
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(info, b"")
        file.filelist = [info] * 70_000  # the directory alone is what counts here
    data = stream.getvalue()
    assert b"PK\x06\x06" in data
    path = opened(data)
    began = time.perf_counter()
    found = probe.zip_directory(path)
    assert time.perf_counter() - began < 2.0
    assert not found.complete
    assert len(found.records) == MAX_DIRECTORY // 47
    assert set(found.names) == {"x"}
    assert BUDGET - path.left <= MAX_DIRECTORY + 70_000


# -- archives that lie or break off ---------------------------------------------------------


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_truncated_archive_has_no_directory(count, zip64):
    data = archive([(f"data/{number}", b"x" * 10) for number in range(count)])
    data = as_zip64(data) if zip64 else data
    for length in [*range(0, len(data), 1 + len(data) // 500), *range(len(data) - 90, len(data))]:
        if 0 <= length < len(data):
            assert probe.zip_directory(opened(data[:length])) is None, length


def lying(**fields):
    data = archive()
    names = ("disk", "start", "here", "count", "size", "offset", "comment")
    values = dict(zip(names, END.unpack(data[-END.size :])[1:], strict=True))
    return data[: -END.size] + END.pack(b"PK\x05\x06", *{**values, **fields}.values())


def test_a_directory_longer_than_the_file():
    for size in (len(archive()), 10**6, 0xFFFFFFFE):
        assert probe.zip_directory(opened(lying(size=size))) is None


@pytest.mark.parametrize("count", [0, 1, 3, 5000, 0xFFFE])
def test_a_wrong_count_is_noticed(count):
    found = probe.zip_directory(opened(lying(count=count)))
    assert not found.complete


@pytest.mark.parametrize("size", [0, 1, 46, 60, 109])
def test_a_wrong_size_is_noticed(size):
    found = probe.zip_directory(opened(lying(size=size)))
    assert found is None or not found.complete
    assert found is None or len(found.records) < 2


@pytest.mark.parametrize("offset", [0, 1, 10**6, 0xFFFFFFFE])
def test_a_wrong_offset_does_not_lose_the_members(offset):
    found = probe.zip_directory(opened(lying(offset=offset)))
    assert found.names == ("a.txt", "b/c.bin")
    assert found.prefix >= 0


def test_all_ones_without_a_zip64_record():
    found = probe.zip_directory(opened(lying(count=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF)))
    assert found is None


@pytest.mark.parametrize("number", [2**32, 2**62, 2**64 - 1])
@pytest.mark.parametrize("field", ["count", "size", "offset"])
def test_a_zip64_record_that_lies(field, number):
    path = opened(as_zip64(archive(), lies={field: number}))
    found = probe.zip_directory(path)
    if field == "size":
        assert found is None
    elif field == "count":
        assert not found.complete
    else:
        assert found.names == ("a.txt", "b/c.bin")
    assert not path.overdrawn


def test_a_record_whose_name_runs_past_the_directory():
    data = archive()
    at = data.rfind(b"PK\x01\x02")
    damaged = data[: at + 28] + b"\xff\xff" + data[at + 30 :]
    found = probe.zip_directory(opened(damaged))
    assert not found.complete
    assert found.names == ("a.txt",)


def test_zip64_sizes_without_their_field():
    data = archive([("a", b"x")])
    at = data.rfind(b"PK\x01\x02")
    damaged = data[: at + 20] + b"\xff" * 8 + data[at + 28 :]
    assert probe.zip_directory(opened(damaged)).names == ("a",)


def test_a_directory_of_any_length_costs_a_bounded_read():
    body = bytes(20_000_000)
    end = END.pack(b"PK\x05\x06", 0, 0, 9, 9, len(body), 0, 0)
    path = opened(body + end)
    found = probe.zip_directory(path)
    assert (found.records, found.complete) == ((), False)
    assert BUDGET - path.left <= MAX_DIRECTORY + 100


def test_no_archive():
    for data in (b"", b"P", b"PK\x05\x06", b"PK\x05\x06" + bytes(17), b"x" * 10**6):
        assert probe.zip_directory(opened(data)) is None


WHOLE = archive([(f"data/{number}", b"x" * number) for number in range(5)], comment=b"comment")


@given(
    base=st.sampled_from([WHOLE, as_zip64(archive()), archive(())]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
    at_the_end=st.booleans(),
    cut=st.integers(0, 50),
)
@settings(max_examples=300, deadline=None)
def test_mutations_never_raise(base, changes, at_the_end, cut):
    data = bytearray(base)
    for at, value in changes:
        data[-1 - at % 150 if at_the_end and len(data) > 150 else at % len(data)] = value
    within_budget(bytes(data[: len(data) - cut]))


@given(head=st.binary(max_size=300), tail=st.binary(min_size=18, max_size=100))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise(head, tail):
    within_budget(head)
    within_budget(head + b"PK\x05\x06" + tail)
    within_budget(head + b"PK\x06\x06" + tail + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + tail)


def within_budget(data):
    path = opened(data)
    found = probe.zip_directory(path)
    assert found is None or isinstance(found, probe.ZipDirectory)
    assert not path.overdrawn
    return found


def test_noise_has_no_directory():
    source = random.Random(1)
    assert not any(within_budget(source.randbytes(5000)) for _ in range(200))


# -- what it takes, and what it costs -------------------------------------------------------


def test_it_takes_plain_paths(tmp_path):
    data = archive()
    real = tmp_path / "model.zip"
    real.write_bytes(data)
    expected = probe.zip_directory(opened(data)).records
    assert probe.zip_directory(real).records == expected
    assert probe.zip_directory(str(real)).records == expected
    with ModelPath.of(real) as path:
        assert probe.zip_directory(path).records == expected


def test_one_record_is_like_that_of_all():
    found = probe.zip_directory(opened(archive()))
    for each in found.records:
        assert found.record(each.name) == each
    assert found.record("nothing") is None
    assert found.names == tuple(each.name for each in found.records)


def test_folders_hold_no_archive(tmp_path):
    assert probe.zip_directory(pathlib.Path(tmp_path)) is None


@pytest.mark.parametrize("data", [archive(), b"PK\x03\x04" + b"x" * 1000], ids=["zip", "none"])
def test_it_is_read_once(data):
    reads = []

    class Counting(sources.Memory):
        def read(self, offset, n):
            reads.append(n)
            return super().read(offset, n)

    path = ModelPath(Counting(data), location=None, name="")
    first = probe.zip_directory(path)
    cost = len(reads)
    assert cost <= 3
    assert probe.zip_directory(path) == first
    assert len(reads) == cost
