"""Small files that ask for much: memory, time, depth."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from attacks.assembler import Call, Code, New, Ref, code, stream, text
from attacks.case import ANY, REFUSED, Case
from attacks.listed import _F8, _NDARRAY, _O, _RECONSTRUCT, _SCALAR, _array, _dtype

_BIG = 10_000_000_000
_LIST, _TUPLE, _SET = (Ref("builtins", name) for name in ("list", "tuple", "set"))
_RANGE, _ORDERED = Ref("builtins", "range"), Ref("collections", "OrderedDict")
_MILLION = 1_000_000
_MEGA = 10_000_000


def _q(value: int) -> bytes:
    return struct.pack("<Q", value)


def _hashing(end: bytes, levels: int = 60) -> bytes:
    """Tuples of the tuple before, twice: hashing the last one takes 2**levels steps."""
    return b"\x80\x04)" + b"q\x00h\x00\x86" * levels + end


def _hashed_tuple(levels: int = 60) -> Code:
    return Code(b")" + b"2\x86" * levels)


LENGTHS: dict[str, bytes] = {
    "memo_long_binput": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "memo_long_binput_9_bytes": b"\x80\x04Nr\xff\xff\xff\x0f.",
    "memo_put": b"Np99999999999\n.",
    "memo_put_of_many_digits": b"Np" + b"9" * 100_000 + b"\n.",
    "memo_get_of_many_digits": b"g" + b"9" * 100_000 + b"\n.",
    "bytearray8": b"\x80\x05\x96" + _q(_BIG) + b"x.",
    "bytearray8_of_2_63": b"\x80\x05\x96" + _q(2**63 - 1) + b"x.",
    "bytearray8_of_2_64": b"\x80\x05\x96" + _q(2**64 - 1) + b"x.",
    "binbytes8": b"\x80\x04\x8e" + _q(_BIG) + b"x.",
    "binunicode8": b"\x80\x04\x8d" + _q(_BIG) + b"x.",
    "binbytes": b"\x80\x03B\xff\xff\xff\xffx.",
    "binunicode": b"\x80\x03X\xff\xff\xff\xffx.",
    "binstring": b"T\xff\xff\xff\x7fx.",
    "binstring_negative": b"T\xff\xff\xff\xffx.",
    "long4": b"\x80\x02\x8b\xff\xff\xff\x7fx.",
    "long4_negative": b"\x80\x02\x8b\xff\xff\xff\xffx.",
    "frame": b"\x80\x04\x95" + _q(_BIG) + b"N.",
    "frame_of_4_gb": b"\x80\x04\x95" + _q(1 << 32) + b"N.",
}

CALLS: dict[str, object] = {
    "list_of_range": Call(_LIST, Call(_RANGE, _BIG)),
    "tuple_of_range": Call(_TUPLE, Call(_RANGE, _BIG)),
    "set_of_range": Call(_SET, Call(_RANGE, _BIG)),
    "frozenset_of_range": Call(Ref("builtins", "frozenset"), Call(_RANGE, _BIG)),
    "ordereddict_of_ranges": Call(_ORDERED, [Call(_RANGE, _BIG), Call(_RANGE, _BIG)]),
    "bytearray_of_a_number": Call(Ref("builtins", "bytearray"), _BIG),
    "bytes_of_a_number": Call(Ref("builtins", "bytes"), _BIG),
    "bytearray_by_newobj": New(Ref("builtins", "bytearray"), _BIG),
    "bytearray_by_reconstructor": Call(
        Ref("copyreg", "_reconstructor"), Ref("builtins", "bytearray"), Ref("builtins", "bytearray"), _BIG
    ),
    "bytearray_of_a_range": Call(Ref("builtins", "bytearray"), Call(_RANGE, _BIG)),
    "list_by_newobj": New(_LIST, Call(_RANGE, _BIG)),
    "int_of_a_text": Call(Ref("builtins", "int"), "9" * _MILLION),
    "int_of_hexadecimal_text": Call(Ref("builtins", "int"), "f" * _MEGA, 16),
    "pow": Call(Ref("builtins", "pow"), 10, _BIG),
    "ndarray_call": Call(_NDARRAY, (_BIG,)),
    "ndarray_newobj": New(_NDARRAY, (_BIG,)),
    "ndarray_of_objects": New(_NDARRAY, (_BIG // 8,), "O"),
    "reconstruct_huge": Call(_RECONSTRUCT, _NDARRAY, (1 << 40,), b"b"),
    "reconstruct_of_3_gb": Call(_RECONSTRUCT, _NDARRAY, (3 << 30,), b"b"),
    "array_state_of_objects_huge": _array((1 << 33,), _O, [None]),
    "array_state_of_objects_300_million": _array((300_000_000,), _O, [None]),
    "array_state_of_numbers_huge": _array((1 << 33,), _F8, b"x"),
    "array_state_of_zero_size_elements": _array((1 << 62,), _dtype("V0", "|", 0), b""),
    "scalar_huge_void": Call(_SCALAR, _dtype("V8", "|", 0, None, None, None, 2_000_000_000, 1), b""),
    "scalar_huge_void_by_name": Call(_SCALAR, Call(Ref("numpy", "dtype"), "V2000000000", False, True)),
    "scalar_huge_text": Call(_SCALAR, Call(Ref("numpy", "dtype"), "U500000000", False, True)),
    "sparse_matrix_call": Call(Ref("scipy.sparse._csr", "csr_matrix"), (_BIG, _BIG)),
    "numpy_zeros": Call(Ref("numpy", "zeros"), (1 << 33,)),
    "counter_of_range": Call(Ref("collections", "Counter"), Call(_RANGE, _BIG)),
    "deque_of_range": Call(Ref("collections", "deque"), Call(_RANGE, _BIG)),
    "tree_of_many_features": Call(Ref("sklearn.tree._tree", "Tree"), 1, [1 << 40], 1 << 33),
}  # fmt: skip

HASHES: dict[str, bytes] = {
    "dict_key": b"\x80\x04}" + _hashed_tuple() + b"Ns.",
    "dict_keys": b"\x80\x04}(" + _hashed_tuple() + b"Nu.",
    "dict_of_a_mark": b"\x80\x04(" + _hashed_tuple() + b"Nd.",
    "set": b"\x80\x04\x8f(" + _hashed_tuple() + b"\x90.",
    "frozenset": b"\x80\x04(" + _hashed_tuple() + b"\x91.",
    "ordereddict": stream(Code(code(Call(_ORDERED)) + _hashed_tuple() + b"Ns")),
    "ordereddict_of_pairs": stream(
        Code(code(_ORDERED) + b"]](" + _hashed_tuple() + b"Nea" + b"\x85R")
    ),
    "set_call": stream(Code(code(_SET) + b"]" + _hashed_tuple() + b"a\x85R")),
    "state": stream(Code(code(Ref("collections", "OrderedDict")) + b")\x81}" + _hashed_tuple() + b"Nsb")),
    "frozenset_of_frozensets": b"\x80\x04(\x91" + b"q\x00(h\x00N\x91" * 40 + b"q\x00(h\x00\x91.",
    "tuple_of_four": b"\x80\x04})" + b"222(t0" * 0 + b"q\x00(h\x00h\x00h\x00h\x00t" * 40 + b"Ns.",
    "tuple_in_a_frozenset_in_a_tuple": b"\x80\x04})" + b"q\x00(h\x00h\x00t" * 20 + b"q\x00(h\x00\x91" + b"q\x00h\x00\x86" * 40 + b"Ns.",
    "name_list_of_a_dtype": b"\x80\x04cnumpy\ndtype\n" + _hashed_tuple() + b"\x85R.",
    "colliding_numbers": b"\x80\x04}(" + b"".join(
        code((n + 1) * (2**61 - 1)) + b"N" for n in range(6_000)
    ) + b"u.",
    "two_equal_deep_keys": b"\x80\x04}" + _hashed_tuple(18) + b"Ns" + _hashed_tuple(18) + b"Ns.",
}  # fmt: skip


def _nested_reduce(depth: int) -> bytes:
    return code(_ORDERED) * depth + b"]" + b"\x85R" * depth


DEPTHS: dict[str, Callable[[], bytes]] = {
    "lists": lambda: b"\x80\x04" + b"]" * _MILLION + b"a" * (_MILLION - 1) + b".",
    "lists_10_million": lambda: b"\x80\x04" + b"]" * 5_000_000 + b"a" * 4_999_999 + b".",
    "tuples": lambda: b"\x80\x04)" + b"\x85" * _MILLION + b".",
    "tuples_10_million": lambda: b"\x80\x04)" + b"\x85" * _MEGA + b".",
    "dicts": lambda: b"\x80\x04" + b"}K\x01" * 300_000 + b"N" + b"s" * 300_000 + b".",
    "tuples_as_a_key": lambda: b"\x80\x04})" + b"\x85" * _MILLION + b"Ns.",
    "tuples_in_a_set": lambda: b"\x80\x04\x8f()" + b"\x85" * 100_000 + b"\x90.",
    "frozensets": lambda: b"\x80\x04(\x91" + b"q\x000(h\x00\x91" * 100_000 + b".",
    "reduces": lambda: b"\x80\x04" + _nested_reduce(20_000) + b".",
    "states": lambda: (
        b"\x80\x04" + (code(_ORDERED) + b")\x81}Vx\n") * 20_000 + b"N" + b"sb" * 20_000 + b"."
    ),
    "object_arrays": lambda: stream(Code(_deep_arrays(3_000))),
    "marks": lambda: b"\x80\x04" + b"(" * _MEGA + b"t.",
    "marks_closed": lambda: b"\x80\x04" + b"(" * _MILLION + b"t" * _MILLION + b".",
    "a_list_in_itself": lambda: b"\x80\x04]q\x00h\x00a.",
    "a_tuple_in_itself": lambda: b"\x80\x04]q\x00h\x00\x85a0h\x00\x85.",
    "a_dict_in_itself": lambda: b"\x80\x04}q\x00Vx\nh\x00s.",
    "a_list_as_its_own_key": lambda: b"\x80\x04}]q\x00h\x00aNs.",
    "a_dtype_in_a_dtype": lambda: stream(Code(_deep_dtypes(20_000))),
}


def _deep_arrays(depth: int) -> bytes:
    head = code(Call(_RECONSTRUCT, _NDARRAY, (0,), b"b")) + b"(K\x01(K\x01t" + code(_O) + b"\x89]"
    return head * depth + b"N" + b"atb" * depth


def _deep_dtypes(depth: int) -> bytes:
    make = code(Call(Ref("numpy", "dtype"), "V8", False, True))
    head = make + b"(K\x03X\x01\0\0\0|N(X\x01\0\0\0at}X\x01\0\0\0a("
    return head * depth + code(_F8) + b"K\x00tsK\x08K\x01K\x00tb" * depth


OPCODES: dict[str, Callable[[], bytes]] = {
    "empty_sets": lambda: b"\x80\x04(" + b"\x8f" * _MEGA + b"l.",
    "empty_sets_popped": lambda: b"\x80\x04" + b"\x8f0" * (_MEGA // 2) + b"N.",
    "empty_dicts": lambda: b"\x80\x04(" + b"}" * _MEGA + b"l.",
    "empty_lists": lambda: b"\x80\x04(" + b"]" * _MEGA + b"l.",
    "frozensets": lambda: b"\x80\x04(" + b"(\x91" * (_MEGA // 2) + b"l.",
    "none": lambda: b"\x80\x04(" + b"N" * _MEGA + b"l.",
    "memoize": lambda: b"\x80\x04N" + b"\x94" * _MEGA + b".",
    "dup": lambda: b"\x80\x04]" + b"2" * _MEGA + b".",
    "dup_of_bytes_joined": lambda: b"\x80\x04(" + text("x" * 1000) + b"2" * _MEGA + b"l.",
    "appends_doubling": lambda: b"\x80\x04]q\x00" + b"(h\x00h\x00e" * _MILLION + b".",
    "numbers": lambda: b"\x80\x04(" + b"K\x01" * (_MEGA // 2) + b"l.",
    "floats": lambda: b"\x80\x04(" + (b"G" + bytes(8)) * (_MEGA // 9) + b"l.",
    "texts": lambda: b"\x80\x04(" + b"\x8c\x00" * (_MEGA // 2) + b"l.",
    "bytearrays": lambda: b"\x80\x05(" + (b"\x96" + bytes(8)) * (_MEGA // 9) + b"l.",
    "calls": lambda: b"\x80\x04" + code(_ORDERED) + b"q\x000(" + b"h\x00)R" * (_MEGA // 4) + b"l.",
    "objects": lambda: b"\x80\x04" + code(_ORDERED) + b"q\x000(" + b"h\x00)\x81" * (_MEGA // 4) + b"l.",
    "names": lambda: b"\x80\x04(" + code(_ORDERED) * (_MEGA // 30) + b"l.",
    "arrays": lambda: b"\x80\x04" + code(_RECONSTRUCT) + b"q\x000" + code((_NDARRAY, (0,), b"b")) + b"q\x010("
        + b"h\x00h\x01R" * (_MEGA // 5) + b"l.",
    "arrays_of_a_million_each": lambda: b"\x80\x04" + code(_RECONSTRUCT) + b"q\x000"
        + code((_NDARRAY, (1_000_000,), b"b")) + b"q\x010(" + b"h\x00h\x01R" * 10_000 + b"l.",
    "scalars": lambda: b"\x80\x04" + code(_SCALAR) + b"q\x000" + code((_F8, b"\0" * 8)) + b"q\x010("
        + b"h\x00h\x01R" * (_MEGA // 5) + b"l.",
    "lists_of_a_list": lambda: b"\x80\x04(" + b"N" * 100_000 + b"lq\x000" + code(_LIST) + b"q\x010("
        + b"h\x01h\x00\x85R" * 100_000 + b"l.",
    "sets_of_a_range": lambda: b"\x80\x04(" + code(_SET) + b"q\x01" + code(Call(_RANGE, 100_000))
        + b"q\x000" + b"h\x01h\x00\x85R" * 1_000 + b"l.",
    "unicode_escapes": lambda: b"\x80\x04V" + b"\\U0001f600" * _MILLION + b"\n.",
    "decimal_int": lambda: b"I" + b"9" * _MILLION + b"\n.",
    "decimal_long": lambda: b"L" + b"9" * _MILLION + b"L\n.",
    "hexadecimal_long": lambda: b"L0x" + b"f" * _MILLION + b"L\n.",
    "underscored_long": lambda: b"L" + b"9_" * 500_000 + b"9L\n.",
    "decimal_float": lambda: b"F" + b"9" * _MILLION + b"\n.",
    "long4_of_a_megabyte": lambda: b"\x80\x02\x8b" + struct.pack("<I", _MILLION) + b"\x7f" * _MILLION + b".",
    "line_without_an_end": lambda: b"S'" + b"x" * _MEGA,
    "quotes": lambda: b"S'" + b"\\'" * _MILLION + b"'\n.",
}  # fmt: skip


_HARMLESS = ("memo_long_binput", "memo_long_binput_9_bytes", "memo_put", "frame", "frame_of_4_gb")


def cases() -> Iterator[Case]:
    """All tables."""
    for name, data in LENGTHS.items():
        must = ANY if name in _HARMLESS else REFUSED
        yield Case(f"bomb_length_{name}", lambda marker, data=data: data, must=must, bomb=True)  # type: ignore[misc]
    for name, value in CALLS.items():
        yield Case(
            f"bomb_call_{name}",
            lambda marker, value=value: stream(value),  # type: ignore[misc]
            must=REFUSED,
            bomb=True,
            needs=("numpy", "sklearn"),
        )
    for name, data in HASHES.items():
        yield Case(f"bomb_hash_{name}", lambda marker, data=data: data, must=ANY, bomb=True)  # type: ignore[misc]
    for group, table in (("depth", DEPTHS), ("opcode", OPCODES)):
        for name, made in table.items():
            yield Case(
                f"bomb_{group}_{name}", lambda marker, made=made: made(), must=ANY, bomb=True
            )  # type: ignore[misc]
