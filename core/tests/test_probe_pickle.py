"""The pickle probes against the standard library's own picklers: every pickle, and nothing else."""

from __future__ import annotations

import collections
import copyreg
import datetime
import decimal
import fractions
import io
import os
import pickle
import pickletools
import random
import string
import sys
import tracemalloc
import types

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlup import probe, sources
from mlup.files import BUDGET, ModelPath
from mlup.probe import pickle_opcodes as table
from mlup.probe import pickles
from mlup.probe.pickle_walk import walk

PROTOCOLS = range(6)
BLANK = b"\0\r\n\t "


class Model:
    """An object with attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    """An object whose state is a pair."""

    __slots__ = ("a", "b")

    def __init__(self, a):
        self.a = a

    def __getstate__(self):
        return None, {"a": self.a}


class Shaped(tuple):
    """An object made by NEWOBJ_EX, with keyword arguments."""

    __slots__ = ()

    def __new__(cls, *values, scale=1):
        return super().__new__(cls, values)

    def __getnewargs_ex__(self):
        return tuple(self), {"scale": 2}


def function():
    """Is pickled by reference."""


def recursive_list():
    found = []
    found.append(found)
    return found


def recursive_tuple(length):
    inner = []
    found = (inner, *range(length - 1))
    inner.append(found)
    return found


def recursive_object():
    found = Model()
    found.me = found
    return found


def opened(data, name=""):
    return ModelPath(sources.Memory(data), location=None, name=name)


# -- the table ------------------------------------------------------------------------------

ARGUMENTS = {
    pickletools.TAKEN_FROM_ARGUMENT1: table.COUNT1,
    pickletools.TAKEN_FROM_ARGUMENT4: table.COUNT4,
    pickletools.TAKEN_FROM_ARGUMENT4U: table.COUNT4,
    pickletools.TAKEN_FROM_ARGUMENT8U: table.COUNT8,
}


def row_of(opcode):
    """One of our rows, from one of the standard library's."""
    argument = 0
    if opcode.arg is not None:
        argument = ARGUMENTS.get(opcode.arg.n, opcode.arg.n)
        if opcode.arg.n == pickletools.UP_TO_NEWLINE:
            two = opcode.arg.name == "stringnl_noescape_pair"
            argument = table.TWO_LINES if two else table.LINE
    before, after = opcode.stack_before, opcode.stack_after
    if opcode.name == "MARK":
        pops, pushes, below = table.PUSH_MARK, 0, 0
    elif opcode.name == "POP":
        pops, pushes, below = table.ANYTHING, 0, 0
    elif pickletools.markobject in before:
        below = before.index(pickletools.markobject)
        pops, pushes = table.TO_MARK, len(after) - below
    elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
        pops, pushes, below = 1, 1, 0  # there it says nothing; it looks at the top of the stack
    else:
        pops, pushes, below = len(before), len(after), 0
    return table.Opcode(opcode.name, argument, pops, pushes, below)


def test_the_table_is_the_standard_librarys():
    expected = {ord(opcode.code): row_of(opcode) for opcode in pickletools.opcodes}
    found = {code: row for code, row in enumerate(table.OPCODES) if row is not None}
    assert found == expected


# -- every pickle is one --------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)  # half surrogates included
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 255, 256, 65_535, 65_536, 2**31, -(2**31), 2**63, 2**2048, -(10**300)]),
    st.floats(),
    TEXTS,
    st.binary(max_size=300),
    st.sampled_from([Model, function, len, os.path.join, collections.OrderedDict, int]),
    st.fractions(),
    st.dates(),
)
MUTABLE = st.one_of(
    st.binary(max_size=300).map(bytearray),
    st.builds(recursive_list),
    st.builds(recursive_tuple, st.integers(1, 5)),
    st.builds(recursive_object),
)


def _containers(inner):
    return st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=6).map(tuple),
        st.dictionaries(TEXTS, inner, max_size=5),
        st.dictionaries(ATOMS, inner, max_size=5).map(collections.OrderedDict),
        st.sets(ATOMS, max_size=5),
        st.frozensets(ATOMS, max_size=5),
        st.builds(Model, a=inner, b=inner),
        st.builds(Slotted, inner),
        st.builds(Shaped, ATOMS),
        st.builds(types.SimpleNamespace, x=inner),
        inner.map(lambda each: [each, each]),  # the second is fetched from the memo
    )


OBJECTS = st.recursive(st.one_of(ATOMS, MUTABLE), _containers, max_leaves=20)


def python_dumps(value, protocol):
    stream = io.BytesIO()
    pickle._Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def optimized(value, protocol):
    return pickletools.optimize(pickle.dumps(value, protocol))


DUMPS = {"C": pickle.dumps, "Python": python_dumps, "optimized": optimized}


def assert_is_a_pickle(dump, protocol):
    found = walk(dump, len(dump))
    assert found.valid
    assert not found.cut
    assert found.stop == len(dump)
    path = opened(dump)
    start = probe.pickle_start(path)
    assert start is not None
    assert start.protocol == (protocol if protocol >= 2 else 0)
    assert not start.lone_number
    assert not start.truncated
    assert start.stop in (None, len(dump))
    assert probe.pickle_stops(path) is True
    frames = probe.pickle_frames(path)
    if start.frame_end is not None:
        assert frames[:2] == (len(dump), "end")
    else:
        assert frames is None


@pytest.mark.parametrize("how", DUMPS)
@given(value=OBJECTS, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_pickle_is_one(how, value, protocol):
    assert_is_a_pickle(DUMPS[how](value, protocol), protocol)


EXAMPLES = {
    "nothing": None,
    "a number": 5,
    "a long number": 2**5000,
    "text": "text\nof lines\\ and 'quotes' \N{SNOWMAN} \udc80",
    "empty": [(), [], {}, set(), frozenset(), "", b"", bytearray()],
    "special floats": [float("inf"), -float("inf"), float("nan"), 1e300, -0.0, 5e-324],
    "an instance": Model(a=1, b=[Model(), Slotted(3)]),
    "with keywords": Shaped(1, 2),
    "recursive": [recursive_list(), recursive_tuple(1), recursive_tuple(7), recursive_object()],
    "many items": list(range(5000)),
    "many keys": {str(number): number for number in range(3000)},
    "many objects": [Model(number=number) for number in range(500)],
    "many memo numbers": [str(number) for number in range(70_000)],
    "large bytes": b"\x80\x04\x95." * 40_000,
    "large text": "words. " * 30_000,
    "large items among others": [1, b"x" * 70_000, "y" * 70_000, *range(30_000), b"z" * 65_536],
    "a large bytearray": [bytearray(100_000), 1],
    "at a frame's edge": [b"x" * size for size in range(65_530, 65_541)],
    "standard library": [
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        decimal.Decimal("1.5"),
        fractions.Fraction(1, 3),
        collections.Counter("abc"),
        collections.deque([1, 2]),
    ],
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_these_pickles_are_pickles(name, protocol):
    text = name in ("large bytes", "large text", "large items among others", "a large bytearray")
    if protocol == 0 and (text or name == "at a frame's edge"):
        pytest.skip("a line of protocol 0 is looked through up to 64 KiB")
    if protocol == 1 and name in ("large bytes", "large text"):
        pytest.skip("one long string fills every window, and nothing else says what it is")
    dump = pickle.dumps(EXAMPLES[name], protocol)
    if protocol == 1 and name in ("at a frame's edge", "a large bytearray"):
        assert walk(dump, len(dump)).stop == len(dump)
        return
    assert_is_a_pickle(dump, protocol)


def test_a_long_line_of_protocol_0_is_bounded():
    dump = pickle.dumps("x" * 10_000_000, 0)
    path = opened(dump)
    assert probe.pickle_start(path) is None
    assert BUDGET - path.left <= 100 * 1024


class Special(pickle.Pickler):
    """Numbers are handed out by reference."""

    def persistent_id(self, value):
        return f"number-{value}" if isinstance(value, int) else None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_persistent_ids(protocol):
    stream = io.BytesIO()
    Special(stream, protocol).dump([1, 2, "x", {3: 4}])
    assert_is_a_pickle(stream.getvalue(), protocol)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("code", [0xF0, 0xF0F0, 0x7F0F0F0F])
def test_registered_extensions(protocol, code):
    copyreg.add_extension(__name__, "Model", code)
    try:
        dump = pickle.dumps([Model(a=1), Model()], protocol)
    finally:
        copyreg.remove_extension(__name__, "Model", code)
    assert_is_a_pickle(dump, protocol)


def test_buffers_out_of_band():
    dump = pickle.dumps(
        [pickle.PickleBuffer(b"read only"), pickle.PickleBuffer(bytearray(b"writable"))],
        5,
        buffer_callback=[].append,
    )
    assert b"\x97" in dump
    assert b"\x98" in dump
    assert_is_a_pickle(dump, 5)


# Written by Python 2, whose picklers begin their memo at 1 (C) or at 0, and know STRING.
PYTHON_2 = {
    "strings": b"(lp0\nS'a'\np1\naS'it\\'s'\np2\naS\"it's\"\np3\na.",
    "C, a dict": b"(dp1\nS'a'\np2\nI1\nsS'b'\np3\nL10L\nsS'c'\nF1.5\nsS'd'\nF1e-05\nsS'e'\nI01\ns.",
    "an instance": b"(i__main__\nFoo\np0\n(dp1\nS'a'\np2\nI1\nsb.",
    "new style": b"ccopy_reg\n_reconstructor\np0\n(c__main__\nFoo\np1\nc__builtin__\nobject\np2\n"
    b"Ntp3\nRp4\n(dp5\nS'a'\np6\nI1\nsb.",
    "binary": b"]q\x01(U\x01aq\x02T\x02\0\0\0bcq\x03K\x01G?\xf8\0\0\0\0\0\0e.",
    "binary instance": b"(c__main__\nFoo\nq\x01oq\x02}q\x03U\x01aK\x01sb.",
    "protocol 2": b"\x80\x02]q\x01(U\x01aq\x02X\x01\0\0\0bq\x03e.",
    "infinities": b"(Finf\nF-inf\nFnan\nt.",
    "windows lines": b"(lp0\r\nI1\r\naI2\r\na.",
}


@pytest.mark.parametrize("name", PYTHON_2)
def test_pickles_of_python_2(name):
    data = PYTHON_2[name]
    assert_is_a_pickle(data, 2 if data.startswith(b"\x80") else 0)


def test_a_long_pickle_of_python_2():
    data = b"(lp1\n" + b"".join(b"S'%d'\np%d\na" % (n, n + 2) for n in range(20_000)) + b"."
    assert_is_a_pickle(data, 0)


# -- what follows the frames, and STOP ------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["an instance", "many items", "many keys", "nothing"])
@pytest.mark.parametrize(
    "behind", [b"\n", b"\r\n", b"\0" * 50, b"\0" * 500, b" ", "again", "other"], ids=repr
)
def test_what_follows_stop_does_not_unmake_a_pickle(name, protocol, behind):
    dump = pickle.dumps(EXAMPLES[name], protocol)
    if name == "nothing" and protocol < 2 and isinstance(behind, str):
        pytest.skip("'N.' in front of something is any text that begins with 'N.B.'")
    behind = {"again": dump, "other": pickle.dumps([1, 2, 3])}.get(behind, behind)
    path = opened(dump + behind)
    start = probe.pickle_start(path)
    assert start is not None
    assert not start.lone_number
    assert probe.pickle_stops(path) is True
    frames = probe.pickle_frames(path)
    if frames is not None:
        assert frames[:2] == (len(dump), "stop")


@pytest.mark.parametrize("protocol", [4, 5])
def test_padding_between_frames_is_joblibs(protocol):
    dump = pickle.dumps(Model(a=1), protocol)
    frame_end = probe.pickle_start_of(dump).frame_end
    assert frame_end == len(dump)
    for padding in (1, 7, 16):
        data = dump[:-1] + b"N" + bytes([padding]) + b"\xff" * padding + bytes(500)
        assert probe.pickle_frames(opened(data))[:2] == (frame_end, "padding")
    for count, fill in ((0, b""), (17, b"\xff" * 17), (3, b"\xff\xff\xfe")):
        data = dump[:-1] + b"N" + bytes([count]) + fill + bytes(500)
        assert probe.pickle_frames(opened(data)).after == "other"


@pytest.mark.parametrize("protocol", [2, 3])
def test_older_protocols_have_no_frames(protocol):
    path = opened(pickle.dumps(Model(a=1), protocol))
    assert probe.pickle_frames(path) is None
    assert probe.pickle_start(path).frame_end is None


def framed(*bodies):
    return b"\x80\x04" + b"".join(
        b"\x95" + len(body).to_bytes(8, "little") + body for body in bodies
    )


def test_frames_are_followed_up_to_a_bound():
    few = framed(*[b"N0N0"] * 1000, b"N.")
    assert probe.pickle_frames(opened(few))[:2] == (len(few), "end")
    path = opened(framed(*[b"N0N0"] * 5000, b"N."))
    assert probe.pickle_frames(path).after == "more"
    assert BUDGET - path.left < 40 * 1024
    empty = opened(framed(*[b""] * 5000, b"N."))
    assert probe.pickle_frames(empty).after == "more"


@pytest.mark.parametrize("length", [3, 1000, 2**31, 2**63, 2**64 - 1])
def test_a_frame_longer_than_the_file_is_truncated(length):
    data = b"\x80\x04\x95" + length.to_bytes(8, "little") + b"N."
    path = opened(data)
    start = probe.pickle_start(path)
    assert start is None or start.truncated
    assert probe.pickle_stops(path) is False
    frames = probe.pickle_frames(path)
    assert frames is None or frames.after == "cut"


@pytest.mark.parametrize("opcode", [b"B", b"X", b"\x8d", b"\x8e", b"\x96"])
def test_a_length_that_lies_is_truncated(opcode):
    width = 4 if opcode in b"BX" else 8
    for number in (10, 2**31, 2 ** (8 * width) - 1):
        data = b"\x80\x05" + opcode + number.to_bytes(width, "little") + b"abc."
        assert walk(data, len(data)).cut
        assert probe.pickle_stops(opened(data)) is False


# -- damage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["an instance", "standard library", "recursive", "text"])
def test_a_pickle_that_breaks_off_does_not_stop(name, protocol):
    dump = pickle.dumps(EXAMPLES[name], protocol)
    assert probe.pickle_stops(opened(dump))
    for length in range(len(dump)):
        cut = dump[:length]
        path = opened(cut)
        probe.pickle_start(path)
        probe.pickle_frames(path)
        probe.pickle_imports(path, "collections.deque")
        walk(cut, length)
        if not cut.rstrip(BLANK).endswith(b"."):
            assert probe.pickle_stops(path) is False, length


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["many items", "large items among others"])
def test_a_large_pickle_that_breaks_off_does_not_stop(name, protocol):
    dump = pickle.dumps(EXAMPLES[name], protocol)
    for length in range(20, len(dump) - 1, len(dump) // 97):
        cut = dump[:length]
        path = opened(cut)
        if cut.rstrip(BLANK).endswith(b"."):
            continue
        assert probe.pickle_stops(path) is False
        frames = probe.pickle_frames(path)
        assert frames is None or frames.after == "cut"


PIECES = [pickle.dumps(EXAMPLES["an instance"], protocol) for protocol in PROTOCOLS]


@given(
    dump=st.sampled_from([*PIECES, *PYTHON_2.values()]),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=5),
    cut=st.integers(0, 300),
    behind=st.binary(max_size=20),
)
@settings(max_examples=250, deadline=None)
def test_mutations_never_raise(dump, changes, cut, behind):
    data = bytearray(dump)
    for at, value in changes:
        data[at % len(data)] = value
    everything_of(bytes(data[:cut]) + behind)


@given(data=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise(data):
    everything_of(data)


@given(codes=st.lists(st.sampled_from(pickletools.opcodes), max_size=40), data=st.data())
@settings(max_examples=200, deadline=None)
def test_random_opcodes_never_raise(codes, data):
    everything_of(
        b"".join(code.code.encode("latin-1") + data.draw(st.binary(max_size=9)) for code in codes)
    )


def everything_of(data):
    path = opened(data)
    start = probe.pickle_start(path)
    assert start is None or isinstance(start, probe.PickleStart)
    assert probe.pickle_stops(path) in (True, False)
    assert probe.pickle_stops(path) is False or start is not None
    frames = probe.pickle_frames(path)
    assert frames is None or 0 <= frames.end <= len(data) + 18
    assert probe.pickle_imports(path, "collections.OrderedDict") in (True, False)
    assert walk(data, len(data)).stop in (None, *range(1, len(data) + 1))
    assert probe.pickle_start_of(data) is None or data
    assert not path.overdrawn


def test_noise_behind_a_header_is_refused():
    source = random.Random(2)
    accepted = 0
    for _ in range(2000):
        noise = source.randbytes(189)
        data = b"\x80\x04\x95" + len(noise).to_bytes(8, "little") + noise
        assert len(data) == 200
        accepted += probe.pickle_start(opened(data)) is not None
    assert accepted == 0


@pytest.mark.parametrize("header", [b"", b"\x80\x02", b"\x80\x03", b"("])
def test_noise_is_refused(header):
    source = random.Random(3)
    accepted = sum(
        probe.pickle_start(opened(header + source.randbytes(200) + b".")) is not None
        for _ in range(2000)
    )
    assert accepted <= 2  # a short valid stream, such as "C", a length and ".", can always occur


# -- text that is no pickle -----------------------------------------------------------------

PROSE = """The model was trained on data from several sources and then evaluated. It is not In For
Note that LICENSE (see below) Variables Name Size Is Jan Lists Permission Software Grant"""
WORDS = PROSE.split()

TEXT_FILES = {
    "sentence": "This is a sentence.",
    "another": "I think, therefore I am.",
    "name": "Notes on the model.",
    "brackets": "(all rights reserved).",
    "number": "1.",
    "csv": "a,b,c\n1,2,3\n4,5,6\n.",
    "more csv": "Name,Year\nFord,2001\nVolvo,2002\n",
    "words": "\n".join(["Never", "List", "data", "gone", "put", "In", "."]) + "\n.",
    "tar": "././@PaxHeader" + "\0" * 86 + "0000000\0" * 3,
    "json": '{"a": [1, 2, 3]}',
    "list": "[1, 2, 3]",
    "yaml": "version: 2\nname: x\n",
    "python": "import os\n\nprint(os.name)\n",
    "tuple": "(1, 2).",
    "parenthesis": "(c) 2024 by nobody. All rights reserved.",
    "licence": "Permission is hereby granted, free of charge, to any person.",
    "cython": "cdef int x\ncimport numpy\nclass A:\n    pass\n.",
    "imports": "c\nd\n.",
    "digits": "I am 5\nyears old\n.",
    "column": "Index\nI1\nI2\nI3\n.",
    "columns": "(\n1\n2\n)\n.",
    "lightgbm": "tree\nversion=v3\nnum_class=1\n",
    "nota bene": "N.B. This is a note on the model.",
    "initials": "N. N., the author of this text, wrote it himself.",
    "smiley": "). What a start.",
    "path": "Version\n.gitignore\n",
    "lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
}


@pytest.mark.parametrize("name", TEXT_FILES)
def test_text_is_no_pickle(name):
    data = TEXT_FILES[name].encode()
    assert probe.pickle_start(opened(data)) is None
    assert probe.pickle_stops(opened(data)) is False


@given(
    words=st.lists(st.sampled_from(WORDS), min_size=4, max_size=60),
    between=st.sampled_from([" ", "\n", ", ", ",", "\r\n"]),
)
@settings(max_examples=200, deadline=None)
def test_sentences_are_no_pickles(words, between):
    data = (between.join(words) + ".").encode()
    assert probe.pickle_start(opened(data)) is None


def test_printable_noise_is_no_pickle():
    source = random.Random(4)
    accepted = 0
    for _ in range(3000):
        data = "".join(source.choices(string.printable, k=150)) + "."
        accepted += probe.pickle_start(opened(data.encode())) is not None
    assert accepted <= 1


# -- imports --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", DUMPS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_import_is_found_by_its_opcode(how, protocol):
    data = DUMPS[how]([1, "text", collections.OrderedDict(a=1)], protocol)
    path = opened(data)
    assert probe.pickle_imports(path, "collections.OrderedDict") is True
    assert probe.pickle_imports(path, "collections.Counter") is False
    assert probe.pickle_imports(path, "other.OrderedDict") is False


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_text_that_mentions_a_name_imports_nothing(protocol):
    for value in (
        "collections.OrderedDict",
        ["collections", "OrderedDict"],
        "ccollections\nOrderedDict\n.",
        b"\x8c\x0bcollections\x8c\x0bOrderedDict\x93",
        {"OrderedDict": len},
    ):
        path = opened(pickle.dumps(value, protocol))
        assert probe.pickle_imports(path, "collections.OrderedDict") is False


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_name_from_the_memo_is_an_import_too(protocol):
    value = ["collections", "OrderedDict", collections.OrderedDict]
    data = pickle.dumps(value, protocol)
    assert data.count(b"collections") == 1
    assert probe.pickle_imports(opened(data), "collections.OrderedDict") is True


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_import_further_on_is_found_up_to_a_bound(protocol):
    near = pickle.dumps([list(range(20_000)), fractions.Fraction(1, 2)], protocol)
    path = opened(near)
    assert near.find(b"Fraction") > 16 * 1024
    assert probe.pickle_imports(path, "fractions.Fraction") is True
    far = opened(pickle.dumps([list(range(300_000)), fractions.Fraction(1, 2)], protocol))
    assert probe.pickle_imports(far, "fractions.Fraction") is False
    assert BUDGET - far.left <= 600 * 1024


def test_an_instance_of_python_2_imports_its_class():
    assert probe.pickle_imports(opened(PYTHON_2["an instance"]), "__main__.Foo") is True


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("module", ["01_train", "my-script", "plugins.mlup-x.tests", "модель"])
def test_a_script_with_an_odd_name_defines_classes_too(monkeypatch, module, protocol):
    script = types.ModuleType(module)
    script.Odd = type("Odd", (), {"__module__": module, "__qualname__": "Odd"})
    monkeypatch.setitem(sys.modules, module, script)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], script)
    if protocol < 3 and not module.isascii():
        pytest.skip("protocols 0 to 2 name modules in ASCII")
    value = script.Odd()
    value.weight = 1
    path = opened(pickle.dumps(value, protocol))
    assert probe.pickle_start(path).first_name == f"{module}.Odd"
    assert probe.pickle_imports(path, f"{module}.Odd") is True


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_first_name_is_the_class(protocol):
    start = probe.pickle_start(opened(pickle.dumps(Model(a=1), protocol)))
    assert start.first_name == f"{__name__}.Model"
    assert probe.pickle_start(opened(pickle.dumps([1, 2, 3] * 9, protocol))).first_name is None


# -- numbers in front of something else -----------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("number", [0, 5, 300, 70_000, -1, 2**40, 2**3000])
@pytest.mark.parametrize("behind", ["pickle", "bytes"])
def test_a_number_in_front_of_more_is_a_header(protocol, number, behind):
    dump = pickle.dumps(number, protocol)
    more = pickle.dumps([1, 2]) if behind == "pickle" else b"\xf0\xf1" * 90
    path = opened(dump + more)
    start = probe.pickle_start(path)
    assert start is not None
    assert start.lone_number
    alone = probe.pickle_start(opened(dump))
    assert alone is not None
    assert not alone.lone_number


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_torchs_legacy_magic_is_a_header(protocol):
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol)
    data = magic + pickle.dumps(1001, protocol) + pickle.dumps({}, protocol) + bytes(300)
    assert probe.pickle_start(opened(data)).lone_number


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", [(5,), [5], "5", 5.0, True, None, {5: 5}], ids=repr)
def test_anything_else_in_front_of_more_is_no_header(protocol, value):
    if value is True and protocol < 2:
        pytest.skip("protocols 0 and 1 write it as the number 01")
    start = probe.pickle_start(opened(pickle.dumps(value, protocol) + pickle.dumps([1])))
    if start is None:  # a few opcodes without a PROTO stand in front of any text
        assert protocol < 2
    else:
        assert not start.lone_number


# -- what a probe takes, and what it costs --------------------------------------------------


class CountingReader(sources.Memory):
    """Bytes, with every read written down."""

    def __init__(self, data):
        super().__init__(data)
        self.reads = []

    def read(self, offset, n):
        self.reads.append((offset, n))
        return super().read(offset, n)


CALLS = {
    "start": probe.pickle_start,
    "stops": probe.pickle_stops,
    "frames": probe.pickle_frames,
    "imports": lambda path: probe.pickle_imports(path, "collections.OrderedDict"),
}


@pytest.mark.parametrize("call", CALLS)
def test_probes_take_plain_paths(tmp_path, call):
    data = pickle.dumps(collections.OrderedDict(a="x" * 500), 4)
    real = tmp_path / "model.pkl"
    real.write_bytes(data)
    expected = CALLS[call](opened(data))
    assert expected
    assert CALLS[call](real) == expected
    assert CALLS[call](str(real)) == expected
    with ModelPath.of(real) as path:
        assert CALLS[call](path) == expected


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "data",
    [pickle.dumps([b"x" * 70_000, *range(30_000)], 4), b"\x80\x02" + b"\xf0" * 5000, b"(lp0\n"],
    ids=["pickle", "noise", "short"],
)
def test_an_answer_is_remembered(call, data):
    reader = CountingReader(data)
    path = ModelPath(reader, location=None, name="")
    first = CALLS[call](path)
    cost = len(reader.reads)
    path.next_reader()
    assert CALLS[call](path) == first
    assert len(reader.reads) == cost
    assert path.left == BUDGET


def test_different_names_are_remembered_apart():
    path = opened(pickle.dumps(collections.OrderedDict(a=1)))
    assert probe.pickle_imports(path, "collections.OrderedDict") is True
    assert probe.pickle_imports(path, "collections.deque") is False


def test_a_short_pickle_costs_its_head_alone():
    reader = CountingReader(pickle.dumps(Model(a=1), 5))
    path = ModelPath(reader, location=None, name="")
    assert probe.pickle_start(path)
    assert probe.pickle_stops(path)
    assert all(n <= 100 for _, n in reader.reads)


def test_foreign_bytes_cost_their_head_alone():
    reader = CountingReader(b"\xf0" * 10_000)
    path = ModelPath(reader, location=None, name="")
    assert probe.pickle_start(path) is None
    assert reader.reads == [(0, 100)]


def test_a_piece_of_unknown_length_is_looked_at():
    data = pickle.dumps([Model(a=number) for number in range(100)], 4)
    start = probe.pickle_start_of(data[:64])
    assert start.protocol == 4
    assert not start.truncated
    assert probe.pickle_start_of(b"") is None
    assert probe.pickle_start_of(b"\xf0\xf1") is None
    assert probe.pickle_start_of(data, len(data)) == probe.pickle_start(opened(data))._replace(
        ends=False
    )


def test_a_walk_stops_where_it_is_told():
    data = pickle.dumps([Model(a=number) for number in range(100)], 4)
    assert pickles.ENOUGH <= walk(data, len(data), enough=pickles.ENOUGH).opcodes < 20
    found = walk(data, len(data), until=frozenset({f"{__name__}.Model"}))
    assert found.imported == found.first_name == f"{__name__}.Model"
    assert found.stop is None


def test_names_that_double_cost_neither_time_nor_memory():
    """Five bytes of STACK_GLOBAL name two memoized texts: kept whole, 400 KB would take gigabytes."""
    text = b"a" * 60_000
    head = b"\x80\x04X" + len(text).to_bytes(4, "little") + text + b"\x94"
    wrapper = b"\x8c\x04acme\x94\x8c\x07Wrapper\x94"
    data = head + wrapper + b"h\x00h\x00\x93" * 60_000 + b"."
    tracemalloc.start()
    try:
        assert not probe.pickle_imports(opened(data), "acme.Wrapper")
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["mod\x1b[31m", "m" * 300, "a\nb"])
def test_a_name_that_nobody_wrote_is_not_shown(name):
    data = b"\x80\x04" + b"".join(
        b"X" + len(each.encode()).to_bytes(4, "little") + each.encode() for each in (name, "Model")
    )
    assert probe.pickle_start(opened(data + b"\x93)\x81}b.")).first_name is None
