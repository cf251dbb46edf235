"""Rows appended by us and by the fastest encoder with a write of its own, in turn; both files must be as long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches.harness import hold
from benches.records.in_worker import hold_in_turn, worker_of
from benches.workers import Worker

ROWS = 30_000
ROUNDS = 7


worker = worker_of("benches.records.appends")


def bench_append_against_orjson(benchmark: Any, tmp_path: Path, worker: Worker) -> None:
    """Our CPU seconds over theirs, two thirds of which are the call of the system that both make."""

    def run(side: str) -> dict[str, Any]:
        answer: dict[str, Any] = worker.call("append", side=side, path=str(tmp_path / side), count=ROWS)
        return answer

    assert run("codex")["bytes"] == run("orjson")["bytes"] > 100 * ROWS

    hold_in_turn(benchmark, "records.append", run, "orjson", ROUNDS)


def bench_durable_append_against_fdatasync(benchmark: Any, tmp_path: Path, worker: Worker) -> None:
    """The 99th percentile on the clock, ours over that of a bare write and fdatasync."""

    def figures() -> list[float]:
        answers = [
            worker.call("append_durably", path=str(tmp_path / "rows"), count=300) for _ in range(ROUNDS)
        ]
        assert all(len(set(answer["bytes"])) == 1 for answer in answers)
        return [answer["ours"] / answer["theirs"] for answer in answers]

    hold(benchmark, "records.append_durable", figures)
