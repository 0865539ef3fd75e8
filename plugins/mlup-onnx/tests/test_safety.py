"""What the onnx binarizers refuse: weights outside the model's folder, operators that reach out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import mlup
from mlup_onnx import model_contents
from mlup_onnx.model_contents import DamagedModelError, ModelReader

W = np.arange(12, dtype=np.float32).reshape(4, 3)
X = np.ones((2, 4), np.float32)
REFUSES_ITSELF = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 24)


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def external(location: str, name: str = "w", **more: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4, 3])
    tensor.data_location = TensorProto.EXTERNAL
    for key, said in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=said)
    return tensor


def model(weights=None, nodes=None, **more) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(W, "w")] if weights is None else weights
    nodes = nodes or [helper.make_node("MatMul", ["x", "w"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("x", None, 4)], [value("y", None, 3)], weights)
    opsets = more.pop("opset_imports", [helper.make_opsetid("", 17)])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)


@pytest.fixture
def folder(tmp_path):
    """A folder of a model's, with weights inside it and outside."""
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    for place in (folder / "w.bin", folder / "sub" / "w.bin", tmp_path / "secret.bin"):
        place.write_bytes(W.tobytes())
    return folder


def at(folder: Path, location: str, **more: str) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model([external(location, **more)]).SerializeToString())
    return path


def refused(source: object, **how: object) -> mlup.UnsafeModelError:
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(source, "onnx", **how)
    assert "was not loaded: " in str(caught.value)
    assert caught.value.binarizer == "onnx"
    return caught.value


def assert_refused(path: Path, location: str, why: str) -> None:
    error = refused(path)
    assert why in str(error)
    assert repr(location) in str(error)
    assert mlup.Operation(location, "refused") in mlup.inspect(path).operations
    for name in error.refused:  # such a name helps
        session = mlup.load(path, allow=[name])
        assert np.allclose(session.predict(X)[0], X @ W)


# -- where the weights may be -------------------------------------------------------------------


@pytest.mark.parametrize("location", ["w.bin", "./w.bin", "sub/w.bin", "link.bin", "..w..bin"])
def test_weights_in_the_folder_load(folder, location):
    (folder / "..w..bin").write_bytes(W.tobytes())
    (folder / "link.bin").symlink_to("w.bin")
    path = at(folder, location, offset="0", length="48", checksum="any")
    assert np.allclose(mlup.load(path).predict(X)[0], X @ W)
    report = mlup.inspect(path)
    assert report.refused == ()
    assert report.notes == (f"its weights are in another file: {location!r}",)


def test_cve_2022_25882_a_path_that_leads_upwards(folder):
    assert_refused(at(folder, "../secret.bin"), "../secret.bin", "leads upwards")


@pytest.mark.parametrize(
    "location", ["../model/../secret.bin", "sub/../../secret.bin", "a/../w.bin"]
)
def test_cve_2024_27318_a_path_that_leads_upwards_from_within(folder, location):
    (folder / "a").mkdir()
    assert_refused(at(folder, location), location, "leads upwards")


def test_cve_2024_5187_an_absolute_path(folder):
    for place in (folder.parent / "secret.bin", folder / "w.bin"):
        assert_refused(at(folder, str(place)), str(place), "absolute path")


@pytest.mark.parametrize(
    "location", ["C:\\w.bin", "c:w.bin", "\\\\host\\share\\w.bin", "\\w.bin", "//host/w.bin"]
)
def test_absolute_paths_of_windows(folder, location):
    error = refused(at(folder, location))
    assert "absolute path" in str(error)


@pytest.mark.parametrize("location", ["..\\secret.bin", "sub\\..\\..\\secret.bin"])
def test_backslashes_that_lead_upwards(folder, location):
    assert "leads upwards" in str(refused(at(folder, location)))


@pytest.mark.skipif(os.name == "nt", reason="there it is a folder's end")
def test_backslashes(folder):
    assert "backslashes" in str(refused(at(folder, "sub\\w.bin")))


def test_cve_2026_27489_a_link_out_of_the_folder(folder):
    (folder / "link.bin").symlink_to("../secret.bin")
    (folder / "up").symlink_to("..")
    (folder / "sub" / "deep").symlink_to("../..")
    for location in ("link.bin", "up/secret.bin", "sub/deep/secret.bin"):
        assert_refused(at(folder, location), location, "behind a link that leads out")


def test_a_link_to_a_folder_whose_name_begins_alike(folder):
    beside = folder.with_name("model-2")
    beside.mkdir()
    (beside / "w.bin").write_bytes(W.tobytes())
    (folder / "link.bin").symlink_to("../model-2/w.bin")
    assert_refused(at(folder, "link.bin"), "link.bin", "behind a link that leads out")


def test_cve_2026_34446_a_hard_link(folder):
    os.link(folder.parent / "secret.bin", folder / "hard.bin")
    path = at(folder, "hard.bin")
    assert_refused(path, "hard.bin", "hard link")
    assert refused(path).refused == ("hard.bin",)


def test_what_is_no_file(folder):
    os.mkfifo(folder / "fifo")
    for location in ("fifo", "sub", "."):
        assert "no ordinary file" in str(refused(at(folder, location)))
    (folder / "null").symlink_to(os.devnull)
    assert "behind a link" in str(refused(at(folder, "null")))


@pytest.mark.parametrize("location", ["", "w.bin\0.txt"])
def test_names_that_are_none(folder, location):
    assert "without a name" in str(refused(at(folder, location)))


@pytest.mark.parametrize("tag", ["*/_ORT_MEM_ADDR_/*", "*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*"])
def test_addresses_in_memory(folder, tag):
    path = at(folder, tag, offset="4096", length="48")
    assert "address in memory" in str(refused(path))


@pytest.mark.parametrize("number", ["-8", "0x10", "9" * 19, "1e3", " 1", "8 ", "٣"])
@pytest.mark.parametrize("key", ["offset", "length"])
def test_places_that_are_no_numbers(folder, key, number):
    path = at(folder, "w.bin", **{key: number})
    assert "no number of bytes" in str(refused(path))
    assert "no number of bytes" in str(refused(path, allow=["w.bin"]))


def test_places_behind_the_end_of_the_file_are_onnxruntimes_to_refuse(folder):
    for offset, length in (("40", "48"), ("999999999999999999", "48"), ("4096", "48")):
        with pytest.raises(mlup.ModelBinarizationError, match="not the right one, or truncated"):
            mlup.load(at(folder, "w.bin", offset=offset, length=length))


@pytest.mark.parametrize("kind", [bytes, io.BytesIO])
def test_bytes_have_no_folder(folder, monkeypatch, kind):
    data = at(folder, "w.bin").read_bytes()
    monkeypatch.chdir(folder)
    error = refused(kind(data))
    assert "working directory" in str(error)
    assert "Give the model's path" in error.hint
    assert mlup.inspect(data).refused == ("w.bin",)


def test_links_are_followed_as_the_hub_lays_them(folder, tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    path = at(folder, "w.bin")
    for number, place in enumerate((path, folder / "w.bin")):
        place.rename(tmp_path / "blobs" / str(number))
        (tmp_path / "snapshot" / place.name).symlink_to(f"../blobs/{number}")
    link = tmp_path / "snapshot" / "model.onnx"
    assert np.allclose(mlup.load(link).predict(X)[0], X @ W)
    (tmp_path / "snapshot" / "w.bin").unlink()
    (tmp_path / "snapshot" / "w.bin").symlink_to("../secret.bin")
    assert "behind a link" in str(refused(link))


def test_trust_asks_nothing(folder):
    os.link(folder.parent / "secret.bin", folder / "hard.bin")
    path = at(folder, "hard.bin")
    assert np.allclose(mlup.load(path, trust=True).predict(X)[0], X @ W)
    refused(path)


def test_what_no_name_helps_has_none(folder):
    error = refused(at(folder, "../secret.bin"))
    assert error.refused == (() if REFUSES_ITSELF else ("../secret.bin",))
    assert ("Put them into the model's folder" in error.hint) == REFUSES_ITSELF


# -- wherever the tensor stands -----------------------------------------------------------------

BAD = external("/etc/hostname", "bad")
BAD_SPARSE = onnx.SparseTensorProto(values=BAD, dims=[4, 3])
BAD_GRAPH = helper.make_graph([], "inner", [], [value("y", 1)], [BAD])


def node_with(**attribute) -> onnx.NodeProto:
    made = onnx.AttributeProto(name="a")
    for name, each in attribute.items():
        if isinstance(each, list):
            getattr(made, name).extend(each)
        else:
            getattr(made, name).CopyFrom(each)
    node = helper.make_node("Constant", [], ["c"])
    node.attribute.append(made)
    return node


def hidden_at(where: str) -> onnx.ModelProto:
    made = model()
    nodes = {
        "attribute": node_with(t=BAD),
        "list of attributes": node_with(tensors=[BAD]),
        "sparse attribute": node_with(sparse_tensor=BAD_SPARSE),
        "list of sparse attributes": node_with(sparse_tensors=[BAD_SPARSE]),
        "nested graph": node_with(g=BAD_GRAPH),
        "list of graphs": node_with(graphs=[BAD_GRAPH]),
        "twice nested": node_with(
            g=helper.make_graph([node_with(g=BAD_GRAPH)], "i", [], [value("y", 1)])
        ),
        "with a weight that is long": node_with(
            tensors=[numpy_helper.from_array(np.ones(50_000)), BAD]
        ),
        "without data_location": node_with(t=external("/etc/hostname")),
    }
    nodes["without data_location"].attribute[0].t.ClearField("data_location")
    if where in nodes:
        made.graph.node.append(nodes[where])
    elif where == "initializer":
        made.graph.initializer.append(BAD)
    elif where == "sparse initializer":
        made.graph.sparse_initializer.append(BAD_SPARSE)
    elif where == "sparse indices":
        made.graph.sparse_initializer.append(onnx.SparseTensorProto(indices=BAD))
    elif where == "function":
        made.functions.add(name="f", domain="d").node.append(nodes["attribute"])
    elif where == "default of a function":
        made.functions.add(name="f", domain="d").attribute_proto.append(
            nodes["attribute"].attribute[0]
        )
    elif where == "training":
        made.training_info.add().algorithm.CopyFrom(BAD_GRAPH)
    elif where == "start of training":
        made.training_info.add().initialization.CopyFrom(BAD_GRAPH)
    else:
        raise AssertionError(where)
    return made


PLACES = """attribute, list of attributes, sparse attribute, list of sparse attributes, nested graph,
list of graphs, twice nested, with a weight that is long, without data_location, initializer,
sparse initializer, sparse indices, function, default of a function, training, start of training"""


@pytest.mark.parametrize("where", PLACES.replace("\n", " ").split(", "))
def test_every_tensor_is_looked_into(where):
    data = hidden_at(where).SerializeToString()
    assert "'/etc/hostname'" in str(refused(data))
    assert mlup.inspect(data).refused == ("/etc/hostname",)


def test_a_graph_in_two_pieces_is_looked_into_twice():
    """Readers of protocol buffers merge them."""
    other = onnx.ModelProto(graph=onnx.GraphProto(initializer=[BAD]))
    data = model().SerializeToString() + other.SerializeToString()
    assert len(onnx.load_from_string(data).graph.initializer) == 2
    assert "'/etc/hostname'" in str(refused(data))


def test_the_last_of_two_locations_does_not_hide_the_first(folder):
    path = at(folder, "w.bin")
    made = onnx.load(path, load_external_data=False)
    made.graph.initializer[0].external_data.add(key="location", value="../secret.bin")
    path.write_bytes(made.SerializeToString())
    assert "'../secret.bin'" in str(refused(path))


def test_the_tables_are_those_of_onnx():
    """No field that leads to a tensor or a node is forgotten, also of an ONNX to come."""
    kinds = {
        "GraphProto": model_contents._GRAPH,
        "NodeProto": model_contents._NODE,
        "AttributeProto": model_contents._ATTRIBUTE,
        "TensorProto": model_contents._TENSOR,
        "SparseTensorProto": model_contents._SPARSE,
        "FunctionProto": model_contents._FUNCTION,
        "TrainingInfoProto": model_contents._TRAINING,
    }

    def table(message):
        return {
            field.number: kinds[field.message_type.name]
            for field in message.DESCRIPTOR.fields
            if field.message_type and field.message_type.name in kinds
        }

    assert table(onnx.ModelProto) == model_contents.MODEL
    for name, kind in kinds.items():
        assert table(getattr(onnx, name)) == model_contents.WITHIN[kind], name
    numbers = {f.name: f.number for f in onnx.TensorProto.DESCRIPTOR.fields}
    assert numbers["external_data"] == model_contents._EXTERNAL_DATA


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


@pytest.mark.parametrize(
    "how", ["a group", "a tag of more than 32 bits", "an overlong tag", "an overlong length"]
)
def test_odd_encodings_hide_nothing(how):
    initializer = field(5, BAD.SerializeToString())
    if how == "a group":
        data = b"\xa3\x06" + field(7, initializer) + b"\xa4\x06"
    elif how == "a tag of more than 32 bits":
        data = varint(1 << 35 | 7 << 3 | 2) + varint(len(initializer)) + initializer
    elif how == "an overlong tag":
        data = b"\xba\x80\x00" + varint(len(initializer)) + initializer
    else:
        data = b"\x3a" + bytes([len(initializer) | 128, 128, 0]) + initializer
    with pytest.raises(mlup.ModelLoadError, match=r"/etc/hostname|no whole ONNX model"):
        mlup.load(model().SerializeToString() + data, "onnx")


# -- operators ----------------------------------------------------------------------------------


def context_node(**attributes) -> onnx.NodeProto:
    return helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", **attributes)


MICROSOFT = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]


@pytest.mark.parametrize("where", ["graph", "nested", "function"])
def test_a_compiled_model_for_native_code_is_named(where):
    node = context_node(embed_mode=0, ep_cache_context="../../engine.so")
    made = model(nodes=[node], opset_imports=MICROSOFT)
    if where == "nested":
        inner = helper.make_graph([node], "inner", [], [value("y", None, 3)])
        made = model(nodes=[node_with(g=inner)])
    elif where == "function":
        made = model()
        made.functions.add(name="f", domain="d").node.append(node)
    data = made.SerializeToString()
    error = refused(data)
    assert error.refused == ("com.microsoft.EPContext",)
    assert "com.microsoft.EPContext" in str(error)
    assert mlup.Operation("com.microsoft.EPContext", "refused") in mlup.inspect(data).operations
    for name in ("EPContext", "com.microsoft.EPContext"):
        assert mlup.inspect(data, allow=[name]).refused == ()
        with pytest.raises(mlup.ModelBinarizationError):  # no provider on the CPU has it
            mlup.load(data, allow=[name])


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("com.microsoft", "PythonOp"),
        ("com.microsoft", "TritonOp"),
        ("org.pytorch.aten", "ATen"),
        ("com.microsoft.extensions", "OpenAIAudioToText"),
        ("ai.onnx.contrib", "ImageReader"),
    ],
)
def test_operators_that_call_others_are_named(domain, name):
    node = helper.make_node(name, ["x"], ["y"], domain=domain)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    assert refused(model(nodes=[node], opset_imports=opsets).SerializeToString()).refused == (
        f"{domain}.{name}",
    )


def as_ort(made: onnx.ModelProto, path: Path) -> Path:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(made.SerializeToString(), options)
    return path


def test_operators_of_the_ort_format(tmp_path):
    then = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["t"])], "t", [], [value("t", None, 4)]
    )
    other = helper.make_graph(
        [helper.make_node("Abs", ["x"], ["o"])], "o", [], [value("o", None, 4)]
    )
    nodes = [
        helper.make_node("Gelu", ["x"], ["h"], domain="com.microsoft"),
        helper.make_node("ReduceSum", ["h"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"]),
        helper.make_node("If", ["c"], ["i"], then_branch=then, else_branch=other),
        helper.make_node("MatMul", ["i", "w"], ["y"]),
    ]
    weights = [numpy_helper.from_array(W, "w"), numpy_helper.from_array(np.float32(0), "zero")]
    path = as_ort(model(weights, nodes, opset_imports=MICROSOFT), tmp_path / "m.ort")
    names = {each.name for each in mlup.inspect(path).operations}
    assert names == {"com.microsoft.Gelu", "ReduceSum", "Greater", "If", "MatMul", "Neg", "Abs"}


def test_an_operator_that_calls_others_is_named_in_the_ort_format(tmp_path):
    nodes = [
        helper.make_node("FastGelu", ["x"], ["h"], domain="com.microsoft"),
        helper.make_node("MatMul", ["h", "w"], ["y"]),
    ]
    data = as_ort(model(nodes=nodes, opset_imports=MICROSOFT), tmp_path / "m.ort").read_bytes()
    changed = data.replace(b"FastGelu", b"TritonOp")
    assert changed != data
    (tmp_path / "m.ort").write_bytes(changed)
    for source in (changed, tmp_path / "m.ort"):
        assert refused(source).refused == ("com.microsoft.TritonOp",)
        assert mlup.inspect(source, "onnx").refused == ("com.microsoft.TritonOp",)


def test_an_ort_model_that_points_into_itself_ends(tmp_path):
    data = as_ort(model(), tmp_path / "m.ort").read_bytes()
    for at_ in range(0, len(data) - 4, 4):
        for number in (0, 4, 0xFFFFFFFF, len(data) - 8):
            mlup.inspect(data[:at_] + number.to_bytes(4, "little") + data[at_ + 4 :], "onnx")


# -- the report ---------------------------------------------------------------------------------


def test_the_report_has_every_operator_once():
    made = model(nodes=[helper.make_node("MatMul", ["x", "w"], ["y"])] + [node_with(t=BAD)] * 2)
    report = mlup.inspect(made.SerializeToString())
    assert report.format == "onnx"
    assert [str(each) for each in report.operations] == ["MatMul", "Constant", "/etc/hostname"]
    assert report.notes[0].startswith("refused: its weights are at an absolute path")


def test_a_truncated_model_is_told_as_far_as_it_goes():
    data = hidden_at("initializer").SerializeToString()
    report = mlup.inspect(data[:-40], "onnx")
    assert [str(each) for each in report.operations] == ["MatMul", "/etc/hostname"]
    assert "was read no further" in report.notes[0]


def test_inspecting_imports_no_framework(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(hidden_at("initializer").SerializeToString())
    code = (
        "import sys, mlup; assert mlup.inspect(sys.argv[1]).refused == ('/etc/hostname',);"
        "assert not {'onnx', 'onnxruntime', 'numpy', 'google'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)


# -- what is checked is what is loaded ----------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the path is opened again there")
def test_a_file_that_is_exchanged_while_it_is_loaded_is_not_followed(folder, monkeypatch):
    import mlup_onnx.loading

    path = folder / "model.onnx"
    path.write_bytes(model().SerializeToString())
    bad = folder / "bad.onnx"
    bad.write_bytes(model([numpy_helper.from_array(W + 1, "w")]).SerializeToString())
    check = mlup_onnx.loading.refuse_unsafe

    def exchanging(*given):
        check(*given)
        os.replace(bad, path)

    monkeypatch.setattr(mlup_onnx.loading, "refuse_unsafe", exchanging)
    assert np.allclose(mlup.load(path).predict(X)[0], X @ W)


@pytest.mark.parametrize("what", ["model.onnx", "w.bin"])
def test_files_that_change_while_they_are_loaded_are_refused(folder, monkeypatch, what):
    import mlup_onnx.loading

    path = at(folder, "w.bin")
    copy = folder / "copy"
    copy.write_bytes((folder / what).read_bytes())
    check = mlup_onnx.loading.refuse_unsafe

    def exchanging(*given):
        check(*given)
        os.replace(copy, folder / what)

    monkeypatch.setattr(mlup_onnx.loading, "refuse_unsafe", exchanging)
    states = mlup_onnx.loading._states
    if what == "w.bin":  # it is looked at behind the check, too
        monkeypatch.setattr(mlup_onnx.loading, "refuse_unsafe", check)
        done = []

        def once(*given):
            found = states(*given)
            if not done:
                done.append(os.replace(copy, folder / what))
            return found

        monkeypatch.setattr(mlup_onnx.loading, "_states", once)
    assert "changed while it was loaded" in str(refused(path))


def test_threads_do_not_see_each_others_names(folder):
    os.link(folder.parent / "secret.bin", folder / "hard.bin")
    path = at(folder, "hard.bin")
    wrong = []

    def load(allow):
        for _ in range(5):
            try:
                mlup.load(path, allow=allow)
            except mlup.UnsafeModelError:
                if allow:
                    wrong.append("refused")
            else:
                if not allow:
                    wrong.append("loaded")

    threads = [threading.Thread(target=load, args=(["hard.bin"] * (n % 2),)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


# -- resources ----------------------------------------------------------------------------------


def test_graphs_nested_without_end_are_refused():
    data = b""
    for _ in range(5000):
        data = field(1, field(5, field(6, data)))
    with pytest.raises(mlup.ModelBinarizationError, match="no whole ONNX model"):
        mlup.load(model().SerializeToString() + field(7, data), "onnx")
    assert "nested too deeply" in mlup.inspect(field(7, data), "onnx").notes[0]


class Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


def test_weights_are_not_read():
    big = [numpy_helper.from_array(np.zeros(2_000_000, np.float32), f"w{n}") for n in range(10)]
    stream = Counting(model([numpy_helper.from_array(W, "w"), *big]).SerializeToString())
    assert list(ModelReader(stream).read().operators) == ["MatMul"]
    assert stream.count < 500_000


def test_a_text_of_any_length_is_refused():
    node = onnx.NodeProto(op_type="x" * 5000)
    with pytest.raises(DamagedModelError, match="a name of 5000 bytes"):
        ModelReader(io.BytesIO(model(nodes=[node]).SerializeToString())).read()


def test_many_nodes_are_read_in_time():
    nodes = [
        helper.make_node("Conv", [f"x{n}", "w"], [f"x{n + 1}"], kernel_shape=[3, 3], pads=[1] * 4)
        for n in range(10_000)
    ]
    stream = io.BytesIO(model(nodes=nodes).SerializeToString())
    started = time.perf_counter()
    assert list(ModelReader(stream).read().operators) == ["Conv"]
    assert time.perf_counter() - started < 5
