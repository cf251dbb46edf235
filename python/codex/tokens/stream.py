"""Ids that come one by one, as from a model, to text."""

from __future__ import annotations

import codecs
from collections.abc import Callable

__all__ = ["StreamDecoder"]


class StreamDecoder:
    """Gives text as it becomes certain: what is cut in the middle of a character waits for its rest.

    All that `push` and `finish` gave, joined, is what `decode` gives for all ids. A push costs the same however many came
    before.

    >>> from codex.tokens import train_bpe
    >>> tokenizer = train_bpe(["low lower lowest"], 260)
    >>> stream = tokenizer.stream_decoder()
    >>> [stream.push(token) for token in tokenizer.encode("lowé")], stream.finish()
    (['low', '', 'é'], '')
    """

    def __init__(
        self, first_bytes: Callable[[list[int]], bytes], token_bytes: Callable[[int], bytes]
    ) -> None:
        self._first_bytes = first_bytes
        self._token_bytes = token_bytes
        self._has_begun = False
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        """The text that is certain now and was not before.

        Raises:
            DataError: if the id is not of the vocabulary; the decoder is then as it was.
        """
        if self._has_begun:
            return self._characters.decode(self._token_bytes(token_id))
        data = self._first_bytes(
            [token_id]
        )  # a text may begin otherwise than it goes on: without the space of its first word
        self._has_begun = bool(data)
        return self._characters.decode(data)

    def finish(self) -> str:
        """What is left: U+FFFD for a character that never became whole. The decoder is then as new."""
        rest = self._characters.decode(b"", final=True)
        self._characters.reset()
        self._has_begun = False
        return rest
