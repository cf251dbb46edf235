"""The state all benches carry: 97 tensors, a third model and two thirds optimizer, as AdamW has it.

128 MB where the gates of every commit run; `make bench` asks for 512 through `CODEX_BENCH_STATE_MB`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import torch

    Tensors: TypeAlias = dict[str, torch.Tensor]

__all__ = ["STATE_BYTES", "Tensors", "make_state", "same", "sync"]

STATE_BYTES = int(os.environ.get("CODEX_BENCH_STATE_MB", "128")) << 20


def make_state() -> tuple[Tensors, Tensors]:
    """Model and optimizer, random so that nothing can be guessed or packed."""
    import torch

    generator = torch.Generator().manual_seed(0)
    elements = STATE_BYTES // 4 // 96

    def tensors(prefix: str, count: int) -> Tensors:
        return {
            f"{prefix}.{index}": torch.randn(elements // 64, 64, generator=generator)
            for index in range(count)
        }

    return tensors("model", 32) | {"norm": torch.ones(64)}, tensors("optimizer", 64)


def sync(path: Path) -> None:
    """What the peers leave out: wait until the file and its name are on the disk."""
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def same(left: Tensors, right: Tensors) -> bool:
    """Whether two loads hold the same tensors, bit for bit."""
    import torch

    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)
