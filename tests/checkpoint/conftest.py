"""Small checkpoints with something of everything in them, each step with bytes of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from codex.checkpoint import Loaded, save

SaveStep = Callable[..., Path]


def contents(step: int, **state: Any) -> dict[str, Any]:
    """What the checkpoint of `step` holds: a pure function of the step."""
    random = torch.Generator().manual_seed(step)
    embedding = torch.randn(64, 16, generator=random)
    model = {
        "embed.weight": embedding,
        "norm.weight": torch.randn(16, generator=random).to(torch.bfloat16),
        "head.weight": embedding,
    }
    return {
        "model": model,
        "optimizer": {f"momentum.{name}": torch.randn(48, 16, generator=random) for name in ("a", "b")},
        "state_tensors": {"rng": torch.randint(0, 256, (500,), dtype=torch.uint8, generator=random)},
        "state": {"epoch": step // 10, "learning_rate": 0.1 / step, **state},
        "files": {"config.json": b'{"model_type": "qwen3"}', "tokenizer.json": b'{"step": %d}' % step},
    }


def assert_holds(loaded: Loaded, step: int) -> None:
    """`loaded` is exactly what `contents(step)` went in."""
    wanted = contents(step)
    for part in ("model", "optimizer", "state_tensors"):
        found = getattr(loaded, part)
        assert found.keys() == wanted[part].keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in wanted[part].items())
    assert loaded.step == step
    assert loaded.state == {"metrics": {}, **wanted["state"], "step": step}
    assert loaded.files == wanted["files"]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def save_step(checkpoints: Path) -> SaveStep:
    """Saves the checkpoint of one step; keywords go into its state."""

    def run(step: int, **state: Any) -> Path:
        return save(checkpoints, step, **contents(step, **state))

    return run


@pytest.fixture
def save_in_shards(checkpoints: Path) -> SaveStep:
    """Saves the checkpoint of one step in small shards with SHA-256."""

    def run(step: int) -> Path:
        return save(checkpoints, step, **contents(step), digest="sha256", shard_bytes=3000)

    return run


@pytest.fixture
def holds() -> Callable[[Loaded, int], None]:
    return assert_holds
