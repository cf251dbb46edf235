"""What share of passages is read wrongly, and how long small and large files take, beside the best peers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from benches.harness import TABLES, hold, in_turn
from benches.text.damaged import DAMAGES
from benches.text.passages import SIZES
from benches.workers import PEERS, Worker

#: Never the seed of anything that was tuned.
SEED = int(os.environ.get("CODEX_BENCH_TEXT_SEED", "777001"))
EACH = 24
ROUNDS = 3
LARGE_MB = 32
NAMES = {"codex": "codex", "chardet": "chardet 7.7.0", "normalizer": "charset-normalizer 3.5.2"}
OTHERS = {
    "bytesense": "bytesense 1.2.0",
    "cchardet": "faust-cchardet 3.2.0",
    "resiliparse": "resiliparse 2.0.1",
    "chardetng": "chardetng-py 0.3.5",
}
DOCUMENTS = 60

Workers = dict[str, Worker]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(Worker("benches.text.sides", packages=[PEERS])) for name in NAMES
        }
        for name, worker in started.items():
            worker.call("load", name=name)
        yield started


def _scores(worker: Worker, kind: str) -> dict[int, tuple[int, int]]:
    scores = {}
    for size in SIZES:
        each = EACH if size < 100_000 else EACH // 10
        found = worker.call("score", kind=kind, size=size, each=each, seed=SEED)
        scores[size] = found["right"], found["all"]
    return scores


@pytest.mark.parametrize(("kind", "gate"), [("common", "text.common_wrong"), ("rare", "text.rare_wrong")])
def bench_passages_read_wrongly(benchmark: Any, workers: Workers, kind: str, gate: str) -> None:
    scores = {name: _scores(worker, kind) for name, worker in workers.items()}
    wrong = {name: _wrong(list(of.values())) for name, of in scores.items()}
    assert wrong["codex"] < min(wrong["chardet"], wrong["normalizer"])
    rows = [
        f"| {NAMES[name]} | " + " | ".join(f"{100 * (1 - _wrong([of[size]])):.1f}" for size in SIZES)
        + f" | {100 * (1 - wrong[name]):.1f} |"
        for name, of in scores.items()
    ]  # fmt: skip
    TABLES.append(
        f"### Text: {kind} encodings, % of passages whose text the answer gives back\n\n"
        "| | 32 B | 128 B | 1 kB | 100 kB | all |\n|---|---|---|---|---|---|\n" + "\n".join(rows)
    )
    hold(benchmark, gate, lambda: [wrong["codex"]])


def bench_damaged_documents(benchmark: Any, workers: Workers) -> None:
    with ExitStack() as stack:
        sides = dict(workers)
        for name in OTHERS:
            worker = stack.enter_context(Worker("benches.text.sides", packages=[PEERS]))
            if worker.call("is_installed", name=name):
                worker.call("load", name=name)
                sides[name] = worker
        saved = {name: [_survivors(worker, damage) for damage in DAMAGES] for name, worker in sides.items()}
    rows = [
        f"| {kind} | " + " | ".join(f"{100 * saved[name][place]:.0f}" for name in saved) + " |"
        for place, kind in enumerate(DAMAGES.values())
    ]
    TABLES.append(
        "### Text: % of damaged documents that keep 95 % of their untouched lines\n\n| | "
        + " | ".join({**NAMES, **OTHERS}[name] for name in saved)
        + " |\n|---|"
        + "---|" * len(saved)
        + "\n"
        + "\n".join(rows)
    )
    hold(benchmark, "text.damaged_lost", lambda: [1 - min(saved["codex"])])


def _survivors(worker: Worker, damage: str) -> float:
    found = worker.call("survive", damage=damage, count=DOCUMENTS, seed=SEED)
    return float(found["right"] / found["all"])


def _wrong(scores: list[tuple[int, int]]) -> float:
    return 1 - sum(right for right, _ in scores) / sum(count for _, count in scores)


@pytest.mark.parametrize(
    ("peer", "gate"), [("chardet", "text.small_chardet"), ("normalizer", "text.small_normalizer")]
)
def bench_small_files(benchmark: Any, workers: Workers, peer: str, gate: str) -> None:
    sides = {
        name: lambda number, worker=workers[name]: worker.call("small", seed=number, files=200)["cpu_s"]
        for name in ("codex", peer)
    }
    hold(benchmark, gate, lambda: _ratios(in_turn(sides, ROUNDS), peer))


@pytest.mark.parametrize(
    ("gate", "encoding", "language"),
    [
        ("text.large_ascii", "ascii", "en"),
        ("text.large_utf8", "utf-8", "ru"),
        ("text.large_single", "cp1251", "ru"),
        ("text.large_cjk", "cp932", "ja"),
    ],
)
def bench_large_files(benchmark: Any, workers: Workers, gate: str, encoding: str, language: str) -> None:
    def side(worker: Worker) -> float:
        answer = worker.call("large", encoding=encoding, language=language, megabytes=LARGE_MB)
        return float(answer["cpu_s"])

    # Once, since some of it takes many seconds: a figure for the page, not a gate.
    normalizer = side(workers["normalizer"]) / side(workers["codex"])
    TABLES.append(
        f"### Text: {LARGE_MB} MB of {encoding}, charset-normalizer takes {normalizer:.1f} times as long"
    )
    sides = {name: lambda _, worker=workers[name]: side(worker) for name in ("codex", "chardet")}
    hold(benchmark, gate, lambda: _ratios(in_turn(sides, ROUNDS), "chardet"))


def _ratios(measured: dict[str, list[float]], peer: str) -> list[float]:
    return [ours / theirs for ours, theirs in zip(measured["codex"], measured[peer], strict=True)]
