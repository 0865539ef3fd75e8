"""PyTorch's format before 1.6: five pickles, then the storages' raw data. Is all of it there?

Source: ``torch.serialization._legacy_save``. The pickles are a magic number, a protocol version,
the machine's sizes, the object, and the storages' keys. In the object, a storage is a persistent
id: ``("storage", class, key, location, elements, view)``. Behind the pickles stand, for each
storage, its number of elements in 8 bytes and then its data. Nothing marks the end, so a file
that was cut is only known by adding these up.

Protocol 0 has text for persistent ids, which ``torch.load`` cannot read back: not claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mlup import probe
from mlup_torch.archive import named
from mlup_torch.following import Damaged, TooLong, Unfinished, follow
from mlup_torch.glancing import COUNT, ITEM_SIZES, glanced

if TYPE_CHECKING:
    from mlup import ModelPath

_NUMBER: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001

_WINDOWS: Final = (16 * 1024, 512 * 1024)  # read one after the other while the pickles go on
_MAX_OPCODES: Final = 60_000  # of a file's pickles: those of 1,200 tensors have 40,000


class Legacy(NamedTuple):
    """A file of the older format.

    Attributes:
        whole: all of it is there; otherwise its pickles are too long to tell, or a storage is of
            an unknown class.
        reason: what it is, for the user.
    """

    whole: bool
    reason: str


@probe.reader
def legacy(path: ModelPath) -> Legacy | None:
    """What a file with the magic number is; ``None`` where it was cut or is damaged."""
    data = b""
    for window in _WINDOWS:
        data = path.read_at(0, window)
        found = glanced(data, path.size)
        if found is not None:
            return _whole(*found)
        if len(data) == path.size:
            break
    try:
        return _followed(data, path.size)
    except Damaged:
        return None
    except Unfinished:
        if len(data) == path.size:
            return None
    except TooLong:
        pass
    return Legacy(False, "PyTorch file, format before 1.6, too many pickled bytes to follow")


def _followed(data: bytes, size: int) -> Legacy | None:
    """Add up the pickles and the storages that the file says it has.

    Raises:
        Unfinished: the pickles do not end in ``data``.
        TooLong: they have too many opcodes.
        Damaged: they are none.
    """
    position, left = 0, _MAX_OPCODES
    for expected in (_NUMBER, _VERSION, None):
        pickled = follow(data, position, left)
        if expected is not None and pickled.top != expected:
            return None
        position = pickled.end
        left -= pickled.opcodes
    pickled = follow(data, position, left)
    end = follow(data, pickled.end, left - pickled.opcodes).end
    known = True
    storages = _storages(pickled.persistent)
    for name, elements in storages.values():
        item = ITEM_SIZES.get((name or "").rpartition(".")[2].removesuffix("Storage"))
        known = known and item is not None
        end += COUNT + elements * (item or 1)
    if end > size:
        return None
    found = _whole(pickled.first_name, len(storages))
    return found if known else found._replace(whole=False)


def _whole(first_name: str | None, storages: int) -> Legacy:
    reason = f"PyTorch file{named(first_name)}, format before 1.6 (storages: {storages})"
    return Legacy(True, reason)


def _storages(persistent: list[object]) -> dict[bytes, tuple[str | None, int]]:
    """By key: the class and the number of elements of each storage that is referred to."""
    found: dict[bytes, tuple[str | None, int]] = {}
    for each in persistent:
        match each:
            case (b"storage", (str() | None) as name, bytes(key), _, int(elements), _) if (
                elements >= 0
            ):
                found.setdefault(key, (name, elements))
    return found
