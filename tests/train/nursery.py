"""Starts `codex ...` again and again without importing torch again and again: one process imports, its children run.

A child is a process of its own, with its own lock, memory and open files, so that SIGKILL ends it as it ends any other.

A child that is told `WATCH` writes a line to that file for each batch it is given: its number, its digest, and a draw from
Python's generator and from NumPy's. With `KILL_AT` SIGKILL meets it before that forward pass of training, which may be the
second or third of a step that gathers its gradient from several.

As a program it reads from stdin, for each child, one line of JSON (the words of the command, folder, environment, file for
what it says), and answers with the child's number, then with how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Nursery"]


class Nursery:
    """The process that imports."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def run(
        self, *words: str, folder: Path, said: Path, kill_after_s: float | None = None, **variables: str
    ) -> int:
        """Run `codex WORDS` to its end, or kill it; returns the exit code, negative for a signal."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"words": words, "folder": str(folder), "said": str(said), "variables": variables}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        child = int(self._process.stdout.readline())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)  # a child that has ended is a zombie until it is asked about
            print("killed", file=self._process.stdin, flush=True)
        else:
            print("wait", file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def _watch(seen: str, kill_at: int) -> None:
    import hashlib
    import random

    import numpy as np

    from codex.data.load import TokenBatch, TokenBatches
    from codex.models.llama import Llama

    file = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    give, score, passes = TokenBatches.__getitem__, Llama.summed_losses, 0

    def watched(self: TokenBatches, index: int) -> TokenBatch:
        batch = give(self, index)
        digest = hashlib.sha256(batch.tokens.tobytes()).hexdigest()
        os.write(file, f"{index} {digest} {random.random()!r} {np.random.random()!r}\n".encode())
        return batch

    def mortal(self: Llama, *rows: Any, **rest: Any) -> Any:
        nonlocal passes
        passes += self.training
        if passes == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return score(self, *rows, **rest)

    TokenBatches.__getitem__, Llama.summed_losses = watched, mortal  # type: ignore[method-assign]


def _child(order: dict[str, object]) -> None:
    os.chdir(str(order["folder"]))
    os.environ.update(order["variables"])  # type: ignore[call-overload]
    said = os.open(str(order["said"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    from codex.cli.app import run

    if "WATCH" in os.environ:
        _watch(os.environ["WATCH"], int(os.environ["KILL_AT"]))
    code = run(list(order["words"]))  # type: ignore[call-overload]
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve() -> None:
    import codex.cli.app
    import codex.cli.train
    import codex.train  # noqa: F401  (this is what takes the time)

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _child(json.loads(line))
        print(child, flush=True)
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
