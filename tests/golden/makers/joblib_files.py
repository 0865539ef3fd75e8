"""``joblib/``: raw dumps, every compressor, and where the arrays stand."""

from __future__ import annotations

import io
import os
import pickle
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import joblib
import lz4
import numpy as np
import sklearn

from makers import models
from makers.book import Book

JOBLIB = f"joblib {joblib.__version__}, Python {platform.python_version()}"
SKLEARN = f"{JOBLIB}, scikit-learn {sklearn.__version__}"


def make(book: Book) -> None:
    """Write the folder."""

    def put(
        name: str,
        content: Any,
        format: str = "joblib-raw",
        producer: str = JOBLIB,
        plain: bool = False,
        notes: str = "",
        **how: Any,
    ) -> None:
        book.add(
            name,
            "joblib",
            format,
            producer,
            content if isinstance(content, bytes) else _dumped(content, **how),
            check=models.checked(joblib.load),
            acceptable=("pickle",) if plain else (),
            notes=notes,
        )

    fitted = models.estimators()
    for name, kind in (
        ("kmeans.joblib", "kmeans"),
        ("svc.pkl", "svc"),
        ("neighbours.sav", "neighbours"),
        ("boosting", "boosting"),
        ("search.jl", "search"),
        ("isolation.onnx", "isolation"),
    ):
        put(name, fitted[kind], producer=SKLEARN)
    put("several.joblib", [fitted["tree"], fitted["bayes"], ["a", "b"]], producer=SKLEARN)
    put("by_name.model", {"model": fitted["linear"], "columns": list("abcd")}, producer=SKLEARN)
    put("columns_p2.joblib", fitted["columns"], producer=SKLEARN, protocol=2)
    put("tree_p3.pkl", fitted["tree"], producer=SKLEARN, protocol=3)
    put("linear_p0.pkl", fitted["linear"], producer=SKLEARN, protocol=0)
    put("modèle №2.joblib", fitted["bayes"], producer=SKLEARN)
    _arrays(put)
    _late_arrays(put)
    _without_arrays(put)
    _compressed(put, fitted)
    _by_extension(book, fitted)
    _cached(book)


def _arrays(put: Any) -> None:
    """What arrays may be: their first bytes stand where the next opcode is looked for."""
    w = np.arange(12.0)
    put("big_endian.joblib", w.astype(">f8"))
    put("booleans.joblib", {"mask": w > 3})
    put("half.pkl", [w.astype("f2"), w.astype("c16")])
    put("structured.joblib", np.zeros(4, [("a", "i4"), ("b", "S3")]))
    put("dates.joblib", w.astype("i8").astype("M8[D]"))
    put("texts.joblib", np.array(["a", "longer", "."]))
    put("zero_dimensional.joblib", {"b": np.array(1.5)})
    put("full_stops.joblib", np.full(40, ord("."), "u1"), notes="the raw array is full stops")
    put("frames.joblib", np.full(40, 0x95, "u1"), notes="the raw array looks like FRAME opcodes")
    put("minus_one.bin", {"w": np.full(20, -1, "i8")}, notes="raw ff behind the padding of ff")
    put("shared.joblib", [w, w, {"again": w}])
    put("slices.joblib", {"rows": np.arange(40.0).reshape(5, 8)[::2, ::3]})
    masked = np.ma.masked_greater(w, 5)
    note = "a subclass of ndarray: joblib leaves it to pickle"
    put("masked.joblib", masked, "joblib-noarrays", plain=True, notes=note)
    put("memory_mapped.joblib", _mapped(), notes="written from a numpy.memmap")
    put("arrays_p5.joblib", {"a": w, "b": w[:5].astype("i2")}, protocol=5)
    put("objects.joblib", np.array([{"a": 1}, None, w], dtype=object))


def _late_arrays(put: Any) -> None:
    """The first array stands behind more than one frame of names."""
    long = models.text_classifier(3600)
    put("vocabulary.joblib", long, producer=SKLEARN, notes="over 64 KiB of words come first")
    rows = [{"id": at, "name": f"row {at}"} for at in range(2150)]
    last = [rows, np.arange(20.0)]
    put("late_array_p2.pkl", last, protocol=2, notes="no frames, and the array is at the end")


def _without_arrays(put: Any) -> None:
    note = "no array inside: the bytes are a plain pickle"
    settings = {"threshold": 0.5, "columns": ["a", "b"], "kind": "rule"}
    how = {"format": "joblib-noarrays", "plain": True, "notes": note}
    put("rules.joblib", settings, **how)
    put("rules.z", settings, protocol=3, **how)
    put("labels", ["cat", "dog"], **how)


def _compressed(put: Any, fitted: dict[str, Any]) -> None:
    arrays = {"w": np.arange(200.0).reshape(10, 20), "names": ["a", "b"]}
    for method, name in (
        ("zlib", "zlib_l5.joblib"),
        ("gzip", "gzip_l2.joblib"),
        ("bz2", "bz2_l9.joblib"),
        ("xz", "xz_l6.joblib"),
        ("lzma", "lzma_l2.joblib"),
        ("lz4", "lz4_l1.joblib"),
    ):
        level = int(name.split("_l")[1][0])
        how = {"format": f"joblib-{method}", "compress": (method, level)}
        put(name, fitted["columns"], producer=SKLEARN, **how)
        put(f"{method}_arrays_p2", arrays, protocol=2, **how)
        put(f"{method}_words.pkl", {"threshold": 0.5, "columns": ["a", "b"]}, **how)
    put("true.joblib", fitted["tree"], "joblib-zlib", SKLEARN, compress=True)
    put("level_9.sav", fitted["svc"], "joblib-zlib", SKLEARN, compress=9)
    put("by_method.model", fitted["mlp"], "joblib-xz", SKLEARN, compress="xz")
    put("zlib_p0.joblib", arrays, "joblib-zlib", compress=("zlib", 3), protocol=0)
    put("zlib_p5.bin", arrays, "joblib-zlib", compress=("zlib", 1), protocol=5)
    repeated = {"w": np.zeros(4000)}
    put("gzip_zeros.pkl.gz", repeated, "joblib-gzip", compress=("gzip", 9))
    put("lz4_zeros.lz4", repeated, "joblib-lz4", compress=("lz4", 3), producer=_lz4())
    noise = np.random.RandomState(1).bytes(9000)
    put("lz4_noise.joblib", {"w": noise}, "joblib-lz4", compress=("lz4", 2), producer=_lz4())
    put("bz2_noise.joblib", {"w": noise}, "joblib-bz2", compress=("bz2", 1))
    import gzip
    import lzma

    pickled = pickle.dumps({"threshold": 0.5, "w": [1.5, 2.5]}, 4)
    named = io.BytesIO()
    with gzip.GzipFile("model.pkl", "wb", 6, named, mtime=1.7e9) as stream:
        stream.write(pickled)
    how = {"notes": "joblib.load opens the compressed plain pickle too"}
    put("gzip_with_name.pkl.gz", named.getvalue(), "joblib-gzip", "gzip of a pickle", **how)
    checked = lzma.compress(pickled, check=lzma.CHECK_SHA256)
    put("xz_sha256.pkl.xz", checked, "joblib-xz", "lzma of a pickle", **how)


def _by_extension(book: Book, fitted: dict[str, Any]) -> None:
    """``joblib.dump`` to a path takes the compressor from its extension."""
    for name, kind in (("tree.pkl.z", "zlib"), ("bayes.pkl.bz2", "bz2"), ("mlp.lzma", "lzma")):
        book.add(
            name,
            "joblib",
            f"joblib-{kind}",
            SKLEARN,
            lambda path: joblib.dump(fitted["tree"], path),
            check=models.checked(joblib.load),
            notes="compressed because of the extension",
        )


def _cached(book: Book) -> None:
    """What ``joblib.Memory`` keeps of a call, and the text beside it."""
    with tempfile.TemporaryDirectory() as folder:
        cached = joblib.Memory(folder, verbose=0).cache(np.cumsum, ignore=["out"])
        cached(np.ones(6))
        for place, _, names in os.walk(folder):
            if "output.pkl" in names:
                found = Path(place, "output.pkl")
        book.add(
            "cache/output.pkl",
            "joblib",
            "joblib-raw",
            f"{JOBLIB}, joblib.Memory",
            lambda path: shutil.copyfile(found, path),
            check=joblib.load,
        )


def _dumped(content: Any, **how: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(content, stream, **how)
    return stream.getvalue()


def _mapped() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        mapped = np.memmap(Path(folder, "w"), "f8", "w+", shape=(6,))
        mapped[:] = 1.5
        return np.memmap(Path(folder, "w"), "f8", "r", shape=(6,))


def _lz4() -> str:
    return f"{JOBLIB}, lz4 {lz4.__version__}"
