"""A folder of text to token shards as a script does it: `datasets` loads, filters, drops what is there twice and encodes.

Run in a process of its own that imports `datasets` from the folder of peers.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from benches.data.raw import END

__all__ = ["tokenize"]

_BATCH = 1000


def tokenize(folder: Path, tokenizer_path: Path, target: Path, *, encoder: str, cache: Path) -> int:
    """Write the ids of every text below `folder` once, each ended by the token that ends documents; how many ids."""
    from datasets import load_dataset

    texts = load_dataset(
        "text",
        data_files=sorted(str(path) for path in folder.rglob("*.txt")),
        sample_by="document",
        split="train",
        cache_dir=str(cache),
    )
    texts = texts.filter(lambda batch: [len(text) >= 1 for text in batch["text"]], batched=True)
    seen: set[bytes] = set()

    def is_new(batch: dict[str, Any]) -> list[bool]:
        new = []
        for text in batch["text"]:
            digest = hashlib.sha256(text.encode()).digest()
            new.append(digest not in seen)
            seen.add(digest)
        return new

    texts = texts.filter(is_new, batched=True)
    encode, end = _encoder(encoder, tokenizer_path)
    texts = texts.map(
        lambda batch: {"ids": encode(batch["text"])}, batched=True, batch_size=_BATCH, remove_columns=["text"]
    )
    count = 0
    with target.open("wb") as file:
        for batch in texts.with_format("numpy").iter(_BATCH):
            for ids in batch["ids"]:
                row = np.append(np.asarray(ids), end).astype(np.uint16)
                count += len(row)
                file.write(row.tobytes())
    return count


def _encoder(name: str, path: Path) -> tuple[Any, int]:
    if name == "fastokens":
        import fastokens

        theirs: Any = fastokens.Tokenizer.from_file(str(path))
    else:
        import tokenizers

        theirs = tokenizers.Tokenizer.from_file(str(path))

    def encode(texts: list[str]) -> list[list[int]]:
        batch = getattr(theirs, "encode_batch_fast", theirs.encode_batch)
        return [row.ids for row in batch(texts, add_special_tokens=False)]

    return encode, int(theirs.token_to_id(END))
