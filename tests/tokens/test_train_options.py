"""Every option of training that changes the result changes it as in tokenizers, wherever tokenizers gives one result."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from codex.errors import UsageError
from codex.tokens import BpeOptions, learn_bpe

CL100K = (
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
    r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
)


def model(texts: Sequence[str], size: int, pattern: str | None = None, **options: Any) -> dict[str, Any]:
    """Vocabulary and merges of tokenizers."""
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if pattern:
        split = pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
        spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        theirs.pre_tokenizer = pre_tokenizers.Sequence([split, spell])
    options = {"initial_alphabet": pre_tokenizers.ByteLevel.alphabet(), "show_progress": False, **options}
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<|endoftext|>"], **options)
    theirs.train_from_iterator(texts, trainer)
    return parts(theirs.to_str().encode())


def parts(document: bytes) -> dict[str, Any]:
    found = json.loads(document)["model"]
    return {"vocab": found["vocab"], "merges": found["merges"]}


def learnt(texts: Sequence[str], size: int, **options: Any) -> dict[str, Any]:
    return parts(learn_bpe(texts, size, BpeOptions(**options)).json)


@pytest.mark.parametrize(
    "options",
    [{"min_frequency": n} for n in (0, 1, 2, 3, 50)]
    + [{"max_token_length": n} for n in (0, 1, 2, 3, 4, 7, 16)]
    + [{"min_frequency": 4, "max_token_length": 5}],
    ids=str,
)
def test_limits_of_frequency_and_length(sources: list[str], options: dict[str, int]) -> None:
    texts = [
        *(text[:20_000] for text in sources[5:9]),
        "aaaaaaaaaaaaaaaaaaaaaaa abababababababab 中文中文 xyzxyzxyzxyz",
    ]
    assert learnt(texts, 700, **options) == model(texts, 700, **options)


@pytest.mark.parametrize("pattern", [CL100K, r"\p{L}+|\s+", "[^\n]+|\n", "a"])
def test_other_patterns(sources: list[str], pattern: str) -> None:
    texts = [
        *(text[:20_000] for text in sources[40:43]),
        "naïve 12345 -- don't\r\n\r\n  DON'T  \t x 中文。中文 🙂🙂",
    ]
    assert learnt(texts, 900, pattern=pattern) == model(texts, 900, pattern)


def test_an_alphabet_of_the_bytes_that_are_there(sources: list[str]) -> None:
    texts = [text[:20_000] for text in sources[9:12]]
    assert learnt(texts, 400, initial_alphabet=b"") == model(texts, 400, initial_alphabet=[])
    ours = learnt(texts, 400, initial_alphabet=b"\xff\x00")
    assert ours == model(texts, 400, initial_alphabet=["ÿ", "Ā"])


def test_a_limited_alphabet_keeps_the_most_frequent(sources: list[str]) -> None:
    texts = [text[:20_000] for text in sources[9:12]]
    counts = sorted(Counter("".join(texts).encode()).values(), reverse=True)
    limits = [
        n for n in range(10, len(counts)) if counts[n - 1] > counts[n]
    ]  # between equals tokenizers draws lots
    assert len(limits) > 10
    for limit in limits[::8]:
        options = {"limit_alphabet": limit}
        ours = learnt(texts, 300, initial_alphabet=b"", **options)
        assert ours == model(texts, 300, initial_alphabet=[], **options)


def test_a_suffix_gives_their_vocabulary_and_the_same_one_every_time() -> None:
    words = ["low", "lower", "lowest", "new", "newer", "wide", "wider"]
    texts = [" ".join(word for number, word in enumerate(words) for _ in range(3**number + number))]
    ours = learnt(texts, 60, initial_alphabet=b"", end_of_word_suffix="</w>")
    theirs = model(texts, 60, initial_alphabet=[], end_of_word_suffix="</w>")
    assert set(ours["vocab"]) == set(theirs["vocab"])
    symbols = sorted(name for name in ours["vocab"] if name.endswith("</w>") and len(name) == 5)
    assert symbols == [name for name in ours["vocab"] if name in symbols], "in the order of code points"
    random.Random(3).shuffle(texts)
    assert learnt(texts, 60, initial_alphabet=b"", end_of_word_suffix="</w>") == ours


def test_rare_characters_take_no_part_where_asked() -> None:
    texts = ["abc " * 50 + "aéc " * 5]
    assert learnt(texts, 300) == learnt(texts, 300, character_coverage=1.0)
    tokens = learnt(texts, 300, character_coverage=0.95)["vocab"]
    assert "Ġabc" in tokens
    assert not [name for name in tokens if len(name) > 1 and ("Ã" in name or "©" in name) and name[0] != "<"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_frequency": -1}, "`min_frequency` is -1, expected 0 or more"),
        ({"limit_alphabet": -1}, "`limit_alphabet` is -1, expected 0 or more"),
        ({"character_coverage": 0.0}, "`character_coverage` is 0, expected above 0 and at most 1"),
        ({"character_coverage": 1.5}, "`character_coverage` is 1.5, expected above 0 and at most 1"),
        ({"character_coverage": float("nan")}, "`character_coverage` is NaN, expected above 0 and at most 1"),
        ({"end_of_word_suffix": ""}, "`end_of_word_suffix` is empty, expected a mark such as `</w>`"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        learn_bpe(["a"], 300, BpeOptions(**options))
