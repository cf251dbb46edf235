"""Vocabularies trained on the spot by `tokenizers`, set up at random, give the same ids when we read their files.

Each seed draws normalizers, pre-tokenizers, model options and added tokens with all their flags. `make torture` draws many.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest
import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers

from benches.tokens.strings import runs, strings
from benches.tokens.texts import languages
from codex.tokens import Tokenizer

SETUPS = 200 if os.environ.get("CODEX_TORTURE_PARITY") else 16
SEED = int(os.environ.get("CODEX_TORTURE_SEED", "6"))

Made = tuple[str, Any]

PATTERNS = [
    r"\p{L}+|\p{N}{1,2}|[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[a-z]+|[A-Z]+|[0-9]|[^a-zA-Z0-9]+",
    r"\w+|[^\w\s]+|\s+",
    r"\s+",
    r".{1,7}",
    r"[\u4e00-\u9fa5]+|[^\u4e00-\u9fa5]+",
]
BEHAVIORS = ["isolated", "merged_with_previous", "merged_with_next", "contiguous"]


def draw_normalizer(chance: random.Random) -> Made:
    simple: list[Made] = [
        ("none", None),
        ("NFC", normalizers.NFC()),
        ("NFD", normalizers.NFD()),
        ("NFKC", normalizers.NFKC()),
        ("NFKD", normalizers.NFKD()),
        ("lowercase", normalizers.Lowercase()),
        ("strip", normalizers.Strip(left=chance.random() < 0.5, right=chance.random() < 0.5)),
        ("accents", normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])),
        ("replace", normalizers.Replace("e", "3")),
        ("prepend", normalizers.Prepend("_")),
    ]
    if chance.random() < 0.5:
        return chance.choice(simple)
    chosen = chance.sample(simple[1:], 2)
    return " and ".join(name for name, _ in chosen), normalizers.Sequence([made for _, made in chosen])


def draw_pre_tokenizer(chance: random.Random) -> Made:
    whole = pre_tokenizers.ByteLevel(add_prefix_space=chance.random() < 0.3, use_regex=True)
    step = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pattern, behavior = chance.choice(PATTERNS), chance.choice(BEHAVIORS)
    split = pre_tokenizers.Split(Regex(pattern), behavior, invert=chance.random() < 0.3)
    inner: list[Made] = [
        (f"split {pattern} {behavior}", split),
        ("digits", pre_tokenizers.Digits(individual_digits=chance.random() < 0.5)),
        ("punctuation", pre_tokenizers.Punctuation(behavior)),
        ("split at a text", pre_tokenizers.Split("the", behavior)),
    ]
    if chance.random() < 0.25:
        return "byte level", whole
    chosen = chance.sample(inner, chance.choice([1, 1, 2]))
    return " and ".join(name for name, _ in chosen), pre_tokenizers.Sequence(
        [*(made for _, made in chosen), step]
    )


def draw_added(chance: random.Random) -> list[AddedToken]:
    contents = [
        "<|a|>",
        "<mask>",
        "[SEP]",
        "the",
        "é",
        "ing",
        "New York",
        "文字",
        "e\u0301",
        "<|a|>x",
        "\uff21",
        "\n\n",
    ]
    return [
        AddedToken(
            content,
            single_word=chance.random() < 0.3,
            lstrip=chance.random() < 0.3,
            rstrip=chance.random() < 0.3,
            normalized=chance.random() < 0.5,
            special=chance.random() < 0.5,
        )
        for content in chance.sample(contents, chance.randint(0, 6))
    ]


def told_apart(theirs: tokenizers.Tokenizer, drawn: list[AddedToken]) -> list[AddedToken]:
    """Without those of which the normalizer leaves nothing, where they panic, or what another is, where they take either."""
    kept: dict[tuple[bool, str], AddedToken] = {}
    for token in drawn:
        text = (
            theirs.normalizer.normalize_str(token.content)
            if token.normalized and theirs.normalizer
            else token.content
        )
        if text:
            kept.setdefault((token.normalized, text), token)
    return list(kept.values())


def with_other_merges(theirs: tokenizers.Tokenizer, chance: random.Random) -> tokenizers.Tokenizer:
    """The same vocabulary with merges that no trainer makes: all ways to a token, or an order of chance; and as strings."""
    document = json.loads(theirs.to_str())
    vocabulary = document["model"]["vocab"]
    ways = [
        [token[:at], token[at:]]
        for token in vocabulary
        for at in range(1, len(token))
        if token[:at] in vocabulary and token[at:] in vocabulary
    ]
    if chance.random() < 0.5:
        ways = document["model"]["merges"]
    if chance.random() < 0.5:
        chance.shuffle(ways)
    document["model"]["merges"] = [" ".join(way) for way in ways]
    return tokenizers.Tokenizer.from_str(json.dumps(document))


def training_texts(chance: random.Random) -> list[str]:
    texts = list(languages().values())
    return [*(text[:3000] for text in chance.sample(texts, 12)), *strings(200, chance.randrange(1 << 30))]


def draw_byte_level(seed: int) -> tuple[str, tokenizers.Tokenizer]:
    chance = random.Random(seed)
    theirs = tokenizers.Tokenizer(models.BPE(ignore_merges=chance.random() < 0.3))
    normalizer, theirs.normalizer = draw_normalizer(chance)
    pre_tokenizer, theirs.pre_tokenizer = draw_pre_tokenizer(chance)
    theirs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=chance.choice([300, 1000, 3000]),
        show_progress=False,
        special_tokens=chance.choice([[], ["<|endoftext|>"], ["<s>", "</s>", "<unk>"]]),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=chance.choice([None, 6, 16]),
    )
    theirs.train_from_iterator(training_texts(chance), trainer)
    if other := chance.random() < 0.3:
        theirs = with_other_merges(theirs, chance)
    added = told_apart(theirs, draw_added(chance))
    theirs.add_tokens([token for token in added if not token.special])
    theirs.add_special_tokens([token for token in added if token.special])
    return f"seed {seed}: {normalizer}; {pre_tokenizer}; other merges {other}; {added}", theirs


def draw_characters(seed: int) -> tuple[str, tokenizers.Tokenizer]:
    """As SentencePiece has it: characters, bytes to fall back on, spaces as `▁`."""
    chance = random.Random(seed)
    theirs = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    scheme = chance.choice(["always", "never", "first"])
    if metaspace := chance.random() < 0.5:
        theirs.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=chance.random() < 0.5)
    else:
        spaces = [normalizers.Replace(" ", "▁")]
        theirs.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), *spaces])
    theirs.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        show_progress=False,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        limit_alphabet=400,
        max_token_length=chance.choice([8, 16]),
    )
    theirs.train_from_iterator(training_texts(chance), trainer)
    added = told_apart(theirs, draw_added(chance))
    theirs.add_tokens([token for token in added if not token.special])
    theirs.add_special_tokens([token for token in added if token.special])
    return f"seed {seed}: metaspace {metaspace} {scheme}; {added}", theirs


def held_out_texts(seed: int, theirs: tokenizers.Tokenizer) -> list[str]:
    chance = random.Random(seed + 1)
    added = [token.content for token in theirs.get_added_tokens_decoder().values()]
    fronts, ends = ["", " ", "x", "  "], ["", " ", "y", " \n"]
    spaced = [chance.choice(fronts) + text + chance.choice(ends) for text in added]
    pieces = [text[6000:8000] for text in chance.sample(list(languages().values()), 20)]
    return [*strings(400, seed, added), *spaced, "".join(spaced), *pieces, *list(runs())[::23], "", " "]


def their_ids(theirs: tokenizers.Tokenizer, text: str) -> list[int] | None:
    """None where they panic: at an added token that begins after its end, its spaces being those of the one before it."""
    try:
        ids: list[int] = theirs.encode(text, add_special_tokens=False).ids
    except BaseException as error:
        assert "PanicException" in type(error).__name__
        return None
    return ids


def assert_same(label: str, theirs: tokenizers.Tokenizer, texts: list[str]) -> None:
    ours = Tokenizer.from_json(theirs.to_str().encode())
    answers = {text: their_ids(theirs, text) for text in texts}
    expected = [ids for ids in answers.values() if ids is not None]
    assert len(expected) > 0.95 * len(answers)
    for text, ids in answers.items():
        assert ids is None or ours.encode(text, "ids") == ids, f"{label}\n{text!r}"
    added = theirs.get_added_tokens_decoder()
    quirks = {number for number, token in added.items() if token.normalized or not token.content.isascii()}
    plain = [ids for ids in expected if quirks.isdisjoint(ids)]  # others they decode as their normalized text
    for ids, text in zip(plain, theirs.decode_batch(plain, skip_special_tokens=False), strict=True):
        assert ours.decode(ids) == text, f"{label}\n{ids}"


@pytest.mark.parametrize("number", range(SETUPS))
def test_a_byte_level_vocabulary_of_any_setup(number: int) -> None:
    label, theirs = draw_byte_level(SEED * 1000 + number)
    assert_same(label, theirs, held_out_texts(number, theirs))


@pytest.mark.parametrize("number", range(SETUPS // 2))
def test_a_vocabulary_of_characters_with_bytes_to_fall_back_on(number: int) -> None:
    label, theirs = draw_characters(SEED * 1000 + number)
    assert_same(label, theirs, held_out_texts(number, theirs))
