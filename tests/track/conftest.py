"""A configuration whose runs are kept in the test's own folder."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config import LoadedConfig, load
from codex.file import FailPoints

Configured = Callable[..., LoadedConfig]


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """`configured("train.max_steps=50")` is the packaged `base` with these keys."""

    def make(*overrides: str) -> LoadedConfig:
        return load("base", [f"run.directory={tmp_path / 'runs'}", "track.system_metrics=false", *overrides])

    return make


@pytest.fixture
def killed_at() -> Callable[[int, Callable[[], object]], bool]:
    """`killed_at(3, work)` does `work` in a child that SIGKILL meets before the third call that changes the disk.

    False if the work was done before it came to that.
    """

    def run(call: int, work: Callable[[], object]) -> bool:
        child = os.fork()
        if child == 0:
            try:
                with FailPoints(f"*=kill@{call}"):
                    work()
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL), f"the child failed: {status}"
        return status != 0

    return run
