"""Text to ids and ids to text, against tokenizers and tiktoken: one process, one thread, one core.

Encoding is measured cold: no text is met twice, as in a corpus. Every call takes the next 256 KB of the installed packages'
sources, both sides the same ones in the same order, so that a cache of words holds what earlier text had and nothing more.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from benches.harness import gate
from codex.tokens import END_OF_DOCUMENT, Tokenizer, train_bpe

VOCABULARY_SIZE = 4096
DOCUMENT_CHARACTERS = 1 << 16
#: Of one call when text must be new: with the checks, the tries and the rounds a gate makes at most 36 of them.
SLICE_DOCUMENTS = 4
SLICES = 36
#: The pattern of ours and of `tokenizers`, as tiktoken spells it for its own GPT-2.
GPT2_PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


@pytest.fixture(scope="module", autouse=True)
def _one_thread_on_one_core() -> Iterator[None]:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.fixture(scope="module")
def documents() -> list[str]:
    folder = Path(sysconfig.get_path("stdlib"))
    text = "\n".join(path.read_bytes().decode("utf-8") for path in sorted(folder.glob("*.py")))
    return [text[at : at + DOCUMENT_CHARACTERS] for at in range(0, len(text), DOCUMENT_CHARACTERS)][:24]


@pytest.fixture(scope="module")
def ours(documents: list[str]) -> Tokenizer:
    return train_bpe(documents, VOCABULARY_SIZE)


@pytest.fixture(scope="module")
def theirs(ours: Tokenizer) -> Any:
    import tokenizers

    loaded = tokenizers.Tokenizer.from_str(ours.to_json().decode())
    loaded.encode_special_tokens = True
    return loaded


@pytest.fixture(scope="module")
def new_text() -> list[list[str]]:
    """Slices of documents, none of which holds the text of another."""
    folder = Path(sysconfig.get_path("purelib"))
    texts = (path.read_bytes().decode("utf-8", "replace") for path in sorted(folder.rglob("*.py")))
    documents = (
        text[at : at + DOCUMENT_CHARACTERS]
        for text in texts
        for at in range(0, len(text), DOCUMENT_CHARACTERS)
        if at + DOCUMENT_CHARACTERS <= len(text)
    )
    slices = [list(islice(documents, SLICE_DOCUMENTS)) for _ in range(SLICES)]
    assert len(slices[-1]) == SLICE_DOCUMENTS, "too few packages are installed"
    return slices


def _next_slice(slices: Sequence[list[str]], encode: Callable[[list[str]], Any]) -> Callable[[], Any]:
    """A call that encodes what it has not met before."""
    numbers = count()
    return lambda: encode(slices[next(numbers)])


def bench_encode(benchmark: Any, ours: Tokenizer, theirs: Any, new_text: list[list[str]]) -> None:
    codex = _next_slice(new_text, lambda texts: ours.encode_batch(texts, "text", threads=1))
    peer = _next_slice(new_text, theirs.encode_batch_fast)

    def equal(left: list[Any], right: list[Any]) -> bool:
        return bool(left == [encoding.ids for encoding in right])

    gate(benchmark, "tokens.encode", codex, peer, rounds=10, equal=equal)


def bench_encode_against_tiktoken(benchmark: Any, ours: Tokenizer, new_text: list[list[str]]) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    ranks = {ours.decode_bytes([number]): number for number in range(1, ours.vocab_size)}
    special = {END_OF_DOCUMENT: ours.end_of_document_id}
    theirs = tiktoken.Encoding("ours", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens=special)
    codex = _next_slice(new_text, lambda texts: ours.encode_flat(texts, "text", threads=1))
    peer = _next_slice(new_text, lambda texts: [theirs.encode_ordinary(text) for text in texts])

    def equal(left: tuple[Any, Any], right: list[list[int]]) -> bool:
        ids, offsets = left
        return [ids[a:b].tolist() for a, b in pairwise(offsets.tolist())] == right

    gate(benchmark, "tokens.encode_tiktoken", codex, peer, rounds=10, equal=equal)


def bench_decode(benchmark: Any, ours: Tokenizer, theirs: Any, documents: list[str]) -> None:
    rows = ours.encode_batch(documents, "text")

    def codex() -> list[str]:
        return [ours.decode(row) for row in rows]

    def peer() -> Any:
        return theirs.decode_batch(rows, skip_special_tokens=False)

    gate(benchmark, "tokens.decode", codex, peer, rounds=10)
