"""The protobuf probe against a plain parser of whole bytes: the same fields, from bounded reads."""

from __future__ import annotations

import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlup import probe, sources
from mlup.files import BUDGET, ModelPath
from mlup.probe.protobufs import BYTES, FIXED32, FIXED64, MAX_FIELDS, VARINT

SETTINGS = settings(
    max_examples=300,
    deadline=2000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def opened(data):
    return ModelPath(sources.Memory(data), location=None, name="")


def varint(number, *, length=0):
    """The number in groups of seven bits; in ``length`` bytes where that is more than it needs."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    while len(out) < length:
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def encoded(number, wire, content, *, length=0):
    tag = varint(number << 3 | wire, length=min(length, 5))
    if wire == VARINT:
        return tag + varint(content, length=length)
    if wire == BYTES:
        return tag + varint(len(content), length=length) + content
    return tag + content


def read_varint(data, at):
    """(value, where it ends), or ``None``: by the definition, on bytes that are all here."""
    end = next((i for i in range(at, min(at + 10, len(data))) if data[i] < 0x80), None)
    if end is None:
        return None
    value = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data[at : end + 1]))
    return None if value >= 1 << 64 else (value, end + 1)


def expected(data, start=0, size=None):
    """What the probe should find in a message, as (fields, complete, overrun); ``None``: nothing."""
    message = data[start:] if size is None else data[start : start + size]
    whole = size is None or start + size <= len(data)
    fields, at, overrun = [], 0, 0
    while at < len(message) and len(fields) < MAX_FIELDS:
        tag = read_varint(message, at)
        if tag is None or not 0 < tag[0] >> 3 < 1 << 29:
            break
        number, wire, here = tag[0] >> 3, tag[0] & 7, tag[1]
        value, length = 0, {FIXED32: 4, FIXED64: 8}.get(wire)
        if wire in (VARINT, BYTES):
            then = read_varint(message, here)
            if then is None:
                break
            value, length = (then[0], 0) if wire == VARINT else (0, then[0])
            here = then[1]
        if length is None:
            break
        at_end = here + length
        if at_end > len(message):
            overrun = at_end - len(message)
            break
        fields.append((number, wire, value, start + here, length))
        at = at_end
    if not fields and not overrun:
        return None
    return tuple(fields), whole and not overrun and at == len(message), overrun


def found(source, *where):
    message = probe.protobuf_fields(source, *where)
    if message is None:
        return None
    return tuple(map(tuple, message.fields)), message.complete, message.overrun


NUMBERS = st.one_of(st.integers(1, 20), st.integers(1, (1 << 29) - 1))
CONTENTS = st.one_of(
    st.binary(max_size=20),
    st.binary(min_size=100, max_size=140),
    st.integers(0, 2000).map(bytes),
)
VALUES = st.one_of(st.integers(0, 300), st.integers(0, (1 << 64) - 1))
FIELDS = st.one_of(
    st.tuples(NUMBERS, st.just(VARINT), VALUES),
    st.tuples(NUMBERS, st.just(BYTES), CONTENTS),
    st.tuples(NUMBERS, st.just(FIXED32), st.binary(min_size=4, max_size=4)),
    st.tuples(NUMBERS, st.just(FIXED64), st.binary(min_size=8, max_size=8)),
)
MESSAGES = st.lists(FIELDS, max_size=20)


def message_of(fields, *, length=0):
    return b"".join(encoded(*each, length=length) for each in fields)


# -- well-formed messages -----------------------------------------------------------------------


@SETTINGS
@given(fields=MESSAGES, length=st.integers(0, 10))
@example(fields=[], length=0)
@example(fields=[(1, VARINT, (1 << 64) - 1)], length=0)
@example(fields=[((1 << 29) - 1, BYTES, b"")], length=10)
@example(fields=[(1, BYTES, bytes(98)), (2, VARINT, 5)], length=0)  # up to the head's last byte
@example(fields=[(1, BYTES, bytes(96)), (2, BYTES, bytes(509)), (3, VARINT, 1)], length=0)
def test_every_field_of_a_message_is_found(fields, length):
    data = message_of(fields, length=length)
    message = probe.protobuf_fields(opened(data))
    if not fields:
        assert message is None
        return
    assert message.complete
    assert message.overrun == 0
    assert [(each.number, each.wire) for each in message.fields] == [each[:2] for each in fields]
    for each, (_, wire, content) in zip(message.fields, fields, strict=True):
        if wire == VARINT:
            assert (each.value, each.size) == (content, 0)
        else:
            assert each.value == 0
            assert data[each.offset : each.offset + each.size] == content
    assert found(opened(data)) == expected(data)


@SETTINGS
@given(
    before=st.one_of(st.binary(max_size=30), st.integers(0, 1500).map(bytes)),
    fields=MESSAGES,
    behind=st.binary(max_size=200),
)
def test_a_message_within_a_file_is_read_up_to_its_end(before, fields, behind):
    data = message_of(fields)
    whole = before + data + behind
    here = found(opened(whole), len(before), len(data))
    assert here == expected(whole, len(before), len(data))
    if fields:
        assert here[1]
        assert [each[:2] for each in here[0]] == [each[:2] for each in fields]


@SETTINGS
@given(fields=st.lists(FIELDS, min_size=1, max_size=6))
def test_messages_in_messages_are_reached_through_their_offsets(fields):
    inner = message_of(fields)
    data = encoded(3, VARINT, 7) + encoded(9, BYTES, encoded(1, BYTES, inner)) + b"\x08\x01"
    path = opened(data)
    middle = probe.protobuf_fields(path).first(9)
    innermost = probe.protobuf_fields(path, middle.offset, middle.size).first(1)
    assert found(path, innermost.offset, innermost.size) == expected(
        data, innermost.offset, innermost.size
    )


def test_first_gives_the_first_of_its_number():
    message = probe.protobuf_fields(opened(b"\x08\x01\x10\x02\x08\x03"))
    assert message.first(1).value == 1
    assert message.first(2).value == 2
    assert message.first(3) is None


@pytest.mark.parametrize("more", [-1, 0, 1, 500])
def test_so_many_fields_are_walked_and_no_more(more):
    data = b"\x08\x01" * (MAX_FIELDS + more)
    message = probe.protobuf_fields(opened(data))
    assert len(message.fields) == min(MAX_FIELDS, MAX_FIELDS + more)
    assert message.complete == (more <= 0)
    assert message.overrun == 0


# -- what breaks off, and what is none ----------------------------------------------------------


@SETTINGS
@given(fields=st.lists(FIELDS, min_size=1, max_size=6), length=st.sampled_from([0, 3, 10]))
def test_a_truncated_message_is_never_complete_but_between_two_fields(fields, length):
    data = message_of(fields, length=length)
    whole = found(opened(data))
    ends = {each[3] + each[4] for each in whole[0]}
    for cut in {*range(0, len(data), max(1, len(data) // 60)), *(end - 1 for end in ends)}:
        here = found(opened(data[:cut]))
        assert here == expected(data[:cut])
        if here is not None:
            assert here[0] == whole[0][: len(here[0])]
            assert here[1] == (cut in ends)
            assert here[2] in (0, *(end - cut for end in ends))


@SETTINGS
@given(data=st.binary(max_size=700))
@example(b"\x0a")
@example(b"\x0a\x80")
@example(b"\x09\x01\x02")
@example(b"\x08" + b"\xff" * 9 + b"\x01")
@example(b"\x08" + b"\xff" * 9 + b"\x02")
@example(b"\x08" + b"\x80" * 10 + b"\x00")
@example(b"\x88" + b"\x80" * 9 + b"\x00")
def test_any_bytes_are_read_as_a_plain_parser_reads_them(data):
    assert found(opened(data)) == expected(data)


@SETTINGS
@given(
    pieces=st.lists(
        st.one_of(
            FIELDS.map(lambda each: encoded(*each)),
            st.binary(max_size=4),
            st.sampled_from([b"\x0a\xff\x7f", b"\x12" + b"\xff" * 9 + b"\x01", b"\x0b", b"\x00"]),
        ),
        max_size=12,
    ),
    start=st.integers(0, 300),
    size=st.one_of(st.none(), st.integers(0, 1500)),
)
def test_any_part_of_any_bytes_is_read_as_a_plain_parser_reads_it(pieces, start, size):
    data = b"".join(pieces)
    where = (start,) if size is None else (start, size)
    assert found(opened(data), *where) == expected(data, start, size)


@pytest.mark.parametrize("size", range(12))
def test_nothing_behind_a_message_is_taken_for_its(size):
    """At the beginning of a file more is at hand than the message has."""
    data = b"\x08\x96\x01\x12\x02ab\x18\x05\x22\x01c"
    assert found(opened(data), 0, size) == expected(data, 0, size)
    assert found(opened(b"xx" + data), 2, size) == expected(b"xx" + data, 2, size)


def test_a_message_that_the_file_is_too_short_for_is_not_complete():
    data = b"\x08\x01\x10\x02"
    for size, complete in ((4, True), (5, False), (400, False), (1 << 62, False)):
        message = probe.protobuf_fields(opened(data), 0, size)
        assert len(message.fields) == 2
        assert message.complete is complete
        message = probe.protobuf_fields(opened(b"xx" + data), 2, size)
        assert message.complete is complete


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x00\x01",  # number 0
        b"\x07\x01",
        b"\x0b",  # a group's beginning and its end
        b"\x0c",
        b"\x0e\x01",  # wire types that there are not
        b"\x0f\x01",
        varint((1 << 29) << 3) + b"\x01",  # a number too large
        b"\xff" * 30,
        b"\x80" * 30,
        b"\x08",
        b"\x08\x80",
        b"\x0a",
        b"{}",
        b"tree\nversion=v4\n",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_does_not_begin_with_a_field_is_none(data):
    assert expected(data) is None
    assert probe.protobuf_fields(opened(data)) is None


@pytest.mark.parametrize("size", [101, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1])
def test_a_length_that_lies_is_an_overrun(size):
    data = b"\x08\x01\x12" + varint(size) + bytes(100)
    message = probe.protobuf_fields(opened(data))
    assert [tuple(each[:3]) for each in message.fields] == [(1, VARINT, 1)]
    assert not message.complete
    assert message.overrun == size - 100
    alone = probe.protobuf_fields(opened(data[2:]))
    assert (alone.fields, alone.complete, alone.overrun) == ((), False, size - 100)


@pytest.mark.parametrize(("wire", "size"), [(FIXED32, 4), (FIXED64, 8)])
def test_a_number_of_fixed_size_that_breaks_off_is_an_overrun(wire, size):
    for there in range(size + 1):
        message = probe.protobuf_fields(opened(bytes([8 | wire]) + bytes(there)))
        assert message.complete == (there == size)
        assert message.overrun == size - there
        assert len(message.fields) == (there == size)


def test_a_place_outside_the_file_has_no_message():
    data = b"\x08\x01\x10\x02"
    for start in (4, 5, 1 << 40):
        assert probe.protobuf_fields(opened(data), start) is None
        assert probe.protobuf_fields(opened(data), start, 2) is None
    assert probe.protobuf_fields(opened(data), 0, 0) is None


# -- what it costs ------------------------------------------------------------------------------


def test_every_kind_of_path_gives_the_same(tmp_path):
    data = message_of(
        [(1, VARINT, 8), (2, BYTES, bytes(3000)), (7, BYTES, b"x" * 90), (8, VARINT, 1)]
    )
    path = tmp_path / "message"
    path.write_bytes(data)
    with ModelPath.of(path) as local, open(path, "rb") as stream:
        answers = [
            found(source) for source in (str(path), path, local, ModelPath.of(stream), opened(data))
        ]
    assert answers == [expected(data)] * 5


def test_an_answer_is_remembered_for_each_place():
    path = opened(message_of([(1, BYTES, b"\x08\x05" * 300), (2, BYTES, b"\x10\x07" * 300)]))
    whole = probe.protobuf_fields(path)
    parts = [probe.protobuf_fields(path, each.offset, each.size) for each in whole.fields]
    left = path.left
    assert probe.protobuf_fields(path) is whole
    for each, part in zip(whole.fields, parts, strict=True):
        assert probe.protobuf_fields(path, each.offset, each.size) is part
    assert path.left == left
    assert [part.fields[0].number for part in parts] == [1, 2]


def test_a_place_given_by_keyword_is_that_place():
    path = opened(message_of([(1, BYTES, b"\x18\x05"), (2, VARINT, 1)]))
    whole = probe.protobuf_fields(path)
    inner = probe.protobuf_fields(path, start=whole.fields[0].offset, size=2)
    assert [(each.number, each.value) for each in inner.fields] == [(3, 5)]
    assert probe.protobuf_fields(path) is whole


def test_the_longest_walk_stays_within_the_budget(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(encoded(1, BYTES, bytes(700)) * (MAX_FIELDS + 100))
    with ModelPath.of(path) as local:
        message = probe.protobuf_fields(local)
        assert len(message.fields) == MAX_FIELDS
        assert not local.overdrawn
        assert BUDGET - local.left < BUDGET * 2 / 3


def test_small_neighbours_share_a_read(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(encoded(1, BYTES, bytes(5)) * 900)
    with ModelPath.of(path) as local:
        assert probe.protobuf_fields(local).complete
        assert BUDGET - local.left < 2 * local.size


def test_lengths_are_skipped_and_not_read(tmp_path):
    """A field of a gigabyte, in a file with a hole, costs what a small one costs."""
    path = tmp_path / "message"
    size = 1 << 30
    with open(path, "wb") as file:
        file.write(b"\x08\x05\x3a" + varint(size))
        file.seek(size, os.SEEK_CUR)
        file.write(b"\x42\x02\x10\x11")
    probe.protobuf_fields(path)  # imports are not what is measured
    tracemalloc.start()
    try:
        with ModelPath.of(path) as local:
            message = probe.protobuf_fields(local)
            assert BUDGET - local.left < 2048
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024
    finally:
        tracemalloc.stop()
    assert message.complete
    assert [(each.number, each.size) for each in message.fields] == [(1, 0), (7, size), (8, 2)]


@SETTINGS
@given(data=st.binary(max_size=300), spread=st.integers(0, 600))
def test_a_walk_reads_little(data, spread):
    path = opened((data + bytes(spread)) * 20)
    message = probe.protobuf_fields(path)
    assert not path.overdrawn
    steps = 1 if message is None else len(message.fields) + 1
    assert BUDGET - path.left <= min(steps * 512, BUDGET) + 100
