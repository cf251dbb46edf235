"""`codex checkpoint`: what it prints, and what its exit code means."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SaveStep = Callable[..., Path]
Codex = Callable[..., Any]


@pytest.fixture
def run_folder(save_step: SaveStep, tmp_path: Path, checkpoints: Path) -> Path:
    """`runs/base` with three checkpoints, the newest of them the best."""
    for step, metric in {100: 1.9, 200: None, 300: 1.4}.items():
        save_step(step, **({} if metric is None else {"held_out_bits_per_byte": metric}))
    run = tmp_path / "runs" / "base"
    run.mkdir(parents=True)
    checkpoints.rename(run / "checkpoints")
    return run


def damage(run: Path, step: int) -> None:
    file = run / "checkpoints" / f"step-{step:08}" / "optimizer.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def test_list_shows_the_newest_first(codex: Codex, run_folder: Path) -> None:
    for place in (run_folder, run_folder / "checkpoints", "base"):
        ran = codex("checkpoint", "list", str(place), environment={"COLUMNS": "200"})
        assert (ran.returncode, ran.stderr) == (0, "")
        header, *rows = ran.stdout.splitlines()
        assert header.split() == ["step", "size", "tensors", "held-out", "bits/byte", "path"]
        assert [row.split()[:1] + row.split()[-2:-1] for row in rows] == [
            ["300", "1.4"],
            ["200", "-"],
            ["100", "1.9"],
        ]


def test_list_gives_the_same_as_json(codex: Codex, run_folder: Path) -> None:
    answer = json.loads(codex("checkpoint", "list", str(run_folder), "--json").stdout)
    assert (answer["schema_version"], answer["kind"], answer["damaged"]) == (1, "checkpoint_list", [])
    assert [(row["step"], row["held_out"], row["tensors"]) for row in answer["checkpoints"]] == [
        (300, 1.4, 5), (200, None, 5), (100, 1.9, 5)
    ]  # fmt: skip
    assert all(Path(row["path"]).is_dir() and row["bytes"] > 1000 for row in answer["checkpoints"])


def test_verify_names_the_damage_and_exits_4(codex: Codex, run_folder: Path) -> None:
    assert codex("checkpoint", "verify", str(run_folder)).returncode == 0
    damage(run_folder, 200)
    for place in (run_folder, run_folder / "checkpoints" / "step-00000200"):
        ran = codex("checkpoint", "verify", str(place))
        assert ran.returncode == 4
        assert "step-00000200/optimizer.safetensors`: tensor `momentum.b` is damaged" in ran.stderr
        assert "Traceback" not in ran.stderr
    answer = json.loads(codex("checkpoint", "verify", str(run_folder), "--json").stdout)
    assert [row["step"] for row in answer["checkpoints"]] == [300, 100]
    assert [Path(row["path"]).name for row in answer["damaged"]] == ["step-00000200"]
    assert codex("checkpoint", "verify", str(run_folder / "checkpoints" / "step-00000100")).returncode == 0


def test_what_does_not_open_is_exit_4_in_a_list_too(codex: Codex, run_folder: Path) -> None:
    (run_folder / "checkpoints" / "step-00000100" / "manifest.json").unlink()
    for place in (run_folder, run_folder / "checkpoints" / "step-00000100"):
        ran = codex("checkpoint", "list", str(place))
        assert ran.returncode == 4
        assert "has no manifest.json" in ran.stderr


@pytest.mark.parametrize("command", ["list", "verify"])
def test_what_is_missing_or_no_folder_is_exit_3(codex: Codex, tmp_path: Path, command: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for place, message in {
        "nowhere": "no checkpoint, run or folder is at `nowhere`",
        "empty": "`empty` holds no checkpoint",
        "file": "`file` is a file, expected the folder of a checkpoint",
    }.items():
        ran = codex("checkpoint", command, place)
        assert ran.returncode == 3, ran.stderr
        assert message in ran.stderr


def test_neither_command_imports_torch(codex: Codex, run_folder: Path) -> None:
    blocked = run_folder / "torch.py"
    blocked.write_text("raise ImportError('torch must not be imported')")
    for command in ("list", "verify"):
        ran = codex("checkpoint", command, str(run_folder), environment={"PYTHONPATH": str(run_folder)})
        assert ran.returncode == 0, ran.stderr
    shutil.rmtree(run_folder)
