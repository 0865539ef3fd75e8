"""What the torch-jit binarizer refuses: TorchScript that does more than compute, or hides what it does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import mlup
from mlup_torch.script_operations import is_safe
from mlup_torch.script_source import uses_of_pickle, uses_of_source

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Lite Interpreter:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Failed to initialize NumPy:UserWarning"),
]


class AddOne(nn.Module):
    def forward(self, x):
        return x + 1


class WithState(nn.Module):
    """Its __setstate__ runs while it is loaded."""

    def __init__(self):
        super().__init__()
        self.w = torch.ones(2)

    @torch.jit.export
    def __getstate__(self):
        return self.w, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, bool]):
        self.w = state[0]
        self.training = state[1]

    def forward(self, x):
        return x + self.w


def saved(module: object, **how: object) -> bytes:
    stream = io.BytesIO()
    torch.jit.save(module, stream, **how)
    return stream.getvalue()


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TorchScript is deprecated
    ADD_ONE = saved(torch.jit.script(AddOne()))
    WITH_STATE = saved(torch.jit.script(WithState()))
X = torch.ones(2)


def repacked(data: bytes, change, more=(), method=zipfile.ZIP_STORED) -> bytes:
    """The archive with its code changed, and with more records."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for each in old.infolist():
            content = old.read(each)
            if each.filename.endswith(".py"):
                content = change(content.decode()).encode()
            new.writestr(each.filename, content)
        for name, content in more:
            new.writestr(f"archive/{name}", content)
    return stream.getvalue()


def with_lines(*lines: str, data: bytes = ADD_ONE, method: str = "forward") -> bytes:
    """Lines of code in front of a method's own."""

    def change(source: str) -> str:
        out, inside = [], False
        for line in source.split("\n"):
            inside |= f"def {method}(" in line
            if inside and line.startswith("    ") and not line.strip().startswith(("x:", "state:")):
                out += [f"    {each}" for each in lines]
                inside = False
            out.append(line)
        assert len(out) > source.count("\n") + 1
        return "\n".join(out)

    return repacked(data, change)


def refused(source: object, **how: object) -> mlup.UnsafeModelError:
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(source, "torch-jit", **how)
    assert caught.value.binarizer == "torch-jit"
    return caught.value


# -- operations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trust", [False, True])
def test_cve_2025_32434_torchscript_that_writes_a_file_while_it_is_loaded(tmp_path, trust):
    """Why weights_only refuses TorchScript: torch.load handed such archives to torch.jit.load."""
    marker = tmp_path / "marker"
    data = with_lines(f'torch.save(1, "{marker}")', data=WITH_STATE, method="__setstate__")
    if trust:
        mlup.load(data, trust=True)
        assert marker.exists()
    else:
        assert refused(data).refused == ("aten::save",)
        assert not marker.exists()
        assert mlup.inspect(data).refused == ("aten::save",)
        assert not marker.exists()


WRITING = {
    "plain": ['torch.save(x, "MARKER")'],
    "with blanks": ['torch . save(x, "MARKER")'],
    "continued": ["torch . \\", ' save(x, "MARKER")'],
    "in parentheses": ["(torch", "   .", '   save)(x, "MARKER")'],
    "form feed": ['torch.\x0csave(x, "MARKER")'],
    "carriage return": ['torch.save(x, "MARKER")\r'],
    "ops": ['ops.aten.save(x, "MARKER")'],
    "autograd": ['torch.autograd.save(x, "MARKER")'],
    "autograd twice": ['torch.autograd.autograd.save(x, "MARKER")'],
    "autograd of any": ['ops.harmless.autograd.save(x, "MARKER")'],
    "parenthesized": ['(torch).save(x, "MARKER")'],
    "alias": ["t = torch", 't.save(x, "MARKER")'],
    "behind a number": ["a = 1.", 'torch.save(x, "MARKER")'],
    "behind an exponent": ["a = 1.e5", 'torch.save(x, "MARKER")'],
    "behind an imaginary number": ["a = 1.j", 'torch.save(x, "MARKER")'],
    "behind a hexadecimal number": ["a = 0x1.", 'torch.save(x, "MARKER")'],
    "behind a text": ['"""text"""', 'torch.save(x, "MARKER")'],
    "behind a text with quotes": ["a = 'it\\'s'", 'torch.save(x, "MARKER")', "b = '\\''"],
    "fork": ['f = fork(torch.save, x, "MARKER")', "torch.wait(f)"],
    "from_file": ['a = torch.from_file("MARKER", True, 10)'],
    # Those that hide the name:
    "getattr": ['getattr(torch, "save")(x, "MARKER")'],
    "getattr of pieces": ['getattr(torch, "sa" "ve")(x, "MARKER")'],
    "getattr of an escape": ['getattr(torch, "\\163ave")(x, "MARKER")'],
    "getattr twice": ['getattr(getattr(ops, "aten"), "save")(x, "MARKER")'],
    "getattr of an alias": ["t = torch", 'getattr(t, "sa" "ve")(x, "MARKER")'],
    "alias of ops": ["o = ops", "n = o.aten", 'n.save(x, "MARKER")'],
    "behind a comment": ["# '''", 'torch.save(x, "MARKER")', "# '''"],
    "around a comment": ["(torch. # here", 'save)(x, "MARKER")'],
}
HIDDEN = list(WRITING)[list(WRITING).index("getattr") :]


@pytest.mark.parametrize("way", WRITING)
def test_every_way_to_a_file_is_refused(tmp_path, way):
    marker = tmp_path / "marker"
    data = with_lines(*(line.replace("MARKER", str(marker)) for line in WRITING[way]))
    error = refused(data)
    assert not marker.exists()
    report = mlup.inspect(data, "torch-jit")
    if way in HIDDEN:
        assert "may hide what it runs" in str(error)
        assert "may hide what it runs" in report.notes[0]
        assert error.refused == ()
    else:
        (name,) = error.refused
        assert name == ("aten::from_file" if way == "from_file" else "aten::save")
        assert report.refused == (name,)
        assert isinstance(mlup.load(data, "torch-jit", allow=[name]), torch.jit.ScriptModule)
        assert mlup.inspect(data, "torch-jit", allow=[name]).refused == ()
    if way != "from_file":
        mlup.load(data, "torch-jit", trust=True)(X)  # so that each of these is an attack
        assert marker.exists() or way == "form feed"


@pytest.mark.parametrize(
    "name",
    [
        "c10d::send",
        "_c10d_functional::isend",
        "symm_mem::nvshmem_put",
        "debugprims::load_tensor",
        "inductor::_alloc_from_pool",
        "prim::PythonOp",
        "prim::rpc_sync",
        "image::write_file",
        "image::read_file",
        "video_reader::read_video_from_file",
        "somebody::operation",
    ],
)
def test_other_operations_are_named(name):
    data = with_lines(f"a = ops.{name.replace('::', '.')}(x)")
    error = refused(data)
    assert error.refused == (name,)
    assert name in str(error)


def test_a_name_of_another_namespace_does_not_help():
    data = with_lines('torch.save(x, "never")')
    assert refused(data, allow=["save", "torch.save", "aten.*", "ops.aten.save"]).refused == (
        "aten::save",
    )


def test_the_registry_of_the_installed_torch_holds_no_other_way_to_a_file():
    """Operations that take a file's name, of namespaces that are called harmless."""
    schemas = torch._C._jit_get_all_schemas()
    taking = {
        schema.name
        for schema in schemas
        for each in schema.arguments
        if str(each.type) == "str" and any(w in each.name for w in ("file", "path", "dir", "url"))
    }
    assert {"aten::from_file", "aten::save"} <= taking
    assert [name for name in taking if is_safe(name)] == []
    suspicious = ("rpc", "python", "_file", "save", "socket", "exec")
    found = {s.name for s in schemas if any(w in s.name.lower() for w in suspicious)}
    assert sorted(name for name in found if is_safe(name)) == []


# -- classes in C++ -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "a = annotate(Optional[__torch__.torch.classes._nnapi.Compilation], None)",
        "a = __torch__.torch.classes._nnapi.Compilation()",
        "a = __torch__ . torch.classes._nnapi . Compilation()",
        'a = annotate(Optional["__torch__.torch.classes._nnapi.Compilation"], None)',
    ],
)
def test_a_class_in_the_code_is_named(line):
    assert refused(with_lines(line)).refused == ("torch.classes._nnapi.Compilation",)


@pytest.mark.parametrize("alias", ["__torch__", "__torch__.torch", "__torch__.torch.classes.a"])
def test_an_alias_of_the_classes_is_refused(alias):
    error = refused(with_lines(f"c = {alias}", "d = c.classes"))
    assert f"{alias} as a value" in str(error)


@pytest.mark.parametrize(
    "name",
    [
        b"__torch__.torch.classes._nnapi\nCompilation\n",
        b"__torch__.torch\nclasses._nnapi.Compilation\n",
        b"__torch__\ntorch.classes._nnapi.Compilation\n",
    ],
)
def test_a_class_in_a_pickle_is_named(name):
    """Its __setstate__ would run with what the file gives it."""
    pickle = b"\x80\x02c" + name + b")\x81}b."
    for record in ("data.pkl", "constants.pkl", "DATA.PKL"):
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(ADD_ONE)) as old, zipfile.ZipFile(stream, "w") as new:
            for each in old.infolist():
                if each.filename.lower() == f"archive/{record}".lower():
                    new.writestr(f"archive/{record}", pickle)
                else:
                    new.writestr(each.filename, old.read(each))
        error = refused(stream.getvalue())
        assert error.refused == ("torch.classes._nnapi.Compilation",)
    assert uses_of_pickle(pickle) == {"torch.classes._nnapi.Compilation"}


# -- the archive --------------------------------------------------------------------------------

BAD = b'class M(Module):\n  def forward(self: M, x: Tensor) -> Tensor:\n    torch.save(x, "f")\n'


@pytest.mark.parametrize(
    "name", ["code/other.py", "CODE/__TORCH__.PY", "code/__torch__/a/b.Py", "code/a/../b.py"]
)
def test_all_code_is_looked_into_whatever_its_name(name):
    data = repacked(ADD_ONE, str, [(name, BAD)])
    assert refused(data).refused == ("aten::save",)
    assert mlup.inspect(data, "torch-jit").refused == ("aten::save",)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("first", [True, False])
def test_of_two_records_with_one_name_the_check_sees_what_torch_compiles(tmp_path, first):
    marker = tmp_path / "marker"
    bad = with_lines(f'torch.save(x, "{marker}")')
    codes = []
    for data in (bad, ADD_ONE) if first else (ADD_ONE, bad):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            codes += [archive.read(each) for each in archive.namelist() if each.endswith(".py")]
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ADD_ONE)) as old, zipfile.ZipFile(stream, "w") as new:
        for each in old.infolist():
            contents = codes if each.filename.endswith(".py") else [old.read(each)]
            for content in contents:
                new.writestr(each.filename, content)
    try:
        mlup.load(stream.getvalue(), "torch-jit")(X)
    except mlup.ModelLoadError:
        pass
    assert not marker.exists()
    assert mlup.inspect(stream.getvalue(), "torch-jit").refused == ("aten::save",)


def test_an_extra_file_is_not_code():
    data = saved(torch.jit.script(AddOne()), _extra_files={"train.py": BAD.decode()})
    assert torch.equal(mlup.load(data)(X), X + 1)
    assert mlup.inspect(data).refused == ()


def test_the_format_before_1_3_is_refused():
    """Where there is a model.json, torch reads the code from wherever that says."""
    data = repacked(ADD_ONE, str, [("model.json", b"{}")])
    assert "model.json" in str(refused(data))


def test_a_flatbuffer_is_refused():
    data = b"\x0c\0\0\0PTMF" + bytes(100)
    assert "flatbuffer" in str(refused(data))
    assert "flatbuffer" in mlup.inspect(data, "torch-jit").notes[0]


def test_a_record_with_a_name_that_torch_cuts_is_refused():
    long = "code/" + "a" * 600 + ".py"
    decoy = f"archive/{long}"[:511].removeprefix("archive/")
    data = repacked(ADD_ONE, str, [(long, BAD), (decoy, b"")])
    assert "longer than torch reads" in str(refused(data))


def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.pt"
    zeros = bytes(140 * 1024 * 1024)
    path.write_bytes(
        repacked(ADD_ONE, str, [("code/zeros.py", zeros)], method=zipfile.ZIP_DEFLATED)
    )
    del zeros
    assert path.stat().st_size < 1_000_000
    code = (
        "import resource, sys, warnings; warnings.simplefilter('ignore'); import torch, mlup\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: mlup.load(sys.argv[1])\n"
        "except mlup.UnsafeModelError as error: assert 'times its size' in str(error)\n"
        "else: raise AssertionError\n"
        "assert 'times its size' in mlup.inspect(sys.argv[1]).notes[0]\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)


@pytest.mark.parametrize(
    "piece",
    ["a.", "torch.", "ops.a.", "'", '"""', "(\\", "#", " ", "1.", "'\\\\", "torch.add(x)\n"],
)
def test_code_of_any_kind_is_read_in_time(piece):
    source = piece * (2_000_000 // len(piece))
    started = time.perf_counter()
    uses_of_source(source)
    assert time.perf_counter() - started < 5


def test_a_name_of_many_parts_is_refused():
    data = with_lines(f"torch.{'autograd.' * 200}save(x, 'f')")
    assert "a name of many parts" in str(refused(data))


def test_much_code_is_refused():
    data = repacked(ADD_ONE, str, [("code/a.py", b"a" * (9 << 20))], method=zipfile.ZIP_DEFLATED)
    assert "more than 8 MB of code" in str(refused(data))


def test_an_archive_that_breaks_off_is_told_as_far_as_it_goes():
    data = bytearray(with_lines('torch.save(x, "f")'))
    at = data.index(b"constants.pkl") + len("constants.pkl")
    data[at] ^= 0xFF
    report = mlup.inspect(bytes(data), "torch-jit")
    assert report.refused == ("aten::save",)
    assert "damaged" in report.notes[0]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="there it is copied")
def test_a_file_that_is_exchanged_while_it_is_loaded_is_not_followed(tmp_path, monkeypatch):
    import mlup_torch.script_loading

    path, marker = tmp_path / "model.pt", tmp_path / "marker"
    path.write_bytes(ADD_ONE)
    bad = tmp_path / "bad.pt"
    bad.write_bytes(
        with_lines(f'torch.save(1, "{marker}")', data=WITH_STATE, method="__setstate__")
    )
    check = mlup_torch.script_loading.refuse_unsafe

    def exchanging(*given):
        check(*given)
        os.replace(bad, path)

    monkeypatch.setattr(mlup_torch.script_loading, "refuse_unsafe", exchanging)
    assert torch.equal(mlup.load(path)(X), X + 1)
    assert not marker.exists()
    refused(path)


def test_threads_do_not_see_each_others_names():
    data = with_lines('torch.save(x, "never")')
    wrong = []

    def load(allow):
        for _ in range(5):
            try:
                mlup.load(data, "torch-jit", allow=allow)
            except mlup.UnsafeModelError:
                if allow:
                    wrong.append("refused")
            else:
                if not allow:
                    wrong.append("loaded")

    threads = [threading.Thread(target=load, args=(["aten::save"] * (n % 2),)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_inspecting_imports_no_framework(tmp_path):
    path = tmp_path / "m.pt"
    path.write_bytes(with_lines('torch.save(x, "f")'))
    code = (
        "import sys, mlup; assert mlup.inspect(sys.argv[1]).refused == ('aten::save',);"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)


# -- ordinary models ----------------------------------------------------------------------------


class Busy(nn.Module):
    """Names and texts that look like something else."""

    def __init__(self):
        super().__init__()
        self.ops = 3
        self.steps = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
        self.classes = nn.ModuleDict({"a b": nn.ReLU(), "save": nn.Tanh()})
        self.counts = {"save": 1, "ops": 2}

    def save(self, x):
        return x * 2.0

    @torch.jit.export
    def from_file(self, x, save: bool):
        return x if save else -x

    def forward(self, x, ops: int = 1):
        print("# it's", "torch.save(", x.shape)
        for step in self.steps:
            x = step(x)
        for step in self.classes.values():
            x = step(x)
        if self.counts["save"] + ops < 0:
            raise ValueError('it\'s "bad" \\ # torch.save ops.c10d.send')
        assert self.ops == 3, "ops = torch"
        with torch.autograd.profiler.record_function("busy"):
            future = torch.jit.fork(torch.relu, x)
            x = self.from_file(self.save(torch.jit.wait(future)), True)
        return torch.einsum("ij,jk->ik", [x, x.t()]), float("inf"), {"a": 1.5}


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, 2, bidirectional=True)
        self.cell = nn.GRUCell(10, 3)

    def forward(self, x):
        return self.cell(self.lstm(x)[0][0])


def quantized():
    q = torch.ao.quantization
    made = nn.Sequential(q.QuantStub(), nn.Conv2d(3, 4, 3), nn.ReLU(), q.DeQuantStub()).eval()
    made.qconfig = q.get_default_qconfig("fbgemm")
    q.prepare(made, inplace=True)
    made(torch.rand(1, 3, 8, 8))
    return q.convert(made)


def quantized_dynamically():
    return torch.ao.quantization.quantize_dynamic(Recurrent(), {nn.LSTM, nn.GRUCell, nn.Linear})


ORDINARY = {
    "busy": lambda: torch.jit.script(Busy()),
    "recurrent": lambda: torch.jit.script(Recurrent()),
    "recurrent, frozen": lambda: torch.jit.freeze(torch.jit.script(Recurrent().eval())),
    "transformer": lambda: torch.jit.script(
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    ),
    "transformer, traced": lambda: torch.jit.trace(
        nn.TransformerDecoderLayer(8, 2, 16).eval(), (torch.rand(3, 1, 8), torch.rand(3, 1, 8))
    ),
    "quantized": lambda: torch.jit.script(quantized()),
    "quantized dynamically": lambda: torch.jit.script(quantized_dynamically()),
    "with a state": lambda: torch.jit.script(WithState()),
    "layers": lambda: torch.jit.script(
        nn.Sequential(nn.ConvTranspose2d(3, 3, 2), nn.Upsample(scale_factor=2), nn.GroupNorm(3, 3))
    ),
    "bag": lambda: torch.jit.script(nn.EmbeddingBag(10, 3)),
}


@pytest.mark.filterwarnings("ignore")  # of tracing and of quantization
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_models_load(tmp_path, name):
    if "quantized" in name and "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("this torch cannot quantize")
    path = tmp_path / "model.pt"
    path.write_bytes(saved(ORDINARY[name]()))
    assert isinstance(mlup.load(path), torch.jit.ScriptModule)
    report = mlup.inspect(path)
    assert report.refused == report.notes == ()
    assert report.operations
    assert all("::" in each.name or "torch.classes." in each.name for each in report.operations)
    assert_no_markers(tmp_path)


def assert_no_markers(folder: Path) -> None:
    assert os.listdir(folder) == ["model.pt"]


def test_what_torch_writes_into_code_is_understood():
    names, oddities = uses_of_source(
        "op_version_set = 1\nclass A(Module):\n  ops : int\n  torch : Tensor\n"
        "  def ops(self: __torch__.A,\n    x: Tensor) -> __torch__.torch.nn.B:\n"
        '    _0 = getattr((self).torch, "0")\n    _1 = annotate(List[__torch__.C], [])\n'
        "    _2 = torch.add(x, CONSTANTS.c0, alpha=1.)\n"
        "    _3 = ops.prim.NumToTensor(torch.size(x, 0))\n"
        "    return (ops.quantized).linear\n"
    )
    assert names == {"aten::add", "aten::size", "prim::NumToTensor"}
    assert oddities == {"ops.quantized as a value in its code"}
