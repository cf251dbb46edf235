"""A file's text, with what its bytes were and what was done about the damage."""

from __future__ import annotations

import codecs
import io
import threading
import unicodedata
from collections.abc import Iterator
from os import PathLike, fspath
from typing import Literal, NamedTuple

from codex.errors import DataError, UsageError
from codex.text.declared import NewlineCounts
from codex.text.detection import Alternative, Detection, detect
from codex.text.mojibake import undo_double_encoding
from codex.text.names import known
from codex.text.source import read_file

__all__ = [
    "EAST_ASIAN",
    "REPLACING",
    "Errors",
    "Nul",
    "Place",
    "Text",
    "check_options",
    "decode_piece",
    "mend",
    "read_text",
    "to_text",
]


class Place(NamedTuple):
    """A place that did not decode, and what stands there now."""

    offset: int
    """Of its first byte, in the file."""
    bytes: int
    encoding: str | None
    """What it was decoded as; None if U+FFFD stands for it."""


class _Pair(NamedTuple):
    text: str
    used_encoding: str


class Text(_Pair):
    """A text and the encoding it was in: `text, used_encoding = read_text(path)`, and more by name."""

    detection: Detection | None
    """How the encoding was found; None if it was given."""
    places: tuple[Place, ...]
    """What did not decode."""
    newlines: NewlineCounts
    """Those of the text before they were made one kind."""
    nuls: int
    """NUL characters the text had."""
    undone: tuple[int, ...]
    """Numbers of the lines, from 0, that were encoded twice."""

    @property
    def errors(self) -> int:
        """How many places did not decode."""
        return len(self.places)

    @property
    def bom(self) -> bool:
        """Whether the bytes began with a byte-order mark that was found by `encoding="auto"`."""
        return self.detection is not None and self.detection.byte_order_mark

    @property
    def confidence(self) -> float:
        """1 if the encoding was given."""
        return self.detection.confidence if self.detection else 1.0

    @property
    def language(self) -> str | None:
        """The language whose model the encoding was found by."""
        return self.detection.language if self.detection else None

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """Encodings that were less likely."""
        return self.detection.alternatives if self.detection else ()

    @property
    def why(self) -> str:
        """The reason for the encoding in a few words."""
        return self.detection.why if self.detection else "given"


#: Confidence below which bad lines are taken for Windows-1252.
_SURE = 0.95

Errors = Literal["strict", "replace", "repair"]
Nul = Literal["error", "drop", "keep"]


def read_text(
    path: str | PathLike[str],
    encoding: str = "auto",
    *,
    errors: Errors = "strict",
    newline: str | None = "\n",
    nul: Nul = "error",
    normalize: Literal["NFC", "NFKC"] | None = None,
    fix_mojibake: bool = False,
) -> Text:
    """The text of a file, decompressed if it is compressed.

    Args:
        path: the file.
        encoding: its name, or `auto` to find it.
        errors: what does not decode is refused, becomes U+FFFD, or is decoded as what its line most likely is: see `to_text`.
        newline: what every newline becomes; None leaves them.
        nul: whether NUL characters are refused, dropped or kept.
        normalize: the Unicode form to bring the text to.
        fix_mojibake: whether lines of UTF-8 encoded twice are undone, where that is certain.
    Raises:
        MissingDataError, MachineError: if the file cannot be read.
        DataError: if it is no text, or damaged and `errors` is `strict`; the message names the file and the offset.
        UsageError: if `encoding` is no encoding of text.
    """
    data = read_file(path)
    try:
        return to_text(
            data,
            encoding,
            errors=errors,
            newline=newline,
            nul=nul,
            normalize=normalize,
            fix_mojibake=fix_mojibake,
        )
    except DataError as error:
        raise DataError(f"`{fspath(path)}`: {error.message}", hint=error.hint) from None


def to_text(
    data: bytes,
    encoding: str = "auto",
    *,
    errors: Errors = "strict",
    newline: str | None = "\n",
    nul: Nul = "error",
    normalize: Literal["NFC", "NFKC"] | None = None,
    fix_mojibake: bool = False,
) -> Text:
    """`read_text` of bytes in memory.

    `repair` mends UTF-8 line by line: a line with errors that has no good sequence is decoded whole as the encoding that
    all such lines together most likely are in, Windows-1252 failing that; in a line that has good ones only the bad bytes
    are. In East Asian encodings a line with more than one error for six characters is Windows-1252, in other lines errors are
    replaced. In other encodings it replaces.

    >>> data = "naïve, été\\n".encode() + "crème\\n".encode("cp1252") + "où\\n".encode()
    >>> text = to_text(data, errors="repair")
    >>> text.text, text.used_encoding, text.errors
    ('naïve, été\\ncrème\\noù\\n', 'utf-8', 1)
    """
    check_options(errors=errors, newline=newline, nul=nul, normalize=normalize)
    detection = None
    if encoding == "auto":
        detection = detect(data)
        if detection.encoding is None:
            raise DataError(f"not text: {detection.why}", hint=None)
        encoding = detection.encoding
    name = known(encoding)
    text, places = _decoded(data, name, errors)
    nuls = text.count("\0")
    if nuls and nul == "error":
        raise DataError(
            f"not text: {nuls} NUL characters, the first at {text.index(chr(0))}",
            hint="`nul='drop'` drops them",
        )
    if nuls and nul == "drop":
        text = text.replace("\0", "")
    crlf = text.count("\r\n")
    newlines = NewlineCounts(text.count("\n") - crlf, crlf, text.count("\r") - crlf)
    if newline is not None:
        if newlines.crlf or newlines.cr:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if newline != "\n":
            text = text.replace("\n", newline)
    undone: tuple[int, ...] = ()
    if fix_mojibake:
        text, undone = undo_double_encoding(text)
    if normalize:
        text = unicodedata.normalize(normalize, text)
    whole = Text(text, name)
    whole.detection, whole.places, whole.newlines = detection, tuple(places), newlines
    whole.nuls, whole.undone = nuls, undone
    return whole


_OPTIONS: dict[str, tuple[str | None, ...]] = {
    "errors": ("strict", "replace", "repair"),
    "newline": (None, "\n", "\r\n", "\r"),
    "nul": ("error", "drop", "keep"),
    "normalize": (None, "NFC", "NFKC"),
}


def check_options(**options: str | None) -> None:
    """Refuses a value that an option does not have."""
    for option, value in options.items():
        if value not in _OPTIONS[option]:
            names = ", ".join(str(name if name is None else ascii(name)) for name in _OPTIONS[option])
            raise UsageError(f"`{option}` is `{value}`, expected one of {names}")


def _decoded(data: bytes, name: str, errors: str) -> tuple[str, list[Place]]:
    try:
        return data.decode(name), []
    except UnicodeDecodeError as error:
        if errors == "strict":
            bad = (
                f"byte {data[error.start]:#04x} at {error.start}" if error.start < len(data) else "cut short"
            )
            raise DataError(f"not {name}: {bad}", hint="`errors='repair'` decodes what it can") from None
    return mend(data, name) if errors == "repair" else _replaced(data, name)


def mend(data: bytes, name: str) -> tuple[str, list[Place]]:
    """The text of damaged bytes, line by line as what it most likely is, and what was done where."""
    if name in ("utf-8", "utf-8-sig"):
        return _repaired(data, name)
    if name in EAST_ASIAN:
        return _repaired_by_lines(data, name)
    return _replaced(data, name)


def decode_piece(decoder: codecs.IncrementalDecoder, piece: bytes, *, is_last: bool) -> tuple[str, int]:
    """What a decoder made with `REPLACING` gives for the next bytes, and how many places were replaced."""
    _found.places = []
    text = decoder.decode(piece, is_last)
    return text, len(_found.places)


def _replaced(data: bytes, name: str) -> tuple[str, list[Place]]:
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


#: Encodings in which a line feed is one wherever it stands.
EAST_ASIAN = {
    "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030", "gb2312",
    "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213",
}  # fmt: skip


def _repaired_by_lines(data: bytes, name: str) -> tuple[str, list[Place]]:
    """East Asian text: a line in which errors are many for its characters is Windows-1252, in the others errors are replaced."""
    pieces: list[str] = []
    places: list[Place] = []
    at = 0
    for line in io.BytesIO(data):
        try:
            text, found = line.decode(name), list[Place]()
        except UnicodeDecodeError:
            text, found = _replaced(line, name)
            characters = sum(character >= "\x80" for character in text) - len(found)
            if len(found) * 6 > characters:
                found = [place._replace(encoding="cp1252") for place in found]
                text = line.decode("cp1252", "replace")
        pieces.append(text)
        places += [place._replace(offset=at + place.offset) for place in found]
        at += len(line)
    return "".join(pieces), places


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
