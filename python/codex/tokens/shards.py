"""Shards: the ids of documents on disk, in files that any tool can open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codex import _core
from codex.tokens.batches import batches
from codex.tokens.checks import checked_threads
from codex.tokens.tokenizer import Tokenizer

if TYPE_CHECKING:
    from codex.records import Record

__all__ = ["SHARD_TOKENS", "Shard", "ShardsWritten", "open_shard", "write_shards"]

#: Tokens of a full shard: 32 MiB as uint16.
SHARD_TOKENS = 1 << 24


class _Folder(Protocol):
    @property
    def path(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class ShardsWritten:
    """The files in order, none if there was no document; ids in all of them, ends of documents counted; and documents."""

    names: tuple[str, ...]
    tokens: int
    documents: int


def write_shards(
    folder: _Folder,
    split: str,
    records: Iterable[Record],
    tokenizer: Tokenizer,
    *,
    shard_tokens: int = SHARD_TOKENS,
    threads: int | None = None,
) -> ShardsWritten:
    """Encode records into `<split>-<number>.safetensors` in `folder`, each document closed by the end-of-document id.

    One shard is in memory at a time, 2 or 4 bytes a token. A document is never cut: one longer than `shard_tokens` has a shard
    of its own. Where a document spells a special token it is encoded as ordinary text. The files are a function of the
    records, their order, the tokenizer and `shard_tokens`; of `threads`, which is that of `Tokenizer.encode_flat`, they are not.

    Raises:
        UsageError: if `split` is not letters, digits and `_`, `threads` less than 1, or the tokenizer has no `<|endoftext|>`.
        DataError: if a record's id is not 32 hex digits.
    """
    threads = checked_threads(threads)
    writer = _core.ShardWriter(folder.path, split, tokenizer._core, max(shard_tokens, 0))
    for batch in batches(records, lambda record: len(record.text)):
        writer.add([(record.id, record.text) for record in batch], threads)
    names, tokens, documents = writer.finish()
    return ShardsWritten(tuple(names), tokens, documents)


@dataclass(frozen=True, slots=True)
class Shard:
    """The arrays of one shard, read-only, where they lie on the disk: pages are read when they are touched.

    `tokens` (T,) uint16 or uint32; `document_offsets` (N + 1,): document `n` is `tokens[offsets[n]:offsets[n + 1]]`, its
    end-of-document id included; `document_ids` (N, 16); `metadata`: `tokenizer` (its fingerprint), `split` and more.
    """

    tokens: NDArray[Any]
    document_offsets: NDArray[np.uint64]
    document_ids: NDArray[np.uint8]
    metadata: dict[str, str]


def open_shard(path: str | Path, *, verify: bool = True) -> Shard:
    """Check a shard and map it.

    Args:
        verify: read all of it and compare the digest it carries, so that one flipped bit is found; without, only that the
            arrays fit together and every document ends where the offsets say.

    Raises:
        MissingDataError: if there is no such file.
        DamageError: if it is damaged, or no shard of this version; the message names the part.
    """
    tokens, token_bytes, documents, *starts, metadata = _core.shard_layout(path, verify)
    data = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))

    def array(start: int, count: int, dtype: type[np.generic]) -> NDArray[Any]:
        return data[start : start + count * np.dtype(dtype).itemsize].view(dtype)

    return Shard(
        tokens=array(starts[0], tokens, np.uint16 if token_bytes == 2 else np.uint32),
        document_offsets=array(starts[1], documents + 1, np.uint64),
        document_ids=array(starts[2], documents * 16, np.uint8).reshape(documents, 16),
        metadata=dict(metadata),
    )
