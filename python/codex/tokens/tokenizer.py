"""The tokenizer: text to ids and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codex import _core
from codex.errors import DataError, UsageError

__all__ = ["END_OF_DOCUMENT", "Specials", "Tokenizer", "checked_threads"]

#: The special token that ends every document.
END_OF_DOCUMENT = "<|endoftext|>"
#: Where a text holds the text of a special token: refuse it, encode it as ordinary text, or make the special id of it.
Specials = Literal["forbid", "text", "ids"]


class Tokenizer:
    """Byte-level byte-pair encoding with GPT-2's pattern. Immutable, safe to share between threads, and it pickles.

    A text with a lone surrogate, which no UTF-8 can hold, is a `DataError` wherever one is taken.

    >>> from codex.tokens import train_bpe
    >>> tokenizer = train_bpe(["low lower lowest"], 260)
    >>> ids = tokenizer.encode("lower")
    >>> ids, tokenizer.decode(ids)
    ([258, 69, 82], 'lower')
    """

    def __init__(self, core: _core.Tokenizer) -> None:
        self._core = core

    @classmethod
    def from_file(cls, path: str | Path) -> Tokenizer:
        """Read a `tokenizer.json`.

        Raises:
            MissingDataError: if there is none.
            DamageError: if it is damaged or needs what is not done here; the message names the part.
        """
        return cls(_core.Tokenizer.from_file(path))

    @classmethod
    def from_json(cls, data: bytes) -> Tokenizer:
        """Read the contents of a `tokenizer.json`; errors as `from_file`."""
        return cls(_core.Tokenizer.from_json(data))

    def to_json(self) -> bytes:
        """The contents of `tokenizer.json`, as `tokenizers` 0.23.3 writes them."""
        return self._core.to_json()

    def save(self, path: str | Path) -> None:
        """Write `tokenizer.json` to `path`, whole or not at all; `tokenizers` and `transformers` load it."""
        self._core.save(path)

    def encode(self, text: str, specials: Specials = "forbid") -> list[int]:
        """The ids of `text`.

        Raises:
            DataError: under `forbid`, if `text` holds the text of a special token.
        """
        return self._core.encode(text, specials)

    def encode_batch(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> list[list[int]]:
        """The ids of each text; arguments and errors as `encode_flat`."""
        return self._core.encode_batch(list(texts), specials, checked_threads(threads))

    def encode_flat(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> tuple[NDArray[Any], NDArray[np.uint64]]:
        """The ids of all texts in one row, without a Python object for each.

        Args:
            threads: how many may work, one for each processor if None. The answer is the same whatever it is.
        Returns:
            ids (T,), uint16 or uint32, and offsets (N + 1,): text `n` is `ids[offsets[n]:offsets[n + 1]]`.
        Raises:
            UsageError: if `threads` is less than 1.
            DataError: as `encode`, for the first text that has an error.

        >>> from codex.tokens import train_bpe
        >>> tokenizer = train_bpe(["low lower lowest"], 260)
        >>> ids, offsets = tokenizer.encode_flat(["low", "", "lower"])
        >>> offsets, tokenizer.decode(ids[1:])
        (array([0, 1, 1, 4], dtype=uint64), 'lower')
        """
        return self._core.encode_flat(list(texts), specials, checked_threads(threads))

    def decode(self, ids: ArrayLike) -> str:
        """The text that `ids` stand for, special tokens as their text; bytes that are not UTF-8 become U+FFFD.

        Raises:
            DataError: if an id is not of this vocabulary.
        """
        return self._core.decode(self._checked(ids))

    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """The bytes that `ids` stand for, exactly: a character may be cut at either end. Errors as `decode`."""
        return self._core.decode_bytes(self._checked(ids))

    def _checked(self, ids: ArrayLike) -> NDArray[np.uint32]:
        array = np.asarray(ids)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise UsageError(f"ids are {array.dtype} of shape {array.shape}, expected one axis of integers")
        unknown = np.flatnonzero((array < 0) | (array >= self.vocab_size))
        if unknown.size:
            place = int(unknown[0])
            message = f"unknown id `{array[place]}` at place {place}, expected below {self.vocab_size}"
            raise DataError(message, hint="were the ids made with another tokenizer?")
        return np.ascontiguousarray(array, dtype=np.uint32)

    @property
    def vocab_size(self) -> int:
        """The number of ids: 0 up to it, without a hole."""
        return self._core.vocab_size

    @property
    def fingerprint(self) -> str:
        """`sha256:...` of the canonical JSON: equal for equal tokenizers, however their files were written."""
        return self._core.fingerprint

    @property
    def end_of_document_id(self) -> int:
        """The id of `<|endoftext|>`; a `DataError` if the vocabulary does not have it."""
        found = self._core.end_of_document_id
        if found is None:
            raise DataError(f"the tokenizer has no special token `{END_OF_DOCUMENT}` to end documents")
        return found

    @property
    def special_tokens(self) -> dict[str, int]:
        """The special tokens and their ids, by id."""
        return dict(self._core.special_tokens)

    @property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The bytes that are joined, left and right, in the order of learning."""
        return self._core.merges

    def __reduce__(self) -> tuple[object, ...]:
        return Tokenizer.from_json, (self.to_json(),)

    def __repr__(self) -> str:
        return f"<Tokenizer of {self.vocab_size} tokens, {self.fingerprint[:19]}>"


def checked_threads(threads: int | None) -> int | None:
    """`threads` if it can be one.

    Raises:
        UsageError: if it is less than 1.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"`threads` is {threads}, expected at least 1, or None for one for each processor")
    return threads
