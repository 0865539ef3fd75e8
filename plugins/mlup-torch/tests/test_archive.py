"""PyTorch's zip archives: every shape that torch reads is claimed, and no other zip is."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mlup
import mlup_torch
import mlup_torch.script
from mlup.files import BUDGET, ModelPath

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Failed to initialize NumPy:UserWarning"),
]

SETTINGS = settings(
    max_examples=150,
    deadline=4000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
STATE = {"w": torch.arange(12.0), "b": torch.ones(3, dtype=torch.int64)}
Members = list[tuple[str, bytes]]


def saved(model: object) -> bytes:
    stream = io.BytesIO()
    torch.save(model, stream)
    return stream.getvalue()


def members(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(each.filename, archive.read(each)) for each in archive.infolist()]


def zipped(content: Iterable[tuple[str, bytes]], method: int = 0, comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in content:
            archive.writestr(name, data)
        archive.comment = comment
    return stream.getvalue()


def without(*names: str) -> Members:
    return [each for each in SAVED if each[0].partition("/")[2] not in names]


def renamed(change: Callable[[str], str]) -> Members:
    return [(change(name), data) for name, data in SAVED]


SAVED = members(saved(STATE))
MARKS = ("byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")
DATA_PKL = dict(SAVED)["archive/data.pkl"]

READ = {
    "as torch wrote it": saved(STATE),
    "by zipfile": zipped(SAVED),
    "deflated": zipped(SAVED, zipfile.ZIP_DEFLATED),
    "the last record first": zipped(SAVED[::-1]),
    "with folders": zipped([("archive/", b""), *SAVED, ("archive/data/", b"")]),
    "with a comment": zipped(SAVED, comment=b"as of Monday"),
    "with a long comment": zipped(SAVED, comment=b"as of Monday " * 4_000),
    "with bytes behind": saved(STATE) + b"\0" * 40,
    "another root": zipped(renamed(lambda name: "my model v1.2" + name[7:])),
    "a root that is not ASCII": zipped(renamed(lambda name: "модель" + name[7:])),
    "a root of a dot": zipped(renamed(lambda name: "." + name[7:])),
    "torch 1.6": zipped(without(*MARKS)),
    "torch 1.6 with folders": zipped([("archive/", b""), *without(*MARKS), ("archive/data/", b"")]),
    "no tensors of torch 1.6": zipped(
        [("archive/data.pkl", b"\x80\x02}q\x00X\x01\0\0\0aK\x01s."), ("archive/version", b"3\n")]
    ),
    "storages with addresses for names": zipped(
        [
            *((n, d) for n, d in without(*MARKS, "data.pkl") if "/data/" not in n),
            (
                "archive/data.pkl",
                DATA_PKL.replace(b"X\x01\0\0\x000", b"X\x0e\0\0\x0094440819419280").replace(
                    b"X\x01\0\0\x001", b"X\x0e\0\0\x0094440819419281"
                ),
            ),
            ("archive/data/94440819419280", dict(SAVED)["archive/data/0"]),
            ("archive/data/94440819419281", dict(SAVED)["archive/data/1"]),
        ]
    ),
    "the version elsewhere": zipped([*without("version"), ("archive/.data/version", b"3\n")]),
    "something beside it": zipped([*SAVED, ("archive/notes.txt", b"tuned on Monday")]),
}
REFUSED = {  # by torch, too
    "no folder": zipped(renamed(lambda name: name[8:])),
    "two folders": zipped(renamed(lambda name: "backup/" + name)),
    "a folder beside it": zipped([*SAVED, ("__MACOSX/archive/._data.pkl", b"")]),
    "a folder before it": zipped([("__MACOSX/archive/._data.pkl", b""), *SAVED]),
    "a file beside it": zipped([*SAVED, ("readme.md", b"")]),
    "a file before it": zipped([("readme.md", b""), *SAVED]),
    "a root that is longer": zipped([SAVED[0], *((f"archive2{n[7:]}", d) for n, d in SAVED)]),
    "no version": zipped(without("version")),
    "no data.pkl": zipped(without("data.pkl")),
    "bzip2": zipped(SAVED, zipfile.ZIP_BZIP2),
    "lzma": zipped(SAVED, zipfile.ZIP_LZMA),
    "a prefix": b"#!/bin/sh\n" + saved(STATE),
    "another pickle": zipped([*without("data.pkl"), ("archive/data.pkl", b"no pickle at all")]),
    "an empty pickle": zipped([*without("data.pkl"), ("archive/data.pkl", b"")]),
}


def records_of(*names: str) -> bytes:
    return zipped([(name, b"some data") for name in names], zipfile.ZIP_DEFLATED)


NOBODYS = {
    "a backup": records_of("backup/data.pkl", "backup/version", "backup/notes.txt"),
    "a backup with a pickle": zipped(
        [("b/data.pkl", DATA_PKL), ("b/version", b"3"), ("b/notes.txt", b"")]
    ),
    "a data.pkl far down": zipped([("proj/a/b/data.pkl", DATA_PKL), ("proj/version", b"3")]),
    "a folder of data": zipped(
        [("proj/data.pkl", DATA_PKL), ("proj/version", b"3"), ("proj/data/train.csv", b"")]
    ),
    "a data.pkl alone": zipped([("data.pkl", DATA_PKL)]),
    "keras": zipped(
        [
            ("metadata.json", json.dumps({"keras_version": "3.13.0"}).encode()),
            ("config.json", b"{}"),
            ("model.weights.h5", b"\x89HDF\r\n\x1a\n"),
        ]
    ),
    "npz": zipped([("a.npy", b"\x93NUMPY"), ("b.npy", b"\x93NUMPY")]),
    "skops": zipped([("0.npy", b"\x93NUMPY"), ("schema.json", b"{}")]),
    "docx": records_of("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "jar": records_of("META-INF/MANIFEST.MF", "a/B.class"),
    "wheel": records_of("pkg/__init__.py", "pkg-1.dist-info/METADATA"),
    "torchserve": records_of("MAR-INF/MANIFEST.json", "model.pt", "handler.py"),
    "stable baselines": records_of("data", "policy.pth", "pytorch_variables.pth"),
    "mlmodel": records_of("Manifest.json", "Data/com.apple.CoreML/model.mlmodel"),
    "empty": zipped([]),
    "a magic alone": b"PK\x03\x04",
    "a magic and noise": b"PK\x03\x04" + bytes(range(256)) * 9,
}


@pytest.mark.parametrize("name", READ)
def test_every_archive_that_torch_reads_is_recognised(best, name):
    native = torch.load(io.BytesIO(READ[name]), weights_only=False)
    assert best(READ[name]) == ("torch", 0.95)
    loaded = mlup.load(READ[name])
    assert loaded.keys() == native.keys()
    assert all(torch.equal(loaded[key], native[key]) for key in native if key != "a")


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_that_torch_refuses_is_nobodys(best, name):
    with pytest.raises(Exception):  # of any kind
        torch.load(io.BytesIO(REFUSED[name]), weights_only=False)
    assert best(REFUSED[name]) is None


@pytest.mark.parametrize("name", NOBODYS)
def test_another_zip_is_nobodys(best, name):
    assert best(NOBODYS[name]) is None
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(NOBODYS[name])


@pytest.mark.parametrize("name", ["by zipfile", "deflated", "torch 1.6"])
def test_the_class_is_named_of_a_packed_archive_too(name):
    assert "of tensors" in mlup.detect(READ[name]).best.reason


def test_a_record_that_stands_elsewhere_is_nobodys(best):
    """The directory says where data.pkl begins, and something else begins there."""
    data = bytearray(saved(STATE))
    assert best(bytes(data)) == ("torch", 0.95)
    data[:4] = b"PK\x03\x05"
    assert best(bytes(data)) is None
    data = saved(STATE)
    assert best(data[:64] + b"more" + data[64:]) is None


def test_records_that_are_compressed_are_not_mapped(tmp_path):
    """torch maps them and takes the compressed bytes for tensors."""
    (tmp_path / "packed.pt").write_bytes(READ["deflated"])
    mapped = torch.load(tmp_path / "packed.pt", mmap=True, weights_only=False)
    assert not torch.equal(mapped["w"], STATE["w"])
    for source in (tmp_path / "packed.pt", READ["deflated"]):
        with pytest.raises(mlup.OptionError, match="compressed"):
            mlup.load(source, options={"mmap": True})
    for name in ("by zipfile", "torch 1.6", "with folders"):
        mapped = mlup.load(READ[name], options={"mmap": True})
        assert torch.equal(mapped["w"], STATE["w"])


# -- a directory too long to be read ------------------------------------------------------------


def test_an_archive_of_very_many_tensors_is_recognised(tmp_path, best):
    model = {f"w{i}": torch.ones(1) for i in range(9_000)}
    torch.save(model, tmp_path / "many.pt")
    assert best(tmp_path / "many.pt") == ("torch", 0.99)
    assert "more than" in mlup.detect(tmp_path / "many.pt").best.reason
    assert len(mlup.load(tmp_path / "many.pt")) == 9_000


def scripted() -> Members:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(4, 2)), stream)
    return members(stream.getvalue())


FILLING = [(f"archive/data/{i}", b"") for i in range(100, 12_000)]


@pytest.mark.parametrize("place", ["in front", "behind", "in between"])
def test_torchscript_of_very_many_tensors_is_recognised(best, place):
    """It has its own records behind those of the tensors."""
    content = scripted()
    at = {"in front": 0, "behind": len(content), "in between": 4}[place]
    data = zipped([*content[:at], *FILLING, *content[at:]])
    assert best(data) == ("torch-jit", 0.95)
    assert mlup.load(data)(torch.ones(1, 4)).shape == (1, 2)


@pytest.mark.parametrize("name", ["archive_format", ".data/extern_modules"])
@pytest.mark.parametrize("first", [True, False])
def test_a_foreign_record_in_a_long_directory_is_seen(best, name, first):
    foreign = [(f"archive/{name}", b"pt2")]
    assert best(zipped([*SAVED, *FILLING])) == ("torch", 0.95)
    data = zipped([*foreign, *SAVED, *FILLING] if first else [*SAVED, *FILLING, *foreign])
    assert best(data) is None


@pytest.mark.parametrize("content", ["torch", "torch-jit", "neither"])
def test_what_a_detection_reads_of_a_long_directory_is_bounded(content):
    of = {"torch": SAVED, "torch-jit": scripted(), "neither": []}[content]
    with ModelPath.of(zipped([*of, *FILLING], comment=b"c" * 60_000)) as path:
        for plugin in (mlup_torch, mlup_torch.script):
            path.next_reader()
            path.remembered.clear()
            plugin.score(path, path.head, path.tail)
            assert not path.overdrawn
            assert BUDGET - path.left < BUDGET


def directory(*names: bytes, behind: bytes = b"", count: int) -> bytes:
    """An archive that is a directory alone, which is said to have more entries than it has."""
    entry = struct.Struct("<4s6H3L5H2L")
    data = behind.join(
        [entry.pack(b"PK\1\2", *[0] * 9, len(name), *[0] * 6) + name for name in names] + [b""]
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(data), 30, 0)
    return b"PK\3\4" + bytes(26) + data + end


@pytest.mark.parametrize("length", [b"\0\0", b"\xff\x03", b"\xff\x7f", b"\xff\xff", b""])
def test_entries_that_overlap_take_no_memory(best, length):
    """Each took a name of its own, of up to 65,535 bytes."""
    overlapping = b"".join(b"PK\1\2" + bytes([i % 251]) + length for i in range(6_000))
    data = directory(b"a/data.pkl", b"a/version", b"a/x", behind=b"XX" + overlapping, count=9999)
    with ModelPath.of(data) as path:
        tracemalloc.start()
        try:
            assert mlup_torch.score(path, path.head, path.tail) is None
            assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
        finally:
            tracemalloc.stop()
    assert best(data) is None


@pytest.mark.parametrize("last", ["archive_format", "constants.pkl"])
def test_a_record_behind_one_with_a_long_name_is_seen(best, last):
    content = [*SAVED, *FILLING, (f"archive/{'n' * 20_000}", b"")]
    assert best(zipped(content)) == ("torch", 0.95)
    assert best(zipped([*content, (f"archive/{last}", b"")])) is None


@pytest.mark.parametrize("last", ["archive_format", "constants.pkl"])
@pytest.mark.parametrize("length", [0, 300, 0xFFFF])
def test_a_mark_in_an_entrys_comment_hides_nothing(best, last, length):
    """The part that is read may begin in the midst of such a comment."""

    def with_comments(content: Members) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, data in content:
                info = zipfile.ZipInfo(name)
                info.comment = (b"PK\1\2" + length.to_bytes(2, "little") * 21) * 5
                archive.writestr(info, data)
        return stream.getvalue()

    assert best(with_comments([*SAVED, *FILLING])) == ("torch", 0.95)
    assert best(with_comments([*SAVED, *FILLING, (f"archive/{last}", b"")])) is None


@pytest.mark.parametrize("length", [40, 60, 100])
def test_a_long_name_is_not_shown(length):
    pickled = b"\x80\x02c" + b"m" * length + b"\n" + b"C" * length + b"\n)\x81."
    data = zipped([*without("data.pkl"), ("archive/data.pkl", pickled)])
    reason = mlup.detect(data).best.reason
    assert reason.startswith("PyTorch archive")
    assert ("mmm" in reason) == (length == 40)
    assert len(reason) < 150


# -- what other parts of torch write ------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", ["m.pt2", "m.pt", "m"])
def test_an_exported_program_is_nobodys(tmp_path, best, name):
    stream = io.BytesIO()
    torch.export.save(torch.export.export(nn.Linear(4, 2), (torch.ones(1, 4),)), stream)
    (tmp_path / name).write_bytes(stream.getvalue())
    assert best(tmp_path / name) is None


def test_an_exported_program_of_older_versions_is_nobodys(best):
    names = ("serialized_exported_program.json", "serialized_state_dict.pt", "version")
    assert best(zipped([(name, b"1.8") for name in names])) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
@pytest.mark.parametrize("record", ["model.pkl", "data.pkl"])
def test_a_package_is_nobodys(tmp_path, best, record):
    from torch.package import PackageExporter

    with PackageExporter(str(tmp_path / "package.pt")) as package:
        package.extern("**")
        package.save_pickle("", record, nn.Linear(4, 2))
    assert best(tmp_path / "package.pt") is None


# -- properties ---------------------------------------------------------------------------------

ROOTS = ("a/", "b/", "/", "a//", "a/code/", "a/data/", "../")
RECORDS = (
    *("data.pkl", "version", "constants.pkl", "code/x.py", "data/0", "byteorder", "archive_format"),
    *("", "x", "0", ".data/version", ".data/extern_modules", "data/x", "модель"),
)


@SETTINGS
@given(
    content=st.lists(
        st.tuples(
            st.tuples(st.sampled_from(ROOTS), st.sampled_from(RECORDS)),
            st.sampled_from([b"", b"3\n", DATA_PKL, b"junk"]),
        ),
        max_size=9,
        unique_by=lambda each: each[0][0] + each[0][1],
    ),
    method=st.sampled_from([0, 8, 12, 14]),
)
def test_what_is_claimed_has_what_torch_asks_for(best, content, method):
    data = zipped((("".join(name), data) for name, data in content), method)
    claimed = best(data)
    if claimed is None:
        return
    names = ["".join(name) for name, _ in content]
    root = names[0].partition("/")[0] + "/"
    assert all(name.startswith(root) for name in names)
    assert root + "data.pkl" in names
    assert {root + "version", root + ".data/version"} & set(names)
    assert (root + "constants.pkl" in names) == (claimed[0] == "torch-jit")
    assert method in (0, 8)


@SETTINGS
@given(
    sample=st.sampled_from([READ["as torch wrote it"], READ["deflated"]]),
    field=st.integers(0, 40),
    value=st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]),
    width=st.sampled_from(["<H", "<L"]),
    which=st.sampled_from(
        [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"]
    ),
)
def test_lying_numbers_never_make_detection_raise(best, sample, field, value, width, which):
    at = sample.find(which)
    if at < 0:
        return
    data = bytearray(sample)
    number = struct.pack(width, value & (0xFFFF if width == "<H" else 0xFFFFFFFF))
    data[at + 4 + field : at + 4 + field + len(number)] = number
    best(bytes(data))
