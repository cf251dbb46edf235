"""NDJSON read by us and by the fastest readers there are, each in a process of its own, in turn; their answers must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.records.lines import write_documents, write_rows
from benches.workers import PEERS, Worker

ROUNDS = 5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("lines")
    write_documents(home / "documents", 100, seed=8)
    write_rows(home / "rows", 300_000, seed=9)
    return {name: home / name for name in ("documents", "rows")}


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[..., dict[str, Any]]]:
    workers: dict[str, Worker] = {}

    def run(side: str, path: Path, cores: Sequence[int] | None = None) -> dict[str, Any]:
        if side not in workers:
            workers[side] = Worker("benches.records.lines", packages=[PEERS], cores=cores)
        found: dict[str, Any] = workers[side].call("read", side=side, path=str(path))
        return found

    yield run
    for worker in workers.values():
        worker.close()


@pytest.fixture(scope="module")
def packed(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Documents as gz and zst, by the packages of the peers."""
    home = tmp_path_factory.mktemp("packed")
    with Worker("benches.records.lines", packages=[PEERS]) as worker:
        found = worker.call("pack", path=str(files["documents"]), folder=str(home))
    return {name: Path(path) for name, path in found.items()}


def _hold(
    benchmark: Any, gate: str, run: Callable[..., dict[str, Any]], path: Path, ours: str, *peers: str
) -> None:
    """Hold our CPU seconds over those of the fastest of `peers`, round by round."""
    answers = {name: run(name, path)["answer"] for name in (ours, *peers)}
    assert len(set(answers.values())) == 1, f"{gate}: {answers}, so their speed means nothing"

    def figures() -> list[float]:
        sides = {name: lambda _, name=name: float(run(name, path)["cpu_s"]) for name in (ours, *peers)}
        return [mine / min(theirs) for mine, *theirs in zip(*in_turn(sides, ROUNDS).values(), strict=True)]

    hold(benchmark, gate, figures)


def bench_texts_against_orjson(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.texts", run, files["documents"], "texts_codex", "texts_orjson")


def bench_texts_against_simdjson(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    peers = ("texts_pysimdjson", "texts_fastsimdjson")
    _hold(benchmark, "records.texts_simdjson", run, files["documents"], "texts_codex", *peers)


def bench_texts_memory(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    """Megabytes over 60."""
    hold(
        benchmark,
        "records.texts_memory",
        lambda: [run("texts_codex", files["documents"])["peak_mb"] / 60],
    )


def bench_batches_against_orjson(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    """Two threads cost as much of the processor as one; on two free cores half of this is what the clock shows."""
    _hold(benchmark, "records.batches", run, files["documents"], "batches_codex", "batches_orjson")


def bench_batches_against_polars(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.batches_polars", run, files["documents"], "batches_codex", "batches_polars")


def bench_batches_memory(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    """Megabytes over 150."""
    hold(
        benchmark,
        "records.batches_memory",
        lambda: [run("batches_codex", files["documents"])["peak_mb"] / 150],
    )


def bench_typed_rows_against_msgspec(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.rows", run, files["rows"], "rows_codex", "rows_msgspec")


def bench_count_against_wc(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.count", run, files["documents"], "count_codex", "wc")


def bench_index_against_wc(benchmark: Any, files: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.index", run, files["rows"], "index_codex", "wc")


def bench_gz_against_isal(benchmark: Any, packed: dict[str, Path], run: Callable[..., Any]) -> None:
    """Lines counted in the stream, so that decoding is nearly all of it on both sides."""
    _hold(benchmark, "records.gz", run, packed["gz"], "count_codex", "count_isal")


def bench_zst_against_zstandard(benchmark: Any, packed: dict[str, Path], run: Callable[..., Any]) -> None:
    _hold(benchmark, "records.zst", run, packed["zst"], "count_codex", "count_zstandard")


@pytest.mark.parametrize("kind", ["documents", "rows"])
def bench_random_line(benchmark: Any, files: dict[str, Path], kind: str) -> None:
    """The bytes of a line by its number, over a bare read of them by who knows where they are: parsing comes on top of both."""

    def figures() -> list[float]:
        def ratio(seed: int) -> float:
            found = worker.call("read_at_random", path=str(files[kind]), count=20_000, seed=seed)
            return float(found["cpu_s"] / found["bare_s"])

        return [ratio(seed) for seed in range(ROUNDS)]

    with Worker("benches.records.lines") as worker:
        hold(benchmark, "records.random_line", figures)
