"""Strings made to find a difference: what two tokenizers disagree on when one of them is careless.

Runs and words without end, every scalar value between letters, spaces and line ends, joined emoji, piles of marks, apostrophes
before letters that fold, digits of many scripts, carriage returns among spaces, special tokens whole and cut. A seed chooses; the
same seed gives the same strings.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence

__all__ = ["HOSTILE", "families", "hostile", "runs", "scalars", "strings"]

#: One row of a megabyte each: what it is made of.
HOSTILE = {
    "letter": "a",
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "digit": "7",
    "equals": "=",
    "chinese": "的",
    "chinese sentence": "我们在这里测试很长的句子没有空格",
    "thai": "ภาษาไทยไม่มีช่องว่าง",
    "emoji": "😀",
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦",
    "mark": "\u0301",
    "letter and marks": "e\u0301\u0323",
    "nul": "\0",
    "newlines and spaces": " \n",
    "apostrophes": "'s",
    "upper and lower": "aB",
}

# Pieces whose neighbours decide what they belong to.
_SPACES = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u0085",
    "\u200b",
    "\x0b",
    "\x1c",
    " \n ",
    "\n\n",
]
_LETTERS = [
    "a",
    "Z",
    "word",
    "Word",
    "WORD",
    "é",
    "ß",
    "ſ",
    "K",
    "İ",
    "ǅ",
    "ʰ",
    "ª",
    "文",
    "字字",
    "ไทย",
    "한",
    "ﬁ",
    "𝔘",
    "Ⅷ",
    "가",
]
_MARKS = [
    "\u0301",
    "\u0323\u0301",
    "\u093f",
    "\u0e34",
    "\u20e3",
    "\ufe0f",
    "\u200d",
    "\u200c",
    "\U000e0067",
    "\u0903",
]
_DIGITS = ["0", "12", "1234", "٣", "५६", "½", "²", "Ⅳ", "๔", "𝟘", "1,234.56"]
_SIGNS = [
    "'",
    '"',
    "!",
    "...",
    "-",
    "_",
    "/",
    "//",
    "\\",
    "€",
    "$",
    "@#",
    "«",
    "。",
    "＇",
    "̈",
    "<",
    ">",
    "|",
    "\ufeff",
    "\ufffd",
    "\0",
]
_ENDINGS = ["'s", "'S", "'ſ", "'ll", "'LL", "'Ve", "'re", "'d", "'M", "'t", "’s", "'st", "'İ", "' s"]
_EMOJI = ["😀", "👩🏽\u200d💻", "🏳️\u200d🌈", "🇩🇪", "❤️", "✨", "1️⃣", "🧑🏿"]
_WORDS = [
    "hello",
    "world",
    "def",
    "return",
    "self.",
    "the",
    "naïve",
    "Übung",
    "мир",
    "नमस्ते",
    "العربية",
    "こんにちは",
    "你好世界",
]
_GROUPS = (_SPACES, _LETTERS, _MARKS, _DIGITS, _SIGNS, _ENDINGS, _EMOJI, _WORDS)


def runs() -> Iterator[str]:
    """Runs of one piece, from one to thousands, alone and after a letter or a space."""
    pieces = [*HOSTILE.values(), "A", "-", "/", "\r\n", "\u00a0", "0", "가", "ি", "'", "\r", "١", "ǅ"]
    for piece in pieces:
        for count in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 255, 1000, 4000):
            yield piece * count
            yield "x" + piece * count + " y"
            yield " " + piece * count + "\n"


def hostile(size: int) -> dict[str, str]:
    """The rows of `HOSTILE`, each of at most `size` bytes."""
    return {name: piece * (size // len(piece.encode())) for name, piece in HOSTILE.items()}


def scalars(step: int = 1) -> Iterator[str]:
    """Every scalar value, five hundred a string, each among letters, digits, spaces and line ends.

    Args:
        step: every so many strings; 1 gives all 1,112,064 scalar values.
    """
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for number, at in enumerate(range(0, len(codes), 500)):
        if number % step == 0:
            yield "".join(
                f"a{chr(code)}b {chr(code)}1{chr(code)}\n{chr(code)} " for code in codes[at : at + 500]
            )


def strings(count: int, seed: int, specials: Sequence[str] = ()) -> Iterator[str]:
    """Short strings of such pieces in any order, some with special tokens or parts of them.

    Args:
        count: how many.
        seed: chooses all of them.
        specials: texts of special tokens.
    """
    chance = random.Random(seed)
    for _ in range(count):
        groups = [chance.choice(_GROUPS) for _ in range(chance.randint(1, 4))]
        parts = [chance.choice(chance.choice(groups)) for _ in range(chance.randint(0, 14))]
        if specials and chance.random() < 0.3:
            special = chance.choice(specials)
            parts.insert(
                chance.randint(0, len(parts)), special[: chance.choice([len(special), len(special), 3])]
            )
        if chance.random() < 0.15:
            parts.append(chr(chance.choice([chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)])))
        yield "".join(parts)


def families(seed: int) -> dict[str, Callable[[], Iterator[str]]]:
    """Documents of one kind of trouble each, a few kilobytes; `words` are of 256 KB."""
    chance = random.Random(seed)

    def repeated(groups: Sequence[Sequence[str]], separators: Sequence[str]) -> Callable[[], Iterator[str]]:
        def make() -> Iterator[str]:
            for _ in range(100):
                pieces = (chance.choice(chance.choice(groups)) for _ in range(chance.randint(1, 600)))
                yield "".join(piece + chance.choice(separators) for piece in pieces)

        return make

    def words() -> Iterator[str]:
        for alphabet in ("a", "ab", "abcdefghij", "的一是不了", "กขคงจ", "01", "=-", "🙂🙃", "e\u0301"):
            size = (1 << 18) // len(alphabet[0].encode())
            yield "".join(chance.choice(alphabet) for _ in range(size))

    def cut() -> Iterator[str]:
        for _ in range(100):
            yield "".join(
                chr(chance.choice([chance.randrange(0x250), chance.randrange(0x3000)])) for _ in range(900)
            )

    def planes() -> Iterator[str]:
        for _ in range(100):
            first = chance.choice(
                [0x370, 0x530, 0x900, 0xE00, 0x1100, 0x3040, 0x4E00, 0xAC00, 0x10000, 0x1D400, 0x1F300]
            )
            yield "".join(chr(first + chance.randrange(0x180)) for _ in range(700))

    return {
        "spaces": repeated([_SPACES, _SPACES, _LETTERS], [""]),
        "letters": repeated([_LETTERS], ["", " "]),
        "marks": repeated([_MARKS, _LETTERS], ["", "", " "]),
        "digits": repeated([_DIGITS, _DIGITS, _SIGNS], ["", " "]),
        "signs": repeated([_SIGNS, _SIGNS, _SPACES], ["", "\n", "/"]),
        "endings": repeated([_ENDINGS, _LETTERS, _WORDS], ["", " "]),
        "emoji": repeated([_EMOJI, _EMOJI, _MARKS], ["", " ", "\n"]),
        "all": repeated(_GROUPS, ["", "", " "]),
        "cut": cut,
        "planes": planes,
        "words": words,
    }
