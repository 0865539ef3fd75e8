"""Bounded readers of file structure, for plugins whose format shares its first bytes with others.

Every probe takes what ``score`` was given as ``path``, or a plain ``str`` or ``os.PathLike`` (so
that a plugin can be tried without mlup around it), reads through ``path.read_at`` only, and
returns ``None`` for foreign bytes instead of raising. A result is remembered on the path: five
plugins that ask for one zip directory cost one read.

``zip_directory``
    the records of a zip archive, from its central directory
``protobuf_fields``
    the fields of a protobuf message, one level deep; lengths are skipped, not read
``hdf5_root``, ``hdf5_text``
    the names of the attributes and members at the root of an HDF5 file; the text of an attribute
``pickle_start``
    the first opcodes of a pickle: protocol, first frame, first imported name
``pickle_stops``, ``pickle_frames``, ``pickle_imports``, ``pickle_interleaved``
    whether the stream ends, what stands between its frames, what it imports, and whether raw data
    stand between its opcodes
``reader``
    decorates a reader of your own, so that it does the same
``pickle_start_of``
    ``pickle_start`` for bytes at hand, such as an inflated piece
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mlup.probe.hdf5 import Hdf5Root, hdf5_root, hdf5_text
    from mlup.probe.pickles import (
        IMPORTS_WITHIN,
        PickleFrames,
        PickleStart,
        pickle_frames,
        pickle_imports,
        pickle_interleaved,
        pickle_start,
        pickle_start_of,
        pickle_stops,
    )
    from mlup.probe.protobufs import ProtobufField, ProtobufMessage, protobuf_fields
    from mlup.probe.remembering import reader
    from mlup.probe.zips import ZipDirectory, ZipRecord, zip_directory

_HOME: Final[dict[str, str]] = {
    "Hdf5Root": "hdf5",
    "hdf5_root": "hdf5",
    "hdf5_text": "hdf5",
    "ProtobufField": "protobufs",
    "ProtobufMessage": "protobufs",
    "protobuf_fields": "protobufs",
    "IMPORTS_WITHIN": "pickles",
    "PickleFrames": "pickles",
    "PickleStart": "pickles",
    "pickle_frames": "pickles",
    "pickle_imports": "pickles",
    "pickle_interleaved": "pickles",
    "pickle_start": "pickles",
    "pickle_start_of": "pickles",
    "pickle_stops": "pickles",
    "reader": "remembering",
    "ZipDirectory": "zips",
    "ZipRecord": "zips",
    "zip_directory": "zips",
}

__all__ = [
    "IMPORTS_WITHIN",
    "Hdf5Root",
    "PickleFrames",
    "PickleStart",
    "ProtobufField",
    "ProtobufMessage",
    "ZipDirectory",
    "ZipRecord",
    "hdf5_root",
    "hdf5_text",
    "pickle_frames",
    "pickle_imports",
    "pickle_interleaved",
    "pickle_start",
    "pickle_start_of",
    "pickle_stops",
    "protobuf_fields",
    "reader",
    "zip_directory",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'mlup.probe' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlup.probe.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
