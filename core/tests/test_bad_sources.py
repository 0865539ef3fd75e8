"""What cannot be read, or is no model: one clear error that names it, and never a wait."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlup
from mlup import probe, sources
from mlup.files import LoadedFile, ModelPath


@pytest.fixture(autouse=True)
def only_core(monkeypatch):
    """No binarizer scores, whatever is installed beside core."""
    for name in ("MLUP_STRICT_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLUP_PLUGINS", "memory")
    mlup.refresh()
    yield
    mlup.refresh()


class Reads:
    """A binarizer that reads what it is given."""

    @staticmethod
    def deserialize(file):
        with file.open() as stream:
            return stream.read()


def message_of(source, **more):
    """The one error for a source, the same whether it is detected or loaded."""
    with pytest.raises(mlup.SourceError) as caught:
        mlup.detect(source, **more)
    with pytest.raises(mlup.SourceError) as again:
        mlup.load(source, **more)
    assert str(caught.value) == str(again.value)
    assert isinstance(caught.value, mlup.ModelLoadError)
    message = str(caught.value)
    assert "\n" not in message
    assert message == message.strip()
    return message


# -- paths ----------------------------------------------------------------------------------


def test_nothing_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in ("absent.pkl", pathlib.Path("absent.pkl"), LoadedFile(path="absent.pkl")):
        message = message_of(source)
        assert message.startswith("absent.pkl does not exist")
        assert str(tmp_path) in message  # where it was looked for


def test_an_empty_path_is_shown_as_one():
    message = message_of("")
    assert "''" in message or '""' in message or "empty" in message
    assert "." in message_of(LoadedFile(path="")) or "empty" in message_of(LoadedFile(path=""))


def test_a_path_that_continues_behind_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert str(tmp_path / "file" / "model") in message_of(tmp_path / "file" / "model")


def test_a_slash_behind_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert f"{tmp_path}/file/" in message_of(f"{tmp_path}/file/")


@pytest.mark.parametrize(
    "name",
    ["a\0b", "\0", "x" * 300, "x/" * 3000, "\ud800"],
    ids=["NUL inside", "NUL", "long", "deep", "half a surrogate"],
)
def test_a_name_the_system_cannot_have(name):
    message = message_of(f"model-{name}")
    assert "model-" in message
    assert "cannot be read" in message or "does not exist" in message


def test_links_that_run_in_a_loop(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to("self")
    for name in ("a", "self"):
        message = message_of(tmp_path / name)
        assert str(tmp_path / name) in message
        assert "loop" in message


def test_a_link_to_nowhere(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    assert message_of(tmp_path / "link").startswith(f"{tmp_path / 'link'} does not exist")


def test_the_working_directory_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "model.pkl does not exist" in message_of("model.pkl")


# A process of its own, as nobody where we are root, for whom every door is open.
AS_NOBODY = """
import os, sys
import mlup

for source in (b"a model", "/absent", os.getcwd()):  # imports what is imported lazily
    try:
        mlup.load(source)
    except mlup.MLupError:
        pass
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for call in (mlup.detect, mlup.load):
    try:
        call(sys.argv[1])
    except mlup.SourceError as error:
        print(error)
"""


def run(code, *arguments):
    """What a fresh process prints; it is killed where it waits."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    ).stdout.splitlines()


@pytest.fixture
def open_folder():
    """A folder whose parents everybody may enter, which pytest's own are not."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for each in folder.iterdir():
        each.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("what", ["file", "folder", "file in a folder"])
def test_no_permission(open_folder, what):
    locked = open_folder / "locked"
    path = locked
    if what == "file":
        locked.write_bytes(b"secret")
    else:
        locked.mkdir()
        if what == "file in a folder":
            path = locked / "model.pkl"
            path.write_bytes(b"secret")
    locked.chmod(0)
    said = run(AS_NOBODY, path)
    assert len(said) == 2, said
    assert said[0] == said[1]
    assert said[0].startswith(f"{path} cannot be read: permission denied")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_what_the_system_says_of_permission(number):
    error = sources.unreadable("model.pkl", OSError(number, os.strerror(number)))
    assert str(error).startswith("model.pkl cannot be read: permission denied")


# -- what would make us wait, or is no file -------------------------------------------------

DETECT_AND_LOAD = """
import sys
import mlup

for call in (mlup.detect, mlup.load):
    try:
        call(sys.argv[1])
    except mlup.SourceError as error:
        print(error)
"""


def test_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    said = run(DETECT_AND_LOAD, tmp_path / "fifo")
    assert len(said) == 2, said
    for line in said:
        assert line.startswith(f"{tmp_path / 'fifo'} is a named pipe")


def test_a_link_to_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link.pkl").symlink_to("fifo")
    said = run(DETECT_AND_LOAD, tmp_path / "link.pkl")
    assert len(said) == 2, said
    assert "link.pkl is a named pipe" in said[0]


SWAPPED = """
import os, sys
import mlup
from mlup import sources

class Os:
    "A file is seen, and has become a pipe when it is opened."
    def __getattr__(self, name):
        return getattr(os, name)
    def stat(self, path):
        return os.stat(__file__ if "__file__" in globals() else os.__file__)

sources.os = Os()
try:
    mlup.detect(sys.argv[1])
except mlup.SourceError as error:
    print(error)
"""


def test_a_file_swapped_for_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    said = run(SWAPPED, tmp_path / "fifo")
    assert len(said) == 1, said
    assert str(tmp_path / "fifo") in said[0]


def test_a_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name has 108 bytes at most
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert "socket is a socket" in message_of("socket")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device(device):
    if not os.path.exists(device):
        pytest.skip(f"no {device} here")
    said = run(DETECT_AND_LOAD, device)
    assert len(said) == 2, said
    for line in said:
        assert line.startswith(f"{device} is a character device")


def test_a_device_is_not_even_opened(monkeypatch):
    def never(*args):
        raise AssertionError("opened")

    monkeypatch.setattr(sources.os, "open", never)
    assert "character device" in message_of("/dev/null")


# -- names that are not UTF-8 ---------------------------------------------------------------


@pytest.fixture
def odd_name(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"model-\xff\xfe.bin")
    try:
        with open(name, "wb") as stream:
            stream.write(b"bytes")
    except OSError:  # macOS has UTF-8 names only
        pytest.skip("this file system refuses the name")
    return name


def test_a_name_that_is_not_utf8(odd_name):
    class BytesPath:
        def __fspath__(self):
            return odd_name

    text = os.fsdecode(odd_name)
    for source in (text, pathlib.Path(text), BytesPath(), LoadedFile(path=text)):
        found = mlup.detect(source)
        assert (found.path, found.best) == (text, None)
        assert mlup.load(source, Reads) == b"bytes"
    with open(odd_name, "rb") as stream:
        assert mlup.load(stream, Reads) == b"bytes"
        assert ModelPath.of(stream).name == os.path.basename(text)


def test_a_name_that_is_not_utf8_in_an_error(odd_name):
    with pytest.raises(mlup.UnknownModelError) as caught:
        mlup.load(os.fsdecode(odd_name))
    assert caught.value.path == os.fsdecode(odd_name)
    os.unlink(odd_name)
    assert os.fsdecode(odd_name) in message_of(os.fsdecode(odd_name))


# -- objects that are no source -------------------------------------------------------------


@pytest.mark.parametrize("source", [None, 5, object(), ["model.pkl"], {"path": "model.pkl"}, 1.5])
def test_an_object_that_is_no_source(source):
    message = message_of(source)
    assert f"type {type(source).__name__} is no source" in message
    assert "binarizer='memory'" in message


def test_an_object_in_a_loaded_file_is_no_source():
    assert "type dict is no source" in message_of(LoadedFile({"a": "model"}))


def test_a_closed_file(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"x")
    with open(tmp_path / "model.pkl", "rb") as stream:
        pass
    message = message_of(stream)
    assert message.startswith("model.pkl is a closed file")
    assert "'rb'" in message


def test_a_closed_stream_without_a_name():
    stream = io.BytesIO(b"x")
    stream.close()
    assert "closed file" in message_of(stream)


def test_a_file_that_is_closed_while_it_is_looked_at(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"x" * 500)
    with open(tmp_path / "model.pkl", "rb") as stream:
        path = ModelPath.of(stream)
    with pytest.raises(mlup.SourceError, match=r"model\.pkl"):
        path.read_at(0, 300)


def test_a_text_file(tmp_path):
    (tmp_path / "model.pkl").write_text("text", encoding="utf-8")
    with open(tmp_path / "model.pkl", encoding="utf-8") as stream:
        message = message_of(stream)
    assert message.startswith("model.pkl was opened as text")
    assert "'rb'" in message
    assert "opened as text" in message_of(io.StringIO("text"))


def test_a_file_open_for_writing_only(tmp_path):
    with open(tmp_path / "model.pkl", "wb") as stream:
        assert "model.pkl" in message_of(stream)


class Broken(io.RawIOBase):
    """A stream of a broken disk: ``after`` reads succeed."""

    name = "far/broken.pkl"

    def __init__(self, *, seeks, after):
        super().__init__()
        self._seeks, self._after, self._position = seeks, after, 0

    def readable(self):
        return True

    def seekable(self):
        return self._seeks

    def seek(self, offset, whence=0):
        self._position = offset if whence == 0 else 1000
        return self._position

    def tell(self):
        return self._position

    def readinto(self, buffer):
        if self._after <= 0:
            raise OSError(errno.EIO, "Input/output error")
        if len(buffer):
            self._after -= 1
        return len(buffer)


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("seeks", [True, False], ids=["seeks", "cannot seek"])
def test_a_stream_that_fails(seeks, after):
    for call in (mlup.detect, mlup.load):
        with (
            Broken(seeks=seeks, after=after) as stream,
            pytest.raises(mlup.SourceError, match=r"broken\.pkl.*Input/output error"),
        ):
            call(stream)


COMPRESSED = {
    "gzip": (gzip.compress, gzip.open),
    "bz2": (bz2.compress, bz2.open),
    "xz": (lzma.compress, lzma.open),
}


@pytest.mark.parametrize("how", ["truncated", "damaged", "something else"])
@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_compressed_stream_that_does_not_inflate(tmp_path, kind, how):
    compress, opener = COMPRESSED[kind]
    data = compress(bytes(range(256)) * 40)
    data = {
        "truncated": data[: len(data) // 2],
        "damaged": data[:20] + bytes(255 - each for each in data[20:]),
        "something else": b"no such thing" * 20,
    }[how]
    (tmp_path / "model.z").write_bytes(data)
    with (
        opener(tmp_path / "model.z", "rb") as stream,
        pytest.raises(mlup.SourceError, match="cannot be read"),
    ):
        mlup.detect(stream)


# -- a source that changes while it is read -------------------------------------------------


class ShrinkingOs:
    """``os`` as ``mlup.sources`` sees it; the file is cut behind our back after the first read."""

    def __init__(self, path, size):
        self._path, self._size = path, size

    def __getattr__(self, name):
        return getattr(os, name)

    def pread(self, descriptor, n, offset):
        data = os.pread(descriptor, n, offset)
        os.truncate(self._path, self._size)
        return data


@pytest.mark.parametrize("left", [0, 1, 50, 150])
@pytest.mark.parametrize("head", [b"\x80\x04\x95", b"PK\x03\x04", b"(lp0\nI1\na", b"text "])
def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch, head, left):
    path = tmp_path / "model.pkl"
    for call in (mlup.detect, mlup.load):
        path.write_bytes((head * 100)[:1000])
        with monkeypatch.context() as patch:
            patch.setattr(sources, "os", ShrinkingOs(path, left))
            try:
                assert call(path).best is None
            except mlup.ModelLoadError as error:
                assert str(path) in str(error)  # noqa: PT017 - either way is right
            else:
                assert call is mlup.detect


class Shrunk(sources.Memory):
    """Says that it is longer than it is."""

    def __init__(self, data, size):
        super().__init__(data)
        self.size = size


@given(
    head=st.sampled_from(
        [b"", b"\x80\x04\x95\x20" + bytes(7), b"PK\x05\x06", b"(lp0\n", b"cbuiltins\nlist\n"]
    ),
    data=st.binary(max_size=200),
    missing=st.integers(1, 10**7),
)
@settings(max_examples=150, deadline=None)
def test_probes_survive_a_source_that_shrank(head, data, missing):
    whole = head + data
    path = ModelPath(Shrunk(whole, len(whole) + missing), location=None, name="shrunk")
    probe.zip_directory(path)
    probe.pickle_start(path)
    probe.pickle_stops(path)
    probe.pickle_frames(path)
    path.next_reader()
    probe.pickle_imports(path, "builtins.list")


# -- what can be read, and is no model ------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"", "an empty file"),
        (b"x", "text of no model format"),
        (b"\0", "zeros only"),
        (b"\0" * 1000, "zeros only"),
        (b"<html><body>404</body></html>", "an HTML page"),
    ],
    ids=["empty", "one byte", "one zero", "zeros", "a page"],
)
def test_no_model_in_a_file(tmp_path, data, verdict):
    (tmp_path / "model.pkl").write_bytes(data)
    no_model(tmp_path / "model.pkl", verdict)


def test_no_model_in_a_folder(tmp_path):
    no_model(tmp_path, "an empty folder")
    (tmp_path / "notes.txt").write_bytes(b"")
    no_model(tmp_path, "a folder in which no installed binarizer sees a model (notes.txt)")


def no_model(path, verdict):
    found = mlup.detect(path)
    assert (found.best, found.candidates, found.problems, found.tied) == (None, (), (), ())
    assert found.verdict.startswith(verdict)
    with pytest.raises(mlup.UnknownModelError) as caught:
        mlup.load(path)
    assert isinstance(caught.value, mlup.ModelLoadError)
    assert caught.value.verdict == found.verdict
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    assert found.verdict.rstrip("?") in str(caught.value)


def test_no_single_byte_is_a_model():
    for byte in range(256):
        assert mlup.detect(bytes([byte])).best is None


def test_an_empty_file_can_still_be_loaded_by_name(tmp_path):
    (tmp_path / "model").write_bytes(b"")
    assert mlup.load(tmp_path / "model", Reads) == b""


@given(data=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_make_detect_raise(data):
    found = mlup.detect(data)
    assert found.best is None
    assert found.problems == ()
