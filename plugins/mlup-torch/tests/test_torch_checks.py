"""What is asked of sparse and nested tensors, of optimizers, modules and handles."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import OrderedDict, defaultdict
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

import mlup
from mlup_torch.state_checks import handle_state, module_state, optimizer_state

pytestmark = [
    pytest.mark.filterwarnings("ignore:Sparse "),
    pytest.mark.filterwarnings("ignore:.*prototype"),
    pytest.mark.filterwarnings("ignore:.*beta state"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor"),
]
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
PROTOCOLS = pytest.mark.parametrize("protocol", [2, 4])


class Rebuilt:
    """Any call of a function, in a file."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> object:
        return self.call


def saved(what: object, zipped: bool = True, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    torch.save(what, stream, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    return stream.getvalue()


def sparse_tensors() -> dict[str, torch.Tensor]:
    eye = torch.eye(4)
    return {
        "coo": torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 2)),
        "coalesced": eye.to_sparse().coalesce(),
        "empty": torch.sparse_coo_tensor((3, 3)),
        "csr": eye.to_sparse_csr(),
        "csc": eye.to_sparse_csc(),
        "bsr": eye.to_sparse_bsr((2, 2)),
        "bsc": eye.to_sparse_bsc((2, 2)),
    }


@FORMATS
@PROTOCOLS
def test_sparse_tensors_load(zipped, protocol):
    tensors = sparse_tensors()
    loaded = mlup.load(saved(tensors, zipped, protocol), "torch")
    for name, tensor in tensors.items():
        assert loaded[name].layout is tensor.layout
        assert torch.equal(loaded[name].to_dense(), tensor.to_dense())


@FORMATS
@PROTOCOLS
def test_sparse_tensors_with_indices_beyond_their_size_are_refused(zipped, protocol):
    """To_dense() of these reads or writes beyond its memory; torch loads them."""
    unchecked = {"check_invariants": False}
    far = torch.sparse_coo_tensor([[10**13]], [1.0], (2,), **unchecked)
    rows = torch.sparse_csr_tensor([0, 1, 9], [0, 1], [1.0, 2.0], (2, 2), **unchecked)
    columns = torch.sparse_csr_tensor([0, 1, 2], [0, 7], [1.0, 2.0], (2, 2), **unchecked)
    before = torch.sparse.check_sparse_tensor_invariants.is_enabled()
    for tensor in (far, rows, columns):
        for what in (tensor, [{"a": (tensor,)}], {"w": torch.ones(1), "net": [nn.ReLU(), tensor]}):
            with pytest.raises(mlup.UnsafeModelError, match="not safe to use"):
                mlup.load(saved(what, zipped, protocol), "torch")
    assert torch.sparse.check_sparse_tensor_invariants.is_enabled() is before


@PROTOCOLS
def test_indices_without_memory_of_their_own_are_refused(tmp_path, protocol):
    one, many = torch.zeros(1, 1, dtype=torch.int64), 3 * 10**9
    coo = Rebuilt(
        torch._utils._rebuild_sparse_tensor,
        torch.sparse_coo,
        (one.expand(1, many), torch.zeros(1).expand(many), torch.Size([1]), False),
    )
    nested = Rebuilt(
        torch._utils._rebuild_nested_tensor,
        torch.zeros(1),
        one.expand(many, 1),
        one.expand(many, 1),
        one[0].expand(many),
    )
    for what in (coo, nested):
        (tmp_path / "bomb.pt").write_bytes(saved([what], protocol=protocol))
        code = (
            "import resource, mlup, torch\n"
            "resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))\n"
            "try:\n    mlup.load('bomb.pt', 'torch')\n"
            "except mlup.UnsafeModelError as error:\n    assert '_rebuild_' in str(error)\n"
            "else:\n    raise SystemExit('loaded')\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=30)


@PROTOCOLS
def test_nested_tensors_load_and_parts_beyond_the_buffer_do_not(protocol):
    tensor = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)])
    loaded = mlup.load(saved([tensor], protocol=protocol), "torch")[0]
    assert [each.shape for each in loaded.unbind()] == [(2, 3), (4, 3)]
    for changed in ([[2, 3], [400, 3]], [[2, 3], [-4, 3]], [[2, 3], [2**62, 2**62]]):
        bad = Rebuilt(
            torch._utils._rebuild_nested_tensor,
            torch.ones(18),
            torch.tensor(changed),
            torch.tensor([[3, 1], [3, 1]]),
            torch.tensor([0, 6]),
        )
        with pytest.raises(mlup.UnsafeModelError, match="_rebuild_nested_tensor"):
            mlup.load(saved([bad], protocol=protocol), "torch")


def test_tensors_that_are_conjugated_or_negated_load_beside_a_module():
    tensor = torch.tensor([1 + 2j])
    for each in (tensor.conj(), tensor.conj().imag):
        assert torch.equal(mlup.load(saved([nn.ReLU(), each]), "torch")[1], each)


# -- states ---------------------------------------------------------------------------------------


def optimizers() -> list[torch.optim.Optimizer]:
    net = nn.Linear(2, 2)
    made = []
    for name in [
        "Adadelta",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "ASGD",
        "LBFGS",
        "NAdam",
        "RAdam",
        "RMSprop",
        "Rprop",
        "SGD",
    ]:
        optimizer = getattr(torch.optim, name)(net.parameters(), lr=0.1)

        def loss(optimizer=optimizer):
            optimizer.zero_grad()
            value = net(torch.ones(1, 2)).sum()
            value.backward()
            return value

        optimizer.step(loss)
        made.append(optimizer)
    return made


def test_states_of_optimizers_are_good():
    for optimizer in optimizers():
        assert optimizer_state(optimizer.__getstate__(), optimizer) is None
        assert type(mlup.load(saved(optimizer), "torch")) is type(optimizer)


def test_states_of_optimizers_that_would_call_something_are_not():
    optimizer = torch.optim.Adam(nn.Linear(1, 1).parameters())
    good = optimizer.__getstate__()
    trap = SimpleNamespace(setdefault=len, get=len, values=len)
    group = good["param_groups"][0]

    class Planted(dict):
        pass

    for change in (
        {"defaults": trap},
        {"defaults": Planted()},
        {"state": trap},
        {"state": {1: trap}},
        {"state": {1: {"step": trap}}},
        {"param_groups": trap},
        {"param_groups": [trap]},
        {"param_groups": [{**group, "params": trap}]},
        {"param_groups": [{**group, "params": [trap]}]},
        {"param_groups": [{**group, "capturable": trap}]},
        {"step": len},
        {"_patch_step_function": len},
        {"_optimizer_step_pre_hooks": OrderedDict(a=len)},
        {"_optimizer_step_pre_hooks": trap},
    ):
        assert optimizer_state({**good, **change}, optimizer) is not None, change
    assert optimizer_state(OrderedDict(good), optimizer) is not None
    assert optimizer_state({**good, "state": defaultdict(dict)}, optimizer) is None


def modules() -> list[nn.Module]:
    hooked = nn.Linear(1, 1)
    hooked.register_forward_hook(print)
    return [
        hooked,
        nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)),
        nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=1),
        nn.GRU(2, 3),
        nn.RNN(2, 3, bias=False),
        nn.GRUCell(2, 2),
        nn.MultiheadAttention(4, 2),
        nn.Transformer(8, 2, 1, 1, 16),
        nn.Upsample(2),
        nn.ParameterList([nn.Parameter(torch.ones(1))]),
        nn.ParameterDict({"a": nn.Parameter(torch.ones(1))}),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2)),
        nn.LazyLinear(2),
    ]


def test_states_of_modules_are_good():
    for module in modules():
        for each in module.modules():
            assert module_state(dict(each.__dict__), each) is None
    assert module_state((1, 2), nn.Conv1d(1, 1, 1)) is None


def test_states_of_modules_that_would_call_something_are_not():
    trap = SimpleNamespace(items=len, values=len)
    module, rnn = nn.Linear(1, 1), nn.LSTM(1, 1)
    for change in (
        {"_modules": trap},
        {"_modules": {"a": trap}},
        {"_parameters": trap},
        {"_parameters": {"a": trap}},
        {"_buffers": {"__array_interface__": {}}},
        {"_forward_hooks": trap},
        {"_non_persistent_buffers_set": trap},
    ):
        assert module_state({**module.__dict__, **change}, module) is not None, change
    for change in (
        {"_all_weights": trap},
        {"_all_weights": [trap]},
        {"_flat_weights": trap},
        {"_flat_weights_names": [trap]},
        {"num_layers": 10**9},
        {"proj_size": trap},
    ):
        assert module_state({**rnn.__dict__, **change}, rnn) is not None, change


def test_states_of_handles():
    handle = nn.Linear(1, 1).register_forward_hook(print)
    assert handle_state(handle.__getstate__(), handle) is None
    assert handle_state((None, 3), handle) is None
    before = RemovableHandle.next_id
    for state in ((None, float("inf")), (None, 2**31), (None, -1), (None, True), (len, 1), None,
                  (None,), [None, 1], (None, 1, len), (None, 1, (len,))):  # fmt: skip
        assert handle_state(state, handle) is not None, state
    assert RemovableHandle.next_id == before
