"""Loading a Keras model, and what to do where Keras refuses it."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import mlup
from mlup_tensorflow import legacy
from mlup_tensorflow.keras_path import KerasPath, path_for_keras
from mlup_tensorflow.refusals import Refusal, brief, while_compiling
from mlup_tensorflow.short_losses import short_losses


def load(file: mlup.LoadedFile, options: dict[str, Any]) -> object:
    """The model; ``options`` are Keras's own.

    Raises:
        ModelBinarizationError: Keras refused it.
    """
    import tensorflow as tf

    keras = tf.keras  # Keras 2 with TensorFlow 2.15, or where TF_USE_LEGACY_KERAS says so
    with path_for_keras(file) as at:
        try:
            return _load(keras, at, options)
        except Exception as error:  # Keras raises every kind
            refusal = Refusal(file.label, error, at, _version(keras), options["custom_objects"])
            if legacy.may_help(refusal):
                return legacy.load(refusal, options)
            raise refusal.explained(refusal.reason() or brief(error)) from error


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
    # tf.keras has none of its own: it is a part of the package keras, or of tf_keras.
    package = keras.Model.__module__.partition(".")[0]
    return str(sys.modules[package].__version__)
