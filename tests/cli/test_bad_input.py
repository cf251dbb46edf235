"""What stands in the way of `codex train`, as a stranger meets it: one block, the right code, nothing half written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

pytest.importorskip("torch", reason="needs the extra `train`")


def block(stderr: str) -> list[str]:
    """The error block at the end of what was said."""
    lines = stderr.splitlines()
    return lines[next(index for index, line in enumerate(lines) if line.startswith("error: ")) :]


def test_a_run_folder_that_cannot_be_made_is_exit_5(codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = codex("train", "--config", "smoke", "run.directory=file/runs")
    assert (answer.returncode, answer.stdout) == (5, "")
    error, empty, hint = block(answer.stderr)
    assert error.startswith("error: MachineError: cannot make the folder of runs: ")
    assert "file" in error
    assert (empty, hint) == ("", "hint: name another place with `run.directory=DIR`")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


OWN = """
import sys; from codex.config import load; from codex.track.run import Run
with Run.start(load("smoke")):
    print("owned", flush=True); sys.stdin.read()
"""


def test_a_run_in_use_names_its_owner(codex: Codex, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWN], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin and owner.stdout and owner.stdout.readline() == "owned\n"
    before = sorted(path.name for path in (tmp_path / "runs").rglob("*"))
    answer = codex("train", "--config", "smoke", "--resume", "--json")
    owner.communicate()
    error = json.loads(answer.stderr.splitlines()[-1])
    assert (answer.returncode, answer.stdout) == (5, "")
    assert (error["kind"], error["error"], error["exit_code"]) == ("error", "LockError", 5)
    assert f"process {owner.pid} on {platform.node()}" in error["message"]
    assert error["hint"]
    assert sorted(path.name for path in (tmp_path / "runs").rglob("*")) == before


def test_a_full_disk_at_the_start_is_exit_5_and_leaves_no_half_a_run(codex: Codex, tmp_path: Path) -> None:
    answer = codex("train", "--config", "smoke", environment={"CODEX_FAIL_POINTS": "*=enospc@4"})
    assert (answer.returncode, answer.stdout) == (5, "")
    assert block(answer.stderr)[0].startswith("error: DiskFullError: ")
    runs = tmp_path / "runs"
    assert not runs.exists() or [path.name for path in runs.iterdir()] == []


def test_overrides_of_a_train_are_checked_before_anything_is_made(codex: Codex, tmp_path: Path) -> None:
    answer = codex("train", "--config", "smoke", "--train.max_step=5")
    assert answer.returncode == 2
    assert any("train.max_steps" in line for line in block(answer.stderr))
    assert codex("train", "--config", "nothing").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_place_with_spaces_and_unicode_works_in_a_c_locale(codex: Codex, tmp_path: Path) -> None:
    from codex.config import load
    from codex.track.run import Run

    place = tmp_path / "mes essais é 文"
    with Run.start(load("smoke", [f"run.directory={place}", "track.system_metrics=false"])) as run:
        run.begin(0)
        run.finish()
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    answer = codex("runs", "show", os.fspath(run.folder), environment=plain)
    assert answer.returncode == 0
    assert answer.stdout.isascii() and "state: finished" in answer.stdout
    missing = codex("runs", "show", f"{place}/nothing", environment=plain)
    assert missing.returncode == 3
    assert "Traceback" not in missing.stderr
