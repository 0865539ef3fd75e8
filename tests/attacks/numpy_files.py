"""``.npy`` and ``.npz``: no binarizer of ours reads them, whichever is named."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from attacks.assembler import Call, Ref, source, stream
from attacks.case import REFUSED, Case

_BY = ("pickle", "joblib")


def _npy(marker: str, descr: str = "|O", shape: str = "(1,)", version: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    payload = stream(Call(Ref("builtins", "exec"), source(marker)))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + payload


def _npz(marker: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("arr_0.npy", _npy(marker))
    return file.getvalue()


def cases() -> Iterator[Case]:
    """Object arrays, and headers that lie."""
    for version in (1, 2, 3):
        yield Case(
            f"numpy_npy_{version}_of_objects",
            lambda marker, version=version: _npy(marker, version=version),  # type: ignore[misc]
            "model.npy", _BY, must=REFUSED,
        )  # fmt: skip
    yield Case("numpy_npz_of_objects", _npz, "model.npz", _BY, must=REFUSED)
    yield Case("numpy_npz_named_pt", _npz, "model.pt", _BY, must=REFUSED)
    yield Case("numpy_npy_named_pkl", _npy, "model.pkl", _BY, must=REFUSED)
    yield Case(
        "numpy_npy_of_a_huge_shape",
        lambda marker: _npy(marker, "<f8", "(1099511627776,)"),
        "model.npy", _BY, must=REFUSED, bomb=True,
    )  # fmt: skip
    yield Case(
        "numpy_npy_of_code_in_its_header",
        lambda marker: _npy(marker, "|O", f"({source(marker)!r},)"),
        "model.npy", _BY, must=REFUSED,
    )  # fmt: skip
