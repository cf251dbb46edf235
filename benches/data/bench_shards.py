"""A folder of text to token shards in one command, against a script of `datasets` that does the same and writes the same ids.

GPT-2's vocabulary, two cores. CPU seconds of all threads and processes together, of fresh processes, imports aside, the sides in
turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benches.data.raw import write_files
from benches.harness import hold
from benches.tokens.vocabularies import tokenizer_path
from benches.workers import Worker

ROUNDS = 3
OURS = "codex"
SIDES = (OURS, "tokenizers", "fastokens")
#: The scripts encode on both cores, as ours does.
_PARALLEL = {"TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": "2"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_files(folder, 12_000_000, seed=9)
    return folder


@pytest.fixture(scope="module")
def first(source: Path) -> dict[str, list[dict[str, Any]]]:
    """What all sides took and wrote, so that both gates rest on the same rounds; a second try measures again."""
    measured = _measured(source, SIDES)
    assert len({answer["ids"] for answers in measured.values() for answer in answers}) == 1, "the ids differ"
    return measured


def _measured(source: Path, sides: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    answers: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for number in range(ROUNDS):
        for side in (*sides[number % len(sides) :], *sides[: number % len(sides)]):
            answers[side].append(_run(side, source))
    return answers


def _run(side: str, source: Path) -> dict[str, Any]:
    arguments = {"source": str(source), "tokenizer": str(tokenizer_path("gpt2"))}
    with Worker("benches.data.sides", cores=[0, 1], environment=_PARALLEL) as worker:
        if side == OURS:
            answer: dict[str, Any] = worker.call("shards", **arguments)
        else:
            answer = worker.call("script", **arguments, encoder=side)
    return answer


def _hold(benchmark: Any, gate: str, source: Path, first: dict[str, list[dict[str, Any]]], peer: str) -> None:
    known = iter([first])

    def figures() -> list[float]:
        measured = next(known, None) or _measured(source, (OURS, peer))
        pairs = zip(measured[OURS], measured[peer], strict=True)
        return [ours["cpu_s"] / theirs["cpu_s"] for ours, theirs in pairs]

    hold(benchmark, gate, figures, documents=first[OURS][0]["documents"])


def bench_shards(benchmark: Any, source: Path, first: dict[str, list[dict[str, Any]]]) -> None:
    _hold(benchmark, "data.shards", source, first, "tokenizers")


def bench_shards_against_fastokens(
    benchmark: Any, source: Path, first: dict[str, list[dict[str, Any]]]
) -> None:
    _hold(benchmark, "data.shards_fastokens", source, first, "fastokens")
