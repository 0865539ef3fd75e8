"""Safe loading of PyTorch files: weights as weights, modules by the safe lists, nothing else."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable

import pytest
import torch
from torch import nn

import mlup

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
