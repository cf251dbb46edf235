"""Near duplicates found by us and by rensa, in turn; both must find the same planted ones."""

from __future__ import annotations

from typing import Any

from benches.records.in_worker import hold_in_turn, worker_of
from benches.workers import Worker

DOCUMENTS = 3000
ROUNDS = 5


worker = worker_of("benches.records.near")


def _hold(benchmark: Any, gate: str, worker: Worker, kind: str) -> None:
    def run(side: str) -> dict[str, Any]:
        answer: dict[str, Any] = worker.call("find", side=f"{side}_{kind}", count=DOCUMENTS, seed=8)
        return answer

    # Twins and what they are twins of.
    found = {side: run(side)["found"] for side in ("codex", "rensa")}
    assert found["codex"] == found["rensa"] > DOCUMENTS // 10

    hold_in_turn(benchmark, gate, run, "rensa", ROUNDS)


def bench_near_duplicates_from_raw_text(benchmark: Any, worker: Worker) -> None:
    """Rensa is given shingles that Python makes, as its users do; ours are made in the same pass."""
    _hold(benchmark, "records.near", worker, "raw")


def bench_near_duplicates_on_the_same_shingles(benchmark: Any, worker: Worker) -> None:
    _hold(benchmark, "records.near_shingles", worker, "shingles")
