"""Special tokens in a text are an explicit choice; decoding is exact, and says what it cannot do."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from codex.errors import DataError, UsageError
from codex.tokens import train_bpe

TEXTS = [
    "<|endoftext|>",
    "a <|endoftext|> b",
    "<|endoftext|><|endoftext|>",
    "  <|endoftext|>\n\n x",
    "<|endoftext",
    "a\n<|endoftext|>",
]


def test_forbid_is_the_default_and_says_where(pair: Any) -> None:
    with pytest.raises(DataError, match=r"^special token `<\|endoftext\|>` in the text at byte 3$") as caught:
        pair.ours.encode("é <|endoftext|>")
    assert "specials `text`" in caught.value.hint
    assert pair.ours.encode("<|endoftext") == pair.ours.encode("<|endoftext", "text")
    with pytest.raises(DataError):
        pair.ours.encode_batch(["fine", "<|endoftext|>"])


def test_text_and_ids_are_what_tokenizers_has_under_its_switch(pair: Any) -> None:
    try:
        for choice, switch in [("text", True), ("ids", False)]:
            pair.theirs.encode_special_tokens = switch
            for text in TEXTS:
                assert pair.ours.encode(text, choice) == pair.ids([text])[0], (choice, text)
    finally:
        pair.theirs.encode_special_tokens = True


def test_the_longest_special_token_wins_as_in_tokenizers(train_theirs: Any) -> None:
    specials = ["<|a|>", "<|a|><|b|>", "<|b|>"]
    ours = train_bpe(["plain text"], 300, specials)
    theirs = train_theirs(["plain text"], 300, specials)
    theirs.encode_special_tokens = False
    for text in ["<|a|><|b|><|b|>", "x<|a|> <|b|>", "<|a|><|a|><|b|>"]:
        assert ours.encode(text, "ids") == theirs.encode(text).ids


def test_an_unknown_choice_is_refused(pair: Any) -> None:
    with pytest.raises(UsageError, match="`specials` is `all`, expected `forbid`, `text` or `ids`"):
        pair.ours.encode("a", "all")


def test_bytes_come_back_even_where_no_character_is_whole(pair: Any) -> None:
    ids = pair.ours.encode("中é\U0001f600")
    data = "中é\U0001f600".encode()
    assert pair.ours.decode_bytes(ids) == data
    for cut in range(len(ids) + 1):
        head, tail = pair.ours.decode_bytes(ids[:cut]), pair.ours.decode_bytes(ids[cut:])
        assert head + tail == data
        assert pair.ours.decode(ids[:cut]) == head.decode("utf-8", "replace")
        assert pair.ours.decode(ids[:cut]) == pair.theirs.decode(ids[:cut], skip_special_tokens=False)


@pytest.mark.parametrize(
    "make", [list, tuple, np.array, lambda ids: np.array(ids, dtype=np.int64)[::1], iter]
)
def test_ids_may_come_as_any_row_of_integers(pair: Any, make: Any) -> None:
    ids = pair.ours.encode("def f(x): return x")
    if make is iter:
        with pytest.raises(UsageError, match="expected one axis of integers"):
            pair.ours.decode(make(ids))
    else:
        assert pair.ours.decode(make(ids)) == "def f(x): return x"


@pytest.mark.parametrize("bad", [-1, 4096, 70_000, 1 << 32, (1 << 32) + 5, -(1 << 40)])
def test_an_unknown_id_is_an_error_that_says_where(pair: Any, bad: int) -> None:
    for decode in (pair.ours.decode, pair.ours.decode_bytes):
        with pytest.raises(DataError, match=rf"^unknown id `{bad}` at place 2, expected below 4096$"):
            decode([5, 6, bad, 7])


@pytest.mark.parametrize("bad", [[1.5], [[1, 2]], 5, ["a"], [None], [True, False]])
def test_what_is_no_row_of_integers_is_refused(pair: Any, bad: Any) -> None:
    with pytest.raises(UsageError, match="expected one axis of integers"):
        pair.ours.decode(bad)


def test_a_lone_surrogate_is_an_error_and_not_a_replacement(pair: Any) -> None:
    message = "the text holds a lone surrogate at character 2"
    for call in (
        lambda: pair.ours.encode("ab\ud800"),
        lambda: pair.ours.encode_batch(["fine", "ab\udfff"]),
        lambda: train_bpe(["ab\ud800"], 300),
    ):
        with pytest.raises(DataError, match=message):
            call()


def test_a_tokenizer_pickles_and_threads_share_it(pair: Any, sources: list[str]) -> None:
    again = pickle.loads(pickle.dumps(pair.ours))
    assert again.fingerprint == pair.ours.fingerprint
    expected = pair.ours.encode_batch(sources[:40], "text")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: again.encode(text, "text"), sources[:40]))
    assert found == expected
