"""Python pickles, protocols 0 to 5, whatever library the object comes from."""

from __future__ import annotations

from typing import BinaryIO, Final

import mlup
from mlup import probe

__version__ = "0.1.0"

extensions: Final = (".pkl", ".pckl", ".pickle")
requires: Final = ()
options: Final[dict[str, str]] = {}


def safe_list() -> frozenset[str]:
    """What a pickle may name: the safe lists of all installed distributions."""
    from mlup_safepickle.safelists import listed_names

    return listed_names()


# What joblib writes in front of arrays: since 0.10 into the stream, before that into other files.
_WRAPPERS: Final = ("joblib.numpy_pickle.NumpyArrayWrapper", "joblib.numpy_pickle.NDArrayWrapper")

# What dill writes for the functions and classes it pickles by value: no plain pickle's.
_OF_DILL: Final = ("dill._dill._create_function", "dill._dill._create_type")
_DILL_WITHIN: Final = 16 * 1024  # bytes in which they are looked for

_TORCH_MAGIC: Final = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER


@mlup.hookimpl
def score(path: mlup.ModelPath, head: bytes, tail: bytes) -> mlup.Score | None:
    """A stream of pickle opcodes, from the first ones to STOP: 0.9, and 0.05 more for the extension.

    Not recognised, because ``pickle.load`` fails on them or gives something else: joblib dumps with
    raw arrays between the opcodes, PyTorch's files of before 1.6 (a lone number with more data
    behind it), and streams with functions or classes of dill's.
    """
    start = probe.pickle_start(path)
    if start is None or start.lone_number or not (start.ends or probe.pickle_stops(path)):
        return None
    if not start.whole and probe.pickle_interleaved(path, *_WRAPPERS):
        return None
    if probe.pickle_imports(path, _OF_DILL, _DILL_WITHIN):
        return None
    what = f" of {start.first_name}" if start.first_name else ""
    reason = f"pickle{what}, protocol {start.protocol or '0 or 1'}, up to its STOP"
    return mlup.Score(0.95 if str(path).lower().endswith(extensions) else 0.9, reason)


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The object that was pickled.

    It is made by ``mlup_safepickle``, which imports and calls only what is on the safe lists or
    allowed; with ``trust`` by ``pickle.load``.

    Raises:
        UnsafeModelError: it names or does what it may not.
        ModelBinarizationError: it is a joblib dump, or the number that PyTorch's files of before
            1.6 begin with.
    """
    with file.open() as stream:
        if file.trust:
            import pickle

            model = pickle.load(stream)
        else:
            model = _load_safely(file, stream)
    if type(model) is int and model == _TORCH_MAGIC:
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by pickle: it is a PyTorch file of before 1.6, of which "
            "pickle reads no more than a number; name the binarizer 'torch'."
        )
    return model


def _load_safely(file: mlup.LoadedFile, stream: BinaryIO) -> object:
    import mlup_safepickle

    start = stream.tell()
    try:
        return mlup_safepickle.load(stream, allow=file.allow)
    except mlup_safepickle.Refused as refused:
        if _WRAPPERS[0] in refused.names:
            raise mlup.ModelBinarizationError(
                f"{file.label} was not loaded by pickle: it is a joblib dump, with arrays between "
                "the opcodes; name the binarizer 'joblib'."
            ) from refused

        def report() -> mlup.Report:
            stream.seek(start)
            return mlup_safepickle.inspect(stream, allow=file.allow)

        raise mlup_safepickle.refuse(refused, file, "pickle", report) from refused


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The classes and functions that the pickle would import, each with its verdict."""
    import mlup_safepickle

    with file.open() as stream:
        start = stream.tell()
        try:
            return mlup_safepickle.inspect(stream, allow=file.allow)
        finally:
            stream.seek(start)
