"""Steps that stand out: their update is left out, so that one bad batch does not undo the run.

A step stands out if its loss or the norm of its gradient is no number, or lies more than so many standard deviations above
the mean of the last 128 steps that did not. Source: "SkipStepOptimizer" of OLMo-core (Groeneveld et al. 2024); there the step
that is judged is part of the mean.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Spikes"]

_WINDOW = 128
#: Fewer tell nothing; until then only what is no number is left out.
_LEAST = 16
#: Steps in a row: by then it is no single batch.
_MOST_IN_A_ROW = 16


class Spikes:
    """Judges one step after the other.

    Args:
        sigmas: standard deviations above the mean from which on a step stands out.

    >>> spikes = Spikes(6.0)
    >>> [spikes.stands_out(2.0 + step % 2, 1.0) for step in range(20)].count(True)
    0
    >>> spikes.stands_out(9.0, 1.0), spikes.stands_out(2.0, math.nan), spikes.left_out
    (True, True, 2)
    """

    def __init__(self, sigmas: float) -> None:
        self._sigmas = sigmas
        self._losses: deque[float] = deque(maxlen=_WINDOW)
        self._norms: deque[float] = deque(maxlen=_WINDOW)
        #: Steps so far.
        self.left_out = 0
        self._in_a_row = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether so many steps in a row stood out that the run has diverged."""
        return self._in_a_row >= _MOST_IN_A_ROW

    def stands_out(self, loss: float, norm: float) -> bool:
        """Whether the update of this step is to be left out; takes note of the step."""
        if self._is_above(loss, self._losses) or self._is_above(norm, self._norms):
            self.left_out += 1
            self._in_a_row += 1
            return True
        self._losses.append(loss)
        self._norms.append(norm)
        self._in_a_row = 0
        return False

    def state(self) -> dict[str, Any]:
        """What the next step is judged by, as JSON has it."""
        return {
            "losses": list(self._losses),
            "norms": list(self._norms),
            "left_out": self.left_out,
            "in_a_row": self._in_a_row,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        self._losses = deque(state["losses"], maxlen=_WINDOW)
        self._norms = deque(state["norms"], maxlen=_WINDOW)
        self.left_out, self._in_a_row = state["left_out"], state["in_a_row"]

    def _is_above(self, value: float, earlier: Iterable[float]) -> bool:
        if not math.isfinite(value):
            return True
        known = list(earlier)
        if len(known) < _LEAST:
            return False
        mean = statistics.fmean(known)
        return value > mean + self._sigmas * statistics.pstdev(known, mean)
