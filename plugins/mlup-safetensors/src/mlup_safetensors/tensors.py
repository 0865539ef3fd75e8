"""What a load returns: :class:`Tensors`."""

from __future__ import annotations

from typing import Any


class Tensors(dict[str, Any]):
    """Tensors by their names, as any ``dict`` has them, in the order in which the file has them.

    Attributes:
        metadata: the text that the file has beside them (``__metadata__``), such as
            ``{"format": "pt"}``; empty where it has none.
    """

    def __init__(self, tensors: dict[str, Any] | None = None) -> None:
        super().__init__(tensors or {})
        self.metadata: dict[str, str] = {}
