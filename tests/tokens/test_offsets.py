"""Where ids come from is where `tokenizers` 0.23.3 says, for each normalizer, prefix and post-processor, to the character."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import tokenizers

from benches.tokens import vocabularies
from benches.tokens.strings import strings
from benches.tokens.texts import languages
from codex.tokens import Tokenizer, train_bpe

MARKS = [*"ae\u00e9\u0301\u0300\u0323\u0327\u1100\u1161\u11a8\uac00\u212b\ufb01\u3099\u304b\u09c7\u09be \n"]
PIECES = [*MARKS, "the", "cat", "İ", "É", "Ⅷ", "  ", "'s", "<x>", "\u3000", "\u2003", "<|endoftext|>"]


def assert_same_offsets(data: bytes, texts: list[str]) -> None:
    ours, theirs = Tokenizer.from_json(data), tokenizers.Tokenizer.from_str(data.decode())
    for text in texts:
        expected = theirs.encode(text, add_special_tokens=False)
        ids, spans = ours.encode_with_offsets(text, "ids", unit="chars")
        assert (ids, spans) == (expected.ids, expected.offsets), repr(text)


@pytest.mark.skipif(not vocabularies.PACKAGES.is_dir(), reason="needs `make .venv/.vocabularies`")
@pytest.mark.parametrize("name", vocabularies.NAMES)
def test_offsets_of_public_vocabularies(name: str) -> None:
    data = vocabularies.tokenizer_path(name).read_bytes()
    specials = [token["content"] for token in json.loads(data)["added_tokens"]]
    texts = [text[:400] for text in languages().values()]
    assert_same_offsets(data, [*texts, *strings(300, 7, specials), "", " ", "  a  b\n\nc", "▁a", "é😀x"])


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """A trained tokenizer as JSON."""
    texts = ["the cat sat on the mat, New York, naïve déjà vu, don't  stop 123", "中文 中文 e\u0301 ÉCOLE"]
    trained: dict[str, Any] = json.loads(train_bpe(texts, 400).to_json())
    return trained


def normalizer(*members: dict[str, Any]) -> dict[str, Any]:
    return {"normalizer": {"type": "Sequence", "normalizers": list(members)}}


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def byte_level(*, prefix: bool, trim: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": True}


def roberta(*, prefix: bool, trim: bool) -> dict[str, Any]:
    ends = {"sep": ["a", 66], "cls": ["b", 67]}
    return {"type": "RobertaProcessing", "add_prefix_space": prefix, "trim_offsets": trim, **ends}


def trimmed(*, prefix: bool, trim: bool) -> dict[str, Any]:
    before = byte_level(prefix=prefix, trim=True)
    return {"pre_tokenizer": before, "post_processor": byte_level(prefix=prefix, trim=trim)}


FORMS = {
    **{name: normalizer({"type": name}) for name in ("NFC", "NFD", "NFKC", "NFKD")},
    "Lowercase": normalizer({"type": "Lowercase"}),
    "Strip": normalizer({"type": "Strip", "strip_left": True, "strip_right": True}),
    "without accents": normalizer({"type": "NFKD"}, {"type": "Lowercase"}, {"type": "StripAccents"}),
    "Prepend": normalizer({"type": "Prepend", "prepend": "the "}),
    "Replace a literal": normalizer(replace({"String": "cat"}, "the\u0301")),
    "Replace an expression": normalizer(replace({"Regex": " {2,}"}, "_")),
    "all at once": normalizer(
        {"type": "Prepend", "prepend": "\u2581x"},
        replace({"String": "a"}, "the\u0301"),
        {"type": "NFC"},
        replace({"Regex": "[ t]{2,}"}, "__"),
    ),
    "a space in front": {"pre_tokenizer": byte_level(prefix=True, trim=True)},
    "trimmed": trimmed(prefix=False, trim=True),
    "trimmed, a space in front": trimmed(prefix=True, trim=True),
    "a space in front, not trimmed": trimmed(prefix=True, trim=False),
    "RoBERTa": trimmed(prefix=True, trim=True) | {"post_processor": roberta(prefix=True, trim=True)},
    "RoBERTa, not trimmed": {"post_processor": roberta(prefix=False, trim=False)},
}


@pytest.mark.parametrize("form", FORMS)
def test_offsets_of_every_form(document: dict[str, Any], form: str) -> None:
    chance = random.Random(3)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(0, 24))) for _ in range(800)]
    white = {"id": 400, "content": " \u3000x ", "special": False, "normalized": False}
    flags = {"single_word": False, "lstrip": True, "rstrip": True}
    size = len(document["model"]["vocab"])
    added = [*document["added_tokens"], white | flags | {"id": size}]
    texts += [text.replace("cat", " \u3000x ") for text in texts[:200]]
    assert_same_offsets(json.dumps(document | FORMS[form] | {"added_tokens": added}).encode(), texts)
