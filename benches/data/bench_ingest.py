"""A folder of text to records, against the loop in Python that people write; both must keep the same texts.

CPU seconds of all threads together, of warm processes, the sides in turn. The loop is one process; on two free cores the clock
shows half of our seconds, so that 3 times as fast is 0.667 here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benches.data.raw import write_files
from benches.harness import hold, in_turn
from benches.workers import PEERS, Worker

ROUNDS = 3
OURS, THEIRS = "ingest", "loop"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_files(folder, 12_000_000, seed=8)
    return folder


@pytest.fixture(scope="module")
def workers() -> Iterator[dict[str, Worker]]:
    with (
        Worker("benches.data.sides", cores=[0, 1]) as ours,
        Worker("benches.data.sides", packages=[PEERS], cores=[0, 1]) as theirs,
    ):
        yield {OURS: ours, THEIRS: theirs}


def _hold(benchmark: Any, gate: str, workers: dict[str, Worker], source: Path, *, with_rules: bool) -> None:
    def run(side: str) -> dict[str, Any]:
        answer: dict[str, Any] = workers[side].call(side, source=str(source), with_rules=with_rules)
        return answer

    kept = {side: run(side) for side in workers}
    assert kept[OURS]["ids"] == kept[THEIRS]["ids"] and kept[OURS]["records"] > 1000

    def figures() -> list[float]:
        sides = {side: lambda _, side=side: float(run(side)["cpu_s"]) for side in workers}
        return [ours / theirs for ours, theirs in zip(*in_turn(sides, ROUNDS).values(), strict=True)]

    size = sum(path.stat().st_size for path in source.rglob("*.txt"))
    hold(benchmark, gate, figures, mb_s=round(size / 1e6 / run(OURS)["wall_s"]))


def bench_ingest(benchmark: Any, workers: dict[str, Worker], source: Path) -> None:
    """The six rules of quality on both sides."""
    _hold(benchmark, "data.ingest", workers, source, with_rules=True)


def bench_ingest_without_rules(benchmark: Any, workers: dict[str, Worker], source: Path) -> None:
    """No filter but that a text is not empty: all that is left is reading, hashing and writing."""
    _hold(benchmark, "data.ingest_plain", workers, source, with_rules=False)
