"""Loading a SavedModel, which TensorFlow takes only as a folder with files of certain names."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import Any, Final

import mlup
from mlup.loaded_file import link
from mlup_tensorflow.saved_files import ASSETS, BINARY, INDEX, TEXT, VARIABLES
from mlup_tensorflow.saved_refusals import explained

_BINARY_STARTS: Final = (b"\x08", b"\x12")  # the tags of SavedModel's two fields; no text's


def load(file: mlup.LoadedFile, tags: Any) -> object:
    """The restored object; ``tags`` choose one of several graphs.

    Raises:
        ModelBinarizationError: TensorFlow refused it.
    """
    if file.on_disk is not None and os.path.isdir(file.on_disk):
        return _load_folder(file, file.on_disk, file.on_disk, tags)
    with file.as_path() as path:
        with open(path, "rb") as stream:
            name = BINARY if stream.read(1) in _BINARY_STARTS else TEXT
        folder, own_name = os.path.split(os.path.abspath(path))
        # Where both are there, TensorFlow reads the binary one.
        hidden = name == TEXT and os.path.exists(os.path.join(folder, BINARY))
        if own_name == name and not hidden:
            return _load_folder(file, folder, folder, tags)
        return _load_linked(file, path, name, tags)


def _load_linked(file: mlup.LoadedFile, path: str, name: str, tags: Any) -> object:
    """Through a temporary folder, where the file has the name that TensorFlow looks for."""
    home = os.path.dirname(os.path.abspath(path))
    folder = tempfile.mkdtemp(prefix="mlup-")
    kept = False
    try:
        link(os.path.abspath(path), os.path.join(folder, name))
        for each in (VARIABLES, ASSETS):
            if os.path.isdir(os.path.join(home, each)):
                link(os.path.join(home, each), os.path.join(folder, each))
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
