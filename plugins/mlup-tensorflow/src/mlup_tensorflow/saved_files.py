"""What a SavedModel is made of: ``saved_model.pb`` or ``.pbtxt``, and the folder around it.

Sources: ``saved_model.proto`` and ``meta_graph.proto`` of TensorFlow (SavedModel: 1 schema
version, 2 meta graphs; MetaGraphDef: 1 meta info; MetaInfoDef: 4 tags, 5 TensorFlow's version), and
``tensorflow/python/saved_model/loader_impl.py``, which reads the binary file where both are there.
"""

from __future__ import annotations

import os
import re
from typing import Final

import mlup
from mlup import probe

BINARY: Final = "saved_model.pb"
TEXT: Final = "saved_model.pbtxt"
VARIABLES: Final = "variables"
INDEX: Final = os.path.join(VARIABLES, "variables.index")
ASSETS: Final = "assets"

START: Final = b"\x08\x01\x12"  # schema version 1, then a meta graph
TEXT_START: Final = b"saved_model_schema_version"

_TEXT: Final = rb"saved_model_schema_version\s*:\s*1\s+meta_graphs\s*:?\s*[{<]"
_VARINT: Final = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
# The first part of the first graph is its meta info.
_META_INFO: Final = START + _VARINT + rb"\n(" + _VARINT + rb")"
_MAX_VERSION: Final = 40  # bytes of TensorFlow's version
_VERSION: Final = rb"[\w.+-]+"

Found = tuple[float, str]


@probe.reader
def in_binary(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for a SavedModel message that is all there."""
    start = re.match(_META_INFO, path.head)
    if start is None:
        return None
    message = probe.protobuf_fields(path)
    if message is None or not message.complete:
        return None
    if any(field.number > 2 for field in message.fields):
        return None
    graph = message.fields[1]
    size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(start[1]))  # a varint
    if start.end() + size > graph.offset + graph.size:
        return None
    about = probe.protobuf_fields(path, start.end(), size)
    if about is None or not about.complete:
        return None
    version = about.first(5)
    if version is None and about.first(4) is None:
        return None
    return 0.95, f"SavedModel{_of(path, version)}"


def _of(path: mlup.ModelPath, version: probe.ProtobufField | None) -> str:
    if version is None or version.size > _MAX_VERSION:
        return ""
    text = path.read_at(version.offset, version.size)
    return f" of TensorFlow {text.decode()}" if re.fullmatch(_VERSION, text) else ""


@probe.reader
def in_text(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for a SavedModel in protobuf's text format."""
    head, tail = path.edges()
    if (
        not re.match(_TEXT, head)
        or b"\0" in head + tail
        or not tail.rstrip().endswith((b"}", b">"))
    ):
        return None
    return 0.8, "SavedModel in text format"


@probe.reader
def in_folder(path: mlup.ModelPath) -> Found | None:
    """A score and its reason, for a folder. Its variables may be missing; loading says so."""
    names = path.members()
    name = BINARY if BINARY in names else TEXT
    file = path.member(name) if name in names else None
    if file is None:
        return None
    if name == BINARY:
        found = in_binary(file) if file.read_at(0, 3) == START else None
        return found and (found[0], f"folder with a {found[1]}")
    return (0.9, f"folder with a {TEXT}") if in_text(file) else None
