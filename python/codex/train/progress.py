"""How a run says where it is: whoever calls `train` passes one of these and draws it as it likes."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Told what happens; must not raise."""

    def say(self, line: str) -> None:
        """One line of talk, for a person."""

    def warn(self, line: str) -> None:
        """One line that should not be missed."""

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` units of `stage` are done; called for each, so it should be cheap."""


class Silent:
    """Draws nothing."""

    def say(self, line: str) -> None:
        """Says nothing."""

    def warn(self, line: str) -> None:
        """Says nothing."""

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Draws nothing."""
