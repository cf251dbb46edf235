"""A load that checks every byte into live tensors, against loads that check none; and the memory it takes on the way.

Each ends with the same tensors filled in place, as a resume needs it. The peers map their file and copy out of the map.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benches.checkpoint.state import STATE_BYTES, make_state, same
from benches.harness import gate, measures

if TYPE_CHECKING:
    from benches.checkpoint.state import Tensors


def zeros_like(tensors: Tensors) -> Tensors:
    """Live tensors of the same kind, each page of them touched."""
    import torch

    return {name: torch.zeros_like(tensor).fill_(1) for name, tensor in tensors.items()}


def peak_megabytes() -> float:
    """The most memory that this process has held since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def forget_peak() -> float:
    """Begin a new peak, and say where it begins."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_megabytes()


@pytest.mark.parametrize("peer", ["torch", "safetensors"])
def bench_load(benchmark: Any, tmp_path: Path, peer: str) -> None:
    import safetensors.torch
    import torch

    from codex.checkpoint import load, save

    model, optimizer = make_state()
    everything = model | optimizer
    path = save(tmp_path, 1, model=model, optimizer=optimizer, state_tensors={}, state={}, files={})
    into = {"model": zeros_like(model), "optimizer": zeros_like(optimizer)}
    live = zeros_like(everything)
    if peer == "torch":
        torch.save(everything, tmp_path / "state.pt")
    else:
        safetensors.torch.save_file(everything, tmp_path / "state.safetensors")

    def ours() -> Tensors:
        loaded = load(path, into=into)
        return loaded.model | loaded.optimizer

    def theirs() -> Tensors:
        mapped: Tensors = (
            torch.load(tmp_path / "state.pt", mmap=True)
            if peer == "torch"
            else safetensors.torch.load_file(tmp_path / "state.safetensors")
        )
        for name, tensor in live.items():
            tensor.copy_(mapped[name])
        return live

    figures = {"megabytes": round(STATE_BYTES / 1e6)}
    gate(benchmark, f"checkpoint.load_{peer}", ours, theirs, rounds=20, equal=same, **figures)


def bench_load_memory(benchmark: Any, tmp_path: Path) -> None:
    from codex.checkpoint import load, save

    model, optimizer = make_state()
    path = save(tmp_path, 1, model=model, optimizer=optimizer, state_tensors={}, state={}, files={})
    into = {"model": zeros_like(model), "optimizer": zeros_like(optimizer)}

    def extra_megabytes() -> float:
        before = forget_peak()
        loaded = load(path, into=into)
        assert same(loaded.model | loaded.optimizer, model | optimizer)
        return peak_megabytes() - before

    measures(benchmark, "checkpoint.load_memory", extra_megabytes, megabytes=round(STATE_BYTES / 1e6))
