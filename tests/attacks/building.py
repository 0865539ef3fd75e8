"""State that changes classes, plants methods, or is given to what is no container."""

from __future__ import annotations

from collections.abc import Iterator

from attacks.assembler import APPEND, BUILD, Built, Call, Code, New, Ref, code, filled, stream, text
from attacks.case import ANY, REFUSED, Case

_EVAL = Ref("builtins", "eval")
_LR = Ref("sklearn.linear_model._logistic", "LogisticRegression")
_PIPELINE = Ref("sklearn.pipeline", "Pipeline")
_ORDERED = Ref("collections", "OrderedDict")
_RECONSTRUCTOR = Ref("copyreg", "_reconstructor")
_SCALAR = Ref("numpy._core.multiarray", "scalar")
_NDARRAY = Ref("numpy", "ndarray")

# Nothing but names that ordinary models use: what is refused is what is done with them.
UNNAMED: dict[str, object] = {
    "class_slot_state": Built(_LR, (None, {"predict": _ORDERED, "max_iter": 1})),
    "class_slot_state_of_data": Built(_LR, (None, {"coef_": [1.0]})),
    "class_dict_state": Built(_LR, {"predict": 1}),
    "class_both_states": Built(_LR, ({"a": 1}, {"predict": 1})),
    "class_setstate_planted": Built(_LR, (None, {"__setstate__": _ORDERED})),
    "class_bases": Built(_LR, (None, {"__bases__": (_PIPELINE,)})),
    "class_name": Built(_LR, (None, {"__module__": "os", "__qualname__": "system"})),
    "ordereddict_class": Built(_ORDERED, (None, {"update": _LR})),
    "pipeline_class_then_use": New(
        _PIPELINE, state=Built(_PIPELINE, (None, {"__setstate__": _ORDERED}))
    ),
    "builtin_class": Built(Ref("builtins", "set"), (None, {"add": 1})),
    "builtin_function": Built(_SCALAR, (None, {"x": 1})),
    "function_slot_state": Built(_RECONSTRUCTOR, (None, {"__defaults__": (1, 2, 3)})),
    "function_dict_state": Built(_RECONSTRUCTOR, {"x": 1}),
    "function_code": Built(_RECONSTRUCTOR, (None, {"__kwdefaults__": {}})),
    "ndarray_class": Built(_NDARRAY, (None, {"x": 1})),
    "dtype_class": Built(Ref("numpy", "dtype"), (None, {"x": 1})),
    "a_class_from_the_memo": Code(
        code(_LR) + b"q\x000" + b"h\x00" + code((None, {"a": 1})) + BUILD
    ),
    "a_class_from_a_list": Code(
        code([_LR]) + b"0" + code(_LR) + b"2" + code((None, {"a": 1})) + BUILD
    ),
    "a_text": Built("x", {"a": 1}),
    "none": Built(None, {"a": 1}),
    "a_number": Built(1, (None, {"real": 2})),
    "a_tuple": Built((1,), (None, {"count": 2})),
    "class_of_an_instance": New(_LR, state=(None, {"__class__": _PIPELINE})),
    "dict_of_an_instance": New(_LR, state=(None, {"__dict__": {"a": 1}})),
    "state_that_is_a_text": New(_PIPELINE, state="x"),
    "slot_state_that_is_a_list": New(_PIPELINE, state=(None, [("a", 1)])),
    "setstate_in_the_dict": Code(
        code(New(_PIPELINE, state={"__setstate__": _ORDERED})) + code({"a": 1}) + BUILD
    ),
    "setstate_by_slot": Code(
        code(New(_PIPELINE, state=(None, {"__setstate__": _ORDERED}))) + code({"a": 1}) + BUILD
    ),
    "append_planted": Code(code(New(_LR, state={"append": _ORDERED})) + b"]" + APPEND),
    "extend_planted": Code(code(New(_LR, state={"extend": _ORDERED})) + b"(]e"),
    "append_for_appends_planted": Code(code(New(_LR, state={"append": _ORDERED})) + b"(]e"),
    "add_planted": Code(code(New(_LR, state={"add": _ORDERED})) + b"(]\x90"),
    "setitem_planted": Code(code(New(_LR, state={"__setitem__": _ORDERED})) + b"N]s"),
    "setitems_planted": Code(code(New(_LR, state={"__setitem__": _ORDERED})) + b"(N]u"),
    "append_on_a_pipeline": Code(code(New(_PIPELINE, state={"steps": []})) + b"NNs"),
    "setitem_on_a_list": Code(b"]N0](K\x01a" + b"K\x00K\x02s"),
    "append_on_a_dict": Code(b"}K\x01a"),
    "append_on_a_text": Code(text("x") + text("y") + APPEND),
    "append_on_a_class": Code(code(Ref("builtins", "list")) + b"K\x01a"),
    "setitem_on_a_class": Code(code(Ref("builtins", "dict")) + b"K\x01K\x02s"),
    "additems_on_a_list": Code(b"](K\x01\x90"),
    "additems_on_a_frozenset": Code(b"(\x91(K\x01\x90"),
    "additems_on_a_class": Code(code(Ref("builtins", "set")) + b"(K\x01\x90"),
    "setitems_on_an_odd_number": Code(b"}(K\x01u"),
}

# The same with a name that runs what it is given: the mechanism is real.
NAMED: dict[str, Code] = {
    "setstate_in_the_dict": Code(
        code(New(Ref("types", "SimpleNamespace"), state={"__setstate__": _EVAL})) + b"{py}" + BUILD
    ),
    "setstate_of_a_class": Code(
        code(Built(Ref("argparse", "Namespace"), (None, {"__setstate__": _EVAL}))) + b"0"
    ),
    "append_planted": Code(
        code(New(Ref("argparse", "Namespace"), state={"append": _EVAL})) + b"{py}" + APPEND
    ),
    "extend_planted": Code(
        code(New(Ref("argparse", "Namespace"), state={"extend": Ref("subprocess", "call")}))
        + b"("
        + text("touch")
        + b"{marker}e"
    ),
    "appends_planted": Code(
        code(New(Ref("argparse", "Namespace"), state={"append": _EVAL})) + b"({py}e"
    ),
    "add_planted": Code(
        code(New(Ref("argparse", "Namespace"), state={"add": _EVAL})) + b"({py}\x90"
    ),
    "setitem_of_a_class": Code(
        code(Built(Ref("argparse", "Namespace"), (None, {"__setstate__": _EVAL})))
        + b"0"
        + code(Ref("argparse", "Namespace"))
        + b")\x81{py}b"
    ),
}


def cases() -> Iterator[Case]:
    """Both tables."""
    for name, value in UNNAMED.items():
        yield Case(
            f"build_{name}",
            lambda marker, value=value: stream(value, marker),  # type: ignore[misc]
            must=REFUSED,
            binarizers=("pickle", "joblib"),
            needs=("sklearn",),
        )
    for name, value in NAMED.items():
        yield Case(
            f"build_{name}_of_eval",
            lambda marker, value=value: stream(  # type: ignore[misc]
                Code(
                    value.replace(b"{py}", text(filled("{py}", marker))).replace(
                        b"{marker}", text(marker)
                    )
                )
            ),
            names=(
                "builtins.eval",
                "subprocess.call",
                "argparse.Namespace",
                "types.SimpleNamespace",
            ),
            runs="pickle" if name.startswith(("append", "extend", "add", "setitem")) else None,
        )
    for name, value in {
        "dunder_class_in_the_dict": New(_LR, state={"__class__": _PIPELINE}),
        "dunder_names_in_the_dict": New(_LR, state={"__reduce__": 1, "__init__": _ORDERED}),
        "reconstructor_with_a_dict": Call(_RECONSTRUCTOR, _LR, Ref("builtins", "dict"), {}),
        "reconstructor_with_a_class": Call(_RECONSTRUCTOR, _LR, _PIPELINE, {}),
        "reconstructor_with_a_list": Call(_RECONSTRUCTOR, Ref("builtins", "list"), Ref("builtins", "list"), [1]),
        "ordereddict_state": New(_ORDERED, state={"update": _LR, "__setitem__": _LR}),
        "self_as_state": Code(code(_LR) + b")\x81q\x00h\x00b"),
        "self_in_the_state": Code(code(_LR) + b")\x81q\x00}Vme\nh\x00sb"),
        "names_that_are_no_text": Code(code(_LR) + b")\x81}K\x01K\x02sb"),
        "keys_that_are_none": Code(code(_LR) + b")\x81}NNsb"),
        "property_of_an_estimator": New(_PIPELINE, state=(None, {"named_steps": 1})),
        "method_of_an_estimator": New(_LR, state=(None, {"predict": _ORDERED})),
    }.items():  # fmt: skip
        yield Case(
            f"build_{name}",
            lambda marker, value=value: stream(value, marker),  # type: ignore[misc]
            must=ANY,
            needs=("sklearn",),
        )
