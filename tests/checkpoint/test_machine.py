"""A disk that is full or refuses, and a second process: a typed error, and what was there stays."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.checkpoint import find_latest, list_checkpoints, rotate, save, verify
from codex.errors import DiskFullError, LockError, MachineError
from codex.file import Lock

SaveStep = Callable[..., Path]

SAVER = Path(__file__).parent / "save_loop.py"


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("file.write=enospc@1", DiskFullError),
        ("file.write=enospc@2", DiskFullError),
        ("file.write=eio@2", MachineError),
        ("file.sync=sync-fails@1", MachineError),
        ("file.sync-folder=sync-fails@1", MachineError),
        ("file.rename=eio@1", MachineError),
    ],
)
def test_a_disk_that_refuses_is_a_typed_error_and_the_old_one_stays(
    save_step: SaveStep, checkpoints: Path, rule: str, error: type[Exception]
) -> None:
    old = save_step(1)
    ran = subprocess.run(
        [sys.executable, SAVER, checkpoints, "save", "2", "0"],
        env={**os.environ, "CODEX_FAIL_POINTS": rule},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith(f"codex.errors.{error.__name__}: cannot ")
    verify(old)
    found = find_latest(checkpoints)
    assert found is not None and found.skipped == []
    assert [path.name for path in checkpoints.iterdir() if "partial" in path.name] == []


def test_a_short_write_is_continued(checkpoints: Path) -> None:
    environment = {**os.environ, "CODEX_FAIL_POINTS": "*=short"}
    subprocess.run([sys.executable, SAVER, checkpoints, "save", "2", "0"], env=environment, check=True)
    assert verify(checkpoints / "step-00000002").tensors == 3


def test_a_disk_without_room_is_refused_before_anything_is_written(
    save_step: SaveStep, checkpoints: Path
) -> None:
    import torch

    old = save_step(1)
    # A file with nothing in it, mapped: as long as it must be, and never touched.
    size = shutil.disk_usage(checkpoints).free + (1 << 30)
    with (checkpoints.parent / "sparse").open("wb") as sparse:
        sparse.truncate(size)
    huge = torch.from_file(sparse.name, shared=True, size=size, dtype=torch.uint8)
    with pytest.raises(DiskFullError, match="free, needs"):
        save(checkpoints, 2, model={"x": huge}, optimizer={}, state_tensors={}, state={}, files={})
    assert sorted(path.name for path in checkpoints.iterdir()) == [old.name, "writer.lock"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match=r"cannot create .*/file`: file exists"):
        save(
            tmp_path / "file" / "checkpoints", 1, model={}, optimizer={}, state_tensors={}, state={}, files={}
        )


def test_a_second_writer_is_refused_with_the_process_that_holds_the_folder(
    save_step: SaveStep, checkpoints: Path
) -> None:
    save_step(1)
    with Lock(checkpoints / "writer.lock"):
        for attempt in (lambda: save_step(2), lambda: rotate(checkpoints, keep_last=1)):
            with pytest.raises(LockError, match=str(os.getpid())):
                attempt()
    save_step(2)


def _save_steps(folder: str, steps: range) -> None:
    sys.path.insert(0, str(SAVER.parent))
    from save_loop import save_step

    for step in steps:
        while True:
            try:
                save_step(folder, step, 0)
                break
            except LockError:
                continue


def test_two_processes_that_save_into_one_folder_both_succeed_in_turn(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_save_steps, args=(str(tmp_path), range(first, 20, 2))) for first in (0, 1)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        # A reader during a save sees whole checkpoints only.
        if tmp_path.exists():
            latest = find_latest(tmp_path)
            assert latest is None or latest.skipped == []
    assert [writer.exitcode for writer in writers] == [0, 0]
    listing = list_checkpoints(tmp_path)
    assert [summary.step for summary in listing.checkpoints] == list(range(19, -1, -1))
    assert listing.unreadable == []
    for summary in listing.checkpoints:
        verify(summary.path)
