"""Vocabularies whose symbols have affixes, or that lack bytes: ids, text and offsets are those of `tokenizers` 0.23.3."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

from codex.errors import DamageError, UsageError
from codex.tokens import BpeOptions, Tokenizer, learn_bpe, load_tokenizer

UNKNOWN = "<|endoftext|>"
CLIP = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
BYTES = pre_tokenizers.ByteLevel.alphabet()


def trained(texts: Sequence[str], size: int = 900, *, clip: bool = False, **options: Any) -> dict[str, Any]:
    """A document of tokenizers, whose ids differ from run to run where it has a suffix."""
    model = {
        key: options.pop(key) for key in ("fuse_unk", "byte_fallback", "ignore_merges") if key in options
    }
    unknown = options.pop("unknown", None)
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if clip:
        theirs.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        split = pre_tokenizers.Split(Regex(CLIP), behavior="removed", invert=True)
        theirs.pre_tokenizer = pre_tokenizers.Sequence([split, theirs.pre_tokenizer])
    theirs.decoder = decoders.ByteLevel()
    specials = ["<|startoftext|>", UNKNOWN, *options.pop("specials", [])]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False, **options)
    theirs.train_from_iterator(texts, trainer)
    if clip:
        theirs.post_processor = processors.RobertaProcessing(
            (UNKNOWN, 1), ("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False
        )
    document: dict[str, Any] = json.loads(theirs.to_str())
    document["model"] |= {"unk_token": unknown, **model}
    return document


def texts_of(sources: list[str]) -> list[str]:
    """Source code, other scripts, and characters that no training saw."""
    chance = random.Random(6)
    pool = [
        "low",
        "Lower",
        " ",
        "  ",
        "\n",
        "é",
        "e\u0301",
        "中",
        "🙂",
        "</w>",
        "##",
        "'s",
        "42",
        "\x00",
        UNKNOWN,
    ]
    made = ["".join(chance.choices(pool, k=chance.randint(0, 12))) for _ in range(1500)]
    return [*(source[:3000] for source in sources[1:60:7]), *made, "a" * 300, "中" * 100, "e\u0301" * 70]


def assert_same(document: dict[str, Any], texts: list[str], *, offsets: bool = True) -> Tokenizer:
    data = json.dumps(document)
    ours, theirs = Tokenizer.from_json(data.encode()), tokenizers.Tokenizer.from_str(data)
    written = tokenizers.Tokenizer.from_str(ours.to_json().decode())
    for text in texts:
        expected = theirs.encode(text, add_special_tokens=False)
        ids, spans = ours.encode_with_offsets(text, "ids", unit="chars")
        assert ids == expected.ids == ours.encode(text, "ids"), repr(text)
        assert not offsets or spans == expected.offsets, repr(text)
        assert written.encode(text, add_special_tokens=False).ids == ids
        assert ours.count(text, "ids") == len(ids)
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)
    assert Tokenizer.from_json(ours.to_json()).fingerprint == ours.fingerprint
    return ours


def test_a_vocabulary_like_clips(sources: list[str], tmp_path: Path) -> None:
    document = trained(
        sources[::20], clip=True, initial_alphabet=BYTES, end_of_word_suffix="</w>", unknown=UNKNOWN
    )
    texts = texts_of(sources)
    ours = assert_same(document, texts)
    assert any(name.endswith("</w>") and len(name) > 8 for name in document["model"]["vocab"])
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    for _ in range(2):
        cached = Tokenizer(type(ours._core).from_file_cached(tmp_path / "tokenizer.json", tmp_path / "cache"))
        assert [cached.encode(text, "ids") for text in texts] == [ours.encode(text, "ids") for text in texts]
    with pytest.raises(UsageError):
        ours.to_tiktoken()


FORMS: dict[str, dict[str, Any]] = {
    "a suffix": {"initial_alphabet": BYTES, "end_of_word_suffix": "</w>"},
    "a suffix without most bytes": {"end_of_word_suffix": "</w>", "unknown": UNKNOWN},
    "a prefix": {"initial_alphabet": BYTES, "continuing_subword_prefix": "##", "unknown": UNKNOWN},
    "a prefix and a suffix": {
        "continuing_subword_prefix": "##",
        "end_of_word_suffix": "</w>",
        "unknown": UNKNOWN,
        "fuse_unk": True,
    },
    "a word that is a token": {"end_of_word_suffix": "</w>", "unknown": UNKNOWN, "ignore_merges": True},
    "lacking bytes, unknown": {"unknown": UNKNOWN},
    "lacking bytes, unknown as one": {"unknown": UNKNOWN, "fuse_unk": True},
    "lacking bytes, a word that is a token": {"unknown": UNKNOWN, "ignore_merges": True},
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_vocabulary(sources: list[str], form: str) -> None:
    texts = [text.encode("ascii", "ignore").decode() for text in sources[::40]]
    assert_same(trained(texts, **FORMS[form]), texts_of(sources), offsets="unknown" in FORMS[form])


def test_bytes_that_have_no_token_fall_back_to_those_of_their_letters(sources: list[str]) -> None:
    texts = [text.encode("ascii", "ignore").decode() for text in sources[::40]]
    options = {
        "unknown": UNKNOWN,
        "byte_fallback": True,
        "specials": [f"<0x{byte:02X}>" for byte in range(256)],
    }
    assert_same(trained(texts, **options), texts_of(sources), offsets=False)


def test_bytes_without_token_and_without_an_unknown_one_are_left_out_as_there(sources: list[str]) -> None:
    """tokenizers counts what is left out as never there, so its offsets behind it are too low; ours are not."""
    texts = [text.encode("ascii", "ignore").decode() for text in sources[::40]]
    ours = assert_same(trained(texts), texts_of(sources), offsets=False)
    assert ours.encode_with_offsets("low 中 low", unit="chars")[1][-1][1] == len("low 中 low")


@pytest.mark.parametrize("options", [{"end_of_word_suffix": "</w>"}, {"initial_alphabet": b""}], ids=str)
def test_what_is_learnt_here_is_used_here_and_there(
    sources: list[str], options: dict[str, Any], tmp_path: Path
) -> None:
    learnt = learn_bpe(sources[::20], 900, BpeOptions(**options))
    assert learn_bpe(sources[::20][::-1], 900, BpeOptions(**options)).json == learnt.json
    learnt.save(tmp_path / "tokenizer.json")
    ours = load_tokenizer(tmp_path / "tokenizer.json")
    assert ours.fingerprint == learnt.tokenizer.fingerprint
    assert_same(json.loads(learnt.json), texts_of(sources), offsets=False)
    assert ours.decode(ours.encode("def lower(self):")) == "def lower(self):"


def test_a_merge_without_the_prefix_is_refused() -> None:
    document = trained(["low lower lowest"] * 3, 40, continuing_subword_prefix="##")
    document["model"]["merges"][0] = [document["model"]["merges"][0][0], "l"]
    with pytest.raises(DamageError, match=r"model.merges\[0\]"):
        Tokenizer.from_json(json.dumps(document).encode())
