"""Real text to measure and compare on, out of what is installed: English, code, Chinese, a hundred languages, and a mixture.

English is the docstrings of the installed packages and code their sources without them; Chinese is a dictionary of the language,
explained in it (jionlp); the languages are Django's messages. No line stands twice, so text is new as it is in a corpus.
A seed chooses the order and with it what is taken; the same seed gives the same documents.
"""

from __future__ import annotations

import functools
import io
import random
import re
import sysconfig
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benches.tokens.vocabularies import PACKAGES

__all__ = ["KINDS", "documents", "languages"]

DOCUMENT_BYTES = 1 << 16
_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_MESSAGE = re.compile(r'^msgstr(?:\[\d\])? ((?:".*"\n)+)', re.MULTILINE)
_EMOJI = [
    chr(code)
    for first, end in ((0x2600, 0x27C0), (0x1F300, 0x1F650), (0x1F900, 0x1FA00))
    for code in range(first, end)
]


def _sources(seed: int) -> Iterator[str]:
    """The Python sources of the installed packages, in an order of the seed."""
    paths = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py"))
    random.Random(seed).shuffle(paths)
    return (path.read_bytes().decode("utf-8", "replace") for path in paths)


def _english(seed: int) -> Iterator[str]:
    return (
        "\n".join(found for found in _DOCSTRING.findall(text) if len(found) > 200) for text in _sources(seed)
    )


def _code(seed: int) -> Iterator[str]:
    return (_DOCSTRING.sub("", text) for text in _sources(seed))


def _chinese(seed: int) -> Iterator[str]:
    """The entries of a dictionary, some hundred at a time."""
    with zipfile.ZipFile(PACKAGES / "jionlp/dictionary/chinese_word_dictionary.zip") as words:
        lines = words.read("chinese_word_dictionary.txt").decode().replace("\r", "").split("\n")
    with zipfile.ZipFile(PACKAGES / "jionlp/dictionary/chinese_char_dictionary.zip") as characters:
        lines += characters.read("chinese_char_dictionary.txt").decode().replace("\r", "").split("\n")
    groups = ["\n".join(lines[at : at + 200]) for at in range(0, len(lines), 200)]
    random.Random(seed).shuffle(groups)
    return iter(groups)


@functools.cache
def languages() -> dict[str, str]:
    """Django's messages by the name of their locale, `zh_Hans` or `th` for instance; 99 of them."""
    messages: dict[str, list[str]] = {}
    for path in sorted((PACKAGES / "django").rglob("*.po")):
        quoted = "".join(_MESSAGE.findall(path.read_text(encoding="utf-8")))
        text = re.sub(r'^"(.*)"$', r"\1", quoted, flags=re.MULTILINE).replace("\\n", "\n").replace('\\"', '"')
        messages.setdefault(path.parts[-3], []).append(text)
    return {name: "".join(texts) for name, texts in messages.items()}


def _all_languages(seed: int) -> Iterator[str]:
    texts = list(languages().values())
    random.Random(seed).shuffle(texts)
    return iter(texts)


def _emoji(seed: int) -> Iterator[str]:
    """Words with emoji between them: joined ones, skin tones, variation selectors."""
    chance = random.Random(seed)
    for text in _english(seed):
        ends = ("", "\u200d" + chance.choice(_EMOJI), "\ufe0f", "\U0001f3fd", "!\n")
        yield " ".join(
            word + " " + chance.choice(_EMOJI) + chance.choice(ends) for word in text.split()[:200]
        )


_READERS: dict[str, Callable[[int], Iterator[str]]] = {
    "english": _english,
    "code": _code,
    "chinese": _chinese,
    "languages": _all_languages,
    "emoji": _emoji,
}
#: In a mixture, parts of a hundred.
_SHARES = {"english": 42, "code": 25, "chinese": 10, "languages": 20, "emoji": 3}
KINDS = ("mixed", "english", "code", "chinese", "languages", "emoji")


def documents(kind: str, size: int, *, document_bytes: int = DOCUMENT_BYTES, seed: int = 0) -> list[str]:
    """Documents of one kind, together at most `size` bytes of UTF-8, each at most `document_bytes`.

    Args:
        kind: one of `KINDS`.
        size: bytes wanted; there are fewer only where a kind has no more: 5 MB of Chinese, 3 MB of messages.
        document_bytes: where a document is cut, at a character.
        seed: chooses which text, and its order.
    """
    if kind != "mixed":
        return list(_cut(_without_repeats(_READERS[kind](seed)), size, document_bytes))
    mixed = [
        text
        for part, share in _SHARES.items()
        for text in documents(part, size * share // 100, document_bytes=document_bytes, seed=seed)
    ]
    random.Random(seed).shuffle(mixed)
    return mixed


def _without_repeats(texts: Iterable[str]) -> Iterator[str]:
    """The texts without the lines that stood before; short lines may come again."""
    seen: set[str] = set()
    for text in texts:
        lines = []
        for line in text.split("\n"):
            bare = line.strip()
            if len(bare) > 12 and bare in seen:
                continue
            seen.add(bare)
            lines.append(line)
        yield "\n".join(lines) + "\n"


def _cut(texts: Iterable[str], size: int, document_bytes: int) -> Iterator[str]:
    """Texts one after the other, cut at characters into documents of as many bytes."""
    buffer, left = io.BytesIO(), size
    for text in texts:
        buffer.write(text.encode("utf-8", "replace"))
        if buffer.tell() < min(document_bytes, left):
            continue
        raw, at = buffer.getvalue(), 0
        while len(raw) - at >= min(document_bytes, left) > 0:
            end = at + min(document_bytes, left)
            while end < len(raw) and raw[end] & 0xC0 == 0x80:
                end -= 1
            yield raw[at:end].decode()
            left -= end - at
            at = end
            if left < 4:
                return
        buffer = io.BytesIO()
        buffer.write(raw[at:])
    if rest := buffer.getvalue()[:left].decode("utf-8", "ignore"):
        yield rest
