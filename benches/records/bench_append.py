"""Rows appended by us and by the fastest encoder with a write of its own, in turn; both files must be as long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.workers import PEERS, Worker

ROWS = 30_000
ROUNDS = 7


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker("benches.records.appends", packages=[PEERS]) as worker:
        yield worker


def bench_append_against_orjson(benchmark: Any, tmp_path: Path, worker: Worker) -> None:
    """Our CPU seconds over theirs, two thirds of which are the call of the system that both make."""

    def run(side: str) -> dict[str, Any]:
        answer: dict[str, Any] = worker.call("append", side=side, path=str(tmp_path / side), count=ROWS)
        return answer

    assert run("codex")["bytes"] == run("orjson")["bytes"] > 100 * ROWS

    def figures() -> list[float]:
        sides = {side: lambda _, side=side: float(run(side)["cpu_s"]) for side in ("codex", "orjson")}
        return [ours / theirs for ours, theirs in zip(*in_turn(sides, ROUNDS).values(), strict=True)]

    hold(benchmark, "records.append", figures)


def bench_durable_append_against_fdatasync(benchmark: Any, tmp_path: Path, worker: Worker) -> None:
    """The 99th percentile on the clock, ours over that of a bare write and fdatasync."""

    def figures() -> list[float]:
        answers = [
            worker.call("append_durably", path=str(tmp_path / "rows"), count=300) for _ in range(ROUNDS)
        ]
        assert all(len(set(answer["bytes"])) == 1 for answer in answers)
        return [answer["ours"] / answer["theirs"] for answer in answers]

    hold(benchmark, "records.append_durable", figures)
