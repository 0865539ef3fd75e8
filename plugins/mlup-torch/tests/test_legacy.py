"""The format before 1.6: recognised where all of it is there, and told from a file that was cut."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import tarfile
import time
import tracemalloc

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mlup
import mlup_torch
from mlup.files import BUDGET, ModelPath
from mlup_torch.following import Damaged, TooLong, Unfinished, follow
from mlup_torch.glancing import glanced
from mlup_torch.legacy import legacy as measured
from mlup_torch.marks import is_legacy

pytestmark = [
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:Failed to initialize NumPy:UserWarning"),
]

SETTINGS = settings(
    max_examples=150,
    deadline=4000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
PROTOCOLS = (1, 2, 3, 4, 5)
MOST = 50_000  # opcodes
LONG = 512 * 1024
WEIGHT = torch.randn(30, 4, generator=torch.Generator().manual_seed(2))


def legacy(model: object, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    how = {"_use_new_zipfile_serialization": False, "pickle_protocol": protocol}
    torch.save(model, stream, **how)
    return stream.getvalue()


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


OBJECTS = {
    "state dict": network().state_dict(),
    "module": network(),
    "no tensors": {"classes": ["a", "b"]},
    "one": WEIGHT,
    "shared": [WEIGHT, WEIGHT, WEIGHT[3:7], WEIGHT.t(), nn.Parameter(WEIGHT)],
    "types": {
        str(dtype): torch.ones(5, dtype=dtype)
        for dtype in (
            torch.float64,
            torch.float16,
            torch.bfloat16,
            torch.uint8,
            torch.int8,
            torch.int16,
            torch.int32,
            torch.int64,
            torch.bool,
            torch.complex64,
            torch.complex128,
        )
    },
    "empty": [torch.zeros(0), torch.zeros(0, dtype=torch.int64), torch.ones(1)],
    "large": {"big": torch.zeros(70_000), "many": torch.zeros(300, dtype=torch.int64)},
    "many": [torch.ones(2) for _ in range(1200)],
    "a file inside": {"inner": legacy([WEIGHT, torch.ones(3)]), "w": WEIGHT},
    "long before": {"notes": "x" * 40_000, "w": WEIGHT},
    "long behind": {"w": WEIGHT, "notes": [f"note {i}" for i in range(3_000)]},
}


def of_python_2(data: bytes) -> bytes:
    """As Python 2 wrote it: its texts are byte strings, with opcodes of their own."""
    pickles = io.BytesIO(data)
    for _ in range(2):
        pickle.load(pickles)
    start = pickles.tell()
    end = re.search(rb"\.\x80\x02\](q\0)?(\(|X|\.)", data).end() + 2000
    short = re.compile(rb"X(.)\0\0\0((?:\w|[.:])*)(?=q)", re.DOTALL)

    def shortened(found: re.Match[bytes]) -> bytes:
        long_enough = found[1][0] == len(found[2])
        return b"U" + found[1] + found[2] if long_enough else found[0]

    return data[:start] + short.sub(shortened, data[start:end]) + data[end:]


# -- all of it is there -------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OBJECTS)
def test_a_whole_file_is_recognised(best, name, protocol):
    data = legacy(OBJECTS[name], protocol)
    assert is_legacy(data)
    assert best(data) == ("torch", 0.95)
    for behind in (b"\n", b"\0" * 40, b"anything"):  # torch.load does not look there
        assert best(data + behind) == ("torch", 0.95)
        mlup.load(data + behind)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_glance_agrees_with_following_every_opcode(name):
    data = legacy(OBJECTS[name])
    position, names, ids = 0, [], []
    for _ in range(5):
        found = follow(data, position, MOST)
        position = found.end
        names.append(found.first_name)
        ids += found.persistent
    storages = {each[2] for each in ids if each[0] == b"storage"}
    first = None if name == "long before" else names[3]  # it is not looked for behind 40,000 bytes
    expected = None if name == "a file inside" else (first, len(storages))
    assert glanced(data, len(data)) == expected


def test_a_file_of_python_2_is_recognised(best):
    old = of_python_2(legacy(OBJECTS["state dict"]))
    assert b"U\x03cpu" in old
    assert b"X\x03\0\0\0cpu" not in old
    assert best(old) == ("torch", 0.95)
    loaded = mlup.load(old)
    assert all(torch.equal(loaded[key], OBJECTS["state dict"][key]) for key in loaded)
    for length in range(len(old)):
        assert best(old[:length]) is None


@pytest.mark.parametrize("name", ["state dict", "module"])
def test_a_file_of_another_pickle_module_is_recognised(best, name):
    """The pure Python pickler, as dill's and cloudpickle's are: its memo has gaps."""

    class Plain:
        __name__ = "plain"
        Pickler, load, dump = (
            pickle._Pickler,
            staticmethod(pickle._load),
            staticmethod(pickle._dump),
        )

    stream = io.BytesIO()
    how = {"_use_new_zipfile_serialization": False, "pickle_module": Plain}
    torch.save(OBJECTS[name], stream, **how)
    data = stream.getvalue()
    assert best(data) == ("torch", 0.95)
    for length in range(0, len(data), 7):
        assert best(data[:length]) is None


def test_pickles_too_long_to_follow_are_believed(best):
    words = {f"word{i:07}": i for i in range(60_000)}
    data = legacy({"words": words, "w": WEIGHT})
    assert data.find(b"_rebuild_tensor_v2") > 600_000
    assert best(data) == ("torch", 0.9)
    assert mlup.load(data)["words"] == words
    assert "too many pickled bytes" in mlup.detect(data).best.reason


def test_a_name_still_counts_then(tmp_path, best):
    (tmp_path / "m.pt").write_bytes(legacy({f"word{i:07}": i for i in range(60_000)}))
    assert best(tmp_path / "m.pt") == ("torch", 0.95)


def test_a_storage_of_an_unknown_class_is_believed(best):
    data = legacy([WEIGHT, torch.ones(9)]).replace(b"FloatStorage", b"NovelStorage")
    assert best(data) == ("torch", 0.9)
    assert best(data[: len(data) // 4]) is None


# -- it was cut ---------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["state dict", "no tensors", "shared", "empty", "types"])
def test_a_file_that_was_cut_is_nobodys_wherever_it_was(best, name, protocol):
    data = legacy(OBJECTS[name], protocol)
    for length in range(len(data)):
        assert best(data[:length]) is None, length


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", OBJECTS)
def test_a_file_that_was_cut_in_its_storages_is_nobodys(best, name, protocol):
    data = legacy(OBJECTS[name], protocol)
    for length in (
        *range(len(data) - 20, len(data)),
        *range(0, len(data), len(data) // 7),
        len(data) * 6 // 10,
    ):
        assert best(data[:length]) is None, length


def test_a_file_that_was_cut_is_refused(best):
    data = legacy(OBJECTS["large"])
    cut = data[: len(data) // 2]
    with pytest.raises(mlup.UnknownModelError):
        mlup.load(cut)
    with pytest.raises(mlup.ModelBinarizationError, match="was not loaded by torch") as caught:
        mlup.load(cut, "torch")
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("count", [200, 4_000])
def test_what_a_detection_reads_is_bounded(count):
    data = legacy([torch.ones(2) for _ in range(count)])
    with ModelPath.of(data) as path:
        assert mlup_torch.score(path, path.head, path.tail) == 0.95
        assert BUDGET - path.left < 600 * 1024
        assert not path.overdrawn


# -- what is nobody's ---------------------------------------------------------------------------


def test_protocol_0_is_nobodys(best):
    data = legacy(OBJECTS["state dict"], 0)
    assert not is_legacy(data)
    assert best(data) is None


HEAD = legacy(0)[:21]
HEADER = legacy({})[: -len(b"\x80\x02}q\0.\x80\x02]q\0.")]  # with the machine's sizes
NO_KEYS = b"\x80\x02]."


def test_the_object_begins_where_the_header_ends():
    def seen(header: bytes, pickled: bytes) -> object:
        data = header + pickled + b"." + NO_KEYS
        return glanced(data, len(data))

    assert seen(HEADER, b"\x80\x02}") == (None, 0)
    assert seen(HEADER, b"\x80\x02ca.b\nC\n)\x81") == ("a.b.C", 0)
    assert seen(HEADER, b"}") is None
    assert seen(HEADER, b"\x80\x03}") is None
    assert seen(HEADER, b"N\x80\x02}") is None
    for no_opcode in (b"c" * 3000, b"c\n\n", b"c(\nC\n", b"\0", b"\xff", b"q\0", b"t", b"."):
        assert seen(HEADER, b"\x80\x02" + no_opcode) is None
    for header in (HEAD, HEADER[:-1], HEADER.replace(b"short", b"shirt"), HEADER + b"}."):
        assert seen(header, b"\x80\x02}") is None


def test_an_import_is_looked_for_in_the_objects_beginning_alone():
    for length, expected in ((3_000, "a.b.C"), (5_000, None)):
        text = b"X" + length.to_bytes(4, "little") + b"-" * length
        data = HEADER + b"\x80\x02(" + text + b"ca.b\nC\nt." + NO_KEYS
        assert glanced(data, len(data)) == (expected, 0)


@pytest.mark.parametrize("header", [HEAD, HEADER])
@pytest.mark.parametrize("count", [900, 40_000, LONG])
def test_a_run_of_one_letter_behind_the_magic_is_nobodys(best, header, count):
    for start in (b"", b"\x80\x02"):
        assert best(header + start + b"c" * (count - 200) + b"." + NO_KEYS) is None


@pytest.mark.parametrize(
    "data",
    [
        HEAD[:15],
        HEAD,
        HEAD + b"." * 900,
        HEAD + b"\0" * 900,
        HEAD + b"\x80\x02}." * 2,
        HEAD.replace(b"M\xe9\x03", b"M\xe9\x04") + b"\x80\x02}.\x80\x02}.\x80\x02].",
        HEAD.replace(b"\x8a\n", b"\x8a\x0b") + b"\x80\x02}.\x80\x02}.\x80\x02].",
        b"L119547037146038801333356L\n.",
        b"L119547037146038801333356L\n.M\xe9\x03.",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        pickle.dumps(0x1950A86A20F9469CFC6C, 4),
        pickle.dumps([WEIGHT.tolist()], 2),
    ],
)
def test_a_magic_number_alone_is_nobodys(best, data):
    assert best(data) is None


def test_the_shortest_file_is_recognised(best):
    data = HEAD + b"\x80\x02}.\x80\x02N.\x80\x02]."
    assert best(data) == ("torch", 0.95)
    assert mlup.load(data) is None


def test_a_tar_of_before_0_1_10_is_nobodys_and_loads_by_name_with_trust(tmp_path, best):
    """It may be any tar: weights-only loading refuses it, and nothing was written so since 2017."""
    storages = pickle.dumps(1) + pickle.dumps((1, "cpu", torch.FloatStorage))
    storages += (2).to_bytes(8, "little") + b"\0\0\x80?" * 2 + pickle.dumps([])
    tensor = b"".join(each.to_bytes(8, "little") for each in (1, 2, 1, 0))
    tensors = pickle.dumps(1) + pickle.dumps((1, 1, torch.FloatTensor)) + tensor

    class Pickler(pickle.Pickler):
        def persistent_id(self, each: object) -> str | None:
            return "1" if each is WEIGHT else None

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"w": WEIGHT})
    members = {
        "sys_info": pickle.dumps({"protocol_version": 1000}),
        "storages": storages,
        "tensors": tensors,
        "pickle": stream.getvalue(),
    }
    with tarfile.open(tmp_path / "old.pt", "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert best(tmp_path / "old.pt") is None
    with pytest.raises(mlup.UnsafeModelError, match="a tar file"):
        mlup.load(tmp_path / "old.pt", "torch")
    loaded = mlup.load(tmp_path / "old.pt", "torch", trust=True)
    assert torch.equal(loaded["w"], torch.ones(2))


# -- following ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        "text",
        5,
        255,
        256,
        70_000,
        -3,
        1 << 40,
        -(1 << 80),
        (1, "a", (2, ("b",))),
        (),
        (1,),
        (1, 2, 3, 4),
        ("a", "a", ("a",)),
    ],
)
def test_texts_numbers_and_tuples_are_kept(protocol, value):
    def in_bytes(each: object) -> object:
        if isinstance(each, tuple):
            return tuple(map(in_bytes, each))
        return each.encode() if isinstance(each, str) else each

    data = pickle.dumps(value, protocol)
    found = follow(b"??" + data + b"behind", 2, MOST)
    assert found.end == 2 + len(data)
    assert found.top == in_bytes(value)
    assert found.persistent == []
    with pytest.raises(Unfinished):
        follow(data[:-1], 0, MOST)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whatever_else_there_is_is_stepped_over(protocol):
    shared = ["x"]
    value = {
        "list": [shared, shared, {1, 2}, frozenset([3])],
        "bytes": b"b" * 300,
        "bytearray": bytearray(b"c"),
        "float": 0.5,
        "flags": (True, False, None),
        "object": io.BytesIO,
        "made": pickle.PickleError("x"),
        "complex": 2j,
        "long": "l" * 400,
        "number": 1 << 3000,
        range(3): slice(1, 2),
    }
    data = pickle.dumps([value, "last"], protocol)
    assert follow(data, 0, MOST).end == len(data)
    data = pickle.dumps((value, "last"), protocol)
    assert follow(data, 0, MOST).top == (None, b"last")


@pytest.mark.parametrize(
    "data",
    [b"\xff.", b"h\x05.", b"q\x00.", b"t.", b"Q.", b".", b"N\x93.", b"Ix\n.", b"u."],
)
def test_what_no_pickler_writes_is_damage(data):
    with pytest.raises((Damaged, Unfinished)):
        follow(data, 0, MOST)


@pytest.mark.parametrize("length", [60, 90, 300, 3_000])
@pytest.mark.parametrize("header", [HEAD + b"\x80\x02}.", HEADER])
@pytest.mark.parametrize("how", ["GLOBAL", "STACK_GLOBAL"])
def test_a_long_name_is_not_shown(best, header, how, length):
    module, name = b"m" * length, b"C" * length
    count = length.to_bytes(4, "little")
    written = {
        "GLOBAL": b"c" + module + b"\n" + name + b"\n",
        "STACK_GLOBAL": b"X" + count + module + b"X" + count + name + b"\x93",
    }
    data = header + b"\x80\x02(" + written[how] + b"t." + NO_KEYS
    assert best(data) == ("torch", 0.95)
    reason = mlup.detect(data).best.reason
    assert "mmm" not in reason
    assert len(reason) < 100


def test_a_name_that_nobody_would_write_is_not_kept():
    long = b"X\xe8\x03\0\0" + b"m" * 1000
    for written in (b"c" + b"m" * 1000 + b"\nC\n", long + b"X\1\0\0\0C\x93", long * 2 + b"\x93"):
        found = follow(b"\x80\x02" + written + b".", 0, MOST)
        assert (found.top, found.first_name) == (None, None)


def test_a_storage_of_a_class_with_such_a_name_is_believed(best):
    """It is one of an unknown class."""
    data = legacy([WEIGHT, torch.ones(9)], 3)
    assert best(data) == ("torch", 0.95)
    data = data.replace(b"ctorch\nFloatStorage", b"ctorch\n" + b"F" * 300 + b"Storage")
    assert best(data) == ("torch", 0.9)


def test_texts_that_are_got_again_take_no_more_memory():
    """A name of two texts of 20 kB, 2,000 times: 80 MB, were they joined."""
    text = b"X" + (20_000).to_bytes(4, "little") + b"m" * 20_000 + b"q\0"
    data = BEGINNING + b"(" + text + b"h\0h\0\x93" * 2_000 + b"t." + NO_KEYS
    with ModelPath.of(data) as path:
        tracemalloc.start()
        try:
            assert measured(path).whole
            assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
        finally:
            tracemalloc.stop()


def test_a_number_longer_than_any_of_torchs_is_not_read():
    for digits in (5_000, 400_000):
        for code in (b"I", b"L"):
            assert follow(code + b"9" * digits + b"\n.", 0, MOST).top is None
        with pytest.raises(Damaged):
            follow(b"]p0\ng" + b"0" * digits + b"\n.", 0, MOST)


# -- as many opcodes as are followed ------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_opcodes_are_counted(protocol):
    data = pickle.dumps(list(range(300)), protocol)
    count = sum(1 for _ in pickletools.genops(data))
    assert follow(data, 0, count).opcodes == count
    with pytest.raises(TooLong):
        follow(data, 0, count - 1)
    with pytest.raises(Unfinished):
        follow(data[:-1], 0, count)


@pytest.mark.parametrize(
    ("sizes", "model", "expected"),
    [
        (10_000, 10_000, 0.95),
        (14_000, 16_000, 0.9),  # each of them would do, if it were alone
        (10, 200_000, 0.9),
        (200_000, 10, 0.9),
    ],
)
def test_a_file_of_too_many_opcodes_is_believed(best, sizes, model, expected):
    def pickled(count: int) -> bytes:
        return b"\x80\x02" + b"]0" * count + b"}."

    data = HEAD + pickled(sizes) + pickled(model) + pickled(1_000)
    assert best(data) == ("torch", expected)
    assert ("too many" in mlup.detect(data).best.reason) == (expected == 0.9)


@pytest.mark.parametrize("wrong", [b"\xff", b"h\x07", b"t", b"Q"])
def test_damage_is_seen_as_far_as_opcodes_are_followed(best, wrong):
    for count, expected in ((20_000, None), (40_000, ("torch", 0.9))):
        data = BEGINNING + b"]0" * count + wrong + b"]0" * 40_000 + b"}." + NO_KEYS + b"behind"
        assert best(data) == expected


# -- properties ---------------------------------------------------------------------------------

SAMPLES = [
    legacy(OBJECTS[name], protocol)
    for name in ("state dict", "module", "no tensors", "shared")
    for protocol in PROTOCOLS
]


def test_damaged_bytes_never_make_detection_raise(damaged):
    damaged(SAMPLES)


@SETTINGS
@given(
    rest=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [bytes([code]) for code in range(256)] + [b"X\x02\0\0\0ab", b"\n", b"1"]
            ),
            max_size=60,
        ).map(b"".join),
    )
)
def test_random_bytes_behind_the_magic_never_make_detection_raise(best, rest):
    best(HEAD + rest)
    best(HEAD + b"\x80\x02}.\x80\x02" + rest)


@SETTINGS
@given(data=st.binary(max_size=200))
def test_following_ends_in_a_pickle_or_in_one_of_two_errors(data):
    try:
        found = follow(data, 0, MOST)
    except (Damaged, Unfinished):
        return
    assert 0 < found.end <= len(data)


BEGINNING = HEADER + b"\x80\x02"


@pytest.mark.parametrize(
    "piece",
    [
        b"N",
        b"(",
        b")",
        b")\x85",
        b"\x85",
        b"K\x01\x94",
        b"N\x94",
        b"h\x00",
        b"X\x01\0\0\0aq\x01",
        b"X\x0e\0\0\x0011111111111111q\x01",
        b"hAX\x0e\0\0\x001111111qAX\x03\0\0\0cpuqA",
        b"X\0\0\0\x001",
        b".\x80\x02]q\x00(X\0\0\0\x001q\x00",
        b".\x80\x02](X\0\0\0\x001r.\x80\x02]",
        b"ctorch\nFloatStorage\nq\x01",
        b"ctorch\n",
        b"c" * 100,
        b"a.b",
        b"\n",
        b"I1\n",
        b"\x8a\xff" + b"\xff" * 255,
        b"}",
        b"(lp0\n",
    ],
    ids=repr,
)
def test_no_bytes_take_long(piece):
    data = BEGINNING + piece * (LONG // len(piece))
    glanced(SAMPLES[0], 0)  # compiling is not what is measured
    with ModelPath.of(data) as path:
        started = time.process_time()
        measured(path)
        assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "piece", [b"N", b"]", b")\x85", b"N\x94", b"X\x01\0\0\0aq\x01", b"(h\0t"], ids=repr
)
def test_no_bytes_take_much_memory(piece):
    with ModelPath.of(BEGINNING + b"]q\0" + piece * (LONG // len(piece))) as path:
        tracemalloc.start()
        try:
            measured(path)
            assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
        finally:
            tracemalloc.stop()
