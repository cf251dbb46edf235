"""The documents of a file: one for a text or a page, one for each row of a table or line of NDJSON.

The ending of its name tells the format, the ending of a compression aside, unless `data.format` does. Files of many documents are
read as a stream, whatever their size.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any

from codex import _core
from codex.data.decoding import decode_file
from codex.data.listing import Found, changed
from codex.errors import DataError, MissingExtraError
from codex.records import iter_records
from codex.text import open_text

__all__ = [
    "Document",
    "Dropped",
    "Reading",
    "documents_of",
    "format_of",
    "is_streamed",
    "plain_reading",
    "require_readers",
    "visible_text",
]

_ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
_COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
#: Formats of many documents, whose files may be larger than any document.
STREAMED = frozenset({"jsonl", "csv", "tsv", "parquet", "arrow"})
#: Formats that are read with the extra `parquet`.
_TABLES = frozenset({"parquet", "arrow"})


@dataclass(frozen=True, slots=True)
class Document:
    """One text of a file."""

    text: str
    encoding: str
    errors: int = 0
    row: int | None = None
    """Which one it is, from 0, if the file is of many."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """One that is no text, and why."""

    reason: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read."""

    format: str = "auto"
    encoding: str = "auto"
    text_key: str = "text"
    maximum_file_bytes: int = 16 << 20


def format_of(name: str, chosen: str = "auto") -> str:
    """The format of the file called `name`.

    >>> [format_of(name) for name in ("a.py", "page.HTML", "rows.jsonl.zst", "archive.gz")]
    ['text', 'html', 'jsonl', 'text']
    """
    if chosen != "auto":
        return chosen
    path = PurePosixPath(name.lower())
    return _ENDINGS.get(
        PurePosixPath(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix, "text"
    )


def is_streamed(name: str, chosen: str = "auto") -> bool:
    """Whether a file is of many documents, so that it may be larger than any of them."""
    return format_of(name, chosen) in STREAMED


def plain_reading(reading: Reading) -> dict[str, Any]:
    """Which files are read without this module, being one plain text each, and how: what `UnitWriter` takes."""
    return {
        "reads_texts": reading.format in ("auto", "text"),
        "other_endings": list(_ENDINGS) if reading.format == "auto" else [],
        "packed_endings": sorted(_COMPRESSED),
        "finds_encodings": reading.encoding == "auto",
        "limit_bytes": reading.maximum_file_bytes,
    }


def documents_of(found: Found, digest: str, reading: Reading) -> Iterator[Document | Dropped]:
    """What a file holds, in order.

    Args:
        found: the file.
        digest: of its stored bytes as they were listed.
        reading: how.

    Raises:
        DataError: if it cannot be read on.
        ChangedError: if it is no longer the file that was listed.
    """
    kind = format_of(found.name, reading.format)
    if kind == "jsonl":
        yield from _lines(found, reading)
    elif kind in _TABLES:
        yield from _column(found, reading, kind)
    elif kind in STREAMED:
        yield from _rows(found, reading, "\t" if kind == "tsv" else ",")
    else:
        yield _whole(found, digest, reading, is_page=kind == "html")


def _whole(found: Found, digest: str, reading: Reading, *, is_page: bool) -> Document | Dropped:
    data, now = _core.read_digested(found.path, reading.maximum_file_bytes)
    if now != digest:
        raise changed(found)
    try:
        decoded = decode_file(data, found.name, reading.encoding)
    except DataError as error:
        return Dropped(error.message)
    text = visible_text(decoded.text) if is_page else decoded.text
    return Document(text, decoded.encoding, decoded.errors)


def _lines(found: Found, reading: Reading) -> Iterator[Document | Dropped]:
    lines = iter_records(found.path, keys=[reading.text_key], on_error="skip", duplicate_keys="refuse")
    number = -1
    for number, row in enumerate(lines):
        text = row.get(reading.text_key)
        if isinstance(text, str):
            yield Document(_newlines(text), "utf-8", row=number)
        else:
            what = "missing" if text is None else f"a {type(text).__name__}"
            yield Dropped(f"no text: `{reading.text_key}` is {what}", number)
    for bad in lines.bad_lines:
        yield Dropped(f"no JSON: line {bad.line}, byte {bad.byte}: {bad.reason}", number + 1)
    for _ in range(lines.bad_count - len(lines.bad_lines)):
        yield Dropped("no JSON", number + 1)


def _rows(found: Found, reading: Reading, separator: str) -> Iterator[Document | Dropped]:
    csv.field_size_limit(reading.maximum_file_bytes)
    rows = csv.reader(_split(open_text(found.path)), delimiter=separator, strict=True)
    head = next(rows, None)
    if head is None:
        yield Dropped("empty")
        return
    if reading.text_key not in head:
        yield Dropped(f"no text: no column `{reading.text_key}`")
        return
    column, number = head.index(reading.text_key), 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Dropped(f"no row: line {rows.line_num}: {error}", number)
            return
        if row is None:
            return
        if len(row) == len(head):
            yield Document(_newlines(row[column]), "utf-8", row=number)
        elif row:
            yield Dropped(f"no row: {len(row)} columns at line {rows.line_num}, expected {len(head)}", number)
        number += 1


def _column(found: Found, reading: Reading, kind: str) -> Iterator[Document | Dropped]:
    from codex.data.columns import read_column  # it imports pyarrow

    for number, text in enumerate(read_column(found.path, reading.text_key, kind)):
        if isinstance(text, str):
            yield Document(_newlines(text), "utf-8", row=number)
        elif text is None:
            yield Dropped(f"no text: `{reading.text_key}` is missing", number)
        else:
            yield Dropped(f"not utf-8: byte 0x{text.object[text.start]:02x} at {text.start}", number)


def require_readers(names: Iterable[str], chosen: str) -> None:
    """Make sure that files of these names can be read here.

    Raises:
        MissingExtraError: if one needs an extra that is not installed.
    """
    if find_spec("pyarrow") is not None:
        return
    for name in names:
        if format_of(name, chosen) in _TABLES:
            raise MissingExtraError(
                f"`{name}` cannot be read: `pyarrow` is not installed",
                hint='pip install "codex-lm[parquet]"',
            )


def _split(pieces: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, out of pieces of any size."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def visible_text(page: str) -> str:
    """What a reader of an HTML page sees: no tags, scripts and styles; blocks on lines of their own.

    >>> visible_text("<title>t</title><h1>One &amp; two</h1><script>x()</script><p>a <b>bold</b>\\nword<pre>a\\n  b</pre>")
    'One & two\\na bold word\\na\\n  b\\n'
    """
    reader = _Page()
    reader.feed(page)
    reader.close()
    return reader.text()


#: What no reader sees.
_UNSEEN = frozenset(
    """head title script style template noscript svg math iframe object select textarea""".split()  # noqa: SIM905
)
#: What stands within a line, and does not end it.
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong sub
    sup time tt u var wbr""".split()  # noqa: SIM905
)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out = io.StringIO()
        self._line: list[str] = []
        self._unseen: list[str] = []
        self._kept = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag == "body":
            self._unseen.clear()  # whatever was left open in the head
        self._breaks(tag)
        self._kept += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._breaks(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        self._breaks(tag)
        self._kept = max(0, self._kept - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._line.append(data)

    def _breaks(self, tag: str) -> None:
        if tag not in _INLINE:
            self._end_line()

    def _end_line(self) -> None:
        joined = "".join(self._line)
        self._line.clear()
        line = joined.strip("\n") if self._kept else " ".join(joined.split())
        if line.strip():
            self._out.write(line.replace("\xa0", " ") + "\n")

    def text(self) -> str:
        self._end_line()
        return _newlines(self._out.getvalue())
