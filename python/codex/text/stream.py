"""The text of a file of any size, some of it at a time.

The file is read twice: once to find its encoding from all of its bytes, once to decode it. Memory holds a piece of it, whatever
it weighs (and the dictionary of a compressed one, which `xz -9` makes 65 MB).
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from os import PathLike, fspath

from codex import _core
from codex.errors import DataError
from codex.text.detection import Detection, Detector
from codex.text.mending import REPLACING, decode_piece, has_lines, mend
from codex.text.names import known
from codex.text.read import Errors, Nul, check_options
from codex.text.source import require_same, stamp

__all__ = ["TextStream", "detect_file", "open_text"]

#: Bytes decoded at a time.
PIECE_BYTES = 1 << 18


def detect_file(path: str | PathLike[str]) -> Detection:
    """`detect` of a file's plain bytes, in bounded memory.

    Raises:
        MissingDataError, MachineError: if the file cannot be read.
        DataError: if it is no file, is damaged, or changes meanwhile.
    """
    before = stamp(path)
    source, detector = _core.FileStream(path), Detector()
    while piece := source.read(PIECE_BYTES):
        detector.feed(piece)
    require_same(path, before)
    return detector.close()


class TextStream(Iterator[str]):
    """Pieces of a text; together they are what `read_text` gives."""

    def __init__(
        self,
        path: str | PathLike[str],
        encoding: str,
        detection: Detection | None,
        *,
        errors: Errors,
        newline: str | None,
        nul: Nul,
    ) -> None:
        self.encoding = encoding
        self.detection = detection
        """How the encoding was found; None if it was given."""
        self.errors = 0
        """Places that did not decode, in the pieces so far."""
        self._path, self._errors, self._newline, self._nul = path, errors, newline, nul
        self._stamp = stamp(path)
        self._pieces = self._decoded(_core.FileStream(path))

    def __next__(self) -> str:
        return next(self._pieces)

    def _decoded(self, source: _core.FileStream) -> Iterator[str]:
        newlines = io.IncrementalNewlineDecoder(None, translate=self._newline is not None)
        for text in self._plain(source):
            if "\0" in text and self._nul == "error":
                raise DataError(
                    f"`{fspath(self._path)}`: not text: NUL characters", hint="`nul='drop'` drops them"
                )
            if self._nul == "drop":
                text = text.replace("\0", "")
            text = newlines.decode(text)
            yield text if self._newline in (None, "\n") else text.replace("\n", self._newline)
        require_same(self._path, self._stamp)
        if last := newlines.decode("", final=True):
            yield last if self._newline in (None, "\n") else self._newline

    def _plain(self, source: _core.FileStream) -> Iterator[str]:
        """The text as it stands in the file."""
        if self._errors == "repair" and has_lines(self.encoding):
            yield from self._mended(source)
            return
        handler = "strict" if self._errors == "strict" else REPLACING
        decoder = codecs.getincrementaldecoder(self.encoding)(handler)
        taken, is_last = 0, False
        while not is_last:
            piece = source.read(PIECE_BYTES)
            is_last = not piece
            taken += len(piece)
            try:
                text, replaced = decode_piece(decoder, piece, is_last=is_last)
            except UnicodeDecodeError as error:
                at = taken - len(error.object) + error.start
                raise DataError(
                    f"`{fspath(self._path)}`: not {self.encoding}: byte {error.object[error.start]:#04x} at {at}",
                    hint="`errors='repair'` decodes what it can",
                ) from None
            self.errors += replaced
            if text:
                yield text

    def _mended(self, source: _core.FileStream) -> Iterator[str]:
        """Whole lines, so that a bad one is seen whole; a line longer than a piece is mended in parts."""
        name, held = self.encoding, b""
        while True:
            piece = source.read(PIECE_BYTES)
            whole, held = _cut(held + piece, is_last=not piece)
            text, places = mend(whole, name)
            self.errors += len(places)
            if text:
                yield text
            if not piece:
                return
            if whole and name == "utf-8-sig":
                name = "utf-8"  # the mark is behind us


def _cut(data: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
    """The whole lines, and what follows them."""
    end = data.rfind(b"\n") + 1
    if is_last or (not end and len(data) > PIECE_BYTES):
        end = len(data)
        while not is_last and end > len(data) - 8 and data[end - 1] >= 0x80:
            end -= 1  # a character may go on
    return data[:end], data[end:]


def open_text(
    path: str | PathLike[str],
    encoding: str = "auto",
    *,
    errors: Errors = "strict",
    newline: str | None = "\n",
    nul: Nul = "error",
) -> TextStream:
    """The text of a file in pieces, decompressed if it is gz, bz2, xz or zst; arguments as of `read_text`.

    Raises:
        MissingDataError, MachineError: if the file cannot be read.
        DataError: if it is no file or no text; damage and NULs show when their piece is reached.
        UsageError: if an option has no such value.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile(suffix=".txt") as file:
    ...     _ = file.write("où êtes-vous allés cet été ?\\r\\n".encode("cp1252"))
    ...     file.flush()
    ...     stream = open_text(file.name)
    ...     stream.encoding, "".join(stream)
    ('cp1252', 'où êtes-vous allés cet été ?\\n')
    """
    check_options(errors=errors, newline=newline, nul=nul)
    detection = None
    if encoding == "auto":
        detection = detect_file(path)
        if detection.encoding is None:
            raise DataError(f"`{fspath(path)}`: not text: {detection.why}")
        encoding = detection.encoding
    return TextStream(path, known(encoding), detection, errors=errors, newline=newline, nul=nul)
