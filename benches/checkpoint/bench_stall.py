"""How long training stands still for an asynchronous save: one copy, and next to nothing else.

What is timed is the call of `save`; the write behind it is waited for outside of the clock, on both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benches.checkpoint.state import STATE_BYTES, make_state, same
from benches.harness import measures


def bench_stall_against_one_copy(benchmark: Any, tmp_path: Path) -> None:
    """The floor: the same tensors copied into memory that is there already."""
    model, optimizer = make_state()
    live = list((model | optimizer).values())
    kept = [tensor.clone() for tensor in live]

    def copy() -> Callable[[], object]:
        for to, tensor in zip(kept, live, strict=True):
            to.copy_(tensor)
        return lambda: None

    _bench(benchmark, tmp_path, "checkpoint.stall_copy", copy, rounds=41)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # DCP's, about one process
def bench_stall_against_dcp(benchmark: Any, tmp_path: Path) -> None:
    from torch.distributed.checkpoint.state_dict_saver import async_save

    model, optimizer = make_state()

    def save() -> Callable[[], object]:
        future: Any = async_save(model | optimizer, checkpoint_id=tmp_path / "dcp")
        wait: Callable[[], object] = future.result
        return wait

    _bench(benchmark, tmp_path, "checkpoint.stall_dcp", save, rounds=5)


def _bench(
    benchmark: Any, folder: Path, name: str, peer: Callable[[], Callable[[], object]], *, rounds: int
) -> None:
    """Holds the median ratio of stalls; `peer` stalls and returns what waits for the rest."""
    from codex.checkpoint import Checkpointer, load

    model, optimizer = make_state()
    checkpointer = Checkpointer(folder / "checkpoints", keep_last=1, asynchronous=True)

    def ours() -> Callable[[], object]:
        checkpointer.save(1, model=model, optimizer=optimizer)
        return checkpointer.wait

    def stall(side: Callable[[], Callable[[], object]]) -> float:
        start = time.perf_counter()
        wait = side()
        seconds = time.perf_counter() - start
        wait()
        return seconds

    for side in (ours, ours, peer):  # both kept buffers are there
        stall(side)
    assert checkpointer.saved is not None
    loaded = load(checkpointer.saved)
    assert same(loaded.model | loaded.optimizer, model | optimizer), "what is saved is not what was there"
    measures(
        benchmark, name, lambda: stall(ours) / stall(peer), rounds=rounds, megabytes=round(STATE_BYTES / 1e6)
    )
    checkpointer.close()
