"""How busy the machine is, sampled by a thread that the training never waits for."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from codex.errors import MissingExtraError

__all__ = ["Sampler", "sample"]

EVERY_S = 10.0
HINT = 'pip install "codex-lm[train]"'


class Sampler:
    """Calls `write` with a sample every `every_s` seconds, and once more when it is closed.

    Args:
        write: given the numbers by name; `Journal.system`.
        folder: the disk whose space is watched.
    Raises:
        MissingExtraError: if psutil is not installed.
    """

    def __init__(self, write: Callable[..., None], folder: Path, every_s: float = EVERY_S) -> None:
        if importlib.util.find_spec("psutil") is None:
            raise MissingExtraError("`psutil` is not installed, so the machine is not watched", hint=HINT)
        self._write = write
        self._folder = folder
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="codex-system", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the last sample and stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        import psutil

        process = psutil.Process()
        process.cpu_percent()  # the first call only starts the clock
        psutil.cpu_percent()
        is_last = False
        while not is_last:
            is_last = self._stop.wait(self._every_s)
            with contextlib.suppress(psutil.Error, OSError):
                self._write(**sample(process, self._folder))


def sample(process: object, folder: Path) -> dict[str, int | float]:
    """The numbers of this moment; the percentages are since the last call."""
    import psutil

    assert isinstance(process, psutil.Process)
    memory = psutil.virtual_memory()
    values: dict[str, int | float] = {
        "processor_percent": psutil.cpu_percent(),
        "process_percent": process.cpu_percent(),
        "process_memory_bytes": process.memory_info().rss,
        "process_threads": process.num_threads(),
        "memory_available_bytes": memory.available,
        "memory_percent": memory.percent,
        "load": os.getloadavg()[0],
        "disk_free_bytes": shutil.disk_usage(folder).free,
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        values |= {
            "gpu_memory_used_bytes": total - free,
            "gpu_memory_reserved_bytes": torch.cuda.memory_reserved(),
        }
    return values
