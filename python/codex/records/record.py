"""Records: one text a line of NDJSON, with its identity and where it came from.

`docs/records.md` tells the format. Equal texts have equal ids, so the id is the key of exact deduplication, and
`is_held_out` is a function of it alone. Rows cross to Rust in batches of about 4 MiB.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, TypeAlias

from codex import _core
from codex.errors import DataError

__all__ = [
    "BadLine",
    "Record",
    "Source",
    "count_records",
    "encode_records",
    "is_held_out",
    "read_records",
    "record_id",
    "write_records",
]

_BATCH_BYTES = 4 << 20
_BATCH_RECORDS = 1024

_Row: TypeAlias = tuple[str, str, str, str | None, int, str, int, str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text came from, and how its bytes were read."""

    path: str
    """The file, relative to the corpus, with `/` between folders."""
    member: str | None = None
    """The member, if the file is an archive."""
    offset: int = 0
    """The byte the text begins at, if it is one of several in the file."""
    encoding: str = "utf-8"
    """What its bytes were decoded from."""
    errors: int = 0
    """How many places could not be decoded and were replaced."""


@dataclass(frozen=True, slots=True)
class Record:
    """One text and where it came from.

    >>> record = Record.of("abc", Source("a.txt"))
    >>> record.id
    'ba7816bf8f01cfea414140de5dae2223'
    >>> print(encode_records([record]).decode(), end="")
    {"id":"ba7816bf8f01cfea414140de5dae2223","text":"abc","source":{"path":"a.txt","member":null,"offset":0,"encoding":"utf-8","errors":0}}
    """

    id: str
    """`record_id(text)`."""
    text: str
    """The text; its newlines are `\\n`."""
    source: Source
    """Where it came from."""
    meta: Mapping[str, Any] | None = None
    """What else is known of it: a JSON object."""

    @classmethod
    def of(cls, text: str, source: Source, meta: Mapping[str, Any] | None = None) -> Record:
        """A record of `text`, with the id that is its own."""
        return cls(record_id(text), text, source, meta)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record: where it is, and why."""

    path: str
    """The file it is in."""
    line: int
    """Its number; the first is 1."""
    byte: int
    """The byte that is wrong, counted from the start of the plain file; the first is 0."""
    reason: str
    """What is wrong with it."""


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


def record_id(text: str) -> str:
    """The first 16 bytes of the SHA-256 of the text's UTF-8, as 32 hex digits.

    Raises:
        DataError: if the text holds a lone surrogate, which UTF-8 has no form for.

    >>> record_id("")
    'e3b0c44298fc1c149afbf4c8996fb924'
    """
    with _refusals():
        return _core.record_id(text)


def is_held_out(id: str, fraction: float) -> bool:
    """Whether the text with this id is held out from training: a pure function of the two.

    The first 8 bytes of the SHA-256 of the id's 16 bytes, read big-endian, are below `fraction * 2**64`. No seed, no
    position and no other record has a say, and what is held out at one fraction is held out at every larger one.

    Raises:
        DataError: if `id` is none.
        UsageError: if `fraction` is not from 0 to 1.

    >>> [is_held_out(record_id(text), 0.5) for text in ("one", "two", "three")]
    [False, False, True]
    """
    return _core.is_held_out(id, fraction)


def encode_records(records: Iterable[Record]) -> bytes:
    """The lines of `records`: equal records give equal bytes.

    Raises:
        DataError: if a record could not be read back: its id is not its text's, the text has a carriage return or a
            lone surrogate, `meta` is no JSON object, its line is longer than 256 MiB.
    """
    return _encode([_row(record) for record in records])


def write_records(target: _Sink | str | PathLike[str], records: Iterable[Record]) -> int:
    """Write `records` in the order they come; returns how many there were.

    Args:
        target: a path, where the file appears whole and synced or not at all; or an open file of a folder being built,
            whose `write` takes bytes.
        records: are taken one by one, so they may be more than fit in memory.
    Raises:
        DataError: if a record could not be read back, as in `encode_records`.
    """
    if not isinstance(target, str | PathLike):
        return _write_batches(records, lambda rows: target.write(_encode(rows)))
    writer = _core.RecordWriter(target)
    try:
        count = _write_batches(records, lambda rows: _hand_over(writer, rows))
        writer.commit()
    finally:
        writer.discard()
    return count


def read_records(
    path: str | PathLike[str], *, verify: bool = True, bad_lines: list[BadLine] | None = None
) -> Iterator[Record]:
    """The records of a file in the order of its lines; plain or gz, bz2, xz, zst by magic number.

    Args:
        path: a file of records.
        verify: hold every id against its text; leave it out only behind a verified manifest.
        bad_lines: if given, bad lines are appended to it and the rest is read; else the first is an error.
    Raises:
        MissingDataError: if there is no such file.
        DataError: with file, line, byte and reason, at a bad line; or if a compressed file is damaged.
    """
    return _read_batches(_core.RecordReader(path, verify), str(path), bad_lines)


def count_records(path: str | PathLike[str]) -> int:
    """How many records a file holds; every line is parsed, ids are taken on trust.

    Raises:
        MissingDataError: if there is no such file.
        DataError: at a bad line, as in `read_records`.
    """
    return _core.records_count(path)


def _row(record: Record) -> _Row:
    source = record.source
    meta = None if record.meta is None else _dump(record)
    return (
        record.id,
        record.text,
        source.path,
        source.member,
        source.offset,
        source.encoding,
        source.errors,
        meta,
    )


def _dump(record: Record) -> str:
    try:
        return json.dumps(record.meta, ensure_ascii=True, allow_nan=False, default=_object)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the record of `{record.source.path}` has `meta` that is no JSON: {error}") from None


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _record(row: _Row) -> Record:
    id, text, path, member, offset, encoding, errors, meta = row
    source = Source(path, member, offset, encoding, errors)
    return Record(id, text, source, None if meta is None else json.loads(meta, parse_int=_number))


def _number(digits: str) -> int | float:
    """RFC 8785 writes doubles up to 1e21 without a point; no integer beyond 2^53 - 1 is ever stored."""
    value = int(digits)
    return value if abs(value) < 2**53 else float(digits)


def _read_batches(reader: _core.RecordReader, path: str, bad_lines: list[BadLine] | None) -> Iterator[Record]:
    while True:
        rows, bad = reader.read_batch(_BATCH_BYTES)
        for row in rows:
            yield _record(row)
        if bad is not None:
            line, byte, reason, message = bad
            if bad_lines is None:
                raise DataError(message)
            bad_lines.append(BadLine(path, line, byte, reason))
        elif not rows:
            return


def _write_batches(records: Iterable[Record], write: Callable[[list[_Row]], object]) -> int:
    rows: list[_Row] = []
    count = characters = 0
    for record in records:
        rows.append(_row(record))
        count += 1
        characters += len(record.text)
        if characters >= _BATCH_BYTES or len(rows) >= _BATCH_RECORDS:
            write(rows)
            rows, characters = [], 0
    if rows:
        write(rows)
    return count


def _hand_over(writer: _core.RecordWriter, rows: list[_Row]) -> None:
    with _refusals():
        writer.write(rows)


def _encode(rows: list[_Row]) -> bytes:
    with _refusals():
        return _core.records_encode(rows)


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot even cross to Rust is refused like everything else."""
    try:
        yield
    except UnicodeEncodeError as error:
        point, at = ord(error.object[error.start]), error.start
        raise DataError(
            f"a lone surrogate U+{point:04X} at character {at} of a text, expected Unicode"
        ) from None
    except OverflowError:
        raise DataError("an offset or a count of a source is negative or beyond 2^53 - 1") from None
