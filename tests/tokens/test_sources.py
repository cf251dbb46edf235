"""Vocabularies of others, from each form they come in: equal ids, streams that give what decode gives, exports that go back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiktoken
import tiktoken.load
import tokenizers

from benches.tokens import vocabularies
from codex.tokens import Tokenizer, load_tokenizer

TEXTS = [
    "Hello  wörld 中文\n\n def f(x): return 1.5e-3 \U0001f600 \ufb01 é it's DON'T",
    "",
    "   ",
    "तेज भूरी लोमड़ी الثعلب البني 狐狸跳过懒狗 한국어",
    "a" * 500,
    "\r\n\t\x00\u200d",
]

pytestmark = pytest.mark.skipif(not vocabularies.PACKAGES.is_dir(), reason="needs `make .venv/.vocabularies`")


@pytest.mark.parametrize("name", ["gpt2", "cl100k"])
def test_ranks_of_tiktoken_give_its_ids_and_go_back(name: str) -> None:
    pattern, specials = vocabularies.PATTERNS[name], vocabularies.SPECIALS[name]
    ours = Tokenizer.from_tiktoken(vocabularies.ranks_path(name), pattern, specials)
    ranks = tiktoken.load.load_tiktoken_bpe(str(vocabularies.ranks_path(name)))
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=specials)
    for text in TEXTS:
        assert ours.encode(text, "text") == theirs.encode_ordinary(text)
    again = tiktoken.Encoding("again", **ours.to_tiktoken())
    assert [again.encode_ordinary(text) for text in TEXTS] == [theirs.encode_ordinary(text) for text in TEXTS]


@pytest.mark.parametrize("name", ["gpt2", "qwen", "deepseek", "sentencepiece"])
def test_streams_offsets_and_counts_agree_with_what_they_stand_for(name: str) -> None:
    path = vocabularies.tokenizer_path(name)
    ours, theirs = load_tokenizer(path), tokenizers.Tokenizer.from_file(str(path))
    for text in TEXTS:
        expected = theirs.encode(text, add_special_tokens=False)
        ids, spans = ours.encode_with_offsets(text, "ids", unit="chars")
        assert ids == expected.ids
        assert ours.encode(text, "ids", add_special_tokens=True) == theirs.encode(text).ids
        assert ours.count(text, "ids") == len(ids) == len(spans)
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        stream = ours.stream_decoder()
        said = "".join([*(stream.push(each) for each in ids), stream.finish()])
        assert said == ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)


def test_a_sentencepiece_model_is_its_tokenizer_json(tmp_path: Path) -> None:
    model = vocabularies.sentencepiece_path()
    ours = load_tokenizer(model, "sentencepiece")
    theirs = tokenizers.Tokenizer.from_file(str(vocabularies.tokenizer_path("sentencepiece")))
    for text in TEXTS:
        assert ours.encode(text, "text") == theirs.encode(text, add_special_tokens=False).ids
    (tmp_path / "tokenizer.model").write_bytes(model.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>"}))
    folder = Tokenizer.from_folder(tmp_path)
    assert folder.encode(TEXTS[0]) == ours.encode(TEXTS[0])
    assert folder.end_of_document_id == folder.special_tokens["</s>"]
