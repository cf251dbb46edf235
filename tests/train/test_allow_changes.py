"""`--allow-changes`: what is gone on with, what is said about it, and what it does not allow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codex.config import LoadedConfig
from codex.errors import ConfigError, Interrupted, UsageError
from codex.track.rows import read_rows
from codex.train import Summary, train
from tests.train.tiny import Settings, Talk


def _stopped(loaded: LoadedConfig, step: int, **how: Any) -> None:
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=step), **how)


def _weights(summary: Summary) -> bytes:
    return (summary.checkpoint / "model.safetensors").read_bytes()


def test_a_changed_key_is_said_written_down_and_kept(settings: Settings, whole: Summary) -> None:
    _stopped(settings(), 5)
    changed = settings(**{"train.learning_rate": 0.001, "train.max_steps": 13})
    with pytest.raises(ConfigError) as refused:
        train(changed, resume=True)
    before = settings().config.train.learning_rate
    difference = f"`train.learning_rate` was {before}, is 0.001"
    assert str(refused.value).splitlines()[1:] == [f"  {difference}"]
    assert "--allow-changes" in (refused.value.hint or "")

    talk = Talk()
    with pytest.raises(Interrupted):
        talk = Talk(stop_at=7)
        train(changed, resume=True, allow_changes=True, progress=talk)
    assert f"changed: {difference}" in talk.lines
    run = Path(changed.config.run.directory) / "tiny"
    rows = [row for row in read_rows(run / "log.ndjson") if row["event"] == "configuration-changed"]
    assert rows[-1]["changed"] == ["`train.max_steps` was 12, is 13", difference]

    summary = train(changed, resume=True)  # it is the configuration of the run now
    assert summary.first_step == 7 and _weights(summary) != _weights(whole)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.width", 24),
        ("tokens.vocabulary_size", 290),
        ("train.optimizer", "adamw"),
        ("train.micro_batch_size", 2),
    ],
)
def test_what_would_not_fit_is_not_allowed(
    settings: Settings, whole: Summary, key: str, value: object
) -> None:
    _stopped(settings(), 5)
    for how in ({"resume": True}, {"resume_from": whole.run}):
        with pytest.raises(ConfigError, match=rf"`{key}` was .* cannot change"):
            train(settings(**{key: value}), allow_changes=True, **how)


def test_the_same_rows_in_smaller_batches_give_nearly_the_same_weights(
    settings: Settings, whole: Summary
) -> None:
    smaller = settings(**{"train.micro_batch_size": 1, "train.accumulate_steps": 4})
    summary = train(smaller, resume_from=whole.run / "checkpoints" / "step-00000008", allow_changes=True)
    assert summary.report.bits_per_byte == pytest.approx(whole.report.bits_per_byte, rel=1e-4)
    log = [row["event"] for row in read_rows(summary.run / "log.ndjson")]
    assert "configuration-changed" in log


def test_another_number_of_threads_is_used_from_then_on(settings: Settings) -> None:
    _stopped(settings(), 5)
    more = settings(**{"train.threads": 2})
    _stopped(more, 6, resume=True, allow_changes=True)
    summary = train(more, resume=True)
    state = json.loads((summary.checkpoint / "state.json").read_bytes())
    assert state["machine"]["threads"] == 2
    assert json.loads((summary.run / "machine.json").read_bytes())["threads"] == 2


def test_without_anything_to_resume_it_is_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match="--allow-changes"):
        train(settings(), allow_changes=True)
