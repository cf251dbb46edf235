"""The learning rate over a run: it rises in a line, stays, and falls in a line to zero."""

from __future__ import annotations

__all__ = ["rate_factor"]


def rate_factor(step: int, *, max_steps: int, warmup_steps: int, decay_fraction: float) -> float:
    """What the highest learning rate is multiplied by at the update after `step` finished ones.

    Args:
        step: updates done, 0 to max_steps - 1.
        max_steps: updates of the whole run.
        warmup_steps: updates until the rate is at its highest.
        decay_fraction: last share of the run over which it falls; the update after the last would have rate 0.
    Source: Hu et al. 2024, "MiniCPM", section 4: warmup, stable, decay.

    >>> [rate_factor(i, max_steps=8, warmup_steps=2, decay_fraction=0.5) for i in range(8)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    rise = (step + 1) / warmup_steps if warmup_steps else 1.0
    decay_steps = max_steps * decay_fraction
    fall = (max_steps - step) / decay_steps if decay_steps else 1.0
    return min(1.0, rise, fall)
