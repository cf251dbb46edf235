"""Write the tables beside this file from the running interpreter's own codecs: `python generate.py`.

`single_byte.txt` has a heading per codec, `name: spellings`, and a row per 16 bytes, `80 2500 2502 ...`: the first byte,
then 16 code points, `-` for a byte that stands for nothing. A row that is not there maps every byte to itself.

The files of `MULTI` have the same headings and rows `lead first characters`: the lead bytes (`-` for none), the first trail
byte, then one character per trail byte from there on, `.` where there is none. What can be told shorter is: `.N` for N
holes, `*N` for the N characters after the last one in Unicode, `@P+N` for N characters or holes of this file again, from
place P on. `gb18030` has rows `@ linear code-point count` too: its four-byte sequences, by their place in the standard's order.
Where a pair of bytes is a letter and a mark, the letter is in its row and the mark in one `+ pair code-point`.

Spellings are the module's name, then the aliases, as `codecs.lookup` knows them after its own normalisation.
"""

from __future__ import annotations

import codecs
import encodings
import encodings.aliases
import pkgutil
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MULTI", "multi_byte", "single_byte"]

#: By file, the codecs that have most characters in common, each after those that tell most of it.
MULTI = {
    "japanese.txt": (
        "cp932", "shift_jis", "euc_jp", "euc_jis_2004", "euc_jisx0213", "shift_jis_2004", "shift_jisx0213",
    ),
    "simplified_chinese.txt": ("gb18030", "gbk", "gb2312"),
    "traditional_chinese.txt": ("cp950", "big5", "big5hkscs"),
    "korean.txt": ("cp949", "euc_kr", "johab"),
}  # fmt: skip
#: Codecs in which bytes of ASCII stand for other characters (`\\` and `~`), so that their rows begin below 80.
NOT_ASCII = {"johab": 0x5C, "shift_jis_2004": 0x5C, "shift_jisx0213": 0x5C}
# Text codecs that are no table: escapes, domain names, stateful seven-bit forms, and the Unicode forms decoded in Rust.
NO_TABLE = {
    "charmap", "idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "mbcs", "oem", "utf_7",
    "utf_8", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le",
}  # fmt: skip


def heading(module: str) -> str:
    aliases = sorted(alias for alias, target in encodings.aliases.aliases.items() if target == module)
    return f"{codecs.lookup(module).name}: {' '.join([module, *aliases])}"


def decoded(data: bytes, codec: str) -> str | None:
    """The one character that `data` stands for, or None."""
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return None
    return text if len(text) == 1 else None


def is_single_byte(module: str) -> bool:
    """Whether every byte stands for one character or none, whatever comes before it."""
    info = codecs.lookup(module)
    if not info._is_text_encoding or module in NO_TABLE or module.startswith("_"):
        return False
    characters = [decoded(bytes([byte]), module) for byte in range(256)]
    known = bytes(byte for byte in range(256) if characters[byte])
    return known.decode(module, "ignore") == "".join(filter(None, characters)) and not is_multi_byte(module)


def is_multi_byte(module: str) -> bool:
    return hasattr(__import__(f"encodings.{module}", fromlist=["*"]), "mbc") or module.startswith("iso2022")


def single_byte() -> str:
    """The text of `single_byte.txt`."""
    lines = []
    for module in sorted(item.name for item in pkgutil.iter_modules(encodings.__path__)):
        if module in ("aliases", *NO_TABLE) or not is_single_byte(module):
            continue
        lines.append(heading(module))
        for first in range(0, 256, 16):
            row = [decoded(bytes([byte]), module) for byte in range(first, first + 16)]
            if row != [chr(byte) for byte in range(first, first + 16)]:
                lines.append(" ".join([f"{first:02x}", *(f"{ord(c):x}" if c else "-" for c in row)]))
    return "\n".join(lines) + "\n"


class Packed:
    """The characters of a file, each told by what came before where that is shorter."""

    #: Characters from which on they are told so.
    LEAST = 6

    def __init__(self) -> None:
        self.told = ""
        self.places: dict[str, list[int]] = defaultdict(list)

    def tell(self, characters: str) -> str:
        """What stands for the characters of a row."""
        words = []
        at = 0
        while at < len(characters):
            word, length = self._next(characters[at:], characters[at - 1] if at else "")
            words.append(word)
            at += length
        begin = len(self.told)
        self.told += characters
        for place in range(max(begin - self.LEAST, 0), len(self.told) - self.LEAST):
            self.places[self.told[place : place + self.LEAST]].append(place)
        return "".join(words)

    def _next(self, rest: str, before: str) -> tuple[str, int]:
        holes = len(rest) - len(rest.lstrip("."))
        if holes > 1:
            return f".{holes}", holes
        follow = 0
        while before and follow < len(rest) and ord(rest[follow]) == ord(before) + 1 + follow:
            follow += 1
        again, place = 0, 0
        for known in self.places.get(rest[: self.LEAST], ()):
            length = self._same(rest, known)
            if length > again:
                again, place = length, known
        if again >= max(follow, self.LEAST):
            return f"@{place}+{again}", again
        return (f"*{follow}", follow) if follow > 2 else (rest[0], 1)

    def _same(self, rest: str, place: int) -> int:
        length = 0
        while length < len(rest) and self.told[place + length : place + length + 1] == rest[length]:
            length += 1
        return length


def rows(module: str, lead: bytes, packed: Packed) -> Iterator[str]:
    first_byte = 0 if lead else NOT_ASCII.get(module, 0x80)
    marks = marked(module, lead)
    found = {byte: c for byte in range(first_byte, 256) if (c := decoded(lead + bytes([byte]), module))}
    found |= {byte: letter for byte, (letter, _) in marks.items()}
    if found:
        assert not set(found.values()) & set(" .*@+0123456789\n"), (module, lead)
        first, last = min(found), max(found)
        characters = "".join(found.get(byte, ".") for byte in range(first, last + 1))
        yield f"{lead.hex() or '-'} {first:02x} {packed.tell(characters)}"
    for byte, (_, mark) in marks.items():
        yield f"+ {lead.hex()}{byte:02x} {ord(mark):x}"


def marked(module: str, lead: bytes) -> dict[int, str]:
    """The letter and the mark that a byte after `lead` stands for, where it is two characters."""
    if len(lead) != 1 or decoded(lead, module):
        return {}
    texts = {byte: (lead + bytes([byte])).decode(module, "ignore") for byte in range(0x30, 256)}
    return {
        byte: text
        for byte, text in texts.items()
        if len(text) == 2 and unicodedata.category(text[1])[0] in "MS"
    }


def four_byte_ranges(module: str) -> Iterator[str]:
    """The four-byte sequences of gb18030, as runs of neighbours."""
    start: tuple[int, int] | None = None
    count = 0
    for linear in range((0xFE - 0x81 + 1) * 12600):
        rest, d = divmod(linear, 10)
        rest, c = divmod(rest, 126)
        a, b = divmod(rest, 10)
        character = decoded(bytes([a + 0x81, b + 0x30, c + 0x81, d + 0x30]), module)
        if start and character and ord(character) == start[1] + count:
            count += 1
            continue
        if start:
            yield f"@ {start[0]} {start[1]:x} {count}"
        start, count = ((linear, ord(character)), 1) if character else (None, 0)
    assert start is None


def multi_byte(file: str) -> str:
    """The text of a file of `MULTI`."""
    lines = []
    packed = Packed()
    for module in MULTI[file]:
        ascii_part = bytes(range(NOT_ASCII.get(module, 0x80)))
        assert ascii_part.decode(module) == ascii_part.decode("ascii"), module
        lines.append(heading(module))
        leads = [b"", *(bytes([byte]) for byte in range(0x80, 256))]
        if module.startswith("euc_j"):
            leads += [bytes([0x8F, byte]) for byte in range(0x80, 256)]
        for lead in leads:
            if not lead or decoded(lead, module) is None:
                lines += rows(module, lead, packed)
        if module == "gb18030":
            lines += four_byte_ranges(module)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    folder = Path(__file__).parent
    (folder / "single_byte.txt").write_text(single_byte(), "utf-8", newline="\n")
    for file in MULTI:
        (folder / file).write_text(multi_byte(file), "utf-8", newline="\n")
    sys.stderr.write(f"written: single_byte.txt {' '.join(MULTI)}\n")
