"""Text to ids and ids to text, and learning a vocabulary, against tokenizers 0.23.3 in one process and on one thread each.

The text is the top of the standard library, once through, 64 KB a document: both sides keep a cache of words from pair to pair.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from benches.harness import gate
from codex.tokens import END_OF_DOCUMENT, Tokenizer, train_tokenizer

VOCABULARY_SIZE = 4096
DOCUMENT_CHARACTERS = 1 << 16


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.fixture(scope="module")
def documents() -> list[str]:
    folder = Path(sysconfig.get_path("stdlib"))
    text = "\n".join(path.read_bytes().decode("utf-8") for path in sorted(folder.glob("*.py")))
    return [text[at : at + DOCUMENT_CHARACTERS] for at in range(0, len(text), DOCUMENT_CHARACTERS)][:24]


@pytest.fixture(scope="module")
def ours(documents: list[str]) -> Tokenizer:
    return train_tokenizer(documents, VOCABULARY_SIZE)


@pytest.fixture(scope="module")
def theirs(ours: Tokenizer) -> Any:
    import tokenizers

    loaded = tokenizers.Tokenizer.from_str(ours.to_json().decode())
    loaded.encode_special_tokens = True
    return loaded


def bench_encode(benchmark: Any, ours: Tokenizer, theirs: Any, documents: list[str]) -> None:
    def codex() -> list[Any]:
        return ours.encode_batch(documents, "text")

    def peer() -> Any:
        return theirs.encode_batch_fast(documents)

    def equal(left: list[Any], right: list[Any]) -> bool:
        return [ids.tolist() for ids in left] == [encoding.ids for encoding in right]

    megabytes = sum(len(document.encode()) for document in documents) / 1e6
    gate(benchmark, "tokens.encode", codex, peer, rounds=10, equal=equal, megabytes=round(megabytes, 2))


def bench_decode(benchmark: Any, ours: Tokenizer, theirs: Any, documents: list[str]) -> None:
    rows = [ids.tolist() for ids in ours.encode_batch(documents, "text")]

    def codex() -> list[str]:
        return [ours.decode(row) for row in rows]

    def peer() -> Any:
        return theirs.decode_batch(rows, skip_special_tokens=False)

    gate(benchmark, "tokens.decode", codex, peer, rounds=10)


def bench_train(benchmark: Any, documents: list[str]) -> None:
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    def codex() -> str:
        return train_tokenizer(documents, VOCABULARY_SIZE).to_json().decode()

    def peer() -> Any:
        learnt = tokenizers.Tokenizer(models.BPE())
        learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        learnt.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY_SIZE,
            special_tokens=[END_OF_DOCUMENT],
            initial_alphabet=alphabet,
            show_progress=False,
        )
        learnt.train_from_iterator(documents, trainer)
        return learnt.to_str(pretty=True)

    gate(benchmark, "tokens.train", codex, peer, rounds=5)
