"""Forms of a tokenizer: what is read of one does what `tokenizers` does, and what is written is read by it with equal ids."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Reference
from tokenizers import normalizers

from codex.errors import DamageError
from codex.tokens import Tokenizer, train_bpe

#: Every scalar, in blocks.
SCALARS = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
BLOCKS = [SCALARS[start : start + 4096] for start in range(0, len(SCALARS), 4096)]
MARKS = "ae\u00e9\u0301\u0300\u0323\u0327\u1100\u1161\u11a8\uac00\u212b\ufb01\u3099\u304b\u09c7\u09be\U00011935\U00011930 "


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """A trained tokenizer as JSON."""
    texts = ["the cat sat on the mat, New York, naïve déjà vu, don't  stop 123", "中文 中文 e\u0301"]
    trained: dict[str, Any] = json.loads(train_bpe(texts, 400).to_json())
    return trained


def read(document: dict[str, Any]) -> tuple[Tokenizer, Reference]:
    """The same document read by us and by `tokenizers`."""
    data = json.dumps(document)
    return Tokenizer.from_json(data.encode()), Reference.from_str(data)


def texts(seed: int, count: int) -> list[str]:
    """Short strings of characters that meet each other in every way."""
    rng = random.Random(seed)
    pool = [*MARKS, "the", "cat", "New York", "  ", "\n", "'s", "<x>", "<y>", "\u3000", "<|endoftext|>"]
    return ["".join(rng.choices(pool, k=rng.randint(0, 24))) for _ in range(count)]


NORMALIZERS: dict[str, tuple[dict[str, Any], Any]] = {
    "NFC": ({"type": "NFC"}, normalizers.NFC()),
    "NFD": ({"type": "NFD"}, normalizers.NFD()),
    "NFKC": ({"type": "NFKC"}, normalizers.NFKC()),
    "NFKD": ({"type": "NFKD"}, normalizers.NFKD()),
    "Lowercase": ({"type": "Lowercase"}, normalizers.Lowercase()),
    "StripAccents": ({"type": "StripAccents"}, normalizers.StripAccents()),
    "Strip": (
        {"type": "Strip", "strip_left": True, "strip_right": True},
        normalizers.Strip(left=True, right=True),
    ),
}


@pytest.mark.parametrize("name", NORMALIZERS)
def test_every_scalar_is_normalized_as_by_tokenizers(document: dict[str, Any], name: str) -> None:
    part, reference = NORMALIZERS[name]
    ours, _ = read(document | {"normalizer": part})
    for text in BLOCKS + texts(1, 2000):
        assert ours.decode(ours.encode(text, "text")) == reference.normalize_str(text)


@pytest.mark.parametrize(
    "parts",
    [
        {
            "normalizer": {
                "type": "Sequence",
                "normalizers": [{"type": "NFKD"}, {"type": "Lowercase"}, {"type": "StripAccents"}],
            }
        },
        {"normalizer": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "_"}},
        {"normalizer": {"type": "Replace", "pattern": {"String": "cat"}, "content": "the\u0301"}},
        {"normalizer": {"type": "Prepend", "prepend": "the "}},
        {
            "pre_tokenizer": {
                "type": "ByteLevel",
                "add_prefix_space": True,
                "trim_offsets": True,
                "use_regex": True,
            }
        },
        {
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [
                    {"SpecialToken": {"id": "x", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                ],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"x": {"id": "x", "ids": [0, 5], "tokens": ["<|endoftext|>", "%"]}},
            }
        },
        {
            "post_processor": {
                "type": "RobertaProcessing",
                "sep": ["a", 66],
                "cls": ["b", 67],
                "trim_offsets": True,
                "add_prefix_space": False,
            }
        },
    ],
)
def test_ids_are_equal_and_stay_equal_when_written(document: dict[str, Any], parts: dict[str, Any]) -> None:
    ours, reference = read(document | parts)
    again = Tokenizer.from_json(ours.to_json())
    written = Reference.from_str(ours.to_json().decode())
    assert again.fingerprint == ours.fingerprint
    before, behind = ours._core.ids_around
    for text in texts(2, 1000):
        ids = ours.encode(text, "ids")
        expected = reference.encode(text).ids
        assert [*before, *ids, *behind] == expected
        assert written.encode(text).ids == expected
        assert again.encode(text, "ids") == ids


def test_a_file_is_read_alike_from_the_cache(document: dict[str, Any], tmp_path: Path) -> None:
    path, cache = tmp_path / "tokenizer.json", tmp_path / "cache"
    path.write_text(json.dumps(document | {"normalizer": {"type": "NFC"}}))
    ours = Tokenizer.from_file(path)
    for _ in range(2):
        cached = type(ours)(type(ours._core).from_file_cached(path, cache))
        assert cached.fingerprint == ours.fingerprint
        for text in texts(3, 200):
            assert cached.encode(text, "ids") == ours.encode(text, "ids")
    [kept] = (cache / "tokenizers").iterdir()
    damaged = bytearray(kept.read_bytes())
    damaged[-1] ^= 1
    kept.write_bytes(damaged)
    assert type(ours._core).from_file_cached(path, cache).fingerprint == ours.fingerprint


def test_a_newer_unicode_is_another_tokenizer(document: dict[str, Any]) -> None:
    ours, _ = read(document | {"normalizer": {"type": "NFC"}})
    newer = ours._core.with_newer_unicode()
    assert newer.fingerprint != ours.fingerprint
    assert newer.encode("\U00011935\U00011930", "text") == ours.encode("\U00011938", "text")
    assert ours.encode("\U00011935\U00011930", "text") != ours.encode("\U00011938", "text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested deeper than 128"),
        ('{"model": ' * 100_000, "nested deeper than 128"),
        ('{"model": {"vocab": {"a": 0, "a": 1}}}', "the key `a` stands twice at line 1 column"),
        ('{"model": {"vocab": {"a": 0}, "merges": ["a b"]}}', "`model.merges[0]` needs `b`"),
        ('{"model": {"vocab": {"a": 0, "b": 0}, "merges": []}}', "is null, expected"),
        ('{"model": {"vocab": {"a": 4294967296}}}', "`model.vocab.a` is 4294967296, expected an id"),
        ('{"model": {"vocab": {"a', "a string does not end at line 1 column"),
        ('{"version": "1.0"', "expected `}` at line 1 column 18"),
    ],
)
def test_damaged_files_are_refused_by_place(text: str, message: str) -> None:
    with pytest.raises(DamageError, match=re.escape(message)):
        Tokenizer.from_json(text.encode())


def test_a_million_merges_are_read(document: dict[str, Any]) -> None:
    letters = [chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\']
    vocab = dict(document["model"]["vocab"])
    merges = []
    # Pairs of pairs: tokens of two letters from all, of four from the first thousand.
    pairs = [left + right for left in letters for right in letters]
    for pair in pairs:
        vocab.setdefault(pair, len(vocab))
        merges.append([pair[0], pair[1]])
    for left in pairs[:1000]:
        for right in pairs[:1000]:
            vocab.setdefault(left + right, len(vocab))
            merges.append([left, right])
    model = document["model"] | {"vocab": vocab, "merges": merges}
    ours = Tokenizer.from_json(json.dumps(document | {"model": model}).encode())
    assert len(merges) > 1_000_000
    assert ours.encode("!!!!!", "text") == [vocab["!!!!"], vocab["!"]]
