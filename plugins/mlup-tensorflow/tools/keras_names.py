"""Write ``keras_names.json``: what a Keras configuration may name. Needs Keras 3 and ``tf_keras``.

    python tools/keras_names.py            # writes the file anew
    python tools/keras_names.py --check    # says what would change, and fails if anything would

Everything that a model is made of (layers, losses, metrics, optimizers, operations and the like) is
taken from the installed packages; :data:`LEFT_OUT` is what the review of their constructors and of
their ``from_config`` struck out. Only classes and functions that Keras itself defines are listed.
"""

# ruff: noqa: T201

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import keras
import tf_keras
from tensorflow.python.util import tf_export

DATA = Path(__file__).parent.parent / "src" / "mlup_tensorflow" / "keras_names.json"

LEFT_OUT = {
    "Lambda": "runs bytecode of the file",
    "TFSMLayer": "loads a SavedModel by path",
    "TorchModuleWrapper": "unpickles a torch module",
    "JaxLayer": "calls functions that it is given",
    "FlaxLayer": "calls functions that it is given",
    "KerasLayer": "loads by path or URL",
    "ClassMethod": "calls a method of TensorFlow by name",
    "InstanceMethod": "calls a method by name",
    "InstanceProperty": "reads an attribute by name",
    "TensorFlowOpLayer": "runs an operation that the configuration holds",
    "DenseFeatures": "builds feature columns, which read files",
    "SequenceFeatures": "builds feature columns, which read files",
    "LinearModel": "may build feature columns",
    "WideDeepModel": "may build feature columns",
}
"""Classes, whatever their module, and why."""

PUBLIC = [
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "optimizers",
    "optimizers.schedules",
    "optimizers.legacy",
    "quantizers",
    "random",
    "regularizers",
    "layers.experimental",
    "layers.experimental.preprocessing",
    "utils.FeatureSpace",
]
FUNCTIONS_OF = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "ops",
    "regularizers",
)
NOT_FUNCTIONS = {  # and those that call functions
    "get", "serialize", "deserialize", "custom_gradient", "associative_scan", "cond", "fori_loop", "map",
    "scan", "switch", "vectorize", "vectorized_map", "while_loop",
}  # fmt: skip
TABLES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)

NOT_OPERATIONS = re.compile(
    r"file|py_func|numpy_function|[Pp]rint|load|library|import|while|map_|scan$|fold|^case$|^cond$|rpc"
    r"|^xla_|^d_tensor|tpu|preemption|mesh|relayout|fixed_unigram"
)
"""In the names of TensorFlow's functions: on files, with Python in them, or of other functions."""

OPERATIONS_IN = [
    "__operators__",
    "audio",
    "bitwise",
    "dtypes",
    "image",
    "linalg",
    "math",
    "nn",
    "quantization",
    "ragged",
    "random",
    "sets",
    "signal",
    "sparse",
    "strings",
]


def normal(module: str) -> str:
    """One spelling for Keras 3, Keras 2 and tf_keras: ``keras.`` without ``src``."""
    module = module.removeprefix("tf_")
    return (
        "keras." + module.removeprefix("keras.src.") if module.startswith("keras.src.") else module
    )


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of its sources."""
    source = importlib.import_module(f"{package.__name__}.src")
    yield source
    for info in pkgutil.walk_packages(
        source.__path__, f"{source.__name__}.", onerror=lambda _: None
    ):
        if "test" in info.name or "_test" in info.name or ".backend." in info.name:
            continue
        try:
            yield importlib.import_module(info.name)
        except Exception as error:  # an optional dependency is missing
            print(f"{info.name}: {error!r}"[:150], file=sys.stderr)


def bases(package: ModuleType) -> tuple[type, ...]:
    """What the objects of a model are instances of."""
    found: list[Any] = [
        package.layers.Layer, package.losses.Loss, package.metrics.Metric,
        package.optimizers.Optimizer, package.optimizers.schedules.LearningRateSchedule,
        package.initializers.Initializer, package.constraints.Constraint,
        package.regularizers.Regularizer,
    ]  # fmt: skip
    if package is keras:
        from keras.src.quantizers.quantization_config import QuantizationConfig

        found += [
            keras.Operation, keras.DTypePolicy, keras.quantizers.Quantizer, QuantizationConfig,
            keras.dtype_policies.DTypePolicyMap, keras.random.SeedGenerator,
        ]  # fmt: skip
    else:
        from tf_keras.src.engine.input_spec import InputSpec
        from tf_keras.src.layers.rnn.abstract_rnn_cell import AbstractRNNCell

        found += [
            InputSpec, AbstractRNNCell, tf_keras.mixed_precision.Policy,
            tf_keras.optimizers.legacy.Optimizer, tf_keras.mixed_precision.LossScaleOptimizer,
        ]  # fmt: skip
    return tuple(found)


def names_of(package: ModuleType) -> tuple[set[str], set[str], set[str]]:
    """(classes, functions, names without a module) that its configurations may hold."""
    roots = bases(package)
    classes: dict[type, set[str]] = {}
    functions: set[str] = set()
    short: set[str] = set()
    own = (f"{package.__name__}.src", "keras.src")
    for module in modules_of(package):
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and issubclass(value, roots)
                and value.__module__.startswith(own)
                and value.__name__ not in LEFT_OUT
            ):
                names = classes.setdefault(value, set())
                names.add(f"{normal(value.__module__)}.{value.__name__}")
                paths = getattr(value, "_api_export_path", None)
                names.update([paths] if isinstance(paths, str) else paths or ())
                names.update(getattr(value, "_keras_api_names", ()))
                names.update(getattr(value, "_keras_api_names_v1", ()))
    for public in PUBLIC:
        module = package
        for part in public.split("."):
            module = getattr(module, part, None)
        for name, value in vars(module).items() if isinstance(module, ModuleType) else ():
            if value.__hash__ and value in classes:
                classes[value].add(f"keras.{public}.{name}")
    for part in FUNCTIONS_OF:
        for name, value in vars(getattr(package, part, None) or ModuleType("none")).items():
            if (
                isinstance(value, FunctionType)
                and value.__module__.startswith(own)
                and name not in NOT_FUNCTIONS
                and not name.startswith("_")
            ):
                functions.add(f"keras.{part}.{name}")
    names = {each for found in classes.values() for each in found if each.startswith("keras.")}
    short |= {each.rpartition(".")[2] for each in names}
    for part in TABLES:
        table = getattr(
            importlib.import_module(f"{package.__name__}.src.{part}"), "ALL_OBJECTS_DICT", {}
        )
        for name, value in table.items():
            if value in classes:
                short.add(name)
            elif isinstance(value, FunctionType) and value.__module__.startswith(own):
                functions.add(f"keras.{part}.{name}")
    return names, functions, short


def operations() -> set[str]:
    """TensorFlow's functions on tensors, as ``TFOpLambda`` names them."""
    found = set()
    for name, value in tf_export._NAME_TO_SYMBOL_MAPPING.items():
        where, _, last = name.removeprefix("compat.v1.").rpartition(".")
        if (
            hasattr(value, "_tf_fallback_dispatchers")  # others become no such layer
            and where in ("", *OPERATIONS_IN)
            and not NOT_OPERATIONS.search(last)
        ):
            found.add(name)
    return found


def grouped(names: set[str]) -> dict[str, list[str]]:
    """Names by their module."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        module, _, last = name.rpartition(".")
        groups.setdefault(module, []).append(last)
    return groups


def main() -> int:
    """Write the file, or check it."""
    warnings.simplefilter("ignore")
    kinds = [names_of(package) for package in (keras, tf_keras)]
    classes, functions, short = (set().union(*each) for each in zip(*kinds, strict=True))
    data = {
        "generated_with": {"keras": keras.__version__, "tf_keras": tf_keras.__version__},
        "classes": grouped(classes),
        "functions": grouped(functions),
        "without_module": sorted(short - {each.rpartition(".")[2] for each in classes}),
        "left_out": sorted(LEFT_OUT),
        "tensorflow": sorted(operations()),
    }
    text = json.dumps(data, indent=1) + "\n"
    if "--check" in sys.argv:
        same = DATA.read_text() == text
        print("up to date" if same else "keras_names.json differs from what would be written")
        return 0 if same else 1
    DATA.write_text(text)
    print({key: len(value) for key, value in data.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
