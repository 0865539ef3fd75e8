"""What a refusal of Keras's means, and what to do about it."""

from __future__ import annotations

import ast
import os
import re
import traceback
import zipfile
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import mlup
from mlup import probe
from mlup_tensorflow.configurations import configurations, mappings
from mlup_tensorflow.keras_files import CONFIG, METADATA, WEIGHTS, is_preset
from mlup_tensorflow.keras_path import KerasPath, generation, numbers
from mlup_tensorflow.unknown_arguments import unknown_arguments

_KINDS: Final = "constraint|decay|function|initializer|layer|object|optimizer|regularizer"
_UNKNOWN: Final = (  # Keras's own words; the innermost error's come last in a message
    re.compile(r"Could not (?:locate|deserialize) (class|function) '([^']+)'"),
    re.compile(rf"Unknown ((?:[a-z]+ )?(?:{_KINDS})):? '([\w>.]+|{{.*?}})'"),
    re.compile(r"Cannot deserialize (object) of type `([^`]+)`"),
    re.compile(r"Received: (layer)=(\w+) of type <class 'str'>"),
)
_FUNCTION: Final = re.compile(r"'class_name': 'function', 'config': '([^']+)'")
_CONFIG_OF: Final = "Full object config: "
_NAME: Final = re.compile(r"(?:[\w .-]{1,100}>)?[^\W\d]\w{0,99}")  # a class, or package>class
without_compiling: Final = ', or load it without: options={"compile": False}'
_LINE: Final = 300  # characters of an error that are quoted
_COMPILING: Final = {"compile_from_config", "compile_args_from_training_config"}


class Refusal(NamedTuple):
    """An error of Keras's over a file.

    Attributes:
        label: what to call the file.
        error: what Keras raised.
        at: what Keras was given.
        keras: the version of Keras that refused.
        given: the ``custom_objects``.
    """

    label: str
    error: Exception
    at: KerasPath
    keras: str
    given: Mapping[str, Any]

    def reason(self) -> str | None:
        """What was seen and what to do; ``None`` where Keras's own words are the best."""
        return self.damage() or self.unknown() or self.newer() or self.compiling()

    def explained(self, reason: str) -> mlup.ModelBinarizationError:
        """The error to raise, from Keras's."""
        return mlup.ModelBinarizationError(f"{self.label} was not loaded by tensorflow: {reason}")

    def unknown(self) -> str | None:
        """It names a class or a function that Keras does not know."""
        text = str(self.error)
        found = max(
            (match for pattern in _UNKNOWN for match in pattern.finditer(text)),
            key=re.Match.start,
            default=None,
        )
        if found is None:
            return None
        kind, name = found[1], found[2]
        if name == "function" or name.startswith("{"):  # Keras 2 quotes the configuration of one
            name = next(reversed(_FUNCTION.findall(text)), name)
        key = _registered_name(text) or name if kind == "class" else name
        if self._is_operation(name):
            return (
                f"it calls keras.ops, and Keras does not find the operation {quoted(name)} again "
                "in HDF5; save the model as .keras"
            )
        return (
            f"Keras does not know the {kind} {quoted(name)}; import the module that registers it"
            f"{how_to_give({key: name})}{without_compiling if while_compiling(self.error) else ''}"
        )

    def damage(self) -> str | None:
        """The file is not whole."""
        return {"zip": _zip_damage, "hdf5": _hdf5_damage, "folder": _folder_damage}[self.at.kind](
            self.at.path
        )

    def newer(self) -> str | None:
        """It was saved by a later Keras."""
        saved_by = self.at.saved_by()
        if saved_by is None or numbers(saved_by) <= numbers(self.keras):
            return None
        advice = "pip install -U keras"
        if generation(self.keras) < 3:
            advice = "pip install -U tensorflow, and leave TF_USE_LEGACY_KERAS unset"
        return (
            f"it was saved by Keras {saved_by}, and this is Keras {self.keras} "
            f"({brief(self.error)}); {advice}"
        )

    def compiling(self) -> str | None:
        """The model was there, and its compilation failed."""
        if not while_compiling(self.error):
            return None
        if generation(self.keras) > 2:  # Keras 2 names them
            unknown = unknown_arguments(self.at, self.given)
            if unknown:
                return (
                    f"it was compiled with {', '.join(map(quoted, unknown))}, which Keras does not "
                    "know; import the module that registers it"
                    f"{how_to_give({name: name for name in unknown})}{without_compiling}"
                )
        return (
            f"its optimizer, loss or metrics were not restored: {brief(self.error)}; give what "
            f"is missing in custom_objects{without_compiling}"
        )

    def _is_operation(self, name: str) -> bool:
        """Whether it is one of ``keras.ops``, in HDF5, and no layer of that name."""
        if self.at.kind != "hdf5" or generation(self.keras) < 3:
            return False
        import keras

        return any(
            each.__name__ == name and each.__module__.startswith("keras.src.ops")
            for each in keras.Operation.__subclasses__()
        ) and not any(
            isinstance(each["config"], dict) and "trainable" in each["config"]  # as a layer says
            for each in mappings(configurations(self.at))
            if each.get("class_name") == name and "config" in each
        )


def while_compiling(error: Exception) -> bool:
    """Whether Keras failed over the optimizer, the loss or the metrics of a model."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name in _COMPILING for frame, _ in frames)


def quoted(text: object) -> str:
    """Text from a file, fit to be shown."""
    return repr(str(text)[:_LINE])


def how_to_give(objects: Mapping[str, str]) -> str:
    """What to type to give them; nothing where a file has put something else than names there."""
    if not all(_NAME.fullmatch(str(each)) for pair in objects.items() for each in pair):
        return ""
    items = ", ".join(f'"{key}": {name.rpartition(">")[2]}' for key, name in objects.items())
    return f', or give it: options={{"custom_objects": {{{items}}}}}'


def brief(error: Exception, said: str | None = None) -> str:
    """An error in a line: Keras quotes whole configurations, one inside the other.

    Args:
        error: the error.
        said: its text, where that is not for showing.
    """
    said = str(error) if said is None else said
    said = said.rpartition("Exception encountered: ")[2].partition(_CONFIG_OF)[0].strip()
    line = said.partition("\n")[0]
    if len(line) > _LINE:
        line = f"{line[:_LINE]} …"
    line = line if line.isprintable() else repr(line)
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _registered_name(text: str) -> str | None:
    """Under what name a class would be looked up, from the configuration that Keras quotes."""
    try:
        config = ast.literal_eval(text.rpartition(_CONFIG_OF)[2])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    name = config.get("registered_name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None


def _zip_damage(path: str) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return _missing("archive", set(archive.namelist()))
    except zipfile.BadZipFile as error:
        return f"the archive is cut off or damaged ({error}); get the file again"


def _folder_damage(path: str) -> str | None:
    metadata = os.path.join(path, METADATA)
    if os.path.isfile(metadata):
        with open(metadata, "rb") as file:
            if is_preset(file.read(4096)):
                return "it is a preset of KerasHub; load it with a from_preset() of keras_hub"
    return _missing("folder", set(os.listdir(path)))


def _missing(what: str, names: set[str]) -> str | None:
    if CONFIG not in names:
        return f"the {what} holds no {CONFIG}, so it is no Keras model"
    if WEIGHTS not in names:
        return f"the {what} holds no weights ({WEIGHTS})"
    return None


def _hdf5_damage(path: str) -> str | None:
    root = probe.hdf5_root(path)
    if root is None:
        return "it is neither a .keras archive nor HDF5"
    if root.truncated:
        return (
            f"the HDF5 file is cut off: it has {os.path.getsize(path)} bytes of {root.size}; get "
            "the file again"
        )
    if not root.complete:
        return None
    if "model_config" not in root.attributes:
        return (
            "the HDF5 file holds no model_config; if these are a model's weights, build the model "
            "in Python and call its load_weights()"
        )
    if "model_weights" not in root.links:
        return "the HDF5 file holds a model's configuration, but no weights (model_weights)"
    return None
