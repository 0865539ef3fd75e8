"""What a pickle says of itself: how it starts, where it stops, what stands between its frames.

Facts: PEP 3154 (frames), PEP 574 (protocol 5), ``pickletools``; the padding between frames is
joblib's (``NumpyArrayWrapper.write_array``, since joblib 1.2), but any reader of pickles has to
step over it, so it is found here.
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

from mlup.files import EDGE, ModelPath
from mlup.probe.pickle_opcodes import COUNT_BYTES, LINE, OPCODES, TWO_LINES
from mlup.probe.pickle_walk import Walk, walk
from mlup.probe.remembering import reader

ENOUGH: Final = 6
"""Opcodes after which bytes are believed to be a pickle."""

_LONG: Final = 64 * 1024
_WINDOWS: Final = (4 * 1024, _LONG)  # read one after the other while ENOUGH is not reached
IMPORTS_WITHIN: Final = 512 * 1024
"""Bytes from the beginning in which :func:`pickle_imports` looks."""

_PATIENCE: Final = 150_000  # opcodes that are followed for an import: some 90 ms at worst
_FIRST_WINDOW: Final = 16 * 1024  # enough for most, and much cheaper
_MAX_FRAMES: Final = 1024
_PROTO, _FRAME, _STOP = 0x80, 0x95, ord(".")
_PERSISTENT: Final = b"P"  # an id of something outside the stream: a zip, rather, begins with P
_BLANK: Final = b"\0\r\n\t "


class PickleStart(NamedTuple):
    """What the first opcodes of a pickle stream say.

    Attributes:
        protocol: 2 to 5; 0 for the protocols without a mark of their own (0 and 1).
        frame_end: offset at which the first frame ends (protocols 4 and 5), if there is one.
        stop: offset just behind STOP, where the window held the whole stream.
        first_name: the first ``module.name`` it imports, if it came into sight: mostly the class
            of the object.
        lone_number: the stream is one number, and other bytes follow: a header, not a model.
        truncated: it says that it is longer than the file.
        size: the file's size in bytes.
        ends: the file's last byte is a full stop, and nothing is cut: its STOP, most likely.
            Where it is not, :func:`pickle_stops` looks further.
    """

    protocol: int
    frame_end: int | None
    stop: int | None
    first_name: str | None
    lone_number: bool
    truncated: bool
    size: int
    ends: bool = False

    @property
    def whole(self) -> bool:
        """The first frame ends where the file ends: nothing else can stand in between."""
        return self.frame_end == self.size


class PickleFrames(NamedTuple):
    """What follows the frames of a protocol 4 or 5 stream.

    Attributes:
        end: the offset that was reached.
        after: ``"end"`` (STOP, and the file ends), ``"stop"`` (STOP, and more bytes follow),
            ``"padding"`` (raw data, aligned as joblib does it), ``"other"`` (raw bytes of unknown
            kind), ``"more"`` (only frames so far, too many to follow), ``"cut"`` (truncated).
        clean_until: up to there, nothing but frames: no opcode outside a frame, which raw bytes
            may happen to look like.
    """

    end: int
    after: str
    clean_until: int

    @property
    def clean(self) -> bool:
        """Whether nothing but frames stood in between."""
        return self.clean_until >= self.end


def pickle_start_of(data: bytes, size: int | None = None) -> PickleStart | None:
    """As :func:`pickle_start`, for the first bytes of a stream whose length may be unknown."""
    found = walk(data, size, enough=ENOUGH)
    return _start(found, data, len(data) if size is None else size)


@reader
def pickle_start(path: ModelPath) -> PickleStart | None:
    """The first opcodes of a pickle; ``None`` where the bytes are none.

    Reads the first 100 bytes, and 68 KiB at most where those do not settle it.
    """
    head, size = path.head, path.size
    if not head or OPCODES[head[0]] is None or head[:1] == _PERSISTENT:
        return None
    found, data = walk(head, size, enough=ENOUGH), head
    for window in _WINDOWS:
        undecided = found.valid and not found.cut and found.stop is None
        if not undecided or found.opcodes >= ENOUGH or size <= EDGE:
            break
        data = path.read_at(0, window)
        found = walk(data, size, enough=ENOUGH)
    if found.valid and not (found.protocol or found.numbered or found.stop) and size <= _LONG:
        data = path.read_at(0, size)  # text, or a stream without a memo: only its end can tell
        found = walk(data, size)
    if found.stop is not None and len(data) < size <= found.stop + _LONG:
        data = path.read_at(0, size)  # blanks behind STOP do not unmake a pickle
    return _start(found, data, size, path.tail[-1:] == b".")


def _start(found: Walk, data: bytes, size: int, ends: bool = False) -> PickleStart | None:
    if not found.valid:
        return None
    stop = found.stop
    lone = stop is not None and stop != size and found.number_only
    if found.protocol:
        # Few opcodes do behind a PROTO: one long first string may fill every window.
        if stop is None and found.opcodes < (5 if found.cut else 1):
            return None
    elif not lone and not _text_believed(found, data, size):
        return None
    cut = found.cut
    ends = ends and not cut
    return PickleStart(
        found.protocol, found.frame_end, stop, found.first_name, lone, cut, size, ends
    )


def _text_believed(found: Walk, data: bytes, size: int) -> bool:
    """Protocols 0 and 1 look like text, and text may begin like them.

    So either the whole file is one stream, or there are enough opcodes and a memo number among
    them.
    """
    if found.stop is not None:
        if data[:1] == b"U" and found.opcodes == 2 and not found.numbered:
            return False  # "U6 is …": a letter, a length, and a full stop where it ends
        return len(data) >= size and not data[found.stop :].strip(_BLANK)
    return found.numbered and found.opcodes >= ENOUGH


@reader
def pickle_stops(path: ModelPath) -> bool:
    """Whether the stream reaches its STOP; blanks, zeros or a second stream may follow it."""
    start = pickle_start(path)
    if start is None or start.truncated:
        return False
    if start.ends or start.stop is not None or path.tail.rstrip(_BLANK).endswith(b"."):
        return True
    if start.frame_end is not None:
        return pickle_frames(path).after in ("end", "stop")  # type: ignore[union-attr]
    # No frames to go by: a short stream is walked to its end, a long one without "." is cut.
    return path.size <= _LONG and walk(path.read_at(0, path.size), path.size).stop is not None


@reader
def pickle_frames(path: ModelPath) -> PickleFrames | None:
    """What follows the frames; ``None`` where there is no framed pickle.

    Reads 18 bytes a frame (64 KiB in the streams that ``pickle`` writes), so 1,024 frames cost
    18 KiB.
    """
    start = pickle_start(path)
    if start is None or start.frame_end is None:
        return None
    end, framed, unframed = start.frame_end, True, 0  # where the first unframed opcode stands
    for _ in range(_MAX_FRAMES):
        if end > path.size:
            return PickleFrames(path.size, "cut", unframed or path.size)
        around = path.read_at(end - 1, 18)
        stopped = framed and around[:1] == b"."
        following = around[1:]
        if not following:
            return PickleFrames(end, "end" if stopped else "cut", unframed or end)
        if is_padding(following):
            return PickleFrames(end, "padding", unframed or end)
        code = following[0]
        row = OPCODES[code]
        if row is None or code == _PROTO or row.argument in (LINE, TWO_LINES):
            return PickleFrames(end, "stop" if stopped else "other", unframed or end)
        framed = code == _FRAME
        unframed = unframed or (0 if framed else end)
        if code == _STOP:  # too short for a frame of its own
            return PickleFrames(end + 1, "end" if end + 1 == path.size else "stop", unframed)
        # Large bytes and strings stand between the frames, and so do a few opcodes behind them.
        width = max(row.argument, COUNT_BYTES.get(row.argument, 0))
        number = int.from_bytes(following[1 : 1 + width], "little")
        end += 1 + width + (number if framed or row.argument in COUNT_BYTES else 0)
    return PickleFrames(end, "more", unframed or end)


def is_padding(data: bytes) -> bool:
    """Whether ``data`` begins with joblib's alignment: a count of 1..16, then so many ``ff``."""
    return 1 <= data[0] <= 16 and data[1 : 1 + data[0]] == b"\xff" * data[0]


@reader
def pickle_interleaved(path: ModelPath, *wrappers: str) -> str | None:
    """What shows that raw data stand between the opcodes; ``None``: it is a plain stream.

    Args:
        path: the file.
        wrappers: the ``module.name`` of each class that is written in front of such data.
    """
    start = pickle_start(path)
    if start is None or start.whole:
        return None
    if start.frame_end is not None:
        frames = pickle_frames(path)
        assert frames is not None
        if frames.after == "padding":
            return f"aligned raw data at byte {frames.end}"
        if frames.clean and frames.after in ("end", "stop", "more"):
            return None
        # A wrapper is imported in front of its data, and so in front of the first unframed byte.
        within = min(frames.clean_until, IMPORTS_WITHIN)
    else:
        within = IMPORTS_WITHIN
    name = _imported(path, wrappers, within)
    return f"it imports {name}" if name else None


@reader
def pickle_imports(
    path: ModelPath, names: str | tuple[str, ...], within: int = IMPORTS_WITHIN
) -> bool:
    """Whether the stream's beginning imports one of ``names``; a text that mentions it is none.

    Goes by opcodes.

    Args:
        path: the file.
        names: a ``module.name``, or several.
        within: bytes from the beginning that are looked at; 512 KiB (:data:`IMPORTS_WITHIN`) at
            most.
    """
    asked = (names,) if isinstance(names, str) else names
    return _imported(path, asked, min(within, IMPORTS_WITHIN)) is not None


def _imported(path: ModelPath, names: tuple[str, ...], within: int = IMPORTS_WITHIN) -> str | None:
    for window in (min(_FIRST_WINDOW, within), within):
        data = path.read_at(0, window)
        # Only where both words of a name stand somewhere are the opcodes followed.
        for module, last in _spelled(names):
            if last in data and module in data:
                found = walk(data, path.size, enough=_PATIENCE, until=frozenset(names)).imported
                if found is not None:
                    return found
                break
        if len(data) < window or window == within:
            break
    return None


@functools.cache
def _spelled(names: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    parts = [name.rpartition(".") for name in names]
    return tuple((module.encode(), last.encode()) for module, _, last in parts)
