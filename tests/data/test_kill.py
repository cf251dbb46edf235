"""SIGKILL before any system call that writes: nothing or the whole folder; going on gives the same bytes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config.schema import Config
from codex.data.prepare import prepare
from codex.data.store import STAGES
from codex.errors import CodexError, DiskFullError, MachineError
from codex.file import FailPoints, verify_folder

Tree = Callable[[Path], dict[str, str]]


def prepare_in_a_child(config: Config, cache: Path, rules: str) -> int:
    """What became of a process that prepared under `rules`: minus the signal that killed it, or its exit code."""
    child = os.fork()
    if child == 0:
        try:
            with FailPoints(rules):
                prepare(config, cache=cache)
            os._exit(0)
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole_stages(cache: Path) -> int:
    """How many stages stand under their names, all of them verified."""
    folders = [path for path in cache.glob("prepared/*/*") if path.is_dir() and ".partial-" not in path.name]
    for folder in folders:
        verify_folder(folder)
    return len(folders)


def test_kill_before_every_write_leaves_whole_folders_and_the_same_bytes(
    config: Config, tree: Tree, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "whole")
    expected = tree(tmp_path / "whole")
    finished = set()
    kills = 0
    while (
        prepare_in_a_child(config, cache := tmp_path / str(kills), f"*=kill@{kills + 1}") == -signal.SIGKILL
    ):
        finished.add(whole_stages(cache))
        prepare(config, cache=cache)
        assert tree(cache) == expected, f"killed before write {kills + 1}"
        kills += 1
    assert tree(cache) == expected
    assert kills > 100, kills
    assert finished == set(range(len(STAGES) + 1))


def test_kill_after_kill_gets_to_the_same_bytes(config: Config, tree: Tree, tmp_path: Path) -> None:
    prepare(config, cache=tmp_path / "whole")
    kills = 0
    while prepare_in_a_child(config, tmp_path / "c", f"*=kill@{45 + kills % 7}") == -signal.SIGKILL:
        whole_stages(tmp_path / "c")
        kills += 1
    assert kills >= 3
    assert tree(tmp_path / "c") == tree(tmp_path / "whole")


@pytest.mark.parametrize(("action", "kind"), [("enospc", DiskFullError), ("eio", MachineError)])
def test_full_or_failing_disk_is_an_error_and_leaves_nothing_half(
    config: Config, tree: Tree, tmp_path: Path, action: str, kind: type[CodexError]
) -> None:
    prepare(config, cache=tmp_path / "whole")
    expected = tree(tmp_path / "whole")
    raised = 0
    for n in range(1, 1000, 3):
        cache = tmp_path / str(n)
        with FailPoints(f"*={action}@{n}") as points:
            try:
                prepare(config, cache=cache)
            except kind:
                raised += 1
        if not points.fired:
            break
        whole_stages(cache)
        prepare(config, cache=cache)
        assert tree(cache) == expected, f"{action} at write {n}"
    assert raised > 30
