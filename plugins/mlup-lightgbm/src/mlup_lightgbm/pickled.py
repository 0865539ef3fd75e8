"""The states of LightGBM's pickled objects, checked before native code is handed what they hold.

``safelist.json`` names these functions.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = ("_handle", "handle")  # since LightGBM 4.0, and before
_NEVER_PICKLED: Final = ("train_set", "valid_sets")


def check_state(state: object, instance: object = None) -> str | None:
    """Whether a ``Booster`` may take this state.

    ``Booster.__setstate__`` gives the text under ``_handle`` or ``handle`` to LightGBM's parser,
    which ends the process over a malformed one. Without a text there is no native model, and
    LightGBM follows a null pointer.

    Args:
        state: what ``Booster.__getstate__`` returned, or what a file claims that it did.
        instance: the ``Booster``, which is not looked at.

    Returns:
        The reason to refuse it, ``None`` where there is none.
    """
    from mlup_lightgbm.header import HostileTextError
    from mlup_lightgbm.text import IncompleteTextError
    from mlup_lightgbm.validation import validate

    if type(state) is not dict:
        return f"the state of a Booster is of type {type(state).__name__}, not a dict"
    for key in _NEVER_PICKLED:
        if key in state:
            return f"the state of a Booster has {key!r}, which LightGBM never pickles"
    if state.get("_network"):  # whose end would end the process's own network of workers
        return "the state of a Booster says that it is one of a network"
    texts = [state[key] for key in _TEXTS if key in state]
    if len(texts) != 1 or type(texts[0]) is not str:
        return "the state of a Booster holds no single text of a model"
    try:
        data = texts[0].encode()
        if b"\r" in data:
            return "the text in a Booster has line ends that LightGBM does not write"
        validate(data)
    except (HostileTextError, IncompleteTextError, UnicodeError) as error:
        return f"of the text in a Booster: {error}"
    return None


def check_predictor_state(state: object, instance: object = None) -> str | None:
    """Whether an ``_InnerPredictor``, which a ``Booster`` keeps that was trained on from another, may.

    LightGBM pickles it without its handle. One with a handle frees it in the end: a file would
    choose the address.

    Args:
        state: what a file gives for its state.
        instance: the ``_InnerPredictor``, which is not looked at.

    Returns:
        The reason to refuse it, ``None`` where there is none.
    """
    if type(state) is not dict:
        return f"the state of an _InnerPredictor is of type {type(state).__name__}, not a dict"
    if any(key in state for key in _TEXTS):
        return "the state of an _InnerPredictor has a handle, which LightGBM never pickles"
    return None
