"""Text to tokens and back: the tokenizer, its training, and shards of tokens on disk.

Ids and merges are those of Hugging Face `tokenizers` 0.23.3, and `tokenizer.json` goes both ways. Ids are numpy arrays, uint16
up to a vocabulary of 65,536 and uint32 above. The interpreter is released during the work. `docs/tokens.md` tells all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codex import _core
from codex.errors import DataError, UsageError

if TYPE_CHECKING:
    from codex.records import Record

__all__ = [
    "END_OF_DOCUMENT",
    "SHARD_TOKENS",
    "Shard",
    "ShardsWritten",
    "Specials",
    "Tokenizer",
    "open_shard",
    "train_tokenizer",
    "write_shards",
]

#: The special token that ends every document.
END_OF_DOCUMENT = "<|endoftext|>"
#: Tokens of a full shard: 32 MiB as uint16.
SHARD_TOKENS = 1 << 24
#: Where a text holds the text of a special token: refuse it, encode it as ordinary text, or make the special id of it.
Specials = Literal["forbid", "text", "ids"]

T = TypeVar("T")


class Tokenizer:
    """Byte-level byte-pair encoding with GPT-2's pattern. Immutable, safe to share between threads, and it pickles.

    A text with a lone surrogate, which no UTF-8 can hold, is a `DataError` wherever one is taken.

    >>> tokenizer = train_tokenizer(["low lower lowest"], 260)
    >>> ids = tokenizer.encode("lower")
    >>> ids.dtype, tokenizer.decode(ids)
    (dtype('uint16'), 'lower')
    """

    def __init__(self, core: _core.Tokenizer) -> None:
        self._core = core

    @classmethod
    def from_file(cls, path: str | Path) -> Tokenizer:
        """Read a `tokenizer.json`.

        Raises:
            MissingDataError: if there is none.
            DamageError: if it is damaged or needs what is not done here; the message names the part.
        """
        return cls(_core.Tokenizer.from_file(path))

    @classmethod
    def from_json(cls, data: bytes) -> Tokenizer:
        """Read the contents of a `tokenizer.json`; errors as `from_file`."""
        return cls(_core.Tokenizer.from_json(data))

    def to_json(self) -> bytes:
        """The contents of `tokenizer.json`, as `tokenizers` 0.23.3 writes them."""
        return self._core.to_json()

    def save(self, path: str | Path) -> None:
        """Write `tokenizer.json` to `path`, whole or not at all; `tokenizers` and `transformers` load it."""
        self._core.save(path)

    def encode(self, text: str, specials: Specials = "forbid") -> NDArray[Any]:
        """The ids of `text`, (N,), uint16 or uint32.

        Raises:
            DataError: under `forbid`, if `text` holds the text of a special token.
        """
        return self._core.encode(text, specials)

    def encode_batch(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> list[NDArray[Any]]:
        """The ids of each text: views of the one array of `encode_flat`, whose arguments and errors these are."""
        ids, offsets = self.encode_flat(texts, specials, threads=threads)
        return [ids[start:end] for start, end in pairwise(offsets.tolist())]

    def encode_flat(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> tuple[NDArray[Any], NDArray[np.uint64]]:
        """The ids of all texts in one row, without a Python object for each.

        Args:
            threads: how many may work, one for each processor if None. The answer is the same whatever it is.
        Returns:
            ids (T,), uint16 or uint32, and offsets (N + 1,): text `n` is `ids[offsets[n]:offsets[n + 1]]`.
        Raises:
            UsageError: if `threads` is less than 1.
            DataError: as `encode`, for the first text that has an error.

        >>> tokenizer = train_tokenizer(["low lower lowest"], 260)
        >>> ids, offsets = tokenizer.encode_flat(["low", "", "lower"])
        >>> offsets, tokenizer.decode(ids[1:])
        (array([0, 1, 1, 4], dtype=uint64), 'lower')
        """
        return self._core.encode_flat(list(texts), specials, _checked_threads(threads))

    def decode(self, ids: ArrayLike) -> str:
        """The text that `ids` stand for, special tokens as their text; bytes that are not UTF-8 become U+FFFD.

        Raises:
            DataError: if an id is not of this vocabulary.
        """
        return self._core.decode(self._checked(ids))

    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """The bytes that `ids` stand for, exactly: a character may be cut at either end. Errors as `decode`."""
        return self._core.decode_bytes(self._checked(ids))

    def _checked(self, ids: ArrayLike) -> NDArray[np.uint32]:
        array = np.asarray(ids)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise UsageError(f"ids are {array.dtype} of shape {array.shape}, expected one axis of integers")
        unknown = np.flatnonzero((array < 0) | (array >= self.vocabulary_size))
        if unknown.size:
            place = int(unknown[0])
            message = f"unknown id `{array[place]}` at place {place}, expected below {self.vocabulary_size}"
            raise DataError(message, hint="were the ids made with another tokenizer?")
        return np.ascontiguousarray(array, dtype=np.uint32)

    @property
    def vocabulary_size(self) -> int:
        """The number of ids: 0 up to it, without a hole."""
        return self._core.vocabulary_size

    @property
    def fingerprint(self) -> str:
        """`sha256:...` of the canonical JSON: equal for equal tokenizers, however their files were written."""
        return self._core.fingerprint

    @property
    def end_of_document_id(self) -> int:
        """The id of `<|endoftext|>`; a `DataError` if the vocabulary does not have it."""
        found = self._core.end_of_document_id
        if found is None:
            raise DataError(f"the tokenizer has no special token `{END_OF_DOCUMENT}` to end documents")
        return found

    @property
    def special_tokens(self) -> dict[str, int]:
        """The special tokens and their ids, by id."""
        return dict(self._core.special_tokens)

    @property
    def merges(self) -> list[tuple[int, int, int]]:
        """Left id, right id and the id they make, in the order of learning."""
        return self._core.merges

    def __reduce__(self) -> tuple[object, ...]:
        return Tokenizer.from_json, (self.to_json(),)

    def __repr__(self) -> str:
        return f"<Tokenizer of {self.vocabulary_size} tokens, {self.fingerprint[:19]}>"


def train_tokenizer(
    texts: Iterable[str], vocabulary_size: int, special_tokens: Sequence[str] = (END_OF_DOCUMENT,)
) -> Tokenizer:
    """Learn a vocabulary: the special tokens, the 256 bytes, then merges until it is full or every word is one token.

    Merges and ids are those of `tokenizers.trainers.BpeTrainer`. The order of the texts does not matter. Memory grows with the
    distinct words, not with the texts.

    Raises:
        UsageError: if `vocabulary_size` has no room for the special tokens and the bytes, or a special token is empty, given
            twice, or spelt by ordinary text.

    >>> train_tokenizer(["aa aa aa"], 4096).vocabulary_size  # all that can be learnt: `aa` and ` aa`
    259
    """
    counts = _core.WordCounts()
    for batch in _batches(texts, len):
        counts.add_texts(batch)
    return Tokenizer(counts.train(max(vocabulary_size, 0), list(special_tokens)))


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
    threads = _checked_threads(threads)
    writer = _core.ShardWriter(folder.path, split, tokenizer._core, max(shard_tokens, 0))
    for batch in _batches(records, lambda record: len(record.text)):
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


def _checked_threads(threads: int | None) -> int | None:
    if threads is not None and threads < 1:
        raise UsageError(f"`threads` is {threads}, expected at least 1, or None for one for each processor")
    return threads


def _batches(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of items of a few million characters together, so that one call into Rust does much."""
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += characters(item) + 1
        if size >= 1 << 22:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
