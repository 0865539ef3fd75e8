"""From a file to an ``onnxruntime.InferenceSession`` that has a ``predict``."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from typing import Any, BinaryIO, Final

import mlup
from mlup_onnx import ort_format, refusals
from mlup_onnx.checking import path_of, reader_of, refuse_unsafe
from mlup_onnx.external_data import folders_of
from mlup_onnx.feeding import feed
from mlup_onnx.model_contents import Contents
from mlup_onnx.option_values import checked_providers, checked_sess_options

_FORMAT: Final = "session.load_model_format"


@functools.cache
def session_class(full_return: bool) -> Any:
    """A subclass of ``onnxruntime.InferenceSession`` with ``predict``."""
    import onnxruntime

    class PredictingSession(onnxruntime.InferenceSession):  # type: ignore[misc]
        """An ``onnxruntime.InferenceSession`` that takes data as they come."""

        __qualname__ = "PredictingSession"

        def predict(self, *data: Any) -> Any:
            """Run the model.

            Args:
                *data: for one input an array, or nested lists; for several one array per input,
                    alone or in one list. In either case also one dict, by the inputs' names,
                    which may have initializers in it that the model lets be overridden.

            Returns:
                The binarizer ``onnx``: the first output alone where the model has several (a
                classifier's labels), and the list of one where it has one. The binarizer
                ``onnx-full-return``: the list of all outputs.

            Raises:
                PredictError: an input is missing, unknown, or one too many.
                PredictTransformDataError: a value is none of the type that its input wants.
            """
            outputs = self.run(None, feed(self, data))
            return outputs[0] if len(outputs) > 1 and not full_return else outputs

    return PredictingSession


def load(file: mlup.LoadedFile, *, full_return: bool) -> Any:
    """The session, on the options' providers and session options.

    Raises:
        UnsafeModelError: it reaches out of itself in a way that the caller did not allow.
        OptionError: an option's value is of no use.
        ModelBinarizationError: onnxruntime refuses the model, for a reason that is known.
    """
    sessions = session_class(full_return)
    providers = checked_providers(file.options.get("providers"))
    sess_options = checked_sess_options(file.options.get("sess_options"))
    name = "onnx-full-return" if full_return else "onnx"
    try:
        if path_of(file) is not None:
            with file.as_path() as path:
                if file.trust:
                    return _at_path(sessions, file, path, sess_options, providers)
                return _checked(sessions, file, path, sess_options, providers, name)
        with file.open() as stream:
            data = stream.read()
        if not file.trust:
            refuse_unsafe(reader_of(io.BytesIO(data)).read(), file, None, name)
        return sessions(data, sess_options, providers)
    except mlup.MLupError:
        raise
    except Exception as error:  # onnxruntime's errors have no common root
        said = refusals.explained(error, file.on_disk)
        if said is None:
            raise
        raise mlup.ModelBinarizationError(
            f"{file.label} was not loaded by {name}: {said}"
        ) from error


def _checked(
    sessions: Any,
    file: mlup.LoadedFile,
    path: str,
    sess_options: Any,
    providers: Any,
    binarizer: str,
) -> Any:
    """The session of a model in which nothing is refused: what onnxruntime gets is what was read.

    Raises:
        UnsafeModelError: something is refused, or the files changed in the meantime.
    """
    with open(path, "rb") as stream:
        contents = reader_of(stream).read()
        before = _states(stream, path, contents)
        refuse_unsafe(contents, file, path, binarizer)
        opened = f"/proc/self/fd/{stream.fileno()}"
        if not contents.external and os.path.exists(opened):
            session = _named(sessions, file, opened, sess_options, providers, path)
            session._model_path = path  # set_providers() loads it again, when ours is closed
            return session
        # Weights are looked for beside the model's name, so that onnxruntime has to open it.
        session = _at_path(sessions, file, path, sess_options, providers)
        if before != _states(stream, path, contents) or before[0] != before[1]:
            raise mlup.UnsafeModelError(
                "its files were changed while it was loaded", path=file.label, binarizer=binarizer
            )
        return session


def _states(stream: BinaryIO, path: str, contents: Contents) -> list[object]:
    """Which files there are, and when they were last touched, renamed or linked."""
    found = [os.fstat(stream.fileno()), os.stat(path)]
    for location in sorted({each.location for each in contents.external}):
        for folder in folders_of(path):
            with contextlib.suppress(OSError, ValueError):
                found.append(os.stat(os.path.join(folder, location)))
    return [
        (each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns, each.st_ctime_ns)
        for each in found
    ]


def _at_path(
    sessions: Any, file: mlup.LoadedFile, path: str, sess_options: Any, providers: Any
) -> Any:
    try:
        return _named(sessions, file, path, sess_options, providers)
    except Exception as error:  # onnxruntime's errors have no common root
        if not (refusals.is_about_external_data(error) and os.path.islink(path)):
            raise
    # The weights are not beside the link, so they should be beside what it points to.
    return _named(sessions, file, os.path.realpath(path), sess_options, providers)


def _named(
    sessions: Any,
    file: mlup.LoadedFile,
    path: str,
    sess_options: Any,
    providers: Any,
    later: str = "",
) -> Any:
    """Of a path, onnxruntime goes by the name: ``.ort`` is the ORT format, the rest is ONNX.

    ``later`` is the path from which the session may load it again.
    """
    with open(path, "rb") as stream:
        ort = ort_format.is_ort_format(stream.read(8))
    told = {each.lower().endswith(".ort") for each in (path, later or path)}
    if told == {ort} or _says_format(sess_options):
        return sessions(path, sess_options, providers)
    name = "ORT" if ort else "ONNX"
    if sess_options is None:
        import onnxruntime

        sess_options = onnxruntime.SessionOptions()
        sess_options.add_session_config_entry(_FORMAT, name)
        return sessions(path, sess_options, providers)
    if ort == path.lower().endswith(".ort"):
        return sessions(path, sess_options, providers)
    # The caller's options are the caller's, and cannot be copied: the file gets another name.
    with mlup.LoadedFile(path=path).as_path(f".{name.lower()}") as renamed:
        try:
            return sessions(renamed, sess_options, providers)
        except Exception as error:  # onnxruntime's errors have no common root
            if not refusals.is_about_external_data(error):
                raise
            raise mlup.ModelBinarizationError(
                f"{file.label} was not loaded: its weights are in another file, and onnxruntime "
                f"takes its name for another format; rename it to end in .{name.lower()}, or call "
                f"sess_options.add_session_config_entry({_FORMAT!r}, {name!r})"
            ) from error


def _says_format(sess_options: Any) -> bool:
    if sess_options is None:
        return False
    try:
        return bool(sess_options.get_session_config_entry(_FORMAT))
    except RuntimeError:  # it has no such entry
        return False
