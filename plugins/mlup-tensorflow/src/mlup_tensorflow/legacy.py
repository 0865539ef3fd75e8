"""Files of Keras 2 that Keras 3 refuses: loaded by ``tf_keras``, where that is installed.

``tf_keras`` 2.21 has no safe mode for HDF5: it runs the bytecode in Lambda layers and in wrappers of
RNN cells. For archives it has one, but imports whatever module a configuration names. So the
configuration passes the same gate again, with what is registered with ``tf_keras``.
"""

from __future__ import annotations

from typing import Any

import mlup
from mlup_tensorflow.keras_checks import checked, known_to
from mlup_tensorflow.keras_path import KerasPath, generation
from mlup_tensorflow.refusals import Refusal, brief


def is_old(at: KerasPath) -> bool:
    """Whether a file may be of Keras 2; HDF5 of the first Keras does not say."""
    if at.kind == "folder":
        return False
    saved_by = at.saved_by()
    return at.kind == "hdf5" if saved_by is None else generation(saved_by) < 3


def may_help(refusal: Refusal) -> bool:
    """Whether Keras 3 refused a whole file of Keras 2."""
    return generation(refusal.keras) >= 3 and is_old(refusal.at) and refusal.damage() is None


def load(file: mlup.LoadedFile, refusal: Refusal, options: dict[str, Any]) -> object:
    """The model, of ``tf_keras``.

    Raises:
        UnsafeModelError: it names what is not safe.
        ModelBinarizationError: ``tf_keras`` is not installed, or refuses it too.
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
        return ask(file, refusal.at, options)
    except mlup.MLupError:
        raise
    except Exception as error:  # Keras raises every kind
        again = refusal._replace(error=error, keras=tf_keras.__version__)
        raise refusal.explained(
            f"{written}; {again.reason() or f'tf_keras refuses it ({brief(error)})'}; {refused}"
        ) from error


def ask(file: mlup.LoadedFile, at: KerasPath, options: dict[str, Any]) -> object:
    """``tf_keras``, behind the gate.

    Raises:
        ImportError: it is not installed.
        UnsafeModelError: the file names what is neither safe nor registered with it.
        Exception: any that ``tf_keras`` raises.
    """
    import tf_keras

    how = {**options, "safe_mode": False}
    if not file.trust:
        given = options["custom_objects"]
        objects, unsafe = checked(file, at, known_to(tf_keras, given), options["compile"])
        how = {**options, "custom_objects": {**objects, **given}, "safe_mode": not unsafe}
    return tf_keras.saving.load_model(at.path, **how)
