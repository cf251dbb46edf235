"""Text that was never met before, as a corpus is: public vocabularies, each side a process of its own on one core.

For each vocabulary and kind of text every side starts anew, meets the same documents in the same order and each of them once;
ids are compared before seconds count. A round's ratio is the median of the vocabularies.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benches.harness import TABLES, hold, in_turn
from benches.tokens.peers import NAMES, start
from benches.tokens.texts import documents
from benches.tokens.vocabularies import tokenizer_path
from benches.workers import Worker

VOCABULARIES = ("cl100k", "o200k", "llama3")
KINDS = ("mixed", "english", "code", "chinese")
ROUNDS = 5
#: Of one round; `make bench` measures on more.
ROUND_MB = int(os.environ.get("CODEX_BENCH_TEXT_MB", "1"))
PEERS = {
    "tokenizers": "tokenizers 0.23.3",
    "tiktoken": "tiktoken 0.14.0",
    "tokenizers1": "tokenizers 1.0.0rc3",
    "fastokens": "fastokens 0.3.5",
}

Seconds = dict[str, list[float]]


class Cold:
    """CPU seconds of sides on new text, each combination measured once and kept."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        self._measured: dict[tuple[str, str], Seconds] = {}
        self._texts: dict[str, tuple[Path, int, float]] = {}

    def text(self, kind: str) -> tuple[Path, int, float]:
        """Documents in a file, without special tokens; how many make a round; the megabytes of a round."""
        if kind not in self._texts:
            texts = [text.replace("<|", "< |") for text in documents(kind, ROUNDS * ROUND_MB << 20)]
            path, each = self._folder / f"{kind}.json", len(texts) // ROUNDS
            path.write_text(json.dumps(texts))
            size = sum(len(text.encode()) for text in texts[: each * ROUNDS])
            self._texts[kind] = path, each, size / ROUNDS / 1e6
        return self._texts[kind]

    def measure(self, vocabulary: str, kind: str, names: Sequence[str]) -> Seconds:
        """Seconds of each side in each round, in fresh processes."""
        path, each, _ = self.text(kind)
        ids: dict[int, str] = {}

        def side(name: str, worker: Worker) -> Callable[[int], float]:
            def encode(number: int) -> float:
                answer = worker.call("encode", start=number * each, stop=(number + 1) * each)
                expected = ids.setdefault(number, answer["ids"])
                assert answer["ids"] == expected, f"{name}: other ids of {vocabulary} on {kind}, so no speed"
                return float(answer["cpu_s"])

            return encode

        with ExitStack() as stack:
            workers = {name: stack.enter_context(start(name, tokenizer_path(vocabulary))) for name in names}
            for worker in workers.values():
                worker.call("read", path=str(path))
            return in_turn({name: side(name, worker) for name, worker in workers.items()}, ROUNDS)

    def kept(self, kind: str) -> list[Seconds]:
        """As `measure`, of all sides and for each vocabulary, once a session."""
        for vocabulary in VOCABULARIES:
            if (vocabulary, kind) not in self._measured:
                self._measured[vocabulary, kind] = self.measure(vocabulary, kind, self._names)
        return [self._measured[vocabulary, kind] for vocabulary in VOCABULARIES]

    def rates(self, kind: str, name: str) -> list[float]:
        """Megabytes a second in every round, the median of the vocabularies."""
        mb = self.text(kind)[2]
        rounds = zip(*(seconds[name] for seconds in self.kept(kind)), strict=True)
        return [mb / statistics.median(of_round) for of_round in rounds]


def ratios(measured: Sequence[Seconds], peer: str) -> list[float]:
    """Of every round, ours over theirs, the median of the vocabularies."""
    of_each = [
        [ours / theirs for ours, theirs in zip(seconds["codex"], seconds[peer], strict=True)]
        for seconds in measured
    ]
    return [statistics.median(of_round) for of_round in zip(*of_each, strict=True)]


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Cold:
    """With `--performance-page` of all peers, for the table."""
    names = NAMES if request.config.getoption("--performance-page") else ("codex", *PEERS.values())
    return Cold(tmp_path_factory.mktemp("cold"), names)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("kind", KINDS)
def bench_cold(benchmark: Any, cold: Cold, kind: str, peer: str, request: pytest.FixtureRequest) -> None:
    if kind != KINDS[0] and not request.config.getoption("--performance-page"):
        pytest.skip("every run measures the mixture, `make bench` each kind of text")
    name = PEERS[peer]
    measured = [cold.kept(kind)]

    def figures() -> list[float]:
        if not measured:
            measured.append([cold.measure(one, kind, ["codex", name]) for one in VOCABULARIES])
        return ratios(measured.pop(), name)

    rate = statistics.median(cold.rates(kind, "codex"))
    hold(benchmark, f"tokens.cold_{kind}_{peer}", figures, megabytes_a_second=round(rate))


def bench_peers(benchmark: Any, cold: Cold, request: pytest.FixtureRequest) -> None:
    """The table of all peers, for the performance page."""
    if not request.config.getoption("--performance-page"):
        pytest.skip("a table for `make bench`")

    def table() -> list[str]:
        rows = {name: [statistics.median(cold.rates(kind, name)) for kind in KINDS] for name in NAMES}
        ordered = sorted(rows.items(), key=lambda row: -row[1][0])
        return [
            f"| {name} | " + " | ".join(f"{rate:.1f}" for rate in rates) + " |" for name, rates in ordered
        ]

    TABLES.append(
        "\n".join(
            [
                "## Encoding text never met before",
                "",
                f"MB of text a CPU second, one core, each side a process of its own, {ROUNDS} rounds of {ROUND_MB} MiB in turn;",
                "the median of cl100k, o200k and Llama-3, then of the rounds. Ids were equal.",
                "",
                "| encoder | " + " | ".join(KINDS) + " |",
                "|---" * (len(KINDS) + 1) + "|",
                *benchmark.pedantic(table, rounds=1),
                "",
            ]
        )
    )
