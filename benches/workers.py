"""Processes that take part in a measurement, one after the other, all pinned to the same core.

Two libraries in one process share its memory, its threads and their names (`tokenizers` 0.23 and 1.0 are one name). A worker is a
Python of its own that holds one side; the sides are called in turn, so that a busy machine is busy for all of them.

    with Worker("benches.tokens.peers", packages=[PEERS]) as worker:
        worker.call("load", name="fastokens", path="tokenizer.json")

calls `benches.tokens.peers.load(...)` there. Arguments and answers are JSON; a call measures its own CPU time, see `Stopwatch`.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

__all__ = ["PEERS", "Stopwatch", "Worker", "peak_memory_mb", "pinned_to"]

ROOT = Path(__file__).parents[1]
#: Where `make` installs the peers that must not be on the path of others.
PEERS = Path(sys.prefix) / "peers"
#: Peers start a thread for each core unless told not to; one core is what is measured.
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}


class Stopwatch:
    """CPU seconds of this process, all threads together.

    >>> with Stopwatch() as watch:
    ...     total = sum(range(1000))
    >>> watch.cpu_s >= 0
    True
    """

    cpu_s = 0.0
    wall_s = 0.0

    def __enter__(self) -> Stopwatch:
        self._started = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        self.cpu_s, self.wall_s = cpu_s - self._started[0], wall_s - self._started[1]


def peak_memory_mb() -> float:
    """The most memory this process has held so far, in megabytes of 10^6."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status does not say VmHWM")


def pinned_to() -> list[int]:
    """The cores this process may run on."""
    return sorted(os.sched_getaffinity(0))


class Worker:
    """A process that answers calls of the functions of one module, until closed.

    Args:
        module: what to import there; its functions are what can be called.
        packages: folders in front of its path.
        environment: variables beside those that ask for one thread.
        cores: which it may run on; the last one of ours if None.
    """

    def __init__(
        self,
        module: str,
        *,
        packages: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        cores: Sequence[int] | None = None,
    ) -> None:
        path = [*map(str, packages), str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        pinned = cores or [max(os.sched_getaffinity(0))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benches.workers", module, ",".join(map(str, pinned))],
            env={
                **os.environ,
                **_ONE_THREAD,
                **(environment or {}),
                "PYTHONPATH": os.pathsep.join(filter(None, path)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, function: str, **arguments: Any) -> Any:
        """What `function` answers there.

        Raises:
            RuntimeError: if it raised, with its traceback, or if the process ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"`{function}`: the worker ended with {self._process.wait()}")
        answer, error = json.loads(line)
        if error:
            raise RuntimeError(f"`{function}` in the worker: {error}")
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _serve(module: str, requests: IO[str], answers: IO[str]) -> None:
    functions = importlib.import_module(module)
    for line in requests:
        name, arguments = json.loads(line)
        answer, error = None, None
        try:
            answer = getattr(functions, name)(**arguments)
        except BaseException:  # a peer's panic is one too
            error = traceback.format_exc()
        answers.write(json.dumps([answer, error]) + "\n")
        answers.flush()


def _main() -> None:
    os.sched_setaffinity(0, map(int, sys.argv[2].split(",")))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is talk
    _serve(sys.argv[1], sys.stdin, answers)


if __name__ == "__main__":
    _main()
