"""The standard library's sources, and one tokenizer of each kind trained on some of them."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from codex.tokens import END_OF_DOCUMENT, Tokenizer, train_bpe


@dataclass(frozen=True)
class Pair:
    """Ours, and the one it has to agree with."""

    ours: Tokenizer
    theirs: tokenizers.Tokenizer

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Their ids; special tokens in the texts are text."""
        return [encoding.ids for encoding in self.theirs.encode_batch_fast(list(texts))]


def _train_theirs(
    texts: Iterable[str], vocabulary_size: int, special_tokens: Sequence[str] = (END_OF_DOCUMENT,)
) -> tokenizers.Tokenizer:
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator(texts, trainer)
    theirs.encode_special_tokens = True
    return theirs


@pytest.fixture(scope="session")
def train_theirs() -> Callable[..., tokenizers.Tokenizer]:
    """The trainer of `tokenizers`, set up as ours."""
    return _train_theirs


@pytest.fixture(scope="session")
def sources() -> list[str]:
    """The modules at the top of the standard library: about 4 MB in 200 texts."""
    folder = Path(sysconfig.get_path("stdlib"))
    texts = [path.read_bytes().decode("utf-8") for path in sorted(folder.glob("*.py"))]
    assert sum(map(len, texts)) > 3_000_000
    return texts


@pytest.fixture(scope="session")
def pair(sources: list[str]) -> Pair:
    """Both trained to 4,096 tokens on every third source."""
    return Pair(train_bpe(sources[::3], 4096), _train_theirs(sources[::3], 4096))
