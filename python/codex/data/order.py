"""Which tokens stand in which row: a pure function of (seed, epoch, row), with nothing to carry over.

An epoch is one pass over every document. A keyed permutation orders the documents, their tokens are laid end
to end, and the line is cut into rows of `row_tokens`. Neighbouring rows share one token, the last of one
being the first of the next, so every token but the first of the epoch is predicted exactly once. A second
permutation orders the rows, else the rows of one long document would fill whole batches. What does not fill
the last row is `remainder_tokens`, another stretch each epoch.

The state is one integer, the row reached. Going to any row costs one vectorised pass over the document
lengths for its epoch (memory: 16 bytes a document) and then O(log documents) a row. No shuffle buffer, no
global random state; who reads a row, and beside whom, changes nothing. See `docs/design/004-data-order.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from codex.errors import DataError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Permutation", "Pieces", "TokenOrder"]

_ROUNDS = 8
_BLOCK = 1 << 14  # numbers permuted at a time: the arrays of one block stay in the processor's cache


class Permutation:
    """A keyed permutation of 0 .. size-1 that is computed, not stored.

    An alternating Feistel network over the next power of two; a result that falls outside the size is
    permuted again until it falls inside (cycle walking), fewer than two turns on average. The round keys are
    SHAKE-256 of `key`, so equal keys give equal orders on every machine and with every version of NumPy,
    whose own generators promise no such thing (NEP 19).

    Args:
        size: how many numbers, at least 1.
        key: any text; what the order is drawn for.

    Source: Luby and Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom functions";
    Black and Rogaway 2002, "Ciphers with arbitrary finite domains", section 3 (cycle walking); the round
    function is the finaliser of SplitMix64, Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
    generators".

    >>> sorted(Permutation(5, "a key")[np.arange(5)].tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, size: int, key: str) -> None:
        if size < 1:
            raise ShapeError(f"permutation of {size} numbers, expected at least 1")
        self.size = size
        bits = max(2, (size - 1).bit_length())
        self._right_bits = bits // 2
        self._left_bits = bits - self._right_bits
        self._keys = np.frombuffer(hashlib.shake_256(key.encode()).digest(8 * _ROUNDS), dtype="<u8")

    def __getitem__(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """The places of `numbers`, an array of integers in 0 .. size-1."""
        flat = np.asarray(numbers, dtype=np.uint64).ravel()
        result = np.empty(flat.size, dtype=np.uint64)
        for start in range(0, flat.size, _BLOCK):
            block = self._network(flat[start : start + _BLOCK])
            outside = np.flatnonzero(block >= self.size)
            while outside.size:
                block[outside] = self._network(block[outside])
                outside = outside[block[outside] >= self.size]
            result[start : start + _BLOCK] = block
        return result.astype(np.int64).reshape(np.shape(numbers))

    def _network(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left_bits, right_bits = self._left_bits, self._right_bits
        left = numbers >> np.uint64(right_bits)
        right = numbers & np.uint64((1 << right_bits) - 1)
        for key in self._keys:
            # The halves change places, and with them their widths; after an even number of rounds both are
            # back.
            left, right = right, left ^ (_mix(right + key) & np.uint64((1 << left_bits) - 1))
            left_bits, right_bits = right_bits, left_bits
        return (left << np.uint64(right_bits)) | right


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Pieces:
    """Where the tokens of some rows lie: one entry for each stretch of one document in one row, in reading
    order.

    `length` tokens from `offset` of document `document` go to place `column` of row `row` (counted from the
    first asked for).
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    document: NDArray[np.int64]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Epoch:
    documents: NDArray[np.int64]  # the document at each place of the line
    starts: NDArray[np.int64]  # where on the line each place begins, and where the last one ends
    rows: Permutation  # row as read -> row as cut


class TokenOrder:
    """The order in which the tokens of some documents are read, epoch after epoch, without end.

    Args:
        lengths: tokens of each document, (N,).
        row_tokens: tokens of a row: the context and the one token after it.
        seed: which of the orders.

    Raises:
        DataError: if all documents together do not fill one row.

    >>> order = TokenOrder(np.array([3, 5, 4]), row_tokens=4, seed=0)
    >>> order.rows_per_epoch, order.remainder_tokens
    (3, 2)
    """

    def __init__(self, lengths: NDArray[Any], row_tokens: int, seed: int) -> None:
        if row_tokens < 2:
            raise ShapeError(
                f"`row_tokens` is {row_tokens}, expected at least 2: a token and the one it predicts"
            )
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.row_tokens = row_tokens
        self.seed = seed
        self.total_tokens = int(self.lengths.sum())
        if self.total_tokens < row_tokens:
            raise DataError(
                f"{self.total_tokens} tokens in {self.lengths.size} documents,"
                f" expected at least {row_tokens} to fill one row",
                hint="add text to the corpus, or make `model.context` smaller",
            )
        #: Rows of one epoch.
        self.rows_per_epoch, self.remainder_tokens = divmod(self.total_tokens - 1, row_tokens - 1)
        # Rows are read in order, and a batch may end one epoch and begin the next: two plans serve all of it.
        self._epoch = lru_cache(maxsize=2)(self._plan)

    def pieces(self, first_row: int, rows: int) -> Pieces:
        """Where the tokens of `rows` rows lie, from row `first_row` counted from the start of epoch 0."""
        numbers = np.arange(first_row, first_row + rows)
        epochs = numbers // self.rows_per_epoch
        if rows and epochs[0] == epochs[-1]:
            return self._pieces_of(int(epochs[0]), numbers % self.rows_per_epoch, 0)
        parts = []
        for epoch in range(
            first_row // self.rows_per_epoch, (first_row + rows - 1) // self.rows_per_epoch + 1
        ):
            inside = np.flatnonzero(epochs == epoch)
            parts.append(self._pieces_of(epoch, numbers[inside] % self.rows_per_epoch, int(inside[0])))
        joined = (np.concatenate([getattr(part, name) for part in parts]) for name in Pieces.__slots__)
        return Pieces(*joined)

    def _plan(self, epoch: int) -> _Epoch:
        documents = Permutation(self.lengths.size, f"codex documents {self.seed} {epoch}")[
            np.arange(self.lengths.size)
        ]
        starts = np.zeros(documents.size + 1, dtype=np.int64)
        np.cumsum(self.lengths[documents], out=starts[1:])
        return _Epoch(documents, starts, Permutation(self.rows_per_epoch, f"codex rows {self.seed} {epoch}"))

    def _pieces_of(self, epoch: int, rows: NDArray[np.int64], first: int) -> Pieces:
        plan = self._epoch(epoch)
        begin = plan.rows[rows] * (self.row_tokens - 1)
        end = begin + self.row_tokens
        # The places of the line that each row touches, then one entry for each of them.
        low = np.searchsorted(plan.starts, begin, side="right") - 1
        high = np.searchsorted(plan.starts, end, side="left")
        count = high - low
        row = np.repeat(np.arange(rows.size), count)
        place = np.arange(row.size) + np.repeat(low - (np.cumsum(count) - count), count)
        starts = np.maximum(plan.starts[place], begin[row])
        length = np.minimum(plan.starts[place + 1], end[row]) - starts
        return Pieces(
            row + first, starts - begin[row], plan.documents[place], starts - plan.starts[place], length
        )
