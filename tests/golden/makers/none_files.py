"""``none/``: no models. Archives, texts, messages and folders that look a little like one.

Most are a few lines after a published layout, so that nothing has to be installed to write them.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import marshal
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lz4.frame
import numpy as np

from makers.book import Book
from makers.protobufs import field
from makers.zips import zipped

PYTHON = "Python's standard library"
_PICKLE = pickle.dumps({"w": [0.5, 1.5], "b": 2}, 4)
_WORDS = b"(These are words, and they end in a full stop.) " * 30 + b"That is all."
_LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def make(book: Book) -> None:
    """Write the folder."""
    for build in (_archives, _compressed, _texts, _messages, _binaries, _arrays, _folders):
        build(book)


def _archives(book: Book) -> None:
    def put(name: str, members: list[tuple[str, bytes | str]], format: str, **how: Any) -> None:
        notes = how.pop("notes", "")
        producer = how.pop("producer", f"{PYTHON}, after the format's layout")
        book.add(name, "none", format, producer, zipped(members, **how), notes=notes)

    xml = "<?xml version='1.0'?><x/>" * 5
    stored = zipfile.ZIP_STORED
    put("table.xlsx", [("[Content_Types].xml", xml), ("xl/workbook.xml", xml)], "xlsx")
    text = [("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", xml)]
    put("letter.odt", list(text), "odt", compression=stored)
    manifest = json.dumps({"model": {"serializedFile": "model.pt", "handler": "image"}})
    served: list[tuple[str, bytes | str]] = [("MAR-INF/MANIFEST.json", manifest)]
    put("served.mar", [*served, ("model.pt", b"\x80\x02.")], "zip", notes="TorchServe's archive")
    put("models.zip", [("model.onnx", b"\x08\x08"), ("model.pkl", _PICKLE)], "zip")
    put("packed_pickle.pkl", [("model.pkl", _PICKLE)], "zip", notes="a zip under a pickle's name")
    put("mojo.zip", [("model.ini", "[info]\nalgo = gbm\n"), ("trees/t00.bin", b"\0" * 40)], "zip")
    marks: list[tuple[str, bytes | str]] = [("archive/byteorder", "little")]
    version: tuple[str, bytes | str] = ("archive/version", "3\n")
    text_inside = [("archive/data.pkl", "hello, I am a text."), version, *marks]
    put("text_inside.pt", text_inside, "zip", compression=stored, notes="data.pkl is no pickle")
    only = [version, ("archive/data/0", b"\0" * 64), *marks]
    put("no_pickle.pt", only, "zip", compression=stored, notes="storages without data.pkl")
    app: list[tuple[str, bytes | str]] = [
        ("app/code/main.py", "x = 1\n"),
        ("app/constants.pkl", _PICKLE),
    ]
    put("app.zip", app, "zip", notes="code/ and constants.pkl, but no data.pkl and no version")
    several: list[tuple[str, bytes | str]] = [("a/data.pkl", _PICKLE), ("b/version", "3\n")]
    put("two_folders.zip", several, "zip", compression=stored, notes="data.pkl here, version there")
    settings = {"class_name": "Pipeline", "config": {"name": "not Keras"}}
    configured = [("config.json", json.dumps(settings)), ("weights.bin", b"\0" * 32)]
    put("configured.keras", list(configured), "zip", notes="a config.json, and no Keras")
    put("weights_only.zip", [("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(80))], "zip")
    put("empty_members.zip", [("a/", ""), ("b/", "")], "zip", notes="folders alone")
    saved: list[tuple[str, bytes | str]] = [("model/saved_model.pb", b"\x08\x01\x12\x02\x0a\x00")]
    put("saved_model.zip", [*saved, ("model/variables/variables.index", b"\0" * 48)], "zip")
    nested = zipped([("data.pkl", _PICKLE)])
    put("nested.zip", [("inner.zip", nested)], "zip", compression=stored)
    many: list[tuple[str, bytes | str]] = [(f"images/{at:04d}.txt", "x") for at in range(300)]
    put("many.pth", many, "zip", notes="300 records")


def _compressed(book: Book) -> None:
    def put(name: str, data: bytes, format: str, notes: str = "", producer: str = PYTHON) -> None:
        book.add(name, "none", format, producer, data, notes=notes)

    put("table.csv.gz", gzip.compress(b"a,b,c\n" + b"1,2,3\n" * 200, mtime=0), "gzip")
    put("words.pkl.gz", gzip.compress(_WORDS, mtime=0), "gzip", "text in brackets, compressed")
    put("words.joblib", bz2.compress(_WORDS), "bz2")
    put("words.pkl.xz", lzma.compress(_WORDS), "xz")
    put("words.lzma", lzma.compress(_WORDS, lzma.FORMAT_ALONE), "lzma")
    put("words.lz4", lz4.frame.compress(_WORDS), "lz4", producer=f"lz4 {lz4.__version__}")
    put("words", zlib.compress(_WORDS), "zlib")
    put("numbers.z", zlib.compress(b"I1\nI2\nI3\n" * 99), "zlib", "lines that begin like opcodes")
    put("twice.gz", gzip.compress(gzip.compress(_PICKLE, mtime=0), mtime=0), "gzip", "gzip in gzip")
    put("nothing.gz", gzip.compress(b"", mtime=0), "gzip")
    head = struct.pack(">3i", 3, 0x040301, 0x030500) + struct.pack(">i5s", 5, b"UTF-8")
    note = "by hand, after R's serialization format"
    for name, start in (("forest.rds", b"X\n"), ("forest.rda", b"RDX3\nX\n")):
        values = start + head + struct.pack(">2i", 0x20E, 3) + struct.pack(">3d", 1, 2, 3)
        put(name, gzip.compress(values, mtime=0), "r", note)
        put(f"{name}.bz2", bz2.compress(values), "r", note)
    tar = _tar("model.pkl", _PICKLE)
    put("model.tar", tar, "tar")
    put("model.tar.gz", gzip.compress(tar, mtime=0), "tar.gz", "a pickle in a tarball")
    put("model.tgz", gzip.compress(_tar("modèle.joblib", _PICKLE), mtime=0), "tar.gz")
    put("pax.tar", _tar("größe/" + "x" * 120, _WORDS), "tar", "begins ././@PaxHeader")
    array = io.BytesIO()
    np.save(array, np.arange(40.0))
    put("array.npy.gz", gzip.compress(array.getvalue(), mtime=0), "gzip")


def _tar(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _texts(book: Book) -> None:
    def put(name: str, text: str | bytes, format: str = "text", notes: str = "") -> None:
        book.add(name, "none", format, "by hand", text, notes=notes)

    put("pointer.pkl", _LFS.format("0f" * 32, 8123), "git-lfs-pointer")
    put("pointer.keras", _LFS.format("1e" * 32, 90210), "git-lfs-pointer")
    old = "version https://hawser.github.com/spec/v1\noid sha256:{}\nsize 5\n".format("2d" * 32)
    put("pointer.bin", old, "git-lfs-pointer", "as Git LFS wrote it before its name")
    put("page.onnx", "<!DOCTYPE html>\n<html lang='en'><body>Sign in.</body></html>\n", "html")
    put("page.pt", "\ufeff\n  <html><head><title>429</title></head></html>", "html", "with a BOM")
    put("denied.h5", "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "xml")
    put("missing.pkl", "404: Not Found", notes="a failed download")
    put("error.joblib", '{"error": "Repository not found."}', "json")
    put("link.pkl", "../../models/current/model.pkl", notes="a symbolic link, checked out as text")
    put("encoded.pkl", base64.b64encode(_PICKLE), notes="base64 of a pickle")
    put("encoded.txt", _PICKLE.hex(), notes="a pickle in hexadecimal")
    put("listing.txt", "tree\n├── version=1\n│   └── model.txt\n└── README.md\n")
    put("version.model", "version=v4\nnum_class=1\nmax_feature_idx=3\n", notes="no 'tree' first")
    put("tree.txt", "tree\nThe version=v4 of this text is about trees.\n")
    put("release.txt", "version 1.4.2\nis the latest.")
    put("compose.yml", "version: '3'\nservices:\n  model:\n    image: onnx\n")
    put("settings.toml", "[model]\npath = 'model.pkl'\nbinarization_type = 'auto'\n")
    put("MLmodel", "flavors:\n  sklearn:\n    pickled_model: model.pkl\n", "yaml")
    put("copying.txt", "copyright\nnobody\nAll of it may be copied.", notes="c, two lines, a stop")
    put("imports.txt", "cmodels\nLinear\n(as told in chapter 3).", notes="begins like a GLOBAL")
    put("brackets.txt", "(lines of text)\n(which end so).", notes="brackets, and a full stop")
    put("item.txt", "I42\nis the answer.")
    put("quote.txt", "V is a letter.\nU is one.\n]and so on.")
    put("dictionary.txt", "}{\n(dp0\nis what it begins with.", notes="first lines of protocol 0")
    put("string.txt", "S'a string'\nand more text.")
    put("none.txt", "No.")
    put("stop.txt", "a\n.")
    put("wide.txt", "Words in two bytes each.".encode("utf-16"), notes="UTF-16")
    put("vectors.txt", "2 3\ncat 0.1 0.2 0.3\ndog 0.2 0.1 0.3\n", notes="as word2vec's text form")
    put("rows.svm", "1 1:0.5 3:1.5\n-1 2:0.25\n", notes="libsvm's rows")
    put(
        "network.xml",
        '<?xml version="1.0"?>\n<net name="m" version="11"><layers/></net>\n',
        "openvino",
    )
    put("network.param", "7767517\n2 2\nInput x 0 1 x\nReLU y 1 1 x y\n", "ncnn")
    put("network.cfg", "[net]\nwidth=416\n[convolutional]\nfilters=16\n", "darknet")
    put("network.prototxt", 'name: "LeNet"\nlayer { name: "data" type: "Input" }\n', "caffe")
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    put("training.notebook", json.dumps(notebook), "json")
    tokens = {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
    put("tokenizer.json", json.dumps(tokens), "json")


def _messages(book: Book) -> None:
    """Protobuf messages of other schemas that begin as an ONNX model or a SavedModel may."""

    def put(
        name: str, data: bytes, notes: str, producer: str = "by hand, protobuf's wire format"
    ) -> None:
        book.add(name, "none", "protobuf", producer, data, notes=notes)

    person = field(1, 5) + field(2, b"Anna") + field(7, b"main street")
    put("person.pb", person, "fields 1, 2 and 7, and the 7th is a street")
    put("person.onnx", person, "fields 1, 2 and 7, and the 7th is a street")
    put("counter.bin", field(1, 7), "one number")
    put("numbers.pb", b"".join(field(at, at) for at in range(1, 9)), "eight numbers")
    put("events.pb", b"".join(field(1, at) + field(2, b"x") for at in range(9)), "repeated")
    put("one_text.pb", field(1, 1) + field(2, b"\n\x05hello and more"), "begins as a SavedModel")
    pieces = b"".join(field(1, field(1, word) + b"\x15\0\0\x80\xbf") for word in (b"<unk>", b"a"))
    trainer = field(2, field(3, 1) + field(4, 8000))
    put("tokens.model", pieces + trainer, "pieces", "by hand, after SentencePiece's schema")
    coreml = field(1, 5) + field(2, field(1, field(1, b"x"))) + field(500, field(1, b"\x0a\x00"))
    put("network.mlmodel", coreml, "a neural network", "by hand, after CoreML's Model.proto")
    tensor = field(1, 2) + field(1, 3) + field(2, 1) + field(9, bytes(24))
    put("tensor.onnx", tensor, "a TensorProto", "by hand, after onnx.proto")


def _binaries(book: Book) -> None:
    def put(name: str, data: bytes, format: str, notes: str = "", producer: str = PYTHON) -> None:
        book.add(name, "none", format, producer, data, notes=notes)

    noise = random.Random(7).randbytes
    put("noise.bin", noise(700), "random")
    put("noise_80_02.pkl", b"\x80\x02" + noise(400) + b".", "random")
    put(
        "noise_80_05.joblib", b"\x80\x05\x95" + struct.pack("<Q", 389) + noise(388) + b".", "random"
    )
    put("noise_hdf5.h5", b"\x89HDF\r\n\x1a\n" + noise(600), "random", "HDF5's magic, then noise")
    put("noise_zip.pt", b"PK\x03\x04" + noise(600), "random", "a zip's magic, then noise")
    put("noise_zlib.z", b"\x78\x9c" + noise(200), "random", "zlib's magic, then noise")
    put("noise_08_08.onnx", b"\x08\x08\x12" + noise(300), "random")
    put("zeros.keras", bytes(2000), "zeros")
    put("zeros", bytes(10), "zeros")
    put("ones.onnx", b"\xff" * 300, "ones")
    put("nothing.keras", b"", "empty")
    put("nothing.lgb", b"", "empty")
    put("nothing", b"", "empty")
    put("line.pkl", b"\n", "text")
    put("proto_only.pkl", b"\x80\x04", "text", "two bytes")
    put("stop_only.pkl", b"\x80\x04.", "random", "a pickle of nothing: pickle.load fails")
    put("end_of_zip", b"PK\x05\x06" + bytes(18), "zip", "an empty zip")
    put("hdf5_magic_only", b"\x89HDF\r\n\x1a\n", "random")
    code = marshal.dumps(compile("x = 1", "train.py", "exec"))
    put("code.marshal", code, "marshal")
    put(
        "library.dll", b"MZ\x90\0" + bytes(56) + b"\x80\0\0\0" + b"PE\0\0", "pe", producer="by hand"
    )
    put("module.wasm", b"\0asm\x01\0\0\0", "wasm", producer="by hand")
    jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"
    put("photo.jpg", jpeg, "jpeg", producer="by hand")
    packed = b"\x83\xa1w\x92\xcb" + struct.pack(">d", 0.5) + b"\x01\xa1b\x02\xa1n\xc0"
    put("weights.msgpack", packed, "msgpack", producer="by hand, after MessagePack's specification")
    words = struct.pack("<2i", 793712314, 12) + bytes(60)
    put("words.fasttext", words, "fasttext", producer="by hand, after fastText's header")
    put("weights.params", struct.pack("<2Q", 0x112, 0) + bytes(40), "mxnet", producer="by hand")
    put("small.pte", struct.pack("<I", 28) + b"ET12" + bytes(40), "executorch", producer="by hand")
    put(
        "old.ggml", struct.pack("<3I", 0x67676A74, 1, 32000) + bytes(40), "ggml", producer="by hand"
    )
    put("binf.model", b"binf" + bytes(80), "xgboost-binary", producer="by hand, XGBoost before 1.0")


def _arrays(book: Book) -> None:
    """NumPy's own files."""
    import scipy
    import scipy.io

    producer = f"numpy {np.__version__}"

    def saved(function: Any, *values: Any, **named: Any) -> bytes:
        buffer = io.BytesIO()
        function(buffer, *values, **named)
        return buffer.getvalue()

    for name, data in (
        ("weights.npy", saved(np.save, np.linspace(0, 1, 7))),
        ("objects.npy", saved(np.save, np.array([{"a": 1}, None]), allow_pickle=True)),
        ("objects.pkl", saved(np.save, np.array(["."], dtype=object), allow_pickle=True)),
        ("fortran", saved(np.save, np.asfortranarray(np.ones((3, 4))))),
    ):
        book.add(name, "numpy", "npy", producer, data)
    for name, data in (
        ("weights.npz", saved(np.savez, w=np.ones((2, 2)), b=np.zeros(2))),
        ("packed.npz", saved(np.savez_compressed, **{"data.pkl": np.ones(3), "version": 3})),
        ("layers.h5", saved(np.savez, **{"dense/kernel": np.ones(3), "config.json": np.ones(1)})),
    ):
        book.add(name, "numpy", "npz", producer, data)
    data = saved(scipy.io.savemat, {"w": np.ones(3)})
    book.add("weights.mat", "none", "mat", f"scipy {scipy.__version__}", data)


def _folders(book: Book) -> None:
    def put(name: str, members: Mapping[str, bytes], notes: str, producer: str = "by hand") -> None:
        def write(path: str) -> None:
            for inside, data in members.items():
                target = Path(path, inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)

        book.add(name, "none", "directory", producer, write, notes=notes)

    put("mlflow", {"MLmodel": b"flavors: {}\n", "model.pkl": _PICKLE}, "MLflow's folder")
    hub = {
        "config.json": b'{"model_type": "bert"}',
        "model.safetensors": struct.pack("<Q", 2) + b"{}",
    }
    put("hub", hub, "as transformers saves a model: its config.json is not Keras's")
    spark = {"metadata/part-00000": b'{"class":"org.apache.spark.ml"}', "metadata/_SUCCESS": b""}
    put("spark.model", spark, "Spark's folder")
    manifest = {"Manifest.json": b'{"rootModelIdentifier": "x"}', "Data/weights/weight.bin": b"\0"}
    put("network.mlpackage", manifest, "CoreML's folder")
    put(
        "fake_saved_model", {"saved_model.pb": b"This is a text.\n"}, "its saved_model.pb is a text"
    )
    put("empty_saved_model", {"saved_model.pb": b""}, "its saved_model.pb is empty")
    put("deeper", {"1/notes.txt": b"x", "2/notes.txt": b"y"}, "numbered folders without models")
    put("half_keras", {"config.json": b"{}", "metadata.json": b"{}"}, "no weights")
    put("pickles.pkl", {"a.pkl": _PICKLE, "b.pkl": _PICKLE}, "a folder named like a pickle")
