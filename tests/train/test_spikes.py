"""A step that stands out changes no weight, and the run that had one goes on as exactly as any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from codex.data.load import TokenBatch, TokenBatches
from codex.errors import DivergedError, Interrupted
from codex.models.llama import Llama
from codex.track.journal import read_rows
from codex.train import train
from codex.train.spikes import Spikes
from tests.train.tiny import Settings, Talk, assert_same_end

Spoil = Callable[[Callable[[int], float]], None]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Multiplies the loss of each training step by what is asked for its number."""

    def spoil_steps(factor: Callable[[int], float]) -> None:
        give, score, step = TokenBatches.__getitem__, Llama.summed_losses, -1

        def watched(self: TokenBatches, index: int) -> TokenBatch:
            nonlocal step
            step = index
            return give(self, index)

        def spoilt(self: Llama, *rows: torch.Tensor, **rest: object) -> tuple[torch.Tensor, ...]:
            losses = score(self, *rows, **rest)  # type: ignore[arg-type]
            return tuple(loss * factor(step) for loss in losses)

        monkeypatch.setattr(TokenBatches, "__getitem__", watched)
        monkeypatch.setattr(Llama, "summed_losses", spoilt)

    return spoil_steps


def _train_rows(run: Path) -> list[dict[str, object]]:
    return [row["metrics"] for row in read_rows(run / "metrics.ndjson") if row["split"] == "train"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e4])
def test_a_bad_step_is_left_out_and_the_run_ends(settings: Settings, spoil: Spoil, bad: float) -> None:
    spoil(lambda step: bad if step == 25 else 1.0)
    talk = Talk()
    summary = train(settings(**{"train.max_steps": 30, "train.skip_spikes": 6}), progress=talk)
    rows = _train_rows(summary.run)
    assert [row["updates_left_out"] for row in rows] == [0] * 8 + [1] * 2
    assert all(float(str(row["loss"])) < 10 for row in rows)
    assert any("step 26: its update is left out" in line for line in talk.lines)


def test_without_the_key_a_loss_that_is_no_number_ends_the_run(settings: Settings, spoil: Spoil) -> None:
    spoil(lambda step: float("nan") if step == 5 else 1.0)
    with pytest.raises(
        DivergedError, match=r"the loss is nan at step 6; last good checkpoint: .*step-00000004"
    ):
        train(settings())


def test_stopped_after_it_the_run_ends_with_the_same_bytes(settings: Settings, spoil: Spoil) -> None:
    spoil(lambda step: 1e4 if step in (18, 24) else 1.0)
    keys = {"train.max_steps": 30, "train.skip_spikes": 6}
    whole = train(settings("whole", **keys))
    loaded = settings("stopped", **keys)
    for stop_at in (19, 22):
        with pytest.raises(Interrupted):
            train(loaded, resume=stop_at > 19, progress=Talk(stop_at=stop_at))
    summary = train(loaded, resume=True)
    assert summary.first_step == 22 and _train_rows(summary.run)[-1]["updates_left_out"] == 2
    assert_same_end(whole.run, summary.run)


def test_a_run_of_nothing_else_has_diverged(settings: Settings, spoil: Spoil) -> None:
    spoil(lambda step: float("nan") if step >= 6 else 1.0)
    with pytest.raises(
        DivergedError, match=r"stands out, as those before it .* at step 22; last good checkpoint"
    ):
        train(settings(**{"train.max_steps": 40, "train.skip_spikes": 6}))


def test_a_step_is_judged_by_those_that_did_not_stand_out() -> None:
    spikes, calm = Spikes(3.0), [2.0, 2.1, 1.9, 2.0] * 8
    assert not any(spikes.stands_out(loss, 1.0) for loss in calm)
    state = spikes.state()
    assert [spikes.stands_out(5.0, 1.0) for _ in range(15)] == [True] * 15 and not spikes.is_hopeless
    assert not spikes.stands_out(2.0, 1.0)
    assert spikes.stands_out(2.0, 1.5), "the norm counts as the loss does"
    again = Spikes(3.0)
    again.restore(state)
    assert [again.stands_out(loss, 1.0) for loss in (2.1, 2.3, 2.05)] == [False, True, False]
