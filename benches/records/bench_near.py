"""Near duplicates found by us and by rensa, in turn; both must find the same planted ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.workers import PEERS, Worker

DOCUMENTS = 3000
ROUNDS = 5


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker("benches.records.near", packages=[PEERS]) as worker:
        yield worker


def _hold(benchmark: Any, gate: str, worker: Worker, kind: str) -> None:
    def run(side: str) -> dict[str, Any]:
        answer: dict[str, Any] = worker.call("find", side=f"{side}_{kind}", count=DOCUMENTS, seed=8)
        return answer

    # Twins and what they are twins of.
    found = {side: run(side)["found"] for side in ("codex", "rensa")}
    assert found["codex"] == found["rensa"] > DOCUMENTS // 10

    def figures() -> list[float]:
        sides = {side: lambda _, side=side: float(run(side)["cpu_s"]) for side in ("codex", "rensa")}
        return [ours / theirs for ours, theirs in zip(*in_turn(sides, ROUNDS).values(), strict=True)]

    hold(benchmark, gate, figures)


def bench_near_duplicates_from_raw_text(benchmark: Any, worker: Worker) -> None:
    """Rensa is given shingles that Python makes, as its users do; ours are made in the same pass."""
    _hold(benchmark, "records.near", worker, "raw")


def bench_near_duplicates_on_the_same_shingles(benchmark: Any, worker: Worker) -> None:
    _hold(benchmark, "records.near_shingles", worker, "shingles")
