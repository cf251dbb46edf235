"""The order of tokens: nothing lost, nothing twice, and the same wherever one starts reading."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex.data.order import Permutation, TokenOrder
from codex.errors import DataError, ShapeError

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 63, 64, 65, 127, 1000, 4097, 16384, 40001]


def permuted_by_hand(size: int, key: str, number: int) -> int:
    """The slow twin of `Permutation`: one number, plain integers."""
    mask = 2**64 - 1
    digest = hashlib.shake_256(key.encode()).digest(64)
    keys = [int.from_bytes(digest[8 * i : 8 * i + 8], "little") for i in range(8)]
    bits = max(2, (size - 1).bit_length())
    while True:
        right_bits = bits // 2
        left_bits = bits - right_bits
        left, right = number >> right_bits, number & ((1 << right_bits) - 1)
        for round_key in keys:
            mixed = (right + round_key) & mask
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
            mixed ^= mixed >> 31
            left, right = right, left ^ (mixed & ((1 << left_bits) - 1))
            left_bits, right_bits = right_bits, left_bits
        number = (left << right_bits) | right
        if number < size:
            return number


def row_of(order: TokenOrder, row: int) -> list[tuple[int, int]]:
    """One row as (document, place in it) for each token."""
    pieces = order.pieces(row, 1)
    result: list[tuple[int, int]] = []
    for column, document, offset, length in zip(
        pieces.column, pieces.document, pieces.offset, pieces.length, strict=True
    ):
        assert column == len(result)
        result += [(int(document), int(offset) + i) for i in range(length)]
    return result


@pytest.mark.parametrize("size", SIZES)
def test_permutation_reaches_every_number_once(size: int) -> None:
    assert np.array_equal(np.sort(Permutation(size, "k")[np.arange(size)]), np.arange(size))


@pytest.mark.parametrize("size", SIZES)
def test_permutation_equals_its_slow_twin(size: int) -> None:
    numbers = np.unique(np.linspace(0, size - 1, 50).astype(np.int64))
    assert Permutation(size, "twin")[numbers].tolist() == [
        permuted_by_hand(size, "twin", int(n)) for n in numbers
    ]


def test_permutation_never_changes_between_versions() -> None:
    # Runs of yesterday resume with the order of yesterday: these numbers are a promise.
    assert Permutation(10, "codex documents 0 0")[np.arange(10)].tolist() == [3, 5, 9, 1, 0, 6, 4, 7, 8, 2]
    large = Permutation(1_000_000_007, "codex rows 1 2")
    assert large[np.array([0, 1, 999_999_999])].tolist() == [47024422, 599060094, 818393533]


@pytest.mark.parametrize("size", [2, 3, 5, 8, 11])
def test_permutation_sends_each_number_everywhere_equally_often(size: int) -> None:
    keys = 1000
    counts = np.zeros((size, size))
    for key in range(keys):
        counts[np.arange(size), Permutation(size, f"key {key}")[np.arange(size)]] += 1
    expected = keys / size
    # Chi-square of (size - 1)^2 degrees of freedom; six standard deviations above its mean.
    degrees = (size - 1) ** 2
    assert ((counts - expected) ** 2 / expected).sum() < degrees + 6 * (2 * degrees) ** 0.5 + 6


def test_permutation_of_nothing_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"permutation of 0 numbers"):
        Permutation(0, "k")


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=30),
    row_tokens=st.integers(2, 20),
    seed=st.integers(0, 2**53),
    epoch=st.integers(0, 3),
)
def test_epoch_predicts_every_token_once_but_the_first_and_the_remainder(
    lengths: list[int], row_tokens: int, seed: int, epoch: int
) -> None:
    if sum(lengths) < row_tokens:
        with pytest.raises(DataError):
            TokenOrder(np.array(lengths), row_tokens, seed)
        return
    order = TokenOrder(np.array(lengths), row_tokens, seed)
    first = epoch * order.rows_per_epoch
    rows = [row_of(order, first + i) for i in range(order.rows_per_epoch)]
    assert all(len(row) == row_tokens for row in rows)
    predicted = [token for row in rows for token in row[1:]]
    assert len(set(predicted)) == len(predicted)
    assert len(predicted) + order.remainder_tokens + 1 == sum(lengths)
    assert order.remainder_tokens < row_tokens - 1


def test_documents_are_read_from_start_to_end_in_each_row() -> None:
    order = TokenOrder(np.array([5, 1, 9, 2, 6]), row_tokens=4, seed=3)
    for row in range(order.rows_per_epoch):
        tokens = row_of(order, row)
        for (document, place), (after, next_place) in pairwise(tokens):
            if document == after:
                assert next_place == place + 1
            else:
                assert place == order.lengths[document] - 1 and next_place == 0


def test_rows_are_the_same_however_many_are_asked_for() -> None:
    order = TokenOrder(np.arange(1, 50), row_tokens=8, seed=1)
    alone = [row_of(order, row) for row in range(400)]
    for rows in (1, 3, 7, 64, 400):
        again: list[list[tuple[int, int]]] = [[] for _ in range(400)]
        for first in range(0, 400, rows):
            pieces = order.pieces(first, min(rows, 400 - first))
            for row, document, offset, length in zip(
                pieces.row, pieces.document, pieces.offset, pieces.length, strict=True
            ):
                again[first + row] += [(int(document), int(offset) + i) for i in range(length)]
        assert again == alone


def test_a_far_row_is_reached_from_a_fresh_start() -> None:
    lengths = np.arange(1, 500)
    read_on = TokenOrder(lengths, row_tokens=33, seed=9)
    for row in range(0, 20_000, 500):
        expected = row_of(read_on, row)
    assert row_of(TokenOrder(lengths, row_tokens=33, seed=9), 19_500) == expected


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    def epoch(seed: int, number: int) -> list[list[tuple[int, int]]]:
        order = TokenOrder(np.full(100, 10), row_tokens=11, seed=seed)
        return [row_of(order, number * order.rows_per_epoch + i) for i in range(order.rows_per_epoch)]

    assert epoch(0, 0) == epoch(0, 0)
    assert len({str(epoch(seed, number)) for seed in range(3) for number in range(3)}) == 9


def test_neighbouring_rows_come_from_far_apart() -> None:
    # One document of 10,000 tokens must not fill batch after batch in its own order.
    order = TokenOrder(np.array([10_000]), row_tokens=11, seed=0)
    starts = np.array([row_of(order, row)[0][1] for row in range(order.rows_per_epoch)])
    assert np.mean(np.abs(np.diff(starts)) == 10) < 0.01


@pytest.mark.parametrize(("tokens", "row_tokens"), [(3, 4), (0, 2)])
def test_too_few_tokens_for_one_row_say_so(tokens: int, row_tokens: int) -> None:
    with pytest.raises(
        DataError, match=rf"{tokens} tokens in 1 documents, expected at least {row_tokens}"
    ) as caught:
        TokenOrder(np.array([tokens]), row_tokens, seed=0)
    assert caught.value.hint and "model.context" in caught.value.hint


def test_exactly_one_row_is_enough() -> None:
    order = TokenOrder(np.array([3, 1]), row_tokens=4, seed=0)
    assert (order.rows_per_epoch, order.remainder_tokens) == (1, 0)


def test_row_of_one_token_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"`row_tokens` is 1"):
        TokenOrder(np.array([10]), row_tokens=1, seed=0)
