"""Documents as lines of NDJSON to token shards, against the peers' fastest way of getting ids on the disk from the same file.

cl100k, documents of 4 KB, one thread on one core, CPU seconds. Every figure is that of a process that has met no text before; the
sides take turns. What they write has to hold the same ids.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.tokens import documents as sides
from benches.tokens import texts
from benches.tokens.vocabularies import tokenizer_path

ROUNDS = 5
OURS = "codex"
FAST = ("fastokens 0.3.5", "gigatoken 0.10.0")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file that fast sides take a tenth of a second for, one for the slow, and one that fills several shards."""
    home = tmp_path_factory.mktemp("documents")
    mixed = texts.documents("mixed", 12_000_000, seed=6)
    for name, part in (("fast", mixed), ("slow", mixed[: len(mixed) // 6]), ("large", mixed * 6)):
        sides.write_documents(home / name, part)
    return {name: home / name for name in ("fast", "slow", "large")}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """One side does the work once, in a process of its own: what it took, and the digest of the ids it wrote."""
    home = tmp_path_factory.mktemp("ids")

    def run(name: str, source: Path, cores: Sequence[int] | None = None) -> dict[str, Any]:
        target = home / "target"
        with sides.start(name, tokenizer_path("cl100k"), cores) as worker:
            if name == sides.FROM_MEMORY:
                worker.call("read", source=str(source))
            took: dict[str, Any] = worker.call("encode", source=str(source), target=str(target))
            if target.exists():
                took["ids"] = worker.call("digest", target=str(target))
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        return took

    return run


def _hold(
    benchmark: Any,
    gate: str,
    run: Callable[..., dict[str, Any]],
    source: Path,
    peers: Sequence[str],
    peers_source: Path | None = None,
) -> None:
    """Hold our CPU seconds a byte over those of the fastest of `peers`, round by round.

    A peer that takes long gets `peers_source`, the first part of the same text; both sides' ids of that are compared.
    """
    theirs_from = peers_source or source
    ids = {run(name, theirs_from).get("ids") for name in (OURS, *peers)} - {None}
    assert len(ids) == 1, f"{gate}: the ids differ, so their speed means nothing"

    def cost(name: str, path: Path) -> Callable[[int], float]:
        return lambda _: float(run(name, path)["cpu_s"]) / path.stat().st_size

    def figures() -> list[float]:
        costs = {OURS: cost(OURS, source)} | {name: cost(name, theirs_from) for name in peers}
        rounds = in_turn(costs, ROUNDS)
        return [ours / min(theirs) for ours, *theirs in zip(*rounds.values(), strict=True)]

    hold(benchmark, gate, figures)


def bench_shards(benchmark: Any, sources: dict[str, Path], run: Callable[..., dict[str, Any]]) -> None:
    _hold(benchmark, "tokens.shards", run, sources["fast"], FAST)


def bench_shards_against_pure_encoding(
    benchmark: Any, sources: dict[str, Path], run: Callable[..., dict[str, Any]]
) -> None:
    _hold(benchmark, "tokens.shards_pure", run, sources["fast"], [sides.FROM_MEMORY])


def bench_shards_against_tiktoken(
    benchmark: Any, sources: dict[str, Path], run: Callable[..., dict[str, Any]]
) -> None:
    _hold(benchmark, "tokens.shards_tiktoken", run, sources["fast"], ["tiktoken 0.14.0"], sources["slow"])


def bench_shards_against_tokenizers(
    benchmark: Any, sources: dict[str, Path], run: Callable[..., dict[str, Any]]
) -> None:
    _hold(benchmark, "tokens.shards_tokenizers", run, sources["fast"], ["tokenizers 0.23.3"], sources["slow"])


def bench_shards_memory(benchmark: Any, sources: dict[str, Path], run: Callable[..., dict[str, Any]]) -> None:
    """Two threads, several shards: megabytes over 200."""

    def figures() -> list[float]:
        return [run(sides.TWO_THREADS, sources["large"], [0, 1])["peak_mb"] / 200]

    hold(benchmark, "tokens.shards_memory", figures)


def bench_shards_with_two_threads(
    benchmark: Any,
    sources: dict[str, Path],
    run: Callable[..., dict[str, Any]],
    request: pytest.FixtureRequest,
) -> None:
    """Seconds on the clock of two threads over those of one."""
    if not request.config.getoption("--performance-page"):
        pytest.skip("needs two cores that nobody else uses: for `make bench`")

    def wall_s(name: str, cores: Sequence[int] | None) -> Callable[[int], float]:
        return lambda _: float(run(name, sources["large"], cores)["wall_s"])

    def figures() -> list[float]:
        took = in_turn({"two": wall_s(sides.TWO_THREADS, [0, 1]), "one": wall_s(OURS, None)}, ROUNDS)
        return [two / one for two, one in zip(*took.values(), strict=True)]

    hold(benchmark, "tokens.shards_threads", figures)
