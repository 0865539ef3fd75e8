"""A name in a pickle, as it is spelled today."""

from __future__ import annotations

import _compat_pickle
from typing import Final

_NUMPY_CORE: Final = "numpy.core"
_NUMPY_CORE_2: Final = "numpy._core"


def of_python_3(module: str, name: str) -> tuple[str, str]:
    """What ``pickle`` makes of a name that Python 2 wrote (protocols 0 to 2)."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def today(module: str) -> str:
    """The module's name in the safe lists, and to import.

    NumPy 2 calls ``numpy.core`` ``numpy._core``; scikit-learn before 1.6 wrote a module of its own
    without its packages, a name that anybody's file in the working directory could have.
    """
    if module == "_loss":
        return "sklearn._loss._loss"
    if module == _NUMPY_CORE or module.startswith(_NUMPY_CORE + "."):
        return _NUMPY_CORE_2 + module[len(_NUMPY_CORE) :]
    return module


def before(module: str) -> str:
    """What a module of today's was called before, where :func:`today` renamed it."""
    if module == _NUMPY_CORE_2 or module.startswith(_NUMPY_CORE_2 + "."):
        return _NUMPY_CORE + module[len(_NUMPY_CORE_2) :]
    return module
