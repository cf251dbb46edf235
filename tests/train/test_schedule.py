"""The learning rate rises, and then does what its schedule says."""

from __future__ import annotations

from typing import Any

import pytest

from codex.train.schedule import rate_factor

SCHEDULES = ["wsd", "cosine", "linear", "constant"]


def _factors(max_steps: int, warmup_steps: int, decay_fraction: float = 0.0, **keys: Any) -> list[float]:
    keys |= {"max_steps": max_steps, "warmup_steps": warmup_steps, "decay_fraction": decay_fraction}
    return [rate_factor(step, **keys) for step in range(max_steps)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("final_rate", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(
    ("max_steps", "warmup_steps", "decay_fraction"),
    [
        (1, 0, 0.0),
        (1, 0, 1.0),
        (10, 0, 0.5),
        (10, 9, 1.0),
        (1500, 40, 0.4),
        (3, 2, 0.0),
        (1000, 999, 0.01),
        (5, 5, 0.5),
        (5, 50, 0.5),
    ],
)
def test_it_is_never_zero_never_above_one_and_changes_direction_once(
    max_steps: int, warmup_steps: int, decay_fraction: float, schedule: str, final_rate: float
) -> None:
    factors = _factors(max_steps, warmup_steps, decay_fraction, schedule=schedule, final_rate=final_rate)
    assert all(0 < factor <= 1 for factor in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_it_is_highest_after_the_warmup_until_the_decay() -> None:
    factors = _factors(100, 10, 0.3)
    assert factors[9:71] == [1.0] * 62
    assert factors[8] < 1 and factors[71] < 1
    assert factors[0] == pytest.approx(0.1) and factors[-1] == pytest.approx(1 / 30)


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        ("cosine", "cosine"),
        ("linear", "linear"),
        ("constant", "constant_with_warmup"),
    ],
)
def test_it_is_that_of_transformers_one_update_on(schedule: str, theirs: str) -> None:
    """They begin a warmup at zero, where an update changes nothing; ours begins with their second update."""
    import torch
    from transformers import get_scheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(theirs, optimizer, num_warmup_steps=10, num_training_steps=100)
    expected = []
    for _ in range(100):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    factors = _factors(100, 10, schedule=schedule)
    assert factors[:9] == pytest.approx(expected[1:10])
    assert factors[10:] == pytest.approx(expected[10:])


def test_what_is_left_at_the_end_is_the_final_rate() -> None:
    for schedule in "cosine", "linear":
        factors = _factors(1000, 10, schedule=schedule, final_rate=0.1)
        assert factors[10] == pytest.approx(1.0) and factors[-1] == pytest.approx(0.1, abs=1e-3)
    assert _factors(100, 0, 0.5, final_rate=0.5)[75] == pytest.approx(0.75)
    assert _factors(100, 10, schedule="constant", final_rate=0.1)[10:] == [1.0] * 90
