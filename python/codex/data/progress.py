"""How the stages say where they are: whoever calls `prepare` passes one of these and draws it as it likes."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Told what happens; must not raise."""

    def say(self, line: str) -> None:
        """One line of talk, for a person."""

    def step(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` units of `stage` are done; called often, so it should be cheap."""


class Silent:
    """Draws nothing."""

    def say(self, line: str) -> None:
        """Says nothing."""

    def step(self, stage: str, done: int, total: int) -> None:
        """Draws nothing."""
