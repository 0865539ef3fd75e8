"""Loading a SavedModel, which TensorFlow takes only as a folder with files of certain names."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import Any, Final

import mlup
from mlup.loaded_file import link
from mlup_tensorflow.saved_checks import checked
from mlup_tensorflow.saved_files import ASSETS, BINARY, INDEX, TEXT, VARIABLES
from mlup_tensorflow.saved_refusals import explained

_BINARY_STARTS: Final = (b"\x08", b"\x12")  # the tags of SavedModel's two fields; no text's


def load(file: mlup.LoadedFile, tags: Any) -> object:
    """The restored object; ``tags`` choose one of several graphs.

    Raises:
        UnsafeModelError: it holds operations that are refused.
        ModelBinarizationError: TensorFlow refused it.
    """
    if file.on_disk is not None and os.path.isdir(file.on_disk):
        names = [
            name for name in (BINARY, TEXT) if os.path.exists(os.path.join(file.on_disk, name))
        ]
        if not names or file.trust:
            return _load_folder(file, file.on_disk, file.on_disk, tags)
        path = os.path.join(file.on_disk, names[0])
        return _load_copy(file, _read(path), names[0], file.on_disk, tags)
    with file.as_path() as path:
        data = _read(path)
        name = BINARY if data[:1] in _BINARY_STARTS else TEXT
        return _load_copy(file, data, name, os.path.dirname(os.path.abspath(path)), tags)


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _load_copy(file: mlup.LoadedFile, data: bytes, name: str, home: str, tags: Any) -> object:
    """Through a temporary folder: with what was checked, under the name that TensorFlow looks for.

    Args:
        file: as the caller gave it.
        data: the message.
        name: that of the format of the message.
        home: the folder with its variables and assets, which are linked.
        tags: of the graph.
    """
    if not file.trust:
        data, name = checked(file, data, name, home), BINARY
    folder = tempfile.mkdtemp(prefix="mlup-")
    kept = False
    try:
        with open(os.path.join(folder, name), "wb") as copy:
            copy.write(data)
        for each in (VARIABLES, ASSETS):
            if os.path.isdir(os.path.join(home, each)):
                link(os.path.abspath(os.path.join(home, each)), os.path.join(folder, each))
        model = _load_folder(file, folder, home, tags)
        if os.path.isdir(os.path.join(folder, ASSETS)):
            # A model may read its assets whenever it is called, by the path they have here.
            weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
            kept = True
        return model
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _load_folder(file: mlup.LoadedFile, folder: str, home: str, tags: Any) -> Any:
    """From a folder; ``home`` is the one that the user knows of."""
    import tensorflow as tf

    try:
        options = None
        if not os.path.exists(os.path.join(folder, INDEX)) and _stateless(folder):
            options = tf.saved_model.LoadOptions(experimental_skip_checkpoint=True)
        return tf.saved_model.load(folder, tags=tags, options=options)
    except Exception as error:  # TensorFlow raises every kind
        reason = explained(error, folder, home if file.on_disk else None)
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by tensorflow-saved: {reason}"
        ) from error


def _stateless(folder: str) -> bool:
    """Whether no object in it has anything to restore; TensorFlow wants an empty checkpoint even so."""
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    graphs = parse_saved_model(folder).meta_graphs
    # Graphs of TensorFlow 1 have no objects; they load without a checkpoint if they need none.
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        return False
    return not any(
        node.HasField("variable") or node.registered_saver or node.saveable_objects
        for node in graphs[0].object_graph_def.nodes
    )
