"""joblib dumps: raw, under every compressor, with arrays that lie, of every age."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from attacks.assembler import Call, Code, New, Ref, code, source, stream
from attacks.case import ANY, REFUSED, UNSAFE, Case, Content

_WRAPPER = Ref("joblib.numpy_pickle", "NumpyArrayWrapper")
_NDARRAY, _DTYPE = Ref("numpy", "ndarray"), Ref("numpy", "dtype")
_OBJECT, _FLOAT = Call(_DTYPE, "O8", False, True), Call(_DTYPE, "f8", False, True)
_EXEC = Ref("builtins", "exec")


def _lz4(data: bytes) -> bytes:
    import lz4.frame

    return lz4.frame.compress(data)  # type: ignore[no-any-return]


def _zfile(data: bytes, length: int | None = None) -> bytes:
    size = hex(len(data) if length is None else length).encode()
    return b"ZF" + size.ljust(19) + zlib.compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda data: data,
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "lz4": _lz4,
    "zfile": _zfile,
}


def wrapper(shape: object, dtype: object, **more: object) -> New:
    """What joblib writes in front of an array."""
    state = {
        "subclass": _NDARRAY,
        "shape": shape,
        "order": "C",
        "dtype": dtype,
        "allow_mmap": False,
        "numpy_array_alignment_bytes": None,
    } | more
    return New(_WRAPPER, state=state)


def with_array(made: New, data: bytes, after: bytes = b".") -> bytes:
    """A stream with an array's own bytes in the middle."""
    return b"\x80\x04" + code(made) + data + after


def _payload(marker: str) -> bytes:
    return stream(Call(_EXEC, source(marker)))


ARRAYS: dict[str, tuple[New, bytes, str]] = {
    "huge_shape": (wrapper((1 << 40,), _FLOAT), b"x", REFUSED),
    "overflowing_shape": (wrapper((1 << 62, 4), _FLOAT), b"x", REFUSED),
    "negative_shape": (wrapper((-1,), _FLOAT), b"x" * 8, REFUSED),
    "negative_shapes_that_multiply": (wrapper((-2, -2), _FLOAT), b"x" * 32, REFUSED),
    "shape_of_texts": (wrapper(("x",), _FLOAT), b"x" * 8, REFUSED),
    "shape_of_floats": (wrapper((1.0,), _FLOAT), b"x" * 8, REFUSED),
    "shape_none": (wrapper(None, _FLOAT), b"x" * 8, REFUSED),
    "shape_of_many": (wrapper((1,) * 1000, _FLOAT), b"x" * 8, REFUSED),
    "dtype_of_a_text": (wrapper((1,), "O"), b"A" * 8, REFUSED),
    "dtype_of_a_class": (wrapper((1,), Ref("builtins", "object")), b"A" * 8, REFUSED),
    "dtype_none": (wrapper((1,), None), b"A" * 8, REFUSED),
    "dtype_object_without_flags": (
        wrapper(
            (1,), Code(code(_OBJECT) + code((3, "|", None, None, None, -1, -1, 0)) + b"b")
        ),
        b"A" * 8,
        REFUSED,
    ),
    "dtype_of_a_huge_void": (wrapper((1,), Call(_DTYPE, "V2000000000", False, True)), b"x", REFUSED),
    "dtype_of_no_size": (wrapper((1 << 60,), Call(_DTYPE, "V0", False, True)), b"", REFUSED),
    "subclass_of_another_kind": (
        wrapper((1,), _FLOAT, subclass=Ref("collections", "OrderedDict")), b"x" * 8, ANY,
    ),
    "subclass_memmap": (wrapper((1,), _FLOAT, subclass=Ref("numpy", "memmap")), b"x" * 8, ANY),
    "order_of_another_kind": (wrapper((1,), _FLOAT, order="X"), b"x" * 8, ANY),
    "alignment_huge": (
        wrapper((1,), _FLOAT, numpy_array_alignment_bytes=1 << 60), b"\xff" + b"x" * 400, ANY,
    ),
    "read_planted": (wrapper((1,), _FLOAT, read=Ref("collections", "OrderedDict")), b"x" * 8, ANY),
    "read_array_planted": (
        wrapper((1,), _FLOAT, read_array=Ref("collections", "OrderedDict")), b"x" * 8, ANY,
    ),
    "no_data": (wrapper((1000,), _FLOAT), b"", REFUSED),
    "no_state": (New(_WRAPPER, state={}), b"x" * 8, REFUSED),
}  # fmt: skip


def _old_arrays(path: Path, marker: str, name: str) -> None:
    """joblib before 0.10: the array is in a file of that name beside the dump."""
    import numpy as np

    state = {
        "filename": name.replace("{marker}", marker),
        "subclass": _NDARRAY,
        "allow_mmap": False,
    }
    made = New(Ref("joblib.numpy_pickle", "NDArrayWrapper"), state=state)
    path.write_bytes(stream(made))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|O", "fortran_order": False, "shape": (1,)}
    )
    if "{marker}" not in name and "/etc" not in name:
        (path.parent / "array.npy").write_bytes(header.getvalue() + _payload(marker))


def cases() -> Iterator[Case]:
    """Payloads in the stream and in arrays under every compressor, then arrays that lie."""
    both = ("joblib", "pickle")
    for kind, compress in COMPRESSORS.items():
        needs = ("joblib", "numpy", *(("lz4",) if kind == "lz4" else ()))
        by = both if kind == "raw" else ("joblib",)
        name = ("builtins.exec",)
        must = REFUSED if kind == "zfile" else UNSAFE
        file = "model.joblib"
        yield Case(
            f"joblib_{kind}_payload",
            lambda marker, c=compress: c(_payload(marker)),  # type: ignore[misc]
            file, by, () if kind == "zfile" else name, must, "joblib", needs=needs,
        )  # fmt: skip
        yield Case(
            f"joblib_{kind}_payload_in_an_object_array",
            lambda marker, c=compress: c(with_array(wrapper((1,), _OBJECT), _payload(marker))),  # type: ignore[misc]
            file, ("joblib",), () if kind == "zfile" else name, must,
            None if kind == "zfile" else "joblib", needs=needs,
        )  # fmt: skip
        yield Case(
            f"joblib_{kind}_payload_after_an_array",
            lambda marker, c=compress: c(  # type: ignore[misc]
                b"\x80\x04(" + code(wrapper((1,), _FLOAT)) + b"\x80\x02" * 4
                + code(Call(_EXEC, source(marker))) + b"t."
            ),
            file, ("joblib",), () if kind == "zfile" else name, must,
            None if kind == "zfile" else "joblib", needs=needs,
        )  # fmt: skip
        yield Case(
            f"joblib_{kind}_payload_behind_a_stream",
            lambda marker, c=compress: c(stream({"a": 1})) + c(_payload(marker)),  # type: ignore[misc]
            file, ("joblib",), must=ANY, needs=needs,
        )  # fmt: skip
        if kind != "raw":
            yield Case(
                f"joblib_{kind}_twice",
                lambda marker, c=compress: c(c(_payload(marker))),  # type: ignore[misc]
                file, ("joblib",), must=REFUSED, needs=needs,
            )  # fmt: skip
            yield Case(
                f"joblib_{kind}_broken_after_the_payload",
                lambda marker, c=compress: c(_payload(marker)[:-1] + bytes(100_000))[:-6],  # type: ignore[misc]
                file, ("joblib",), must=REFUSED, needs=needs,
            )  # fmt: skip
    for name, (made, data, must) in ARRAYS.items():
        yield Case(
            f"joblib_array_{name}",
            lambda marker, made=made, data=data: with_array(made, data),  # type: ignore[misc]
            "model.joblib", ("joblib",), must=must, bomb="huge" in name, needs=("joblib", "numpy"),
        )  # fmt: skip
    yield Case(
        "joblib_object_array_in_an_object_array",
        lambda marker: with_array(
            wrapper((1,), _OBJECT), with_array(wrapper((1,), _OBJECT), _payload(marker))
        ),
        "model.joblib", ("joblib",), must=REFUSED, needs=("joblib", "numpy"),
    )  # fmt: skip
    yield Case(
        "joblib_object_array_broken",
        lambda marker: with_array(wrapper((1,), _OBJECT), b"\x80\x04]]]", b""),
        "model.joblib", ("joblib",), must=REFUSED, needs=("joblib", "numpy"),
    )  # fmt: skip
    for label, name in {
        "beside_it": "array.npy",
        "absolute": "{marker}",
        "parent": "../../etc/passwd",
        "of_the_system": "/etc/passwd",
        "nul": "x\0y",
        "empty": "",
    }.items():

        def write(marker: str, name: str = name) -> Content:
            return lambda path, marker: _old_arrays(path, marker, name)

        yield Case(
            f"joblib_old_ndarraywrapper_{label}", write, "model.joblib", ("joblib", "pickle"),
            must=UNSAFE if label == "beside_it" else REFUSED,
            names=("joblib.numpy_pickle.NDArrayWrapper", "joblib.numpy_pickle_compat.NDArrayWrapper")
            if label == "beside_it" else (),
            needs=("joblib", "numpy"),
        )  # fmt: skip
    yield Case(
        "joblib_old_zndarraywrapper",
        lambda marker: stream(
            New(
                Ref("joblib.numpy_pickle_compat", "ZNDArrayWrapper"),
                state={"filename": "/etc/passwd", "init_args": (_NDARRAY, (0,), b"b"), "state": ()},
            )
        ),
        "model.joblib", ("joblib",),
        names=("joblib.numpy_pickle_compat.ZNDArrayWrapper",), needs=("joblib",),
    )  # fmt: skip
    for label, length in {"too_long": 1 << 40, "negative": -1, "zero": 0}.items():
        yield Case(
            f"joblib_zfile_length_{label}",
            lambda marker, length=length: _zfile(_payload(marker), length),  # type: ignore[misc]
            "model.joblib", ("joblib",), must=REFUSED, bomb=True, needs=("joblib",),
        )  # fmt: skip
    yield Case(
        "joblib_lzma_dictionary_of_4_gb",
        lambda marker: b"]\x00\x00\x00\xff" + lzma.compress(_payload(marker), lzma.FORMAT_ALONE)[5:],
        "model.joblib", ("joblib",), must=REFUSED, bomb=True, needs=("joblib",),
    )  # fmt: skip
    yield Case(
        "joblib_lz4_content_size_of_1_tb",
        lambda marker: b"\x04\x22\x4d\x18\x68\x40" + struct.pack("<Q", 1 << 40) + b"\x00" + bytes(64),
        "model.joblib", ("joblib",), must=REFUSED, bomb=True, needs=("joblib", "lz4"),
    )  # fmt: skip
