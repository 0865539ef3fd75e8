"""Names of the safe lists, with arguments and states that no model has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attacks.assembler import Built, Call, Code, New, Ref, code, pickled, stream
from attacks.case import ANY, REFUSED, UNSAFE, Case

_DTYPE, _NDARRAY = Ref("numpy", "dtype"), Ref("numpy", "ndarray")
_RECONSTRUCT = Ref("numpy._core.multiarray", "_reconstruct")
_SCALAR = Ref("numpy._core.multiarray", "scalar")
_FROMBUFFER = Ref("numpy._core.numeric", "_frombuffer")
_RECONSTRUCTOR = Ref("copyreg", "_reconstructor")
_TREE = Ref("sklearn.tree._tree", "Tree")
_NONE = (None, None, None, -1, -1)


def _dtype(name: str, order: str = "|", flags: int = 63, *parts: object) -> Built:
    return Built(Call(_DTYPE, name, False, True), (3, order, *(parts or _NONE), flags))


def _array(shape: tuple[int, ...], dtype: object, data: object, fortran: bool = False) -> Built:
    return Built(Call(_RECONSTRUCT, _NDARRAY, (0,), b"b"), (1, shape, dtype, fortran, data))


_F8 = _dtype("f8", "<", 0)
_O = _dtype("O8")
_OVERLAP = _dtype("V8", "|", 27, None, ("a", "b"), {"a": (_O, 0), "b": (_F8, 0)}, 8, 1)


def _numpy() -> dict[str, tuple[object, str]]:
    return {
        # the dtype that the process shares: its byte order would change everywhere
        "dtype_singleton_by_one_argument": (Built(Call(_DTYPE, "f8"), (3, ">", *_NONE, 0)), ANY),
        "dtype_singleton_without_a_copy": (
            Built(Call(_DTYPE, "f8", False, False), (3, ">", *_NONE, 0)), ANY,
        ),
        "dtype_singleton_of_a_dtype": (
            Built(Call(_DTYPE, Call(_DTYPE, "f8"), False, False), (3, ">", *_NONE, 0)), ANY,
        ),
        "dtype_singleton_of_an_array": (
            Built(Call(_DTYPE, "i8"), (3, ">", *_NONE, 0)), ANY,
        ),
        "dtype_singleton_of_a_class": (
            Built(Call(_DTYPE, Ref("numpy", "float64")), (3, ">", *_NONE, 0)), ANY,
        ),
        "dtype_singleton_by_newobj": (
            Built(New(_DTYPE, "f8"), (3, ">", *_NONE, 0)), ANY,
        ),
        "dtype_singleton_with_a_true_text": (
            Built(Call(_DTYPE, "f8", "", ""), (3, ">", *_NONE, 0)), ANY,
        ),
        # objects made of bytes: pointers of the attacker's choice
        "object_dtype_without_its_flags": (
            _array((1,), _dtype("O8", "|", 0), b"\x41" * 8), REFUSED,
        ),
        "object_dtype_over_bytes": (_array((1,), _O, b"\x41" * 8), REFUSED),
        "object_dtype_over_a_text": (_array((1,), _O, "AAAAAAAA"), REFUSED),
        "object_dtype_over_a_tuple": (_array((1,), _O, (1,)), ANY),
        "object_inside_a_structure_over_bytes": (_array((1,), _OVERLAP, b"\x41" * 8), REFUSED),
        "object_overlapped_by_numbers": (_array((1,), _OVERLAP, [(None, 1.0)]), REFUSED),
        "object_past_the_end_of_a_structure": (
            _array((1,), _dtype("V8", "|", 27, None, ("a",), {"a": (_O, 4096)}, 8, 1), b"\x41" * 8),
            REFUSED,
        ),
        "object_at_a_negative_offset": (
            _array((1,), _dtype("V8", "|", 27, None, ("a",), {"a": (_O, -64)}, 8, 1), b"\x41" * 8),
            REFUSED,
        ),
        "number_past_the_end_of_a_structure": (
            _array((1,), _dtype("V8", "|", 0, None, ("a",), {"a": (_F8, 1 << 20)}, 8, 1), b"\x41" * 8),
            REFUSED,
        ),
        "structure_that_is_its_own_part": (
            Code(
                code(Call(_DTYPE, "V8", False, True)) + b"q\x00"
                + b"(K\x03X\x01\0\0\0|N(X\x01\0\0\0at}X\x01\0\0\0a(h\x00K\x00tsK\x08K\x01K\x00tb"
            ),
            ANY,
        ),
        "subarray_of_objects_over_bytes": (
            _array((1,), _dtype("V8", "|", 0, (_O, (1,)), None, None, 8, 1), b"\x41" * 8), REFUSED,
        ),
        "subarray_of_a_huge_shape": (
            _array((1,), _dtype("V8", "|", 0, (_F8, (1 << 40,)), None, None, 8, 1), b"\x41" * 8),
            REFUSED,
        ),
        "dtype_with_negative_size": (_dtype("V8", "|", 0, None, None, None, -8, 1), ANY),
        "dtype_with_zero_alignment": (
            _array((1,), _dtype("V8", "|", 0, None, ("a",), {"a": (_F8, 0)}, 8, 0), b"\x41" * 8), ANY,
        ),
        "dtype_object_that_says_it_is_a_number": (
            Built(Call(_DTYPE, "f8", False, True), (3, "<", *_NONE, 63)), ANY,
        ),
        "dtype_of_a_long_list": (Call(_DTYPE, [("a", "O"), ("a", "f8")], False, True), REFUSED),
        "dtype_of_a_huge_void": (Call(_DTYPE, "V2147483647", False, True), ANY),
        "dtype_of_offsets": (
            Call(_DTYPE, {"names": ["a"], "formats": ["O"], "offsets": [2], "itemsize": 4}), REFUSED,
        ),
        "dtype_state_of_a_text": (Built(Call(_DTYPE, "f8", False, True), "x"), REFUSED),
        # sizes
        "array_data_too_short": (_array((1 << 20,), _F8, b"\0" * 8), REFUSED),
        "array_data_too_long": (_array((1,), _F8, b"\0" * 80), REFUSED),
        "array_negative_shape": (_array((-1,), _F8, b"\0" * 8), REFUSED),
        "array_overflowing_shape": (_array((1 << 62, 4), _F8, b""), REFUSED),
        "array_of_65_dimensions": (_array((1,) * 65, _F8, b"\0" * 8), REFUSED),
        "array_empty_but_huge": (_array((0, 1 << 60), _F8, b""), ANY),
        "array_state_on_a_used_array": (
            Built(_array((1,), _F8, b"\0" * 8), (1, (2,), _O, False, b"\x41" * 16)), REFUSED,
        ),
        "array_state_without_a_version": (
            Built(Call(_RECONSTRUCT, _NDARRAY, (0,), b"b"), ((1,), _O, False, b"\x41" * 8)), REFUSED,
        ),
        "reconstruct_with_an_object_dtype": (Call(_RECONSTRUCT, _NDARRAY, (1 << 10,), b"O"), ANY),
        "reconstruct_of_a_class_of_the_file": (
            Call(_RECONSTRUCT, Ref("collections", "OrderedDict"), (0,), b"b"), REFUSED,
        ),
        "reconstruct_of_a_memmap": (Call(_RECONSTRUCT, Ref("numpy", "memmap"), (0,), b"b"), ANY),
        "ndarray_newobj_with_a_buffer": (New(_NDARRAY, (1,), "O", b"\x41" * 8), REFUSED),
        "ndarray_newobj_with_strides": (
            New(_NDARRAY, (4,), "f8", b"\0" * 32, 0, (1 << 40,)), REFUSED,
        ),
        "ndarray_call_with_a_buffer": (Call(_NDARRAY, (1,), "O", b"\x41" * 8), REFUSED),
        "scalar_of_objects_from_bytes": (Call(_SCALAR, _dtype("O8", "|", 0), b"\x41" * 8), REFUSED),
        "scalar_of_a_structure_with_objects": (Call(_SCALAR, _OVERLAP, b"\x41" * 8), REFUSED),
        "scalar_short": (Call(_SCALAR, _F8, b"\0"), REFUSED),
        "scalar_of_a_text": (Call(_SCALAR, _F8, "A" * 8), ANY),
        "frombuffer_of_objects": (Call(_FROMBUFFER, b"\x41" * 8, _O, (1,), "C"), REFUSED),
        "frombuffer_of_a_huge_shape": (Call(_FROMBUFFER, b"\0" * 8, _F8, (1 << 40,), "C"), REFUSED),
    }  # fmt: skip


def _python() -> dict[str, tuple[object, str]]:
    lr = Ref("sklearn.linear_model._logistic", "LogisticRegression")
    return {
        "defaultdict_of_a_safe_class": (
            Call(Ref("collections", "defaultdict"), Ref("collections", "OrderedDict")), ANY,
        ),
        "codecs_rot13": (Call(Ref("_codecs", "encode"), "os.system", "rot13"), ANY),
        "codecs_zip": (Call(Ref("_codecs", "encode"), b"x" * 1000, "zip"), ANY),
        "codecs_bz2": (Call(Ref("_codecs", "encode"), b"x" * 1000, "bz2"), ANY),
        "codecs_uu": (Call(Ref("_codecs", "encode"), b"x" * 1000, "uu"), ANY),
        "codecs_idna": (Call(Ref("_codecs", "encode"), "a" * 100_000, "idna"), ANY),
        "codecs_punycode": (Call(Ref("_codecs", "encode"), "\u00e9\u00e8" * 2_000, "punycode"), ANY),
        "codecs_unknown": (Call(Ref("_codecs", "encode"), "x", "../../os"), REFUSED),
        "codecs_module_of_the_file": (Call(Ref("_codecs", "encode"), "x", "antigravity"), REFUSED),
        "codecs_error_handler": (Call(Ref("_codecs", "encode"), "\u20ac", "latin1", "namereplace"), ANY),
        "reconstructor_of_a_metaclass": (
            Call(_RECONSTRUCTOR, Ref("builtins", "type"), Ref("builtins", "type"), "X"), REFUSED,
        ),
        "reconstructor_of_object_with_state": (
            Call(_RECONSTRUCTOR, lr, Ref("builtins", "object"), {"a": 1}), ANY,
        ),
        "reconstructor_of_too_few": (Call(_RECONSTRUCTOR, lr), REFUSED),
        "reconstructor_of_a_text": (Call(_RECONSTRUCTOR, "x", "y", None), REFUSED),
        "newobj_of_a_function": (New(_RECONSTRUCTOR, lr), REFUSED),
        "newobj_with_arguments": (New(lr, 1, 2, 3), REFUSED),
        "newobj_of_object": (New(Ref("builtins", "object")), ANY),
        "newobj_of_type": (New(Ref("builtins", "type"), "X", (), {}), REFUSED),
        "newobj_of_a_slice": (Call(Ref("builtins", "slice"), 0, 1 << 62), ANY),
        "print_by_its_name": (Call(Ref("builtins", "print"), "x"), UNSAFE),
    }  # fmt: skip


def _models() -> dict[str, tuple[Any, str, tuple[str, ...]]]:
    """Objects of libraries whose native code believes what it is told."""
    marker = "{marker}"
    return {
        "lightgbm_booster_of_a_file": (
            Call(Ref("lightgbm.basic", "Booster"), None, None, marker), UNSAFE, (),
        ),
        "lightgbm_booster_by_obj": (
            Code(b"(" + code(Ref("lightgbm.basic", "Booster")) + code(marker) + b"o"), REFUSED, (),
        ),
        "lightgbm_dataset_of_a_file": (Call(Ref("lightgbm.basic", "Dataset"), marker), UNSAFE, ()),
        "xgboost_booster_of_a_file": (
            Call(Ref("xgboost.core", "Booster"), None, [], marker), REFUSED, (),
        ),
        "kdtree_newobj_of_another_class": (
            Call(Ref("sklearn.neighbors._kd_tree", "newObj"), Ref("builtins", "bytearray")),
            REFUSED, ("sklearn",),
        ),
        "kdtree_newobj_of_an_instance": (
            Call(Ref("sklearn.neighbors._kd_tree", "newObj"), 1), REFUSED, ("sklearn",),
        ),
        "kdtree_without_a_state": (
            Call(Ref("sklearn.neighbors._kd_tree", "newObj"), Ref("sklearn.neighbors._kd_tree", "KDTree64")),
            ANY, ("sklearn",),
        ),
        "kdtree_state_of_texts": (
            Built(
                Call(Ref("sklearn.neighbors._kd_tree", "newObj"), Ref("sklearn.neighbors._kd_tree", "KDTree64")),
                ("x",) * 12,
            ),
            REFUSED, ("sklearn",),
        ),
        "scipy_frozen_distribution_exec": (
            New(
                Ref("scipy.stats._distn_infrastructure", "rv_continuous"),
                state={
                    "name": "x", "_parse_arg_template": "{py}", "numargs": 0, "shapes": "",
                },
            ),
            UNSAFE, ("scipy",),
        ),
        "scipy_distribution_shapes": (
            New(Ref("scipy.stats._continuous_distns", "norm_gen"), state={"shapes": "x"}),
            REFUSED, ("scipy",),
        ),
        "random_generator_of_an_unknown_name": (
            Call(Ref("numpy.random._pickle", "__bit_generator_ctor"), "os.system"), REFUSED, (),
        ),
        "random_generator_of_a_class": (
            Call(Ref("numpy.random._pickle", "__bit_generator_ctor"), Ref("collections", "OrderedDict")),
            REFUSED, (),
        ),
        "random_state_of_a_bad_position": (
            Built(
                Call(Ref("numpy.random._pickle", "__randomstate_ctor"), "MT19937"),
                {"bit_generator": "MT19937", "state": {"key": [0] * 624, "pos": 1 << 40}},
            ),
            ANY, (),
        ),
        "pandas_new_block_of_nothing": (
            Call(Ref("pandas.core.internals.blocks", "new_block"), 1, 2, 3), REFUSED, ("pandas",),
        ),
    }  # fmt: skip


def _tree(**changes: Any) -> Code:
    """A fitted tree whose native arrays say something else."""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier().fit(np.arange(8.0).reshape(8, 1), [0, 1] * 4)
    _, (features, classes, outputs), state = model.tree_.__reduce__()
    nodes = state["nodes"].copy()
    for field in ("left_child", "right_child", "feature"):
        if field in changes:
            nodes[field][0] = changes[field]
    if "cycle" in changes:
        nodes["left_child"][1], nodes["right_child"][1] = 0, 0
    if "nodes" in changes:
        nodes = changes["nodes"](nodes)
    state = state | {"nodes": nodes} | changes.get("state", {})
    arguments = (
        changes.get("features", features),
        pickled(np.asarray(changes.get("classes", classes), dtype=np.intp)),
        changes.get("outputs", outputs),
    )
    return code(Built(Call(_TREE, *arguments), pickled(state)))


def _trees() -> dict[str, dict[str, Any]]:
    import numpy as np

    return {
        "left_child_past_the_end": {"left_child": 1 << 40},
        "left_child_negative": {"left_child": -7},
        "right_child_past_the_end": {"right_child": 1 << 20},
        "feature_past_the_end": {"feature": 1 << 40},
        "feature_negative": {"feature": -9},
        "cycle": {"cycle": True},
        "outputs_huge": {"outputs": 1 << 40},
        "outputs_more_than_classes": {"outputs": 64},
        "outputs_negative": {"outputs": -1},
        "outputs_zero": {"outputs": 0},
        "classes_too_few": {"classes": []},
        "classes_huge": {"classes": [1 << 40]},
        "classes_negative": {"classes": [-5]},
        "node_count_past_the_end": {"state": {"node_count": 1 << 30}},
        "node_count_negative": {"state": {"node_count": -1}},
        "values_too_short": {"state": {"values": np.zeros((1, 1, 2))}},
        "values_of_another_shape": {"state": {"values": np.zeros((1, 1, 1))}},
        "nodes_of_bytes": {"nodes": lambda nodes: np.zeros(len(nodes), "V64")},
        "nodes_of_another_order": {"nodes": lambda nodes: nodes.astype(nodes.dtype.newbyteorder())},
        "nodes_none": {"nodes": lambda nodes: nodes[:0]},
    }


def cases() -> Iterator[Case]:
    """All of these, most of them native code's business."""
    for group in (_numpy(), _python()):
        for name, (value, must) in group.items():
            yield Case(
                f"listed_{name}",
                lambda marker, value=value: stream(value, marker),  # type: ignore[misc]
                must=must,
                binarizers=("pickle", "joblib"),
                needs=("numpy", "sklearn"),
            )
    for name, (value, must, needs) in _models().items():
        yield Case(
            f"listed_{name}",
            lambda marker, value=value: stream(value, marker),  # type: ignore[misc]
            must=must,
            needs=needs,
        )
    for name, changes in _trees().items():
        swapped = name == "nodes_of_another_order"  # as from a machine of the other kind
        yield Case(
            f"listed_tree_{name}",
            lambda marker, changes=changes: stream(_tree(**changes)),  # type: ignore[misc]
            must=ANY if swapped else REFUSED,
            needs=("sklearn",),
        )
