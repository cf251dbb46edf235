"""The learning rate over a run: it rises in a line, and then stays, falls, or stays and falls."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

__all__ = ["Schedule", "rate_factor"]

Schedule: TypeAlias = Literal["wsd", "cosine", "linear", "constant"]


def rate_factor(
    step: int,
    *,
    max_steps: int,
    warmup_steps: int,
    schedule: Schedule = "wsd",
    decay_fraction: float = 0.0,
    final_rate: float = 0.0,
) -> float:
    """What the highest learning rate is multiplied by at the update after `step` finished ones.

    Args:
        step: updates done, 0 to max_steps - 1.
        max_steps: updates of the whole run.
        warmup_steps: updates until the rate is at its highest.
        schedule: what comes then. `cosine` and `linear` fall from there to the end, `wsd` (warmup, stable, decay) stays and
            falls in a line over the last `decay_fraction` of the run, `constant` stays.
        decay_fraction: of all updates, over which `wsd` falls.
        final_rate: what it falls to, as a share of the highest; the update after the last would have it.
    Source: Loshchilov and Hutter 2017, "SGDR", section 3 (cosine); Hu et al. 2024, "MiniCPM", section 4 (wsd).

    >>> [rate_factor(i, max_steps=8, warmup_steps=2, decay_fraction=0.5) for i in range(8)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    >>> [rate_factor(i, max_steps=5, warmup_steps=1, schedule="linear", final_rate=0.5) for i in range(5)]
    [1.0, 1.0, 0.875, 0.75, 0.625]
    """
    rise = (step + 1) / warmup_steps if step < warmup_steps else 1.0
    decay_steps = max_steps * decay_fraction if schedule == "wsd" else max_steps - warmup_steps
    left = 1.0 if schedule == "constant" or decay_steps <= 0 else min(1.0, (max_steps - step) / decay_steps)
    if schedule == "cosine":
        left = (1 - math.cos(math.pi * left)) / 2
    return min(rise, final_rate + (1 - final_rate) * left)
