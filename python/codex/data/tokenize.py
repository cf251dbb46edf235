"""Splits to a tokenizer and token shards.

The tokenizer learns from the train split alone: what it knows about the text held out would flatter every
measurement on it. One that the user brings has learned elsewhere, and is kept as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from codex.data.progress import Progress
from codex.data.split import sides_of
from codex.errors import DamageError
from codex.file import PartialFolder, create_folder
from codex.records import count_records, read_records
from codex.tokens import Tokenizer, encode_ndjson, train_bpe

__all__ = ["bring_tokenizer", "make_shards", "make_tokenizer"]


def make_tokenizer(
    folder: PartialFolder, splits: Path, *, vocabulary_size: int, progress: Progress
) -> dict[str, Any]:
    """Train a tokenizer on `train.ndjson` of `splits` and write `tokenizer.json` into `folder`.

    Returns:
        `counts` of the manifest.
    """
    return bring_tokenizer(folder, train_bpe(_texts(splits / "train.ndjson", progress), vocabulary_size))


def bring_tokenizer(folder: PartialFolder, tokenizer: Tokenizer) -> dict[str, Any]:
    """Write `tokenizer.json` into `folder`.

    Returns:
        `counts` of the manifest.

    Raises:
        DataError: if it has no token that ends documents.
    """
    _ = tokenizer.end_of_document_id
    tokenizer.save(folder.path / "tokenizer.json")
    return {"counts": {"vocabulary_size": tokenizer.vocab_size}, "skipped": []}


def make_shards(
    folder: PartialFolder, unfinished: Path, splits: Path, tokenizer: Path, *, progress: Progress
) -> dict[str, Any]:
    """Encode every split of `splits` into `<split>-<number>.safetensors` in `folder`.

    Args:
        unfinished: where shards are kept as they are made; a call that was killed is gone on with from there.

    Returns:
        `counts` of the manifest.
    """
    encoder = Tokenizer.from_file(tokenizer / "tokenizer.json")
    counts: dict[str, int] = {}
    create_folder(unfinished)
    for side in sides_of(splits):
        source = splits / f"{side}.ndjson"
        encode = partial(
            encode_ndjson,
            source,
            unfinished / side,
            tokenizer=encoder,
            split=side,
            progress=partial(progress.step, f"tokenize {side}"),
        )
        try:
            made = encode()
        except DamageError as error:
            progress.say(f"tokenize {side}: damaged, made again: {error}")
            shutil.rmtree(unfinished / side)
            made = encode()
        progress.step(f"tokenize {side}", source.stat().st_size, source.stat().st_size)
        for entry in made["files"]:
            _place(unfinished / side / entry["path"], folder.path / entry["path"])
        counts |= {f"{side}_{what}": made["counts"][what] for what in ("tokens", "documents")}
    return {"counts": counts, "skipped": []}


def _place(made: Path, name: Path) -> None:
    """Let a finished file stand under a second name: it is never written again, whichever of the two goes first."""
    try:
        os.link(made, name)
    except OSError:  # a file system without links
        shutil.copyfile(made, name)


def _texts(path: Path, progress: Progress) -> Iterator[str]:
    total = count_records(path)
    for done, record in enumerate(read_records(path, verify=False)):
        progress.step("tokenizer", done, total)
        yield record.text
    progress.step("tokenizer", total, total)
