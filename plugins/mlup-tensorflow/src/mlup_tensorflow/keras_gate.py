"""What a Keras configuration names, and whether Keras may see it.

Keras builds whatever a configuration names: ``module`` and ``class_name``, wherever a mapping has them
(layers, losses, functions, what a model was compiled with). Its safe mode forbids some of it, in some
versions, in some containers (CVE-2025-1550, 8747, 9905, 9906, 12058; CVE-2026-1462). Here everything that
is not in :mod:`mlup_tensorflow.keras_names`, given or registered by the caller is refused, before.

Sources: ``keras/src/saving/serialization_lib.py``, ``keras/src/legacy/saving/serialization.py`` and
``json_utils.py``, ``keras/src/layers/core/lambda_layer.py``, and the same of Keras 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from mlup_tensorflow.configurations import mappings
from mlup_tensorflow.keras_names import Names, names, normal

LAMBDA: Final = "keras.layers.Lambda"
"""The name for all code of Python in a file: who allows this layer lets the file run anything."""

CALL: Final = "call"
REFERENCE: Final = "reference"

_DATA: Final = {
    "__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__",
}  # fmt: skip
_DATA_IN_HDF5: Final = {"TensorShape", "TypeSpec", "CompositeTensor"}
_SPECS: Final = {"TensorSpec", "RaggedTensorSpec", "SparseTensorSpec", "IndexedSlicesSpec"}
_SPEC_MODULE: Final = re.compile(
    r"tensorflow\.python\.(framework|ops\.ragged)\."
    r"(tensor|tensor_spec|sparse_tensor|ragged_tensor|indexed_slices)"
)
_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_OPERATION_LAYERS: Final = {"TFOpLambda", "SlicingOpLambda"}
_PATHS: Final = {
    "vocabulary", "vocabulary_file", "vocab_file", "filepath", "file_path", "filename", "url", "origin",
}  # fmt: skip
"""Arguments of Keras's classes that may be a path: text there is one."""

_LOOKED_UP_IN: Final = (
    "activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers",
)  # fmt: skip

Known = Callable[[str], object]


class Named(NamedTuple):
    """One class or function that a configuration names.

    Attributes:
        module: where it would be imported from; ``""``: Keras is to find it by its name.
        name: its name there.
        role: ``"call"`` for a class, ``"reference"`` for a function.
        wrong: why it is refused; ``None``: it is safe, or the caller's own.
        key: what it is registered as; under this it can be given in ``custom_objects``.
    """

    module: str
    name: str
    role: str
    wrong: str | None = None
    key: str = ""

    @property
    def full(self) -> str:
        """As ``allow`` takes it."""
        return f"{self.module}.{self.name}" if self.module else self.name

    @property
    def can_be_allowed(self) -> bool:
        """Whether it says where it is from, in a name that is one."""
        return (
            bool(self.module)
            and self.module != "builtins"
            and _NAME.fullmatch(self.full) is not None
        )


def named(configurations: Iterable[Any], known: Known) -> list[Named]:
    """Everything that configurations name, each once, in the order of its appearance.

    Args:
        configurations: JSON values.
        known: whether the caller has given or registered an object of this name.
    """
    found: dict[Named, None] = {}
    for each in configurations:
        for value in mappings(each):
            found.update(dict.fromkeys(_of(value, known, names())))
    return list(found)


def _of(value: dict[str, Any], known: Known, safe: Names) -> Iterator[Named]:
    if any(key.endswith("_type") and each in ("lambda", "raw") for key, each in _texts(value)):
        yield _code()  # as Keras 2 writes it
    if "class_name" not in value:
        return
    name, module = value["class_name"], value.get("module")
    if not isinstance(name, str) or not isinstance(module, (str, type(None))):
        yield Named("", repr(name)[:100], CALL, "is no name")
    elif name == "__lambda__":
        yield _code()
    elif name in _DATA or (name in _DATA_IN_HDF5 and "module" not in value):
        return
    elif name == "__typespec__":
        yield _spec(module, value.get("spec_name"))
    elif name == "function":
        yield _function(value.get("config"), module, known, safe)
    else:
        yield from _class(value, name, module, known, safe)


def _class(
    value: dict[str, Any], name: str, module: str | None, known: Known, safe: Names
) -> Iterator[Named]:
    key = value.get("registered_name", name)
    config = value.get("config")
    if (isinstance(key, str) and known(key)) or (module is None and known(name)):
        return  # whatever the file says of it: Keras takes the caller's
    key = key if isinstance(key, str) else name
    if name == "Lambda" and (module is None or normal(module).startswith("keras.")):
        if not _is_known_function(config, known):
            yield _code()._replace(module=module or "keras.layers")
        return
    if module is None:
        short = name.removeprefix("Custom>")
        if short in safe.left_out:
            yield Named("keras.layers", short, CALL, "is not safe to make from a file", key)
            return
        wrong = None if short in safe.short else "is not Keras's own, nor registered, nor given"
        yield Named("keras" if wrong is None else "", name, CALL, wrong, key)
    else:
        wrong = None if f"{normal(module)}.{name}" in safe.classes else "is not on the safe list"
        yield Named(module, name, CALL, wrong, key)
    if isinstance(config, dict) and wrong is None:
        if name in _OPERATION_LAYERS:
            yield _operation(config.get("function"), safe)
        for path in _PATHS & config.keys():
            if isinstance(config[path], str):
                yield Named(
                    module or "keras.layers", name, CALL, f"would read {config[path][:200]!r}", key
                )


def _function(name: object, module: str | None, known: Known, safe: Names) -> Named:
    if not isinstance(name, str):
        return Named("", repr(name)[:100], REFERENCE, "is no name")
    if known(name):
        return Named("", name, REFERENCE, None, name)
    if module in (None, "builtins"):  # how Keras writes what it looks up among its own
        own = any(f"keras.{part}.{name}" in safe.functions for part in _LOOKED_UP_IN)
        wrong = None if own else "is not Keras's own, nor registered, nor given"
        if own or module is None:
            return Named("keras" if own else "", name, REFERENCE, wrong, name)
    else:
        listed = f"{normal(module)}.{name}" in safe.functions
        wrong = None if listed else "is not on the safe list"
    return Named(module or "", name, REFERENCE, wrong, name)


def _spec(module: str | None, name: object) -> Named:
    fine = name in _SPECS and _SPEC_MODULE.fullmatch(module or "")
    return Named(module or "", str(name)[:100], CALL, None if fine else "is not on the safe list")


def _operation(function: object, safe: Names) -> Named:
    wrong = None if function in safe.operations else "is no operation on tensors"
    return Named("tensorflow", str(function)[:100], REFERENCE, wrong)


def _code() -> Named:
    return Named("keras.layers", "Lambda", CALL, "holds a Python lambda, which is code")


def _is_known_function(config: object, known: Known) -> bool:
    """Whether a Lambda layer only calls a function of the caller's own."""
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "function":
        function = function.get("config")
    return isinstance(function, str) and bool(known(function))


def _texts(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((key, each) for key, each in value.items() if isinstance(each, str))
