"""A disk that is full at any stage: exit 5 with the file by its name, nothing half, and the same bytes once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Codex = Callable[..., "CompletedProcess[str]"]
Tree = Callable[[Path], dict[str, str]]
NEAR = "data.near_duplicates=drop"
COMMANDS = (
    ["ingest", "raw", NEAR],
    ["split", "disk/out", NEAR, "data.validation_fraction=0.25"],
    ["tokenize", "disk/out", "tokens.vocabulary_size=300"],
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, which `grow` makes larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small disk here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def grow(disk: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)


def test_a_small_disk_is_named_and_costs_nothing_once_it_is_larger(
    here: Codex, corpus: Path, disk: Path, tree: Tree, tmp_path: Path
) -> None:
    corpus.rename(tmp_path / "raw")
    full = 0
    kilobytes = 4
    for command, *words in COMMANDS:
        if command == "ingest":
            words += ["--out", "disk/out"]
        while (done := here("data", command, *words)).returncode != 0:
            (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
            assert done.returncode == 5 and error.startswith("error: DiskFullError: "), done.stderr
            assert "`disk/out" in error
            full += 1
            kilobytes += 8
            grow(disk, kilobytes)
    assert full > 8
    found = tree(disk / "out")
    shutil.rmtree(disk / "out")
    grow(disk, 20_000)
    for command, *words in COMMANDS:
        assert (
            here("data", command, *words, *(["--out", "disk/out"] if command == "ingest" else [])).returncode
            == 0
        )
    assert found == tree(disk / "out")
