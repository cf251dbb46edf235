"""Ctrl-C and SIGTERM while training: the step is finished and saved, then the run ends. SIGUSR1: saved, and on it goes.

Outside `deferred` a signal ends the work at once; inside, the first is noted, and only a second ends it at once. Everything
on disk is written so that even SIGKILL leaves it whole, so ending at once loses work but damages nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopSignals", "Stopped"]


class Stopped(BaseException):
    """A signal asked to end at once; no `except Exception` on the way may hold it up."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


class StopSignals:
    """Takes SIGINT, SIGTERM and SIGUSR1 while its block runs; a no-op outside the main thread, where signals do not arrive.

    Args:
        say: told when a signal is noted; must not raise.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._is_deferred = False
        self._wants_save = False
        self.noted: int | None = None
        """The number of the signal to stop that was noted."""

    def __enter__(self) -> StopSignals:
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._take)
            self._before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._take_save)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A block in which a first signal is only noted: look at `noted` where it is good to stop."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    def take_save(self) -> bool:
        """Whether SIGUSR1 came since the last call inside the block."""
        wanted, self._wants_save = self._wants_save, False
        return wanted

    def _take_save(self, number: int, _: FrameType | None) -> None:
        self._wants_save = self._is_deferred
        self._say(
            "SIGUSR1: finishing this step and saving"
            if self._is_deferred
            else "SIGUSR1: there is no step to save yet"
        )

    def _take(self, number: int, _: FrameType | None) -> None:
        if not self._is_deferred or self.noted is not None:
            raise Stopped(number)
        self.noted = number
        self._say(
            f"{signal.Signals(number).name}: finishing this step and saving; once more ends at once, without saving"
        )
