"""A verification of every byte, against the slower of reading the same files and digesting as many bytes in memory.

Both are done by one thread, as a plain loop would; a verification uses every core.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benches.checkpoint.state import STATE_BYTES, make_state
from benches.harness import gate

BLOCK_BYTES = 1 << 20


def bench_verify(benchmark: Any, tmp_path: Path) -> None:
    from codex.checkpoint import save, verify
    from codex.file import digest_bytes

    model, optimizer = make_state()
    path = save(tmp_path, 1, model=model, optimizer=optimizer, state_tensors={}, state={}, files={})
    del model, optimizer
    files = [path / "model.safetensors", path / "optimizer.safetensors"]
    block = bytearray(BLOCK_BYTES)

    def ours() -> int:
        verify(path)
        return sum(file.stat().st_size for file in files)

    def read() -> int:
        total = 0
        for file in files:
            descriptor = os.open(file, os.O_RDONLY)
            while count := os.readv(descriptor, [block]):
                total += count
            os.close(descriptor)
        return total

    def digest() -> int:
        for _ in range(STATE_BYTES // BLOCK_BYTES):
            digest_bytes(block, "xxh3-128")
        return sum(file.stat().st_size for file in files)

    slower = max((read, digest), key=_seconds)
    megabytes = round(STATE_BYTES / 1e6)
    gate(benchmark, "checkpoint.verify", ours, slower, megabytes=megabytes, slower=slower.__name__)


def _seconds(call: Any) -> float:
    """The fastest of five."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best
