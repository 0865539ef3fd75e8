"""``onnx/``: models of every age and shape, in any order of fields, and ONNX Runtime's own format."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import skl2onnx
from onnx import TensorProto, helper, numpy_helper, parser, printer

from makers import models
from makers.book import Book, finite
from makers.protobufs import field, fields, joined

ONNX = f"onnx {onnx.__version__}"
RUNTIME = f"onnxruntime {onnxruntime.__version__}"
SKL = f"skl2onnx {skl2onnx.__version__}"
_BY_HAND = f"{ONNX}, fields in another order by hand (protobuf lets them stand in any)"
NEWEST = 13  # the newest IR version that this onnxruntime loads


def make(book: Book) -> None:
    """Write the folder."""
    onnxruntime.set_default_logger_severity(4)

    def put(name: str, content: Any, producer: str = ONNX, **more: Any) -> Path:
        data = content.SerializeToString() if hasattr(content, "graph") else content
        finer = more.pop("format", "onnx")
        return book.add(name, "onnx", finer, producer, data, check=_tried, **more)

    _by_age(put)
    _by_shape(put)
    _by_order(put)
    _by_estimator(put)
    _exported(put)
    _external(put, book)
    _runtime(put, book)
    _not_models(book)


def linear(
    ir: int = 10,
    opset: int = 17,
    inputs: Sequence[str] = ("x",),
    outputs: int = 1,
    **more: Any,
) -> Any:
    """A model that adds its inputs and multiplies by a matrix; ``outputs`` times."""
    value = helper.make_tensor_value_info
    total = inputs[0]
    nodes = []
    for at, name in enumerate(inputs[1:]):
        nodes.append(helper.make_node("Add", [total, name], [f"sum{at}"]))
        total = f"sum{at}"
    names = [f"y{at}" for at in range(outputs)]
    nodes += [helper.make_node("MatMul", [total, "w"], [name], name) for name in names]
    weights = numpy_helper.from_array(np.array([[0.5, 1.0], [-1.0, 2.0]], "f4"), "w")
    given = [value(name, TensorProto.FLOAT, ["n", 2]) for name in inputs]
    if ir < 4:  # an initializer had to be an input as well
        given.append(value("w", TensorProto.FLOAT, [2, 2]))
    ends = [value(name, TensorProto.FLOAT, ["n", 2]) for name in names]
    graph = helper.make_graph(nodes, "linear", given, ends, [weights])
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, ir_version=ir, opset_imports=opsets, **more)


def _by_age(put: Any) -> None:
    for ir, opset in ((3, 8), (4, 9), (5, 10), (6, 11), (7, 13), (8, 15), (9, 19), (11, 22)):
        put(f"ir{ir}.onnx", linear(ir, opset))
    put(f"ir{NEWEST}", linear(NEWEST, 24))
    put("opset_7.model", _text('ir_version: 3, opset_import: ["": 7]', "y = Relu(x)"))


def _by_shape(put: Any) -> None:
    """What stands in front of the graph, behind it, and in it."""
    producer = {"producer_name": "a trainer", "producer_version": "1.2.3-rc4", "domain": "ai.x"}
    put("described.onnx", linear(**producer, model_version=7, doc_string="A model of lines."))
    put("long_text.onnx", linear(producer_name="p" * 130, doc_string="Words. " * 300))
    told = linear()
    helper.set_model_props(told, {"classes": "{0: 'cat', 1: 'dog'}", "stride": "32", "task": "x"})
    put("metadata.pt", told, notes="properties behind the graph, as YOLO's exporter leaves them")
    opsets = linear()
    for domain, version in (("ai.onnx.ml", 3), ("com.microsoft", 1)):
        opsets.opset_import.append(helper.make_opsetid(domain, version))
    put("three_opsets.bin", opsets)
    put("no_opset_domain.onnx", _text('ir_version: 8, opset_import: ["ai.onnx": 15]', "y = Abs(x)"))
    put("many_inputs.onnx", linear(inputs=[f"column_{at:02d}" for at in range(40)]))
    put("many_outputs.onnx", linear(outputs=30))
    note = "no weights, no producer: a few bytes"
    put("smallest.onnx", _text('ir_version: 8, opset_import: ["": 15]', "y = Neg(x)"), notes=note)
    trained = linear()
    info = trained.training_info.add()
    info.algorithm.name = "step"
    put("training.onnx", trained, notes="training_info")
    placed = linear(11, 22)
    placed.configuration.add(name="two devices", num_devices=2)
    put("configuration.onnx", placed, notes="field 26, of IR version 11")
    function = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    called = _text('ir_version: 10, opset_import: ["": 17, "own": 1]', "y = own.Twice(x)")
    called.functions.append(function)
    put("function.onnx", called, notes="a function of its own")
    branch = "y = If(c) <then_branch = a () => (float[n, 2] t) { t = Abs(x) }, "
    branch += "else_branch = b () => (float[n, 2] e) { e = Neg(x) }>"
    both = "c = Constant <value = bool {1}> ()\n" + branch
    put("branches.onnx", _text('ir_version: 9, opset_import: ["": 17]', both))
    graph = "agraph (float[n, 2] x) => (float[n, 2] y) <float[2] w = {1.0, 2.0}> { y = Mul(x, w) }"
    put("parsed.h5", parser.parse_model('<ir_version: 8, opset_import: ["": 14]> ' + graph))
    sparse = linear()
    values = numpy_helper.from_array(np.array([2.0], "f4"), "w")
    where = numpy_helper.from_array(np.array([3], "i8"), "w_at")
    del sparse.graph.initializer[:]
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(values, where, [2, 2]))
    put("sparse.pkl", sparse, notes="a sparse initializer")
    wide = linear()
    zeros = numpy_helper.from_array(np.zeros((70, 70), "f4"), "unused")
    wide.graph.initializer.append(zeros)
    put("modèle №3.onnx", wide, notes="its graph is longer than 16 kB")


def _by_order(put: Any) -> None:
    """The same messages, written otherwise: onnxruntime loads them all."""
    whole = linear(producer_name="by hand", doc_string="in any order")
    helper.set_model_props(whole, {"note": "kept"})
    parts = fields(whole.SerializeToString())
    put("graph_first.onnx", joined(sorted(parts, key=lambda p: p[0] != 7)), _BY_HAND)
    put("ir_last.onnx", joined(sorted(parts, key=lambda p: p[0] == 1)), _BY_HAND)
    put("opset_first.onnx", joined(sorted(parts, key=lambda p: p[0] != 8)), _BY_HAND)
    put("backwards.bin", joined(parts[::-1]), _BY_HAND)
    put("text_first", joined(sorted(parts, key=lambda p: p[0] != 6)), _BY_HAND)
    put("long_lengths.onnx", joined(parts, width=5), _BY_HAND, notes="every length in five bytes")
    graph = fields(next(value for number, value in parts if number == 7))
    halves = [(7, joined(graph[:1])), (7, joined(graph[1:]))]
    split = [*halves, *(part for part in parts if part[0] != 7)]
    put("graph_in_two.onnx", joined(split), _BY_HAND, notes="two fields 7, which are merged")
    added = whole.SerializeToString() + field(14, field(1, b"added") + field(2, b"later"))
    put("appended.onnx", added, f"{ONNX}, a property appended to the file")
    put("future_field.onnx", added + field(90, b"x"), f"{ONNX}, an unknown field appended")


def _by_estimator(put: Any) -> None:
    fitted = models.estimators()
    row = models.X[:1].astype("f4")
    plain = {"options": {"zipmap": False}}
    for name, kind, how in (
        ("tree.onnx", "tree", {}),
        ("tree_arrays.onnx", "tree", plain),
        ("svc.onnx", "svc", plain),
        ("kmeans", "kmeans", {}),
        ("columns.onnx.bak", "columns", {}),
        ("boosting.weights", "boosting", {}),
        ("mlp.onnx", "mlp", {"target_opset": 12}),
        ("bayes.joblib", "bayes", {}),
    ):
        put(name, skl2onnx.to_onnx(fitted[kind], row, **how), SKL)


def _exported(put: Any) -> None:
    import torch

    layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).eval()
    names = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    for name, how in (("torch_exported.onnx", {}), ("torch_exported_named", names)):

        def write(path: str, how: dict[str, Any] = how) -> None:
            torch.onnx.export(layers, (torch.ones(1, 3),), path, dynamo=False, **how)

        put(name, write, f"torch {torch.__version__}")


def _external(put: Any, book: Book) -> None:
    """Weights beside the model, and in a folder below it."""
    for name, where in (("beside/model.onnx", "model.onnx.data"), ("below/model", "data/w.bin")):

        def write(path: str, where: str = where) -> None:
            os.makedirs(os.path.dirname(os.path.join(os.path.dirname(path), where)), exist_ok=True)
            onnx.save_model(
                linear(), path, save_as_external_data=True, location=where, size_threshold=0
            )

        put(f"external/{name}", write, notes=f"needs {where}")
        folder = name.split("/", 1)[0]
        note = "weights of a model beside it"
        book.note(
            {"path": f"{book.folder}/external/{folder}/{where}", "label": "none"}
            | {"format": "onnx-data", "acceptable": [], "producer": ONNX, "notes": note}
        )


def _runtime(put: Any, book: Book) -> None:
    """What ONNX Runtime writes when it has optimized a model."""

    def optimized(path: str, kind: str = "ORT") -> None:
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = path
        options.add_session_config_entry("session.save_model_format", kind)
        source = linear(inputs=("a", "b")).SerializeToString()
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    put("optimized.ort", optimized, RUNTIME, format="onnx-ort", notes="ORTM at byte 4")
    put("optimized_ort", optimized, RUNTIME, format="onnx-ort", notes="ORTM at byte 4")
    put("optimized.tflite", optimized, RUNTIME, format="onnx-ort", notes="ORTM at byte 4")
    put("optimized.onnx", lambda path: optimized(path, "ONNX"), RUNTIME)


def _not_models(book: Book) -> None:
    """Other messages of ONNX, and its text forms."""
    model = linear(producer_name="text")
    tensor = numpy_helper.from_array(np.arange(6, dtype="f4").reshape(2, 3), "x")
    long = numpy_helper.from_array(np.arange(40, dtype="i8"), "ids")
    note = "a TensorProto, as in test_data_set_0/"
    book.add("input_0.pb", "none", "onnx-tensor", ONNX, tensor.SerializeToString(), notes=note)
    book.add("input_1.pb", "none", "onnx-tensor", ONNX, long.SerializeToString(), notes=note)
    book.add("input_0.onnx", "none", "onnx-tensor", ONNX, tensor.SerializeToString(), notes=note)
    graph = model.graph.SerializeToString()
    book.add("graph.pb", "none", "onnx-graph", ONNX, graph, notes="a GraphProto alone")
    parts = [part for part in fields(model.SerializeToString()) if part[0] != 7]
    book.add("no_graph.onnx", "none", "onnx", _BY_HAND, joined(parts), notes="no graph in it")
    opsets = b"".join(each.SerializeToString() for each in model.opset_import)
    book.add("opset.pb", "none", "onnx-opset", ONNX, opsets, notes="an OperatorSetIdProto")
    text = printer.to_text(model)
    book.add("model.onnxtxt", "onnx-text", "onnx-text", ONNX, text)
    for name, form in (("model.onnxjson", "json"), ("model.textproto", "textproto")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            onnx.save_model(model, path, format=form)
            book.add(name, "onnx-text", "onnx-text", ONNX, path.read_bytes())


def _text(header: str, body: str) -> Any:
    graph = f"tiny (float[n, 2] x) => (float[n, 2] y) {{ {body} }}"
    return parser.parse_model(f"<{header}> {graph}")


def _tried(path: str) -> Any:
    options = onnxruntime.SessionOptions()
    with open(path, "rb") as stream:
        if stream.read(8)[4:] == b"ORTM":  # it goes by the extension otherwise
            options.add_session_config_entry("session.load_model_format", "ORT")
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    given = {}
    for each in session.get_inputs():
        width = each.shape[1] if isinstance(each.shape[1], int) else 1
        given[each.name] = np.ones((1, width), "f4")
    finite([each for each in session.run(None, given) if isinstance(each, np.ndarray)])
    return session
