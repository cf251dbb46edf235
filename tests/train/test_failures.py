"""What ends a run, what does not, and what is left afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from codex import checkpoint
from codex.errors import DataError, DiskFullError, DivergedError, MachineError
from codex.file import FailPoints
from codex.track.rows import read_rows
from codex.train import train
from codex.train.learner import Learner, Update
from tests.train.tiny import Settings, Talk


def _poison(monkeypatch: pytest.MonkeyPatch, at: int, value: float) -> None:
    update = Learner.update

    def poisoned(self: Learner, step: int) -> Update:
        made = update(self, step)
        return made._replace(loss=torch.tensor(value)) if step + 1 >= at else made

    monkeypatch.setattr(Learner, "update", poisoned)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("step", "good"), [(1, None), (6, 4), (8, 4), (9, 8), (12, 8)])
def test_a_loss_that_is_no_number_ends_the_run_naming_step_and_checkpoint(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: int, good: int | None, value: float
) -> None:
    _poison(monkeypatch, step, value)
    loaded = settings()
    with pytest.raises(DivergedError) as error:
        train(loaded)
    run = Path(loaded.config.run.directory) / "tiny"
    assert error.value.exit_code == 6 and f"at step {step};" in error.value.message
    assert (f"step-{good:08}" if good else "no checkpoint") in error.value.message
    assert "learning_rate" in (error.value.hint or "")
    saved = [row.step for row in checkpoint.list_checkpoints(run / "checkpoints").checkpoints] if good else []
    assert max(saved, default=0) == (good or 0), "nothing is saved after it"
    assert any("DivergedError" in row["message"] for row in read_rows(run / "log.ndjson"))


BEGINS = "checkpoint.begin.make-folder"  # passed once by each save


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_a_full_disk_is_one_warning_and_the_run_goes_on(settings: Settings, asynchronous: str) -> None:
    talk = Talk()
    with FailPoints(f"{BEGINS}=enospc@1") as disk:
        summary = train(settings(**{"checkpoint.asynchronous": asynchronous}), progress=talk)
    assert disk.fired == 1 and summary.step == 12
    assert len(talk.warnings) == 1 and "step 4 is NOT saved" in talk.warnings[0]
    assert any(
        row["event"] == "not-saved" and row["step"] == 4 for row in read_rows(summary.run / "log.ndjson")
    )
    recorded = json.loads((summary.run / "lineage.json").read_bytes())["checkpoints"]
    assert [kept["step"] for kept in recorded] == [8, 12], "what is not on the disk is named nowhere"


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_if_the_last_step_is_not_saved_the_run_fails(settings: Settings, asynchronous: str) -> None:
    loaded = settings(**{"checkpoint.asynchronous": asynchronous})
    with FailPoints(f"{BEGINS}=enospc@3"), pytest.raises(DiskFullError, match="step 12 could not") as error:
        train(loaded)
    assert error.value.exit_code == 5
    assert "step-00000008" in error.value.message and "--resume" in (error.value.hint or "")
    run = Path(loaded.config.run.directory) / "tiny"
    assert (run / "latest").read_text() == "step-00000008\n"
    assert train(loaded, resume=True).first_step == 8, "with room again it goes on"


def test_a_best_checkpoint_that_met_a_full_disk_is_not_the_best(settings: Settings) -> None:
    """Losses fall, so by the lowest loss each checkpoint is the best; the last is lost, and the one before it stays so."""
    loaded = settings(**{"checkpoint.best_metric": "loss"})
    with FailPoints(f"{BEGINS}=enospc@3"), pytest.raises(DiskFullError):
        train(loaded)
    run = Path(loaded.config.run.directory) / "tiny"
    assert (run / "best").read_text() == "step-00000008\n"
    loaded = settings(**{"checkpoint.best_metric": "loss", "checkpoint.best_direction": "highest"})
    with FailPoints(f"{BEGINS}=enospc@1"):
        summary = train(loaded)
    state = json.loads((summary.checkpoint / "state.json").read_bytes())
    assert state["history"]["best"]["step"] == 8 and (summary.run / "best").read_text() == "step-00000008\n"


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_a_disk_that_fails_to_sync_ends_the_run(settings: Settings, asynchronous: str) -> None:
    loaded = settings(**{"checkpoint.asynchronous": asynchronous})
    with FailPoints("checkpoint.model.sync=sync-fails@2"), pytest.raises(MachineError) as error:
        train(loaded)
    assert error.value.exit_code == 5 and not isinstance(error.value, DiskFullError)
    run = Path(loaded.config.run.directory) / "tiny"
    assert [row.step for row in checkpoint.list_checkpoints(run / "checkpoints").checkpoints] == [4]
    assert (run / "latest").read_text() == "step-00000004\n"


def test_a_corpus_smaller_than_a_context_is_refused(settings: Settings) -> None:
    with pytest.raises(DataError, match="too small"):
        train(settings(**{"model.context": 100_000, "evaluate.stride": 16}))
