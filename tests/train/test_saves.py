"""Which checkpoints a run keeps, by what they are proved, and when they are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex import checkpoint
from codex.config import LoadedConfig
from codex.errors import Interrupted
from codex.track.run import Run
from codex.train import Summary, train
from tests.train.tiny import Settings, Talk, assert_same_end


def _steps(run: Path) -> list[int]:
    return sorted(int(path.name[5:]) for path in (run / "checkpoints").glob("step-????????"))


def _run(loaded: LoadedConfig) -> Path:
    return Path(loaded.config.run.directory) / "tiny"


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({"checkpoint.keep_last": 1, "checkpoint.keep_best": 0}, [12]),
        ({"checkpoint.keep_last": 2, "checkpoint.keep_best": 0}, [10, 12]),
        (
            {"checkpoint.keep_last": 1, "checkpoint.keep_best": 0, "checkpoint.keep_every_steps": 4},
            [4, 8, 12],
        ),
        ({"checkpoint.keep_last": 1, "checkpoint.keep_every_steps": 6, "checkpoint.keep_best": 0}, [6, 12]),
    ],
)
def test_the_newest_and_every_so_many_stay(
    settings: Settings, keys: dict[str, object], kept: list[int]
) -> None:
    summary = train(settings(**keys, **{"checkpoint.every_steps": 2}))
    assert _steps(summary.run) == kept


@pytest.mark.parametrize("metric", ["loss", "held_out_bits_per_byte"])
@pytest.mark.parametrize("direction", ["lowest", "highest"])
def test_the_best_by_metric_and_direction_stays_and_is_named(
    settings: Settings, metric: str, direction: str
) -> None:
    everything = train(settings("all", **{"checkpoint.keep_last": 9, "checkpoint.every_steps": 2}))
    values = {}
    for step in _steps(everything.run):
        path = everything.run / "checkpoints" / f"step-{step:08}" / "state.json"
        metrics = json.loads(path.read_bytes())["metrics"]
        assert ("held_out_bits_per_byte" in metrics) == (step % 4 == 0)
        if metric in metrics:
            values[step] = metrics[metric]
    best = (max if direction == "highest" else min)(values, key=values.__getitem__)
    keys = {"checkpoint.every_steps": 2, "checkpoint.keep_last": 1, "checkpoint.keep_best": 1}
    keys |= {"checkpoint.best_metric": metric, "checkpoint.best_direction": direction}
    summary = train(settings("best", **keys))
    assert _steps(summary.run) == sorted({best, 12})
    assert (summary.run / "best").read_text() == f"step-{best:08}\n"


def test_sha256_proves_the_bytes_if_it_is_asked_for(settings: Settings, whole: Summary) -> None:
    loaded = settings(**{"checkpoint.digest": "sha256"})
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=5))
    summary = train(loaded, resume=True)
    manifest = json.loads((summary.checkpoint / "manifest.json").read_bytes())
    assert {file["digest"].partition(":")[0] for file in manifest["files"]} == {"sha256"}
    assert_same_end(whole.run, summary.run)


@pytest.mark.parametrize("step", [3, 4, 9])
def test_beside_the_steps_or_between_them_the_bytes_are_the_same(
    settings: Settings, whole: Summary, step: int
) -> None:
    loaded = settings(**{"checkpoint.asynchronous": "true"})
    with pytest.raises(Interrupted, match="saved in"):
        train(loaded, progress=Talk(stop_at=step))
    newest = _run(loaded) / "checkpoints" / f"step-{step:08}"
    assert checkpoint.verify(newest).step == step, "a signal waits for the save"
    assert_same_end(whole.run, train(loaded, resume=True).run)


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_only_what_is_on_the_disk_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, asynchronous: str
) -> None:
    record, named = Run.record_checkpoint, []

    def watched(self: Run, path: Path, step: int, *, is_best: bool = False) -> None:
        assert checkpoint.verify(path).step == step
        named.append(step)
        record(self, path, step, is_best=is_best)

    monkeypatch.setattr(Run, "record_checkpoint", watched)
    keys = {"checkpoint.asynchronous": asynchronous, "checkpoint.keep_last": 1, "checkpoint.every_steps": 1}
    summary = train(settings(**keys))
    assert named == list(range(1, 13))
    recorded = json.loads((summary.run / "lineage.json").read_bytes())["checkpoints"]
    assert [kept["step"] for kept in recorded] == named, "those that rotation has removed since, too"


class _Looks(Talk):
    """Notes which checkpoints are there when a step is done."""

    def __init__(self, run: Path, at: int) -> None:
        super().__init__()
        self.there: list[int] = []
        self._run, self._at = run, at

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "train" and done == self._at:
            self.there = _steps(self._run)


def test_the_checkpoint_a_run_goes_on_from_stays_while_it_does(settings: Settings) -> None:
    keys = {"checkpoint.keep_last": 1, "checkpoint.keep_best": 0, "checkpoint.every_steps": 3}
    loaded = settings(**keys)
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=4))
    looks = _Looks(_run(loaded), at=11)
    summary = train(loaded, resume=True, progress=looks)
    assert looks.there == [4, 9]
    assert _steps(summary.run) == [12], "a finished run keeps what an unbroken one would"


def test_the_copy_a_fresh_run_begins_with_stays_while_it_trains(settings: Settings, whole: Summary) -> None:
    loaded = settings(**{"checkpoint.keep_last": 1, "checkpoint.keep_best": 0, "checkpoint.every_steps": 1})
    looks = _Looks(_run(loaded), at=12)
    summary = train(loaded, resume_from=whole.run / "checkpoints" / "step-00000008", progress=looks)
    assert looks.there == [8, 11] and _steps(summary.run) == [12]
    assert _steps(whole.run) == [8, 12], "the run it came from is left alone"
