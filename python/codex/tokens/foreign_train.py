"""Unigram and WordPiece, learnt by `tokenizers`: another vocabulary each time, as its manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from codex import _core
from codex.errors import UsageError
from codex.file import read_bytes
from codex.records import read_records
from codex.text import decode as decode_text
from codex.tokens.foreign import require
from codex.tokens.interface import END_OF_DOCUMENT
from codex.tokens.train import TrainedTokenizer

__all__ = ["UNKNOWN", "learn_foreign"]

#: What stands for characters that the vocabulary lacks.
UNKNOWN = "<|unknown|>"


def learn_foreign(
    paths_or_texts: str | Path | Iterable[str | Path],
    vocab_size: int,
    trainer: Literal["unigram", "wordpiece"],
    special_tokens: Sequence[str] = (END_OF_DOCUMENT,),
) -> TrainedTokenizer:
    """Learn a Unigram or a WordPiece vocabulary on words cut at white space and punctuation (`▁` for spaces in Unigram).

    `tokenizers` 0.23 keeps words and pieces in tables of random order, so that two runs on the same texts give other scores, ids
    or even tokens; the manifest says `is_reproducible: false`.

    Raises:
        MissingExtraError: if `tokenizers` is not installed.
        UsageError: for another trainer.
    """
    require("tokenizers", f"training of {trainer}")
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    names = [UNKNOWN, *special_tokens]
    made: Any
    learner: Any
    if trainer == "wordpiece":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token=UNKNOWN))
        made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
        learner = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=names, show_progress=False)
    elif trainer == "unigram":
        made = tokenizers.Tokenizer(models.Unigram())
        made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        learner = trainers.UnigramTrainer(
            vocab_size=vocab_size, special_tokens=names, unk_token=UNKNOWN, show_progress=False
        )
    else:
        raise UsageError(f"unknown trainer `{trainer}`, expected `bpe`, `unigram` or `wordpiece`")
    texts = _Texts(paths_or_texts)
    made.train_from_iterator(texts, learner)
    size = made.get_vocab_size(with_added_tokens=True)
    manifest = {
        "kind": "tokenizer",
        "schema_version": 1,
        "version": _core.version(),
        "trainer": trainer,
        "library": f"tokenizers {tokenizers.__version__}",
        "is_reproducible": False,
        "parents": texts.identities(),
        "parameters": {"vocab_size": vocab_size, "special_tokens": list(special_tokens)},
        "counts": {"texts": texts.count, "bytes": texts.bytes, "vocab_size": size},
        "skipped": [],
    }
    return TrainedTokenizer(made.to_str(pretty=True).encode() + b"\n", manifest)


class _Texts:
    """The texts of all inputs, counted and digested as they pass."""

    def __init__(self, items: str | Path | Iterable[str | Path]) -> None:
        self._items = [items] if isinstance(items, str | Path) else items
        self._digest = hashlib.sha256()
        self.count = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        for item in self._items:
            for text in [item] if isinstance(item, str) else _texts_of(item):
                data = text.encode()
                self._digest.update(len(data).to_bytes(8, "little") + data)
                self.count += 1
                self.bytes += len(data)
                yield text

    def identities(self) -> list[dict[str, Any]]:
        digest = f"sha256:{self._digest.hexdigest()}"
        return [{"kind": "texts", "texts": self.count, "bytes": self.bytes, "digest": digest}]


def _texts_of(path: Path) -> Iterator[str]:
    if ".ndjson" in path.suffixes:
        yield from (record.text for record in read_records(path))
    else:
        yield decode_text(read_bytes(path), name=path.name).text
