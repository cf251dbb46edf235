"""Where the time of a run goes: seconds by phase, counted where they are spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Clock"]


class Clock:
    """Seconds by name; a phase inside another is not counted twice.

    Args:
        now: seconds, for tests.

    >>> clock = Clock(now=iter([0.0, 1.0, 4.0, 9.0]).__next__)
    >>> with clock.phase("train"):
    ...     with clock.phase("save"):
    ...         pass
    >>> clock.seconds
    {'train': 6.0, 'save': 3.0}
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._now = now
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the seconds of this block, but for the phases inside it."""
        self._settle()
        self.seconds.setdefault(name, 0.0)
        self._open.append(name)
        try:
            yield
        finally:
            self._settle()
            self._open.pop()

    def total(self, *names: str) -> float:
        """Seconds of these phases together, up to where one last began or ended."""
        return sum(self.seconds.get(name, 0.0) for name in names)

    def _settle(self) -> None:
        """Give the seconds since the last change to the phase that is innermost."""
        now = self._now()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
