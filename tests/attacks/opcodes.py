"""Every opcode that imports, calls or changes something, in every protocol that has it."""

from __future__ import annotations

from collections.abc import Iterator

from attacks.assembler import (
    MARK,
    Call,
    Code,
    Ref,
    code,
    filled,
    global_,
    source,
    stack_global,
    stream,
    text,
)
from attacks.case import ANY, REFUSED, Case

_EXEC = "builtins", "exec"
_EVAL = "builtins", "eval"


def _importing(marker: str) -> dict[str, Code]:
    """How a name gets onto the stack: one way each."""
    short = b"\x8c\x08builtins\x8c\x04exec\x93"
    return {
        "global": global_(*_EXEC),
        "stack_global": stack_global(*_EXEC),
        "stack_global_of_short_binunicode": Code(short),
        "stack_global_of_binunicode8": Code(
            b"\x8d\x08" + bytes(7) + b"builtins" + b"\x8d\x04" + bytes(7) + b"exec" + b"\x93"
        ),
        "stack_global_of_unicode": Code(b"Vbuiltins\nVexec\n\x93"),
        "stack_global_of_string": Code(b"S'builtins'\nS'exec'\n\x93"),
        "stack_global_of_binstring": Code(b"T\x08\0\0\0builtinsU\x04exec\x93"),
        "stack_global_of_memoized": Code(b"\x8c\x08builtins\x94\x8c\x04exec\x9400h\x00h\x01\x93"),
        "stack_global_of_put_and_get": Code(b"Vbuiltins\np7\n0Vexec\np9\n0g7\ng9\n\x93"),
        "stack_global_of_long_binput": Code(
            b"Vbuiltins\nr\x07\0\0\x000Vexec\nr\x08\0\0\x000j\x07\0\0\0j\x08\0\0\0\x93"
        ),
        "stack_global_of_overwritten_memo": Code(
            b"Vcollections\nq\x000Vbuiltins\nq\x000Vexec\nq\x010h\x00h\x01\x93"
        ),
        "stack_global_of_list_items": Code(b"Vbuiltins\n2(tp0\n00Vbuiltins\nVexec\n\x93"),
        "global_then_dup": Code(global_(*_EXEC) + b"2" + b"0"),
        "python2_global": global_("__builtin__", "exec"),
    }


def _calling(marker: str, protocol: int) -> dict[str, bytes]:
    """How it is called: one way each."""
    py = text(source(marker))
    name = global_(*_EXEC)
    ways = {
        "reduce": name + MARK + py + b"tR",
        "reduce_of_empty_mark": global_("builtins", "list")
        + b"(tR"
        + b"0"
        + name
        + MARK
        + py
        + b"tR",
        "inst": MARK + py + b"ibuiltins\nexec\n",
        "obj": MARK + name + py + b"o",
        "reduce_popped": name + MARK + py + b"tR" + b"0N",
        "reduce_in_a_list": b"]" + name + MARK + py + b"tR" + b"a",
        "reduce_as_a_key": b"}" + name + MARK + py + b"tR" + b"Ns",
        "reduce_in_a_state": b"}" + name + MARK + py + b"tRb",
    }
    if protocol >= 2:
        ways["newobj"] = (
            global_("builtins", "map")
            + global_(*_EVAL)
            + b"]"
            + py
            + b"a\x86\x81"
            + b"q\x000"
            + (global_("builtins", "list") + b"h\x00\x85R")
        )
    if protocol >= 4:
        ways["newobj_ex"] = (
            global_("builtins", "map")
            + global_(*_EVAL)
            + b"]"
            + py
            + b"a\x86}\x92"
            + b"q\x000"
            + (global_("builtins", "list") + b"h\x00\x85R")
        )
    if protocol < 2:  # neither TUPLE2 nor NEWOBJ there
        ways = {name: each for name, each in ways.items() if b"\x86" not in each}
    return ways


def _header(protocol: int) -> bytes:
    return b"" if protocol < 2 else b"\x80" + bytes([protocol])


def cases() -> Iterator[Case]:
    """Imports and calls and protocols, then the opcodes that are refused altogether."""
    named = ("builtins.exec", "__builtin__.exec", "builtins.map", "builtins.eval")
    for protocol in range(6):
        for way in _calling("", protocol):
            yield Case(
                f"opcode_{way}_protocol_{protocol}",
                lambda marker, p=protocol, way=way: _header(p) + _calling(marker, p)[way] + b".",  # type: ignore[misc]
                names=named,
                binarizers=("pickle", "joblib"),
                runs="pickle",
            )
    for way in _importing(""):
        for protocol in (None, 0, 4, 5):
            yield Case(
                f"opcode_{way}_protocol_{protocol}",
                lambda marker, p=protocol, way=way: stream(  # type: ignore[misc]
                    Code(_importing(marker)[way] + MARK + text(source(marker)) + b"tR"), protocol=p
                ),
                names=named,
                runs="pickle" if way != "python2_global" or protocol == 0 else None,
            )
    yield from _persistent()
    yield from _extensions()
    yield from _odd_calls()
    yield from _odd_names()


def _persistent() -> Iterator[Case]:
    for name, data in {
        "persid": b"Pos.system\n.",
        "persid_path": b"P/etc/passwd\n.",
        "binpersid": b"\x80\x04Vos.system\nQ.",
        "binpersid_of_a_tuple": stream(Code(code(("storage", "x", "0", "cpu", 1)) + b"Q")),
    }.items():
        yield Case(
            f"opcode_{name}",
            lambda marker, data=data: data,
            must=REFUSED,
            binarizers=("pickle", "joblib"),
        )  # type: ignore[misc]


def _extensions() -> Iterator[Case]:
    for name, data in {
        "ext1": b"\x80\x02\x82\x01.",
        "ext2": b"\x80\x02\x83\x01\x01.",
        "ext4": b"\x80\x02\x84\x01\x01\x01\x01.",
        "ext1_zero": b"\x80\x02\x82\x00.",
        "ext4_negative": b"\x80\x02\x84\xff\xff\xff\xff.",
    }.items():
        yield Case(
            f"opcode_{name}",
            lambda marker, data=data: data,
            must=REFUSED,
            binarizers=("pickle", "joblib"),
        )  # type: ignore[misc]
    yield Case(
        "opcode_ext1_of_what_the_file_registered",
        lambda marker: stream(
            Code(
                code(Call(Ref("copyreg", "add_extension"), "os", "system", 240))
                + b"0\x82\xf0"
                + code((filled("{sh}", marker),))
                + b"R"
            )
        ),
        names=("copyreg.add_extension",),
        runs="pickle",
    )


def _odd_calls() -> Iterator[Case]:
    """What is called is not a class or function that the file named."""
    ordered = Ref("collections", "OrderedDict")
    for name, value in {
        "reduce_of_a_text": Call("os.system", "x"),
        "reduce_of_a_number": Call(1),
        "reduce_of_none": Call(None),
        "reduce_of_an_instance": Call(Call(ordered)),
        "reduce_of_a_dict": Call({"a": 1}, "a"),
        "newobj_of_a_text": Code(text("x") + b")\x81"),
        "newobj_of_an_instance": Code(code(Call(ordered)) + b")\x81"),
        "newobj_of_none": Code(b"N)\x81"),
        "newobj_ex_of_a_text": Code(text("x") + b")}\x92"),
        "newobj_ex_with_keywords_that_are_none": Code(code(ordered) + b")N\x92"),
        "newobj_ex_with_odd_keywords": Code(code(ordered) + b")}K\x01K\x02s\x92"),
        "obj_of_a_text": Code(b"(" + text("x") + b"o"),
        "obj_of_nothing": Code(b"(o"),
        "reduce_with_a_list": Code(code(ordered) + b"]R"),
        "reduce_with_none": Code(code(ordered) + b"NR"),
        "reduce_with_a_dict": Code(code(ordered) + b"}R"),
        "reduce_on_an_empty_stack": Code(b"R"),
        "build_on_an_empty_stack": Code(b"b"),
        "tuple_without_a_mark": Code(b"t"),
        "stack_global_of_nothing": Code(b"\x93"),
        "unknown_opcode": Code(b"\xff"),
        "readonly_buffer_of_a_number": Code(b"K\x01\x98"),
        "next_buffer": Code(b"\x97"),
    }.items():
        yield Case(
            f"opcode_{name}", lambda marker, value=value: stream(value, marker), must=REFUSED
        )  # type: ignore[misc]


def _odd_names() -> Iterator[Case]:
    """Modules and names that are no identifiers, or no text."""
    for label, (module, name) in {
        "empty": ("", ""),
        "empty_module": ("", "system"),
        "empty_name": ("os", ""),
        "dots": (".", "."),
        "leading_dot": (".os", "system"),
        "trailing_dot": ("os.", "system"),
        "relative": ("..os", "system"),
        "space": ("os ", "system"),
        "newline": ("os\n", "system"),
        "nul": ("os\0", "system"),
        "path": ("/tmp/x", "y"),
        "upper": ("OS", "system"),
        "full_width": ("\uff4f\uff53", "system"),
        "full_width_listed": ("collections", "\uff2frderedDict"),
        "combining": ("collections", "OrderedDict\u0301"),
        "surrogate": ("os\udc80", "system"),
        "escape_sequence": ("os\x1b[2J", "system"),
        "colon": ("numpy:ndarray", "tofile"),
        "colon_in_the_name": ("collections", "OrderedDict:x"),
        "listed_with_a_dot_before": ("collections", ".OrderedDict"),
        "listed_with_a_dot_after": ("collections", "OrderedDict."),
        "dot_moved": ("sklearn", "linear_model._logistic.LogisticRegression"),
        "dunder_main": ("__main__", "x"),
        "dunder_class": ("collections", "OrderedDict.__class__"),
        "dunder_init": ("collections", "OrderedDict.__init__"),
        "dunder_dict": ("collections", "OrderedDict.__dict__"),
        "locals": ("collections", "<locals>.x"),
        "very_long": ("a" * 1_000_000, "b" * 1_000_000),
    }.items():
        yield Case(
            f"opcode_name_{label}",
            lambda marker, module=module, name=name: stream(  # type: ignore[misc]
                Code(stack_global(module, name) + MARK + text(filled("{sh}", marker)) + b"tR")
            ),
            must=REFUSED,
        )
    for label, value in {
        "bytes": Code(b"C\x02osC\x06system\x93"),
        "numbers": Code(b"K\x01K\x02\x93"),
        "none": Code(b"NN\x93"),
        "tuple": Code(code(("os",)) + code(("system",)) + b"\x93"),
        "text_and_number": Code(b"Vos\nK\x2a\x93"),
        "list": Code(b"]]\x93"),
        "unhashable_dict": Code(b"}}\x93"),
    }.items():
        yield Case(
            f"opcode_name_of_{label}",
            lambda marker, value=value: stream(value),
            must=REFUSED,  # type: ignore[misc]
        )
    yield Case("opcode_global_not_utf8", lambda marker: b"\x80\x04c\xff\xfe\nx\n.", must=REFUSED)
    yield Case(
        "opcode_name_only_referred_to",
        lambda marker: stream([Ref("os", "system"), Ref("collections", "OrderedDict")]),
        names=("os.system",),
    )
    yield Case(
        "opcode_many_names",
        lambda marker: stream([Ref(f"module{n}", f"name{n}") for n in range(20_000)]),
        names=("module0.name0",),
        bomb=True,
    )
    yield Case(
        "opcode_one_safe_name_repeated",
        lambda marker: stream([Ref("collections", "OrderedDict")] * 20_000),
        must=ANY,
        bomb=True,
    )
