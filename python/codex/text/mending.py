"""Damaged bytes to text, line by line as what each line most likely is."""

from __future__ import annotations

import codecs
import io
import re
import threading
from collections.abc import Iterator
from typing import NamedTuple

from codex.text.detection import detect

__all__ = ["REPLACING", "Place", "decode_piece", "has_lines", "mend", "replaced"]


class Place(NamedTuple):
    """A place that did not decode, and what stands there now."""

    offset: int
    """Of its first byte, in the file."""
    bytes: int
    encoding: str | None
    """What it was decoded as; None if U+FFFD stands for it."""


#: Confidence below which bad lines are not taken for another encoding.
_SURE = 0.95


def has_lines(name: str) -> bool:
    """Whether `mend` looks at lines: a line feed is one wherever it stands."""
    return name in _LEAD_OR_TRAIL or name.startswith("utf-8") or _is_single_byte(name)


def mend(data: bytes, name: str) -> tuple[str, list[Place]]:
    """The text of bytes that may be damaged, line by line as what it most likely is, and what was done where."""
    if _is_single_byte(name):
        return _repaired_single(data, name)
    try:
        return data.decode(name), []
    except UnicodeDecodeError:
        pass
    if name in ("utf-8", "utf-8-sig"):
        return _repaired(data, name)
    if name in _LEAD_OR_TRAIL:
        return _repaired_by_lines(data, name)
    return replaced(data, name)


def decode_piece(decoder: codecs.IncrementalDecoder, piece: bytes, *, is_last: bool) -> tuple[str, int]:
    """What a decoder made with `REPLACING` gives for the next bytes, and how many places were replaced."""
    _found.places = []
    text = decoder.decode(piece, is_last)
    return text, len(_found.places)


def replaced(data: bytes, name: str) -> tuple[str, list[Place]]:
    """U+FFFD for what does not decode."""
    _found.places = []
    return data.decode(name, REPLACING), _found.places


class _Found(threading.local):
    """The places of the decoding that this thread is at."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.encoding: str | None = None


_found = _Found()
#: The name of the handler that notes each place and puts U+FFFD there.
REPLACING = "codex.text.found"


def _find(error: UnicodeError) -> tuple[str, int]:
    """Notes a place; the bytes themselves, if there is an encoding to read them in."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    _found.places.append(Place(error.start, len(bad), _found.encoding))
    return bad.decode(_found.encoding, "replace") if _found.encoding else "\ufffd", error.end


codecs.register_error(REPLACING, _find)


def _repaired(data: bytes, name: str) -> tuple[str, list[Place]]:
    """UTF-8 whose bad lines are decoded as what they most likely are."""
    start = 3 if name == "utf-8-sig" else 0
    lines = list(_bad_lines(data, start))
    bad = b"".join(data[begin:end] for begin, end in lines)
    found = detect(bad)
    is_read = found.language is not None and found.confidence >= _SURE
    fallback = found.encoding if found.encoding and is_read else "cp1252"
    pieces: list[str] = []
    places: list[Place] = []
    at = start
    for begin, end in lines:
        pieces.append(str(memoryview(data)[at:begin], "utf-8"))
        text, found_places = _repaired_line(data[begin:end], fallback)
        pieces.append(text)
        places += [place._replace(offset=begin + place.offset) for place in found_places]
        at = end
    pieces.append(str(memoryview(data)[at:], "utf-8"))
    return "".join(pieces), places


def _repaired_line(line: bytes, fallback: str) -> tuple[str, list[Place]]:
    """A line that is not UTF-8: only its bad bytes read as `fallback` if it has good sequences, else all of it."""
    _found.places, _found.encoding = [], fallback
    try:
        text = line.decode("utf-8", REPLACING)
    finally:
        _found.encoding = None
    if line.decode("utf-8", "ignore").isascii():
        text = line.decode(fallback, "replace")
    return text, _found.places


#: East Asian encodings without escapes.
_LEAD_OR_TRAIL = {
    "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030", "gb2312",
    "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213",
}  # fmt: skip


def _repaired_by_lines(data: bytes, name: str) -> tuple[str, list[Place]]:
    """East Asian text: a line with errors is UTF-8 or, if they are many for its characters, Windows-1252."""
    pieces: list[str] = []
    places: list[Place] = []
    at = 0
    for line in io.BytesIO(data):
        try:
            text, found = line.decode(name), list[Place]()
        except UnicodeDecodeError:
            if (meant := _utf8(line)) is not None:
                pieces.append(meant)
                places += _runs(line, at, "utf-8")
                at += len(line)
                continue
            text, found = replaced(line, name)
            characters = sum(character >= "\x80" for character in text) - len(found)
            if len(found) * 6 > characters:
                found = [place._replace(encoding="cp1252") for place in found]
                text = line.decode("cp1252", "replace")
        pieces.append(text)
        places += [place._replace(offset=at + place.offset) for place in found]
        at += len(line)
    return "".join(pieces), places


#: What every line of UTF-8 has that is not ASCII.
_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_HIGH = re.compile(rb"[\x80-\xff]+")


def _utf8(line: bytes) -> str | None:
    """The line as UTF-8, if it is that and no ASCII."""
    try:
        return None if line.isascii() else line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _runs(line: bytes, at: int, encoding: str) -> list[Place]:
    """The places of a line, which begins at `at`, that another encoding than the file's was taken for."""
    return [Place(at + run.start(), len(run[0]), encoding) for run in _HIGH.finditer(line)]


def _is_single_byte(name: str) -> bool:
    """Whether every byte is a character or none, and those of ASCII are ASCII."""
    if name in _LEAD_OR_TRAIL or name.startswith(
        ("utf", "iso2022", "hz", "unicode", "raw", "punycode", "idna")
    ):
        return False
    return bytes(range(1, 128)).decode(name, "replace") == bytes(range(1, 128)).decode("ascii")


def _repaired_single(data: bytes, name: str) -> tuple[str, list[Place]]:
    """Text of one byte a character: a line of UTF-8 of the same characters is that, lines with errors what they surely are."""
    if not _SEQUENCE.search(data) and _decodes(data, name):
        return data.decode(name), []
    lines = list(io.BytesIO(data))
    meant = [_meant(line, name) for line in lines]
    damaged = [n for n, line in enumerate(lines) if meant[n] is None and not _decodes(line, name)]
    found = detect(b"".join(lines[n] for n in damaged))
    is_sure = found.confidence >= _SURE and not found.errors
    other = found.encoding if found.encoding and is_sure and has_lines(found.encoding) else None
    bad = set(damaged)
    pieces: list[str] = []
    places: list[Place] = []
    at = 0
    for n, line in enumerate(lines):
        text = meant[n]
        if text is not None:
            places += _runs(line, at, "utf-8")
        elif n not in bad:
            text = line.decode(name)
        elif other:
            text = line.decode(other)
            places += _runs(line, at, other)
        else:
            text, found_places = replaced(line, name)
            places += [place._replace(offset=at + place.offset) for place in found_places]
        pieces.append(text)
        at += len(line)
    return "".join(pieces), places


def _meant(line: bytes, name: str) -> str | None:
    """The line as UTF-8, if it is that and the encoding called `name` has every character of it."""
    text = _utf8(line)
    try:
        if text is not None:
            text.encode(name)
    except UnicodeEncodeError:
        return None
    return text


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _bad_lines(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Where the lines that are not UTF-8 begin and end."""
    view = memoryview(data)
    at = start
    while at < len(data):
        try:
            str(view[at:], "utf-8")
        except UnicodeDecodeError as error:
            bad = at + error.start
            begin = max(data.rfind(b"\n", at, bad) + 1, at)
            end = data.find(b"\n", bad) + 1 or len(data)
            yield begin, end
            at = end
        else:
            return
