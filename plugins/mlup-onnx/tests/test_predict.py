"""``predict``: whatever shape the data come in, it is what ``InferenceSession.run`` gives for them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DictionaryType, FloatTensorType, StringTensorType
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

import mlup
from mlup.errors import PredictError, PredictTransformDataError

X = np.random.default_rng(8).normal(size=(9, 4)).astype(np.float32)
NUMBERS = {
    "float": np.float32,
    "double": np.float64,
    "float16": np.float16,
    "bool": np.bool_,
    **{
        f"{sign}int{bits}": np.dtype(f"{sign}int{bits}").type
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}


def tensor(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def load(nodes, inputs, outputs, binarizer="onnx", *, weights=(), opset=17, ir=8):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", opset)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
    return mlup.load(proto.SerializeToString(), binarizer)


def same(kind: str):
    """A model that returns its input, of an element type."""
    code = {"float": 1, "double": 11, "string": 8}.get(kind) or TensorProto.DataType.Value(
        kind.upper()
    )
    return load(
        [helper.make_node("Identity", ["x"], ["y"])],
        [helper.make_tensor_value_info("x", code, None)],
        [helper.make_tensor_value_info("y", code, None)],
    )


@pytest.fixture(scope="module")
def one():
    return load(
        [helper.make_node("Neg", ["x"], ["y"])], [tensor("x", None, 4)], [tensor("y", None, 4)]
    )


@pytest.fixture(scope="module")
def three():
    """Of three inputs of their own types: a * b + c."""
    return load(
        [
            helper.make_node("Cast", ["b"], ["bf"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["c"], ["cf"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["a", "bf"], ["ab"]),
            helper.make_node("Add", ["ab", "cf"], ["y"]),
        ],
        [
            tensor("a", "n"),
            tensor("b", "n", kind=TensorProto.INT64),
            tensor("c", "n", kind=TensorProto.DOUBLE),
        ],
        [tensor("y", "n")],
    )


def two_outputs(binarizer):
    return load(
        [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Abs", ["x"], ["z"])],
        [tensor("x", None, 4)],
        [tensor("y", None, 4), tensor("z", None, 4)],
        binarizer,
    )


# -- what it returns ----------------------------------------------------------------------------


def test_one_output_is_the_list_of_it(one):
    assert isinstance(one.predict(X), list)
    (found,) = one.predict(X)
    assert np.array_equal(found, -X)


def test_of_several_outputs_the_first_is_returned_alone():
    found = two_outputs("onnx").predict(X)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, -X)


def test_full_return_is_the_list_of_all():
    found = two_outputs("onnx-full-return").predict(X)
    assert isinstance(found, list)
    assert np.array_equal(found[0], -X)
    assert np.array_equal(found[1], abs(X))
    alone = load(
        [helper.make_node("Neg", ["x"], ["y"])],
        [tensor("x", None, 4)],
        [tensor("y", None, 4)],
        "onnx-full-return",
    ).predict(X)
    assert isinstance(alone, list)
    assert len(alone) == 1


def test_a_classifier_gives_its_labels_and_in_full_its_probabilities_too():
    estimator = LogisticRegression().fit(X, list("abcabcabc"))
    data = skl2onnx.to_onnx(estimator, X[:1]).SerializeToString()
    native = onnxruntime.InferenceSession(data).run(None, {"X": X})
    assert list(mlup.load(data).predict(X)) == list(native[0]) == list(estimator.predict(X))
    labels, probabilities = mlup.load(data, "onnx-full-return").predict(X)
    assert list(labels) == list(native[0])
    assert probabilities == native[1]


# -- one input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        X,
        X.tolist(),
        tuple(map(tuple, X.tolist())),
        list(X),
        X.astype(np.float64),
        X.astype(np.float16),
        X.astype(">f4"),
        np.asfortranarray(X),
        X[::2],
        np.arange(8).reshape(2, 4),
        [[1, 2, 3, 4]],
        [[True, False, True, False]],
        np.empty((0, 4)),
    ],
    ids=lambda data: f"{type(data).__name__} {getattr(data, 'dtype', '')}",
)
def test_one_input_takes_anything_that_is_an_array_of_numbers(one, data):
    expected = one.run(None, {"x": np.ascontiguousarray(np.asarray(data), dtype=np.float32)})[0]
    for found in (one.predict(data), one.predict({"x": data})):
        assert found[0].dtype == np.float32
        assert np.array_equal(found[0], expected)


def test_a_list_of_one_or_of_four_rows_is_one_input(one):
    for rows in (1, 4):
        assert one.predict([[1.0, 2.0, 3.0, 4.0]] * rows)[0].shape == (rows, 4)


def test_an_ort_value_goes_as_it_is(one):
    (found,) = one.predict(onnxruntime.OrtValue.ortvalue_from_numpy(X))
    assert np.array_equal(found, -X)


def test_a_data_frame_is_an_array_too(one):
    pandas = pytest.importorskip("pandas")
    (found,) = one.predict(pandas.DataFrame(X.astype(np.float64)))
    assert np.array_equal(found, -X)


def test_an_array_of_the_right_type_is_not_copied():
    from mlup_onnx.element_types import converted

    (wanted,) = same("float").get_inputs()
    assert converted(X, wanted) is X


# -- several inputs -----------------------------------------------------------------------------

A, B, C = [1.5, 2.5], [3, 4], [0.25, 0.5]
EXPECTED = [4.75, 10.5]


@pytest.mark.parametrize(
    "arguments",
    [
        (A, B, C),
        ([A, B, C],),
        ((A, B, C),),
        ([np.array(A), np.array(B, np.int16), np.array(C, np.float32)],),
        ({"a": A, "b": B, "c": C},),
        ({"c": np.array(C), "b": np.array(B, np.uint8), "a": np.array(A)},),
    ],
    ids=["three", "a list", "a tuple", "a list of arrays", "a dict", "a dict of arrays"],
)
def test_several_inputs_are_given_in_order_or_by_name(three, arguments):
    (found,) = three.predict(*arguments)
    assert found.tolist() == EXPECTED


TAKES = (
    r"the model takes a: tensor\(float\) \[n\], b: tensor\(int64\) \[n\], c: tensor\(double\) \[n\]"
)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "without 'a', 'b', 'c'; "),
        ((A, B), "without 'c'; "),
        (([A, B],), "without 'c'; "),
        ((A, B, C, C), "was given 4 inputs, and "),
        (([A, B, C, C],), "was given 4 inputs, and "),
        ((np.array([A, B, C]),), "without 'b', 'c'; "),
        (({"a": A, "b": B},), "without 'c'; "),
        (({},), "without 'a', 'b', 'c'; "),
        (({"a": A, "b": B, "c": C, "d": C, 5: C},), "with the unknown 'd', 5; "),
        (({"a": A, "b": B, "C": C},), "without 'c' and with the unknown 'C'; "),
    ],
)
def test_a_wrong_call_says_what_the_model_takes(three, arguments, said):
    with pytest.raises(PredictError, match=said + TAKES):
        three.predict(*arguments)


def test_a_wrong_call_of_one_input_says_so(one):
    for arguments in ((), (X, X), ({"z": X},), ({},)):
        with pytest.raises(PredictError, match=r"x: tensor\(float\) \[\?, 4\]"):
            one.predict(*arguments)


def test_what_onnxruntime_says_of_a_shape_is_left_to_it(one):
    with pytest.raises(Exception, match="Got: 3 Expected: 4"):
        one.predict(X[:, :3])


def test_a_model_without_inputs_takes_nothing():
    constant = helper.make_node(
        "Constant", [], ["y"], value=numpy_helper.from_array(np.arange(3.0), "v")
    )
    session = load([constant], [], [tensor("y", 3, kind=TensorProto.DOUBLE)])
    assert session.predict()[0].tolist() == session.predict({})[0].tolist() == [0, 1, 2]
    with pytest.raises(PredictError, match="takes no input"):
        session.predict(X)


def test_initializers_are_optional_and_may_be_given_by_name():
    session = load(
        [helper.make_node("Mul", ["x", "scale"], ["y"])],
        [tensor("x", "n"), tensor("scale", 1)],
        [tensor("y", "n")],
        weights=[numpy_helper.from_array(np.array([2.0], np.float32), "scale")],
    )
    assert session.predict([1, 2])[0].tolist() == [2, 4]
    assert session.predict({"x": [1, 2]})[0].tolist() == [2, 4]
    assert session.predict({"x": [1, 2], "scale": [10]})[0].tolist() == [10, 20]
    with pytest.raises(PredictError, match=r"and by name also scale: tensor\(float\) \[1\]"):
        session.predict({"scale": [10]})
    with pytest.raises(PredictError, match="was given 2 inputs"):
        session.predict([1, 2], [10])


# -- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NUMBERS)
def test_every_element_type_takes_its_own_arrays_and_lists(kind):
    session = same(kind)
    dtype = NUMBERS[kind]
    for data in (np.array([[0, 1], [1, 0]], dtype), np.array([[0, 1], [1, 0]], dtype).tolist()):
        (found,) = session.predict(data)
        assert found.dtype == dtype
        assert found.tolist() == [[0, 1], [1, 0]]
    assert session.predict([])[0].dtype == dtype


@pytest.mark.parametrize(
    ("kind", "data", "given"),
    [
        ("int64", [1.0, 2.0], "float64"),
        ("int32", np.array([1.5], np.float32), "float32"),
        ("uint8", [256], "int64"),
        ("uint8", [-1], "int64"),
        ("int32", np.array([2**31]), "int64"),
        ("int64", np.array([2**63], np.uint64), "uint64"),
        ("bool", [0, 1], "int64"),
        ("bool", [0.0], "float64"),
        ("float", ["1.0"], "<U3"),
        ("float", [None], "object"),
        ("float", [1j], "complex128"),
        ("float", np.array(["2020-01-01"], "M8[D]"), "datetime64"),
        ("int64", [2**70], "object"),
        ("string", [1, 2], "int64"),
        ("string", [1.5], "float64"),
        ("string", [True], "bool"),
        ("float", np.array([1.0], np.complex64), "complex64"),
    ],
)
def test_what_would_lose_something_is_refused(kind, data, given):
    said = rf"'x' wants tensor\({kind}\); {given}.* values do not convert"
    with pytest.raises(PredictTransformDataError, match=said):
        same(kind).predict(data)


@pytest.mark.parametrize(
    ("kind", "data", "most"),
    [
        ("float", [1.0, 1e300], "3.40"),
        ("float", [[-1e300], [np.inf]], "3.40"),
        ("float", np.float64(3.5e38), "3.40"),
        ("float16", [1e9], "65"),
        ("float16", np.array([1e9], np.float32), "65"),
        ("float16", [10**9], "65"),
        ("float16", np.array([70000], np.uint32), "65"),
    ],
)
def test_what_would_become_infinite_is_refused(kind, data, most):
    said = rf"'x' wants tensor\({kind}\); some of the .* are beyond what float.* holds, {most}"
    with pytest.raises(PredictTransformDataError, match=said):
        same(kind).predict(data)


def test_what_is_infinite_or_no_number_or_too_small_stays_so(one):
    data = np.array([[np.inf, -np.inf, np.nan, 1e-300]])
    (found,) = one.predict(data)
    assert np.array_equal(found, [[-np.inf, np.inf, np.nan, 0.0]], equal_nan=True)


@pytest.mark.parametrize("kind", ["float", "double", "int64", "string"])
def test_masked_values_are_refused_and_an_array_without_any_is_taken(kind):
    data = np.ma.array(["1", "2"]) if kind == "string" else np.ma.array([1, 2], NUMBERS[kind])
    assert same(kind).predict(data)[0].tolist() == data.tolist()
    data[1] = np.ma.masked
    with pytest.raises(PredictTransformDataError, match=r"'x' wants .* masked.* x\.filled"):
        same(kind).predict(data)


@pytest.mark.parametrize("kind", ["bfloat16", "float8e4m3fn"])
def test_a_type_that_numpy_lacks_takes_an_ort_value(kind):
    code = TensorProto.DataType.Value(kind.upper())
    session = load(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)],
        [tensor("x", None, kind=code)],
        [tensor("y", None)],
        opset=19,
        ir=9,
    )
    for data in ([1.0, 2.0], np.ones(2, np.float32), np.ones(2, np.uint16)):
        with pytest.raises(PredictTransformDataError, match=r"'x' wants .* onnxruntime\.OrtValue"):
            session.predict(data)
    give = getattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type", None)
    if give is not None:
        bits = np.array([0x3F80], np.uint16) if kind == "bfloat16" else np.array([0x38], np.uint8)
        assert session.predict(give(bits, code))[0].tolist() == [1.0]


@pytest.mark.parametrize("data", [[[1.0], [1.0, 2.0]], [1.0, [2.0]]])
def test_what_is_no_array_is_refused(data):
    with pytest.raises(PredictTransformDataError, match="is no array") as caught:
        same("float").predict(data)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize(
    "data",
    [
        ["a", "bé", ""],
        np.array(["a", "bé", ""]),
        np.array(["a", "bé", ""], object),
        np.array([b"a", "bé".encode(), b""]),
    ],
    ids=["list", "str", "object", "bytes"],
)
def test_texts_are_taken(data):
    (found,) = same("string").predict(data)
    assert found.tolist() == ["a", "bé", ""]
    (found,) = same("string").predict(np.array(data).reshape(3, 1) if len(data) else data)
    assert found.tolist() == [["a"], ["bé"], [""]]


def test_texts_of_numpys_own_string_type_are_taken():
    kind = getattr(getattr(np, "dtypes", None), "StringDType", None)
    if kind is None:
        pytest.skip("numpy 1 has none")
    assert same("string").predict(np.array(["a", "bé"], kind()))[0].tolist() == ["a", "bé"]


def test_an_encoder_of_texts_predicts():
    data = np.array([["red"], ["green"], ["red"]])
    encoder = OneHotEncoder(sparse_output=False).fit(data)
    proto = skl2onnx.convert_sklearn(
        encoder, initial_types=[("colour", StringTensorType([None, 1]))]
    )
    session = mlup.load(proto.SerializeToString())
    assert np.array_equal(session.predict(data)[0], encoder.transform(data))
    assert np.array_equal(session.predict({"colour": data.tolist()})[0], encoder.transform(data))


def test_a_map_is_given_as_the_value_or_by_name():
    vectorizer = DictVectorizer(sparse=False).fit([{"a": 1.0, "b": 2.0}])
    kinds = [("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))]
    proto = skl2onnx.convert_sklearn(vectorizer, initial_types=kinds)
    session = mlup.load(proto.SerializeToString())
    for data in ({"a": 3.0, "b": 4.0}, {"x": {"a": 3.0, "b": 4.0}}):
        assert session.predict(data)[0].tolist() == [[3.0, 4.0]]
    assert session.predict({"a": 3.0, "x": 5.0})[0].tolist() == [[3.0, 0.0]]


def test_a_sequence_takes_a_list_of_what_a_tensor_takes():
    kind = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [None])
    session = load(
        [helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=0)], [kind], [tensor("y", None)]
    )
    pieces = [np.ones(2, np.float32), np.zeros(1, np.float32)]
    assert session.predict(pieces)[0].tolist() == [1, 1, 0]
    assert session.predict({"s": pieces})[0].tolist() == [1, 1, 0]
    for data in ([[1.0, 1.0], [0.0]], tuple(pieces), [np.ones(2), np.zeros(1, np.int8)]):
        assert session.predict(data)[0].tolist() == [1, 1, 0]
    for data, said in (
        (np.ones((2, 2), np.float32), "it was given ndarray. Give a list of arrays"),
        ("x", "it was given str"),
        ([["a"]], "<U1 values do not convert to float32"),
        ([[1.0, [2.0]]], "is no array"),
    ):
        with pytest.raises(PredictTransformDataError, match=rf"'s' wants seq\(.*; .*{said}"):
            session.predict(data)


def test_an_optional_input_may_be_left_out():
    float_tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["n"])
    maybe = helper.make_value_info("m", helper.make_optional_type_proto(float_tensor))
    session = load(
        [
            helper.make_node("OptionalHasElement", ["m"], ["has"]),
            helper.make_node("Cast", ["has"], ["hasf"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["x", "hasf"], ["y"]),
        ],
        [tensor("x", "n"), maybe],
        [tensor("y", "n")],
        opset=18,
    )
    data = np.array([1.0, 2.0], np.float32)
    for arguments in ((data, data), ({"x": data, "m": data},)):
        assert session.predict(*arguments)[0].tolist() == [2, 3]
    for arguments in (([1, 2],), ({"x": data},), (data, None), ({"x": data, "m": None},)):
        assert session.predict(*arguments)[0].tolist() == [1, 2]
    with pytest.raises(PredictError, match="without 'x'"):
        session.predict({"m": data})


SETTINGS = settings(max_examples=150, deadline=2000, database=None)
SESSIONS = {}


@SETTINGS
@given(
    kind=st.sampled_from(sorted(NUMBERS)),
    data=arrays.arrays(
        st.sampled_from(sorted(NUMBERS)).map(lambda name: np.dtype(NUMBERS[name])),
        arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
        elements=None,
    ),
)
def test_numbers_come_through_equal_or_are_refused(kind, data):
    """Integers and truth values exactly, floats as numpy rounds them, and none to infinity."""
    if kind not in SESSIONS:
        SESSIONS[kind] = same(kind)
    dtype = np.dtype(NUMBERS[kind])
    exact = dtype.kind in "iub"
    with np.errstate(over="ignore", invalid="ignore"):
        expected = data.astype(dtype)
    infinite = not exact and bool((np.isinf(expected) & ~np.isinf(data)).any())
    try:
        (found,) = SESSIONS[kind].predict(data)
    except PredictTransformDataError:
        assert exact or infinite
        if infinite:
            return
        assert data.dtype.kind != "b"
        if dtype.kind != "b" and data.dtype.kind != "f":
            limits = np.iinfo(dtype)
            assert any(not limits.min <= int(each) <= limits.max for each in data.flat)
        return
    assert found.dtype == dtype
    assert not infinite
    assert found.shape == data.shape
    if exact:
        assert [int(each) for each in found.flat] == [int(each) for each in data.flat]
    else:
        assert np.array_equal(found, expected, equal_nan=True)
