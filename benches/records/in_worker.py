"""Sides of one module that are called in turn in one worker, ours against a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.workers import PEERS, Worker

__all__ = ["hold_in_turn", "worker_of"]


def worker_of(module: str) -> Any:
    """A fixture: the worker that runs `module`, with the peers' packages, for all benches of a file."""

    @pytest.fixture(scope="module")
    def worker() -> Iterator[Worker]:
        with Worker(module, packages=[PEERS]) as started:
            yield started

    return worker


def hold_in_turn(
    benchmark: Any, gate: str, run: Callable[[str], dict[str, Any]], peer: str, rounds: int
) -> None:
    """Hold our CPU seconds over those of `peer`, round by round, in an order that turns."""

    def figures() -> list[float]:
        sides = {side: lambda _, side=side: float(run(side)["cpu_s"]) for side in ("codex", peer)}
        return [ours / theirs for ours, theirs in zip(*in_turn(sides, rounds).values(), strict=True)]

    hold(benchmark, gate, figures)
