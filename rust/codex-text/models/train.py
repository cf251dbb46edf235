"""Write `models.bin` from what `collect.py` found: `python train.py COLLECTED models.bin`. Same input, same bytes.

A model says how a language's characters follow one another: a table of -16 ln P(next | this), a byte each, over 32
classes that all languages share (letters a to z, white space, digit, three kinds of sign, foreign) and the language's own
characters. Case is folded. Pairs come from running text and from word lists alike, smoothed with what follows what among
all languages (a quote after a space, a dash between two), since word lists hold no sign at all.

For an East Asian language it is a list of characters with -16 ln P(character).
"""

from __future__ import annotations

import json
import math
import struct
import sys
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

__all__ = ["fold", "shared_class", "train"]

FIRST_OWN = 32
SPACE, DIGIT, STOP, BRACKET, SIGN, FOREIGN = range(26, 32)
# Signs every language may use, whatever its documentation's style is.
SIGNS = "\xa0§°·«»–—‘’‚“”„…•€\xad"  # noqa: RUF001
MOST_OWN = 96
# A letter of its own costs no language more than a stranger does: the class, and less than any letter costs besides.
STRANGER = 4 * 16
TEXT_CHARACTERS = 2_500_000
LISTED_WORDS = 60_000
LATIN = set("en fr de es pt it nl sv da nb fi is ca gl eu et lv lt pl cs sk hu ro sl hr sq tr vi id".split())  # noqa: SIM905
# East Asian languages with the encoding whose first level of characters, between two codes, all readers know.
CJK = {
    "ja": ("cp932", 0x889F, 0x9872),
    "ko": ("euc_kr", 0xB0A1, 0xC8FE),
    "zh-cn": ("gb2312", 0xB0A1, 0xD7F9),
    "zh-tw": ("big5", 0xA440, 0xC67E),
}


def fold(character: str) -> str:
    """Lower case, where that is one character."""
    lower = character.lower()
    return lower if len(lower) == 1 else character


def shared_class(character: str) -> int:
    """The class of an ASCII character."""
    if character.isalpha():
        return ord(character.lower()) - ord("a")
    if character.isdigit():
        return DIGIT
    if character <= " " or character == "\x7f":
        return SPACE
    if character in ".,;:!?":
        return STOP
    return BRACKET if character in "\"'()[]-" else SIGN


def coarse(character: str, *, is_latin: bool) -> str:
    """What a pair is smoothed by: `a` for letters of the language's script, `l` for ASCII in another, a sign itself ..."""
    if character in SIGNS:
        return character
    if character < "\x80":
        kind = shared_class(character)
        letter = "a" if is_latin else "l"
        return letter if kind < SPACE else " 0.(#"[kind - SPACE]
    return "a" if is_letter(character, is_latin=is_latin) else "?"


def is_letter(character: str, *, is_latin: bool) -> bool:
    """Whether it is a letter or a mark of the script, Latin or another."""
    if unicodedata.category(character)[0] not in "LM":
        return False
    name = unicodedata.name(character, "")
    return name.startswith("COMBINING") or name.startswith("LATIN") == is_latin


def rows(path: Path) -> list[str]:
    """The rows of a collected file; only a line feed ends one."""
    return path.read_text("utf-8").split("\n")[:-1]


def pairs_of_text(code: str, collected: Path) -> Counter[tuple[str, str]]:
    lines: list[str] = []
    size = 0
    for row in rows(collected / f"{code}.ndjson"):
        document = json.loads(row)
        if not document["held_out"] and size < TEXT_CHARACTERS:
            lines += document["lines"]
            size += sum(map(len, document["lines"]))
    text = "\n" + "\n".join(prepared(code, line) for line in lines) + "\n"
    return Counter(pairwise(text))


def pairs_of_words(code: str, collected: Path) -> dict[tuple[str, str], float]:
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    listed = rows(collected / f"{code}.words")
    for row in listed[: LISTED_WORDS if len(listed) > 400_000 else None][:400_000]:
        weight, _, word = row.partition(" ")
        word = f" {prepared(code, word)} "
        for pair in pairwise(word):
            pairs[pair] += float(weight)
    return pairs


def prepared(code: str, line: str) -> str:
    """The line as encodings of the language hold it: cp1258 writes Vietnamese tones as marks of their own."""
    if code == "vi":
        line = "".join(map(toned, line))
    return line


def toned(character: str) -> str:
    base = unicodedata.normalize("NFD", character)
    for tone in "\u0300\u0301\u0303\u0309\u0323":
        if tone in base and character not in "ÀÁÉÈÓÙÚàáèéóùú":
            return unicodedata.normalize("NFC", base.replace(tone, "")) + tone
    return character


class Model:
    """The counts of a language, folded to classes."""

    def __init__(self, code: str, collected: Path) -> None:
        self.code = code
        self.is_latin = code in LATIN
        text, words = pairs_of_text(code, collected), pairs_of_words(code, collected)
        pairs: dict[tuple[str, str], float] = defaultdict(float)
        size, weight = sum(text.values()), sum(words.values())
        for source, total in ((text, size), (words, weight)):
            if total > 100 or (source is words and total):
                for (a, b), count in source.items():
                    pairs[fold(a), fold(b)] += 300_000 * count / total
        if code == "ro":
            for (a, b), count in list(pairs.items()):
                cedilla = str.maketrans("șțşţ", "şţșț")
                pairs[a.translate(cedilla), b.translate(cedilla)] += (
                    count if (a + b) != (a + b).translate(cedilla) else 0
                )
        self.pairs = pairs
        single: dict[str, float] = defaultdict(float)
        for (_, b), count in pairs.items():
            single[b] += count
        least = 3.0
        own = {
            c: n for c, n in single.items() if c >= "\x80" and (n > least or c in SIGNS) and self.is_own(c)
        }
        for sign in SIGNS:
            own.setdefault(sign, 0.0)
        ranked = sorted(own, key=lambda c: (c not in SIGNS, -own[c], c))[:MOST_OWN]
        self.own = sorted(ranked)

    def is_own(self, character: str) -> bool:
        kind = unicodedata.category(character)[0]
        if kind in "LM":
            return is_letter(character, is_latin=self.is_latin)
        return kind in "PSN" or character in SIGNS

    def class_of(self, character: str) -> int:
        if character < "\x80":
            return shared_class(character)
        return FIRST_OWN + self.index[character] if character in self.index else FOREIGN

    def table(self, pool: dict[str, dict[str, float]]) -> bytes:
        self.index = {character: place for place, character in enumerate(self.own)}
        size = FIRST_OWN + len(self.own)
        counts = [[0.0] * size for _ in range(size)]
        group = [""] * size
        for character in [*map(chr, range(128)), *self.own]:
            group[self.class_of(character)] = coarse(character, is_latin=self.is_latin)
        group[FOREIGN] = "?"
        for (a, b), count in self.pairs.items():
            counts[self.class_of(a)][self.class_of(b)] += count
        single = [sum(row[b] for row in counts) + 0.5 for b in range(size)]
        share: dict[str, float] = defaultdict(float)
        for b in range(size):
            share[group[b]] += single[b]
        out = bytearray()
        for a in range(size):
            follow = pool.get(group[a], {})
            total = sum(counts[a])
            kinds = sum(1 for count in counts[a] if count > 0.5) + 3
            row: list[int] = []
            for b in range(size):
                back = 0.98 * follow.get(group[b], 1e-6) * single[b] / share[group[b]] + 0.02 * single[
                    b
                ] / sum(single)
                chance = (counts[a][b] + kinds * back) / (total + kinds)
                chance = 0.99 * chance + 0.01 * single[b] / sum(single)
                if group[b] in SIGNS:
                    chance = 0.6 * chance + 0.4 * back
                if b == FOREIGN:
                    chance = max(chance, 1e-3)
                row.append(min(255, round(-16 * math.log(max(chance, 1e-9)))))
            most = row[FOREIGN] + STRANGER
            for b, character in enumerate(self.own, FIRST_OWN):
                if unicodedata.category(character)[0] in "LM":
                    row[b] = min(row[b], most)
            out += bytes(row)
        return bytes(out)


def pooled(models: list[Model]) -> dict[str, dict[str, float]]:
    """P(coarse b | coarse a) over the text of languages that share a kind of script."""
    pool: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for model in models:
        for (a, b), count in model.pairs.items():
            pool[coarse(a, is_latin=model.is_latin)][coarse(b, is_latin=model.is_latin)] += count
    for row in pool.values():
        total = sum(row.values()) + 20
        for b in [*SIGNS, *"al 0.(#?"]:
            row[b] = (row[b] + 1) / total
    return pool


def characters(code: str, collected: Path) -> dict[str, int]:
    """-16 ln P(character) of an East Asian language; the rest of its common encoding stands in for what no text showed."""
    shown: Counter[str] = Counter()
    for row in rows(collected / f"{code}.ndjson"):
        document = json.loads(row)
        if not document["held_out"]:
            shown.update("".join(document["lines"]))
    words: dict[str, float] = defaultdict(float)
    for row in rows(collected / f"{code}.words"):
        weight, _, word = row.partition(" ")
        for character in word:
            words[character] += float(weight)
    encoding, first, last = CJK[code]
    known = {}
    for number in range(0x8140, 0xFFFF):
        try:
            character = number.to_bytes(2).decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(character) == 1:
            known[character] = first <= number <= last
    level = sum(known.values())
    sources = [source for source in (shown, words) if sum(source.values())]
    totals = [sum(n for c, n in source.items() if c >= "\x80") for source in sources]
    seen = {c for source in sources for c, n in source.items() if "\x80" <= c <= "\uffff"}
    costs = {}
    for character in sorted(seen | set(known)):
        share = sum(source[character] / total for source, total in zip(sources, totals, strict=True)) / len(
            sources
        )
        back = 0.07 / level if known.get(character) else 0.01 / len(known) if character in known else 1e-7
        costs[character] = min(255, round(-16 * math.log(0.92 * share + back)))
    return {character: cost for character, cost in costs.items() if cost < 240}


def train(collected: Path) -> bytes:
    """The file of models."""
    codes = sorted(path.stem for path in collected.glob("*.ndjson") if path.stem not in CJK)
    models = [Model(code, collected) for code in codes]
    pools = {
        is_latin: pooled([model for model in models if model.is_latin == is_latin])
        for is_latin in (True, False)
    }
    out = bytearray(struct.pack("<H", len(models)))
    for model in models:
        table = model.table(pools[model.is_latin])
        out += struct.pack("<4sB3x", model.code.encode(), len(model.own))
        out += b"".join(struct.pack("<H", ord(character)) for character in model.own)
        out += table
        sys.stderr.write(f"{model.code} {len(model.own)} {''.join(model.own)}\n")
    out += struct.pack("<H", len(CJK))
    for code in CJK:
        costs = characters(code, collected)
        out += struct.pack("<6sH", code.encode(), len(costs))
        out += b"".join(struct.pack("<H", ord(character)) for character in costs) + bytes(costs.values())
        sys.stderr.write(f"{code} {len(costs)}\n")
    return bytes(out)


if __name__ == "__main__":
    collected, target = map(Path, sys.argv[1:3])
    target.write_bytes(train(collected))
