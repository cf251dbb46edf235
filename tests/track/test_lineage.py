"""Lineage: the same bytes for the same run, none of them changed unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex.errors import DamageError, DataError
from codex.file import write_manifest
from codex.track.lineage import Lineage

STAGES = [
    {"kind": "records", "digest": "sha256:1", "parents": ["sha256:0"]},
    {"kind": "shards", "digest": "sha256:2", "parents": ["sha256:1"]},
]


def checkpoint(folder: Path, step: int) -> Path:
    path = folder / f"step-{step:08}"
    path.mkdir(exist_ok=True)
    write_manifest(path, {"kind": "checkpoint", "schema_version": 1, "files": [], "step": step})
    return path


def filled(folder: Path, steps: list[int]) -> Lineage:
    folder.mkdir()
    lineage = Lineage(folder)
    lineage.record_data(STAGES)
    for step in steps:
        path = checkpoint(folder, step)
        lineage.record_checkpoint(path.name, step, path)
    return lineage


def test_the_same_run_has_the_same_lineage_to_the_byte(tmp_path: Path) -> None:
    ours, theirs = filled(tmp_path / "a", [1, 2, 3]), filled(tmp_path / "b", [1, 2, 3])
    assert ours.path.read_bytes() == theirs.path.read_bytes()
    assert Lineage(tmp_path / "a").data == STAGES
    assert [kept["step"] for kept in Lineage(tmp_path / "a").checkpoints] == [1, 2, 3]


def test_a_resumed_run_ends_with_the_lineage_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = filled(tmp_path / "a", [1, 2, 3])
    filled(tmp_path / "b", [1, 2, 3])
    resumed = Lineage(tmp_path / "b")
    resumed.record_data(STAGES)
    resumed.forget_after(1)
    for step in (2, 3):
        path = checkpoint(tmp_path / "b", step)
        resumed.record_checkpoint(path.name, step, path)
    assert resumed.path.read_bytes() == unbroken.path.read_bytes()


def test_a_checkpoint_saved_twice_stands_once(tmp_path: Path) -> None:
    lineage = filled(tmp_path / "a", [1, 2])
    path = checkpoint(tmp_path / "a", 2)
    lineage.record_checkpoint(path.name, 2, path)
    assert [kept["step"] for kept in lineage.checkpoints] == [1, 2]


@pytest.mark.parametrize("change", [STAGES[:1], [STAGES[0], {**STAGES[1], "digest": "sha256:9"}], []])
def test_a_run_does_not_go_on_with_other_data(change: list[dict[str, object]], tmp_path: Path) -> None:
    filled(tmp_path / "a", [])
    with pytest.raises(DataError, match="the data is not what this run began with"):
        Lineage(tmp_path / "a").record_data(change)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = filled(tmp_path / "a", [1]).path
    whole = path.read_bytes()
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        with pytest.raises(DamageError, match=r"lineage\.json"):
            Lineage(tmp_path / "a")
