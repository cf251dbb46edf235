"""Kill the saver before every call that changes the disk: old or new verifies, and the next save works."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex._core import CheckpointReader
from codex.checkpoint import find_latest, list_checkpoints

SAVER = Path(__file__).parent / "save_loop.py"
sys.path.insert(0, str(SAVER.parent))

from save_loop import save_step, weights  # noqa: E402


def saver(folder: Path, *words: object, kill_at: int | None = None) -> subprocess.Popen[bytes]:
    rules = {} if kill_at is None else {"CODEX_FAIL_POINTS": f"*=kill@{kill_at}"}
    return subprocess.Popen([sys.executable, SAVER, folder, *map(str, words)], env={**os.environ, **rules})


def kills(folder: Path, *words: object) -> Iterator[int]:
    """Run the saver again and again, each time killed one system call later, until it comes through."""
    for point in itertools.count(1):
        code = saver(folder, *words, kill_at=point).wait(timeout=60)
        if code == 0:
            assert point > 5, "the fail points were not passed"
            return
        assert code == -signal.SIGKILL
        yield point


def newest(folder: Path) -> tuple[int, bytes]:
    """Step and weights of the newest checkpoint; nothing was skipped on the way to it."""
    found = find_latest(folder)
    assert found is not None and found.skipped == []
    data = bytearray(len(weights(1, 0)))
    CheckpointReader(str(found.path)).read_into("model.safetensors", [("weights", data)])
    return found.step, bytes(data)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "partial" in path.name]


def clear(folder: Path) -> None:
    for path in folder.glob("step-*"):
        shutil.rmtree(path)


@pytest.mark.parametrize("step", [1, 2], ids=["replacing a step", "a new step"])
def test_a_kill_at_any_system_call_loses_nothing(tmp_path: Path, step: int) -> None:
    points = set()
    old, new = (1, weights(1, 0)), (step, weights(step, 7))
    seen = set()
    save_step(str(tmp_path), 1, 0)
    for point in kills(tmp_path, "save", step, 7):
        points.add(point)
        found = newest(tmp_path)
        assert found in (old, new), f"killed at {point}"
        seen.add(found == new)
        save_step(str(tmp_path), 3, 0)
        assert newest(tmp_path) == (3, weights(3, 0))
        assert leftovers(tmp_path) == [], f"killed at {point}"
        clear(tmp_path)
        save_step(str(tmp_path), 1, 0)
    assert len(points) >= 20
    assert seen == {False, True}
    assert newest(tmp_path) == new


def test_the_first_save_of_a_run_may_be_killed_anywhere(tmp_path: Path) -> None:
    for point in kills(tmp_path / "run" / "checkpoints", "save", 1, 0):
        folder = tmp_path / "run" / "checkpoints"
        assert find_latest(folder) is None or newest(folder) == (1, weights(1, 0)), f"killed at {point}"
    assert newest(tmp_path / "run" / "checkpoints") == (1, weights(1, 0))


def test_a_rotation_killed_anywhere_leaves_whole_checkpoints(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save_step(str(tmp_path), step, 0)
    for point in kills(tmp_path, "rotate"):
        assert newest(tmp_path) == (3, weights(3, 0)), f"killed at {point}"
        assert list_checkpoints(tmp_path).unreadable == []
        for step in (1, 2, 3):
            save_step(str(tmp_path), step, 0)
        assert leftovers(tmp_path) == []
    assert [summary.step for summary in list_checkpoints(tmp_path).checkpoints] == [3]


def test_a_kill_at_any_system_call_of_a_background_save_loses_nothing(tmp_path: Path) -> None:
    wanted = {1: weights(1, 0), 2: weights(2, 7), 3: weights(3, 7)}
    seen = set()
    save_step(str(tmp_path), 1, 0)
    for point in kills(tmp_path, "background", 2, 7):
        step, data = newest(tmp_path)
        assert data == wanted[step], f"killed at {point}"
        assert list_checkpoints(tmp_path).unreadable == [], f"killed at {point}"
        seen.add(step)
        save_step(str(tmp_path), 4, 0)
        assert newest(tmp_path) == (4, weights(4, 0))
        assert leftovers(tmp_path) == [], f"killed at {point}"
        clear(tmp_path)
        save_step(str(tmp_path), 1, 0)
    assert seen == {1, 2, 3}
    assert [summary.step for summary in list_checkpoints(tmp_path).checkpoints] == [3]


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    choose = random.Random(11)
    save_step(str(tmp_path), 1, 0)
    for attempt in range(20):
        process = saver(tmp_path, "save", 2, attempt)
        time.sleep(choose.uniform(0.02, 0.12))
        process.kill()
        process.wait()
        step, data = newest(tmp_path)
        assert (step, data) == (1, weights(1, 0)) or (
            step == 2 and data in [weights(2, n) for n in range(attempt + 1)]
        )
    save_step(str(tmp_path), 3, 0)
    assert leftovers(tmp_path) == []
