"""Learning from a corpus many times the memory it may take: the same merges, and what the way over the disk costs.

One size stands for all: with text and memory in the same proportion, a corpus of any size goes to the disk in as many runs and is
read back in as many rounds, so its time and its spilled bytes grow as the text does. `make bench` takes 25 bytes of text for one
of memory, as 50 GB in 2 GB would be.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from benches.harness import TABLES, hold
from benches.tokens.texts import documents
from benches.workers import Worker

MEMORY_LIMIT = 8 << 20
TEXT_BYTES = int(os.environ.get("CODEX_BENCH_TRAIN_MB", "20")) * 1_000_000
#: What reading, the vocabulary and the code itself take, whatever the limit and the corpus.
BESIDE_BYTES = 12_000_000
VOCABULARY_SIZE = 8_192
#: What is asked for and does not fit into a bench: 50 GB in 2 GB.
LARGE_BYTES = 50_000_000_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text in which every twentieth word is one that was not there before, so that new words never end."""
    chance = random.Random(6)
    texts = documents("mixed", 10_000_000, seed=6)
    path = tmp_path_factory.mktemp("large") / "corpus.txt"
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < TEXT_BYTES:
            words = chance.choice(texts).split(" ")
            words[::20] = [
                word + f"{chance.getrandbits(28):x}"[: chance.randint(1, 7)] for word in words[::20]
            ]
            file.write(" ".join(words) + "\n")
    return path


def _learn(corpus: Path, memory_limit: int | None) -> dict[str, Any]:
    with Worker("benches.tokens.trainers") as worker:
        answer: dict[str, Any] = worker.call(
            "learn_within", paths=[str(corpus)], vocab_size=VOCABULARY_SIZE, memory_limit=memory_limit
        )
    return answer


def bench_train_spilled(benchmark: Any, corpus: Path) -> None:
    """CPU time within the limit over that without one; the vocabulary is the same to the byte."""
    limited: dict[str, Any] = {}

    def ratio() -> float:
        nonlocal limited
        limited, free = _learn(corpus, MEMORY_LIMIT), _learn(corpus, None)
        assert limited["digest"] == free["digest"], "another vocabulary within the limit"
        assert limited["spilled_mb"] > 0, "nothing was spilled, so nothing was measured"
        assert limited["taken_mb"] * 1e6 < MEMORY_LIMIT + BESIDE_BYTES, (
            f"{limited['taken_mb']:.0f} MB were taken"
        )
        return float(limited["cpu_s"] / free["cpu_s"])

    hold(benchmark, "tokens.train_spilled", lambda: [ratio()])
    size = corpus.stat().st_size
    times = LARGE_BYTES / size
    rows = {
        "text": f"{size / 1e6:.0f} MB",
        "memory for words": f"{MEMORY_LIMIT / 1e6:.1f} MB, {limited['taken_mb']:.0f} taken in all",
        "CPU": f"{limited['cpu_s']:.1f} s",
        "spilled": f"{limited['spilled_mb']:.0f} MB",
        "50 GB, memory in proportion": f"{MEMORY_LIMIT * times / 1e9:.1f} GB",
        "CPU for 50 GB": f"{limited['cpu_s'] * times / 60:.0f} minutes",
        "spilled for 50 GB": f"{limited['spilled_mb'] * times / 1e3:.0f} GB",
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    TABLES.append("\n".join(["### A corpus far larger than its memory", "", "| | |", "|---|---|", *lines]))
