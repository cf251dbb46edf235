"""Us and the peers behind one interface, each in a worker process of its own; see `benches/workers.py`.

Every side answers in the form that costs it least: arrays where it has them, lists where it has nothing else. Turning the answer
into ids that can be compared is not part of the time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benches.workers import PEERS, Stopwatch, Worker, peak_memory_mb

__all__ = ["NAMES", "decode", "encode", "encode_each", "load", "read", "start"]

Row = Any


@dataclass(frozen=True)
class Side:
    """A loaded tokenizer: what it encodes a batch, one text and ids with, and how ids come out of its answers."""

    batch: Callable[[list[str]], Any]
    rows: Callable[[Any], Sequence[Row]]
    one: Callable[[str], Any]
    row: Callable[[Any], Row]
    decode: Callable[[Any], str] | None = None
    #: Ids as its `decode` likes them best.
    native: Callable[[Row], Any] = lambda row: np.asarray(row).tolist()


def _codex(path: Path) -> Side:
    from codex.tokens import Tokenizer

    ours = Tokenizer.from_file(path)

    def rows(answer: Any) -> list[Row]:
        ids, offsets = answer
        return np.split(ids, offsets[1:-1].astype(np.int64))

    return Side(
        batch=lambda texts: ours.encode_flat(texts, "ids", threads=1),
        rows=rows,
        one=lambda text: ours.encode(text, "ids"),
        row=lambda ids: ids,
        decode=ours.decode,
        native=lambda row: np.ascontiguousarray(row, dtype=np.uint32),
    )


def _tokenizers(path: Path) -> Side:
    import tokenizers

    theirs = tokenizers.Tokenizer.from_file(str(path))
    return Side(
        batch=lambda texts: theirs.encode_batch_fast(texts, add_special_tokens=False),
        rows=lambda encodings: [encoding.ids for encoding in encodings],
        one=lambda text: theirs.encode(text, add_special_tokens=False).ids,
        row=lambda ids: ids,
        decode=lambda ids: str(theirs.decode(ids, skip_special_tokens=False)),
    )


def _tokenizers1(path: Path) -> Side:
    import tokenizers

    theirs: Any = tokenizers.Tokenizer.from_file(str(path))
    return Side(
        batch=lambda texts: theirs.encode_batch(texts, add_special_tokens=False),
        rows=lambda encodings: [encoding.ids_array for encoding in encodings],
        one=lambda text: theirs.encode(text, add_special_tokens=False).ids,
        row=lambda ids: ids,
        decode=lambda ids: str(theirs.decode(ids, skip_special_tokens=False)),
        native=lambda row: np.ascontiguousarray(row, dtype=np.uint32),
    )


def _tiktoken(path: Path) -> Side:
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    from benches.tokens.vocabularies import PATTERNS, SPECIALS, ranks_path

    name = path.parent.name
    pattern = TIKTOKEN_PATTERNS.get(name, PATTERNS[name])
    ranks = load_tiktoken_bpe(str(ranks_path(name)))
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=SPECIALS[name])
    return Side(
        batch=lambda texts: [theirs.encode_ordinary(text) for text in texts],
        rows=lambda rows: rows,
        one=theirs.encode_ordinary,
        row=lambda ids: ids,
        decode=theirs.decode,
    )


#: How tiktoken itself spells its patterns: possessive, and so faster in its regex.
TIKTOKEN_PATTERNS = {
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
}


def _fastokens(path: Path) -> Side:
    import fastokens

    theirs = fastokens.Tokenizer.from_file(str(path))
    return Side(
        batch=lambda texts: theirs.encode_batch(texts, add_special_tokens=False),
        rows=lambda encodings: [encoding.ids for encoding in encodings],
        one=lambda text: theirs.encode(text, add_special_tokens=False).ids,
        row=lambda ids: ids,
        decode=lambda ids: str(theirs.decode(ids, skip_special_tokens=False)),
    )


def _gigatoken(path: Path) -> Side:
    import gigatoken

    theirs = gigatoken.Tokenizer(str(path)).backend
    return Side(
        batch=lambda texts: theirs.encode_batch(texts, parallel=False),
        rows=lambda answer: [np.asarray(row) for row in answer],
        one=theirs.encode,
        row=lambda ids: ids,
        decode=lambda ids: theirs.decode(ids).decode("utf-8", "replace"),
        native=lambda row: np.ascontiguousarray(row, dtype=np.uint32),
    )


def _snaptokens(path: Path) -> Side:
    import snaptokens

    theirs = snaptokens.Tokenizer.from_file(str(path))

    def rows(answer: tuple[bytes, bytes]) -> list[Row]:
        ids, offsets = np.frombuffer(answer[0], np.uint32), np.frombuffer(answer[1], np.uint64)
        return np.split(ids, offsets[1:-1].astype(np.int64))

    return Side(
        batch=theirs.encode_batch_flat,
        rows=rows,
        one=lambda text: theirs.encode(text).ids,
        row=lambda ids: ids,
        decode=lambda ids: str(theirs.decode(ids)),
    )


def _tuetoken(path: Path) -> Side:
    import tuetoken

    theirs = tuetoken.Tokenizer(str(path))
    return Side(
        batch=lambda texts: theirs.encode_ordinary_to_buffer(texts, num_threads=1),
        rows=lambda answer: np.split(answer["data"], answer["offsets"][1:-1]),
        one=theirs.encode_ordinary,
        row=lambda ids: ids,
        decode=theirs.decode_array,
        native=lambda row: np.ascontiguousarray(row, dtype=np.uint32),
    )


_LOADERS: dict[str, Callable[[Path], Side]] = {
    "codex": _codex,
    "tokenizers 0.23.3": _tokenizers,
    "tokenizers 1.0.0rc3": _tokenizers1,
    "tiktoken 0.14.0": _tiktoken,
    "fastokens 0.3.5": _fastokens,
    "gigatoken 0.10.0": _gigatoken,
    "snaptokens 0.2.6": _snaptokens,
    "tuetoken 0.1.3": _tuetoken,
}
NAMES = tuple(_LOADERS)
#: These two come from the environment itself; the others need the folder of the peers in front of it.
_INSTALLED = ("codex", "tokenizers 0.23.3", "tiktoken 0.14.0")


def start(name: str, path: Path) -> Worker:
    """A worker process that has loaded the tokenizer at `path` with `name`."""
    worker = Worker(__name__, packages=[] if name in _INSTALLED else [PEERS])
    worker.call("load", name=name, path=str(path))
    return worker


# What follows runs in the worker.

_side: Side
_documents: list[str]


def load(name: str, path: str) -> dict[str, float]:
    """Load a tokenizer: seconds, and megabytes beside what Python and NumPy had before."""
    global _side
    before = peak_memory_mb()
    with Stopwatch() as watch:
        _side = _LOADERS[name](Path(path))
    loaded = {"cpu_s": watch.cpu_s, "wall_s": watch.wall_s, "mb": peak_memory_mb() - before}
    _side.rows(_side.batch([" "]))  # what is imported or started at the first call is not part of the second
    return loaded


def read(path: str) -> int:
    """Take the documents of a JSON file, for the calls that follow."""
    global _documents
    _documents = json.loads(Path(path).read_bytes())
    return len(_documents)


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        ids = np.asarray(row, dtype=np.uint32)
        digest.update(len(ids).to_bytes(8, "little"))
        digest.update(ids.tobytes())
    return digest.hexdigest()


def encode(start: int, stop: int) -> dict[str, Any]:
    """Encode some of the documents in one call."""
    texts = _documents[start:stop]
    with Stopwatch() as watch:
        answer = _side.batch(texts)
    return {"cpu_s": watch.cpu_s, "wall_s": watch.wall_s, "ids": _digest(_side.rows(answer))}


def encode_each(start: int, stop: int) -> dict[str, Any]:
    """Encode some of the documents, a call each."""
    texts, one = _documents[start:stop], _side.one
    with Stopwatch() as watch:
        answers = [one(text) for text in texts]
    return {"cpu_s": watch.cpu_s, "wall_s": watch.wall_s, "ids": _digest([_side.row(row) for row in answers])}


def decode(start: int, stop: int) -> dict[str, Any]:
    """Decode the ids of some of the documents, a call each."""
    assert _side.decode is not None
    decode = _side.decode
    rows = [_side.native(_side.row(_side.one(text))) for text in _documents[start:stop]]
    with Stopwatch() as watch:
        texts = [decode(row) for row in rows]
    return {
        "cpu_s": watch.cpu_s,
        "wall_s": watch.wall_s,
        "ids": _digest([[*map(ord, text)] for text in texts]),
    }
