"""Anyone's NDJSON: the wanted part of every line, every line checked whole.

Plain or gz, bz2, xz, zst by magic number; a byte-order mark, blank lines and `\\r\\n` are accepted. Everything else that is not
one JSON object a line is a bad line, with its file, line, byte and reason, and `on_error` says what becomes of it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from codex import _core
from codex._core import LineIndex, RecordBatch
from codex.errors import DataError, UsageError
from codex.file import AppendLog
from codex.records.record import BadLine

__all__ = ["Batches", "Lines", "RecordBatch", "count", "index", "iter_batches", "iter_records", "iter_texts"]

T = TypeVar("T")
_Path: TypeAlias = str | PathLike[str]
#: What becomes of a bad line: an error, a note, or a note and a line in a file of its own.
OnError: TypeAlias = Literal["raise", "skip", "quarantine"]
_Bad: TypeAlias = tuple[int, int, int, str, str, bytes]

#: So many bad lines are listed; the others are counted.
LISTED_LINES = 1000

_TYPES = {str: "str", int: "int", float: "float", bool: "bool", "json": "json"}


class Lines(Iterator[T], Generic[T]):
    """What a file holds, line by line, and what is wrong with the lines that were passed over."""

    def __init__(
        self,
        path: _Path,
        read: Callable[[], tuple[list[T], list[_Bad]] | None],
        on_error: OnError,
        quarantine: _Path | None,
    ) -> None:
        self._faults = _Faults(os.fspath(path), _quarantine_of(path, on_error, quarantine))
        # None of this holds the reader itself, so that one left in the middle is gone at once.
        self._items = chain.from_iterable(_items(read, on_error, self._faults))

    def __iter__(self) -> Iterator[T]:  # the chain, which needs no call of Python for an item
        return self._items

    def __next__(self) -> T:
        return next(self._items)

    @property
    def bad_count(self) -> int:
        """How many bad lines have been met."""
        return self._faults.count

    @property
    def bad_lines(self) -> list[BadLine]:
        """The first thousand of them."""
        return self._faults.lines

    @property
    def quarantine(self) -> Path | None:
        """The file they are kept in, if they are, with `path`, `line`, `byte`, `reason` and `text`, or `base64` if not UTF-8."""
        return self._faults.quarantine


class Batches(Lines[RecordBatch]):
    """The batches of a file: one after the other, or all of them by `__arrow_c_stream__`, which pyarrow and polars look for."""

    def __init__(
        self,
        path: _Path,
        read: Callable[[], tuple[list[RecordBatch], list[_Bad]] | None],
        on_error: OnError,
        quarantine: _Path | None,
        columns: list[tuple[str, str]],
    ) -> None:
        super().__init__(path, read, on_error, quarantine)
        self._columns = columns

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The capsule of a stream of the batches that are left; another schema than its own cannot be asked for."""
        return _core.arrow_stream(iter(self), self._columns)


class _Faults:
    """Bad lines, counted, listed and kept."""

    def __init__(self, path: str, quarantine: Path | None) -> None:
        self.path, self.quarantine = path, quarantine
        self.count, self.lines = 0, list[BadLine]()
        self._log: AppendLog | None = None

    def add(self, rows: list[_Bad]) -> None:
        self.count += len(rows)
        for _, line, byte, reason, _, _ in rows[: LISTED_LINES - len(self.lines)]:
            self.lines.append(BadLine(self.path, line, byte, reason))
        if self.quarantine is not None:
            self._log = self._log or AppendLog(self.quarantine)
            self._log.append(b"".join(self._kept(row) for row in rows))

    def _kept(self, row: _Bad) -> bytes:
        _, line, byte, reason, _, data = row
        note: dict[str, Any] = {"path": self.path, "line": line, "byte": byte, "reason": reason}
        try:
            note["text"] = data.decode()
        except UnicodeDecodeError:
            note["base64"] = base64.b64encode(data).decode()
        return json.dumps(note).encode() + b"\n"

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


def _items(
    read: Callable[[], tuple[list[T], list[_Bad]] | None], on_error: OnError, faults: _Faults
) -> Iterator[list[T]]:
    try:
        while (batch := read()) is not None:
            items, bad = batch
            if bad and on_error == "raise":
                yield items[: bad[0][0]]
                raise DataError(bad[0][4])
            if bad:
                faults.add(bad)
            yield items
    finally:
        faults.close()


def iter_texts(
    path: _Path,
    key: str = "text",
    on_error: OnError = "raise",
    *,
    threads: int | None = 1,
    duplicate_keys: Literal["refuse", "last"] = "refuse",
    nan: Literal["refuse", "accept"] = "refuse",
    quarantine: _Path | None = None,
) -> Lines[str]:
    """The string under `key` of every line, in order.

    Args:
        path: a file of NDJSON, plain or compressed.
        key: of the string; a line without it is bad.
        on_error: `raise` at the first bad line, behind the texts before it; `skip` and note it; `quarantine`: keep it too.
        threads: that read; all processors if None.
        duplicate_keys: whether an object that has a key twice is bad, at any depth, or its last value counts.
        nan: whether NaN and the infinities are numbers.
        quarantine: that file, made anew; by default the path and `.quarantine`.
    Raises:
        MissingDataError: if there is no such file.
        DataError: at a bad line, if `on_error` is `raise`; if a compressed file is damaged.
        UsageError: if an argument is none of what it may be.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b'{"text": "one"}\\n{"text": 2}\\n{"text": "three"}\\n')
    ...     file.flush()
    ...     lines = iter_texts(file.name, on_error="skip")
    ...     list(lines), lines.bad_lines[0].line, lines.bad_lines[0].reason
    (['one', 'three'], 2, 'expected a string, found `2`')
    """
    options = _options(threads, duplicate_keys, nan, on_error)
    return Lines(path, _core.TextLines(path, key, options).read, on_error, quarantine)


def iter_records(
    path: _Path,
    keys: Sequence[str] | None = None,
    on_error: OnError = "raise",
    *,
    threads: int | None = 1,
    duplicate_keys: Literal["refuse", "last"] = "refuse",
    nan: Literal["refuse", "accept"] = "refuse",
    quarantine: _Path | None = None,
) -> Lines[dict[str, Any]]:
    """The object of every line as a dictionary, in order; integers are exact, whatever their size.

    Args:
        path: a file of NDJSON, plain or compressed.
        keys: of the objects that are wanted; all if None. A line that lacks one gives a dictionary without it.
        on_error, threads, duplicate_keys, nan, quarantine: as in `iter_texts`.
    Raises:
        MissingDataError, DataError, UsageError: as `iter_texts`.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b'{"step": 1, "loss": 2.5}\\n{"step": 18446744073709551616, "loss": null}\\n')
    ...     file.flush()
    ...     list(iter_records(file.name, keys=["step"]))
    [{'step': 1}, {'step': 18446744073709551616}]
    """
    wanted = None if keys is None else _names(keys)
    options = _options(threads, duplicate_keys, nan, on_error)
    return Lines(path, _core.RowLines(path, wanted, options).read, on_error, quarantine)


def iter_batches(
    path: _Path,
    columns: Sequence[str] | Mapping[str, type | str],
    on_error: OnError = "raise",
    *,
    threads: int | None = None,
    duplicate_keys: Literal["refuse", "last"] = "refuse",
    nan: Literal["refuse", "accept"] = "refuse",
    quarantine: _Path | None = None,
) -> Batches:
    """Columns of about a mebibyte of lines at a time, in order, which pyarrow and polars take without a copy.

    One by one, or all that are left: `pyarrow.table(iter_batches(...))`, `polars.DataFrame(iter_batches(...))`.

    Args:
        path: a file of NDJSON, plain or compressed.
        columns: keys and what they hold: `str`, `int` (64 bits), `float`, `bool` or `"json"` (any value, as it is written). Of
            keys alone, the first mebibyte decides. A value of another type is a bad line; null or a missing key is null.
        on_error, duplicate_keys, nan, quarantine: as in `iter_texts`; the batch that holds a bad line is not given if it is
            an error.
        threads: that read; all processors if None.
    Raises:
        MissingDataError, DataError, UsageError: as `iter_texts`.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b'{"step": 1, "loss": 2.5}\\n{"step": 2}\\n')
    ...     file.flush()
    ...     [batch] = iter_batches(file.name, columns={"step": int, "loss": float})
    ...     len(batch), batch.column("step"), batch.column("loss")
    (2, [1, 2], [2.5, None])
    """
    options = _options(threads, duplicate_keys, nan, on_error)
    typed = columns if isinstance(columns, Mapping) else _types_of(path, _names(columns), options)
    unknown = [name for name, kind in typed.items() if kind not in _TYPES]
    if unknown or not typed:
        wanted = 'str, int, float, bool or "json"'
        raise UsageError(
            f"the column `{unknown[0]}` is of {typed[unknown[0]]!r}, expected {wanted}"
            if unknown
            else "no columns"
        )
    wanted_columns = [(name, _TYPES[kind]) for name, kind in typed.items()]
    reader = _core.ColumnLines(path, wanted_columns, options)

    def read() -> tuple[list[RecordBatch], list[_Bad]] | None:
        batch = reader.read()
        if batch is None:
            return None
        rows, bad = batch
        stops = bad and on_error == "raise"
        return ([rows] if len(rows) and not stops else []), bad

    return Batches(path, read, on_error, quarantine, wanted_columns)


def count(path: _Path) -> int:
    """How many lines hold anything but white space; none is parsed.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if a compressed file is damaged.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b'{}\\n\\n{}')
    ...     file.flush()
    ...     count(file.name)
    2
    """
    return _core.lines_count(path)


def index(
    path: _Path,
    *,
    duplicate_keys: Literal["refuse", "last"] = "refuse",
    nan: Literal["refuse", "accept"] = "refuse",
) -> LineIndex:
    """Where every line begins, so that any is read with one call: `index(path)[i]` is its dictionary, `.line(i)` its bytes.

    Costs one pass over the file and 8 bytes a line. It knows the file as it was then: lines added later are not in it. Of a
    zst file in frames, with a seek table or without, a line costs the frame it stands in, unless that was read last.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is zst and damaged, or its seek table is not that of its frames.
        UsageError: if it is compressed so that there is no way into the middle: gz, bz2, xz, zst with a frame beyond 64 MiB.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b'{"n": 1}\\n\\n{"n": 2}\\n')
    ...     file.flush()
    ...     lines = index(file.name)
    ...     len(lines), lines[1], lines[-2], lines.line(0)
    (2, {'n': 2}, {'n': 1}, b'{"n": 1}\\n\\n')
    """
    _, refuses, takes, _ = _options(1, duplicate_keys, nan, "raise")
    return LineIndex(path, refuses, takes)


def _options(
    threads: int | None, duplicate_keys: str, nan: str, on_error: str
) -> tuple[int, bool, bool, bool]:
    for name, value, allowed in (
        ("duplicate_keys", duplicate_keys, ("refuse", "last")),
        ("nan", nan, ("refuse", "accept")),
        ("on_error", on_error, ("raise", "skip", "quarantine")),
    ):
        if value not in allowed:
            raise UsageError(f"`{name}` is {value!r}, expected one of {', '.join(allowed)}")
    if threads is not None and threads < 1:
        raise UsageError(f"`threads` is {threads}, expected at least 1")
    number = threads or len(os.sched_getaffinity(0))
    return number, duplicate_keys == "refuse", nan == "accept", on_error == "quarantine"


def _names(names: Sequence[str]) -> list[str]:
    if isinstance(names, str):
        raise UsageError(f"keys are the string {names!r}, expected a list of strings")
    if len(set(names)) < len(names):
        raise UsageError("a key is asked for twice")
    return list(names)


def _types_of(path: _Path, names: list[str], options: tuple[int, bool, bool, bool]) -> dict[str, type | str]:
    """What the first mebibyte holds under `names`: the narrowest type that takes it all."""
    _, *rules = options
    first = _core.RowLines(path, names, (1, rules[0], rules[1], False)).read()
    rows = first[0] if first else []
    return {name: _type_of([row[name] for row in rows if row.get(name) is not None]) for name in names}


def _type_of(values: list[Any]) -> type | str:
    kinds = {type(value) for value in values}
    if kinds == {int, float} or kinds == {float}:
        return float
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return int
    if len(kinds) <= 1 and kinds <= {str, bool}:
        return next(iter(kinds), str)
    return "json"


def _quarantine_of(path: _Path, on_error: str, quarantine: _Path | None) -> Path | None:
    if on_error != "quarantine":
        if quarantine is not None:
            raise UsageError(f'`quarantine` is for `on_error="quarantine"`, which is {on_error!r}')
        return None
    place = Path(f"{os.fspath(path)}.quarantine" if quarantine is None else quarantine)
    place.unlink(missing_ok=True)
    return place
