"""Safe loading of PyTorch files: weights as weights, modules by the safe lists, nothing else."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable

import pytest
import torch
from torch import nn

import mlup
from mlup_safepickle import Refused
from mlup_torch.containers import NoTorchFileError, check_no_script, check_records

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")

NET = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.LSTM(3, 2))


class Marker:
    """Creates a file when it is unpickled."""

    def __init__(self, path: object) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (self.path,)


def saved(what: object, *, zipped: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(what, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def repacked(
    data: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None], method: int = 0
) -> bytes:
    """An archive with other records."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(*changed)
    return stream.getvalue()


FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


@FORMATS
def test_weights_modules_and_checkpoints_load_by_default(zipped):
    optimizer = torch.optim.AdamW(NET.parameters())
    NET(torch.ones(2, 4))[0].sum().backward()
    optimizer.step()
    checkpoint = {"model": NET.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    for what in (NET.state_dict(), checkpoint, NET, [NET, {"lr": 0.1}]):
        assert type(mlup.load(saved(what, zipped=zipped))) is type(what)
    loaded = mlup.load(saved(NET, zipped=zipped))
    assert torch.equal(loaded(torch.ones(2, 4))[0], NET.eval()(torch.ones(2, 4))[0])


@FORMATS
def test_code_in_a_file_is_refused_by_name_and_not_run(tmp_path, zipped):
    marker = tmp_path / "ran"
    for what in (Marker(marker), {"a": NET, "b": Marker(marker)}, [torch.ones(2), Marker(marker)]):
        data = saved(what, zipped=zipped)
        with pytest.raises(mlup.UnsafeModelError) as caught:
            mlup.load(data)
        assert caught.value.refused == (f"{os.mkdir.__module__}.mkdir",)
        assert caught.value.binarizer == "torch"
        assert not marker.exists()
    mlup.load(data, trust=True)
    assert marker.exists()
    marker.rmdir()
    mlup.load(data, allow=caught.value.refused)
    assert marker.exists()


@pytest.mark.parametrize("place", range(5))
def test_code_in_any_of_the_five_pickles_is_refused(tmp_path, place):
    marker = tmp_path / "ran"
    data = saved(NET.state_dict(), zipped=False)
    stream = io.BytesIO(data)
    starts = []
    for _ in range(3):
        starts.append(stream.tell())
        pickle.load(stream)
    end = stream.tell()
    with_payload = pickle.dumps(Marker(marker), 2)
    if place < 3:
        following = starts[place + 1] if place < 2 else end
        changed = data[: starts[place]] + with_payload + data[following:]
    elif place == 3:
        changed = data[:end] + with_payload + data[end:]
    else:
        empty = saved({}, zipped=False)  # its pickles: …, the object, the storages' keys
        keys = pickle.dumps([], 2)
        assert empty.endswith(keys)
        changed = empty[: -len(keys)] + with_payload
    with pytest.raises(mlup.ModelLoadError):
        mlup.load(changed, "torch")
    assert not marker.exists()


def test_the_variable_that_switches_safety_off_is_without_effect(tmp_path, monkeypatch):
    marker = tmp_path / "ran"
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    for zipped in (True, False):
        with pytest.raises(mlup.UnsafeModelError):
            mlup.load(saved(Marker(marker), zipped=zipped))
        assert type(mlup.load(saved(NET.state_dict(), zipped=zipped))) is type(NET.state_dict())
    assert not marker.exists()


def test_other_pickles_in_an_archive_are_not_read_and_noted(tmp_path):
    marker = tmp_path / "ran"
    payload = pickle.dumps(Marker(marker))
    stream = io.BytesIO(saved(NET.state_dict()))
    with zipfile.ZipFile(stream, "a") as archive:
        folder = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{folder}/extra.pkl", payload)
        archive.writestr(f"{folder}/inner/data.pkl", payload)
    data = stream.getvalue()
    mlup.load(data, "torch")
    assert not marker.exists()
    report = mlup.inspect(data, "torch")
    assert report.refused == ()
    assert any("extra.pkl" in note and "inner/data.pkl" in note for note in report.notes)


def test_a_bomb_of_an_archive_is_refused_before_it_is_unpacked():
    data = repacked(
        saved({"w": torch.ones(2)}),
        lambda name, old: (name, old + bytes(300_000_000) if name.endswith("data.pkl") else old),
        zipfile.ZIP_DEFLATED,
    )
    assert len(data) < 1_000_000
    with pytest.raises(mlup.UnsafeModelError, match="bomb"):
        mlup.load(data, "torch")


def test_a_compressed_archive_loads():
    data = repacked(saved(NET), lambda name, old: (name, old), zipfile.ZIP_DEFLATED)
    assert isinstance(mlup.load(data, "torch"), nn.Sequential)


def test_torchscript_under_another_name_is_not_run_cve_2025_32434(recwarn):
    """CVE-2025-32434: torch.load handed TorchScript to torch.jit.load, weights_only or not."""
    recwarn.clear()
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), stream)
    recwarn.clear()
    with pytest.raises(mlup.ModelBinarizationError, match="torch-jit"):
        mlup.load(stream.getvalue(), "torch")


def directory_of(data: bytes) -> tuple[bytes, bytes, int]:
    """The records of an archive, its directory and how many entries that has."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start, count = archive.start_dir, len(archive.namelist())
    ends = [each for each in (data.find(b"PK\6\6", start), data.rfind(b"PK\5\6")) if each > 0]
    return data[:start], data[start : min(ends)], count


def entries_of(directory: bytes, moved: int) -> list[bytes]:
    """Each entry of a directory, of records that stand elsewhere now."""
    entries, at = [], 0
    while at < len(directory):
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        entry = bytearray(directory[at : at + 46 + name + extra + comment])
        struct.pack_into("<I", entry, 42, struct.unpack_from("<I", entry, 42)[0] + moved)
        entries.append(bytes(entry))
        at += len(entry)
    return entries


class Script(nn.Module):
    """TorchScript that tells when it is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.ones(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return self.weight, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        self.weight = state[0]
        self.training = state[1]
        raise RuntimeError("TorchScript was run")


@pytest.fixture
def two_archives(recwarn):
    """Files that are weights to zipfile, which searches for the directory, and a script to torch."""
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(Script()), stream)
    recwarn.clear()
    script, its_directory, count = directory_of(stream.getvalue())
    weights, directory, _ = directory_of(
        saved({f"k{n}": torch.ones(1) for n in range(40)}, zipped=True)
    )
    entries = entries_of(directory, len(script))
    entries = [e for e in entries if b"/data/" not in e] + [e for e in entries if b"/data/" in e]
    entries = entries[:count]
    extra = struct.unpack_from("<H", entries[-1], 32)[0] + len(its_directory)
    entries[-1] = entries[-1][:32] + struct.pack("<H", extra) + entries[-1][34:] + its_directory
    both = b"".join(entries)
    gap = len(both) - len(its_directory)
    body = script + weights
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(both), len(body) + gap, gap)
    return body + both + end + b" " * gap


def test_an_archive_that_is_another_one_to_torch_is_refused_cve_2025_32434(two_archives, tmp_path):
    assert not any("constants" in n for n in zipfile.ZipFile(io.BytesIO(two_archives)).namelist())
    (tmp_path / "model.pt").write_bytes(two_archives)
    records = torch._C.PyTorchFileReader(str(tmp_path / "model.pt")).get_all_records()
    assert "constants.pkl" in records
    for source in (two_archives, tmp_path / "model.pt"):
        with pytest.raises(mlup.UnsafeModelError, match="another archive"):
            mlup.load(source, "torch")
        assert any("another archive" in each for each in mlup.inspect(source, "torch").notes)


def test_the_records_that_torch_itself_finds_are_asked_too(two_archives):
    with pytest.raises(NoTorchFileError, match="torch-jit"):
        check_records(io.BytesIO(two_archives), len(two_archives))
    with pytest.raises(Refused, match="TorchScript"):
        check_no_script(io.BytesIO(two_archives))


@pytest.mark.parametrize("name", ["constants.pkl", "CONSTANTS.pkl", "DATA.pkl"])
def test_records_that_torch_finds_in_any_case_are_refused(name):
    stream = io.BytesIO(saved(NET))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(archive.namelist()[0].partition("/")[0] + "/" + name, b"\x80\x02}.")
    with pytest.raises(mlup.ModelLoadError, match=r"torch-jit|same name"):
        mlup.load(stream.getvalue(), "torch")


@pytest.mark.parametrize("by", [-8, 8])
def test_a_directory_that_is_not_where_it_should_be_is_refused(by):
    data = repacked(saved(NET.state_dict()), lambda name, old: (name, old))
    end = data.rindex(b"PK\5\6")
    offset = struct.unpack_from("<I", data, end + 16)[0]
    moved = data[: end + 16] + struct.pack("<I", offset + by) + data[end + 20 :]
    with pytest.raises(mlup.ModelLoadError):
        mlup.load(moved, "torch")
    assert mlup.inspect(moved, "torch").notes


def test_two_end_records_that_disagree_are_refused():
    data = saved(NET.state_dict())
    end64 = data.rindex(b"PK\6\6")
    locator = data.rindex(b"PK\6\7")
    for at, form in ((locator + 8, "<Q"), (end64 + 32, "<Q"), (end64 + 48, "<Q")):
        changed = bytearray(data)
        struct.pack_into(form, changed, at, struct.unpack_from(form, data, at)[0] - 1)
        with pytest.raises(mlup.ModelLoadError):
            mlup.load(bytes(changed), "torch")


def test_nothing_global_changes_and_threads_do_not_share_what_they_allow(tmp_path):
    safe_globals = set(torch.serialization.get_safe_globals())
    data = saved({"n": NET, "f": Marker(tmp_path / "ran")})
    name = f"{os.mkdir.__module__}.mkdir"
    outcomes: dict[bool, set[str]] = {True: set(), False: set()}

    def work(allowed: bool) -> None:
        for at in range(10):
            folder = tmp_path / f"{threading.get_ident()}-{at}"
            mine = saved({"n": NET, "f": Marker(folder)})
            try:
                mlup.load(mine, allow=[name] if allowed else [])
                outcomes[allowed].add("loaded")
            except mlup.UnsafeModelError:
                outcomes[allowed].add("refused")
            assert folder.exists() is allowed

    threads = [threading.Thread(target=work, args=(bool(n % 2),)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert outcomes == {True: {"loaded"}, False: {"refused"}}
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(data)
    assert set(torch.serialization.get_safe_globals()) == safe_globals


def test_mapped_tensors_are_checked_like_any(tmp_path):
    marker = tmp_path / "ran"
    (tmp_path / "good.pt").write_bytes(saved(NET.state_dict()))
    (tmp_path / "module.pt").write_bytes(saved(NET))
    (tmp_path / "bad.pt").write_bytes(saved({"w": torch.ones(9), "f": Marker(marker)}))
    options = {"mmap": True}
    assert torch.equal(mlup.load(tmp_path / "good.pt", options=options)["0.weight"], NET[0].weight)
    assert isinstance(mlup.load(tmp_path / "module.pt", options=options), nn.Sequential)
    with pytest.raises(mlup.UnsafeModelError, match="mkdir"):
        mlup.load(tmp_path / "bad.pt", options=options)
    assert not marker.exists()


# -- inspect --------------------------------------------------------------------------------------


@FORMATS
def test_inspect_names_what_would_be_imported(tmp_path, zipped):
    report = mlup.inspect(saved({"n": NET, "f": Marker(tmp_path / "ran")}, zipped=zipped))
    assert report.format == "torch"
    names = {str(each): (each.role, each.verdict) for each in report.imports}
    assert names["torch.nn.modules.linear.Linear"] == ("call", "safe")
    assert names[f"{os.mkdir.__module__}.mkdir"] == ("call", "refused")
    assert report.notes == ()
    assert not (tmp_path / "ran").exists()


@FORMATS
def test_inspect_reads_what_torch_reads_whatever_the_checksums_say(zipped):
    data = bytearray(saved(NET.state_dict(), zipped=zipped))
    if zipped:
        directory = data.index(b"PK\x01\x02")
        data[directory + 16 : directory + 20] = b"\0\0\0\0"  # the first record's CRC
    assert "collections.OrderedDict" in map(str, mlup.inspect(bytes(data), "torch").imports)


def test_inspect_imports_nothing(tmp_path):
    for zipped in (True, False):
        (tmp_path / str(zipped)).write_bytes(saved(NET, zipped=zipped))
    code = (
        "import sys, mlup\n"
        "for name in ('True', 'False'):\n"
        "    assert len(mlup.inspect(name).imports) > 5\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=60)


@pytest.mark.parametrize("length", range(0, 2000, 160))
@FORMATS
def test_inspect_of_a_truncated_file_tells_what_it_saw(zipped, length):
    report = mlup.inspect(saved(NET, zipped=zipped)[:length], "torch")
    assert report.notes
