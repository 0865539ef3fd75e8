"""The structure of a LightGBM text model: header, trees, end. Nothing of it is parsed natively.

Source: ``src/boosting/gbdt_model_text.cpp`` of LightGBM, and files written by 2.0.10 to 4.7.0::

    tree                        the header: lines up to the first blank one
    version=v4                  since 2.0.12 (v2); v3 since 2.3, v4 since 4.0
    num_class=1 …
    tree_sizes=697 732          since 2.0.12: bytes of each tree, line ends included

    Tree=0 …                    the trees, one behind the other

    end of trees                since 2.2

    feature_importances:        "feature importances:" before 3.0
    Column_1=8 …

    parameters:                 since 2.1.2, and only where they are known
    [boosting: gbdt] …

    end of parameters           since 2.2

    parser: … end of parser     since 4.0, and only for a custom parser

    pandas_categorical:null     by the Python package alone, whatever the version; on Windows
                                this line ends as lines do there, all others in a newline
"""

from __future__ import annotations

import bisect
import io
import re
from collections.abc import Callable
from itertools import accumulate
from typing import BinaryIO, Final, NamedTuple

from mlup import ModelPath, probe

BOM: Final = b"\xef\xbb\xbf"

_OPENING: Final = re.compile(
    rb"(\xef\xbb\xbf)?tree(\r?\n)(?:version=(v\d{1,4})|num_class=\d{1,9})\2"
)
_KEYS: Final = (
    b"\nnum_class=",
    b"\nlabel_index=",
    b"\nmax_feature_idx=",
    b"\nfeature_names=",
    b"\nfeature_infos=",
)
_LAST_LINES: Final = (b"end of parameters", b"end of parser", b"end of trees")
_PANDAS: Final = b"pandas_categorical:"
_IMPORTANCE: Final = re.compile(rb"=\d+$|^feature[ _]importances:$")

_WINDOW: Final = 4096  # most headers, and what most models have behind their trees
_HEADER: Final = 512 * 1024  # a detection reads no more of these
_END: Final = 256 * 1024
_MOST_DIGITS: Final = 15  # of a tree's size
_CHUNK: Final = 256 * 1024

Read = Callable[[int, int], bytes]  # up to n bytes from an offset


class IncompleteTextError(ValueError):
    """The text is no whole model. The message says what was seen."""


class TextModel(NamedTuple):
    """What is known of a text model without looking into its trees.

    Attributes:
        version: ``"v2"`` and up; ``""`` before LightGBM 2.0.12.
        native: LightGBM reads the file itself: no byte order mark, no Windows line ends in it, and
            one at its end. Without that LightGBM 4.7 reads on behind what it has of the file.
        header: the header with its last line end; ``b""`` where it is longer than was read.
        start: offset of the first tree, in bytes.
        end: offset of what follows the trees; ``None`` where it lies further back than was read.
        trees: their number, where the header tells.
        measured: the last tree lies where the header says.
        ends: the text ends as LightGBM ends it; ``False``: its last line is too long to tell.
    """

    version: str
    native: bool
    header: bytes
    start: int
    end: int | None
    trees: int | None
    measured: bool
    ends: bool

    def described(self) -> str:
        """In a few words, for the user."""
        said = f"LightGBM text model {self.version or 'of before 2.0.12'}"
        if self.trees is not None:
            said += f", {self.trees} tree{'' if self.trees == 1 else 's'}"
        return said + (", up to its end" if self.ends else ", by its first lines")


@probe.reader
def text_model(path: ModelPath) -> TextModel | None:
    """What a detection may know; ``None`` for what is no whole text model.

    Reads the header, what is behind the trees, and the first line of the last tree: 8 KiB for
    most models, 0.8 MiB at most.
    """
    try:
        return survey(path.read_at, path.size, _HEADER, _END)
    except IncompleteTextError:
        return None


def check(stream: BinaryIO) -> TextModel:
    """Make sure that LightGBM finds its way through the text in ``stream``, from its beginning.

    What :func:`survey` sees, each tree where it should be, parameters that are some, and no zero
    byte.

    Raises:
        IncompleteTextError: it does not.
        UnicodeDecodeError: the names of the features are not UTF-8.
    """

    def read(offset: int, n: int) -> bytes:
        stream.seek(offset)
        return stream.read(n)

    size = stream.seek(0, io.SEEK_END)
    model = survey(read, size, size + 1, size)
    model.header.decode()
    _look_through(read, size, starts_of(model))
    if model.end is not None:
        _check_parameters(read(model.end, size - model.end))
    return model


def survey(read: Read, size: int, most_of_header: int, most_of_end: int) -> TextModel:
    """Find the parts of a text of ``size`` bytes, whatever the number of trees.

    Args:
        read: gives bytes of it.
        size: its length.
        most_of_header: bytes that are looked through for the end of the header, at most.
        most_of_end: bytes that are looked through for the end of the trees, at most.

    Raises:
        IncompleteTextError: something is missing, or is not where it should be.
    """
    first = read(0, _WINDOW)
    opening = _OPENING.match(first)
    if opening is None:
        raise IncompleteTextError(
            f"it begins with {first[:24]!r}, not with the lines 'tree' and 'version=v…'"
        )
    newline = opening[2]
    header = _header(read, first, newline, most_of_header)
    for key in _KEYS if header else ():
        if key not in header:
            raise IncompleteTextError(f"its header has no line {key.decode().strip()}…")
    start = len(header) + len(newline)
    sizes = _tree_sizes(header)
    trees = None if sizes is None else sizes.count(b" ") + 1 if sizes else 0
    behind, end, old = _end_of_trees(read, size, most_of_end)
    measured = False
    if newline == b"\n" and sizes is not None and end is not None:  # sizes count short line ends
        _measure(read, sizes, start, end)
        measured = True
    return TextModel(
        version=(opening[3] or b"").decode(),
        native=newline == b"\n" and not opening[1] and behind.endswith(b"\n"),
        header=header,
        start=start,
        end=end,
        trees=trees,
        measured=measured,
        ends=_ends(behind, newline, end is not None, old),
    )


def _header(read: Read, data: bytes, newline: bytes, most: int) -> bytes:
    """The lines in front of the first blank one; ``b""``: they are ``most`` bytes or more."""
    while (end := data.find(newline * 2)) < 0:
        if len(data) >= most:
            return b""
        more = read(len(data), min(3 * len(data), most - len(data)))
        if not more:
            raise IncompleteTextError("it ends within its header")
        data += more
    return data[: end + len(newline)]


def _tree_sizes(header: bytes) -> bytes | None:
    """The value of the line ``tree_sizes=``: numbers, one blank between two of them."""
    at = header.find(b"\ntree_sizes")
    if at < 0:
        return None
    _, equals, value = header[at + 1 : header.index(b"\n", at + 1)].rstrip().partition(b"=")
    if not equals or value.translate(None, b"0123456789 "):
        raise IncompleteTextError("its line tree_sizes=… holds no sizes")
    return value


def _end_of_trees(read: Read, size: int, most: int) -> tuple[bytes, int | None, bool]:
    """(what was read of the end, offset of what follows the trees, whether that is before 2.2)."""
    window = _WINDOW
    while True:
        offset = max(0, size - min(window, most))
        data = read(offset, size - offset)
        at = data.rfind(b"\nend of trees")
        if at >= 0:
            return data, offset + at + 1, False
        at = data.rfind(b"\nfeature importances:")
        if data.rfind(b"\nTree=") > at:
            raise IncompleteTextError("it ends within its trees")
        # In 2.2 and 2.3 "end of trees" comes before it, and may be just in front of the window.
        if at >= len(b"\nend of trees\r\n") or (at >= 0 and not offset):
            return data, offset + at, True
        if window >= min(most, size):
            return data, None, False
        window *= 4


def _measure(read: Read, sizes: bytes, start: int, end: int) -> None:
    """Make sure that the last tree is the one that the header says."""
    last = sizes[sizes.rfind(b" ") + 1 :]
    mark = b"Tree=%d\n" % sizes.count(b" ")
    if not sizes:
        right = end == start
    elif len(last) > _MOST_DIGITS or not start <= (at := end - int(last)) <= end:
        right = False
    else:
        right = read(at, len(mark)) == mark
    if not right:
        raise IncompleteTextError(f"its trees, up to byte {end}, are not those of tree_sizes=")


def _ends(behind: bytes, newline: bytes, found: bool, old: bool) -> bool:
    """Whether ``behind`` ends as LightGBM does; ``False``: its last line began before it."""
    text = behind.rstrip()
    at = text.rfind(b"\n") + 1
    line = text[at:]
    if line in _LAST_LINES:
        return True
    if line.startswith(_PANDAS):
        value = line[len(_PANDAS) :].strip()
        if value in (b"null", b"[]") or (value.startswith(b"[[") and value.endswith(b"]]")):
            return True
    elif not at and line.endswith(b"]]"):
        return False
    elif found and behind.endswith(newline):
        # Any cut leaves these sections looking like an end; at least their last line is whole.
        if _IMPORTANCE.search(line):
            return True
        if old and line.startswith(b"[") and behind.endswith(b"]" + newline * 2):
            return True  # parameters of 2.1.2, without an end of their own
    raise IncompleteTextError(f"it ends in {behind[-40:]!r}")


def starts_of(model: TextModel) -> list[int]:
    """Where each tree begins; nothing where the header does not tell. Raises as :func:`check`."""
    sizes = _tree_sizes(model.header)
    if sizes is None or not model.measured:
        return []
    try:
        starts = list(accumulate(map(int, sizes.split()), initial=model.start))
    except ValueError as error:  # more digits than int() takes
        raise IncompleteTextError("its line tree_sizes=… holds no sizes") from error
    if starts.pop() != model.end:
        raise IncompleteTextError(
            f"its trees end at byte {model.end}, and not where tree_sizes=… says"
        )
    return starts


def _look_through(read: Read, size: int, starts: list[int]) -> None:
    """One pass over the text: no byte is zero, and trees begin at ``starts``."""
    mark = b"Tree="
    number = 0
    for base in range(0, size, _CHUNK):
        chunk = read(base, _CHUNK + len(mark) - 1)
        if b"\0" in chunk:
            at = base + chunk.index(b"\0")
            raise IncompleteTextError(f"at byte {at} stands a zero, which no text has")
        following = bisect.bisect_left(starts, base + _CHUNK, number)
        for at in starts[number:following]:
            if not chunk.startswith(mark, at - base):
                raise IncompleteTextError(f"no tree begins at byte {at}, where tree_sizes=… says")
        number = following


def _check_parameters(behind: bytes) -> None:
    """Make sure that each parameter has a name and a value: LightGBM does not."""
    inside = False
    for line in behind.replace(b"\r", b"\n").split(b"\n"):
        if line == b"parameters:":
            inside = True
        elif line == b"end of parameters":
            return
        elif inside and line and len(list(filter(None, line.split(b":")))) < 2:
            raise IncompleteTextError(f"among its parameters stands {line[:40]!r}")
