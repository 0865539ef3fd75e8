"""Loading a Keras model, and what to do where Keras refuses it."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import Any

import mlup
from mlup_tensorflow import legacy
from mlup_tensorflow.keras_checks import checked, known_to
from mlup_tensorflow.keras_path import KerasPath, path_for_keras
from mlup_tensorflow.refusals import Refusal, brief, while_compiling
from mlup_tensorflow.short_losses import short_losses


def load(file: mlup.LoadedFile, options: dict[str, Any]) -> object:
    """The model; ``options`` are Keras's own.

    Raises:
        UnsafeModelError: it names what is neither Keras's and safe, nor the caller's.
        ModelBinarizationError: Keras refused it.
    """
    import tensorflow as tf

    keras = tf.keras  # Keras 2 with TensorFlow 2.15, or where TF_USE_LEGACY_KERAS says so
    given = options["custom_objects"]
    with path_for_keras(file) as at:
        try:
            how = options if file.trust else _safely(file, at, options, keras)
            return _load(keras, at, {**how, "safe_mode": how.get("safe_mode", not file.trust)})
        except mlup.UnsafeModelError as error:
            damage = Refusal(file.label, error, at, _version(keras), given).damage()
            if damage:
                raise mlup.ModelBinarizationError(
                    f"{file.label} was not loaded by tensorflow: {damage}"
                ) from error
            return _of_old_keras(file, at, options, error)
        except mlup.MLupError:
            raise
        except Exception as error:  # Keras raises every kind
            refusal = Refusal(file.label, error, at, _version(keras), given)
            if legacy.may_help(refusal):
                return legacy.load(file, refusal, options)
            raise refusal.explained(refusal.reason() or brief(error)) from error


def _of_old_keras(
    file: mlup.LoadedFile, at: KerasPath, options: dict[str, Any], refused: mlup.UnsafeModelError
) -> object:
    """A file of Keras 2 may name what is registered with ``tf_keras`` alone."""
    if legacy.is_old(at):
        with contextlib.suppress(ImportError, mlup.UnsafeModelError):
            return legacy.ask(file, at, options)
    raise refused


def _safely(
    file: mlup.LoadedFile, at: KerasPath, options: dict[str, Any], keras: Any
) -> dict[str, Any]:
    given = options["custom_objects"]
    objects, unsafe = checked(file, at, known_to(_package(keras), given), options["compile"])
    return {**options, "custom_objects": {**objects, **given}, "safe_mode": not unsafe}


def _load(keras: Any, at: KerasPath, options: dict[str, Any]) -> object:
    load_model = keras.models.load_model
    try:
        return load_model(at.path, **options)
    except Exception as error:
        losses = short_losses(at, keras) if while_compiling(error) else {}
        if not losses:
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the model that failed
    given = {**losses, **options["custom_objects"]}
    return load_model(at.path, **{**options, "custom_objects": given})


def _version(keras: Any) -> str:
    return str(_package(keras).__version__)


def _package(keras: Any) -> Any:
    # tf.keras lacks parts of it: it is a part of the package keras, or of tf_keras.
    return sys.modules[keras.Model.__module__.partition(".")[0]]
