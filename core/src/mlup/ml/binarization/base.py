"""The predecessor's base class: custom binarizers written for pymlup keep working.

New plugins need no base class (see :mod:`mlup.hookspecs`).
"""

from __future__ import annotations

import abc
from typing import Any

from mlup.files import LoadedFile


class BaseBinarizer(metaclass=abc.ABCMeta):
    """Subclass it, and name the subclass by its import line: ``"my_module.MyBinarizer"``."""

    @classmethod
    @abc.abstractmethod
    def deserialize(cls, data: LoadedFile) -> Any:
        """Turn the file into a model."""

    @classmethod
    def is_this_type(cls, loaded_file: LoadedFile) -> float:
        """How sure you are, in 0..1, that you could load it."""
        return 0.0
