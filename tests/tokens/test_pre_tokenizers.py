"""Texts are cut into words as `tokenizers` 0.23.3 cuts them, whatever the list of pre-tokenizers and whatever the text.

The vocabulary is learnt from texts that are one word each, so its merges would join anything: ids are the same only if every
edge of a word is where the other side has it.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tokenizers import Tokenizer as Reference
from tokenizers import decoders, models, pre_tokenizers, trainers

from codex.errors import DamageError
from codex.tokens import Tokenizer

CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = [
    CL100K,
    CL100K.replace("{1,3}", ""),
    O200K,
    r"\p{N}{1,3}+|[^\r\n\p{L}\p{N}]?+\p{L}++|\s++$|\s",
    r"[\p{Han}]+|[\p{L}\p{M}&&[^\p{Han}]]+",
    "[一-龥\u3040-\u309f\u30a0-\u30ff]+",
    r"[0-9][0-9][0-9]",
    r"(?=[A-Z])",
    r"\w+|[^\w\s]",
    r"(?<=\s)\S|\b",
    r"^.|.$|\n\Z",
    r"(?<!\p{L})\p{L}{2,4}?",
    r"x*",
    r"(?i:k|s)|\h{2}",
    r"\S+?(?=\s|$)",
    r"(?>[a-z]+)s?",
]
PARTS = [
    *"abstrelvmdSTREkK'''   \n\r\t019²½.,!?-_/$+éÉñßK中文字あカ한БǅʰªⅧⒶ①😀🇦",
    *"\u017f\u212a\u0301\u0903\u200d\u3000\xa0\u2028\x85\u0430\x00\ue000\u0e33\u0e34\u0378\U0010ffff",
    *["'s", "'LL", "  ", "\r\n", "don't", "ABCdef", "ABC中d"],
]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def some_text(of: random.Random) -> str:
    """Short or long, of all parts or in runs of a few, or of any scalars."""
    kind = of.randrange(4)
    if kind == 0:
        scalars = (
            of.choice([of.randrange(0x80), of.randrange(0x3000), of.randrange(0x110000)]) for _ in range(10)
        )
        return "".join(chr(c) for c in scalars if not 0xD800 <= c < 0xE000)
    if kind == 1:
        return "".join(of.choice(PARTS) * of.randrange(1, 6) for _ in range(of.randrange(8)))
    return "".join(of.choice(PARTS) for _ in range(of.randrange(12 if kind == 2 else 200)))


def some_step(of: random.Random) -> dict[str, Any]:
    """One pre-tokenizer other than `ByteLevel`."""
    kind = of.randrange(9)
    behavior = of.choice(BEHAVIORS)
    if kind < 4:
        pattern = (
            {"Regex": of.choice(PATTERNS)}
            if of.random() < 0.8
            else {"String": of.choice([" ", "a", "'", "\n", "中"])}
        )
        return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": of.random() < 0.3}
    return [
        {"type": "Digits", "individual_digits": True},
        {"type": "Digits", "individual_digits": False},
        {"type": "Punctuation", "behavior": behavior},
        {"type": "Whitespace"},
        {"type": "WhitespaceSplit"},
    ][kind - 4]


def some_list(of: random.Random) -> dict[str, Any]:
    """Up to three pre-tokenizers, and `ByteLevel` at the end or among them."""
    steps = [some_step(of) for _ in range(of.randrange(4))]
    place = of.randrange(len(steps) + 1) if of.random() < 0.3 else len(steps)
    spell = {
        "type": "ByteLevel",
        "add_prefix_space": of.random() < 0.4,
        "trim_offsets": True,
        "use_regex": of.random() < 0.5,
    }
    return {"type": "Sequence", "pretokenizers": [*steps[:place], spell, *steps[place:]]}


def isolated(pattern: str) -> dict[str, Any]:
    """A pattern whose matches are words, as the files of most vocabularies have it."""
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    spell = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [split, spell]}


@pytest.fixture(scope="module")
def learnt() -> dict[str, Any]:
    """A `tokenizer.json` whose merges join anything to anything."""
    of = random.Random(6)
    texts = [some_text(of) for _ in range(2000)]
    reference = Reference(models.BPE())
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    reference.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    reference.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=6000, initial_alphabet=alphabet, show_progress=False)
    )
    found: dict[str, Any] = json.loads(reference.to_str())
    return found


def assert_same(learnt: dict[str, Any], pre_tokenizer: dict[str, Any], texts: list[str]) -> None:
    """Hold the ids of `texts`, and the characters they come from, to those of `tokenizers`."""
    file = json.dumps({**learnt, "pre_tokenizer": pre_tokenizer})
    ours, reference = Tokenizer.from_json(file.encode()), Reference.from_str(file)
    for text in texts:
        assert ours.encode(text) == reference.encode(text, add_special_tokens=False).ids, (
            pre_tokenizer,
            text,
        )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_cuts_as_the_reference_does(learnt: dict[str, Any], pattern: str) -> None:
    of = random.Random(pattern)
    texts = [some_text(of) for _ in range(150)]
    assert_same(learnt, isolated(pattern), texts)


@pytest.mark.parametrize("seed", range(60))
def test_every_list_cuts_as_the_reference_does(learnt: dict[str, Any], seed: int) -> None:
    of = random.Random(seed)
    assert_same(learnt, some_list(of), [some_text(of) for _ in range(30)])


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (r"(a)\1", "back-reference"),
        (r"(?>ab)c", "atomic group of more than a repeated character"),
        (r"(?<=ab)c", "looks behind itself further than one character"),
        (r"(?:a*)*", "repeats without end what can be empty"),
        (r"[[:alpha:]]", "POSIX bracket"),
        ("(" * 100_000, "nested deeper than 100"),
        (r"(?:[ab]{1000}){1000}", "more than 2000 states"),
    ],
)
def test_a_pattern_that_cannot_be_run_exactly_is_refused_by_name(
    learnt: dict[str, Any], pattern: str, what: str
) -> None:
    file = json.dumps({**learnt, "pre_tokenizer": isolated(pattern)})
    with pytest.raises(DamageError, match=what):
        Tokenizer.from_json(file.encode())


@pytest.mark.parametrize(
    "pattern", [r"(?:a|a)+b|a", r"(?=a*b)a|(?!a*c)a", r"(?:a*){3}c|aa", r"\s+(?!\S)|\s+|a"]
)
def test_no_pattern_is_slow(learnt: dict[str, Any], pattern: str) -> None:
    """A matcher that comes back from failed choices would need years for these; `tokenizers` is not asked."""
    file = json.dumps({**learnt, "pre_tokenizer": isolated(pattern)})
    text = "a" * (1 << 20)
    tokenizer = Tokenizer.from_json(file.encode())
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("pattern", [r"\w+|[^\w\s]+|\s+", r"[\W_]+|[\w]", r"\W|[a[\w]]+"])
def test_superscripts_and_fractions_are_of_a_word_but_not_between_brackets(
    learnt: dict[str, Any], pattern: str
) -> None:
    assert_same(learnt, isolated(pattern), ["\U0001f1ea²1", "a²1 x¼y ½³¹¾ ¹", "1,234.56²1", "_²_"])
