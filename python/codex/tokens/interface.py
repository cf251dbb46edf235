"""What every kind of tokenizer can do, said once.

A kind brings `encode`, `encode_with_offsets` and `decode`; the rest follows from these, and a kind that knows a faster
way takes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codex.errors import DataError, UsageError
from codex.tokens.checks import checked_texts, checked_threads
from codex.tokens.offsets import Unit
from codex.tokens.padding import Padding, Truncation, pad, truncated
from codex.tokens.settings import NO_SETTINGS, Settings
from codex.tokens.stream import StreamDecoder

if TYPE_CHECKING:
    from codex.tokens.chat import ChatTemplate, EncodedChat, Message

__all__ = ["END_OF_DOCUMENT", "BaseTokenizer", "Specials"]

#: The special token that ends every document.
END_OF_DOCUMENT = "<|endoftext|>"
#: What ends a document in vocabularies of others, where there is no `<|endoftext|>` and no `eos_token`.
_OTHER_ENDS = ("<|end_of_text|>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "</s>", "<|eot_id|>", "[SEP]")
_PADS = ("<|pad|>", "<pad>", "[PAD]", "<|endoftext|>")

#: Where a text holds the text of a special token: refuse it, encode it as ordinary text, or make the special id of it.
Specials = Literal["forbid", "text", "ids"]


class BaseTokenizer(ABC):
    """Text to ids and back. Immutable, safe to share between threads and with a forked process, and it pickles.

    Args:
        settings: what the folder of a tokenizer says beside its vocabulary.
    """

    def __init__(self, settings: Settings = NO_SETTINGS) -> None:
        self.settings = settings

    # What a kind brings.

    @abstractmethod
    def encode(
        self, text: str, specials: Specials = "forbid", *, add_special_tokens: bool = False
    ) -> list[int]:
        """The ids of `text`.

        Args:
            specials: what becomes of a special token that `text` spells.
            add_special_tokens: put those around it that the file's template says, such as `<s>` or `[CLS]`.
        Raises:
            DataError: under `forbid`, if `text` holds the text of a special token; and if it holds a lone surrogate.
        """

    @abstractmethod
    def encode_with_offsets(
        self, text: str, specials: Specials = "forbid", *, unit: Unit = "bytes"
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of `text`, and where in it each one starts and ends. Errors as `encode`.

        Args:
            unit: what an offset counts: bytes of UTF-8, or characters; a character that two tokens share counts for both.
        """

    @abstractmethod
    def decode(self, ids: ArrayLike, *, skip_special_tokens: bool = False) -> str:
        """The text that `ids` stand for, special tokens as their text or left out; broken UTF-8 becomes U+FFFD.

        Raises:
            DataError: if an id is not of this vocabulary.
        """

    @abstractmethod
    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """The bytes that `ids` stand for, exactly: a character may be cut at either end. Errors as `decode`."""

    @abstractmethod
    def to_json(self) -> bytes:
        """The contents of `tokenizer.json`."""

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """The number of ids: 0 up to it, without a hole."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """`sha256:...` of the canonical JSON: equal for equal tokenizers, however their files were written."""

    @property
    @abstractmethod
    def special_tokens(self) -> dict[str, int]:
        """The special tokens and their ids, by id."""

    # What follows from it.

    def encode_batch(
        self,
        texts: Sequence[str],
        specials: Specials = "forbid",
        *,
        add_special_tokens: bool = False,
        threads: int | None = None,
        padding: Padding | None = None,
        truncation: Truncation | None = None,
        max_length: int | None = None,
        return_tensors: Literal["np", "pt"] | None = None,
    ) -> Any:
        """The ids of each text: lists, or with `padding` two arrays, `ids` and `mask`.

        Args:
            threads: how many may work, one for each processor if None. The answer is the same whatever it is.
            padding: fill rows up to the `longest` of them or to `max_length`, on the right, with the padding token (the
                end-of-document token where there is none).
            truncation: what to cut from a row of more than `max_length`: its `right` end or its `left` one. What
                `add_special_tokens` adds stays.
            max_length: in ids.
            return_tensors: `np` or `pt` (torch); None is `np`.
        Returns:
            A list of lists; with `padding` a `Padded`: `ids` and `mask`, both int64 of shape (N, L), the mask 1 where an id
            is of the text.
        Raises:
            UsageError: if the arguments do not fit together.
            DataError: as `encode`, for the first text that has an error.

        >>> from codex.tokens import train_bpe
        >>> tokenizer = train_bpe(["low lower lowest"], 260)
        >>> tokenizer.encode_batch(["low", "lower"], padding="longest").mask
        array([[1, 0, 0],
               [1, 1, 1]])
        """
        rows = self._rows(texts, specials, add_special_tokens, threads)
        if truncation is not None:
            ends = self._template if add_special_tokens else (0, 0)
            rows = truncated(rows, truncation, max_length, ends)
        elif max_length is not None and padding != "max_length":
            raise UsageError("`max_length` is given, but neither `truncation` nor `padding` `max_length`")
        if padding is None:
            if return_tensors is not None:
                raise UsageError(
                    f"`return_tensors` is `{return_tensors}`, but rows are not padded to one length"
                )
            return rows
        return pad(rows, self.pad_id, padding, max_length, return_tensors or "np")

    def encode_flat(
        self, texts: Sequence[str], specials: Specials = "forbid", *, threads: int | None = None
    ) -> tuple[NDArray[Any], NDArray[np.uint64]]:
        """The ids of all texts in one row; the native kinds make no Python object for each.

        Returns:
            ids (T,), uint16, or uint32 above 65,536 tokens, and offsets (N + 1,): text `n` is `ids[offsets[n]:offsets[n + 1]]`.
        Raises:
            UsageError: if `threads` is less than 1.
            DataError: as `encode`, for the first text that has an error.

        >>> from codex.tokens import train_bpe
        >>> tokenizer = train_bpe(["low lower lowest"], 260)
        >>> ids, offsets = tokenizer.encode_flat(["low", "", "lower"])
        >>> offsets, tokenizer.decode(ids[1:])
        (array([0, 1, 1, 4], dtype=uint64), 'lower')
        """
        rows = self._rows(texts, specials, False, threads)
        dtype = np.uint16 if self.vocab_size <= 1 << 16 else np.uint32
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.uint64)
        return np.fromiter((i for row in rows for i in row), dtype, int(offsets[-1])), offsets

    def count(self, text: str, specials: Specials = "forbid") -> int:
        """The number of ids of `text`; errors as `encode`."""
        return len(self.encode(text, specials))

    def truncate(self, text: str, n: int, specials: Specials = "forbid") -> str:
        """The start of `text` that its first `n` ids stand for, less a character that is cut; errors as `encode`.

        >>> from codex.tokens import train_bpe
        >>> train_bpe(["low lower lowest"], 260).truncate("lower", 2)
        'lowe'
        """
        _, offsets = self.encode_with_offsets(text, specials, unit="chars")
        if n >= len(offsets):
            return text
        end = offsets[n - 1][1] if n > 0 else 0
        while end > offsets[n][0]:  # the next id holds a part of the last character
            end -= 1
        return text[:end]

    def decode_batch(self, rows: Iterable[ArrayLike], *, skip_special_tokens: bool = False) -> list[str]:
        """The text of each row of ids; errors as `decode`."""
        return [self.decode(row, skip_special_tokens=skip_special_tokens) for row in rows]

    def to_transformers(self) -> Any:
        """A `transformers.PreTrainedTokenizerFast` with equal ids, special tokens and chat template; needs the extra `hf`."""
        from codex.tokens.export import transformers_tokenizer

        return transformers_tokenizer(self)

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for ids that come one by one; what it gives is whole characters."""
        return StreamDecoder(self.decode_bytes, self.token_bytes)

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that one id stands for in the middle of a text; errors as `decode`."""
        return self.decode_bytes([token_id])

    @property
    def end_of_document_id(self) -> int:
        """The id that ends a document: `<|endoftext|>`, else the `eos_token` of the folder, else a usual name of it.

        Raises:
            DataError: if the vocabulary has none.
        """
        names = (END_OF_DOCUMENT, self.settings.eos_token, *_OTHER_ENDS)
        found = self._first_special(names)
        if found is None:
            raise DataError(f"the tokenizer has no special token `{END_OF_DOCUMENT}` to end documents")
        return found

    @property
    def pad_id(self) -> int:
        """The id that fills rows: `pad_token` of the folder, a usual name of it, else the end of a document."""
        found = self._first_special((self.settings.pad_token, *_PADS))
        return self.end_of_document_id if found is None else found

    def _first_special(self, names: Iterable[str | None]) -> int | None:
        specials = self.special_tokens
        return next((specials[name] for name in names if name in specials), None)

    @cached_property
    def chat_template(self) -> ChatTemplate | None:
        """The template that turns messages into text, if the folder has one."""
        from codex.tokens.chat import ChatTemplate

        source = self.settings.chat_template
        return None if source is None else ChatTemplate(source, self.settings.named_tokens())

    def encode_chat(
        self,
        messages: Sequence[Message],
        *,
        roles: Iterable[str] = ("assistant",),
        add_generation_prompt: bool = False,
        specials: Literal["forbid", "ids"] = "forbid",
        **variables: Any,
    ) -> EncodedChat:
        """The ids of a conversation, with a mask of what `roles` said; `codex.tokens.chat` tells all of it."""
        from codex.tokens.chat import encode_chat

        return encode_chat(self, messages, frozenset(roles), add_generation_prompt, specials, variables)

    def with_settings(self, settings: Settings | None = None, **changes: str | None) -> Self:
        """The same tokenizer with other settings, or with some of them changed, such as `chat_template`."""
        changed = object.__new__(type(self))
        settings = replace(settings or self.settings, **changes)
        changed.__dict__.update({**self.__dict__, "settings": settings})
        changed.__dict__.pop("chat_template", None)
        return changed

    def _rows(
        self, texts: Sequence[str], specials: Specials, add_special_tokens: bool, threads: int | None
    ) -> list[list[int]]:
        checked_threads(threads)
        rows = checked_texts(texts)
        return [self.encode(text, specials, add_special_tokens=add_special_tokens) for text in rows]

    @cached_property
    def _template(self) -> tuple[int, int]:
        """How many ids `add_special_tokens` puts before a text and after it."""
        bare, dressed = self.encode("a"), self.encode("a", add_special_tokens=True)
        before = next((at for at in range(len(dressed)) if dressed[at : at + len(bare)] == bare), 0)
        return before, len(dressed) - before - len(bare)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.vocab_size} tokens, {self.fingerprint[:19]}>"
