"""From a stream to the object of the pickle in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from mlup_safepickle.acting import Acting
from mlup_safepickle.budget import Budget
from mlup_safepickle.reader import Reader, size_of
from mlup_safepickle.safelists import table
from mlup_safepickle.unpickler import Unpickler


def load(stream: BinaryIO, *, allow: Iterable[str] = ()) -> Any:
    """The object of the pickle that begins where ``stream`` stands.

    Args:
        stream: it must be able to seek, and is left behind the pickle.
        allow: exact names (``"package.module.Name"``), or ``"my_package.*"``, beside the safe lists.

    Raises:
        Refused: it names or does what it may not.
        Exception: it is damaged, or an object in it cannot be rebuilt here.
    """
    size = size_of(stream)
    budget = Budget(size)
    machine = Unpickler(Reader(stream, size), Acting(table(), allow, budget), budget)
    model = machine.load()
    machine.reader.give_back()
    return model
