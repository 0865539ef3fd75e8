"""``torch.load`` with our unpickler in the place of ``pickle``: for whole modules, not weights alone."""

from __future__ import annotations

from typing import Any, BinaryIO

from mlup_safepickle import Acting, Budget, Reader, Refused, Unpickler, size_of, table


class _TorchActing(Acting):
    """Takes note of the tensors whose parts torch goes by without a look at them.

    Attributes:
        unchecked: sparse and nested ones; where storages follow the pickle, of no content yet.
    """

    def __init__(self, allow: tuple[str, ...], budget: Budget) -> None:
        import torch

        super().__init__(table(), allow, budget)
        self.unchecked: list[Any] = []
        self._tensor, self._strided = torch.Tensor, torch.strided

    def call(self, function: Any, arguments: Any) -> Any:
        """As any call."""
        made = super().call(function, arguments)
        if isinstance(made, self._tensor) and (made.layout is not self._strided or made.is_nested):
            self.unchecked.append(made)
        return made


class Pickling:
    """What ``torch.load`` takes as its ``pickle_module``: of one load, with its own permissions."""

    __name__ = "mlup_safepickle"  # torch looks whether it is dill

    def __init__(self, allow: tuple[str, ...], size: int) -> None:
        """Of a file of ``size`` bytes, for which the caller allows some names."""
        budget = Budget(size)
        acting = self._acting = _TorchActing(allow, budget)

        class TorchUnpickler(Unpickler):
            """One of the pickles of a file."""

            def __init__(self, stream: BinaryIO, *, encoding: str = "utf-8", **_: Any) -> None:
                super().__init__(Reader(stream, size_of(stream)), acting, budget)
                self.encoding = encoding

            def load(self) -> Any:
                """The object; the stream is left behind the pickle, where torch reads on."""
                loaded = super().load()
                self.reader.give_back()
                return loaded

            def persistent(self, identifier: Any) -> None:
                """A storage; or a module's class, in files of before 0.4.

                Those come with their source, which torch would compare with today's, and may
                write the difference into the working directory.
                """
                if type(identifier) is tuple and identifier[:1] in (("module",), (b"module",)):
                    self.stack.append(identifier[1])
                else:
                    super().persistent(identifier)

        self.Unpickler = TorchUnpickler

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        """The object of the next pickle in the stream."""
        return self.Unpickler(stream, **options).load()

    def check(self) -> None:
        """What can be seen only when all storages are there.

        Raises:
            Refused: a tensor has indices or parts that are not within it.
        """
        from mlup_torch.checks import layout

        for each in self._acting.unchecked:
            said = layout(each)
            if said:
                raise Refused(f"one of its tensors is not safe to use: {said}")
