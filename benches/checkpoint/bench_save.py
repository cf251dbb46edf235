"""A durable save that digests every byte, against writers that digest none and must be told to wait for the disk.

Every peer ends with its file and the name of it on the disk; DCP and moonclip sync by themselves. Each save is of a new name,
and the one before is removed outside of the clock, on both sides: writing over the only good copy would be cheaper, and no
writer that may be killed can do it.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benches.checkpoint.state import STATE_BYTES, make_state, same, sync
from benches.harness import measures

if TYPE_CHECKING:
    from benches.checkpoint.state import Tensors

#: Saves everything at a path and leaves it durable.
Saver = Callable[["Tensors", Path], object]


def raw(tensors: Tensors, path: Path) -> None:
    """The floor: nothing but the bytes."""
    with path.open("wb", buffering=0) as file:
        for tensor in tensors.values():
            elements: Any = tensor.numpy()
            data = memoryview(elements).cast("B")
            while data:
                data = data[file.write(data) :]
    sync(path)


def torch_default(tensors: Tensors, path: Path) -> None:
    """With a CRC-32 that `torch.load` does not check."""
    import torch

    torch.save(tensors, path)
    sync(path)


def torch_unchecked(tensors: Tensors, path: Path) -> None:
    """The fastest peer."""
    import torch

    torch.serialization.set_crc32_options(False)
    try:
        torch.save(tensors, path)
    finally:
        torch.serialization.set_crc32_options(True)
    sync(path)


def safetensors_file(tensors: Tensors, path: Path) -> None:
    import safetensors.torch

    safetensors.torch.save_file(tensors, path)
    sync(path)


def dcp(tensors: Tensors, path: Path) -> None:
    from torch.distributed.checkpoint.state_dict_saver import save

    save(dict(tensors), checkpoint_id=path)


def moonclip(tensors: Tensors, path: Path) -> None:
    """Its first snapshot in a folder: a later one of equal tensors would write nothing."""
    from moonclip import MoonclipManager

    manager: Any = MoonclipManager(str(path))  # its stub knows no torch
    manager.save_tensors(0, tensors)
    manager.flush()


PEERS: dict[str, tuple[Saver, int]] = {
    "raw": (raw, 9),
    "unchecked": (torch_unchecked, 9),
    "torch": (torch_default, 5),
    "safetensors": (safetensors_file, 5),
    "dcp": (dcp, 5),
    "moonclip": (moonclip, 3),
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # DCP's, about one process
@pytest.mark.parametrize("peer", PEERS)
def bench_save(benchmark: Any, tmp_path: Path, peer: str) -> None:
    if peer == "moonclip":
        pytest.importorskip("moonclip", reason="needs requirements/dev.txt")
    from codex.checkpoint import load, save

    model, optimizer = make_state()
    everything = model | optimizer
    numbers = itertools.count()
    saver, rounds = PEERS[peer]

    def ours() -> Path:
        return save(
            tmp_path, next(numbers), model=model, optimizer=optimizer, state_tensors={}, state={}, files={}
        )

    def theirs() -> Path:
        path = tmp_path / f"{peer}-{next(numbers)}"
        saver(everything, path)
        return path

    loaded = load(ours())
    assert same(loaded.model | loaded.optimizer, everything), "what is saved is not what was there"
    assert bytes_at(theirs()) > STATE_BYTES / 2, "the peer has not saved everything"

    def ratio() -> float:
        sides = (ours, theirs) if next(numbers) % 2 else (theirs, ours)
        seconds = {side: timed(side) for side in sides}
        return seconds[ours] / seconds[theirs]

    measures(benchmark, f"checkpoint.save_{peer}", ratio, rounds=rounds, megabytes=round(STATE_BYTES / 1e6))


def timed(save: Callable[[], Path]) -> float:
    """Seconds until it is durable; it is removed again afterwards."""
    start = time.perf_counter()
    path = save()
    seconds = time.perf_counter() - start
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return seconds


def bytes_at(path: Path) -> int:
    """Of a file, or of all files in a folder; moonclip's are compressed."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
