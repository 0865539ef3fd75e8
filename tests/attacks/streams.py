"""The same payload in streams that end, break, repeat or lie about their frames."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from attacks.assembler import Call, Code, Ref, code, global_, source, stream, text
from attacks.case import ANY, REFUSED, UNSAFE, Case

_INERT = stream({"weights": [1, 2, 3]})


def _payload(marker: str) -> Code:
    return code(Call(Ref("builtins", "exec"), source(marker)))


def _frame(data: bytes, length: int | None = None) -> bytes:
    return b"\x95" + struct.pack("<Q", len(data) if length is None else length) + data


def _split(marker: str) -> tuple[bytes, bytes]:
    name = global_("builtins", "exec")
    return name[:6], name[6:] + b"(" + text(source(marker)) + b"tR."


# name -> (the stream, what must come of it, whether the plain loader runs the payload)
Row = tuple[Callable[[bytes, str], bytes], str, bool]

TABLE: dict[str, Row] = {
    "no_proto": (lambda p, m: p + b".", UNSAFE, True),
    "proto_0": (lambda p, m: b"\x80\x00" + p + b".", UNSAFE, True),
    "proto_twice": (lambda p, m: b"\x80\x04\x80\x02" + p + b".", UNSAFE, True),
    "proto_in_the_middle": (lambda p, m: b"\x80\x02N0\x80\x04" + p + b".", UNSAFE, True),
    "proto_6": (lambda p, m: b"\x80\x06" + p + b".", REFUSED, False),
    "proto_255": (lambda p, m: b"\x80\xff" + p + b".", REFUSED, False),
    "no_stop": (lambda p, m: b"\x80\x04" + p, UNSAFE, True),
    "broken_after_the_payload": (lambda p, m: b"\x80\x04" + p + b"\xff\xff\xff", UNSAFE, True),
    "nullifai_broken_after_the_payload": (lambda p, m: b"\x80\x04" + p + b"X\xff\xff\xff\x7f", UNSAFE, True),
    "cut_in_an_argument": (lambda p, m: b"\x80\x04" + p + b"X\x10\0\0\0abc", UNSAFE, True),
    "pop_of_an_empty_stack_after": (lambda p, m: b"\x80\x04" + p + b"00000.", UNSAFE, True),
    "junk_after_stop": (lambda p, m: b"\x80\x04" + p + b"." + b"\xff" * 64, UNSAFE, True),
    "zeros_after_stop": (lambda p, m: b"\x80\x04" + p + b"." + bytes(4096), UNSAFE, True),
    "payload_after_stop": (lambda p, m: _INERT + b"\x80\x04" + p + b".", ANY, False),
    "payload_in_a_second_stream_of_three": (
        lambda p, m: _INERT + b"\x80\x04" + p + b"." + _INERT, ANY, False,
    ),
    "stop_hidden_in_a_text": (lambda p, m: b"\x80\x04X\x01\0\0\0.0" + p + b".", UNSAFE, True),
    "payload_in_a_text": (
        lambda p, m: b"\x80\x04B" + struct.pack("<I", len(p)) + p + b".", ANY, False,
    ),
    "payload_in_a_text_that_is_popped": (
        lambda p, m: b"\x80\x04B" + struct.pack("<I", len(p)) + p + b"0N.", ANY, False,
    ),
    "frame": (lambda p, m: b"\x80\x04" + _frame(p + b"."), UNSAFE, True),
    "frame_too_long": (lambda p, m: b"\x80\x04" + _frame(p + b".", len(p) + 100), REFUSED, False),
    "frame_of_2_63": (lambda p, m: b"\x80\x04" + _frame(p + b".", 2**63 - 1), REFUSED, False),
    "frame_of_2_64": (lambda p, m: b"\x80\x04" + _frame(p + b".", 2**64 - 1), REFUSED, False),
    "frame_too_short": (lambda p, m: b"\x80\x04" + _frame(p + b".", 5), REFUSED, False),
    "frame_of_nothing": (lambda p, m: b"\x80\x04" + _frame(b"") + p + b".", UNSAFE, False),
    "frame_of_one": (lambda p, m: b"\x80\x04" + _frame(p[:1]) + p[1:] + b".", REFUSED, False),
    "frame_in_a_frame": (lambda p, m: b"\x80\x04" + _frame(_frame(p + b".")), REFUSED, False),
    "frame_across_a_name": (
        lambda p, m: b"\x80\x04" + _frame(_split(m)[0]) + _split(m)[1], REFUSED, False,
    ),
    "frame_before_proto": (lambda p, m: _frame(b"\x80\x04" + p + b"."), UNSAFE, True),
    "frame_in_protocol_2": (lambda p, m: b"\x80\x02" + _frame(p + b"."), UNSAFE, True),
    "frame_ends_before_stop": (lambda p, m: b"\x80\x04" + _frame(p) + b".", UNSAFE, True),
    "frame_after_the_payload": (lambda p, m: b"\x80\x04" + p + _frame(b".", 999), UNSAFE, True),
    "bad_frame_after_the_payload": (
        lambda p, m: b"\x80\x04" + _frame(p + b"N0") + _frame(b".", 2**62), UNSAFE, True,
    ),
    "many_protos_before": (lambda p, m: b"\x80\x04" * 100_000 + p + b".", UNSAFE, True),
    "a_megabyte_before": (lambda p, m: b"\x80\x04" + b"N0" * 500_000 + p + b".", UNSAFE, True),
    "text_of_a_megabyte_before": (
        lambda p, m: b"\x80\x04" + text("x" * 1_000_000) + b"0" + p + b".", UNSAFE, True,
    ),
    "marks_before": (lambda p, m: b"\x80\x04" + b"(" * 1000 + p + b".", UNSAFE, True),
    "pop_mark": (lambda p, m: b"\x80\x04(" + p + b"1N.", UNSAFE, True),
    "empty": (lambda p, m: b"", REFUSED, False),
    "only_proto": (lambda p, m: b"\x80\x04", REFUSED, False),
    "only_stop": (lambda p, m: b".", REFUSED, False),
    "get_of_nothing": (lambda p, m: b"\x80\x04h\x07.", REFUSED, False),
    "get_of_a_negative_index": (lambda p, m: b"g-1\n.", REFUSED, False),
    "put_of_a_negative_index": (lambda p, m: b"Np-1\n.", ANY, False),
    "put_of_no_number": (lambda p, m: b"Npx\n.", REFUSED, False),
    "mark_as_a_value": (lambda p, m: b"\x80\x04(.", REFUSED, False),
    "utf16_bom": (lambda p, m: b"\xff\xfe\x80\x04" + p + b".", REFUSED, False),
    "zip_magic_before": (lambda p, m: b"PK\x03\x04" + b"\x80\x04" + p + b".", REFUSED, False),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """The table, by pickle and by joblib."""
    for name, (made, must, runs) in TABLE.items():
        yield Case(
            f"stream_{name}",
            lambda marker, made=made: made(_payload(marker), marker),  # type: ignore[misc]
            binarizers=("pickle", "joblib"),
            names=("builtins.exec",) if must == UNSAFE else (),
            must=must,
            runs="pickle" if runs else None,
        )
    for file in (
        "model.pt", "model.bin", "model.ckpt", "model.txt", "model.onnx", "model.keras", "model.h5",
        "model.npy", "model.npz", "model.zip", "model.joblib", "model.gz", "model.safetensors", "model",
        "model.pkl.txt", ".pkl", "model.PKL", "pickle\n.pkl", "config.json", "model.dat", "model.7z",
    ):  # fmt: skip
        yield Case(
            f"CVE_2025_1889_CVE_2025_10155_wrong_extension_{file!r}",
            lambda marker: b"\x80\x04" + _payload(marker) + b".",
            file=file,
            names=("builtins.exec",),
            runs="pickle",
        )
