"""Short calls, decoding, loading, hostile rows and a hundred thousand added tokens: each side a process of its own."""

from __future__ import annotations

import json
import random
import statistics
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from benches.harness import hold, in_turn
from benches.tokens.peers import start
from benches.tokens.strings import hostile
from benches.tokens.texts import documents
from benches.tokens.vocabularies import tokenizer_path
from benches.workers import Worker

ROUNDS = 5
SHORT_BYTES = 200
SHORT_CALLS = 4000
DECODED_MB_S = 250
ADDED = 100_000

Side = Callable[[int], float]


@contextmanager
def started(names: Mapping[str, Path], texts: list[str], folder: Path) -> Iterator[dict[str, Worker]]:
    """A worker for each side, given its tokenizer, that has the documents."""
    path = folder / "documents.json"
    path.write_text(json.dumps(texts))
    with ExitStack() as stack:
        workers = {name: stack.enter_context(start(name.split(";")[0], file)) for name, file in names.items()}
        for worker in workers.values():
            worker.call("read", path=str(path))
        yield workers


def seconds(workers: Mapping[str, Worker], function: str, each: int) -> dict[str, list[float]]:
    """CPU seconds of `function` on the documents, `each` of them a round; ids are compared."""
    ids: dict[int, str] = {}

    def side(worker: Worker) -> Side:
        def measure(number: int) -> float:
            answer = worker.call(function, start=number * each, stop=(number + 1) * each)
            assert ids.setdefault(number, answer["ids"]) == answer["ids"], f"{function}: the answers differ"
            return float(answer["cpu_s"])

        return measure

    return in_turn({name: side(worker) for name, worker in workers.items()}, ROUNDS)


def ratios(measured: dict[str, list[float]], peer: str) -> list[float]:
    return [ours / theirs for ours, theirs in zip(measured["codex"], measured[peer], strict=True)]


def plain(kind: str, size: int, **options: Any) -> list[str]:
    """Documents that hold no special token."""
    return [text.replace("<|", "< |") for text in documents(kind, size, **options)]


@pytest.mark.parametrize(
    ("gate", "peer"), [("fastokens", "fastokens 0.3.5"), ("tokenizers", "tokenizers 0.23.3")]
)
def bench_a_short_text_a_call(benchmark: Any, tmp_path: Path, gate: str, peer: str) -> None:
    texts = plain("mixed", ROUNDS * SHORT_CALLS * SHORT_BYTES, document_bytes=SHORT_BYTES)
    paths = {name: tokenizer_path("o200k") for name in ("codex", peer)}

    def figures() -> list[float]:
        with started(paths, texts, tmp_path) as workers:
            return ratios(seconds(workers, "encode_each", SHORT_CALLS), peer)

    hold(benchmark, f"tokens.short_{gate}", figures, text_bytes=SHORT_BYTES)


def bench_decode_against_tuetoken(benchmark: Any, tmp_path: Path) -> None:
    peer, texts = "tuetoken 0.1.3", plain("mixed", ROUNDS << 20)
    each, mb = len(texts) // ROUNDS, 1.048
    paths = {name: tokenizer_path("cl100k") for name in ("codex", peer)}

    def figures() -> list[float]:
        with started(paths, texts, tmp_path) as workers:
            measured = seconds(workers, "decode", each)
        fast = [second * DECODED_MB_S / mb for second in measured["codex"]]  # 1 at 250 MB/s
        return [min(pair) for pair in zip(ratios(measured, peer), fast, strict=True)]

    hold(benchmark, "tokens.decode_tuetoken", figures)


def _loaded(name: str, path: Path) -> dict[str, float]:
    """What loading `path` takes, in a new process."""
    with Worker("benches.tokens.peers") as worker:
        return dict(worker.call("load", name=name, path=str(path)))


def _loads(path: Path, key: str) -> list[float]:
    return [_loaded("codex", path)[key] for _ in range(ROUNDS)]


def bench_load(benchmark: Any) -> None:
    """A quarter of a second where tokenizers takes 0.64 s, as measured on a quiet machine."""
    path, peer = tokenizer_path("o200k"), "tokenizers 0.23.3"

    def side(name: str) -> Side:
        return lambda _: _loaded(name, path)["cpu_s"]

    def figures() -> list[float]:
        return ratios(in_turn({name: side(name) for name in ("codex", peer)}, ROUNDS), peer)

    hold(benchmark, "tokens.load", figures, vocabulary="o200k")


def bench_load_memory(benchmark: Any) -> None:
    path = tokenizer_path("o200k")
    hold(benchmark, "tokens.load_memory", lambda: _loads(path, "mb"), vocabulary="o200k")


@pytest.mark.parametrize("vocabulary", ["o200k", "sentencepiece"])
def bench_hostile_rows(benchmark: Any, tmp_path: Path, vocabulary: str) -> None:
    """A megabyte of each; the worst row counts."""
    rows = hostile(1 << 20)
    texts = [*hostile(1 << 18).values(), *rows.values()]
    worst: dict[str, float] = {}

    def figures() -> list[float]:
        with started({"codex": tokenizer_path(vocabulary)}, texts, tmp_path) as workers:
            for number, name in enumerate(rows):
                at = len(rows) + number
                took = [workers["codex"].call("encode", start=at, stop=at + 1)["cpu_s"] for _ in range(3)]
                worst[name] = statistics.median(took)
        return [max(worst.values())]

    hold(benchmark, f"tokens.hostile_{vocabulary}", figures, rows=len(rows))


@pytest.mark.parametrize("vocabulary", ["o200k", "sentencepiece"])
def bench_hostile_growth(benchmark: Any, tmp_path: Path, vocabulary: str) -> None:
    """Four times the text; the row that grows most counts."""
    short, long = hostile(1 << 18), hostile(1 << 20)
    texts = [*short.values(), *long.values()]

    def figures() -> list[float]:
        grown = []
        with started({"codex": tokenizer_path(vocabulary)}, texts, tmp_path) as workers:
            for number in range(len(short)):
                took = [
                    min(workers["codex"].call("encode", start=at, stop=at + 1)["cpu_s"] for _ in range(9))
                    for at in (number, number + len(short))
                ]
                grown.append(
                    took[1] / max(took[0], 0.0005)
                )  # below half a millisecond the clock is what is seen
        return [max(grown)]

    hold(benchmark, f"tokens.hostile_growth_{vocabulary}", figures, rows=len(short))


@pytest.mark.parametrize("vocabulary", ["o200k", "sentencepiece"])
def bench_hostile_rows_of_16_megabytes(benchmark: Any, tmp_path: Path, vocabulary: str) -> None:
    """Of the slowest kinds, once; the worst counts."""
    rows = hostile(16 << 20)
    kinds = ("letter", "space", "thai", "emoji")
    texts = [rows[name] for name in kinds]

    def figures() -> list[float]:
        with started({"codex": tokenizer_path(vocabulary)}, texts, tmp_path) as workers:
            encode = workers["codex"].call
            return [max(encode("encode", start=at, stop=at + 1)["cpu_s"] for at in range(len(texts)))]

    hold(benchmark, f"tokens.hostile_16mb_{vocabulary}", figures, rows=len(kinds))


def _with_added(contents: Mapping[str, bool], path: Path) -> Path:
    """GPT-2's vocabulary with added tokens, in a file; `contents` says which of them are looked for in normalized text."""
    document = json.loads(tokenizer_path("gpt2").read_bytes())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "special": False}
    first = len(document["model"]["vocab"])
    for number, (content, normalized) in enumerate(contents.items()):
        token = {"id": first + number, "content": content, "normalized": normalized, **flags}
        document["added_tokens"].append(token)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def many_added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred thousand added tokens: marked ones and words."""
    spelt = (f"<extra_{number}>" if number % 2 else f"zq{number:x}w" for number in range(ADDED))
    contents = {content: number % 3 == 0 for number, content in enumerate(spelt)}
    return _with_added(contents, tmp_path_factory.mktemp("added") / "tokenizer.json")


@pytest.fixture(scope="module")
def many_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred thousand words of random letters that were no tokens, with the flags that `add_tokens` gives a string."""
    chance, known = random.Random(23), json.loads(tokenizer_path("gpt2").read_bytes())["model"]["vocab"]
    words: dict[str, bool] = {}
    while len(words) < ADDED:
        word = "".join(chance.choices(string.ascii_lowercase, k=chance.randint(5, 10)))
        if word not in known:
            words[word] = True
    return _with_added(words, tmp_path_factory.mktemp("words") / "tokenizer.json")


def bench_load_many_added_tokens(benchmark: Any, many_added: Path) -> None:
    hold(benchmark, "tokens.added_load", lambda: _loads(many_added, "cpu_s"), added=ADDED)


def _encode_with_added(path: Path, folder: Path) -> list[float]:
    """CPU seconds with added tokens over those without, once the ids of some documents were those of tokenizers."""
    texts, peer = plain("mixed", 2 * ROUNDS << 20), "tokenizers 0.23.3"
    each = len(texts) // (ROUNDS + 1)
    paths = {"codex": path, "codex; none added": tokenizer_path("gpt2"), peer: path}

    def side(worker: Worker) -> Side:
        return lambda number: float(
            worker.call("encode", start=number * each, stop=(number + 1) * each)["cpu_s"]
        )

    with started(paths, texts, folder) as workers:
        last = {"start": len(texts) - 4, "stop": len(texts)}
        ours, theirs = (workers[name].call("encode", **last)["ids"] for name in ("codex", peer))
        assert ours == theirs, "other ids than tokenizers with added tokens, so no speed"
        sides = {name: side(workers[name]) for name in ("codex", "codex; none added")}
        return ratios(in_turn(sides, ROUNDS), "codex; none added")


def bench_encode_with_many_added_tokens(benchmark: Any, many_added: Path, tmp_path: Path) -> None:
    hold(benchmark, "tokens.added_encode", lambda: _encode_with_added(many_added, tmp_path), added=ADDED)


def bench_encode_with_many_added_words(benchmark: Any, many_words: Path, tmp_path: Path) -> None:
    hold(benchmark, "tokens.added_words", lambda: _encode_with_added(many_words, tmp_path), added=ADDED)
