"""Splits to a tokenizer and token shards.

The tokenizer learns from the train split alone: what it knows about the held-out text would flatter every
measurement on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codex.data.progress import Progress
from codex.data.split import SPLITS
from codex.file import PartialFolder
from codex.records import Record, count_records, iter_records
from codex.tokens import SHARD_TOKENS, Tokenizer, train_bpe, write_shards

__all__ = ["make_shards", "make_tokenizer"]


def make_tokenizer(
    folder: PartialFolder, splits: Path, *, vocabulary_size: int, progress: Progress
) -> dict[str, Any]:
    """Train a tokenizer on `train.ndjson` of `splits` and write `tokenizer.json` into `folder`.

    Returns:
        `counts` of the manifest.
    """
    records = _told(splits / "train.ndjson", "tokenizer", progress)
    tokenizer = train_bpe((record.text for record in records), vocabulary_size)
    tokenizer.save(folder.path / "tokenizer.json")
    return {"counts": {"vocabulary_size": tokenizer.vocab_size}, "skipped": []}


def make_shards(
    folder: PartialFolder, splits: Path, tokenizer: Path, *, progress: Progress
) -> dict[str, Any]:
    """Encode both splits of `splits` into `<split>-<number>.safetensors` in `folder`.

    Returns:
        `counts` of the manifest.
    """
    encoder = Tokenizer.from_file(tokenizer / "tokenizer.json")
    counts: dict[str, int] = {}
    for side in SPLITS:
        records = _told(splits / f"{side}.ndjson", f"tokenize {side}", progress)
        written = write_shards(folder, side, records, encoder, shard_tokens=SHARD_TOKENS)
        counts |= {f"{side}_tokens": written.tokens, f"{side}_documents": written.documents}
    return {"counts": counts, "skipped": []}


def _told(path: Path, stage: str, progress: Progress) -> Iterator[Record]:
    total = count_records(path)
    for done, record in enumerate(iter_records(path, verify=False)):
        progress.step(stage, done, total)
        yield record
    progress.step(stage, total, total)
