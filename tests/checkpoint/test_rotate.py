"""Rotation keeps the last, the best and the newest that verifies, and touches nothing it cannot read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.checkpoint import Loaded, find_latest, list_checkpoints, load, rotate
from codex.errors import DamageError, MissingDataError, UsageError

SaveStep = Callable[..., Path]


def steps(checkpoints: Path) -> list[int]:
    return [summary.step for summary in list_checkpoints(checkpoints).checkpoints]


def damage(path: Path) -> None:
    file = path / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("keep_last", "keep_best", "kept"),
    [
        (2, 1, [60, 50, 30]),
        (1, 0, [60]),
        (0, 2, [60, 30, 20]),
        (0, 0, [60]),
        (9, 0, [60, 50, 40, 30, 20, 10]),
        (3, 1, [60, 50, 40, 30]),
    ],
)
def test_the_last_the_best_and_the_newest_stay(
    save_step: SaveStep, checkpoints: Path, keep_last: int, keep_best: int, kept: list[int]
) -> None:
    for step, metric in {10: 1.5, 20: 1.2, 30: 1.1, 40: 1.3}.items():
        save_step(step, metrics={"held_out_bits_per_byte": metric})
    save_step(50)
    save_step(60, metrics={"loss": 0.1})
    rotation = rotate(checkpoints, keep_last=keep_last, keep_best=keep_best)
    assert steps(checkpoints) == kept
    assert {path.name for path in rotation.removed} == {
        f"step-{step:08}" for step in {10, 20, 30, 40, 50, 60} - set(kept)
    }
    assert rotation.skipped == []
    assert {path.name for path in checkpoints.iterdir()} == {f"step-{step:08}" for step in kept} | {
        "writer.lock"
    }


def test_every_reason_keeps_and_a_dry_run_only_says(save_step: SaveStep, checkpoints: Path) -> None:
    paths = {
        step: save_step(step, metrics={"accuracy": 0.9 if step == 30 else step / 1000})
        for step in range(10, 100, 10)
    }
    (checkpoints / "step-00000020.pin").touch()
    rules = {
        "keep_last": 1,
        "keep_every_steps": 40,
        "keep_best": 1,
        "metric": "accuracy",
        "highest": True,
        "protect": [f"{checkpoints}/../{checkpoints.name}/step-00000010", "nowhere"],
    }
    before = {path.name for path in checkpoints.iterdir()}
    planned = rotate(checkpoints, **rules, dry_run=True)  # type: ignore[arg-type]
    assert planned.removed == [paths[step] for step in (70, 60, 50)]
    assert {path.name for path in checkpoints.iterdir()} == before
    assert rotate(checkpoints, **rules).removed == planned.removed  # type: ignore[arg-type]
    assert steps(checkpoints) == [90, 80, 40, 30, 20, 10]
    (checkpoints / "step-00000020.pin").unlink()
    rotate(checkpoints, keep_last=1)
    assert steps(checkpoints) == [90]


def test_the_lowest_is_the_best_unless_told_otherwise(save_step: SaveStep, checkpoints: Path) -> None:
    for step, loss in {1: 3.0, 2: 1.0, 3: 1.0, 4: 2.0}.items():
        save_step(step, metrics={"loss": loss})
    rotate(checkpoints, keep_last=1, keep_best=1, metric="loss")
    assert steps(checkpoints) == [4, 3]


def test_a_load_while_its_checkpoint_is_rotated_away_is_whole_or_an_error(
    save_step: SaveStep, checkpoints: Path, holds: Callable[[Loaded, int], None]
) -> None:
    whole = 0
    stop = threading.Event()

    def write() -> None:
        for step in range(1, 60):
            save_step(step)
            rotate(checkpoints, keep_last=1)
        stop.set()

    save_step(1)
    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        for summary in list_checkpoints(checkpoints).checkpoints:
            try:
                holds(load(summary.path), summary.step)
                whole += 1
            except (DamageError, MissingDataError):
                continue
    writer.join()
    assert whole > 0
    holds(load(checkpoints / "step-00000059"), 59)


def test_the_newest_that_verifies_stays_even_when_newer_ones_fill_the_count(
    save_step: SaveStep, checkpoints: Path
) -> None:
    paths = [save_step(step) for step in (1, 2, 3, 4)]
    damage(paths[3]), damage(paths[2])
    rotation = rotate(checkpoints, keep_last=2)
    assert steps(checkpoints) == [4, 3, 2]
    assert [skipped.path for skipped in rotation.skipped] == [paths[3], paths[2]]
    found = find_latest(checkpoints)
    assert found is not None and found.step == 2


def test_nothing_goes_when_nothing_verifies(save_step: SaveStep, checkpoints: Path) -> None:
    for step in (1, 2, 3):
        damage(save_step(step))
    assert rotate(checkpoints, keep_last=1).removed == []
    assert steps(checkpoints) == [3, 2, 1]


def test_what_does_not_open_is_reported_and_stays(save_step: SaveStep, checkpoints: Path) -> None:
    paths = [save_step(step) for step in (1, 2, 3)]
    (paths[1] / "manifest.json").unlink()
    rotation = rotate(checkpoints, keep_last=1)
    assert rotation.removed == [paths[0]]
    assert [skipped.path for skipped in rotation.skipped] == [paths[1]]
    assert paths[1].exists()


def test_order_is_by_the_manifest_not_by_the_name(save_step: SaveStep, checkpoints: Path) -> None:
    save_step(900).rename(checkpoints / "step-00000005")
    save_step(100)
    rotate(checkpoints, keep_last=1)
    assert steps(checkpoints) == [900]


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    for look in (list_checkpoints, lambda folder: rotate(folder, keep_last=1)):
        with pytest.raises(MissingDataError, match="nowhere"):
            look(tmp_path / "nowhere")


def test_a_negative_count_is_refused(checkpoints: Path) -> None:
    with pytest.raises(UsageError, match="`keep_every_steps` is 0, expected at least 1"):
        rotate(checkpoints, keep_last=1, keep_every_steps=0)
    with pytest.raises(UsageError, match="`keep_last` is -1"):
        rotate(checkpoints, keep_last=-1)
