"""A file's text, with what its bytes were and what was done about the damage."""

from __future__ import annotations

import unicodedata
from os import PathLike, fspath
from typing import Literal, NamedTuple

from codex.errors import DataError, UsageError
from codex.text.declared import NewlineCounts
from codex.text.detection import Alternative, Detection, detect
from codex.text.mending import Place, mend, replaced
from codex.text.mojibake import undo_double_encoding
from codex.text.names import known
from codex.text.source import read_file

__all__ = ["Errors", "Nul", "Place", "Text", "check_options", "read_text", "to_text"]


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
    are. In East Asian encodings a line with errors is UTF-8 if it is that throughout, Windows-1252 if it has more than one for
    six characters; in other lines errors are replaced. In encodings of one byte a line is UTF-8 if it is that throughout and the
    encoding has all its characters; lines with errors are decoded whole as what they together surely are, failing that errors are
    replaced. In UTF-16 and the like it replaces.

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
    if errors == "repair":
        return mend(data, name)
    try:
        return data.decode(name), []
    except UnicodeDecodeError as error:
        if errors == "strict":
            bad = (
                f"byte {data[error.start]:#04x} at {error.start}" if error.start < len(data) else "cut short"
            )
            raise DataError(f"not {name}: {bad}", hint="`errors='repair'` decodes what it can") from None
    return replaced(data, name)
