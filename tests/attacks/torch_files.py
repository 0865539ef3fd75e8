"""PyTorch: the zip archive and what may be wrong with it, the legacy stream, the tar, TorchScript."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator

from attacks.assembler import Call, Code, Ref, code, source, stream
from attacks.case import ANY, REFUSED, UNSAFE, Case

_NAMES = ("builtins.exec",)
_INERT = stream({"weight": [1, 2]}, protocol=2)
_MAGIC = 0x1950A86A20F9469CFC6C
_BY = ("torch",)


def _payload(marker: str) -> bytes:
    return stream(Call(Ref("builtins", "exec"), source(marker)), protocol=2)


def archive(
    records: dict[str, bytes], folder: str = "archive/", method: int = zipfile.ZIP_STORED
) -> bytes:
    """The zip that torch.save writes, of these records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in records.items():
            made.writestr(f"{folder}{name}", data)
    return file.getvalue()


def _saved(pkl: bytes, **records: bytes) -> dict[str, bytes]:
    return {"data.pkl": pkl, "byteorder": b"little", "version": b"3\n", **records}


def _flagged(data: bytes, bits: int) -> bytes:
    """The flag bits set in every local and central header."""
    out = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            out[at + offset] |= bits
            at = data.find(magic, at + 4)
    return bytes(out)


def _wrong_crc(data: bytes) -> bytes:
    out = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = data.find(magic)
        while at >= 0:
            out[at + offset] ^= 0xFF
            at = data.find(magic, at + 4)
    return bytes(out)


def _doubled(marker: str, last: bytes) -> bytes:
    first = _payload(marker) if last == _INERT else _INERT
    data = archive({"data.pkl": first, "datb.pkl": last, "version": b"3\n"})
    return data.replace(b"datb.pkl", b"data.pkl")


def _with_storage(key: str, size: int, kind: Ref, record: bytes) -> bytes:
    """A tensor whose storage says how large it is."""
    storage = Code(code(("storage", kind, key, "cpu", size)) + b"Q")
    rebuild = Ref("torch._utils", "_rebuild_tensor_v2")
    tensor = Call(
        rebuild, storage, 0, (size,), (1,), False, Call(Ref("collections", "OrderedDict"))
    )
    return archive(_saved(stream({"w": tensor}, protocol=2), **{"data/0": record}))


def _rebuilt(offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    storage = Code(code(("storage", Ref("torch", "FloatStorage"), "0", "cpu", 2)) + b"Q")
    tensor = Call(
        Ref("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, stride, False,
        Call(Ref("collections", "OrderedDict")),
    )  # fmt: skip
    return archive(_saved(stream({"w": tensor}, protocol=2), **{"data/0": bytes(8)}))


def _legacy(marker: str, place: int) -> bytes:
    parts = [
        pickle.dumps(_MAGIC, 2), pickle.dumps(1001, 2),
        pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, 2),
        _INERT, pickle.dumps([], 2),
    ]  # fmt: skip
    if place < 5:
        parts[place] = _payload(marker)
    return b"".join(parts)


def _tar(marker: str, place: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name in ("storages", "tensors", "pickle"):
            data = _payload(marker) if name == place else pickle.dumps(0, 2)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def _script(marker: str) -> bytes:
    code_text = (
        "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
        "  def __setstate__(self, state: Tuple[bool]) -> None:\n"
        f"    x = torch.from_file({marker!r}, True, 1)\n    self.training = state[0]\n    return None\n"
    )
    return archive(
        {
            "data.pkl": b"\x80\x02c__torch__\nM\n)\x81(\x88tb.",
            "code/__torch__.py": code_text.encode(),
            "constants.pkl": b"\x80\x02).",
            "version": b"3\n",
        }
    )


ARCHIVES: dict[str, tuple[Callable[[str], bytes], str, bool]] = {
    "payload": (lambda m: archive(_saved(_payload(m))), UNSAFE, True),
    "payload_deflated": (
        lambda m: archive(_saved(_payload(m)), method=zipfile.ZIP_DEFLATED), REFUSED, False,
    ),
    "CVE_2025_10156_bad_crc": (lambda m: _wrong_crc(archive(_saved(_payload(m)))), REFUSED, False),
    "CVE_2025_1945_flag_bit_1": (lambda m: _flagged(archive(_saved(_payload(m))), 1), REFUSED, False),
    "CVE_2025_1945_flag_bit_20": (lambda m: _flagged(archive(_saved(_payload(m))), 0x20), REFUSED, False),
    "CVE_2025_1945_flag_bit_40": (lambda m: _flagged(archive(_saved(_payload(m))), 0x40), REFUSED, False),
    "CVE_2025_1944_name_mismatch_in_the_local_header": (
        lambda m: archive(_saved(_payload(m))).replace(b"archive/data.pkl", b"archive/datx.pkl", 1),
        REFUSED, False,
    ),
    "CVE_2025_1944_name_mismatch_in_the_directory": (
        lambda m: archive({**_saved(_INERT), "datx.pkl": _payload(m)}).replace(
            b"archive/datx.pkl", b"archive/data.pkl", 1), ANY, False,
    ),
    "two_of_one_name_payload_last": (lambda m: _doubled(m, _payload(m)), ANY, False),
    "two_of_one_name_payload_first": (lambda m: _doubled(m, _INERT), ANY, False),
    "extra_pickle": (lambda m: archive(_saved(_INERT, **{"extra.pkl": _payload(m)})), ANY, False),
    "extra_data_pickle": (lambda m: archive(_saved(_INERT, **{"data/data.pkl": _payload(m)})), ANY, False),
    "constants_pickle": (lambda m: archive(_saved(_INERT, **{"constants.pkl": _payload(m)})), ANY, False),
    "nested_folders": (lambda m: archive(_saved(_payload(m)), "a/b/c/"), REFUSED, False),
    "no_folder": (lambda m: archive(_saved(_payload(m)), ""), REFUSED, False),
    "parent_folder": (lambda m: archive(_saved(_payload(m)), "../"), REFUSED, False),
    "absolute_folder": (lambda m: archive(_saved(_payload(m)), "/tmp/"), REFUSED, False),
    "prefixed_junk": (lambda m: b"junk" * 64 + archive(_saved(_payload(m))), REFUSED, False),
    "prefixed_pickle": (lambda m: _INERT + archive(_saved(_payload(m))), ANY, False),
    "suffixed_pickle": (lambda m: archive(_saved(_INERT)) + _payload(m), ANY, False),
    "two_archives": (lambda m: archive(_saved(_INERT)) + archive(_saved(_payload(m))), REFUSED, False),
    "persistent_id_of_a_text": (
        lambda m: archive(_saved(stream(Code(code("os.system") + b"Q"), protocol=2))), REFUSED, False,
    ),
    "persistent_id_of_another_kind": (
        lambda m: archive(_saved(stream(Code(code(("module", Ref("builtins", "exec"), "x", "y")) + b"Q"),
            protocol=2))), UNSAFE, False,
    ),
    "storage_key_that_leaves": (
        lambda m: _with_storage("../data.pkl", 2, Ref("torch", "FloatStorage"), bytes(8)), REFUSED, False,
    ),
    "storage_of_another_class": (
        lambda m: _with_storage("0", 2, Ref("collections", "OrderedDict"), bytes(8)), REFUSED, False,
    ),
    "storage_smaller_than_it_says": (
        lambda m: _with_storage("0", 1 << 40, Ref("torch", "FloatStorage"), bytes(8)), REFUSED, False,
    ),
    "storage_of_a_negative_size": (
        lambda m: _with_storage("0", -1, Ref("torch", "FloatStorage"), bytes(8)), REFUSED, False,
    ),
    "tensor_past_its_storage": (lambda m: _rebuilt(1 << 30, (2,), (1,)), REFUSED, False),
    "tensor_of_a_huge_shape": (lambda m: _rebuilt(0, (1 << 40,), (1,)), REFUSED, False),
    "tensor_of_a_negative_offset": (lambda m: _rebuilt(-8, (2,), (1,)), REFUSED, False),
    "tensor_of_a_negative_stride": (lambda m: _rebuilt(0, (2,), (-1,)), REFUSED, False),
    "legacy_in_1": (lambda m: _legacy(m, 0), REFUSED, False),
    "legacy_in_2": (lambda m: _legacy(m, 1), UNSAFE, True),
    "legacy_in_3": (lambda m: _legacy(m, 2), UNSAFE, True),
    "legacy_in_4": (lambda m: _legacy(m, 3), UNSAFE, True),
    "legacy_in_5": (lambda m: _legacy(m, 4), UNSAFE, True),
    "legacy_behind_the_fifth": (lambda m: _legacy(m, 5) + _payload(m), ANY, False),
    "tar_storages": (lambda m: _tar(m, "storages"), REFUSED, False),
    "tar_tensors": (lambda m: _tar(m, "tensors"), REFUSED, False),
    "tar_pickle": (lambda m: _tar(m, "pickle"), REFUSED, False),
    "plain_pickle": (_payload, REFUSED, False),
    "CVE_2025_32434_script_in_weights_only": (_script, REFUSED, False),
    "lists_a_million_deep": (
        lambda m: archive(_saved(b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b".")), ANY, False,
    ),
    "memo_bomb": (lambda m: archive(_saved(b"\x80\x02Nr\xff\xff\xff\x7f.")), ANY, False),
    "hash_bomb": (lambda m: archive(_saved(b"\x80\x02})" + b"2\x86" * 60 + b"Ns.")), ANY, False),
    "deflated_zeros": (
        lambda m: archive(_saved(bytes(800_000_000)), method=zipfile.ZIP_DEFLATED), REFUSED, False,
    ),
    "zip_of_many_records": (
        lambda m: archive(_saved(_INERT, **{f"data/{n}": b"" for n in range(60_000)})), ANY, False,
    ),
    "record_count_that_lies": (
        lambda m: archive(_saved(_INERT))[:-14] + struct.pack("<HH", 0xFFFF, 0xFFFF)
        + archive(_saved(_INERT))[-10:], REFUSED, False,
    ),
}  # fmt: skip
_BOMBS = (
    "lists_",
    "memo_",
    "hash_",
    "deflated_",
    "zip_of",
    "storage_smaller",
    "tensor_of_a_huge",
    "record_count",
)


def cases() -> Iterator[Case]:
    """Archives, by torch and by torch-jit."""
    for name, (made, must, runs) in ARCHIVES.items():
        by = ("torch", "torch-jit") if "script" in name or name == "constants_pickle" else _BY
        yield Case(
            f"torch_{name}", made, "model.pt", by, _NAMES if must == UNSAFE else (), must,
            "torch" if runs else None, name.startswith(_BOMBS), ("torch",),
        )  # fmt: skip
    for file in (
        "model.pkl",
        "model.zip",
        "model.joblib",
        "model.onnx",
        "model.keras",
        "model",
        "model.txt",
    ):
        yield Case(
            f"torch_CVE_2025_10155_wrong_extension_{file}",
            lambda marker: archive(_saved(_payload(marker))),
            file, ("torch", "pickle", "joblib"), must=REFUSED, needs=("torch",),
        )  # fmt: skip
