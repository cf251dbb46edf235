"""Seven public vocabularies give the ids, the text and the offsets of `tokenizers` 0.23.3, whatever the text.

`make test` runs a seeded part; `make torture` sets `CODEX_TORTURE_PARITY` to the number of short strings and with it takes every
document: more than 5,000 a vocabulary. `CODEX_TORTURE_SEED` chooses others.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterator, Sequence

import pytest
import tokenizers

from benches.tokens.strings import families, runs, scalars, strings
from benches.tokens.texts import documents, languages
from benches.tokens.vocabularies import NAMES, tokenizer_path
from codex.tokens import Tokenizer

STRINGS = int(os.environ.get("CODEX_TORTURE_PARITY", "0"))
SEED = int(os.environ.get("CODEX_TORTURE_SEED", "6"))
#: In `make test` one document of so many.
SHARE = 1 if STRINGS else 12


@functools.lru_cache(maxsize=2)
def both(name: str) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    path = tokenizer_path(name)
    return Tokenizer.from_file(path), tokenizers.Tokenizer.from_file(str(path))


def specials_of(theirs: tokenizers.Tokenizer) -> list[str]:
    return [token.content for token in theirs.get_added_tokens_decoder().values()]


def shortest(text: str, differs: Callable[[str], bool]) -> str:
    """The shortest part of `text` found that still differs: halves, then quarters, and so on are left out."""
    size = max(len(text) // 2, 1)
    while size:
        at = 0
        while at < len(text):
            smaller = text[:at] + text[at + size :]
            if differs(smaller):
                text = smaller
            else:
                at += size
        size //= 2
    return text


def assert_same_ids(name: str, texts: Sequence[str]) -> None:
    ours, theirs = both(name)
    expected = [encoding.ids for encoding in theirs.encode_batch_fast(list(texts), add_special_tokens=False)]
    found = ours.encode_batch(texts, "ids")
    if found == expected:
        return
    wrong = [text for text, one, other in zip(texts, found, expected, strict=True) if one != other]

    def differs(text: str) -> bool:
        return ours.encode(text, "ids") != theirs.encode(text, add_special_tokens=False).ids

    text = shortest(min(wrong, key=len), differs)
    pytest.fail(
        f"{name}: {len(wrong)} of {len(texts)} texts differ; {text!r} is {ours.encode(text, 'ids')}, "
        f"expected {theirs.encode(text, add_special_tokens=False).ids}"
    )


def real_texts(seed: int) -> Iterator[str]:
    """Every language, and the mixture of a corpus, in documents of a few kilobytes."""
    for text in languages().values():
        yield from (text[at : at + 1500] for at in range(0, min(len(text), 9000), 1500))
    for kind in ("mixed", "chinese", "emoji"):
        yield from documents(kind, 3 << 19, document_bytes=3 << 10, seed=seed)


def some(texts: Iterator[str], share: int = SHARE) -> list[str]:
    """One text of `share`, chosen by the seed."""
    chance = random.Random(SEED)
    return [text for text in texts if chance.randrange(share) == 0]


@functools.cache
def real() -> list[str]:
    return some(real_texts(SEED))


@pytest.mark.parametrize("name", NAMES)
def test_real_text_of_a_hundred_languages_has_their_ids(name: str) -> None:
    assert_same_ids(name, real())


@pytest.mark.parametrize("name", NAMES)
def test_every_scalar_value_has_their_ids(name: str) -> None:
    assert_same_ids(name, [*scalars(step=1 if STRINGS else 97), "".join(map(chr, range(0x700)))])


@pytest.mark.parametrize("name", NAMES)
def test_runs_and_made_up_trouble_have_their_ids(name: str) -> None:
    texts = some(runs(), SHARE * 2 if SHARE > 1 else 1)
    for family, make in families(SEED).items():
        made = list(make())
        texts += made if STRINGS else made[:1] if family == "words" else made[:5]
    assert_same_ids(name, texts)


@pytest.mark.parametrize("name", NAMES)
def test_short_strings_with_special_tokens_have_their_ids(name: str) -> None:
    specials = specials_of(both(name)[1])
    assert_same_ids(name, list(strings(STRINGS or 3000, SEED, specials)))


@pytest.mark.parametrize("name", NAMES)
def test_ids_become_their_text_again(name: str) -> None:
    ours, theirs = both(name)
    texts = [*real()[::7], *strings(300, SEED, specials_of(theirs)), *next(iter(families(SEED).values()))()]
    rows = ours.encode_batch(texts, "ids")
    chance = random.Random(SEED)
    rows += [[chance.choice(row) for _ in range(60)] for row in rows if row]  # ids in an order no text gives
    expected = theirs.decode_batch(rows, skip_special_tokens=False)
    for row, text in zip(rows, expected, strict=True):
        assert ours.decode(row) == text, f"{name}: {row}"
