"""Which documents are left out, and the reason that is counted for each.

Rules of quality are those of Gopher (Rae et al. 2021, "Scaling Language Models", table A1); `data.quality` says which are asked.
They are meant for prose: source code has lines that repeat and words without letters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from codex import _core
from codex.errors import UsageError
from codex.text import language_of, languages

if TYPE_CHECKING:
    from codex.config.schema import Data

__all__ = ["QUALITY_RULES", "Filters", "Quality"]


class Quality(NamedTuple):
    """What a text is like; words are what stands between white space, lines those that are not blank."""

    characters: int
    words: int
    word_characters: int
    """Characters in words."""
    words_with_letter: int
    symbols: int
    """`#`, `...` and the ellipsis."""
    lines: int
    bullet_lines: int
    """Lines that begin with a bullet."""
    ellipsis_lines: int
    """Lines that end in an ellipsis."""
    repeated_lines: int
    """Lines that have stood before."""
    line_characters: int
    repeated_characters: int
    """Characters of lines that have stood before."""


#: Name -> what is counted as dropped, and whether a text is.
QUALITY_RULES: dict[str, tuple[str, Callable[[Quality], bool]]] = {
    "word_length": (
        "words of fewer than 3 or more than 10 letters on average",
        lambda text: not 3 * text.words <= text.word_characters <= 10 * text.words,
    ),
    "symbols": (
        "more than one `#` or ellipsis for ten words",
        lambda text: text.symbols * 10 > text.words,
    ),
    "letters": (
        "fewer than 80 % of the words have a letter",
        lambda text: text.words_with_letter * 10 < text.words * 8,
    ),
    "bullets": (
        "more than 90 % of the lines begin with a bullet",
        lambda text: text.bullet_lines * 10 > text.lines * 9,
    ),
    "ellipses": (
        "more than 30 % of the lines end in an ellipsis",
        lambda text: text.ellipsis_lines * 10 > text.lines * 3,
    ),
    "repeated_lines": (
        "more than 30 % of the lines, or 20 % of their characters, stood before",
        lambda text: (
            text.repeated_lines * 10 > text.lines * 3 or text.repeated_characters * 5 > text.line_characters
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one configuration.

    >>> filters = Filters(4, None, minimum_words=2, languages=("en",), quality=("symbols",))
    >>> for text in ("one", "word", "two words in English", "# ... ##", "zwei Wörter auf Deutsch"):
    ...     print(filters.reason(text))
    too short: fewer than 4 characters
    too few words: fewer than 2
    None
    quality `symbols`: more than one `#` or ellipsis for ten words
    language de: not one of `data.languages`
    """

    minimum_characters: int
    maximum_characters: int | None
    minimum_words: int
    languages: tuple[str, ...]
    quality: tuple[str, ...]

    @classmethod
    def of(cls, data: Data) -> Filters:
        """Those of section `data` of a configuration.

        Raises:
            UsageError: if `data.languages` names one that has no model.
        """
        known = languages()
        for name in data.languages:
            if name not in known:
                raise UsageError(
                    f"`data.languages` names `{name}`, which has no model",
                    hint=f"these have: {', '.join(known)}",
                )
        return cls(
            data.minimum_characters,
            data.maximum_characters,
            data.minimum_words,
            data.languages,
            data.quality,
        )

    def parameters(self) -> dict[str, Any]:
        """What a manifest records of them."""
        lists = {"languages": list(self.languages), "quality": list(self.quality)}
        return {
            "minimum_characters": self.minimum_characters,
            "maximum_characters": self.maximum_characters,
            "minimum_words": self.minimum_words,
            **lists,
        }

    def reason(self, text: str) -> str | None:
        """Why a text is left out, or None if it stays."""
        if not text:
            return "empty"
        if len(text) < self.minimum_characters:
            return f"too short: fewer than {self.minimum_characters} characters"
        if self.maximum_characters is not None and len(text) > self.maximum_characters:
            return f"too long: more than {self.maximum_characters} characters"
        if self.minimum_words or self.quality:
            quality = Quality(*_core.text_quality(text))
            if quality.words < self.minimum_words:
                return f"too few words: fewer than {self.minimum_words}"
            for name in self.quality:
                why, is_dropped = QUALITY_RULES[name]
                if is_dropped(quality):
                    return f"quality `{name}`: {why}"
        if self.languages:
            language = language_of(text)
            if language not in self.languages:
                return f"language {language or 'unknown'}: not one of `data.languages`"
        return None
