"""Skops files made by hand: every way in which a schema may ask for a call."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from pathlib import Path

_ids = itertools.count(1)


def node(loader: str, name: str, **other: object) -> dict:
    module, _, cls = name.rpartition(".")
    return {
        "__class__": cls,
        "__module__": module,
        "__loader__": loader,
        "__id__": next(_ids),
        **other,
    }


def text(value: object) -> dict:
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def items(loader: str, *content: dict) -> dict:
    kind = {"ListNode": "list", "TupleNode": "tuple", "SetNode": "set"}[loader]
    return node(loader, f"builtins.{kind}", content=list(content))


def mapping(content: dict[str, dict], key: dict | None = None) -> dict:
    key = key or node("TypeNode", "builtins.str")
    return node(
        "DictNode",
        "builtins.dict",
        content=content,
        key_types=items("ListNode", *[key] * len(content)),
    )


def file_of(
    state: dict, members: dict[str, bytes] | None = None, protocol: object = 2, **zipped
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **zipped) as archive:
        for name, data in (members or {}).items():
            archive.writestr(name, data)
        schema = {**state, "protocol": protocol, "_skops_version": "0.16.0"}
        archive.writestr("schema.json", json.dumps(schema, indent=2))
    return stream.getvalue()


def call(marker: Path) -> dict:
    """``os.mkdir(marker)``, as a constructor with its arguments."""
    return node(
        "ConstructorFromReduceNode", "os.mkdir", content=items("TupleNode", text(str(marker)))
    )


def partial(marker: Path) -> dict:
    return node(
        "PartialNode",
        "functools.partial",
        content={
            "func": node("FunctionNode", "os.mkdir"),
            "args": items("TupleNode", text(str(marker))),
            "kwds": mapping({}),
            "namespace": text(None),
        },
    )


def key_type(marker: Path) -> dict:
    """A dict calls the types of its keys."""
    return mapping({str(marker): text(1)}, node("FunctionNode", "os.mkdir"))


def operator_call(marker: Path, name: str = "operator.call") -> dict:
    arguments = items("TupleNode", node("FunctionNode", "os.mkdir"), text(str(marker)))
    return node("OperatorFuncNode", name, attrs=arguments)


def operator_elsewhere(marker: Path) -> dict:
    """CVE-2025-54412: one module is checked, and ``operator`` used."""
    return operator_call(marker, "sklearn.linear_model._logistic.call")


def method_of_another(marker: Path) -> dict:
    """CVE-2025-54413: one class is checked, and another one's method used."""
    return node(
        "MethodNode",
        "sklearn.linear_model._logistic.LogisticRegression",
        content={"func": "mkdir", "obj": node("ObjectNode", "pathlib.Path", content=call(marker))},
    )


def method(marker: Path) -> dict:
    return node(
        "MethodNode",
        "pathlib.Path",
        content={"func": "mkdir", "obj": node("ObjectNode", "pathlib.Path")},
    )


def object_state(marker: Path) -> dict:
    name = "sklearn.linear_model._logistic.LogisticRegression"
    return node("ObjectNode", name, content=mapping({"a": call(marker)}))


def default_factory(marker: Path) -> dict:
    content = {"main": mapping({}), "default_factory": call(marker)}
    return node("DefaultDictNode", "collections.defaultdict", content=content)


def tree_arguments(marker: Path) -> dict:
    return node(
        "TreeNode",
        "sklearn.tree._tree.Tree",
        content=mapping({}),
        __reduce__={"args": items("TupleNode", call(marker))},
    )


def loss_of_another_kind(marker: Path) -> dict:
    return node(
        "LossNode",
        "os.mkdir",
        content=mapping({}),
        __reduce__={"args": items("TupleNode", text(str(marker)))},
    )


def list_of_another_kind(marker: Path) -> dict:
    return node("ListNode", "os.mkdir", content=[text(str(marker))])


CALLS = {
    "constructor": call,
    "partial": partial,
    "key type": key_type,
    "operator": operator_call,
    "operator elsewhere": operator_elsewhere,
    "method of another": method_of_another,
    "method": method,
    "state": object_state,
    "default factory": default_factory,
    "tree": tree_arguments,
    "loss": loss_of_another_kind,
    "list": list_of_another_kind,
}
