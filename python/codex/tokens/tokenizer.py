"""Byte-pair encoding, done by `codex._core`: byte-level, or of characters with byte fallback as SentencePiece has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codex import _core
from codex.tokens.checks import checked_ids, checked_texts, checked_threads
from codex.tokens.interface import BaseTokenizer, Specials
from codex.tokens.offsets import Unit, checked_unit, to_characters
from codex.tokens.settings import NO_SETTINGS, Settings, read_settings

if TYPE_CHECKING:
    from codex.tokens.export import TiktokenParts

__all__ = ["Tokenizer"]


class Tokenizer(BaseTokenizer):
    """Byte-pair encoding. Immutable, safe to share between threads and with a forked process, and it pickles.

    A text with a lone surrogate, which no UTF-8 can hold, is a `DataError` wherever one is taken.

    >>> from codex.tokens import train_bpe
    >>> tokenizer = train_bpe(["low lower lowest"], 260)
    >>> ids = tokenizer.encode("lower")
    >>> ids, tokenizer.decode(ids)
    ([258, 69, 82], 'lower')
    """

    def __init__(self, core: _core.Tokenizer, settings: Settings = NO_SETTINGS) -> None:
        super().__init__(settings)
        self._core = core
        self._has_newer_unicode = False

    @classmethod
    def from_file(cls, path: str | Path, *, cache: str | Path | None = None) -> Tokenizer:
        """Read a `tokenizer.json`.

        Args:
            cache: a folder that keeps what was read in the form it has in memory, by the digest of the file: the next time it is
                there in milliseconds.
        Raises:
            MissingDataError: if there is none.
            DamageError: if it is damaged or needs what is not done here; the message names the part.
        """
        if cache is not None:
            return cls(_core.Tokenizer.from_file_cached(path, cache))
        return cls(_core.Tokenizer.from_file(path))

    @classmethod
    def from_folder(cls, folder: str | Path) -> Tokenizer:
        """Read `tokenizer.json`, else `tokenizer.model`, and what the other files of a Hugging Face folder say beside it.

        Raises:
            MissingDataError, DamageError: as `from_file`.
        """
        return cls(_core.Tokenizer.from_folder(folder), read_settings(Path(folder)))

    @classmethod
    def from_tiktoken(
        cls, ranks: str | Path, pattern: str, special_tokens: Mapping[str, int] | None = None
    ) -> Tokenizer:
        """Read a vocabulary of `tiktoken`: a file of ranks, the pattern that cuts words, and the special tokens.

        Raises:
            MissingDataError, DamageError: as `from_file`.
        """
        return cls(_core.Tokenizer.from_tiktoken(ranks, pattern, list((special_tokens or {}).items())))

    @classmethod
    def from_sentencepiece(cls, path: str | Path) -> Tokenizer:
        """Read a SentencePiece `.model` of type BPE; one of another type is a `DamageError`. Errors as `from_file`."""
        return cls(_core.Tokenizer.from_sentencepiece(path))

    @classmethod
    def from_json(cls, data: bytes) -> Tokenizer:
        """Read the contents of a `tokenizer.json`; errors as `from_file`."""
        return cls(_core.Tokenizer.from_json(data))

    def with_newer_unicode(self) -> Tokenizer:
        """The same, but normalizing by a newer Unicode than `tokenizers` 0.23.3, as its 1.0 does.

        It is another tokenizer, with another fingerprint, if it normalizes at all. Its file does not say so: both have the same.
        """
        changed = Tokenizer(self._core.with_newer_unicode(), self.settings)
        changed._has_newer_unicode = True
        return changed

    def to_json(self) -> bytes:
        """The contents of `tokenizer.json`, as `tokenizers` 0.23.3 writes them."""
        return self._core.to_json()

    def save(self, path: str | Path) -> None:
        """Write `tokenizer.json` to `path`, whole or not at all; `tokenizers` and `transformers` load it."""
        self._core.save(path)

    def encode(
        self, text: str, specials: Specials = "forbid", *, add_special_tokens: bool = False
    ) -> list[int]:
        """As `BaseTokenizer.encode`."""
        ids = self._core.encode(text, specials)
        return self._dressed(ids) if add_special_tokens else ids

    def encode_flat(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> tuple[NDArray[Any], NDArray[np.uint64]]:
        """As `BaseTokenizer.encode_flat`, without a Python object for each id."""
        return self._core.encode_flat(checked_texts(texts), specials, checked_threads(threads))

    def _rows(
        self, texts: Sequence[str], specials: Specials, add_special_tokens: bool, threads: int | None
    ) -> list[list[int]]:
        rows = self._core.encode_batch(checked_texts(texts), specials, checked_threads(threads))
        return [self._dressed(row) for row in rows] if add_special_tokens else rows

    def _dressed(self, ids: list[int]) -> list[int]:
        before, after = self._core.ids_around
        return [*before, *ids, *after]

    @cached_property
    def _template(self) -> tuple[int, int]:
        before, after = self._core.ids_around
        return len(before), len(after)

    def encode_with_offsets(
        self, text: str, specials: Specials = "forbid", *, unit: Unit = "bytes"
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """As `BaseTokenizer.encode_with_offsets`.

        >>> from codex.tokens import train_bpe
        >>> train_bpe(["low lower lowest"], 260).encode_with_offsets("lowé", unit="chars")
        ([258, 128, 103], [(0, 3), (3, 4), (3, 4)])
        """
        checked_unit(unit)
        ids, spans = self._core.encode_with_spans(text, specials)
        return ids, spans if unit == "bytes" else to_characters(text, spans)

    def count(self, text: str, specials: Specials = "forbid") -> int:
        """As `BaseTokenizer.count`, without a row of ids."""
        return self._core.count(text, specials)

    def decode(self, ids: ArrayLike, *, skip_special_tokens: bool = False) -> str:
        """As `BaseTokenizer.decode`."""
        if skip_special_tokens:
            ids = checked_ids(ids, self.vocab_size)
            ids = ids[~np.isin(ids, list(self.special_tokens.values()))]
        try:
            return self._core.decode(ids)  # type: ignore[arg-type]
        except TypeError:
            return self._core.decode(checked_ids(ids, self.vocab_size))

    def decode_batch(self, rows: Iterable[ArrayLike], *, skip_special_tokens: bool = False) -> list[str]:
        """As `BaseTokenizer.decode_batch`."""
        rows = list(rows)
        if not skip_special_tokens:
            try:
                return self._core.decode_batch(rows)  # type: ignore[arg-type]
            except TypeError:
                pass  # a row is neither a list of numbers nor an array of uint32: `decode` looks at each
        return super().decode_batch(rows, skip_special_tokens=skip_special_tokens)

    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """As `BaseTokenizer.decode_bytes`."""
        try:
            return self._core.decode_bytes(ids)  # type: ignore[arg-type]
        except TypeError:
            return self._core.decode_bytes(checked_ids(ids, self.vocab_size))

    def token_bytes(self, token_id: int) -> bytes:
        """As `BaseTokenizer.token_bytes`."""
        found = self._core.token_bytes(token_id) if 0 <= token_id < self.vocab_size else None
        return self.decode_bytes([token_id]) if found is None else found

    @property
    def vocab_size(self) -> int:
        """As `BaseTokenizer.vocab_size`."""
        return self._core.vocab_size

    @property
    def fingerprint(self) -> str:
        """As `BaseTokenizer.fingerprint`."""
        return self._core.fingerprint

    @property
    def special_tokens(self) -> dict[str, int]:
        """The special tokens and their ids, by id."""
        return dict(self._core.special_tokens)

    @property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The bytes that are joined, left and right, in the order of learning."""
        return self._core.merges

    def to_tiktoken(self) -> TiktokenParts:
        """What makes a `tiktoken.Encoding` with equal ids: `tiktoken.Encoding("mine", **tokenizer.to_tiktoken())`.

        Raises:
            DataError: naming what tiktoken has no word for, such as a normalizer.
        """
        from codex.tokens.export import tiktoken_parts

        return tiktoken_parts(self)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.to_json(), self.settings, self._has_newer_unicode)


def _rebuild(data: bytes, settings: Settings, has_newer_unicode: bool) -> Tokenizer:
    made = Tokenizer(_core.Tokenizer.from_json(data), settings)
    return made.with_newer_unicode() if has_newer_unicode else made
