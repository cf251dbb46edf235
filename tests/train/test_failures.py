"""What ends a run, what does not, and what is left afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from codex import checkpoint
from codex.errors import DataError, DiskFullError, DivergedError
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


def _fill_disk(monkeypatch: pytest.MonkeyPatch, at: set[int]) -> None:
    save = checkpoint.save

    def full(folder: Path, step: int, **parts: Any) -> Path:
        if step in at:
            raise DiskFullError("no room for 3 bytes")
        return save(folder, step, **parts)

    monkeypatch.setattr(checkpoint, "save", full)


def test_a_full_disk_is_one_warning_and_the_run_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill_disk(monkeypatch, {4})
    talk = Talk()
    summary = train(settings(), progress=talk)
    assert summary.step == 12
    assert len(talk.warnings) == 1 and "step 4 is NOT saved" in talk.warnings[0]
    assert any(
        row["event"] == "not-saved" and row["step"] == 4 for row in read_rows(summary.run / "log.ndjson")
    )


def test_if_the_last_step_is_not_saved_the_run_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill_disk(monkeypatch, {12})
    loaded = settings()
    with pytest.raises(DiskFullError, match="step 12 could not be saved") as error:
        train(loaded)
    assert "step-00000008" in error.value.message and "--resume" in (error.value.hint or "")
    monkeypatch.undo()


def test_a_corpus_smaller_than_a_context_is_refused(settings: Settings) -> None:
    with pytest.raises(DataError, match="too small"):
        train(settings(**{"model.context": 100_000, "evaluate.stride": 16}))
