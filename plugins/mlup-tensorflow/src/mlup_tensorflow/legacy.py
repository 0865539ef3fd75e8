"""Files of Keras 2 that Keras 3 refuses: loaded by ``tf_keras``, where that is safe to ask.

``tf_keras`` 2.21 has no safe mode for HDF5: it runs the bytecode in Lambda layers and in wrappers of
RNN cells. For archives it has one, but imports whatever module a configuration names. What Keras 3
refuses for such a reason must not be run here, so the configuration is read first.
"""

from __future__ import annotations

import builtins
import re
from typing import Any, Final

from mlup_tensorflow.configurations import configurations, mappings
from mlup_tensorflow.keras_path import KerasPath
from mlup_tensorflow.refusals import Refusal, brief, generation, how_to_give, quoted

_FUNCTIONS: Final = "activations|constraints|initializers|losses|metrics|regularizers"
_FUNCTION_MODULE: Final = re.compile(rf"(tf_)?keras\.({_FUNCTIONS})")
_CLASS_MODULE: Final = re.compile(
    r"(tf_)?keras(\.src(?=\.))?"
    rf"(\.({_FUNCTIONS}|engine|layers|mixed_precision|models|optimizers)(\.\w+)*)?"
)
_PUBLIC: Final = re.compile(r"[A-Za-z]\w*")
_OPERATIONS: Final = re.compile(
    r"(compat\.v1\.)?((__operators__|bitwise|dtypes|image|linalg|math|nn|quantization|ragged|random|"
    r"sets|signal|sparse|strings)\.)?\w+"
)


def may_help(refusal: Refusal) -> bool:
    """Whether Keras 3 refused a whole file of Keras 2, and not for the code in it."""
    if generation(refusal.keras) < 3 or refusal.at.kind == "folder":
        return False
    saved_by = refusal.at.saved_by()
    if saved_by is None:  # an archive always says; HDF5 of the first Keras does not
        old = refusal.at.kind == "hdf5"
    else:
        old = generation(saved_by) < 3
    return old and refusal.code() is None and refusal.damage() is None


def load(refusal: Refusal, options: dict[str, Any]) -> object:
    """The model, of ``tf_keras``.

    Raises:
        ModelBinarizationError: ``tf_keras`` is not installed, refuses it too, or is not asked.
    """
    written = f"it was saved by Keras {refusal.at.saved_by() or '2 or older'}"
    refused = f"Keras {refusal.keras} refuses it ({refusal.unknown() or brief(refusal.error)})"
    try:
        import tf_keras
    except ImportError as error:
        raise refusal.explained(
            f"{written}; {refused}, and tf_keras, which reads such files, is not to be had "
            f"({error}): pip install tf_keras"
        ) from refusal.error
    try:
        objection = _objection(refusal.at, tf_keras, options["custom_objects"])
        if objection is None:
            return tf_keras.saving.load_model(refusal.at.path, **options)
    except Exception as error:  # Keras raises every kind
        again = refusal._replace(error=error, keras=tf_keras.__version__)
        raise refusal.explained(
            f"{written}; {again.reason() or f'tf_keras refuses it ({brief(error)})'}; {refused}"
        ) from error
    raise refusal.explained(
        f"{written}; {refused}, and tf_keras is not asked, for it {objection}"
    ) from refusal.error


def _objection(at: KerasPath, tf_keras: Any, objects: dict[str, Any]) -> str | None:
    """Why ``tf_keras`` must not see a file; ``None``: all that it names is Keras's or known."""
    for value in mappings(configurations(at)):
        name, module = value.get("class_name"), value.get("module")
        if name == "__lambda__" or any(
            key.endswith("_type") and each == "lambda" for key, each in value.items()
        ):
            return "holds a Python lambda, which is code; save it with a named function instead"
        if name == "TFOpLambda" and not _OPERATIONS.fullmatch(_function_of(value)):
            function = quoted(_function_of(value))
            return f"calls {function} of TensorFlow, which is no operation on tensors"
        if name is None or (module is None and name != "__typespec__"):
            continue
        allowed = _CLASS_MODULE
        registered = value.get("registered_name") or name
        if name == "function":
            allowed = _FUNCTION_MODULE
            registered = name = value.get("config")
        if tf_keras.saving.get_registered_object(registered, objects) is not None:
            continue
        if module == "builtins" and isinstance(name, str) and not hasattr(builtins, name):
            continue  # how Keras writes the name of an activation; it is looked up there
        if not _PUBLIC.fullmatch(str(name)) or not allowed.fullmatch(str(module)):
            return (
                f"names {quoted(name)} of {quoted(module)}; import the module that registers it"
                f"{how_to_give({str(registered): str(name)})}"
            )
    return None


def _function_of(layer: dict[str, Any]) -> str:
    config = layer.get("config")
    return str(config.get("function")) if isinstance(config, dict) else ""
