"""What is exported has equal ids in transformers and tiktoken, or is refused by what stands in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tiktoken.load
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import UsageError
from codex.tokens import Tokenizer, train_bpe
from codex.tokens.export import save_tiktoken, save_transformers

transformers = pytest.importorskip("transformers")

TEXTS = [
    "def naïve(x):\n    return '中文' if x else  None  # it's\r\n\0",
    "   ",
    "a" * 300,
    "\U0001f600 \u0301",
]


@pytest.fixture(scope="module")
def encoding(pair: Any) -> tiktoken.Encoding:
    return tiktoken.Encoding("ours", **pair.ours.to_tiktoken())


@given(text=st.text(max_size=60))
def test_tiktoken_has_equal_ids(pair: Any, encoding: tiktoken.Encoding, text: str) -> None:
    assert encoding.encode_ordinary(text) == pair.ours.encode(text, "text")


def test_tiktoken_has_equal_ids_on_sources_and_special_tokens(
    pair: Any, encoding: tiktoken.Encoding, sources: list[str], tmp_path: Path
) -> None:
    assert encoding.encode_ordinary_batch(sources[:60]) == pair.ours.encode_batch(sources[:60], "text")
    text = "a<|endoftext|>b"
    assert encoding.encode(text, allowed_special="all") == pair.ours.encode(text, "ids")
    # The same from the files.
    ranks, config = save_tiktoken(pair.ours, tmp_path / "out")
    again = tiktoken.Encoding(
        "again",
        mergeable_ranks=tiktoken.load.load_tiktoken_bpe(str(ranks)),
        **json.loads(config.read_text()),
    )
    assert again.encode_ordinary(sources[1]) == pair.ours.encode(sources[1], "text")
    assert again.n_vocab == pair.ours.vocab_size


def changed(tokenizer: Tokenizer, change: Any) -> Tokenizer:
    document = json.loads(tokenizer.to_json())
    change(document)
    return Tokenizer.from_json(json.dumps(document).encode())


def swap_merges(document: dict[str, Any]) -> None:
    merges = document["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]


def add_hidden_merge(document: dict[str, Any]) -> None:
    """`ab` and `c` merge, but tiktoken comes to `abc` by `a` and `bc`, whose rank is lower."""
    model = document["model"]
    model["merges"] = []
    model["vocab"] = {k: v for k, v in model["vocab"].items() if v < 257}
    for left, right in [("x", "y"), ("z", "q"), ("x", "yz"), ("y", "z")]:
        model["vocab"].setdefault(left + right, len(model["vocab"]))
    model["merges"] = [["x", "y"], ["z", "q"], ["y", "z"], ["x", "yz"]]


def test_a_token_that_nothing_makes_is_left_out() -> None:
    def add_token(document: dict[str, Any]) -> None:
        document["model"]["vocab"]["lowe"] = len(document["model"]["vocab"])

    loose = changed(train_bpe(["low low"], 262), add_token)
    encoding = tiktoken.Encoding("loose", **loose.to_tiktoken())
    assert encoding.encode_ordinary("lowe low") == loose.encode("lowe low")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap_merges, "comes after one that makes id"),
        (add_hidden_merge, "comes after one that makes id"),
    ],
)
def test_what_tiktoken_cannot_express_is_refused(change: Any, message: str) -> None:
    small = train_bpe(["low lower lowest"], 262)
    with pytest.raises(UsageError) as caught:
        changed(small, change).to_tiktoken()
    assert message in str(caught.value)


def test_transformers_has_equal_ids_tokens_and_template(pair: Any, sources: list[str]) -> None:
    ours = pair.ours.with_settings(chat_template="{{ messages[0].content }}{{ eos_token }}")
    theirs = ours.to_transformers()
    assert isinstance(theirs, transformers.PreTrainedTokenizerFast)
    for text in [*TEXTS, sources[0], "a<|endoftext|>b"]:
        assert theirs(text)["input_ids"] == ours.encode(text, "ids")
    assert (theirs.eos_token, theirs.eos_token_id, len(theirs)) == ("<|endoftext|>", 0, ours.vocab_size)
    messages = [{"role": "user", "content": "hello"}]
    assert theirs.apply_chat_template(messages, tokenize=False) == "hello<|endoftext|>"


def test_a_folder_of_ours_is_opened_by_transformers(pair: Any, tmp_path: Path) -> None:
    ours = pair.ours.with_settings(chat_template="{{ messages[0].content }}", pad_token="<|endoftext|>")
    save_transformers(ours, tmp_path / "hf")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf", local_files_only=True)
    for text in TEXTS:
        assert theirs(text)["input_ids"] == ours.encode(text, "ids")
        assert theirs.decode(ours.encode(text)) == text
    assert (theirs.pad_token, theirs.eos_token) == ("<|endoftext|>", "<|endoftext|>")
    assert theirs.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi"


def test_a_whole_word_piece_goes_to_transformers_too() -> None:
    from codex.tokens.foreign import ForeignTokenizer

    theirs = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({"[UNK]": 0, "lo": 1, "##w": 2}, unk_token="[UNK]")
    )
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    ours = ForeignTokenizer(theirs.to_str().encode())
    assert ours.to_transformers()("low x")["input_ids"] == ours.encode("low x") == [1, 2, 0]
