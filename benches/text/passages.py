"""Passages in every encoding, of text that no model was trained on: the catalogues of translations that Django carries.

Which lines make a passage, where it is cut and how lines end follows from a seed; `docs/text.md` is measured with seeds that were
never used in development.
"""

from __future__ import annotations

import gettext
import importlib.util
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["COMMON", "RARE", "SIZES", "Passage", "passages", "text_in"]

SIZES = (32, 128, 1024, 100_000)
_WEST = "en fr de es pt it nl sv da nb fi is ca gl eu sq id"
_CENTRAL, _CYRILLIC, _BALTIC = "pl cs sk hu ro sl hr", "ru uk be bg sr mk", "lt lv et"
_ALL = f"{_WEST} {_CENTRAL} {_CYRILLIC} {_BALTIC} tr vi el he ar fa th ja zh-cn zh-tw ko"
_TURKISH, _GREEK, _HEBREW, _JAPANESE = "tr", "el", "he", "ja"

#: The languages written in each encoding.
COMMON = {
    "utf-8": _ALL, "utf-16-le": _ALL, "utf-16-be": _ALL, "utf-32-le": _ALL, "ascii": "en", "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC, "cp1252": _WEST, "cp1253": _GREEK, "cp1254": _TURKISH, "cp1255": _HEBREW, "cp1256": "ar fa",
    "cp1257": _BALTIC, "cp1258": "vi", "cp866": "ru be", "cp874": "th", "latin-1": _WEST, "iso8859-2": _CENTRAL,
    "iso8859-4": _BALTIC, "iso8859-5": "ru be bg sr mk", "iso8859-6": "ar", "iso8859-7": _GREEK, "iso8859-8": _HEBREW,
    "iso8859-9": _TURKISH, "iso8859-13": _BALTIC, "iso8859-15": _WEST, "koi8-r": "ru", "koi8-u": "uk", "cp932": _JAPANESE,
    "euc-jp": _JAPANESE, "iso2022-jp": _JAPANESE, "gb18030": "zh-cn", "cp949": "ko", "cp950": "zh-tw",
}  # fmt: skip
RARE = {
    "cp437": _WEST, "cp720": "ar", "cp737": _GREEK, "cp775": _BALTIC, "cp850": _WEST, "cp852": _CENTRAL, "cp855": "ru bg sr mk",
    "cp857": _TURKISH, "cp862": _HEBREW, "mac-roman": _WEST, "mac-latin2": "pl cs sk hu", "mac-cyrillic": _CYRILLIC,
    "mac-greek": _GREEK, "mac-turkish": _TURKISH, "johab": "ko", "iso2022-kr": "ko", "hz": "zh-cn", "iso8859-16": "ro",
    "cp037": "en de fr", "cp500": "en de fr", "utf-7": _ALL, "utf-32-be": _ALL,
}  # fmt: skip
_FOLDERS = {"zh-cn": "zh_Hans", "zh-tw": "zh_Hant"}
#: Encodings in which text of nothing but ASCII is not ASCII.
_NOT_ASCII = {"ascii", "cp037", "cp500", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
_CEDILLAS = str.maketrans("șțȘȚ", "şţŞŢ")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True)
class Passage:
    """A text, and its bytes in an encoding."""

    encoding: str
    language: str
    size: int
    """What it was cut to: the bytes are at most as many."""
    data: bytes
    text: str


@cache
def _lines(language: str) -> tuple[str, ...]:
    """The translations into `language`; of English, what is translated."""
    found = importlib.util.find_spec("django")
    assert found and found.origin, "the passages are cut from Django's catalogues"
    folder = "fr" if language == "en" else _FOLDERS.get(language, language)
    lines: dict[str, None] = {}
    for path in sorted(Path(found.origin).parent.rglob(f"locale/{folder}/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
        for source, line in catalogue.items():
            original = source[0] if isinstance(source, tuple) else source
            if original and original != line:
                lines |= dict.fromkeys((str(original) if language == "en" else line).splitlines())
    return tuple(line for line in lines if len(line) > 2)


def _as_written_in(encoding: str, language: str, line: str) -> str:
    """The line with the characters that people used in the encoding."""
    if language == "ro" and encoding != "iso8859-16" and not encoding.startswith("utf"):
        return line.translate(_CEDILLAS)
    if language == "fa" and encoding == "cp1256":
        return line.replace("ی", "ي")
    if encoding != "cp1258":
        return line
    written = ""
    for character in line:
        base = unicodedata.normalize("NFD", character)
        tone = next((mark for mark in _TONES if mark in base), "")
        is_kept = not tone or character in "ÀÁÉÈÓÙÚàáèéóùú"
        written += character if is_kept else unicodedata.normalize("NFC", base.replace(tone, "")) + tone
    return written


@cache
def _encodable(encoding: str, language: str) -> tuple[str, ...]:
    lines = []
    for line in _lines(language):
        written = _as_written_in(encoding, language, line)
        try:
            if written.encode(encoding).decode(encoding) == written:
                lines.append(written)
        except UnicodeError:
            pass
    return tuple(lines)


def text_in(encoding: str, language: str, characters: int, random_lines: random.Random) -> str:
    """So many characters of a language that an encoding has, from anywhere; lines come again when all have been used."""
    lines = list(_encodable(encoding, language))
    text: list[str] = []
    length = 0
    while lines and length < characters:
        random_lines.shuffle(lines)
        for line in lines:
            text.append(line)
            length += len(line) + 1
            if length >= characters:
                break
    return "\n".join(text)


def passages(encodings: dict[str, str], size: int, each: int, seed: int) -> Iterator[Passage]:
    """`each` passages of every encoding, of at most `size` bytes."""
    dice = random.Random(f"{seed} {size}")
    for encoding, languages in encodings.items():
        made = tried = 0
        while made < each and tried < each * 50:
            tried += 1
            language = dice.choice(languages.split())
            text = text_in(encoding, language, size + 200, dice)
            start = dice.randrange(200) if len(text) > 400 else 0
            text = text[start:]
            if dice.random() < 0.3:
                text = text.replace("\n", "\r\n")
            text, data = _cut(text, encoding, size)
            if len(data) < size * 0.8 or (encoding not in _NOT_ASCII and text.isascii()):
                continue
            made += 1
            yield Passage(encoding, language, size, data, text)


def _cut(text: str, encoding: str, size: int) -> tuple[str, bytes]:
    """The longest beginning that has at most `size` bytes."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if len(text[:middle].encode(encoding)) <= size:
            low = middle
        else:
            high = middle - 1
    return text[:low], text[:low].encode(encoding)
