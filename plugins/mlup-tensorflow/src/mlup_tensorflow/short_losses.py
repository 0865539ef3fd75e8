"""Losses under short names: Keras 3 writes ``"mse"`` to HDF5, and does not find it again.

Seen in Keras 3.0 to 3.15: ``compile(loss="mse")``, ``save("m.h5")``, ``load_model("m.h5")`` ends in
*Could not deserialize 'keras.metrics.mse'* or *Could not locate function 'mse'*.
"""

from __future__ import annotations

from typing import Any, Final

from mlup_tensorflow.configurations import training_config
from mlup_tensorflow.keras_path import KerasPath

_SHORT: Final = {"bce", "kld", "mae", "mape", "mse", "msle"}


def short_losses(at: KerasPath, keras: Any) -> dict[str, object]:
    """The losses that an HDF5 file has under such names, from ``keras.losses``."""
    names, todo = set(), [training_config(at).get("loss")]
    while todo:  # one, or one for each output
        each = todo.pop()
        if isinstance(each, str) and each.lower() in _SHORT:
            names.add(each)
        elif isinstance(each, (list, dict)):
            todo += each.values() if isinstance(each, dict) else each
    return {name: keras.losses.get(name) for name in names}
