"""A text file replaced in one step."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

from mlup.errors import ConfigError


def replace(path: str, text: str, expected: bytes | None = None) -> None:
    """Replace a file in one step: a crash leaves the old one whole.

    A link is followed, so that what it points to is replaced; the file's mode is kept.

    Args:
        path: the file.
        text: what it shall say.
        expected: what it said when it was read; anything else means that somebody else has
            written it meanwhile.

    Raises:
        ConfigError: it cannot be written, or was changed meanwhile. The file is as it was.
    """
    target = os.path.realpath(path)
    temporary = None
    try:
        encoded = text.encode("utf-8")
        mode = _mode(target)
        name = os.path.join(os.path.dirname(target), f".mlup-{secrets.token_hex(8)}.tmp")
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        temporary = name
        with open(descriptor, "wb") as stream:
            stream.write(encoded)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
            if expected is not None and _differs(target, expected):
                raise ConfigError(
                    f"{path} was changed by somebody else since it was read, so it was not saved; "
                    "read it again."
                )
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"The configuration {path} was not saved: {reason}.") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # replaced: nothing is left to remove
                os.unlink(temporary)


def _differs(path: str, expected: bytes) -> bool:
    with open(path, "rb") as stream:
        return stream.read(len(expected) + 1) != expected


def _mode(path: str) -> int | None:
    """The mode of the file that is to be replaced; ``None`` where there is none.

    Raises:
        OSError: it is no regular file.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is not a regular file")
    return stat.S_IMODE(status.st_mode)
