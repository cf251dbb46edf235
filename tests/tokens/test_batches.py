"""Batches: rows of one length, rows in one array, and what is counted and cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError, UsageError
from codex.tokens import Padded, train_bpe

TEXTS = ["def f(x): return x", "", "naïve 中文 \U0001f600", "x = 1"]


def test_rows_are_lists_unless_they_are_padded(pair: Any) -> None:
    rows = pair.ours.encode_batch(TEXTS)
    assert rows == [pair.ours.encode(text) for text in TEXTS]
    assert isinstance(pair.ours.encode_batch(TEXTS, padding="longest"), Padded)
    assert pair.ours.encode_batch([]) == []


def test_one_text_is_no_batch_of_its_characters(pair: Any) -> None:
    for encode in pair.ours.encode_batch, pair.ours.encode_flat:
        with pytest.raises(UsageError, match="`texts` is one text, expected several"):
            encode("low")


def test_padding_is_that_of_tokenizers(pair: Any) -> None:
    theirs = type(pair.theirs).from_str(pair.theirs.to_str())
    for length in (None, 32):
        theirs.enable_padding(pad_id=0, pad_token="<|endoftext|>", length=length)
        found = pair.ours.encode_batch(
            TEXTS, padding="max_length" if length else "longest", max_length=length
        )
        expected = theirs.encode_batch(TEXTS)
        assert found.ids.tolist() == [each.ids for each in expected]
        assert found.mask.tolist() == [each.attention_mask for each in expected]
        assert found.ids.dtype == found.mask.dtype == np.int64


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("length", [1, 3, 100])
def test_truncation_is_that_of_tokenizers(pair: Any, side: str, length: int) -> None:
    theirs = type(pair.theirs).from_str(pair.theirs.to_str())
    theirs.enable_truncation(length, direction=side)
    found = pair.ours.encode_batch(TEXTS, truncation=side, max_length=length)
    assert found == [each.ids for each in theirs.encode_batch(TEXTS)]


def test_tensors_are_torch_on_request(pair: Any) -> None:
    torch = pytest.importorskip("torch")
    arrays = pair.ours.encode_batch(TEXTS, padding="longest")
    tensors = pair.ours.encode_batch(TEXTS, padding="longest", return_tensors="pt")
    for array, tensor in zip(arrays, tensors, strict=True):
        assert tensor.dtype == torch.int64
        assert tensor.tolist() == array.tolist()


def test_the_pad_token_fills_where_there_is_one() -> None:
    tokenizer = train_bpe(["low"], 260, ["<|endoftext|>", "<|pad|>"])
    assert tokenizer.encode_batch(["l", ""], padding="longest").ids[1, 0] == 1
    assert tokenizer.with_settings(pad_token="<|endoftext|>").pad_id == 0
    with pytest.raises(DataError, match="no special token"):
        train_bpe(["low"], 260, []).encode_batch(["l"], padding="longest")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "most"}, "`padding` is `most`, expected `longest` or `max_length`"),
        ({"padding": "max_length"}, "`max_length` is None, expected at least"),
        ({"padding": "max_length", "max_length": 2}, "`max_length` is 2, expected at least"),
        ({"padding": "longest", "return_tensors": "tf"}, "`return_tensors` is `tf`, expected `np` or `pt`"),
        ({"return_tensors": "np"}, "rows are not padded"),
        ({"truncation": "middle", "max_length": 4}, "`truncation` is `middle`, expected `right` or `left`"),
        ({"truncation": "right"}, "`max_length` is None, expected at least 0 with `truncation`"),
        ({"truncation": "right", "max_length": -1}, "`max_length` is -1"),
        ({"max_length": 5}, "`max_length` is given, but neither"),
        ({"threads": 0}, "`threads` is 0, expected at least 1"),
    ],
)
def test_arguments_that_do_not_fit_together_are_refused(
    pair: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        pair.ours.encode_batch(TEXTS, **arguments)
    assert message in str(caught.value)


texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ab \n")), max_size=40)


@given(text=texts)
def test_offsets_are_those_of_tokenizers(pair: Any, text: str) -> None:
    ids, spans = pair.ours.encode_with_offsets(text, "text", unit="chars")
    theirs = pair.theirs.encode(text)
    assert (ids, spans) == (theirs.ids, theirs.offsets)
    ids, spans = pair.ours.encode_with_offsets(text, "text")
    data = text.encode()
    assert [data[start:end] for start, end in spans] == [pair.ours.token_bytes(each) for each in ids]


@given(text=texts, n=st.integers(0, 12))
def test_what_is_truncated_is_the_longest_start_of_whole_characters(pair: Any, text: str, n: int) -> None:
    cut = pair.ours.truncate(text, n, "text")
    ids = pair.ours.encode(text, "text")
    assert pair.ours.count(text, "text") == len(ids)
    data = pair.ours.decode_bytes(ids[:n])
    assert cut == data.decode("utf-8", "ignore")
    assert pair.ours.count(cut, "text") <= max(n, 0)


def test_an_unknown_unit_is_refused(pair: Any) -> None:
    with pytest.raises(UsageError, match="`unit` is `words`, expected `bytes` or `chars`"):
        pair.ours.encode_with_offsets("a", unit="words")


@given(text=texts)
def test_a_stream_gives_what_decode_gives(pair: Any, text: str) -> None:
    ids = pair.ours.encode(text, "text")
    for cut in (len(ids), len(ids) // 2):
        stream = pair.ours.stream_decoder()
        pieces = [stream.push(each) for each in ids[:cut]]
        assert "".join([*pieces, stream.finish()]) == pair.ours.decode(ids[:cut])
        assert stream.finish() == ""
        assert "".join(pieces) == pair.ours.decode_bytes(ids[:cut]).decode("utf-8", "ignore")


def test_a_stream_goes_on_after_an_unknown_id(pair: Any) -> None:
    stream = pair.ours.stream_decoder()
    first, second = pair.ours.encode("é")
    assert stream.push(first) == ""
    for bad in (-1, 4096, 1 << 40):
        with pytest.raises(DataError, match=f"unknown id `{bad}`"):
            stream.push(bad)
    assert stream.push(second) == "é"


def test_special_tokens_are_left_out_of_the_text_on_request(pair: Any) -> None:
    ids = pair.ours.encode("a<|endoftext|>b", "ids")
    assert pair.ours.decode(ids) == "a<|endoftext|>b"
    assert pair.ours.decode(ids, skip_special_tokens=True) == pair.theirs.decode(ids) == "ab"
    assert pair.ours.decode_batch([ids, []], skip_special_tokens=True) == ["ab", ""]


@given(rows=st.lists(st.lists(st.integers(0, 255), max_size=100), max_size=5))
def test_a_batch_is_decoded_as_row_by_row(pair: Any, rows: list[list[int]]) -> None:
    texts = [pair.ours.decode_bytes(row).decode("utf-8", "replace") for row in rows]
    for form in (list, tuple, lambda row: np.array(row, dtype=np.uint32), lambda row: np.array(row, "u2")):
        shaped = [form(row) for row in rows]
        assert pair.ours.decode_batch(iter(shaped)) == [pair.ours.decode(row) for row in shaped] == texts


@pytest.mark.parametrize("bad", [-1, 4096, 1 << 31, 1 << 32, 1 << 62])
def test_an_id_that_is_none_is_named_wherever_it_stands(pair: Any, bad: int) -> None:
    row = [65] * 5000 + [bad]
    for decode in (pair.ours.decode, pair.ours.decode_bytes, lambda row: pair.ours.decode_batch([[65], row])):
        with pytest.raises(DataError, match=f"unknown id `{bad}` at place 5000"):
            decode(row)


def test_lists_share_their_numbers_and_are_right_above_them(pair: Any) -> None:
    """Ids up to 2^13 are numbers made once; those above are not."""
    import json

    document = json.loads(pair.ours.to_json())
    vocabulary = document["model"]["vocab"]
    for number in range(len(vocabulary), (1 << 13) + 2):
        vocabulary[f"spare-{number}"] = number
    last = {**document["added_tokens"][0], "content": "<|last|>", "id": len(vocabulary)}
    document["added_tokens"].append(last)
    wide = type(pair.ours).from_json(json.dumps(document).encode())
    ids = wide.encode("def <|last|>", "ids")
    assert ids == [*wide.encode("def "), (1 << 13) + 2]
    assert wide.encode("self")[0] is wide.encode("self")[0]
