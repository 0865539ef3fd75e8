"""A walk over pickle opcodes that runs nothing: is this a pickle, and what does it say of itself?

It follows the stack's depth, the marks and the memo, so that random bytes and plain text are
told from a pickle within a dozen opcodes. Nothing is built and nothing is imported.
"""

from __future__ import annotations

from typing import Final

from mlup.probe.pickle_opcodes import (
    ANYTHING,
    COUNT1,
    COUNT_BYTES,
    LINE,
    OPCODES,
    PUSH_MARK,
)

MAX_OPCODES: Final = 1_000_000
"""Opcodes that one walk follows, at most, where its data are not shorter."""

MAX_MEMO: Final = 100_000
"""Entries of the memo at which a walk ends: it is the only thing here that grows."""

MAX_NAME: Final = 200
"""Characters of an imported name, at most; a longer one is not shown and not compared."""

MAX_TEXT: Final = 256
"""Bytes of a text argument that are decoded."""

MAX_LINE: Final = 64 * 1024
"""Bytes of a text argument (protocols 0 and 1) that are looked through for its newline."""

_PROTO, _FRAME, _STOP = 0x80, 0x95, ord(".")
_STACK_GLOBAL, _MEMOIZE = 0x93, 0x94
_FLOAT, _STRING, _NONE = ord("F"), ord("S"), ord("N")
_IMPORTS: Final = frozenset(map(ord, "ci"))
_TEXT_INDEX: Final = frozenset(map(ord, "gp"))
_MARKED: Final = frozenset(range(0x81, 0x99)) | frozenset(b"BC")  # never without a PROTO
# How protocols 0 and 1 make any instance; the class comes after it.
_PLUMBING: Final = frozenset(("copy_reg._reconstructor", "copyreg._reconstructor"))
_NUMBERS: Final = frozenset(map(ord, "ILJKM")) | {0x8A, 0x8B}

# What an opcode needs beside its row: most need nothing, and skip all of it.
_PLAIN, _SPECIAL, _UTF8, _PUT, _GET, _IMPORT, _STACK_IMPORT, _LINE = range(8)
_KINDS: Final = {
    **dict.fromkeys((_PROTO, _FRAME, _STOP), _SPECIAL),
    **dict.fromkeys(map(ord, "X\x8c\x8d"), _UTF8),
    **dict.fromkeys(map(ord, "pqr\x94"), _PUT),
    **dict.fromkeys(map(ord, "ghj"), _GET),
    **dict.fromkeys(_IMPORTS, _IMPORT),
    **dict.fromkeys(map(ord, "ILFS"), _LINE),
    _STACK_GLOBAL: _STACK_IMPORT,
}
_ROWS: Final = tuple(
    None
    if row is None
    else (row.argument, row.pops, row.pushes, row.below, _KINDS.get(code, _PLAIN))
    for code, row in enumerate(OPCODES)
)


class Walk:
    """How far a walk came.

    Attributes:
        valid: no opcode so far was impossible.
        protocol: 2 to 5 as PROTO says; 0 where there is no PROTO (protocols 0 and 1).
        opcodes: how many were followed. PROTO, FRAME, MARK and NONE are not counted (text has runs
            of "(" and of "N"); what no noise spells counts as four: an import behind a PROTO, a
            memo number in its turn where there is none.
        numbered: a memo number stood where the next one was due.
        stop: the offset just behind STOP, if it was reached.
        frame_end: where the first frame ends, if one was declared.
        cut: an argument or a frame runs past the end of the data: truncated.
        number_only: everything followed so far pushed one number.
        first_name: the first ``module.name`` that GLOBAL, INST or STACK_GLOBAL import, beside the
            plumbing of protocols 0 and 1.
        imported: which of the names that were asked for is imported.
    """

    valid = True
    protocol = 0
    opcodes = 0
    stop: int | None = None
    frame_end: int | None = None
    cut = False
    number_only = True
    numbered = False
    first_name: str | None = None
    imported: str | None = None

    def take(self, module: str, name: str, until: frozenset[str]) -> None:
        """Note an import. Only names are kept that a person could have written."""
        if len(module) + len(name) <= MAX_NAME:
            full = f"{module}.{name}"
            if full in until:
                self.imported = full
            if self.first_name is None and full not in _PLUMBING and full.isprintable():
                self.first_name = full


def walk(
    data: bytes,
    size: int | None,
    *,
    enough: int = MAX_OPCODES,
    until: frozenset[str] = frozenset(),
) -> Walk:
    """Follow the opcodes in ``data``, the first bytes of a stream of ``size`` bytes.

    One loop over the table, its state in locals: this runs for every file that begins like a
    pickle, and is most of what a detection costs.

    Args:
        data: a window from the stream's beginning.
        size: the whole stream's length; ``None``: unknown.
        enough: go no further than so many opcodes.
        until: go no further once one of these ``module.name`` is imported.
    """
    found = Walk()
    limit = size if size is not None else 1 << 64
    found.valid = _follow(found, data, limit, enough, until)
    return found


def _follow(found: Walk, data: bytes, limit: int, most: int, until: frozenset[str]) -> bool:
    """The loop of :func:`walk`; ``False`` where an opcode cannot stand where it does."""
    depth = 0  # the unpickler's stack, as the number of items above its last mark,
    marks: list[int] = []  # and above each mark under that one
    memo: dict[int, str | None] = {}
    top: str | None = None  # the two topmost items, where they are texts
    below: str | None = None
    position, length = 0, len(data)
    if data[:1] == b"\x80":
        found.protocol = data[1] if length > 1 else 0
        if not 2 <= found.protocol <= 5:
            return False
        position = 2
    while position < length:
        code = data[position]
        row = _ROWS[code]
        if row is None or (code in _MARKED and not found.protocol):
            return False
        argument, pops, pushes, under, kind = row
        start = position + 1
        end = start + argument
        if argument == COUNT1 and start < length:
            end = start + 1 + data[start]
            start += 1
        elif argument < 0:
            start, end = _span(data, start, argument)
            if end < 0:  # a newline or a length that the window does not hold
                found.cut = length >= limit
                return argument <= COUNT1 or length - start <= MAX_LINE
        if end > limit:
            found.cut = True
            return True
        if end > length and argument > COUNT1:
            return True  # cut by the window, not by the file
        text = None
        if kind == _PLAIN:
            pass
        elif kind == _UTF8:
            try:
                text = data[start : end if end - start < MAX_TEXT else start + MAX_TEXT].decode()
            except UnicodeDecodeError:
                if not _lenient(data[start : min(end, start + MAX_TEXT)], end <= length):
                    return False
        elif kind == _PUT:
            if code == _MEMOIZE:
                index = len(memo)
            else:
                index = data[start] if argument == 1 else _index(code, data[start:end])
            if depth < 1 or index < 0:
                return False
            # A pickler numbers its memo in turn; text and noise do not.
            in_turn = 0 <= index - len(memo) <= 1  # Python 2's cPickle began with 1
            found.numbered = found.numbered or in_turn
            found.opcodes += 4 if in_turn and not found.protocol else 1
            memo[index] = top
            position = end
            if found.opcodes >= most or len(memo) >= MAX_MEMO:
                return True
            continue
        elif kind == _GET:
            index = data[start] if argument == 1 else _index(code, data[start:end])
            if index not in memo:
                return False
            text = memo[index]
        elif kind == _STACK_IMPORT:
            if below and top:
                found.take(below, top, until)
                found.opcodes += 3
        elif kind == _SPECIAL:
            if code == _STOP:
                found.opcodes += 1
                if depth != 1 or marks or end < (found.frame_end or 0):  # STOP ends its frame
                    return False
                found.stop = end
                return True
            if code == _PROTO or end > length:
                return code == _FRAME  # a PROTO stands at the beginning only
            frame_end = end + int.from_bytes(data[start:end], "little")
            if found.frame_end is None:
                found.frame_end = frame_end
            found.cut = found.cut or frame_end > limit
            position = end
            continue
        elif not _line_fits(code, data[start:end], found, until):
            return False
        elif kind == _IMPORT and found.protocol:
            found.opcodes += 3

        if pops >= 0:
            if depth < pops:
                return False
            depth += pushes - pops
        elif pops == PUSH_MARK:
            marks.append(depth)
            depth = 0
        elif pops == ANYTHING and depth:
            depth -= 1
        elif not marks or marks[-1] < under:
            return False
        else:  # TO_MARK, or a POP of the mark itself
            depth = marks.pop() + pushes
        if pushes:
            below, top = top, text
        else:
            below = top = None
        if pops != PUSH_MARK and code != _NONE:
            found.opcodes += 1
        if found.number_only:
            found.number_only = code in _NUMBERS
        if found.opcodes >= most or found.imported is not None:
            return True
        position = end
    found.cut = found.cut or position >= limit
    return True


def _span(data: bytes, start: int, argument: int) -> tuple[int, int]:
    """Where a variable argument begins and ends (with its newline); end -1: not in the window."""
    width = COUNT_BYTES.get(argument)
    if width is not None:
        count = data[start : start + width]
        if len(count) < width:
            return start, -1
        start += width
        return start, start + int.from_bytes(count, "little")
    end = data.find(b"\n", start, start + MAX_LINE)
    if end >= 0 and argument != LINE:
        end = data.find(b"\n", end + 1, end + 1 + MAX_LINE)
    return start, end + 1 if end >= 0 else -1


def _lenient(piece: bytes, whole: bool) -> bool:
    """Whether it is text all the same: with a lone surrogate, or cut in the midst of a letter."""
    try:
        piece.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        cut = len(piece) == MAX_TEXT or not whole
        return cut and error.start >= len(piece) - 3
    return True


def _index(code: int, argument: bytes) -> int:
    """The memo index of a PUT or GET; -1 where the text is no number."""
    if code not in _TEXT_INDEX:
        return int.from_bytes(argument, "little")
    text = argument.rstrip()
    return int(text) if text.isdigit() and len(text) < 20 else -1


def _line_fits(code: int, argument: bytes, found: Walk, until: frozenset[str]) -> bool:
    """Whether a text argument looks as its opcode wants it; imports are taken down."""
    text = argument.decode("utf-8", "replace").rstrip()
    if code in _IMPORTS:
        module, _, name = text.partition("\n")
        found.take(module, name, until)
        # A script's own file name may be a module's name: anything without blanks is one.
        return (
            module.isprintable()
            and bool(module)
            and " " not in module
            and name.replace(".", "_").isidentifier()
        )
    if code == _STRING:
        return len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if code == _FLOAT:
        try:
            float(text)
        except ValueError:
            return False
        return True
    return text.removesuffix("L").removeprefix("-").isdigit()
