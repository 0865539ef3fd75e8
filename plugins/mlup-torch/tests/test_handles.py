"""Handles of hooks: the one number that all of a process count on from is not the file's."""

from __future__ import annotations

import io
import struct

import pytest
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

import mlup
import mlup_safepickle

HANDLE = b"\x80\x02ctorch.utils.hooks\nRemovableHandle\n)\x81"
STATES = {
    "infinite": b"NG" + struct.pack(">d", float("inf")) + b"\x86",
    "not a number": b"NG" + struct.pack(">d", float("nan")) + b"\x86",
    "the last number of all": b"N\x8a\x09" + (2**63).to_bytes(9, "little") + b"\x86",
    "negative": b"NJ\xff\xff\xff\xff\x86",
    "a text": b"NVa\n\x86",
    "a truth": b"N\x88\x86",
    "hooks that are a function": b"cbuiltins\nlen\nK\x01\x86",
    "more hooks that are a function": b"NK\x01cbuiltins\nlen\n\x87",
    "nothing": b"N",
    "no tuple": b"](NK\x01e",
}


@pytest.mark.parametrize("state", STATES)
def test_a_handle_does_not_change_the_number_of_all(state):
    before = RemovableHandle.next_id
    try:
        with pytest.raises(mlup_safepickle.Refused, match="a state that is not safe"):
            mlup_safepickle.load(io.BytesIO(HANDLE + STATES[state] + b"b."))
        assert RemovableHandle.next_id == before
    finally:
        RemovableHandle.next_id = before


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_the_same_in_a_checkpoint(tmp_path, form):
    handle = nn.Linear(1, 1).register_forward_hook(print)
    handle.id = 2**62
    path, before = tmp_path / "model.pt", RemovableHandle.next_id
    torch.save({"a": handle}, path, _use_new_zipfile_serialization=form == "zip")
    try:
        with pytest.raises(mlup.UnsafeModelError, match="number is none"):
            mlup.load(path)
        assert RemovableHandle.next_id == before
    finally:
        RemovableHandle.next_id = before


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_an_ordinary_handle_loads(tmp_path, form):
    path = tmp_path / "model.pt"
    module = nn.Linear(1, 1)
    handle = module.register_forward_hook(print)
    handle.remove()  # the number stays
    torch.save({"a": handle}, path, _use_new_zipfile_serialization=form == "zip")
    loaded = mlup.load(path)["a"]
    assert type(loaded) is RemovableHandle
    assert loaded.id == handle.id
