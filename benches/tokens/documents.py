"""NDJSON documents to ids on the disk: us and the peers, each in a worker process of its own that does it once.

None of the peers writes shards. gigatoken reads the file itself and its ids are written as one array; the others loop over
the lines, a megabyte or so a call, which is how each of them is fastest. We write shards with an index, ids, digests and a
manifest, durably. Every document ends with the end-of-document id on all sides.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benches.workers import PEERS, Stopwatch, Worker, peak_memory_mb

__all__ = [
    "FROM_MEMORY",
    "NAMES",
    "TWO_THREADS",
    "digest",
    "encode",
    "load",
    "read",
    "start",
    "write_documents",
]

BATCH_BYTES = 1 << 20
#: Our own sides beside `codex`: the same with two threads, and encoding alone.
TWO_THREADS = "codex, two threads"
FROM_MEMORY = "codex, texts in memory"


def write_documents(path: Path, texts: list[str], document_bytes: int = 4096) -> int:
    """Write `texts` as lines of NDJSON, cut into documents of about `document_bytes`; returns the bytes of text.

    What spells a special token is broken up: to us it is text, to some peers the token.
    """
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            plain = text.replace("<|", "< |")
            for at in range(0, len(plain), document_bytes):
                piece = plain[at : at + document_bytes]
                size += len(piece.encode())
                file.write(json.dumps({"text": piece}, ensure_ascii=False) + "\n")
    return size


def start(name: str, tokenizer: Path, cores: Sequence[int] | None = None) -> Worker:
    """A worker process that has loaded the tokenizer with `name`."""
    environment = {"RAYON_NUM_THREADS": str(len(cores))} if cores else None
    worker = Worker(
        __name__, packages=[PEERS] if name in _FROM_PEERS else [], cores=cores, environment=environment
    )
    worker.call("load", name=name, path=str(tokenizer))
    return worker


# What follows runs in the worker.

_Encode = Callable[[Path, Path], None]
_encode: _Encode


def load(name: str, path: str) -> None:
    """Load the tokenizer at `path`."""
    global _encode
    _encode = _LOADERS[name](Path(path))


def encode(source: str, target: str) -> dict[str, float]:
    """Encode the file once: CPU and wall seconds, and the most memory the process has held."""
    with Stopwatch() as watch:
        _encode(Path(source), Path(target))
    return {"cpu_s": watch.cpu_s, "wall_s": watch.wall_s, "peak_mb": peak_memory_mb()}


def digest(target: str) -> str:
    """Of the ids of all documents, whoever wrote them."""
    path = Path(target)
    if path.is_dir():
        from codex.tokens import open_shard

        rows = [open_shard(shard).tokens for shard in sorted(path.glob("*.safetensors"))]
        ids = np.concatenate(rows)
    else:
        ids = np.fromfile(path, np.uint32)
    return hashlib.blake2b(ids.astype("<u4").tobytes(), digest_size=16).hexdigest()


def _codex(path: Path, threads: int = 1) -> _Encode:
    from codex.tokens import Tokenizer, encode_ndjson

    ours = Tokenizer.from_file(path)
    assert ours.fingerprint  # made once for a tokenizer, and part of loading it
    return lambda source, target: _ignore(encode_ndjson(source, target, tokenizer=ours, threads=threads))


def _codex_from_memory(path: Path) -> _Encode:
    """The pure encode that the pipeline is held against: texts in memory, ids in memory, a call for each four megabytes."""
    from codex.tokens import Tokenizer

    ours = Tokenizer.from_file(path)
    texts: list[list[str]] = []

    def encode(source: Path, target: Path) -> None:
        for batch in texts:
            ours.encode_flat(batch, "text", threads=1)

    def read(source: Path) -> None:
        texts.extend(_batches(source))

    global _read
    _read = read
    return encode


_read: Callable[[Path], None]


def read(source: str) -> None:
    """Take the documents of a file, for a side that has them in memory."""
    _read(Path(source))


def _gigatoken(path: Path) -> _Encode:
    import gigatoken

    theirs = gigatoken.Tokenizer(str(path))
    end = _end(path)

    def encode(source: Path, target: Path) -> None:
        rows = theirs.encode_files(gigatoken.JsonlFileSource([str(source)]), parallel=False)
        layout = rows.layout
        offsets = np.asarray(layout.offsets)
        ids = np.asarray(layout.content.data)
        np.insert(ids, offsets[1:], end).astype(np.uint32).tofile(target)

    return encode


def _loop(encode_batch: Callable[[list[str]], list[Any]], end: int) -> _Encode:
    def encode(source: Path, target: Path) -> None:
        with target.open("wb") as file:
            for texts in _batches(source):
                for ids in encode_batch(texts):
                    row = np.append(np.asarray(ids, dtype=np.uint32), np.uint32(end))
                    file.write(row.tobytes())

    return encode


def _fastokens(path: Path) -> _Encode:
    import fastokens

    theirs = fastokens.Tokenizer.from_file(str(path))
    return _loop(
        lambda texts: [row.ids for row in theirs.encode_batch(texts, add_special_tokens=False)], _end(path)
    )


def _tokenizers(path: Path) -> _Encode:
    import tokenizers

    theirs = tokenizers.Tokenizer.from_file(str(path))
    return _loop(
        lambda texts: [row.ids for row in theirs.encode_batch_fast(texts, add_special_tokens=False)],
        _end(path),
    )


def _tiktoken(path: Path) -> _Encode:
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    from benches.tokens.peers import TIKTOKEN_PATTERNS
    from benches.tokens.vocabularies import PATTERNS, SPECIALS, ranks_path

    name = path.parent.name
    pattern = TIKTOKEN_PATTERNS.get(name, PATTERNS[name])
    ranks = load_tiktoken_bpe(str(ranks_path(name)))
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=SPECIALS[name])
    return _loop(lambda texts: [theirs.encode_ordinary(text) for text in texts], _end(path))


def _end(path: Path) -> int:
    added = json.loads(path.read_bytes())["added_tokens"]
    return next(int(token["id"]) for token in added if token["content"] == "<|endoftext|>")


def _batches(source: Path) -> Iterator[list[str]]:
    sys.path.append(str(PEERS))  # behind all else: of what lies there only `orjson` is meant
    loads = importlib.import_module("orjson").loads
    with source.open("rb") as file:
        while lines := file.readlines(BATCH_BYTES):
            yield [loads(line)["text"] for line in lines]


def _ignore(_: object) -> None:
    return None


_LOADERS: dict[str, Callable[[Path], _Encode]] = {
    "codex": _codex,
    TWO_THREADS: lambda path: _codex(path, 2),
    FROM_MEMORY: _codex_from_memory,
    "fastokens 0.3.5": _fastokens,
    "gigatoken 0.10.0": _gigatoken,
    "tiktoken 0.14.0": _tiktoken,
    "tokenizers 0.23.3": _tokenizers,
}
NAMES = tuple(_LOADERS)
_FROM_PEERS = ("fastokens 0.3.5", "gigatoken 0.10.0")
