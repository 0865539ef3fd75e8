"""The contract of the binarizers ``onnx`` and ``onnx-full-return``, which load the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from mlup_testkit import BinarizerContract

ROWS = np.arange(6.0, dtype=np.float32).reshape(3, 2)


def line(outputs: int) -> Any:
    """``rows @ weights``, and as a second output its negative."""
    rows = helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [None, 2])
    names = ["product", "negative"][:outputs]
    made = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, 3]) for name in names
    ]
    weights = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "weights")
    nodes = [
        helper.make_node("MatMul", ["rows", "weights"], ["product"]),
        helper.make_node("Neg", ["product"], ["negative"]),
    ][:outputs]
    graph = helper.make_graph(nodes, "line", [rows], made, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class TestONNX(BinarizerContract):
    binarizer = "onnx"
    full_return = False

    def models(self) -> dict[str, Any]:
        return {"one_output.onnx": line(1), "two_outputs.onnx": line(2), "optimized.ort": line(2)}

    def write(self, model: Any, path: Path) -> None:
        if path.suffix == ".onnx":
            onnx.save(model, path)
            return
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(path)
        options.add_session_config_entry("session.save_model_format", "ORT")
        onnxruntime.InferenceSession(model.SerializeToString(), options)

    def same(self, model: Any, loaded: Any) -> bool:
        session = onnxruntime.InferenceSession(model.SerializeToString())
        wanted = session.run(None, {"rows": ROWS})
        given = loaded.predict(ROWS)
        if len(wanted) > 1 and not self.full_return:
            return bool(np.array_equal(given, wanted[0]))
        return len(given) == len(wanted) and all(map(np.array_equal, given, wanted))


class TestONNXFullReturn(TestONNX):
    binarizer = "onnx-full-return"
    full_return = True
