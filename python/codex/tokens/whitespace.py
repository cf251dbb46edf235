"""Words between white space, each a token: the simplest tokenizer there is, for toys and baselines."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from numpy.typing import ArrayLike

from codex import _core
from codex.errors import DamageError, UsageError
from codex.tokens.checks import checked_ids, checked_text, refuse_specials
from codex.tokens.interface import END_OF_DOCUMENT, BaseTokenizer, Specials
from codex.tokens.offsets import Unit, checked_unit, to_bytes
from codex.tokens.settings import NO_SETTINGS, Settings

__all__ = ["WhitespaceTokenizer", "is_whitespace", "train_whitespace"]

UNKNOWN = "<|unknown|>"
# White space as Unicode and `tokenizers` have it; Python's own takes four control characters more.
_WORD = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def is_whitespace(document: dict[str, Any]) -> bool:
    """Whether a `tokenizer.json` is words between white space and nothing more."""
    steps = [document.get("normalizer"), document.get("post_processor"), document.get("decoder")]
    return steps == [None, None, None] and document.get("pre_tokenizer") == {"type": "WhitespaceSplit"}


class WhitespaceTokenizer(BaseTokenizer):
    """A vocabulary of words; what is in none of them is `<|unknown|>`, and white space is lost.

    Its file is a `tokenizer.json` with a `WordLevel` model, which `tokenizers` reads with equal ids.

    >>> tokenizer = train_whitespace(["low lower low"], 4)
    >>> ids = tokenizer.encode("low  new")
    >>> ids, tokenizer.decode(ids)
    ([2, 1], 'low <|unknown|>')
    """

    def __init__(self, document: dict[str, Any], settings: Settings = NO_SETTINGS) -> None:
        super().__init__(settings)
        self._document = document
        model = document.get("model", {})
        self._ids: dict[str, int] = model.get("vocab", {})
        self._words = {number: word for word, number in self._ids.items()}
        if not is_whitespace(document) or sorted(self._words) != list(range(len(self._ids))):
            raise DamageError("`model.vocab` is no row of words with ids from 0 that white space cuts")
        if model.get("unk_token") not in self._ids:
            raise DamageError(
                f"`model.unk_token` is {model.get('unk_token')!r}, expected a word of `model.vocab`"
            )
        self._unknown = self._ids[model["unk_token"]]

    def encode(
        self, text: str, specials: Specials = "forbid", *, add_special_tokens: bool = False
    ) -> list[int]:
        """As `BaseTokenizer.encode`; its template adds nothing."""
        return self.encode_with_offsets(text, specials)[0]

    def encode_with_offsets(
        self, text: str, specials: Specials = "forbid", *, unit: Unit = "bytes"
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """As `BaseTokenizer.encode_with_offsets`."""
        checked_unit(unit)
        checked_text(text, specials)
        if specials == "forbid":
            refuse_specials(text, self.special_tokens)
        ids, spans = [], []
        for start, end in self._pieces(text, specials):
            word = text[start:end]
            is_text = specials == "text" and word in self.special_tokens
            ids.append(self._unknown if is_text else self._ids.get(word, self._unknown))
            spans.append((start, end))
        return ids, to_bytes(text, spans) if unit == "bytes" else spans

    def _pieces(self, text: str, specials: Specials) -> Iterable[tuple[int, int]]:
        """Where each word and, if they are ids, each special token stands."""
        names = (
            sorted(map(re.escape, self.special_tokens), key=len, reverse=True) if specials == "ids" else []
        )
        cuts = re.compile("|".join(names)).finditer(text) if names else iter(())
        done = 0
        for cut in cuts:
            yield from (found.span() for found in _WORD.finditer(text, done, cut.start()))
            yield cut.span()
            done = cut.end()
        yield from (found.span() for found in _WORD.finditer(text, done))

    def decode(self, ids: ArrayLike, *, skip_special_tokens: bool = False) -> str:
        """The words of `ids` with a space between; errors as `BaseTokenizer.decode`."""
        words = [self._words[number] for number in checked_ids(ids, self.vocab_size).tolist()]
        kept = [word for word in words if not (skip_special_tokens and word in self.special_tokens)]
        return " ".join(kept)

    def decode_bytes(self, ids: ArrayLike) -> bytes:
        """The text of `decode` as UTF-8."""
        return self.decode(ids).encode()

    def token_bytes(self, token_id: int) -> bytes:
        """A space and the word."""
        return b" " + self.decode_bytes([token_id])

    def to_json(self) -> bytes:
        """The contents of `tokenizer.json`."""
        return json.dumps(self._document, ensure_ascii=False, indent=2).encode()

    @property
    def vocab_size(self) -> int:
        """As `BaseTokenizer.vocab_size`."""
        return len(self._ids)

    @cached_property
    def fingerprint(self) -> str:
        """As `BaseTokenizer.fingerprint`."""
        return f"sha256:{hashlib.sha256(_core.canonical_json(self.to_json())).hexdigest()}"

    @cached_property
    def special_tokens(self) -> dict[str, int]:
        """As `BaseTokenizer.special_tokens`."""
        added = self._document.get("added_tokens", [])
        return {each["content"]: each["id"] for each in added if each.get("special")}


def train_whitespace(
    texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str] = (END_OF_DOCUMENT, UNKNOWN)
) -> WhitespaceTokenizer:
    """Learn the most frequent words, the first in the alphabet where two are as frequent.

    Raises:
        UsageError: if there is no room for a word, or `special_tokens` does not hold `<|unknown|>`.
    """
    if UNKNOWN not in special_tokens or vocab_size <= len(special_tokens):
        raise UsageError(f"`vocab_size` is {vocab_size}, expected room for a word beside {UNKNOWN}")
    counts = Counter(word for text in texts for word in _WORD.findall(text))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [word for word, _ in ranked if word not in special_tokens]
    vocabulary = {word: number for number, word in enumerate([*special_tokens, *words][:vocab_size])}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": n, "content": token, **flags} for n, token in enumerate(special_tokens)],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN},
    }
    return WhitespaceTokenizer(document)
