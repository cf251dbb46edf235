"""Files and folders appear whole or not at all, whichever call fails and whenever the process is killed."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex.errors import DiskFullError, MachineError, UsageError
from codex.file import (
    FailPoints,
    PartialFolder,
    create_folder,
    sweep_partial,
    verify_folder,
    write_atomic,
)

Tree = dict[str, bytes]
PROGRAM = Path(__file__).with_name("writers.py")
WRITERS, old = (runpy.run_path(str(PROGRAM))[name] for name in ("WRITERS", "old"))


def tree(folder: Path) -> Tree:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def homes(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The numbers from 1, each with a home in its old state."""
    for n in range(1, 200):
        home = tmp_path / str(n)
        home.mkdir()
        old(home)
        yield n, home


def ends(tmp_path: Path, writer: str) -> tuple[Tree, Tree]:
    home = tmp_path / "0"
    home.mkdir()
    old(home)
    before = tree(home)
    WRITERS[writer](home)
    return before, tree(home)


@pytest.mark.parametrize("rule", ["*=eio@{n}", "*=enospc@{n}+", "*=sync-fails@{n}"])
def test_an_error_at_any_call_leaves_the_old_or_the_new(tmp_path: Path, writer: str, rule: str) -> None:
    before, after = ends(tmp_path, writer)
    for n, home in homes(tmp_path):
        error: MachineError | None = None
        with FailPoints(rule.format(n=n)) as points:
            try:
                WRITERS[writer](home)
            except MachineError as caught:
                error = caught
        sweep_partial(home)
        assert tree(home) in ([before, after] if error else [after])
        assert isinstance(error, DiskFullError) or "enospc" not in rule or error is None
        verify_folder(home / "folder")
        if not points.fired:
            assert error is None and n > 2
            return
    pytest.fail("the writer never got through")


def test_a_kill_at_any_call_leaves_the_old_or_the_new(tmp_path: Path, writer: str) -> None:
    before, after = ends(tmp_path, writer)
    for n, home in homes(tmp_path):
        done = subprocess.run(
            [sys.executable, str(PROGRAM), writer, str(home)],
            env={**os.environ, "CODEX_FAIL_POINTS": f"*=kill@{n}"},
            check=False,
        )
        sweep_partial(home)
        found = tree(home)
        if done.returncode == 0:
            assert found == after and n > 5
            return
        assert done.returncode == -signal.SIGKILL
        assert found in (before, after), n
        verify_folder(home / "folder")
    pytest.fail("the writer never got through")


def test_an_error_inside_the_block_removes_the_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half-way"), PartialFolder(tmp_path / "folder") as folder:
        folder.write("one", b"1")
        assert folder.path.parent == tmp_path and folder.path.name.startswith("folder.partial-")
        raise RuntimeError("half-way")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="folder` exists already"):
        PartialFolder(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_with_an_unfinished_file_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="folder/one` was not finished"),
        PartialFolder(tmp_path / "folder") as folder,
    ):
        folder.open("one").write(b"half")
    assert not list(tmp_path.iterdir())


def test_what_is_closed_stays_closed(tmp_path: Path) -> None:
    with PartialFolder(tmp_path / "folder") as folder:
        file = folder.open("one")
        file.finish()
        with pytest.raises(UsageError, match="the file is closed already"):
            file.write(b"more")
    with pytest.raises(UsageError, match="the folder is closed already"):
        folder.write("two", b"")


def test_folders_are_made_on_the_way_and_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    create_folder(tmp_path / "a" / "b")
    create_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"cannot create `.*file`: file exists"):
        create_folder(tmp_path / "file" / "c")


def test_an_unwritable_folder_is_a_machine_error(tmp_path: Path) -> None:
    with FailPoints("file.create=eio"), pytest.raises(MachineError, match=r"cannot create `.*a`: ") as caught:
        write_atomic(tmp_path / "a", b"")
    assert caught.value.exit_code == 5


def test_fail_points_refuse_a_rule_they_do_not_know() -> None:
    for rule in ("file.renam=eio", "file.rename=explode", "file.rename"):
        with pytest.raises(UsageError, match=f"`{rule}` is not a fail point"):
            FailPoints(rule)


def test_rules_in_the_environment_that_cannot_be_read_let_nothing_pass(tmp_path: Path) -> None:
    old(tmp_path)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "file", str(tmp_path)],
        env={**os.environ, "CODEX_FAIL_POINTS": "file.renam=kill"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "`CODEX_FAIL_POINTS` cannot be read: `file.renam=kill` is not a fail point" in done.stderr
    assert (tmp_path / "file").read_bytes() == b"old"
