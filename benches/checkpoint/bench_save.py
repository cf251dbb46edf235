"""A durable save that digests every byte, against writers that digest none and must be told to wait for the disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benches.checkpoint.state import STATE_BYTES, make_state, same, sync
from benches.harness import gate

if TYPE_CHECKING:
    from benches.checkpoint.state import Tensors


@pytest.mark.parametrize("peer", ["torch", "safetensors"])
def bench_save(benchmark: Any, tmp_path: Path, peer: str) -> None:
    import safetensors.torch
    import torch

    from codex.checkpoint import load, save

    model, optimizer = make_state()

    def ours() -> Path:
        return save(tmp_path, 1, model=model, optimizer=optimizer, state_tensors={}, state={}, files={})

    def with_torch() -> Path:
        torch.save(model | optimizer, tmp_path / "state.pt")
        sync(tmp_path / "state.pt")
        return tmp_path / "state.pt"

    def with_safetensors() -> Path:
        safetensors.torch.save_file(model | optimizer, tmp_path / "state.safetensors")
        sync(tmp_path / "state.safetensors")
        return tmp_path / "state.safetensors"

    def equal(our_path: Path, their_path: Path) -> bool:
        loaded = load(our_path)
        read = torch.load if their_path.suffix == ".pt" else safetensors.torch.load_file
        theirs: Tensors = read(their_path)
        return same(loaded.model | loaded.optimizer, theirs) and same(model | optimizer, theirs)

    saver = {"torch": with_torch, "safetensors": with_safetensors}[peer]
    figures = {"megabytes": round(STATE_BYTES / 1e6)}
    gate(benchmark, f"checkpoint.save_{peer}", ours, saver, rounds=10, equal=equal, **figures)
