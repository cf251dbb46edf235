"""Learn a vocabulary from texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codex import _core
from codex.tokens.batches import batches
from codex.tokens.interface import END_OF_DOCUMENT
from codex.tokens.tokenizer import Tokenizer

__all__ = ["train_bpe"]


def train_bpe(
    texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str] = (END_OF_DOCUMENT,)
) -> Tokenizer:
    """Learn a vocabulary: the special tokens, the 256 bytes, then merges until it is full or every word is one token.

    Merges and ids are those of `tokenizers.trainers.BpeTrainer`. The order of the texts does not matter. Memory grows with the
    distinct words, not with the texts.

    Raises:
        UsageError: if `vocab_size` has no room for the special tokens and the bytes, or a special token is empty, given
            twice, or spelt by ordinary text.

    >>> train_bpe(["aa aa aa"], 4096).vocab_size  # all that can be learnt: `aa` and ` aa`
    259
    """
    counts = _core.WordCounts()
    for batch in batches(texts, len):
        counts.add_texts(batch)
    return Tokenizer(counts.train(max(vocab_size, 0), list(special_tokens)))
