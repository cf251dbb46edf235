"""WordPiece, Unigram and whatever else `tokenizers` runs, behind the interface of all tokenizers."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from codex import _core
from codex.errors import DamageError, DataError, MissingExtraError
from codex.tokens.checks import checked_ids, checked_text, refuse_specials
from codex.tokens.interface import BaseTokenizer, Specials
from codex.tokens.offsets import Unit, checked_unit, to_bytes
from codex.tokens.settings import NO_SETTINGS, Settings
from codex.tokens.stream import StreamDecoder

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ForeignTokenizer", "require"]


def require(module: str, what: str) -> None:
    """Say before any work that an optional package is missing.

    Raises:
        MissingExtraError: with the line that installs it.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(
            f"{what} needs `{module}`, which is not installed", hint='pip install "codex-lm[hf]"'
        )


class ForeignTokenizer(BaseTokenizer):
    """A `tokenizer.json` that `tokenizers` encodes and decodes: one text at a time, on one thread.

    Args:
        data: the contents of the file. What it says of padding and truncation is left aside: they are arguments here.
        name: what an error calls the file.
    """

    def __init__(
        self,
        data: bytes,
        settings: Settings = NO_SETTINGS,
        *,
        name: str = "tokenizer.json",
    ) -> None:
        super().__init__(settings)
        require("tokenizers", f"`{name}`, a tokenizer that is not byte-pair encoding,")
        self._data = data
        # Whether special tokens are text is a state of their object, so there is one for each.
        self._as_ids, self._as_text = _read(data, name), _read(data, name)
        self._as_text.encode_special_tokens = True

    def encode(
        self, text: str, specials: Specials = "forbid", *, add_special_tokens: bool = False
    ) -> list[int]:
        """As `BaseTokenizer.encode`."""
        return self._encoding(text, specials, add_special_tokens).ids

    def encode_with_offsets(
        self, text: str, specials: Specials = "forbid", *, unit: Unit = "bytes"
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """As `BaseTokenizer.encode_with_offsets`."""
        checked_unit(unit)
        encoding = self._encoding(text, specials, False)
        return encoding.ids, to_bytes(text, encoding.offsets) if unit == "bytes" else encoding.offsets

    def _encoding(self, text: str, specials: Specials, add_special_tokens: bool) -> tokenizers.Encoding:
        checked_text(text, specials)
        if specials == "forbid":
            refuse_specials(text, self.special_tokens)
        encoder = self._as_text if specials == "text" else self._as_ids
        encoding = encoder.encode(text, add_special_tokens=add_special_tokens)
        if specials == "text":
            spelt = {name: number for name, number in self.special_tokens.items() if name in text}
            made = spelt and {*encoding.ids}.intersection(spelt.values())
            if made:  # as in Unigram, where special tokens are pieces like others
                name = next(name for name, number in spelt.items() if number in made)
                raise DataError(f"ordinary text spells the special token `{name}` of this model")
        return encoding

    def decode(self, ids: ArrayLike, *, skip_special_tokens: bool = False) -> str:
        """As `BaseTokenizer.decode`; the text is that of the file's decoder, which may have lost spaces and case."""
        row = checked_ids(ids, self.vocab_size).tolist()
        return self._as_ids.decode(row, skip_special_tokens=skip_special_tokens)

    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """The text of `decode` as UTF-8."""
        return self.decode(ids).encode()

    def stream_decoder(self) -> StreamDecoder:
        """As `BaseTokenizer.stream_decoder`."""
        return _Stream(self)

    def to_json(self) -> bytes:
        """The contents of the file it was read from."""
        return self._data

    @cached_property
    def vocab_size(self) -> int:
        """As `BaseTokenizer.vocab_size`."""
        return max(self._as_ids.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @cached_property
    def fingerprint(self) -> str:
        """As `BaseTokenizer.fingerprint`."""
        return f"sha256:{hashlib.sha256(_core.canonical_json(self._data)).hexdigest()}"

    @cached_property
    def special_tokens(self) -> dict[str, int]:
        """As `BaseTokenizer.special_tokens`."""
        added = sorted(self._as_ids.get_added_tokens_decoder().items())
        return {token.content: number for number, token in added if token.special}

    def __reduce__(self) -> tuple[object, ...]:
        return ForeignTokenizer, (self._data, self.settings)


class _Stream(StreamDecoder):
    """Their stream decoder, which looks back at as few tokens as its answer needs."""

    def __init__(self, tokenizer: ForeignTokenizer) -> None:
        super().__init__(tokenizer.decode_bytes, tokenizer.token_bytes)
        self._tokenizer = tokenizer
        self._begin()

    def _begin(self) -> None:
        from tokenizers.decoders import DecodeStream

        self._waiting: list[int] = []
        self._theirs = DecodeStream(skip_special_tokens=False)

    def push(self, token_id: int) -> str:
        checked_ids([token_id], self._tokenizer.vocab_size)
        self._waiting.append(token_id)
        text = self._theirs.step(self._tokenizer._as_ids, token_id)
        if text is None:
            return ""
        self._waiting.clear()
        return text

    def finish(self) -> str:
        rest = self._tokenizer.decode(self._waiting) if self._waiting else ""
        self._begin()
        return rest


def _read(data: bytes, name: str) -> tokenizers.Tokenizer:
    import tokenizers

    try:
        made = tokenizers.Tokenizer.from_str(data.decode("utf-8"))
    except Exception as error:  # they raise nothing narrower
        raise DamageError(f"`{name}`: {' '.join(str(error).split())}") from None
    made.no_padding()
    made.no_truncation()
    return made


def to_library(data: bytes) -> Any:
    """The `tokenizers.Tokenizer` of the contents of a `tokenizer.json`."""
    require("tokenizers", "this")
    return _read(data, "tokenizer.json")
