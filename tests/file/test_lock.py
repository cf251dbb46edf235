"""Locks name their owner and end with it."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codex.errors import LockError, MissingDataError
from codex.file import Lock, PartialFolder, sweep_partial

HOLD = "import sys, time; from codex.file import Lock; lock = Lock(sys.argv[1]); print('held', flush=True); time.sleep(99)"
# The child of a fork keeps the lock of its dead parent.
HAND_ON = """
import os, sys, time
from codex.file import Lock
lock = Lock(sys.argv[1])
child = os.fork()
if child:
    print(child, flush=True)
    os.kill(os.getpid(), 9)
time.sleep(99)
"""
LEAVE = """
import os, sys
from codex.file import PartialFolder
folder = PartialFolder(sys.argv[1])
folder.write("half", b"half")
print(folder.path, flush=True)
sys.stdin.read()
"""


def start(code: str, path: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_lock_names_process_and_host_and_ends_with_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    owner, _ = start(HOLD, path)
    try:
        with pytest.raises(
            LockError, match=f"run.lock` is held by process {owner.pid} on {platform.node()}"
        ) as caught:
            Lock(path)
        assert caught.value.hint == "wait until it ends, or stop it" and caught.value.exit_code == 5
        assert json.loads(path.read_text()) == {"pid": owner.pid, "host": platform.node()}
    finally:
        end(owner)
    with Lock(path) as lock:
        assert lock.path == path
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_lock_that_outlived_its_owner_says_how(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    owner, child = start(HAND_ON, path)
    try:
        assert owner.wait() == -signal.SIGKILL
        with pytest.raises(LockError) as caught:
            Lock(path)
        assert (
            caught.value.hint
            == f"process {owner.pid} has ended, but one that it started holds the lock still"
        )
    finally:
        os.kill(int(child), signal.SIGKILL)
        owner.communicate()


def test_release_is_enough_and_a_second_one_is_harmless(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    lock.release()
    lock.release()
    with Lock(tmp_path / "lock"), pytest.raises(LockError):
        Lock(tmp_path / "lock")
    Lock(tmp_path / "lock").release()


def test_a_lock_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"cannot lock `.*no/lock`"):
        Lock(tmp_path / "no" / "lock")


def test_what_another_process_writes_is_swept_only_after_its_death(tmp_path: Path) -> None:
    owner, partial = start(LEAVE, tmp_path / "folder")
    try:
        assert sweep_partial(tmp_path) == []
        assert (Path(partial) / "half").read_bytes() == b"half"
    finally:
        end(owner)
    assert sweep_partial(tmp_path) == [Path(partial)]
    assert list(tmp_path.iterdir()) == []


def test_a_process_id_that_is_used_again_protects_nothing(tmp_path: Path) -> None:
    leftover = tmp_path / f"folder.partial-{os.getpid()}-0"
    leftover.mkdir()
    (leftover / "half").write_bytes(b"half")
    assert sweep_partial(tmp_path) == [leftover]
    with PartialFolder(tmp_path / "folder") as folder:
        assert sweep_partial(tmp_path) == []
        folder.write("whole", b"whole")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "whole"]
