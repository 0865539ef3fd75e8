"""Keras and ONNX: the basic attacks; their plugins' own tests go further."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacks.assembler import source
from attacks.case import REFUSED, UNSAFE, Case, Content


def _layer(module: str, name: str, **config: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "x", **config},
        "registered_name": None,
    }


def _keras(marker: str, layer: dict[str, Any]) -> bytes:
    text = json.dumps(
        {
            "module": "keras", "class_name": "Sequential", "registered_name": None,
            "config": {"name": "s", "trainable": True, "layers": [layer]},
        }
    ).replace("{py}", source(marker).replace('"', '\\"')).replace("{marker}", marker)  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.8.0"}')
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(64))
    return file.getvalue()


_LAMBDA = {
    "class_name": "__lambda__",
    "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
}

KERAS: dict[str, dict[str, Any]] = {
    "lambda": _layer("keras.layers", "Lambda", function=_LAMBDA),
    "CVE_2025_1550_arbitrary_module": _layer(
        "keras.layers", "Lambda",
        function={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
    ),
    "CVE_2025_1550_module_of_a_layer": _layer("builtins", "exec", source="{py}"),
    "CVE_2025_8747_get_file": _layer(
        "keras.layers", "Lambda",
        function={
            "module": "keras.utils", "class_name": "function", "config": "get_file",
            "registered_name": "get_file",
        },
        arguments={"fname": "{marker}", "origin": "file:///dev/null"},
    ),
    "CVE_2025_9906_enable_unsafe_deserialization": _layer(
        "keras.config", "enable_unsafe_deserialization"
    ),
}  # fmt: skip


def _onnx(location: str) -> bytes:
    from onnx import TensorProto, helper

    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [weight],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()  # type: ignore[no-any-return]


def _with_data(path: Path, how: str) -> None:
    outside = path.parent.parent / f"secret-{path.parent.name}"
    outside.write_bytes(bytes(16))
    inside = path.parent / "data.bin"
    location = "data.bin"
    if how == "absolute":
        location = str(outside)
    elif how == "parent":
        location = f"../{outside.name}"
    elif how == "parent_within":
        location = f"x/../../{outside.name}"
    elif how == "symlink":
        os.symlink(outside, inside)
    elif how == "hard_link":
        os.link(outside, inside)
    path.write_bytes(_onnx(location))


ONNX = {
    "CVE_2022_25882_parent": "parent",
    "CVE_2024_27318_parent_within": "parent_within",
    "absolute": "absolute",
    "CVE_2026_27489_symlink": "symlink",
    "CVE_2026_34446_hard_link": "hard_link",
}


def cases() -> Iterator[Case]:
    """Both tables."""
    for name, layer in KERAS.items():
        yield Case(
            f"keras_{name}", lambda marker, layer=layer: _keras(marker, layer),  # type: ignore[misc]
            "model.keras", ("tensorflow",), must=REFUSED, needs=("tensorflow", "keras"),
        )  # fmt: skip
    for name, how in ONNX.items():

        def write(marker: str, how: str = how) -> Content:
            return lambda path, marker: _with_data(path, how)

        yield Case(
            f"onnx_external_data_{name}", write, "model.onnx", ("onnx",), must=UNSAFE,
            needs=("onnx", "onnxruntime"),
        )  # fmt: skip
