"""Learning a vocabulary against tokenizers and gigabpe: CPU time and peak memory, each in a fresh process on the same core."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benches.harness import measures
from benches.tokens.texts import documents
from benches.tokens.trainers import run

#: Text of many scripts and code; for tokenizers' slow trainer a fifth. `make bench` takes all there is, 69 MB.
MIXED_BYTES = int(os.environ.get("CODEX_BENCH_TRAIN_MB", "10")) * 1_000_000
VOCABULARY_SIZE = 8_192


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("mixed")
    for number, text in enumerate(documents("mixed", MIXED_BYTES, seed=6)):
        (folder / f"{number:05}.txt").write_text(text, encoding="utf-8", newline="")
    return sorted(folder.iterdir())


def _ratio(peer: str, figure: str, files: list[Path], vocab_size: int) -> Callable[[], float]:
    """A figure of ours over theirs, in two processes that follow each other; the merges are checked first."""

    def measured() -> float:
        ours, theirs = run("codex", files, vocab_size), run(peer, files, vocab_size)
        assert ours["digest"] == theirs["digest"], f"other merges than {peer}"
        return float(ours[figure] / theirs[figure])

    return measured


def bench_train(benchmark: Any, files: list[Path]) -> None:
    figure = _ratio("tokenizers", "cpu_s", files[: len(files) // 5], VOCABULARY_SIZE // 2)
    measures(benchmark, "tokens.train", figure)


@pytest.mark.parametrize("figure", ["cpu_s", "peak_mb"])
def bench_train_against_gigabpe(benchmark: Any, files: list[Path], figure: str) -> None:
    name, rounds = {"cpu_s": ("tokens.train_gigabpe", 3), "peak_mb": ("tokens.train_memory", 1)}[figure]
    measures(benchmark, name, _ratio("gigabpe", figure, files, VOCABULARY_SIZE), rounds=rounds)
