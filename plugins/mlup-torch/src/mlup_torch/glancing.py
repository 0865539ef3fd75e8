"""The ordinary file of the older format, added up by looking for its storages' persistent ids alone.

Following every opcode costs 0.3 µs each, and a model has thousands. What torch wrote by default
(protocol 2, on Python 3) shows its persistent ids to a regular expression, and if the storages so
found and the pickles make up the file's very size, nothing is missing. If they do not, nothing is
said, and :mod:`mlup_torch.following` decides. What stands between the beginning of the object's
pickle and the keys is not checked any further. Repetitions are limited: the time is linear.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from mlup_torch.marks import MAGIC

_FIRST: Final = 4096  # bytes of the object's pickle that are looked through for its first import

COUNT: Final = 8
"""Bytes in front of a storage's data: its number of elements."""

ITEM_SIZES: Final = {
    **dict.fromkeys(("Byte", "Char", "Bool", "Untyped", "QInt8", "QUInt8"), 1),
    **dict.fromkeys(("QUInt4x2", "QUInt2x4"), 1),
    **dict.fromkeys(("Short", "Half", "BFloat16"), 2),
    **dict.fromkeys(("Int", "Float", "QInt32"), 4),
    **dict.fromkeys(("Long", "Double", "ComplexFloat"), 8),
    "ComplexDouble": 16,
}
"""``…Storage`` → bytes of an element. New types have no class of their own (``UntypedStorage``)."""

_PUT: Final = rb"(?:q.|r.{4})"
_KEY: Final = rb"X.\0\0\0(\d{1,24})" + _PUT
_PATTERNS: Final = (
    # the magic number, the version 1001, the machine's sizes in any order (with byte strings if
    # Python 2 wrote it), and the object's PROTO with an opcode that an object can begin with
    rb"\x80([\2\3])"
    + re.escape(MAGIC)
    + rb"\x80\1M\xe9\x03\.\x80\1\}(?:q.)?\("
    + rb"(?:(?:X.\0\0\0|U.)(?:protocol_version|little_endian|type_sizes|short|int|long)(?:q.)?"
    + rb"(?:M..|K.|[\x88\x89]|\}(?:q.)?\()u?){6}u?\."
    + rb"\x80\1(?=[]})(NKMJGXTUBC\x88-\x8b]|c[\w.]{1,100}\n[\w.]{1,100}\n)",
    # key, location, elements, and no view: what follows the class in a storage's persistent id
    _KEY + rb"(?:X.\0\0\0[\w:]{1,40}" + _PUT + rb"|h.|j.{4})(?:K(.)|M(..)|J(.{4}))Nt" + _PUT + b"Q",
    # the class, where it stands for the first time
    rb"ctorch(?:\.cuda)?\n(\w{1,20})Storage\n(?:q(.)|r(.{4}))\Z",
    # the object's STOP, and the list of keys
    rb"\.\x80[\2\3]\](?:q\0)?(?:\((?:" + _KEY + rb")+e|" + _KEY + rb"a)*\.",
    # an import
    rb"c([\w.]{1,100})\n(\w{1,100})\n",
)


@functools.cache
def _compiled() -> tuple[re.Pattern[bytes], ...]:
    return tuple(re.compile(each, re.DOTALL) for each in _PATTERNS)


def glanced(data: bytes, size: int) -> tuple[str | None, int] | None:
    """The first import and the number of storages of a file, all of whose ``size`` is explained.

    Args:
        data: its beginning.
        size: its length in bytes.
    """
    header, storage, named, keys, imported = _compiled()
    begun = header.match(data)
    last = keys.search(data, begun.end()) if begun else None
    if begun is None or last is None:
        return None
    classes: dict[bytes, int] = {}  # by the GET that stands for it; of each, an element's size
    storages: dict[bytes, int] = {}
    for found in storage.finditer(data, begun.end(), last.start()):
        at = found.start()
        item = classes.get(data[at - 2 : at]) or classes.get(data[at - 5 : at])
        if item is None:
            new = named.search(data, at - 60, at)
            item = ITEM_SIZES.get(new[1].decode()) if new else None
            if new is None or item is None:
                return None
            classes[b"h" + new[2] if new[2] else b"j" + new[3]] = item
        key, *elements = found.groups()
        count = int.from_bytes(elements[0] or elements[1] or elements[2], "little")
        storages.setdefault(key, COUNT + count * item)
    if last.end() + sum(storages.values()) != size:
        return None
    first = imported.search(data, begun.end(), min(begun.end() + _FIRST, last.start()))
    return first and b".".join(first.groups()).decode(), len(storages)
