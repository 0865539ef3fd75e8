"""The binarizers onnx and onnx-full-return: real models of many kinds, recognised and loaded."""

from __future__ import annotations

import gzip
import io
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import skl2onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlup
import mlup_onnx

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(20, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
W = RANDOM.normal(size=(4, 3)).astype(np.float32)


def tensor(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes=None, inputs=None, outputs=None, *, weights=(), opset=17, ir=8, **more):
    graph = helper.make_graph(
        nodes or [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "graph",
        inputs or [tensor("x", None, 4)],
        outputs or [tensor("y", None, 3)],
        weights or ([] if nodes else [numpy_helper.from_array(W, "w")]),
    )
    opsets = more.pop("opset_imports", None) or [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, **more)


def with_metadata(made, **properties):
    helper.set_model_props(made, properties)
    return made


def with_functions(count=1):
    domain = "test.functions"
    body = [helper.make_node("Identity", ["a"], ["b"])]
    functions = [
        helper.make_function(
            domain, f"Same{number}", ["a"], ["b"], body, [helper.make_opsetid("", 17)]
        )
        for number in range(count)
    ]
    return model(
        [helper.make_node("Same0", ["x"], ["y"], domain=domain)],
        outputs=[tensor("y", None, 4)],
        functions=functions,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)],
    )


def sklearn_model(estimator):
    return skl2onnx.to_onnx(estimator.fit(X, Y), X[:1])


PROTOS = {
    "matrix product": model(),
    "classifier": sklearn_model(LogisticRegression()),
    "regressor": sklearn_model(LinearRegression()),
    "pipeline": sklearn_model(make_pipeline(StandardScaler(), LogisticRegression())),
    "ir 3": model(inputs=[tensor("x", None, 4), tensor("w", 4, 3)], ir=3, opset=7),
    "ir 4": model(ir=4, opset=9),
    "ir 10, opset 21": model(ir=10, opset=21),
    "two opsets": model(
        opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    ),
    "named in full": model(
        producer_name="Ein Schöpfer",
        producer_version="1.2",
        domain="org.example",
        model_version=7,
        doc_string="What it does.",
    ),
    "long producer": model(producer_name="p" * 5000),
    "long text": model(doc_string="Lorem ipsum. " * 9000),
    "metadata": with_metadata(model(), author="somebody", licence="MIT " * 300),
    "more metadata than is read": with_metadata(
        model(), **{f"key {number}": "v" * 40 for number in range(1300)}
    ),
    "functions": with_functions(),
    "more functions than are read": with_functions(1300),
    "large weights": model(
        inputs=[tensor("x", None, 600)],
        outputs=[tensor("y", None, 500)],
        weights=[numpy_helper.from_array(np.ones((600, 500), np.float32), "w")],
        nodes=[helper.make_node("MatMul", ["x", "w"], ["y"])],
    ),
    "a long first node": model(
        [helper.make_node("Identity", ["x"], ["y"], doc_string="d" * 3000)],
        outputs=[tensor("y", None, 4)],
    ),
}
MODELS = {name: proto.SerializeToString() for name, proto in PROTOS.items()}


def as_ort(data: bytes, folder: Path) -> bytes:
    path = folder / "made.ort"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(data, options)
    made = path.read_bytes()
    path.unlink()
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every model's bytes, those in the ORT format too."""
    folder = tmp_path_factory.mktemp("ort")
    found = dict(MODELS)
    for name in ("matrix product", "classifier", "large weights"):
        found[f"{name}, ORT format"] = as_ort(MODELS[name], folder)
    return found


NAMES = [*MODELS, *(f"{n}, ORT format" for n in ("matrix product", "classifier", "large weights"))]


def claimed(source: object) -> float | None:
    """The score of onnx; nobody else may claim it, and no plugin fail over it."""
    detection = mlup.detect(source)
    assert detection.problems == ()
    assert [each.binarizer for each in detection.candidates] in ([], ["onnx"])
    return detection.best.score if detection.best else None


def same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, np.ndarray):
        return (
            isinstance(ours, np.ndarray)
            and ours.dtype == theirs.dtype
            and np.array_equal(ours, theirs)
        )
    return ours == theirs


def assert_as_native(session, native):
    assert isinstance(session, onnxruntime.InferenceSession)
    (wanted,) = native.get_inputs()
    data = RANDOM.normal(size=(7, wanted.shape[1])).astype(np.float32)
    theirs = native.run(None, {wanted.name: data})
    ours = session.run(None, {wanted.name: data})
    assert len(ours) == len(theirs)
    assert all(map(same, ours, theirs))
    predicted = session.predict(data)
    assert same(predicted, theirs[0]) if len(theirs) > 1 else same(predicted[0], theirs[0])


# -- what is its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_recognised_and_predicts_as_the_native_session_does(tmp_path, files, name):
    path = tmp_path / "model"
    path.write_bytes(files[name])
    assert claimed(path) == 0.95
    assert_as_native(mlup.load(path), onnxruntime.InferenceSession(files[name]))


@pytest.mark.parametrize(
    ("extension", "score"),
    [
        ("onnx", 0.99),
        ("ONNX", 0.99),
        ("ort", 0.99),
        ("Ort", 0.99),
        ("onnx.bak", 0.95),
        ("pb", 0.95),
        ("pkl", 0.95),
        ("keras", 0.95),
        ("txt", 0.95),
    ],
)
@pytest.mark.parametrize("name", ["classifier", "matrix product, ORT format"])
def test_every_name_is_loaded(tmp_path, files, name, extension, score):
    path = tmp_path / f"model.{extension}"
    path.write_bytes(files[name])
    assert claimed(path) == score
    native = onnxruntime.InferenceSession(files[name])
    assert_as_native(mlup.load(path), native)
    options = onnxruntime.SessionOptions()
    assert_as_native(mlup.load(path, options={"sess_options": options}), native)
    with pytest.raises(RuntimeError):  # the caller's own options are as they were
        options.get_session_config_entry("session.load_model_format")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("matrix product", "ONNX model, IR version 8"),
        ("ir 10, opset 21", "ONNX model, IR version 10"),
        ("named in full", "ONNX model, IR version 8, by Ein Schöpfer 1.2"),
        ("classifier", f"ONNX model, IR version 10, by skl2onnx {skl2onnx.__version__}"),
        ("long producer", "ONNX model, IR version 8"),
        ("matrix product, ORT format", "ONNX Runtime model, ORT format version"),
    ],
)
def test_the_reason_says_what_it_is(files, name, reason):
    assert mlup.detect(files[name]).best.reason.startswith(reason)


def test_a_producer_that_is_no_text_is_not_shown():
    for name in (b"\x1b[31mred", b"\xff\xfe", b"two\nlines"):
        data = MODELS["matrix product"]
        data = data[:2] + b"\x12" + bytes([len(name)]) + name + data[2:]
        reason = mlup.detect(data).best.reason
        assert reason.isprintable()
        assert b"red" not in reason.encode()


@pytest.mark.parametrize("name", ["classifier", "long text", "classifier, ORT format"])
def test_every_kind_of_source_is_loaded(tmp_path, files, name):
    data = files[name]
    native = onnxruntime.InferenceSession(data)
    path = tmp_path / "model.dat"
    path.write_bytes(data)
    sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data)]
    sources += [mlup.LoadedFile(path=str(path)), mlup.LoadedFile(raw_data=data)]
    sources += [mlup.LoadedFile(raw_data=io.BytesIO(data), path="elsewhere/model.onnx")]
    for source in sources:
        assert claimed(source) == (0.99 if "elsewhere" in str(source) else 0.95)
        assert_as_native(mlup.load(source), native)
    with open(path, "rb") as stream:
        assert_as_native(mlup.load(stream), native)
        assert not stream.closed
    with open(path, "rb", buffering=0) as stream:
        assert_as_native(mlup.load(stream), native)
    (tmp_path / "behind").write_bytes(b"a header" + data)
    with open(tmp_path / "behind", "rb") as stream:
        stream.seek(8)
        assert_as_native(mlup.load(stream), native)
    with gzip.open(tmp_path / "packed", "wb") as stream:
        stream.write(data)
    with gzip.open(tmp_path / "packed") as stream:
        assert_as_native(mlup.load(stream), native)


def test_bytes_are_not_copied():
    data = MODELS["large weights"]
    assert mlup.load(data)._model_bytes is data
    assert mlup.load(io.BytesIO(data))._model_bytes is data


@pytest.mark.parametrize("folder", ["münchen", "モデル", "with space", "a.onnx"])
def test_every_path_is_loaded(tmp_path, monkeypatch, folder):
    data = MODELS["classifier"]
    native = onnxruntime.InferenceSession(data)
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "模型 1"
    path.write_bytes(data)
    assert_as_native(mlup.load(path), native)
    monkeypatch.chdir(tmp_path / folder)
    assert_as_native(mlup.load("模型 1"), native)
    assert_as_native(mlup.load(Path("..", folder, "模型 1")), native)


def test_a_name_that_is_no_text_is_loaded(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.onnx"
    try:
        Path(os.fsdecode(path)).write_bytes(MODELS["classifier"])
    except OSError:
        pytest.skip("this file system has no such names")
    native = onnxruntime.InferenceSession(MODELS["classifier"])
    assert_as_native(mlup.load(os.fsdecode(path)), native)
    with open(os.fsdecode(path), "rb") as stream:
        assert_as_native(mlup.load(stream), native)


def test_a_model_of_the_torch_exporter_is_loaded(tmp_path):
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    stream = io.BytesIO()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(7, 4),), stream, dynamo=False)
    assert claimed(stream.getvalue()) == 0.95
    assert_as_native(mlup.load(stream.getvalue()), onnxruntime.InferenceSession(stream.getvalue()))
    (found,) = mlup.load(stream.getvalue()).predict(X[:7])
    assert np.allclose(found, network(torch.from_numpy(X[:7])).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", [str, Path])
def test_score_can_be_tried_without_mlup_around_it(tmp_path, files, kind):
    for name in ("classifier", "classifier, ORT format"):
        path = tmp_path / "model.bin"
        path.write_bytes(files[name])
        assert mlup_onnx.score(kind(path), files[name][:100], files[name][-100:]) == 0.95


# -- names and what mlup shows ------------------------------------------------------------------


def test_mlup_plugins_shows_both_whole():
    for name in ("onnx", "onnx-full-return"):
        info = next(each for each in mlup.plugins() if each.name == name)
        assert (info.distribution, info.status, info.problem) == ("mlup-onnx", "ok", None)
        assert info.version == mlup_onnx.__version__
        assert info.extensions == (".onnx", ".ort")
        assert (info.options, info.requires) == (("providers", "sess_options"), ("onnxruntime",))
        assert info.description.startswith("ONNX models")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("onnx", None),
        ("mlup-onnx:onnx", None),
        (mlup.BinarizationType.ONNX_INFERENCE_SESSION, None),
        ("mlup.ml.binarization.onnx.InferenceSessionBinarizer", None),
        ("onnx-full-return", 2),
        (mlup.BinarizationType.ONNX_INFERENCE_SESSION_FULL_RETURN, 2),
        ("mlup.ml.binarization.onnx.InferenceSessionFullReturnBinarizer", 2),
    ],
)
def test_every_name_the_predecessor_had_for_them_loads(name, count):
    found = mlup.load(MODELS["classifier"], name).predict(X)
    if count is None:
        assert isinstance(found, np.ndarray)
    else:
        assert isinstance(found, list)
        assert len(found) == count


def test_full_return_is_never_chosen_by_itself(monkeypatch):
    monkeypatch.setenv("MLUP_PLUGINS", "onnx-full-return")
    mlup.refresh()
    try:
        assert mlup.detect(MODELS["classifier"]).candidates == ()
        with pytest.raises(mlup.UnknownModelError):
            mlup.load(MODELS["classifier"])
    finally:
        monkeypatch.undo()
        mlup.refresh()


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "providers",
    [
        None,
        [],
        ["CPUExecutionProvider"],
        ("CPUExecutionProvider",),
        "CPUExecutionProvider",
        [("CPUExecutionProvider", {})],
        [["CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"}]],
    ],
)
def test_providers_are_taken_as_onnxruntime_takes_them(caplog, providers):
    for name in ("onnx", "onnx-full-return"):
        loaded = mlup.load(MODELS["classifier"], name, options={"providers": providers})
        assert loaded.get_providers() == ["CPUExecutionProvider"]
    assert caplog.records == []


ABSENT = [
    name
    for name in onnxruntime.get_all_providers()
    if name not in onnxruntime.get_available_providers()
]
"""What onnxruntime knows and this build of it lacks; most builds have three of twenty."""


@pytest.mark.parametrize("with_options", [False, True])
def test_providers_that_this_onnxruntime_lacks_are_left_out_with_one_warning(
    caplog, capsys, with_options
):
    absent = [(name, {"device_id": 0}) if with_options else name for name in ABSENT[:2]]
    loaded = mlup.load(
        MODELS["classifier"], options={"providers": [*absent, "CPUExecutionProvider"]}
    )
    assert_as_native(loaded, onnxruntime.InferenceSession(MODELS["classifier"]))
    assert loaded.get_providers() == ["CPUExecutionProvider"]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("mlup", logging.WARNING)
    assert f"this onnxruntime has no {ABSENT[0]}, {ABSENT[1]}; it has " in record.getMessage()
    assert capsys.readouterr().out == ""  # onnxruntime would print


@pytest.mark.parametrize("as_text", [False, True])
def test_providers_of_which_this_onnxruntime_has_none_are_refused(caplog, as_text):
    given = ABSENT[0] if as_text else ABSENT[:2]
    said = f"this onnxruntime has no {ABSENT[0]}.*; it has .*CPUExecutionProvider"
    with pytest.raises(mlup.OptionError, match=said):
        mlup.load(MODELS["classifier"], options={"providers": given})
    assert caplog.records == []


def test_without_providers_it_is_the_native_choice():
    native = onnxruntime.InferenceSession(MODELS["classifier"])
    assert mlup.load(MODELS["classifier"]).get_providers() == native.get_providers()


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        (["CudaExecutionProvider"], "knows no 'CudaExecutionProvider'; it knows .*CUDAExec"),
        (["CpuExecutionProvider", "CPUExecutionProvider"], "knows no 'CpuExecutionProvider'"),
        ("cpu", "knows no 'cpu'"),
        ([("Nope", {})], "no 'Nope'"),
        (3, r"expected a list .* such as \['CPUExecutionProvider'\]"),
        ({"CPUExecutionProvider": {}}, "expected a list"),
        ([3], "3 is neither"),
        ([("CPUExecutionProvider", 3)], "is neither"),
        ([("CPUExecutionProvider",)], "is neither"),
    ],
)
def test_providers_that_are_none_are_refused(capsys, providers, said):
    with pytest.raises(mlup.OptionError, match=said):
        mlup.load(MODELS["classifier"], options={"providers": providers})
    assert capsys.readouterr().out == ""  # onnxruntime would print, and take the CPU


def test_session_options_are_used():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.logid = "mine"
    for source in (MODELS["classifier"], io.BytesIO(MODELS["classifier"])):
        loaded = mlup.load(source, options={"sess_options": options})
        assert loaded.get_session_options().intra_op_num_threads == 1
        assert loaded.get_session_options().logid == "mine"


@pytest.mark.parametrize("value", [3, {}, {"intra_op_num_threads": 1}, "fast"])
def test_session_options_that_are_none_are_refused(value):
    with pytest.raises(mlup.OptionError, match=r"expected an onnxruntime\.SessionOptions"):
        mlup.load(MODELS["classifier"], options={"sess_options": value})


def test_an_option_it_does_not_know_is_refused():
    with pytest.raises(mlup.OptionError, match="providers, sess_options"):
        mlup.load(MODELS["classifier"], options={"provider": "CPUExecutionProvider"})


def test_the_providers_can_be_set_again(tmp_path):
    """Which loads the model again, from what the session has kept."""
    (tmp_path / "model.ort").write_bytes(MODELS["classifier"])
    (tmp_path / "behind").write_bytes(b"a header" + MODELS["classifier"])
    with open(tmp_path / "behind", "rb") as stream:
        stream.seek(8)
        sessions = [
            mlup.load(source) for source in (tmp_path / "model.ort", MODELS["classifier"], stream)
        ]
    for session in sessions:
        before = session.predict(X)
        session.set_providers(["CPUExecutionProvider"])
        assert same(session.predict(X), before)


# -- weights in other files ---------------------------------------------------------------------


@pytest.fixture
def external(tmp_path):
    """A model whose weights are in another file, and the folder of both."""
    folder = tmp_path / "external"
    folder.mkdir()
    onnx.save(
        model(),
        folder / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    return folder


def assert_weights_are_found(session):
    (found,) = session.predict(X)
    assert np.allclose(found, X @ W, atol=1e-5)


@pytest.mark.parametrize("name", ["model.onnx", "model", "model.ort", "model.pkl", "模型"])
def test_weights_beside_the_model_are_found_whatever_it_is_called(external, monkeypatch, name):
    path = external / name
    (external / "model.onnx").rename(path)
    assert claimed(path) == (0.99 if path.suffix in (".onnx", ".ort") else 0.95)
    assert_weights_are_found(mlup.load(path))
    with open(path, "rb") as stream:
        assert_weights_are_found(mlup.load(stream))
    monkeypatch.chdir(external)
    assert_weights_are_found(mlup.load(name))


@pytest.mark.parametrize("name", ["model.onnx", "model.ort", "latest"])
def test_weights_beside_what_a_link_points_to_are_found(external, tmp_path, monkeypatch, name):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / name
    link.symlink_to(Path("..", "external", "model.onnx"))
    assert_weights_are_found(mlup.load(link))
    monkeypatch.chdir(tmp_path)
    assert_weights_are_found(mlup.load(Path("links", name)))


def test_weights_are_found_where_both_are_links(external, tmp_path):
    """As the Hugging Face hub keeps them: neither has its own name where it lies."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    for number, name in enumerate(("model.onnx", "weights.bin")):
        (external / name).rename(blobs / f"{number}")
        (snapshot / name).symlink_to(Path("..", "blobs", f"{number}"))
    assert_weights_are_found(mlup.load(snapshot / "model.onnx"))


def test_weights_are_found_in_a_linked_folder(external, tmp_path):
    (tmp_path / "current").symlink_to(external)
    assert_weights_are_found(mlup.load(tmp_path / "current" / "model.onnx"))


def refusal(source: object, name: str = "auto", *, trust: bool = False, **options: object) -> str:
    with pytest.raises(mlup.ModelBinarizationError) as caught:
        mlup.load(source, name, trust=trust, options=options)
    assert caught.value.__cause__ is not None
    return str(caught.value)


def test_missing_weights_are_named(external, monkeypatch):
    os.remove(external / "weights.bin")
    path = external / "model.onnx"
    said = refusal(path)
    assert said.startswith(f"{path} was not loaded by onnx: its weights are in another file, and ")
    assert str(external / "weights.bin") in said
    assert "does not exist" in said
    monkeypatch.chdir(external)
    assert "weights.bin does not exist" in refusal("model.onnx", "onnx-full-return")
    (external / "link").symlink_to("model.onnx")
    assert str(external / "weights.bin") in refusal(external / "link")


@pytest.mark.parametrize("kind", [bytes, io.BytesIO])
def test_bytes_whose_weights_are_elsewhere_need_the_path(external, kind):
    said = refusal(kind((external / "model.onnx").read_bytes()), trust=True)
    assert said.startswith("<bytes> was not loaded by onnx: its weights are in another file")
    assert "give the model's path" in said


def test_bytes_whose_weights_lie_in_the_working_directory_never_fail_without_a_hint(
    tmp_path, monkeypatch
):
    """onnxruntime 1.32 reads them from there, but not where an optimizer wants their values."""
    proto = model(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        outputs=[tensor("y", None, 4)],
        weights=[numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(mlup.load(path).predict(X)[0], X + 1)
    data = path.read_bytes()
    try:
        native = onnxruntime.InferenceSession(data)
    except Exception:
        assert "give the model's path instead of its bytes" in refusal(data, trust=True)
    else:
        assert_as_native(mlup.load(data, trust=True), native)


@pytest.mark.parametrize("folder", ["external", "links"])
def test_weights_that_are_a_git_lfs_pointer_are_named(tmp_path, external, monkeypatch, folder):
    proto = model(
        inputs=[tensor("x", None, 400)],
        weights=[numpy_helper.from_array(np.tile(W, (100, 1)), "w")],
    )
    path = external / "model.onnx"
    os.remove(external / "weights.bin")
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    size = os.path.getsize(external / "weights.bin")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize {size}\n"
    (external / "weights.bin").write_text(pointer)
    (external / "another").write_text("n" * len(pointer))
    if folder == "links":
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "model.onnx").symlink_to(path)
    said = refusal(tmp_path / folder / "model.onnx")
    assert f"{external / 'weights.bin'} is only a Git LFS pointer" in said
    assert "git lfs pull" in said
    monkeypatch.chdir(tmp_path / folder)
    assert "weights.bin is only a Git LFS pointer" in refusal("model.onnx")
    os.truncate(external / "weights.bin", 20)
    assert "needs 4800 bytes of it, and it has 20" in refusal(path)


def with_location(data: bytes, place: str) -> bytes:
    """The model, with its weights looked for elsewhere."""
    proto = onnx.load_from_string(data)
    proto.graph.initializer[0].external_data[0].value = place
    return proto.SerializeToString()


def test_an_absolute_path_of_weights_is_refused_where_onnxruntime_does(external):
    path = external / "model.onnx"
    path.write_bytes(with_location(path.read_bytes(), str(external / "weights.bin")))
    try:
        native = onnxruntime.InferenceSession(path)
    except Exception:
        for source in (path, path.read_bytes()):
            assert "the weights w are in another file" in (said := refusal(source, trust=True))
            assert "by an absolute path" in said
    else:
        assert_as_native(mlup.load(path, trust=True), native)


def test_truncated_weights_are_named(external):
    weights = (external / "weights.bin").read_bytes()
    (external / "weights.bin").write_bytes(weights[:20])
    said = refusal(external / "model.onnx")
    assert "'w' needs 48 bytes of it, and it has 20" in said


def test_weights_outside_the_folder_are_refused_where_onnxruntime_does(external):
    version = tuple(map(int, onnxruntime.__version__.split(".")[:2]))
    if version < (1, 24):
        pytest.skip("onnxruntime before 1.24 follows the model wherever it points")
    (external / "weights.bin").rename(external.parent / "weights.bin")
    path = external / "model.onnx"
    path.write_bytes(with_location(path.read_bytes(), "../weights.bin"))
    assert "outside the model's folder" in refusal(path, trust=True)


def test_a_name_of_the_other_format_and_options_of_ones_own_and_weights_elsewhere(external):
    """The one case that is left: onnxruntime goes by the name, or by an option that is not ours."""
    path = external / "model.ort"
    (external / "model.onnx").rename(path)
    options = onnxruntime.SessionOptions()
    said = refusal(path, sess_options=options)
    assert "rename it to end in .onnx" in said
    assert "add_session_config_entry('session.load_model_format', 'ONNX')" in said
    options.add_session_config_entry("session.load_model_format", "ONNX")
    assert_weights_are_found(mlup.load(path, options={"sess_options": options}))


# -- refusing -----------------------------------------------------------------------------------


def test_an_ir_version_of_the_future_is_claimed_and_refused_with_what_is_read():
    for version in (99, 127):
        data = model(ir=version).SerializeToString()
        assert claimed(data) == 0.95
        said = refusal(data)
        assert f"it has ONNX IR version {version}, and onnxruntime" in said
        assert "pip install --upgrade onnxruntime" in said


@pytest.mark.parametrize("domain", ["", "ai.onnx.ml"])
def test_an_opset_of_the_future_is_refused_with_what_there_is(domain):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    opsets = [each for each in opsets if each.domain != domain] + [helper.make_opsetid(domain, 99)]
    said = refusal(model(opset_imports=opsets).SerializeToString())
    assert f"it needs opset 99 of {domain or 'ai.onnx'}, and onnxruntime" in said
    assert "pip install --upgrade onnxruntime" in said


@pytest.mark.parametrize(
    ("domain", "advice"),
    [
        ("com.acme", "register_custom_ops_library"),
        ("ai.onnx.contrib", "pip install onnxruntime-extensions"),
        ("com.microsoft", "pip install --upgrade onnxruntime"),
    ],
)
def test_an_operator_of_somebody_elses_is_named(domain, advice):
    data = model(
        [helper.make_node("Sharpen", ["x"], ["y"], domain=domain)],
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)],
    ).SerializeToString()
    said = refusal(data)
    assert "Sharpen" in said
    assert domain in said
    assert advice in said


def test_an_operator_that_its_opset_lacks_is_named():
    said = refusal(model([helper.make_node("Sharpen", ["x"], ["y"])]).SerializeToString())
    assert "its operator Sharpen is not in opset 17" in said


def test_a_domain_that_is_not_imported_is_named():
    data = model([helper.make_node("Sharpen", ["x"], ["y"], domain="com.acme")]).SerializeToString()
    assert "its operator Sharpen is of 'com.acme'" in refusal(data)


def test_an_operator_without_a_kernel_is_named():
    double = TensorProto.BFLOAT16
    data = model(
        [helper.make_node("Conv", ["x", "k"], ["y"])],
        [tensor("x", 1, 1, 4, 4, kind=double), tensor("k", 1, 1, 4, 4, kind=double)],
        [tensor("y", 1, 1, 1, 1, kind=double)],
        opset=21,
        ir=10,
    ).SerializeToString()
    try:
        onnxruntime.InferenceSession(data)
    except Exception:
        said = refusal(data)
        assert "Conv" in said
    else:
        pytest.skip("this onnxruntime has it")


def test_an_ort_format_of_the_future_is_named(files):
    data = files["matrix product, ORT format"]
    at = data.rindex(b"\x01\x00\x00\x00") + 4
    said = refusal(data[:at] + b"9" + data[at + 1 :])
    assert "it has ORT format version 9, which onnxruntime" in said


@pytest.mark.parametrize("where", ["path", "bytes"])
def test_a_damaged_model_is_refused(tmp_path, files, where):
    path = tmp_path / "model.onnx"
    for name in ("classifier", "matrix product, ORT format"):
        data = bytearray(files[name])
        middle = len(data) // 2
        data[middle : middle + 40] = b"\xff" * 40
        path.write_bytes(data)
        source = path if where == "path" else bytes(data)
        said = refusal(source, "onnx")
        assert "was not loaded by onnx: it is no whole ONNX model" in said


@pytest.mark.parametrize("data", [b"", b"no model", b"PK\x03\x04", bytes(900)])
def test_what_is_no_model_is_refused_when_onnx_is_named(tmp_path, data):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    assert refusal(path, "onnx").startswith(f"{path} was not loaded by onnx: ")


def test_a_folder_is_nobodys(tmp_path):
    (tmp_path / "model.onnx").write_bytes(MODELS["classifier"])
    assert claimed(tmp_path) is None
    with pytest.raises(mlup.ModelLoadError):
        mlup.load(tmp_path, "onnx")


def test_a_model_is_not_changed_by_loading_it(tmp_path):
    path = tmp_path / "model.ort"
    path.write_bytes(MODELS["classifier"])
    shutil.copy(path, tmp_path / "copy")
    options = onnxruntime.SessionOptions()
    mlup.load(path, options={"sess_options": options})
    assert path.read_bytes() == (tmp_path / "copy").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["copy", "model.ort"]
