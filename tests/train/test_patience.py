"""A run that no longer improves ends early, as whole as any other."""

from __future__ import annotations

import pytest

from codex.errors import Interrupted
from codex.train import train
from tests.train.tiny import Settings, Talk, assert_same_end

#: Rates at which no weight changes, so that no measurement is better than the first.
STILL = {"train.learning_rate": 1e-30, "train.adam_learning_rate": 1e-30, "train.weight_decay": 0}
PATIENT = {
    "train.max_steps": 40,
    "evaluate.every_steps": 2,
    "checkpoint.every_steps": 100,
    "train.patience": 2,
}


def test_it_ends_after_so_many_measurements_that_are_no_better(settings: Settings) -> None:
    talk = Talk()
    loaded = settings(**STILL, **PATIENT)
    summary = train(loaded, progress=talk)
    assert summary.step == 6 and summary.checkpoint.name == "step-00000006"
    assert any("2 measurements in a row were no better" in line for line in talk.lines)
    again = train(loaded, resume=True)
    assert again.was_finished and again.step == 6
    longer = settings(**STILL, **(PATIENT | {"train.patience": 4}))
    assert train(longer, resume=True).step == 10


def test_stopped_on_the_way_it_ends_at_the_same_step_with_the_same_bytes(settings: Settings) -> None:
    whole = train(settings("whole", **STILL, **PATIENT))
    loaded = settings("stopped", **STILL, **PATIENT)
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=5))
    summary = train(loaded, resume=True)
    assert summary.first_step == 5 and summary.step == whole.step
    assert_same_end(whole.run, summary.run)


def test_a_run_that_improves_makes_all_its_steps(settings: Settings) -> None:
    talk = Talk()
    summary = train(settings(**{"train.patience": 1}), progress=talk)
    assert summary.step == 12
    assert not any("no better" in line for line in talk.lines)
