"""`tokenizer.json` goes both ways between codex, tokenizers and transformers, and is read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from codex.errors import DamageError, MissingDataError
from codex.tokens import Tokenizer, train_bpe

TEXT = "def naïve(x):\n    return '中文' if x else  None  # it's <|endoftext|>\r\n\0"


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    """The document of a small tokenizer."""
    return json.loads(train_bpe(["low lower lowest"], 262).to_json())


def read(document: Any) -> Tokenizer:
    return Tokenizer.from_json(json.dumps(document).encode())


def test_tokenizers_loads_our_file_with_the_same_ids_and_writes_the_same_bytes(
    pair: Any, tmp_path: Path
) -> None:
    pair.ours.save(tmp_path / "tokenizer.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.encode(TEXT).ids == pair.ours.encode(TEXT, "ids")
    assert theirs.decode(theirs.encode(TEXT).ids, skip_special_tokens=False) == TEXT
    theirs.save(str(tmp_path / "again.json"))
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_transformers_loads_our_file_with_the_same_ids(pair: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pair.ours.save(tmp_path / "tokenizer.json")
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    assert theirs(TEXT)["input_ids"] == pair.ours.encode(TEXT, "ids")
    assert len(theirs) == pair.ours.vocab_size


def test_we_load_their_file_with_the_same_ids(pair: Any, tmp_path: Path) -> None:
    pair.theirs.save(str(tmp_path / "tokenizer.json"), pretty=False)
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert again.fingerprint == pair.ours.fingerprint
    assert again.encode(TEXT, "text") == pair.ours.encode(TEXT, "text")


def test_a_file_in_the_shape_of_gpt2_is_read(pair: Any) -> None:
    """GPT-2's own file: merges as lines, empty affixes, a post-processor, the special token last."""
    document = json.loads(pair.ours.to_json())
    vocabulary = {token: number - 1 for token, number in document["model"]["vocab"].items() if number}
    vocabulary["<|endoftext|>"] = len(vocabulary)
    document["added_tokens"][0] |= {"id": len(vocabulary) - 1, "normalized": True}
    document["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    document["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}
    document["model"] = {
        "dropout": None,
        "unk_token": "",
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
        "fuse_unk": False,
        "vocab": vocabulary,
        "merges": [" ".join(merge) for merge in document["model"]["merges"]],
    }
    data = json.dumps(document)
    ours, theirs = Tokenizer.from_json(data.encode()), tokenizers.Tokenizer.from_str(data)
    assert ours.encode(TEXT, "ids") == theirs.encode(TEXT).ids
    assert ours.end_of_document_id == 4095
    # What we write of it is read by them with the same ids again.
    written = tokenizers.Tokenizer.from_str(ours.to_json().decode())
    assert written.encode(TEXT).ids == theirs.encode(TEXT).ids


def test_special_tokens_outside_the_vocabulary_keep_their_ids(small: dict[str, Any]) -> None:
    extra = {**small["added_tokens"][0], "id": 262, "content": "<|pad|>"}
    document = {**small, "added_tokens": [*small["added_tokens"], extra]}
    ours, theirs = read(document), tokenizers.Tokenizer.from_str(json.dumps(document))
    assert ours.encode("low<|pad|>", "ids") == theirs.encode("low<|pad|>").ids
    assert ours.vocab_size == theirs.get_vocab_size() == 263


def test_the_fingerprint_is_of_the_meaning(pair: Any, small: dict[str, Any]) -> None:
    assert pair.ours.fingerprint.startswith("sha256:") and len(pair.ours.fingerprint) == 71
    assert (
        Tokenizer.from_json(json.dumps(small, indent=7, sort_keys=True).encode()).fingerprint
        == read(small).fingerprint
    )
    changed = json.loads(json.dumps(small))
    changed["model"]["merges"][0], changed["model"]["merges"][1] = changed["model"]["merges"][1::-1]
    assert read(changed).fingerprint != read(small).fingerprint


def test_what_it_cannot_do_is_refused_by_name(small: dict[str, Any]) -> None:
    cases = {
        "normalizer": ({"type": "Nmt"}, '`normalizer.type` is "Nmt", expected `NFC`'),
        "pre_tokenizer": (
            {"type": "UnicodeScripts"},
            '`pre_tokenizer.type` is "UnicodeScripts", expected `ByteLevel`',
        ),
        "post_processor": ({"type": "TemplateProcessing"}, "`post_processor.single` is null"),
        "padding": ({"strategy": "BatchLongest"}, "`padding` is an object of 1, expected null"),
        "model": ({"type": "Unigram"}, '`model.type` is "Unigram", expected "BPE" or null'),
        "chat_template": ("", "`chat_template` is not known"),
    }
    for key, (value, message) in cases.items():
        with pytest.raises(DamageError) as caught:
            read({**small, key: value})
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{", b"\xff", b'{"a": 1, "a": 1}', b"[" * 100_000, b"{}{}"]
)
def test_what_is_no_tokenizer_at_all_is_damage(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(data)
    with pytest.raises(DamageError, match=r"tokenizer\.json"):
        Tokenizer.from_file(tmp_path / "tokenizer.json")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="nowhere"):
        Tokenizer.from_file(tmp_path / "nowhere")


def test_no_cut_file_is_read(small: dict[str, Any]) -> None:
    data = json.dumps(small).encode()
    for length in range(0, len(data), 23):
        with pytest.raises(DamageError):
            Tokenizer.from_json(data[:length])
