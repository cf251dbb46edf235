"""Training learns the merges of tokenizers' trainer, with the same ids, ties included."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex.errors import UsageError
from codex.tokens import train_bpe


def all_equal() -> list[str]:
    """Every pair of letters once, so that nothing but the rule for ties decides."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [" ".join(left + right for left in letters for right in letters)]


CORPORA: dict[str, list[str]] = {
    "nothing": [],
    "one empty text": [""],
    "one character": ["a"],
    "tiny": ["low lower lowest", "new newer newest"],
    "a run": ["a" * 1000, "a" * 7, "aa aaa aaaa aaaaa"],
    "overlaps": ["abababab bababa abab aabb abba"],
    "all counts equal": all_equal(),
    "all counts equal, three letters": [
        " ".join(a + b + c for a in "abcdef" for b in "abcdef" for c in "abcdef")
    ],
    "white space": ["\n\n\n \t \r\n  \n" * 30, " " * 999],
    "many scripts": ["中文中文 한국어한국어 naïve café Ελληνικά עברית \U0001f600\U0001f600" * 5],
    "numbers": [str(number) for number in range(3000)],
}


def as_document(ours: Any) -> str:
    return ours.to_json().decode()


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("vocabulary_size", [257, 258, 300, 2000])
def test_small_corpora_give_the_same_file(train_theirs: Any, name: str, vocabulary_size: int) -> None:
    texts = CORPORA[name]
    assert as_document(train_bpe(texts, vocabulary_size)) == train_theirs(texts, vocabulary_size).to_str(
        pretty=True
    )


def test_the_standard_library_gives_the_same_file(pair: Any) -> None:
    assert as_document(pair.ours) == pair.theirs.to_str(pretty=True)
    assert pair.ours.vocab_size == 4096


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(alphabet="aab  é\n", max_size=60), max_size=6), size=st.integers(257, 330))
def test_random_corpora_give_the_same_file(train_theirs: Any, texts: list[str], size: int) -> None:
    assert as_document(train_bpe(texts, size)) == train_theirs(texts, size).to_str(pretty=True)


def test_several_special_tokens_come_first_in_the_given_order(train_theirs: Any) -> None:
    specials = ["<|endoftext|>", "<|pad|>", "[MASK]"]
    ours = train_bpe(["some text, some more text"], 280, specials)
    assert as_document(ours) == train_theirs(["some text, some more text"], 280, specials).to_str(pretty=True)
    assert ours.special_tokens == {"<|endoftext|>": 0, "<|pad|>": 1, "[MASK]": 2}
    assert ours.end_of_document_id == 0


def test_the_order_of_the_texts_does_not_matter(pair: Any, sources: list[str]) -> None:
    shuffled = sources[::3]
    random.Random(7).shuffle(shuffled)
    assert train_bpe(iter(shuffled), 4096).fingerprint == pair.ours.fingerprint


def test_a_vocabulary_larger_than_reachable_is_as_large_as_it_gets(train_theirs: Any) -> None:
    ours = train_bpe(["abc abc"], 60_000)
    assert ours.vocab_size == 257 + len(["ab", "abc", " abc"])
    assert as_document(ours) == train_theirs(["abc abc"], 60_000).to_str(pretty=True)


@pytest.mark.parametrize("size", [-5, 0, 256])
def test_a_vocabulary_without_room_for_the_bytes_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="expected at least 257: every byte and special token has an id"):
        train_bpe(["abc"], size)
    with pytest.raises(UsageError, match="expected at most 4294967295: an id has 32 bits"):
        train_bpe(["abc"], 1 << 40)


@pytest.mark.parametrize(
    ("specials", "message"),
    [
        ([""], "a special token is empty"),
        (["<x>", "<x>"], "special token `<x>` is given twice"),
        (["a"], "special token `a` is also spelt by ordinary text"),
        (["the"], "special token `the` is also spelt by ordinary text"),
    ],
)
def test_a_special_token_needs_a_text_of_its_own(specials: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_bpe(["the the the"], 400, specials)
