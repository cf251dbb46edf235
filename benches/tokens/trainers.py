"""The trainers of byte-level BPE that are measured: each learns from the same files in a process of its own."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benches.workers import PEERS, Stopwatch, Worker, peak_memory_mb

__all__ = ["TRAINERS", "learn", "learn_within", "run", "start"]

END = "<|endoftext|>"


def _codex(paths: Sequence[str], vocab_size: int) -> Iterable[Sequence[str]]:
    from codex.tokens import BpeOptions, learn_bpe

    trained = learn_bpe(map(Path, paths), vocab_size, BpeOptions(by_line=True), threads=1)
    merges: list[list[str]] = json.loads(trained.json)["model"]["merges"]
    return merges


def _tokenizers(paths: Sequence[str], vocab_size: int) -> Iterable[Sequence[str]]:
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    learnt = tokenizers.Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    learnt.train(list(paths), trainer)
    merges: list[list[str]] = json.loads(learnt.to_str())["model"]["merges"]
    return merges


def _gigabpe(paths: Sequence[str], vocab_size: int) -> Iterable[Sequence[str]]:
    import gigabpe

    _, merges = gigabpe.train_bpe(
        list(paths), vocab_size=vocab_size, pretokenizer="bytelevel", special_tokens=[END], threads=1
    )
    found: Iterable[Sequence[str]] = merges
    return found


TRAINERS: dict[str, Callable[[Sequence[str], int], Iterable[Sequence[str]]]] = {
    "codex": _codex,
    "tokenizers": _tokenizers,
    "gigabpe": _gigabpe,
}


def start(name: str) -> Worker:
    """A process for one run of the trainer `name`."""
    return Worker("benches.tokens.trainers", packages=[PEERS] if name == "gigabpe" else [])


def run(name: str, paths: Sequence[Path], vocab_size: int) -> dict[str, Any]:
    """CPU seconds, peak memory of the process, and merges, from a fresh process."""
    with start(name) as worker:
        answer: dict[str, Any] = worker.call(
            "learn", name=name, paths=list(map(str, paths)), vocab_size=vocab_size
        )
    return answer


def learn(name: str, paths: Sequence[str], vocab_size: int) -> dict[str, Any]:
    """Learn here. Merges are digested up to where all trainers have to agree: gigabpe has only the bytes seen in its alphabet."""
    importlib.import_module({"codex": "codex.tokens.train"}.get(name, name))  # which is not learning
    with Stopwatch() as watch:
        merges = TRAINERS[name](paths, vocab_size)
    listed = [tuple(merge) for merge in merges][: vocab_size - 257]
    digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    return {"cpu_s": watch.cpu_s, "peak_mb": peak_memory_mb(), "merges": len(listed), "digest": digest}


def learn_within(paths: Sequence[str], vocab_size: int, memory_limit: int | None) -> dict[str, Any]:
    """Learn here with our trainer, within a limit of bytes or none."""
    from codex.tokens import learn_bpe

    idle_mb = peak_memory_mb()
    with Stopwatch() as watch:
        trained = learn_bpe(map(Path, paths), vocab_size, threads=1, memory_limit=memory_limit)
    return {
        "cpu_s": watch.cpu_s,
        "taken_mb": peak_memory_mb() - idle_mb,
        "spilled_mb": trained.spilled_bytes / 1e6,
        "digest": hashlib.sha256(trained.json).hexdigest(),
    }
