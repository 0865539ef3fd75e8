"""What a refusal of Keras's means, and what to do about it."""

from __future__ import annotations

import ast
import os
import re
import traceback
import zipfile
from typing import Final, NamedTuple

import mlup
from mlup import probe
from mlup_tensorflow.keras_files import CONFIG, WEIGHTS
from mlup_tensorflow.keras_path import KerasPath

_KINDS: Final = "constraint|decay|function|initializer|layer|object|optimizer|regularizer"
_UNKNOWN: Final = (  # Keras's own words; the innermost error's come last in a message
    re.compile(r"Could not (?:locate|deserialize) (class|function) '([^']+)'"),
    re.compile(rf"Unknown ((?:[a-z]+ )?(?:{_KINDS})):? '([\w>.]+|{{.*?}})'"),
    re.compile(r"Cannot deserialize (object) of type `([^`]+)`"),
    re.compile(r"Received: (layer)=(\w+) of type <class 'str'>"),
)
_FUNCTION: Final = re.compile(r"'class_name': 'function', 'config': '([^']+)'")
_CONFIG_OF: Final = "Full object config: "
_LINE: Final = 300  # characters of an error that are quoted
_COMPILING: Final = {"compile_from_config", "compile_args_from_training_config"}


class Refusal(NamedTuple):
    """An error of Keras's over a file.

    Attributes:
        label: what to call the file.
        error: what Keras raised.
        at: what Keras was given.
        keras: the version of Keras that refused.
    """

    label: str
    error: Exception
    at: KerasPath
    keras: str

    def reason(self) -> str | None:
        """What was seen and what to do; ``None`` where Keras's own words are the best."""
        return self.code() or self.damage() or self.unknown() or self.newer() or self.compiling()

    def explained(self, reason: str) -> mlup.ModelBinarizationError:
        """The error to raise, from Keras's."""
        return mlup.ModelBinarizationError(f"{self.label} was not loaded by tensorflow: {reason}")

    def code(self) -> str | None:
        """Its safe mode refused it."""
        text = str(self.error)
        if "safe_mode=False" not in text or "ambda" not in text:
            return None
        said = (
            "it holds a Python lambda, which is code, and Keras's safe mode refuses that; save the "
            "model again with a registered function in its place"
        )
        if self.at.kind == "hdf5":  # Keras offers no way that load_model would go by
            return said
        where = "config" if generation(self.keras) > 2 else "__internal__"
        return (
            f"{said}, or, if you trust the file, call "
            f"keras.{where}.enable_unsafe_deserialization() before you load it"
        )

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
        return (
            f"Keras does not know the {kind} {name!r}; import the module that registers it, or "
            f'give it: options={{"custom_objects": {{"{key}": {name.rpartition(">")[2]}}}}}'
        )

    def damage(self) -> str | None:
        """The file is not whole."""
        return {"zip": _zip_damage, "hdf5": _hdf5_damage, "folder": _folder_damage}[self.at.kind](
            self.at.path
        )

    def newer(self) -> str | None:
        """It was saved by a later Keras."""
        saved_by = self.at.saved_by()
        if saved_by is None or _numbers(saved_by) <= _numbers(self.keras):
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
        return (
            f"its optimizer, loss or metrics were not restored: {brief(self.error)}; give what "
            "is missing in custom_objects, or load it without them: "
            'options={"compile": False}'
        )


def while_compiling(error: Exception) -> bool:
    """Whether Keras failed over the optimizer, the loss or the metrics of a model."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name in _COMPILING for frame, _ in frames)


def brief(error: Exception) -> str:
    """An error in a line: Keras quotes whole configurations, one inside the other."""
    said = str(error).rpartition("Exception encountered: ")[2].partition(_CONFIG_OF)[0].strip()
    line = said.partition("\n")[0]
    if len(line) > _LINE:
        line = f"{line[:_LINE]} …"
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def generation(version: str) -> int:
    """The first number of a version; 0 where there is none."""
    return _numbers(version)[0]


def _numbers(version: str) -> tuple[int, int]:
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", version)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


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
