"""The learning rate rises, stays and falls."""

from __future__ import annotations

import pytest

from codex.train.schedule import rate_factor


def _factors(max_steps: int, warmup_steps: int, decay_fraction: float) -> list[float]:
    keys = {"max_steps": max_steps, "warmup_steps": warmup_steps, "decay_fraction": decay_fraction}
    return [rate_factor(step, **keys) for step in range(max_steps)]


@pytest.mark.parametrize(
    ("max_steps", "warmup_steps", "decay_fraction"),
    [(1, 0, 0.0), (1, 0, 1.0), (10, 0, 0.5), (10, 9, 1.0), (1500, 40, 0.4), (3, 2, 0.0), (1000, 999, 0.01)],
)
def test_it_is_never_zero_never_above_one_and_changes_direction_once(
    max_steps: int, warmup_steps: int, decay_fraction: float
) -> None:
    factors = _factors(max_steps, warmup_steps, decay_fraction)
    assert all(0 < factor <= 1 for factor in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_it_is_highest_after_the_warmup_until_the_decay() -> None:
    factors = _factors(100, 10, 0.3)
    assert factors[9:71] == [1.0] * 62
    assert factors[8] < 1 and factors[71] < 1
    assert factors[0] == pytest.approx(0.1) and factors[-1] == pytest.approx(1 / 30)
