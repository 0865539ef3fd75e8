"""joblib dumps, raw or compressed (zlib, gzip, bz2, xz, lzma, lz4), and what joblib also opens."""

from __future__ import annotations

from typing import Final

import mlup
from mlup import probe
from mlup_joblib.inflating import OLD_MAGIC, compression, inflate

__version__ = "0.1.0"

extensions: Final = (".joblib", ".z", ".gz", ".bz2", ".xz", ".lzma", ".lz4")
requires: Final = ("joblib",)
options: Final = {
    "mmap_mode": "maps the arrays of an uncompressed dump into memory: 'r', 'r+', 'w+' or 'c'",
}


def safe_list() -> frozenset[str]:
    """What a dump may name: the safe lists of all installed distributions."""
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
    """Raw arrays within a pickle stream: 0.95. A pickle in zlib, gzip, bz2, xz, lzma or lz4: 0.9.

    A plain pickle: 0.6. ``joblib.load`` opens it and gives the same object, but a dump without
    arrays *is* a plain pickle, byte for byte, so it is left to the pickle binarizer. The extension
    adds 0.05, up to 0.99. Not recognised: streams with dill's functions or classes, which need
    dill, and compressed streams that break off.
    """
    kind = compression(head)
    found = _compressed(path, kind) if kind else _raw(path)
    if found is None:
        return None
    confidence, reason = found
    if str(path).lower().endswith(extensions):
        confidence = min(0.99, confidence + 0.05)
    return mlup.Score(confidence, reason)


def _raw(path: mlup.ModelPath) -> tuple[float, str] | None:
    start = probe.pickle_start(path)
    if start is None or start.lone_number or not (start.ends or probe.pickle_stops(path)):
        return None
    if not start.whole:
        seen = probe.pickle_interleaved(path, *_WRAPPERS)
        if seen:
            return 0.95, f"joblib dump{_of(start)}: {seen}"
        if start.frame_end is None and start.size > probe.IMPORTS_WITHIN:
            # joblib opens both kinds, pickle only one: it comes just behind, and a name decides
            return 0.88, f"pickle{_of(start)}, perhaps with arrays further on; joblib opens it too"
    if probe.pickle_imports(path, _OF_DILL, _DILL_WITHIN):
        return None
    return 0.6, f"plain pickle{_of(start)}, which joblib opens too"


def _compressed(path: mlup.ModelPath, kind: str) -> tuple[float, str] | None:
    from mlup_joblib.ending import ends

    inside = probe.pickle_start_of(inflate(path, kind))
    if inside is None or inside.lone_number or not ends(path, kind):
        return None
    return 0.9, f"{kind}-compressed pickle{_of(inside)}"


def _of(start: probe.PickleStart) -> str:
    name = start.first_name
    return f" of {name}" if name and name not in _WRAPPERS else ""


@mlup.hookimpl
def deserialize(file: mlup.LoadedFile) -> object:
    """The object that was dumped.

    It is made by ``mlup_safepickle``, which imports and calls only what is on the safe lists or
    allowed, and its arrays are read by mlup; with ``trust`` all of it by ``joblib.load``.

    Raises:
        UnsafeModelError: it names or does what it may not.
        OptionError: ``mmap_mode`` is none.
        ModelBinarizationError: it is the number that PyTorch's files of before 1.6 begin with.
    """
    mmap_mode = file.options.get("mmap_mode")
    if mmap_mode not in (None, "r", "r+", "w+", "c"):
        raise mlup.OptionError(f"mmap_mode={mmap_mode!r}: expected 'r', 'r+', 'w+' or 'c'.")
    if not file.trust:
        from mlup_joblib.loading import load_safely

        return _checked(load_safely(file, mmap_mode), file)
    import joblib

    if mmap_mode is None and file.path is None:
        with file.open() as stream:
            start = stream.tell()
            old = stream.read(len(OLD_MAGIC)) == OLD_MAGIC
            stream.seek(start)
            if not old:
                return _checked(joblib.load(stream), file)
    with file.as_path() as path:  # mapping, and everything of joblib before 0.10, need a path
        return _checked(joblib.load(path, mmap_mode=mmap_mode), file)


@mlup.hookimpl
def inspect(file: mlup.LoadedFile) -> mlup.Report:
    """The classes and functions that the dump would import, each with its verdict."""
    from mlup_joblib.loading import inspect

    return inspect(file)


def _checked(model: object, file: mlup.LoadedFile) -> object:
    if type(model) is int and model == _TORCH_MAGIC:
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by joblib: it is a PyTorch file of before 1.6, of which "
            "joblib reads no more than a number; name the binarizer 'torch'."
        )
    return model
