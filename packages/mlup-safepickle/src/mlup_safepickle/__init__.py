"""An unpickler that imports, calls and changes only what ordinary models need.

``load(stream)``        the object of a pickle, or :class:`Refused`
``inspect(stream)``     what it would import, without doing it
``refuse(…)``           :class:`Refused` as the error that the user sees, with all refused names

For formats that have more than a pickle in them: ``Unpickler`` is the machine, over a ``Reader`` and
a ``Budget``, with ``Acting`` (it does what the safe lists let it) or ``Watching`` (it writes down).

mlup's binarizers for pickle, joblib and PyTorch load through it; so can yours. The rules are those
of ``docs/security.md``; :mod:`mlup_safepickle.unpickler` is the table of opcodes.
"""

from __future__ import annotations

from mlup_safepickle.acting import Acting
from mlup_safepickle.budget import Budget
from mlup_safepickle.loading import load
from mlup_safepickle.reader import Reader, size_of
from mlup_safepickle.refusing import Refused
from mlup_safepickle.reporting import inspect, refuse, report_of
from mlup_safepickle.safelists import table
from mlup_safepickle.unpickler import Unpickler
from mlup_safepickle.watching import Made, Named, Watching

__version__ = "0.1.0"

__all__ = [
    "Acting",
    "Budget",
    "Made",
    "Named",
    "Reader",
    "Refused",
    "Unpickler",
    "Watching",
    "inspect",
    "load",
    "refuse",
    "report_of",
    "size_of",
    "table",
]
