"""A load that checks every byte, against loads that check none. Each ends with tensors in memory of their own.

`load_file` of safetensors maps the file and reads nothing yet; `clone` makes it do what the others do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benches.checkpoint.state import STATE_BYTES, make_state, same
from benches.harness import gate

if TYPE_CHECKING:
    from benches.checkpoint.state import Tensors


@pytest.mark.parametrize("peer", ["torch", "safetensors"])
def bench_load(benchmark: Any, tmp_path: Path, peer: str) -> None:
    import safetensors.torch
    import torch

    from codex.checkpoint import load, save

    model, optimizer = make_state()
    everything = model | optimizer
    path = save(tmp_path, 1, model=model, optimizer=optimizer, state_tensors={}, state={}, files={})
    torch.save(everything, tmp_path / "state.pt")
    safetensors.torch.save_file(everything, tmp_path / "state.safetensors")

    def ours() -> Tensors:
        loaded = load(path)
        return loaded.model | loaded.optimizer

    def with_torch() -> Tensors:
        loaded: Tensors = torch.load(tmp_path / "state.pt")
        return loaded

    def with_safetensors() -> Tensors:
        mapped = safetensors.torch.load_file(tmp_path / "state.safetensors")
        return {name: tensor.clone() for name, tensor in mapped.items()}

    loader = {"torch": with_torch, "safetensors": with_safetensors}[peer]
    figures = {"megabytes": round(STATE_BYTES / 1e6)}
    gate(benchmark, f"checkpoint.load_{peer}", ours, loader, rounds=20, equal=same, **figures)
