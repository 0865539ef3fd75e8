"""XGBoost: a booster's model, which its own parser reads by recursion and its predictor trusts.

Pickled boosters hold it as UBJSON since XGBoost 1.7, as JSON before, and before 1.3 in a binary
form ("CONFIG-offset:", "binf") that has no lengths to check. ``mlup-xgboost`` checks the files of
``Booster.save_model`` by the same modules.
"""

from __future__ import annotations

from typing import Any


def booster_state(state: Any, booster: Any) -> str | None:
    """A Booster's ``__dict__``, with a model that its parser can read and its trees can follow."""
    if type(state) is not dict or not all(type(name) is str for name in state):
        return "it is no dict of names"
    if any(name.startswith("__") for name in state):
        return "it sets a special attribute"
    if "handle" not in state:
        return "it has no model"
    handle = state["handle"]
    if handle is None:
        return None
    if type(handle) is not bytearray:
        return "its model is no bytearray"
    return _against(handle)


def _against(handle: bytearray) -> str | None:
    """What there is against a model. Beside it lies the configuration, whose names are looked up."""
    import xgboost

    from mlup_safepickle.checks.xgboost import jsontext, learner, ubjson
    from mlup_safepickle.checks.xgboost.values import (
        DamagedError,
        HostileError,
        IncompatibleError,
    )

    start = bytes(handle[:2])
    if start not in (b'{"', b"{L"):
        return "its model is neither UBJSON nor JSON (XGBoost before 1.3 wrote another form)"
    try:
        document = ubjson.read(handle) if start == b"{L" else jsontext.read(handle)
        model = document.get("Model", document)
        if type(model) is not dict:
            return "it has no model"
        learner.check(model, learner.reader_of(xgboost.__version__))
    except (DamagedError, HostileError, IncompatibleError) as error:
        return str(error)
    return None
