"""Batches of tokens out of memory-mapped shards.

B rows of a batch, T context. A row has T + 1 tokens: the first T are what the model sees, the last T what it
predicts. `TokenBatches[index]` is a pure function of its arguments and the shards (`codex.data.order` says
which), so the position of a run is one integer, and any worker can make any batch. Tokens are copied once,
from the map into the batch, widened to int64 on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex.data.order import TokenOrder
from codex.errors import DamageError, DataError, ShapeError
from codex.file import digest_file, read_manifest
from codex.tokens import open_shard

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SplitTokens", "TokenBatch", "TokenBatches"]

_BLOCK_ROWS = (
    1024  # rows whose places are looked up together; one lookup a batch would cost more than the copying
)


class SplitTokens:
    """Every document of one split, read-only, where it lies on the disk.

    Opening compares the digest of every shard of the split with the manifest: a flipped bit is found here,
    not in the loss.

    Args:
        shards: folder of token shards.
        split: `train`, `validation` or `test`.

    Raises:
        MissingDataError: if there is no such folder.
        DamageError: if a shard is damaged, or missing.
        DataError: if there is no such split.
    """

    def __init__(self, shards: Path, split: str) -> None:
        manifest = read_manifest(shards, kind="shards", schema_version=1)
        entries = [entry for entry in manifest["files"] if entry["path"].startswith(f"{split}-")]
        if not entries:
            there = sorted({entry["path"].rpartition("-")[0] for entry in manifest["files"]} - {""})
            raise DataError(
                f"no split `{split}` in `{shards}`, expected {' or '.join(f'`{name}`' for name in there)}",
                hint="`data.test_fraction` makes the split `test`" if split == "test" else None,
            )
        for entry in entries:
            algorithm = entry["digest"].partition(":")[0]
            if digest_file(shards / entry["path"], algorithm).digest != entry["digest"]:
                raise DamageError(
                    f"shard `{shards / entry['path']}` is damaged: its digest is not the one in the manifest",
                    hint="run `codex data tokenize` to build it again",
                )
        opened = [open_shard(shards / entry["path"], verify=False) for entry in entries]
        #: Fingerprint of the tokenizer that made the tokens.
        self.tokenizer: str = opened[0].metadata["tokenizer"]
        #: Digest of the manifest: binds a checkpoint to the tokens it was trained on.
        self.digest: str = manifest["digest"]
        offsets = [shard.document_offsets.astype(np.int64) for shard in opened]
        #: Tokens of each document, the end-of-document token counted, (N,).
        self.lengths: NDArray[np.int64] = np.concatenate([np.diff(each) for each in offsets])
        #: Id of each document, (N, 16) bytes.
        self.document_ids: NDArray[np.uint8] = np.concatenate([shard.document_ids for shard in opened])
        self._tokens = [shard.tokens for shard in opened]
        self._shard = np.repeat(np.arange(len(opened)), [each.size - 1 for each in offsets])
        self._start = np.concatenate([each[:-1] for each in offsets])

    def __len__(self) -> int:
        return int(self.lengths.size)

    def __getitem__(self, document: int) -> NDArray[Any]:
        """The tokens of one document, end-of-document token included; a view, nothing is copied."""
        start = int(self._start[document])
        stop = start + int(self.lengths[document])
        tokens: NDArray[Any] = self._tokens[self._shard[document]][start:stop]
        return tokens

    def sources(
        self, documents: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> tuple[list[NDArray[Any]], list[int]]:
        """For each pair of document and offset in it, the tokens of its shard and the place in them."""
        shards = [self._tokens[number] for number in self._shard[documents].tolist()]
        return shards, (self._start[documents] + offsets).tolist()


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Rows of tokens: `tokens[:, :-1]` is what the model sees, `tokens[:, 1:]` what it predicts."""

    tokens: NDArray[np.int64]
    """(B, T + 1)"""
    epoch: int
    """The pass over the split that the first row belongs to, from 0."""
    learned: NDArray[np.bool_] | None = None
    """(B, T): which of the tokens predicted are learned from; None: all."""


class TokenBatches:
    """All batches of a split, without end: batch after batch, epoch after epoch.

    A batch may hold the end of one epoch and the start of the next, so that only `remainder_tokens` of an
    epoch go unread.

    Args:
        shards: folder of token shards.
        split: `train`, `validation` or `test`.
        row_tokens: T + 1.
        batch_rows: B.
        seed: which of the orders.

    Raises:
        DataError: if the split does not fill one row.
        DamageError: if a shard is damaged.
    """

    def __init__(self, shards: Path, split: str, row_tokens: int, batch_rows: int, seed: int) -> None:
        if batch_rows < 1:
            raise ShapeError(f"`batch_rows` is {batch_rows}, expected at least 1")
        self.documents = SplitTokens(shards, split)
        try:
            self.order = TokenOrder(self.documents.lengths, row_tokens, seed)
        except DataError as error:
            raise DataError(f"split `{split}` is too small: {error.message}", hint=error.hint) from None
        self.batch_rows = batch_rows
        self._block_rows = min(_BLOCK_ROWS, self.order.rows_per_epoch)
        self._block = lru_cache(maxsize=2)(self._look_up)

    @property
    def digest(self) -> str:
        """Binds a checkpoint to the tokens it was trained on."""
        return self.documents.digest

    @property
    def remainder_tokens(self) -> int:
        """Tokens at the end of each epoch that fill no row."""
        return self.order.remainder_tokens

    def epoch(self, index: int) -> int:
        """The pass over the split that the first row of batch `index` belongs to, from 0."""
        return index * self.batch_rows // self.order.rows_per_epoch

    def __getitem__(self, index: int) -> TokenBatch:
        """Batch `index`, from 0; any order of asking gives the same batches."""
        if index < 0:
            raise IndexError(f"batch {index}, expected 0 or more")
        tokens = np.empty((self.batch_rows, self.order.row_tokens), dtype=np.int64)
        first = index * self.batch_rows
        for row, number in enumerate(range(first, first + self.batch_rows)):
            block, place = divmod(number, self._block_rows)
            line = tokens[row]
            for column, stop, source, start in self._block(block)[place]:
                line[column:stop] = source[start : start + stop - column]
        return TokenBatch(tokens, epoch=self.epoch(index))

    def _look_up(self, block: int) -> list[list[tuple[int, int, NDArray[Any], int]]]:
        """The pieces of each row of a block: first column, column after it, tokens to copy, place in them."""
        pieces = self.order.pieces(block * self._block_rows, self._block_rows)
        rows: list[list[tuple[int, int, NDArray[Any], int]]] = [[] for _ in range(self._block_rows)]
        sources, starts = self.documents.sources(pieces.document, pieces.offset)
        stops = (pieces.column + pieces.length).tolist()
        for row, *piece in zip(
            pieces.row.tolist(), pieces.column.tolist(), stops, sources, starts, strict=True
        ):
            rows[row].append(tuple(piece))
        return rows
