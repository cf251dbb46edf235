"""Ids are those of tokenizers 0.23.3, on everything a string can hold."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex.errors import UsageError
from codex.tokens import Tokenizer

CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "''", "'r", "'l", "\u2019s"]
SPACES = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\xa0",
    "\u2003",
    "\u2028",
    "\u3000",
    "\u200b",
    "\u180e",
]
MARKS = ["e\u0301", "\u0301", "\u20dd", "\ufe0f", "\u200d", "\u0e33", "\u0903", "\u1e9b\u0323"]
ODD = [
    "\0",
    "\x7f",
    "\ufeff",
    "\ufffd",
    "\uffff",
    "\U0010ffff",
    "\U0001f600",
    "\U00020000",
    "\U000e0001",
    "\u0663",
    "\u2167",
    "\u00bd",
    "\ua7cb",
]
WORDS = [
    "def",
    "self",
    "return",
    "the",
    "__init__",
    "0x1F",
    "3.14",
    "naïve",
    "中文",
    "한국어",
    "<|endoftext|>",
    "<|",
]

pieces = st.one_of(
    st.text(max_size=8),
    st.sampled_from(CONTRACTIONS + SPACES + MARKS + ODD + WORDS),
    st.builds(
        lambda piece, times: piece * times,
        st.sampled_from([" ", "\n", "a", "1", "!", "é", "中", *ODD]),
        st.integers(2, 70),
    ),
    st.characters(min_codepoint=0x10000, exclude_categories=["Cs"]),
)
texts = st.lists(pieces, max_size=8).map("".join)


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(texts, min_size=20, max_size=20))
def test_ten_thousand_strings_have_the_same_ids_and_come_back(pair: Any, batch: list[str]) -> None:
    ours = pair.ours.encode_batch(batch, "text")
    assert ours == pair.ids(batch)
    assert [pair.ours.decode(ids) for ids in ours] == batch


def test_the_standard_library_has_the_same_ids(pair: Any, sources: list[str]) -> None:
    ours = pair.ours.encode_batch(sources, "text")
    for text, ids, theirs in zip(sources, ours, pair.ids(sources), strict=True):
        assert ids == theirs
        assert pair.ours.decode(ids) == text


def test_every_scalar_is_split_as_theirs(edges: Any) -> None:
    """Each scalar after a letter, a digit, a mark and a space, with a vocabulary that joins it to them if it may.

    From plane 4 on nothing is a letter, a digit or a space yet; after a mark alone shows whether both agree.
    """
    scalars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    probes = [f"a{c}1{c}!{c} {c}" if c < "\U00040000" else f"!{c}" for c in scalars]
    for start in range(0, len(probes), 4096):
        lines = ["\n".join(probes[i : i + 64]) for i in range(start, min(start + 4096, len(probes)), 64)]
        ours = edges.ours.encode_batch(lines, "text")
        assert ours == edges.ids(lines), f"from U+{ord(scalars[start]):04X}"


@pytest.mark.parametrize(
    "unit", ["a", " ", "\n", "1", "!", "\0", "é", "中", "\u0301", "\U0001f600", "ab", " a", "\r\n", "'s"]
)
def test_long_runs_have_the_same_ids(pair: Any, unit: str) -> None:
    text = unit * (100_000 // len(unit.encode()))
    assert pair.ours.encode(text, "text") == pair.ids([text])[0]


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\t",
        "\n",
        "=",
        "7",
        "\0",
        "ab",
        "abcdefghij",
        "é",
        "中",
        "ก",
        "\u0301",
        "\U0001f600",
        "random",
    ],
)
def test_a_megabyte_of_one_word_takes_linear_time(pair: Any, unit: str) -> None:
    """Four times the text: at most 5.5 times the work; it is 4.5 for n log n, 16 for n * n."""
    letters = random.Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=1 << 20)

    def seconds(size: int) -> float:
        text = "".join(letters[:size]) if unit == "random" else unit * (size // len(unit.encode()))
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            pair.ours.encode(text, "text")
            best = min(best, time.thread_time() - start)
        return best

    # Below five milliseconds it is the memory of the answer that is measured.
    growths = (seconds(1 << 20) / max(seconds(1 << 18), 0.005) for _ in range(3))
    assert any(growth <= 5.5 for growth in growths)


def test_a_word_of_random_letters_has_the_same_ids(pair: Any) -> None:
    text = "".join(random.Random(8).choices("etaoinshrdlu", k=1 << 18))
    assert pair.ours.encode(text, "text") == pair.ids([text])[0]


def test_the_interpreter_is_free_while_text_is_encoded(pair: Any, sources: list[str]) -> None:
    text = "\n".join(sources)
    thread = threading.Thread(target=lambda: pair.ours.encode(text, "text"))
    turns = 0
    thread.start()
    while thread.is_alive():
        turns += 1
    assert turns > 1000  # with the interpreter held, the loop would not turn before the thread is done


@pytest.mark.parametrize("threads", [None, 1, 2, 3, 64])
def test_a_row_is_the_same_on_any_number_of_threads(
    pair: Any, sources: list[str], threads: int | None
) -> None:
    batch = ["", *sources, ""]
    ids, offsets = pair.ours.encode_flat(batch, "text", threads=threads)
    assert (ids.dtype, offsets.dtype, offsets[0], offsets[-1]) == (np.uint16, np.uint64, 0, ids.size)
    alone = [pair.ours.encode(text, "text") for text in batch]
    assert offsets.tolist() == [0, *np.cumsum([len(row) for row in alone]).tolist()]
    assert ids.tolist() == [number for row in alone for number in row]
    assert pair.ours.encode_batch(batch, "text", threads=threads) == alone


def test_the_work_is_shared_between_threads(pair: Any, sources: list[str]) -> None:
    batch = ["\n".join(sources)] * 8
    own, all_threads = time.thread_time(), time.process_time()
    pair.ours.encode_flat(batch, "text", threads=2)
    own, all_threads = time.thread_time() - own, time.process_time() - all_threads
    assert all_threads > 1.2 * own  # the rest is the work of the second thread


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(pair: Any, threads: int) -> None:
    with pytest.raises(UsageError, match=rf"`threads` is {threads}, expected at least 1"):
        pair.ours.encode_flat(["a"], threads=threads)


def test_no_texts_are_an_empty_row(pair: Any) -> None:
    ids, offsets = pair.ours.encode_flat([])
    assert (ids.dtype, ids.size, offsets.tolist()) == (np.uint16, 0, [0])


def test_a_fork_in_the_middle_of_other_threads_encodes(pair: Any, sources: list[str]) -> None:
    """The child of a process that is encoding at that moment finds nothing locked."""
    text = "\n".join(sources)
    expected = pair.ours.encode("def self")
    thread = threading.Thread(target=lambda: pair.ours.encode_flat([text] * 8, "text", threads=2))
    thread.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # of `fork` beside threads, from Python 3.12 on
            for _ in range(5):
                child = os.fork()
                if not child:
                    is_same = False
                    try:
                        is_same = pair.ours.encode_flat(["def self"], threads=2)[0].tolist() == expected
                    finally:
                        os._exit(0 if is_same else 1)
                assert os.waitpid(child, 0)[1] == 0
    finally:
        thread.join()


def test_ids_are_the_narrowest_type_that_holds_them(pair: Any) -> None:
    assert pair.ours.encode_flat(["def"])[0].dtype == np.uint16
    assert Tokenizer.from_json(wide_vocabulary(pair.ours)).encode_flat(["def"])[0].dtype == np.uint32


def wide_vocabulary(tokenizer: Tokenizer) -> bytes:
    """The same merges in a vocabulary of more than 65,536 tokens."""
    document = json.loads(tokenizer.to_json())
    vocabulary = document["model"]["vocab"]
    while len(vocabulary) <= 1 << 16:
        vocabulary[f"spare-{len(vocabulary)}"] = len(vocabulary)
    return json.dumps(document).encode()


@pytest.fixture(scope="module")
def edges(pair: Any) -> Any:
    """Both with one merge for each of `a`, `1`, `!` and space with each byte, so that ids show where words were cut."""
    document = json.loads(pair.ours.to_json())
    alphabet = list(document["model"]["vocab"])[1:257]
    vocabulary = {token: number for number, token in enumerate(["<|endoftext|>", *alphabet])}
    merges = [(left, right) for left in ["a", "1", "!", "Ġ"] for right in alphabet]
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    document["model"] |= {"vocab": vocabulary, "merges": merges}
    data = json.dumps(document)
    theirs = tokenizers.Tokenizer.from_str(data)
    theirs.encode_special_tokens = True
    return type(pair)(Tokenizer.from_json(data.encode()), theirs)
