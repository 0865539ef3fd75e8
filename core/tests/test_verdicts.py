"""What mlup says of bytes that no installed binarizer wants: real bytes, every row."""

from __future__ import annotations

import bz2
import collections
import gzip
import io
import lzma
import os
import pathlib
import pickle
import sqlite3
import struct
import sys
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup
from mlup import known_formats, registry, sources, verdicts
from mlup.discovery import find_entry_points
from mlup.files import BUDGET, ModelPath
from mlup.names import OFFICIAL_EXTRAS

DATA = bytes(range(256)) * 8
HDF5 = pathlib.Path(__file__).parent / "golden" / "hdf5" / "files.zip"


def verdict(source):
    with ModelPath.of(source) as path:
        return verdicts.verdict(path)


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("модель" * 30)
        info.size = len(DATA)
        file.addfile(info, io.BytesIO(DATA))
    return stream.getvalue()


def database(tmp_path):
    path = tmp_path / "database"
    connection = sqlite3.connect(path)
    connection.execute("create table t (x)")
    connection.commit()
    connection.close()
    return path.read_bytes()


def png():
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
OBJECT = collections.OrderedDict((str(number), number) for number in range(200))

TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
SAFETENSORS = b"\x48\0\0\0\0\0\0\0" + b'{"a":{"dtype":"F32"}}'.ljust(72) + bytes(8)


def message(*fields):
    """A protobuf message of varints (a number) and length-delimited fields (bytes)."""
    body = b""
    for number, value in fields:
        if isinstance(value, int):
            body += bytes([number << 3, value])
        else:
            body += bytes([number << 3 | 2]) + (
                bytes([len(value)])
                if len(value) < 128
                else bytes([len(value) & 127 | 128, len(value) >> 7])
            )
            body += value
    return body


ONNX = message(
    (1, 8), (2, b"by hand"), (7, message((2, b"graph"), (11, bytes(200)))), (8, b"\x10\x11")
)
ONNX_SHORT = message((1, 9), (7, message((2, b"graph"), (11, bytes(200)))), (8, b"\x10\x11"))
NODE = message((1, b"x"), (2, b"Placeholder"))
GRAPH_DEF = message((1, NODE), (1, NODE), (4, message((1, 27))))
SAVED = message((1, 1), (2, message((1, message((4, b"serve"))), (2, bytes(250)))))

ROWS = {
    "empty": (b"", "an empty file"),
    "zeros": (bytes(500), "zeros only"),
    "one zero": (b"\0", "zeros only"),
    "git lfs": (LFS, "a Git LFS pointer, not the file itself; run: git lfs pull"),
    "lightgbm": (b"tree\nversion=v4\nnum_class=1\n", "a LightGBM text model"),
    "lightgbm, Windows": (b"tree\r\nversion=v4\r\n", "a LightGBM text model with Windows"),
    "lightgbm, old": (b"tree\nnum_class=1\nlabel_index=0\n", "a LightGBM text model of before"),
    "lightgbm, data": (b"______LightGBM_Binary_File_Token______\n" + DATA, "a LightGBM Dataset"),
    "torch, legacy": (
        b"\x80\x02" + TORCH_MAGIC + b"\x80\x02M\xe9\x03.",
        "a PyTorch file of before",
    ),
    "torch, legacy, framed": (
        b"\x80\x04\x95\x0d" + bytes(7) + TORCH_MAGIC + b"\x80\x04M\xe9\x03.",
        "a PyTorch file of before",
    ),
    "torch, legacy, text": (b"L119547037146038801333356L\n.M\xe9\x03.", "a PyTorch file of before"),
    "ort": (b"\x1c\0\0\0ORTM" + DATA, "an ONNX Runtime model"),
    "onnx, text": (b'ir_version: 8\nproducer_name: "x"\n', "an ONNX model in protobuf's text"),
    "xgboost, json": (b'{"learner":{"attributes":{}', "an XGBoost model"),
    "xgboost, spaced": (b'{ "learner" : {"attributes": {}', "an XGBoost model"),
    "xgboost, ubjson": (b"{L\0\0\0\0\0\0\0\x07learner{L" + DATA, "an XGBoost model"),
    "xgboost, binary": (b"binf\0\0\0?\4" + DATA, "an XGBoost model in the binary form"),
    "xgboost, base64": (b"bs64\tAAAA", "an XGBoost model in the binary form"),
    "catboost": (b"CBM1\xd8\x1c\0\0" + DATA, "a CatBoost model"),
    "catboost, json": (b'{"features_info": {"float_features": []}}', "a CatBoost model"),
    "catboost, trees": (b'{"oblivious_trees": []}', "a CatBoost model"),
    "gguf": (b"GGUF\3\0\0\0" + DATA, "a GGUF model"),
    "npy": (b"\x93NUMPY\1\0" + DATA, "a NumPy array"),
    "tflite": (b"\x1c\0\0\0TFL3" + DATA, "a TensorFlow Lite model"),
    "executorch": (b"\x1c\0\0\0ET12" + DATA, "an ExecuTorch program"),
    "pmml": (b'<PMML version="4.4">', "a PMML model"),
    "pmml, declared": (b'<?xml version="1.0"?>\n<PMML version="4.4">', "a PMML model"),
    "openvino": (b'<net name="n" version="11">', "an OpenVINO model"),
    "openvino, declared": (b'<?xml version="1.0"?>\n<net name="n">', "an OpenVINO model"),
    "lightgbm, dumped": (b'{"name": "tree", "version": "v4"}', "LightGBM's dump_model() as JSON"),
    "keras, json": (
        b'{"module": "keras", "class_name": "Sequential"}',
        "the architecture of a Keras",
    ),
    "graph def": (GRAPH_DEF, "a TensorFlow GraphDef"),
    "checkpoint's index": (
        bytes(range(200)) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb",
        "a TensorFlow checkpoint: weights",
    ),
    "onnx without a producer, cut": (ONNX_SHORT[:-20], "an ONNX model that breaks off"),
    "zipped SavedModel": (zipped(**{"m/saved_model.pb": b"", "m/x": b""}), "a zipped TensorFlow"),
    "safetensors": (SAFETENSORS, "a safetensors file"),
    "safetensors, cut": (SAFETENSORS[:40], "a truncated safetensors file"),
    "coreml": (b"\x08\x04\x12\x04\x0a\x02ab\xa2\x1f\x02hi", "a CoreML model"),
    "onnx": (ONNX, "an ONNX model"),
    "onnx, cut": (ONNX[:-20], "an ONNX model that breaks off"),
    "saved_model.pb": (SAVED, "a TensorFlow SavedModel"),
    "saved_model.pb, cut": (SAVED[:-5], "a TensorFlow SavedModel that breaks off"),
    "npz": (zipped(**{"a.npy": b"\x93NUMPY", "b.npy": b""}), "an npz file of NumPy arrays"),
    "skops": (zipped(**{"1.npy": b"", "schema.json": b"{}"}), "a skops file"),
    "torch zip": (zipped(**{"m/data.pkl": b"", "m/version": b"3"}), "a PyTorch archive"),
    "torch zip, flat": (zipped(**{"data.pkl": b"", "version": b"3"}), "a PyTorch archive"),
    "torchscript": (
        zipped(**{"m/data.pkl": b"", "m/version": b"3", "m/constants.pkl": b""}),
        "a TorchScript archive",
    ),
    "torch.package": (
        zipped(**{"m/m/data.pkl": b"", "m/.data/extern_modules": b"", "m/data.pkl": b""}),
        "a torch.package archive",
    ),
    "torch.export": (zipped(**{"m/archive_format": b"pt2"}), "an exported PyTorch program"),
    "keras": (
        zipped(**{"metadata.json": b"", "config.json": b"", "model.weights.h5": b""}),
        "a Keras model",
    ),
    "keras, in part": (
        zipped(**{"metadata.json": b"", "config.json": b""}),
        "a Keras archive without model.weights.h5",
    ),
    "gzip": (gzip.compress(DATA), "gzip-compressed data"),
    "bzip2": (bz2.compress(DATA), "bzip2-compressed data"),
    "lzma": (lzma.compress(DATA, lzma.FORMAT_ALONE), "lzma-compressed data"),
    "xz": (lzma.compress(DATA), "xz-compressed data"),
    "zlib, unpacked": (zlib.compress(DATA, 0), "zlib-compressed data"),
    "zlib, level 5": (zlib.compress(DATA, 5), "zlib-compressed data"),
    "zlib": (zlib.compress(DATA), "zlib-compressed data"),
    "zlib, best": (zlib.compress(DATA, 9), "zlib-compressed data"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7" + DATA, "lz4-compressed data"),
    "png": (png(), "a PNG image"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + DATA, "a PDF document"),
    "zip": (zipped(a=DATA), "a zip archive in which no installed binarizer"),
    "empty zip": (zipped(), "a zip archive in which no installed binarizer"),
    "truncated zip": (zipped(a=DATA)[:-30], "a truncated zip archive"),
    "zip without its directory": (zipped(a=DATA)[:500], "a truncated zip archive"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page"),
    "html, after blanks": (b"\n\n  <!doctype HTML>\n<p>no", "an HTML page"),
    "html, after a mark": (b"\xef\xbb\xbf<html lang=en>", "an HTML page"),
    "html, its head": (b"<head><title>Sign in</title>", "an HTML page"),
    "text": (b"This is text.\nMore of it.\n", "text of no model format"),
    "csv": (b"a,b,c\r\n1,2,3\r\n", "text of no model format"),
    "json": (b'{"a": [1, 2]}', "text of no model format"),
    "other letters": ("модель ".encode() * 100, "text of no model format"),
    "a letter cut in two by the edge": (("x" + "ж" * 200).encode(), "text of no model format"),
    "four bytes cut by the edge": (("xyz" + "😀" * 100).encode(), "text of no model format"),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_the_bytes_are(tmp_path, name):
    data, said = ROWS[name]
    assert verdict(data).startswith(said)
    (tmp_path / "model.bin").write_bytes(data)
    assert verdict(tmp_path / "model.bin") == verdict(data)


def test_a_database(tmp_path):
    assert verdict(database(tmp_path)) == "an SQLite database"


def test_a_program():
    with open(sys.executable, "rb") as stream:
        head = stream.read(4)
    if head != b"\x7fELF":
        pytest.skip("programs are of another format here")
    assert verdict(sys.executable) == "an ELF binary"


def test_every_mark_has_a_row_here(tmp_path):
    rows = [data for data, _ in ROWS.values()] + [database(tmp_path), b"\x7fELF" + DATA]
    for offset, mark, said in known_formats.MARKS:
        found = [verdict(data) for data in rows if data.startswith(mark, offset)]
        assert found, said
        assert set(found) == {said}
    for start, mark, said in known_formats.WITHIN_HEAD:
        assert said in [verdict(data) for data in rows if data.startswith(start) and mark in data]


@pytest.mark.parametrize("names", [names for names, _ in known_formats.FOLDERS])
def test_every_folder_of_a_known_kind(tmp_path, names):
    for name in (*names, "more.txt"):
        (tmp_path / name).write_bytes(b"")
    said = verdict(tmp_path)
    assert said in [said for wanted, said in known_formats.FOLDERS if wanted <= names]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("keras3_model.h5", "a Keras model in HDF5"),
        ("keras2_model.h5", "a Keras model in HDF5"),
        ("keras3.weights.h5", "Keras weights only, without a model"),
        ("keras2_weights.h5", "Keras weights only, without a model"),
        ("data.h5", "an HDF5 file without a Keras model"),
        ("empty.h5", "an HDF5 file without a Keras model"),
    ],
)
def test_hdf5(file, said):
    with zipfile.ZipFile(HDF5) as files:
        data = files.read(file)
    assert verdict(data).startswith(said)
    assert verdict(data[:-1]).startswith("a truncated HDF5 file")


def test_a_folder_of_pointers(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(LFS)
    assert verdict(tmp_path) == (
        "a folder in which saved_model.pb is a Git LFS pointer; run: git lfs pull"
    )


def test_a_folder_of_versions(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(SAVED)
    assert verdict(tmp_path).endswith("give one, such as 1")


def test_a_folder_of_many_numbers_keeps_few_of_them_open(tmp_path):
    for number in range(300):
        (tmp_path / f"{number:03}").write_bytes(b"")
    with ModelPath.of(tmp_path) as path:
        assert verdicts.verdict(path).startswith("a folder in which no installed binarizer")
        assert len(path.remembered["opened"]) <= 3


def test_a_tar(tmp_path):
    assert verdict(tarred()) == "a tar archive; unpack it"


def test_what_comes_from_a_file_is_shown_and_not_obeyed(tmp_path):
    (tmp_path / "\x1b]0;title\x07").write_bytes(b"")
    (tmp_path / ("long" * 50)).write_bytes(b"")
    assert verdict(tmp_path).isprintable()
    assert verdict(b"text \x0c of a\r\nfile " * 30).isprintable()
    assert len(verdict(tmp_path)) < 500


def test_a_name_is_the_last_word(tmp_path):
    noise = b"\xf0\xf1\xf2\xf3" * 100
    for name, binarizer in (("m.onnx", "onnx"), ("m.PT", "torch"), ("m.bin", None), ("m", None)):
        (tmp_path / name).write_bytes(noise)
        said = verdict(tmp_path / name)
        assert (said and said.binarizer) == binarizer


@pytest.mark.parametrize(
    "name", ["lightgbm", "torch zip", "onnx", "ort", "keras", "saved_model.pb"]
)
def test_a_model_that_its_own_binarizer_does_not_want_is_said_to_be_damaged(name):
    found = verdict(ROWS[name][0])
    assert found.binarizer in OFFICIAL_EXTRAS
    assert "truncated or damaged" in found.refused


def test_a_folder(tmp_path):
    assert verdict(tmp_path) == "an empty folder"
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"")
    assert verdict(tmp_path) == "a folder in which no installed binarizer sees a model (a, b)"
    for number in range(2000):
        (tmp_path / f"c{number:04}").write_bytes(b"")
    said = verdict(tmp_path)
    assert said.startswith("a folder in which no installed binarizer sees a model (")
    assert said.endswith(", …)")
    assert said.count(",") == 5


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle(protocol):
    said = verdict(pickle.dumps(OBJECT, protocol))
    assert said.startswith(f"a pickle (protocol {protocol if protocol > 1 else 0})") or (
        protocol < 2 and said.startswith("a pickle (protocol 0 or 1)")
    )
    assert said.binarizer == "pickle"


@pytest.mark.parametrize("protocol", range(6))
def test_a_truncated_pickle(protocol):
    data = pickle.dumps(OBJECT, protocol)
    said = verdict(data[: len(data) // 2].rstrip(b".") + b"\x01")
    assert said is not None
    assert said.startswith("a pickle or joblib dump")
    assert said.binarizer is None
    assert "STOP" in said


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_number_in_front_of_other_data(protocol):
    data = pickle.dumps(0x1950A86A20F9469CFC6D, protocol) + DATA  # not PyTorch's number
    assert verdict(data).startswith("a pickled number with more data behind it")


@pytest.mark.parametrize(
    "data",
    [b"\xf0\xf1\xf2\xf3" * 100, b"\xff", DATA, b"text, then\0 zeros" + bytes(200), b"\xc3"],
    ids=["noise", "one byte", "all bytes", "zeros behind", "half a letter"],
)
def test_nothing_is_said_of_what_is_not_known(data):
    assert verdict(data) is None


def test_a_tar_is_no_pickle():
    said = verdict(tarred())
    assert said is None or "pickle" not in said


def test_a_mark_further_on_is_no_mark():
    assert verdict(b"\xf0" + gzip.compress(DATA)) is None


class Failing(sources.Memory):
    """Its first and last bytes can be read, and no others."""

    def read(self, offset, n):
        if n > 100:
            raise OSError(5, "Input/output error")
        return super().read(offset, n)


def test_a_source_that_fails_has_no_verdict():
    data = b"PK\x03\x04" + b"x" * 1000
    path = ModelPath(Failing(data), location=None, name="")
    assert path.head
    assert verdicts.verdict(path) is None


def test_a_verdict_has_a_budget_of_its_own():
    path = ModelPath.of(zipped(a=bytes(BUDGET * 2)))
    with pytest.raises(mlup.ProbeError):
        path.read_at(0, BUDGET + 1)
    path.read_at(1, BUDGET)
    assert path.overdrawn
    assert verdicts.verdict(path).startswith("a zip archive")


@given(data=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise(data):
    said = verdict(data)
    assert said is None or said


@given(
    data=st.sampled_from([each for each, _ in ROWS.values()] + [pickle.dumps(OBJECT)]),
    cut=st.integers(0, 600),
)
@settings(max_examples=100, deadline=None)
def test_truncated_bytes_never_raise(data, cut):
    said = verdict(data[:cut])
    assert said is None or said


# -- who hears of it ------------------------------------------------------------------------


@pytest.fixture
def only_core(monkeypatch):
    for name in ("MLUP_STRICT_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    found = [each for each in find_entry_points() if each.distribution == "mlup-core"]
    monkeypatch.setattr(registry, "find_entry_points", lambda: found)
    mlup.refresh()
    yield
    monkeypatch.undo()
    mlup.refresh()


@pytest.mark.usefixtures("only_core")
@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_is_in_the_detection_and_in_the_error(tmp_path, name):
    data, _ = ROWS[name]
    path = os.path.join(tmp_path, "model.bin")
    with open(path, "wb") as stream:
        stream.write(data)
    found = mlup.detect(path)
    assert found.verdict.startswith(verdict(data))
    if verdict(data).binarizer:
        extra = OFFICIAL_EXTRAS[verdict(data).binarizer]
        assert f"pip install 'mlup-core[{extra}]'" in found.verdict
    with pytest.raises(mlup.UnknownModelError) as caught:
        mlup.load(path)
    assert caught.value.verdict == found.verdict
    assert found.verdict.rstrip("?.") in str(caught.value)


@pytest.mark.usefixtures("only_core")
def test_a_pickle_without_its_plugin_says_what_to_install():
    with pytest.raises(mlup.UnknownModelError, match=r"pip install 'mlup-core\[pickle\]'"):
        mlup.load(pickle.dumps(OBJECT))
