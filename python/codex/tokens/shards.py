"""Shards: the ids of documents on disk, in files that any tool can open.

`encode_ndjson` makes them of files, `write_shards` of records in memory; both make the same of the same documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from codex import _core
from codex.errors import UsageError
from codex.tokens.batches import batches
from codex.tokens.checks import checked_threads
from codex.tokens.tokenizer import Tokenizer

if TYPE_CHECKING:
    from codex.records import Record

__all__ = ["BadLines", "Shard", "ShardsWritten", "encode_ndjson", "open_shard", "write_shards"]

#: What to do with a line that is no document: refuse the file, or pass the line over and list it.
BadLines = Literal["raise", "skip"]


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
    shard_tokens: int | None = None,
    threads: int | None = None,
) -> ShardsWritten:
    """Encode records into `<split>-<number>.safetensors` in `folder`, each document closed by the end-of-document id.

    One shard is in memory at a time, 2 or 4 bytes a token. A document is never cut: one longer than `shard_tokens`, by default
    what fills 32 MiB, has a shard of its own. Where a document spells a special token it is encoded as ordinary text. The files
    are a function of the records, their order, the tokenizer and `shard_tokens`; of `threads`, which is that of
    `Tokenizer.encode_flat`, they are not.

    Raises:
        UsageError: if `split` is not letters, digits and `_`, `threads` less than 1, or the tokenizer has no `<|endoftext|>`.
        DataError: if a record's id is not 32 hex digits.
    """
    threads = checked_threads(threads)
    writer = _core.ShardWriter(folder.path, split, tokenizer._core, _checked_tokens(shard_tokens))
    for batch in batches(records, lambda record: len(record.text)):
        writer.add([(record.id, record.text) for record in batch], threads)
    names, tokens, documents = writer.finish()
    return ShardsWritten(tuple(names), tokens, documents)


def encode_ndjson(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    target: str | PathLike[str],
    *,
    tokenizer: Tokenizer,
    threads: int | None = None,
    split: str = "train",
    text_key: str = "text",
    end_of_document: str | None = None,
    bad_lines: BadLines = "raise",
    shard_tokens: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Encode files of NDJSON into the folder `target`: `<split>-<number>.safetensors` and `manifest.json`.

    A line is a JSON object with a text; a document gets the `id` beside it if that is 32 lower-case hex digits, and otherwise
    the id of its text, `codex.records.record_id`. Other keys are passed over, as are blank lines. Where a text spells a special
    token it is encoded as ordinary text.

    The bytes are a function of the files, the tokenizer and the options, not of `threads`. If a call is killed or the disk is
    full, the next one goes on behind the last full shard, to the same bytes; a folder that is finished is only verified.
    Memory stays below 200 MB whatever the number of documents; a line above 16 MB takes a few times its length more.

    Args:
        source: a file, or several that are read one after another; plain or gz, bz2, xz, zst by magic number.
        target: a folder that is missing, empty, or was begun by this call before.
        tokenizer: what the texts are encoded with.
        threads: how many work; default one for each processor.
        split: what the shards are called.
        text_key: the key that the text stands under.
        end_of_document: the special token behind every document; default the tokenizer's own.
        bad_lines: `raise` at the first line that is no document, or `skip` it: the manifest counts and lists those, at most
            100,000.
        shard_tokens: a shard ends before the document that would take it above so many; default what fills 32 MiB.
        progress: told about ten times a second how many bytes have been read, and how many there are.

    Returns:
        The manifest: `files` with their digests, `counts`, `skipped`, and as `parents` the digests of sources and tokenizer.

    Raises:
        DataError: at a bad line, with file, line, byte and reason; or if a source has changed since the folder was begun.
        MissingDataError: if a source is not there.
        UsageError: if the folder holds anything else, or what other sources or options made; or for options that are wrong.
        LockError: if another process works on the same folder.
        DiskFullError: if the disk is full.
        DamageError: if the folder was finished and is damaged.

    >>> from tempfile import TemporaryDirectory
    >>> from codex.tokens import encode_ndjson, train_bpe
    >>> with TemporaryDirectory() as home:
    ...     written = Path(home, "texts.ndjson").write_text('{"text": "low"}\\n{"text": "lower"}\\n')
    ...     manifest = encode_ndjson(f"{home}/texts.ndjson", f"{home}/shards", tokenizer=train_bpe(["low lower"], 260))
    >>> manifest["counts"]["documents"], [entry["path"] for entry in manifest["files"]]
    (2, ['train-00000.safetensors'])
    """
    if bad_lines not in ("raise", "skip"):
        raise UsageError(f"`bad_lines` is `{bad_lines}`, expected `raise` or `skip`")
    sources = [source] if isinstance(source, str | PathLike) else list(source)
    options = {
        "split": split,
        "text_key": text_key,
        "end_of_document": end_of_document,
        "shard_tokens": _checked_tokens(shard_tokens),
        "skip_bad_lines": bad_lines == "skip",
        "threads": checked_threads(threads),
    }
    manifest: dict[str, Any] = json.loads(
        _core.encode_ndjson(sources, target, tokenizer._core, options, progress)
    )
    return manifest


def _checked_tokens(shard_tokens: int | None) -> int | None:
    return None if shard_tokens is None else max(shard_tokens, 0)


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
