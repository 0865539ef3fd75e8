"""ModelPath and LoadedFile: one contract for every kind of source, and few, bounded reads."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pathlib
import stat
import tempfile
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup
from mlup import files, sources
from mlup.files import BUDGET, EDGE, LoadedFile, ModelPath

DATA = bytes(range(256)) * 4 + b"the end"


@pytest.fixture(autouse=True)
def only_core(monkeypatch):
    """No binarizer scores, whatever is installed beside core."""
    for name in ("MLUP_STRICT_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLUP_PLUGINS", "memory")
    mlup.refresh()
    yield
    mlup.refresh()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tar.bin"
    path.write_bytes(DATA)
    return path


class Opener:
    """A binarizer that hands out what it was given, as a stream."""

    @staticmethod
    def deserialize(file):
        with file.open() as stream:
            return stream.read()


class Given:
    """A binarizer that hands out the LoadedFile itself."""

    @staticmethod
    def deserialize(file):
        return file


class CountingOs:
    """``os`` as ``mlup.sources`` sees it, with its opens and reads written down."""

    def __init__(self):
        self.opened = []
        self.read = []

    def __getattr__(self, name):
        return getattr(os, name)

    def open(self, path, flags, *rest):
        descriptor = os.open(path, flags, *rest)
        self.opened.append((path, descriptor))
        return descriptor

    def pread(self, descriptor, n, offset):
        data = os.pread(descriptor, n, offset)
        self.read.append((offset, len(data)))
        return data


@pytest.fixture
def counting_os(monkeypatch):
    counting = CountingOs()
    monkeypatch.setattr(sources, "os", counting)
    return counting


# -- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["model", "model.pkl", "model.tar.gz", ".hidden", ".hidden.pkl", "dot.", "a b.x", "模型.onnx"],
)
def test_names_are_pathlibs(tmp_path, name):
    real = tmp_path / name
    real.write_bytes(b"x")
    with ModelPath.of(real) as path:
        assert (path.name, path.suffix, path.stem) == (real.name, real.suffix, real.stem)
        assert os.fspath(path) == str(real)
        assert path.parent == real.parent
        assert str(path) == str(real)
        assert not path.is_dir()


# A name that begins with two dots or ends with one means different things to different Pythons.
REASONABLE = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1
)


@given(
    name=REASONABLE.filter(
        lambda name: not name.startswith("..") and not name.endswith(".") and len(name) < 60
    )
)
@settings(max_examples=60, deadline=None)
def test_names_are_pathlibs_for_any_reasonable_name(name):
    with tempfile.TemporaryDirectory() as folder:
        real = pathlib.Path(folder, name)
        real.write_bytes(b"x")
        with ModelPath.of(os.path.join(folder, name)) as path:
            assert (path.name, path.suffix, path.stem) == (real.name, real.suffix, real.stem)


@pytest.mark.parametrize("written", ["folder.d/", "folder.d//", "./folder.d", "folder.d/."])
def test_a_folder_has_its_own_name_however_it_is_written(tmp_path, monkeypatch, written):
    (tmp_path / "folder.d").mkdir()
    monkeypatch.chdir(tmp_path)
    expected = pathlib.Path(written)
    with ModelPath.of(written) as path:
        assert path.is_dir()
        assert (path.name, path.suffix, path.stem) == ("folder.d", ".d", "folder")
        assert path.name == expected.name


@pytest.mark.parametrize("written", ["folder/model.bin", "./model.bin", "model.bin", "folder/"])
def test_the_parent_is_the_folder_it_is_in(tmp_path, monkeypatch, written):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.bin").write_bytes(b"x")
    (tmp_path / "model.bin").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    with ModelPath.of(written) as path:
        assert os.path.samefile(path.parent, pathlib.Path(written).parent)


def test_open_works_on_a_local_path(model):
    with ModelPath.of(model) as path:
        with open(path, "rb") as stream:
            assert stream.read() == DATA
        with path.open() as stream:
            assert stream.read() == DATA
        with pytest.raises(ValueError, match="'r'"):
            path.open("r")


@pytest.mark.parametrize("source", [DATA, io.BytesIO(DATA)], ids=["bytes", "stream"])
def test_what_has_no_path_says_so(source):
    with ModelPath.of(source) as path:
        assert path.location is None
        assert (path.name, path.suffix, path.stem, path.parent) == ("", "", "", pathlib.PurePath())
        with pytest.raises(mlup.SourceError, match=r"path\.open\(\) or path\.read_at\(\)"):
            os.fspath(path)
        with path.open() as stream:
            assert stream.read() == DATA
        assert path.members() == ()


def test_an_open_file_has_its_name_but_no_path(model):
    with open(model, "rb") as stream, ModelPath.of(stream) as path:
        assert (path.name, path.suffix) == ("model.tar.bin", ".bin")
        assert path.location is None


def test_a_loaded_file_gives_its_name_to_the_bytes_it_holds():
    with ModelPath.of(LoadedFile(raw_data=DATA, path="far/away/model.onnx")) as path:
        assert (path.name, path.suffix, path.size) == ("model.onnx", ".onnx", len(DATA))
        assert path.location is None


# -- bounded reads --------------------------------------------------------------------------


@pytest.mark.parametrize("make", [bytes, io.BytesIO], ids=["bytes", "stream"])
@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 199, 200, 201, 1000])
def test_head_and_tail_are_the_first_and_the_last_hundred_bytes(tmp_path, make, size):
    data = (DATA * 2)[:size]
    real = tmp_path / "model"
    real.write_bytes(data)
    for source in (make(data), real):
        with ModelPath.of(source) as path:
            assert path.size == size
            assert path.head == data[:100]
            assert path.tail == data[-100:]


def test_a_folder_has_no_bytes(tmp_path):
    with ModelPath.of(tmp_path) as path:
        assert (path.head, path.tail, path.size, path.read_at(0, 10)) == (b"", b"", 0, b"")
        with pytest.raises(mlup.SourceError, match="is a folder"):
            path.open()


@pytest.mark.parametrize("make", [bytes, io.BytesIO], ids=["bytes", "stream"])
def test_read_at_is_cut_to_what_is_there(model, make):
    for source in (make(DATA), model):
        with ModelPath.of(source) as path:
            assert path.read_at(0, 2**62) == DATA
            assert path.read_at(1000, 2**62) == DATA[1000:]
            assert path.read_at(5, 7) == DATA[5:12]
            assert path.read_at(len(DATA), 1) == b""
            assert path.read_at(2**62, 2**62) == b""
            assert path.read_at(3, 0) == b""


@given(offset=st.integers(0, 2000), n=st.integers(0, 2000), first=st.integers(0, 1500))
@settings(max_examples=80, deadline=None)
def test_read_at_is_a_slice_whatever_was_read_before(offset, n, first):
    with ModelPath.of(DATA) as path:
        assert path.read_at(0, first) == DATA[:first]
        assert path.head == DATA[:EDGE]
        assert path.read_at(offset, n) == DATA[offset : offset + n]


@pytest.mark.parametrize(("offset", "n"), [(-1, 5), (0, -1), (-1, -1)])
def test_read_at_refuses_negative_numbers(offset, n):
    with ModelPath.of(DATA) as path, pytest.raises(ValueError, match="must not be negative"):
        path.read_at(offset, n)


def test_one_reader_has_one_mebibyte():
    with ModelPath.of(bytes(BUDGET * 2)) as path:
        assert BUDGET == 1024 * 1024
        assert len(path.read_at(1, BUDGET - 1)) == BUDGET - 1
        assert not path.overdrawn
        with pytest.raises(mlup.ProbeError, match=r"read_at\(500, 2\).*only 1 of the 1048576"):
            path.read_at(500, 2)
        assert path.overdrawn
        assert path.read_at(1, 1) == b"\0"  # the last one that was left
        with pytest.raises(mlup.ProbeError):
            path.read_at(1, 1)


def test_the_next_reader_has_a_budget_of_its_own():
    with ModelPath.of(bytes(BUDGET * 2)) as path:
        with pytest.raises(mlup.ProbeError):
            path.read_at(0, BUDGET + 1)
        path.next_reader()
        assert not path.overdrawn
        assert len(path.read_at(0, BUDGET)) == BUDGET


def test_a_request_beyond_the_budget_reads_nothing(tmp_path, counting_os):
    real = tmp_path / "large"
    with open(real, "wb") as stream:
        stream.truncate(10 * BUDGET)
    with ModelPath.of(real) as path:
        with pytest.raises(mlup.ProbeError):
            path.read_at(0, 2**62)
        assert counting_os.read == []


def test_head_and_tail_cost_no_budget():
    with ModelPath.of(DATA) as path:
        assert path.head
        assert path.tail
        assert path.read_at(0, 100) == path.head
        assert path.left == BUDGET


def test_a_bound_on_names_in_a_folder(tmp_path, monkeypatch):
    for name in ("b", "a", "c", "sub"):
        (tmp_path / name).write_bytes(b"")
    with ModelPath.of(tmp_path) as path:
        assert path.members() == ("a", "b", "c", "sub")
    monkeypatch.setattr(files, "MAX_MEMBERS", 2)
    with ModelPath.of(tmp_path) as path:
        assert len(path.members()) == 2
        assert set(path.members()) < {"a", "b", "c", "sub"}


def test_a_folder_is_listed_once(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"")
    with ModelPath.of(tmp_path) as path:
        assert path.members() == ("a",)
        (tmp_path / "b").write_bytes(b"")
        assert path.members() == ("a",)


@pytest.mark.parametrize("kind", ["path", "bytes", "stream"])
def test_a_closed_path_says_so(model, kind):
    source = {"path": model, "bytes": DATA, "stream": io.BytesIO(DATA)}[kind]
    path = ModelPath.of(source)
    path.close()
    path.close()  # twice is once
    with pytest.raises(mlup.ProbeError, match="was closed"):
        path.read_at(0, 1)
    with pytest.raises(mlup.ProbeError, match="was closed"):
        _ = path.head


def test_a_plugin_that_keeps_the_path_cannot_read_another_file_through_it(model, tmp_path):
    path = ModelPath.of(model)
    path.close()
    with open(tmp_path / "other", "wb+") as other:  # likely gets the same descriptor
        other.write(b"secret")
        other.flush()
        with pytest.raises(mlup.ProbeError):
            path.read_at(0, 6)


# -- every kind of source -------------------------------------------------------------------


def _pipe(stack, data):
    reader, writer = os.pipe()
    with open(writer, "wb") as stream:
        stream.write(data)  # fits into the pipe
    return stack.enter_context(open(reader, "rb"))


def _gzip(stack, path):
    path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    return stack.enter_context(gzip.open(path.with_suffix(".gz"), "rb"))


def _moved_on(stack, path):
    longer = path.with_suffix(".longer")
    longer.write_bytes(b"12345" + path.read_bytes())
    stream = stack.enter_context(open(longer, "rb"))
    stream.seek(5)
    return stream


class BytesPath:
    """An os.PathLike whose path is bytes."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return os.fsencode(self.path)


KINDS = {
    "str": lambda stack, path: str(path),
    "pathlib": lambda stack, path: path,
    "bytes path": lambda stack, path: BytesPath(path),
    "link": lambda stack, path: _linked(path),
    "bytes": lambda stack, path: path.read_bytes(),
    "bytearray": lambda stack, path: bytearray(path.read_bytes()),
    "memoryview": lambda stack, path: memoryview(b"_" + path.read_bytes())[1:],
    "open file": lambda stack, path: stack.enter_context(open(path, "rb")),
    "open file, not at its beginning": _moved_on,
    "read and write": lambda stack, path: stack.enter_context(open(path, "r+b")),
    "unbuffered": lambda stack, path: stack.enter_context(open(path, "rb", buffering=0)),
    "BytesIO": lambda stack, path: io.BytesIO(path.read_bytes()),
    "gzip": _gzip,
    "pipe": lambda stack, path: _pipe(stack, path.read_bytes()),
    "LoadedFile of a path": lambda stack, path: LoadedFile(path=str(path)),
    "LoadedFile of a path, no data": lambda stack, path: LoadedFile(None, path),
    "LoadedFile of bytes": lambda stack, path: LoadedFile(path.read_bytes()),
    "LoadedFile of an open file": lambda stack, path: LoadedFile(
        stack.enter_context(open(path, "rb"))
    ),
    "LoadedFile of a pipe": lambda stack, path: LoadedFile(_pipe(stack, path.read_bytes())),
    "temporary file": lambda stack, path: _temporary(
        stack.enter_context(tempfile.TemporaryFile()), path
    ),
    "spooled file": lambda stack, path: _temporary(
        stack.enter_context(tempfile.SpooledTemporaryFile()), path
    ),
}


def _linked(path):
    link = path.with_suffix(".link")
    link.symlink_to(path)
    return link


def _temporary(stream, path):
    stream.write(path.read_bytes())
    stream.seek(0)
    return stream


@pytest.mark.parametrize("size", [0, 1, 100, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_gives_the_same_bytes(tmp_path, kind, size):
    data = (DATA * 6)[:size]
    real = tmp_path / "model.bin"
    real.write_bytes(data)
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(ModelPath.of(KINDS[kind](stack, real)))
        assert path.size == size
        assert path.head == data[:100]
        assert path.tail == data[-100:]
        assert path.read_at(50, 200) == data[50:250]
        with path.open() as stream:
            assert stream.read() == data


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_loads(model, kind):
    with contextlib.ExitStack() as stack:
        assert mlup.load(KINDS[kind](stack, model), Opener) == DATA


def test_a_text_in_a_loaded_file_is_its_utf8():
    with ModelPath.of(LoadedFile("grün")) as path:
        assert path.head == "grün".encode()


def test_a_folder_is_a_source(tmp_path):
    (tmp_path / "weights").write_bytes(b"")
    for source in (str(tmp_path), tmp_path, LoadedFile(path=str(tmp_path))):
        with ModelPath.of(source) as path:
            assert path.is_dir()
            assert path.members() == ("weights",)
    file = mlup.load(tmp_path, Given)
    assert (file.path, file.raw_data) == (str(tmp_path), b"")


@pytest.mark.parametrize("kind", ["open file", "unbuffered", "BytesIO", "gzip"])
@pytest.mark.parametrize("position", [0, 5, 500, len(DATA), len(DATA) + 10])
def test_a_stream_is_read_from_where_it_stands_and_put_back(model, kind, position):
    with contextlib.ExitStack() as stack:
        stream = KINDS[kind](stack, model)
        position = stream.seek(position)  # gzip stops at its end
        with ModelPath.of(stream) as path:
            assert path.head == DATA[position:][:100]
            assert path.tail == DATA[position:][-100:]
            assert path.size == len(DATA[position:])
        assert stream.tell() == position
        mlup.detect(stream)
        assert stream.tell() == position
        assert not stream.closed
        assert stream.read() == DATA[position:]


def test_a_load_leaves_the_callers_stream_open(model):
    with open(model, "rb") as stream:
        stream.seek(5)
        assert mlup.load(stream, Opener) == DATA[5:]
        assert not stream.closed
        stream.seek(0)
        assert stream.read() == DATA


def test_bytes_that_change_after_opening_do_not_matter():
    data = bytearray(DATA)
    with ModelPath.of(data) as path:
        data[:] = b"something else"
        assert path.head == DATA[:100]


class Dripping(io.RawIOBase):
    """A raw stream that returns one byte a call, as a socket may."""

    def __init__(self, data, *, seeks):
        super().__init__()
        self._inner = io.BytesIO(data)
        self._seeks = seeks

    def readable(self):
        return True

    def seekable(self):
        return self._seeks

    def seek(self, offset, whence=0):
        if not self._seeks:
            raise io.UnsupportedOperation("seek")
        return self._inner.seek(offset, whence)

    def tell(self):
        if not self._seeks:
            raise io.UnsupportedOperation("tell")
        return self._inner.tell()

    def readinto(self, buffer):
        piece = self._inner.read(min(1, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("seeks", [True, False], ids=["seeks", "cannot seek"])
def test_a_stream_that_gives_one_byte_a_time_is_read_whole(seeks):
    with Dripping(DATA, seeks=seeks) as stream, ModelPath.of(stream) as path:
        assert path.size == len(DATA)
        assert path.head == DATA[:100]
        assert path.tail == DATA[-100:]


def test_a_stream_that_cannot_seek_is_copied_up_to_a_limit(model):
    with contextlib.ExitStack() as stack:
        exactly = _pipe(stack, DATA)
        assert mlup.detect(exactly, spool_limit=len(DATA)).best is None
        too_long = _pipe(stack, DATA)
        with pytest.raises(mlup.SourceError, match=rf"limit of {len(DATA) - 1} .*spool_limit="):
            mlup.detect(too_long, spool_limit=len(DATA) - 1)
        too_long = _pipe(stack, DATA)
        with pytest.raises(mlup.SourceError, match="spool_limit="):
            mlup.load(too_long, Opener, spool_limit=10)


def test_the_temporary_copy_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with contextlib.ExitStack() as stack:
        mlup.detect(_pipe(stack, DATA))
        with pytest.raises(mlup.SourceError):
            mlup.detect(_pipe(stack, DATA), spool_limit=3)
    assert os.listdir(tmp_path) == []


# -- LoadedFile.open and as_path ------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [DATA, bytearray(DATA), memoryview(DATA), io.BytesIO(DATA), DATA.decode("latin-1")],
    ids=["bytes", "bytearray", "memoryview", "stream", "str"],
)
def test_what_is_in_memory_opens_as_a_stream(raw):
    with LoadedFile(raw).open() as stream:
        data = stream.read()
    assert data == (DATA.decode("latin-1").encode() if isinstance(raw, str) else DATA)


@pytest.mark.parametrize("raw", [b"", None])
def test_a_path_opens_as_a_stream(model, raw):
    with LoadedFile(raw, str(model)).open() as stream:
        assert stream.read() == DATA
    assert stream.closed


def test_data_wins_over_the_path_it_came_from(model):
    with LoadedFile(b"newer", str(model)).open() as stream:
        assert stream.read() == b"newer"
    with LoadedFile(b"newer", str(model)).as_path() as path:
        assert pathlib.Path(path).read_bytes() == b"newer"


def test_opening_nothing_says_what_there_is(tmp_path):
    with (
        pytest.raises(mlup.SourceError, match="raw_data is of type dict"),
        LoadedFile({}).open(),
    ):
        pass
    with (
        pytest.raises(mlup.SourceError, match=r"absent\.bin does not exist"),
        LoadedFile(path=str(tmp_path / "absent.bin")).open(),
    ):
        pass


def test_opening_a_folder_is_a_source_error(tmp_path):
    with pytest.raises(mlup.SourceError, match=r"folder|directory"):  # noqa: SIM117
        with LoadedFile(path=str(tmp_path)).open():
            pass


def test_the_body_s_own_error_is_not_taken_for_ours(model):
    with pytest.raises(OSError, match="mine") as caught, LoadedFile(path=str(model)).open():
        raise OSError("mine")
    assert not isinstance(caught.value, mlup.MLupError)
    with pytest.raises(OSError, match="mine"), LoadedFile(DATA).as_path():
        raise OSError("mine")


def test_a_path_is_given_as_it_is(model):
    for suffix in (None, ".bin", ".tar.bin"):
        with LoadedFile(path=str(model)).as_path(suffix) as path:
            assert path == str(model)


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("suffix", [None, ".keras"])
@pytest.mark.parametrize(
    "make",
    [bytes, bytearray, io.BytesIO, lambda data: data.decode("latin-1")],
    ids=["bytes", "bytearray", "stream", "str"],
)
def test_memory_is_copied_to_a_file_that_is_removed(tmp_path, monkeypatch, make, suffix, raises):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    raw = make(DATA)
    expected = raw.encode() if isinstance(raw, str) else DATA
    with (
        contextlib.suppress(ZeroDivisionError),
        LoadedFile(raw).as_path(suffix) as path,
    ):
        assert pathlib.Path(path).read_bytes() == expected
        assert path.startswith(str(tmp_path))
        assert os.path.splitext(path)[1] == (suffix or "")
        if raises:
            raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_a_temporary_copy_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with LoadedFile(DATA).as_path() as path:
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_wrong_suffix_costs_a_link_not_a_copy(tmp_path, model, monkeypatch, what):
    real = model
    if what == "folder":
        real = tmp_path / "saved"
        real.mkdir()
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    monkeypatch.chdir(tmp_path)
    with LoadedFile(path=real.name).as_path(".keras") as path:
        assert path.endswith(".keras")
        assert os.path.samefile(path, real)
    assert os.listdir(spool) == []
    assert real.exists()


def test_an_open_file_at_its_beginning_is_given_by_its_own_path(model):
    for buffering in (-1, 0):
        with open(model, "rb", buffering=buffering) as stream:
            with LoadedFile(stream).as_path() as path:
                assert path == str(model)
            assert not stream.closed


def test_an_open_file_further_on_is_copied(model):
    with open(model, "rb") as stream:
        stream.seek(5)
        with LoadedFile(stream).as_path(".bin") as path:
            assert not os.path.samefile(path, model)
            assert pathlib.Path(path).read_bytes() == DATA[5:]
        assert not os.path.exists(path)
        assert not stream.closed


def test_an_open_file_whose_path_holds_another_file_by_now_is_copied(model):
    with open(model, "rb") as stream:
        os.unlink(model)
        model.write_bytes(b"another")
        with LoadedFile(stream).as_path() as path:
            assert pathlib.Path(path).read_bytes() == DATA


def test_a_gzip_file_is_copied_inflated(model):
    with contextlib.ExitStack() as stack:
        stream = _gzip(stack, model)
        with LoadedFile(stream).as_path() as path:
            assert pathlib.Path(path).read_bytes() == DATA
        assert not stream.closed


def test_a_temporary_folder_that_cannot_be_made_is_a_source_error(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(mlup.SourceError, match="temporary"), LoadedFile(DATA).as_path():
        pass


@pytest.mark.parametrize("suffix", [None, ".bin", ".keras"])
def test_a_loaded_file_takes_pathlib_paths(model, suffix):
    with LoadedFile(path=model).open() as stream:
        assert stream.read() == DATA
    with LoadedFile(path=model).as_path(suffix) as path:
        assert path.endswith(suffix or "")
        assert os.path.samefile(path, model)
    assert mlup.detect(LoadedFile(path=model)).path == str(model)


# -- few reads, little memory ---------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 100, 150, 200, 5000])
def test_a_detection_opens_once_and_reads_two_hundred_bytes(tmp_path, counting_os, size):
    real = tmp_path / "model"
    real.write_bytes(b"\xf0\xf1\xf2\xf3" * (size // 4) + b"\xf4" * (size % 4))  # nothing probes it
    mlup.detect(str(real))
    assert len(counting_os.opened) == 1
    assert sum(n for _, n in counting_os.read) <= 200
    assert len(counting_os.read) <= 2
    with pytest.raises(OSError, match="Bad file descriptor"):  # and it is closed again
        os.fstat(counting_os.opened[0][1])


def test_a_detection_that_fails_closes_what_it_opened(model, counting_os, monkeypatch):
    def failing(*args):
        raise OSError(5, "Input/output error")

    counting_os.pread = failing
    with pytest.raises(mlup.SourceError, match="Input/output error") as caught:
        mlup.detect(model)
    assert str(model) in str(caught.value)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(counting_os.opened[0][1])


def test_a_folder_is_not_opened(tmp_path, counting_os):
    mlup.detect(tmp_path)
    assert counting_os.opened == []


HEADS = {
    "zeros": b"",
    "pickle": b"\x80\x04\x95" + (9 << 30).to_bytes(8, "little") + b"]\x94(" + b"K\x01" * 100,
    "long bytes": b"\x80\x04B\xff\xff\xff\xff",
    "longer text": b"\x80\x04\x8d" + (9 << 30).to_bytes(8, "little"),
    "protocol 0": b"(lp0\n" + b"I1\naI2\na" * 10,
    "zip": b"PK\x03\x04",
    "gzip": b"\x1f\x8b",
    "text": b"word " * 40,
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("end", [b"\0", b".", b"PK\x05\x06" + b"\xff" * 16 + b"\0\0"])
def test_ten_gigabytes_cost_neither_memory_nor_time(tmp_path, head, end):
    real = tmp_path / "large"
    with open(real, "wb") as stream:
        stream.write(HEADS[head])
        stream.truncate(10 << 30)
        stream.seek(-len(end), os.SEEK_END)
        stream.write(end)
    mlup.detect(real)  # imports what is imported lazily
    tracemalloc.start()
    try:
        began = time.perf_counter()
        found = mlup.detect(real)
        seconds = time.perf_counter() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.best is None
    assert peak < 1024 * 1024
    assert seconds < 1.0


# -- files of a folder --------------------------------------------------------------------------


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 100)
    (folder / "variables" / "index").write_bytes(b"index")
    (tmp_path / "secret").write_bytes(b"outside")
    return folder


def test_a_member_is_read_like_any_file(model_folder):
    with ModelPath.of(model_folder) as path:
        member = path.member("weights.bin")
        assert (member.name, member.size, member.suffix) == ("weights.bin", 25600, ".bin")
        assert member.head == bytes(range(100))
        assert member.read_at(256, 3) == b"\0\1\2"
        assert os.fspath(member) == os.fspath(model_folder / "weights.bin")
        assert path.member("weights.bin") is member
        inner = path.member("variables")
        assert inner.is_dir()
        assert inner.members() == ("index",)
        assert inner.member("index").head == b"index"


@pytest.mark.parametrize("name", ["", ".", "..", "../secret", "nothing", "variables/index", "a\0b"])
def test_what_is_no_member(model_folder, name):
    with ModelPath.of(model_folder) as path:
        assert path.member(name) is None


def test_a_file_and_bytes_have_no_members(model_folder):
    for source in (model_folder / "weights.bin", b"bytes"):
        with ModelPath.of(source) as path:
            assert path.member("weights.bin") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_no_member(model_folder):
    os.mkfifo(model_folder / "pipe")
    with ModelPath.of(model_folder) as path:
        assert path.member("pipe") is None


def test_members_are_read_on_the_budget_of_the_folder(model_folder):
    (model_folder / "large").write_bytes(bytes(BUDGET + 300))
    with ModelPath.of(model_folder) as path:
        path.member("weights.bin").read_at(0, 20_000)
        assert path.left == BUDGET - 20_000
        with pytest.raises(mlup.ProbeError):
            path.member("large").read_at(0, BUDGET)
        assert path.overdrawn
        path.next_reader()
        assert len(path.member("large").read_at(0, BUDGET)) == BUDGET
        with pytest.raises(mlup.ProbeError):
            path.member("weights.bin").read_at(20_000, 1000)
        path.next_reader()
        path.member("variables").member("index").edges()
        (model_folder / "variables" / "data").write_bytes(bytes(1000))
        path.member("variables").member("data").read_at(200, 300)
        assert path.left == BUDGET - 300


def test_members_are_closed_with_the_folder(model_folder):
    with ModelPath.of(model_folder) as path:
        member = path.member("weights.bin")
        member.edges()
        index = path.member("variables").member("index")
    for each in (member, index):
        with pytest.raises(mlup.ProbeError):
            each.read_at(1000, 1) if each is member else each.head


def test_no_plugin_closes_a_member_for_the_others(model_folder):
    with ModelPath.of(model_folder) as path:
        path.held = True
        member = path.member("weights.bin")
        member.close()
        assert member.read_at(1000, 1)
        path.held = False


def test_the_last_bytes_are_read_once(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 2)
    with ModelPath.of(path) as opened:
        opened.edges()
        for offset in (411, 412, 413, 500, 511, 512, 600):
            for n in (0, 1, 10, 100, 1000):
                left = opened.left
                assert opened.read_at(offset, n) == path.read_bytes()[offset : offset + n]
                assert (left == opened.left) == (offset >= 412 or n == 0)
