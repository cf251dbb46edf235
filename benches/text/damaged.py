"""Documents with damage of one kind each, and what must be left of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benches.text.passages import text_in

__all__ = ["DAMAGES", "Document", "documents"]

_ROMAN, _CYRILLIC = "fr de es pt sv pl cs tr", "ru uk bg"
_EAST_ASIAN = {"cp932": "ja", "euc-jp": "ja", "gb18030": "zh-cn", "cp949": "ko", "cp950": "zh-tw"}
DAMAGES = {
    "bad byte": "UTF-8, one bad byte",
    "line": "UTF-8, one line of Windows-1252",
    "cut": "UTF-8, last byte cut",
    "late": "text after 300 kB of ASCII",
    "odd": "UTF-16 of odd length",
    "CJK bad byte": "East Asian, one bad byte",
    "CJK line": "East Asian, one line of Windows-1252",
    "noise": "random bytes and pieces of a program, refused",
}
_FOREIGN = "déjà vu, où êtes-vous allés cet été ?\n".encode("cp1252")


@dataclass(frozen=True)
class Document:
    """Bytes, and the lines of their text that no damage touched; none if they are no text."""

    data: bytes
    lines: tuple[str, ...]


def documents(damage: str, count: int, seed: int) -> Iterator[Document]:
    """`count` documents of about 4 kB."""
    dice = random.Random(f"{seed} {damage}")
    program = _program() if damage == "noise" else b""
    for number in range(count):
        if damage == "noise":
            yield Document(dice.randbytes(4096) if number % 2 else _piece(program, dice), ())
            continue
        encoding, language = "utf-8", dice.choice(f"{_ROMAN} {_CYRILLIC}".split())
        if damage.startswith("CJK"):
            encoding, language = dice.choice(list(_EAST_ASIAN.items()))
        if damage == "odd":
            encoding = dice.choice(["utf-16-le", "utf-16-be"])
        lines = text_in(encoding, language, 3000, dice).splitlines()
        yield _damaged(damage, [f"{line}\n" for line in lines], encoding, dice)


def _program() -> bytes:
    """A library that every installation has, of some megabytes."""
    found = find_spec("pydantic_core._pydantic_core")
    assert found and found.origin
    return Path(found.origin).read_bytes()


def _piece(program: bytes, dice: random.Random) -> bytes:
    """4 kB of it from anywhere, but for tables of strings and the like, which are text."""
    while True:
        at = dice.randrange(len(program) - 4096)
        piece = program[at : at + 4096]
        if sum(byte < 9 or 13 < byte < 27 or byte > 126 for byte in piece) > 4096 // 10:
            return piece


def _damaged(damage: str, lines: list[str], encoding: str, dice: random.Random) -> Document:
    encoded = [line.encode(encoding) for line in lines]
    hit = dice.randrange(len(lines))
    before, after = b"".join(encoded[:hit]), b"".join(encoded[hit + 1 :])
    whole = lines[:hit], lines[hit + 1 :]
    match damage:
        case "bad byte" | "CJK bad byte":
            at = dice.randrange(len(encoded[hit]))
            middle = encoded[hit][:at] + b"\xff" + encoded[hit][at:]
        case "line" | "CJK line":
            middle = _FOREIGN
        case "cut" | "odd":
            lines[-1] = "漢"
            encoded[-1] = "漢".encode(encoding)
            return Document(b"".join(encoded)[:-1], tuple(lines[:-1]))
        case _:
            plain = ["nothing but plain words on this line\n"] * 8200
            return Document("".join(plain).encode() + b"".join(encoded), tuple(lines))
    return Document(before + middle + after, (*whole[0], *whole[1]))
