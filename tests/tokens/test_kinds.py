"""Kinds of tokenizer: by name, by plugin, and what `tokenizers` runs behind the same interface."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from codex.errors import (
    DamageError,
    DataError,
    MissingDataError,
    MissingExtraError,
    RegistryError,
    UsageError,
)
from codex.tokens import BaseTokenizer, Tokenizer, load_tokenizer, train_bpe
from codex.tokens.foreign import ForeignTokenizer
from codex.tokens.kinds import KINDS
from codex.tokens.whitespace import UNKNOWN, WhitespaceTokenizer, train_whitespace

CORPUS = [
    "The quick brown fox jumps over the lazy dog, 42 times.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "敏捷的棕色狐狸跳过懒狗。",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "तेज भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है",
    "vite, le renard brun saute par-dessus le chien paresseux ; n'est-ce pas ?",
] * 4
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def word_piece() -> tokenizers.Tokenizer:
    """A multilingual WordPiece as BERT has it."""
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIALS, show_progress=False)
    )
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(8)
    made.enable_padding()
    return made


def unigram() -> tokenizers.Tokenizer:
    """A Unigram model with byte fallback, as SentencePiece has it."""
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    return made


@pytest.fixture(scope="module", params=[word_piece, unigram], ids=["WordPiece", "Unigram"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One of them as a file, and as `tokenizers` has it, without what is an argument with us."""
    theirs = request.param()
    path = tmp_path_factory.mktemp("foreign") / "tokenizer.json"
    theirs.save(str(path))
    theirs.no_truncation()
    theirs.no_padding()
    return load_tokenizer(path), theirs


def test_word_piece_and_unigram_are_run_by_tokenizers(both: Any) -> None:
    ours, theirs = both
    assert isinstance(ours, ForeignTokenizer)
    assert ours.vocab_size == theirs.get_vocab_size()
    for text in [*CORPUS[:7], "", "unknown \U0001f600 word", "[CLS] x"]:
        assert ours.encode(text, "ids") == theirs.encode(text, add_special_tokens=False).ids
        assert ours.encode(text, "ids", add_special_tokens=True) == theirs.encode(text).ids
        ids, spans = ours.encode_with_offsets(text, "ids", unit="chars")
        assert spans == theirs.encode(text, add_special_tokens=False).offsets
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)
        assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids)
        assert ours.count(text, "ids") == len(ids)
    rows = ours.encode_batch(CORPUS[:7])
    flat, offsets = ours.encode_flat(CORPUS[:7])
    assert [flat[a:b].tolist() for a, b in pairwise(offsets)] == rows


def test_bytes_of_offsets_are_those_of_the_characters(both: Any) -> None:
    ours, _ = both
    text = CORPUS[2]
    data = text.encode()
    _, in_characters = ours.encode_with_offsets(text, unit="chars")
    _, in_bytes = ours.encode_with_offsets(text)
    assert [text[a:b] for a, b in in_characters] == [data[a:b].decode() for a, b in in_bytes]


def test_the_template_stays_when_a_row_is_cut(both: Any) -> None:
    ours, theirs = both
    theirs.enable_truncation(5)
    try:
        found = ours.encode_batch(CORPUS[:7], add_special_tokens=True, truncation="right", max_length=5)
        assert found == [each.ids for each in theirs.encode_batch(CORPUS[:7])]
    finally:
        theirs.no_truncation()


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_a_stream_of_theirs_gives_what_decode_gives(both: Any, text: str) -> None:
    ours, _ = both
    ids = ours.encode(text, "text")
    stream = ours.stream_decoder()
    assert "".join([*(stream.push(each) for each in ids), stream.finish()]) == ours.decode(ids)


def test_special_tokens_are_refused_text_or_ids_as_everywhere(both: Any) -> None:
    ours, _ = both
    name, number = next(reversed(ours.special_tokens.items()))
    with pytest.raises(DataError) as caught:
        ours.encode(f"é {name}")
    assert str(caught.value) == f"special token `{name}` in the text at byte 3"
    assert number in ours.encode(f"a {name}", "ids")
    if name == "[MASK]":
        assert number not in ours.encode(f"a {name}", "text")
    else:  # a piece of Unigram like any other
        with pytest.raises(DataError, match="ordinary text spells the special token `</s>` of this model"):
            ours.encode(f"a {name}", "text")
    with pytest.raises(UsageError, match="`specials` is `all`"):
        ours.encode("a", "all")
    with pytest.raises(DataError, match="a lone surrogate at character 1"):
        ours.encode("a\ud800")
    with pytest.raises(DataError, match="unknown id `99999` at place 1"):
        ours.decode([1, 99999])


def test_a_foreign_tokenizer_pickles_and_says_who_it_is(both: Any) -> None:
    ours, _ = both
    again = pickle.loads(pickle.dumps(ours))
    assert again.fingerprint == ours.fingerprint and again.fingerprint.startswith("sha256:")
    assert again.encode(CORPUS[0]) == ours.encode(CORPUS[0])
    assert repr(ours).startswith(f"<ForeignTokenizer of {ours.vocab_size} tokens, sha256:")


def test_without_tokenizers_the_line_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word_piece().save(str(tmp_path / "tokenizer.json"))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tokenizers" else find_spec(name)
    )
    with pytest.raises(MissingExtraError, match="needs `tokenizers`, which is not installed") as caught:
        load_tokenizer(tmp_path)
    assert (caught.value.hint, caught.value.exit_code) == ('pip install "codex-lm[hf]"', 5)
    train_bpe(["low"], 260).save(tmp_path / "tokenizer.json")
    assert load_tokenizer(tmp_path).vocab_size == 259  # what is native needs no extra


def test_an_unregistered_name_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as caught:
        load_tokenizer(tmp_path, "whitespaces")
    assert str(caught.value).startswith("unknown tokenizer kind `whitespaces`, expected one of `bpe`, `hf`, ")
    assert caught.value.hint == "did you mean `whitespace`?"


class Distribution:
    name = "tokenizer-plugin"


def plugin(path: Path) -> BaseTokenizer:
    """What the entry point below stands for."""
    return train_bpe([path.name], 300)


def register(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """As if a package with these entry points were installed."""
    made = [importlib.metadata.EntryPoint(name, target, "codex.tokenizers") for name, target in points]
    for point in made:
        vars(point)["dist"] = Distribution()
    monkeypatch.setattr(
        "codex.registry.entry_points", lambda *, group: made if group == "codex.tokenizers" else []
    )


def test_an_installed_package_adds_a_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    register(monkeypatch, ("mine", f"{__name__}:plugin"))
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("sys").modules[plugin.__module__])
    assert "mine" in KINDS.names()
    assert isinstance(load_tokenizer(tmp_path / "any", "mine"), Tokenizer)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([("bpe", "a:b")], "tokenizer kind `bpe` is registered by codex and by `tokenizer-plugin`"),
        ([("x", "a:b"), ("x", "c:d")], "registered by `tokenizer-plugin` and by `tokenizer-plugin`"),
        ([("x", "no_such_module:b")], "`x` of `tokenizer-plugin` cannot be imported: No module named"),
        ([("x", "json:nothing")], "cannot be imported: module 'json' has no attribute 'nothing'"),
    ],
)
def test_a_bad_plugin_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, points: list[tuple[str, str]], message: str
) -> None:
    register(monkeypatch, *points)
    with pytest.raises(RegistryError) as caught:
        load_tokenizer(tmp_path, points[0][0])
    assert message in str(caught.value)


def test_whitespace_has_the_ids_of_tokenizers(tmp_path: Path) -> None:
    ours = train_whitespace([*CORPUS, "a\x1cb\u3000c\x85d"], 60)
    (tmp_path / "tokenizer.json").write_bytes(ours.to_json())
    again = load_tokenizer(tmp_path)
    assert isinstance(again, WhitespaceTokenizer) and again.fingerprint == ours.fingerprint
    theirs = tokenizers.Tokenizer.from_str(ours.to_json().decode())
    for text in [*CORPUS[:7], "", "  two\x1c words\u3000", "nothing known", f"x<|endoftext|>y {UNKNOWN}"]:
        expected = theirs.encode(text)
        assert ours.encode_with_offsets(text, "ids", unit="chars") == (expected.ids, expected.offsets)
    ids = ours.encode("the lazy cat")
    assert ours.decode(ids) == f"the lazy {UNKNOWN}"
    stream = ours.stream_decoder()
    assert "".join([*(stream.push(each) for each in ids), stream.finish()]) == ours.decode(ids)
    assert ours.decode([0, *ids], skip_special_tokens=True) == "the lazy"
    assert 0 not in ours.encode("<|endoftext|>", "text")
    with pytest.raises(DataError, match="special token"):
        ours.encode("<|endoftext|>")
    with pytest.raises(UsageError, match="`vocab_size` is 2, expected room for a word"):
        train_whitespace(["a"], 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model": {"type": "WordLevel", "vocab": {"a": 1}, "unk_token": "a"}},
            "no row of words with ids from 0",
        ),
        ({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "b"}}, "`model.unk_token` is 'b'"),
    ],
)
def test_a_damaged_whitespace_file_is_damage(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    document = json.loads(train_whitespace(["a b"], 4).to_json()) | change
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(DamageError) as caught:
        load_tokenizer(tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b'{"model": {"type": "WordPiece"}}', b"[" * 100_000]
)
@pytest.mark.parametrize("kind", [None, "hf", "whitespace"])
def test_a_damaged_file_is_damage_of_any_kind(tmp_path: Path, data: bytes, kind: str | None) -> None:
    (tmp_path / "tokenizer.json").write_bytes(data)
    with pytest.raises(DamageError):
        load_tokenizer(tmp_path / "tokenizer.json", kind)


def test_a_folder_without_a_tokenizer_is_missing_data(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"holds neither `tokenizer\.json`"):
        load_tokenizer(tmp_path)


def folder_of(tmp_path: Path, config: str, template: str | None = None) -> Path:
    train_bpe(["low"], 262, ["<|endoftext|>", "<|end|>", "<|fill|>"]).save(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer_config.json").write_text(config)
    if template is not None:
        (tmp_path / "chat_template.jinja").write_text(template)
    return tmp_path


def test_a_folder_names_its_tokens_and_its_template(tmp_path: Path) -> None:
    config = {
        "eos_token": {"content": "<|end|>", "lstrip": False},
        "pad_token": "<|fill|>",
        "chat_template": "A",
    }
    found = load_tokenizer(folder_of(tmp_path, json.dumps(config)))
    assert found.settings.eos_token == "<|end|>"
    assert (found.pad_id, found.end_of_document_id) == (
        2,
        0,
    )  # `<|endoftext|>` ends a document where there is one
    assert found.chat_template is not None and found.chat_template.source == "A"
    assert pickle.loads(pickle.dumps(found)).settings == found.settings
    assert load_tokenizer(folder_of(tmp_path, json.dumps(config), "B")).settings.chat_template == "B"
    config["chat_template"] = [{"name": "tools", "template": "T"}, {"name": "default", "template": "D"}]
    (tmp_path / "chat_template.jinja").unlink()
    assert load_tokenizer(folder_of(tmp_path, json.dumps(config))).settings.chat_template == "D"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is list, expected an object"),
        ('{"eos_token": 7}', "`eos_token` is 7, expected a string"),
        ('{"chat_template": 7}', "`chat_template` is int, expected a string"),
    ],
)
def test_a_damaged_configuration_of_a_folder_is_damage(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(DamageError) as caught:
        load_tokenizer(folder_of(tmp_path, config))
    assert message in str(caught.value)


def test_a_newer_unicode_is_another_tokenizer() -> None:
    """U+11938 came with Unicode 13: its two parts compose by a newer table alone."""
    document = json.loads(train_bpe(["low"], 300).to_json()) | {"normalizer": {"type": "NFC"}}
    old = Tokenizer.from_json(json.dumps(document).encode())
    new = old.with_newer_unicode()
    parts, whole = "\U00011935\U00011930", "\U00011938"
    assert old.encode(parts) != old.encode(whole) == new.encode(parts)
    assert old.encode(parts) == tokenizers.Tokenizer.from_str(old.to_json().decode()).encode(parts).ids
    assert old.fingerprint != new.fingerprint == pickle.loads(pickle.dumps(new)).fingerprint


def test_a_cache_gives_the_same_tokenizer_and_is_written_anew_when_it_is_damaged(tmp_path: Path) -> None:
    train_bpe(["low lower lowest"], 262).save(tmp_path / "tokenizer.json")
    plain = load_tokenizer(tmp_path)
    for _ in range(2):
        cached = load_tokenizer(tmp_path, cache=tmp_path / "cache")
        assert cached.fingerprint == plain.fingerprint and cached.encode("lower") == plain.encode("lower")
        (kept,) = (tmp_path / "cache" / "tokenizers").iterdir()
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 1
    kept.write_bytes(data)
    assert load_tokenizer(tmp_path, cache=tmp_path / "cache").encode("lower") == plain.encode("lower")
    assert kept.read_bytes() != data
