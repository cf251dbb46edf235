"""One NDJSON file of a run: rows go in, and a disk that refuses them is no reason to stop the run."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from codex.errors import DamageError, LockError, MissingDataError
from codex.file import AppendLog

__all__ = ["SCHEMA_VERSION", "Rows", "encode_row", "now", "number", "numbered_lines", "read_rows"]

SCHEMA_VERSION = 1


class Rows:
    """Rows appended to one file. What the disk refuses is counted, and said once.

    Args:
        path: the file; made by the first row.
        warn: told once, when a row could not be written.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path = path
        self.lost = 0
        self._warn = warn
        self._log: AppendLog | None = None

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row; it survives a kill from here on, and a power cut from the next `sync` on."""
        try:
            self._opened().append(encode_row(row))
        except LockError:
            raise
        except OSError as error:
            self._refused(error)

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        if self._log is not None:
            try:
                self._log.sync()
            except OSError as error:
                self._refused(error)

    def mend(self) -> None:
        """Move what a kill left behind the last whole row aside, and leave the file closed."""
        if self.path.exists():
            self._opened()
            self.close()

    def close(self) -> None:
        """Let go of the file; another row opens it again."""
        if self._log is not None:
            log, self._log = self._log, None
            log.close()

    def _opened(self) -> AppendLog:
        if self._log is None:
            self._log = AppendLog(self.path)
        return self._log

    def _refused(self, error: OSError) -> None:
        self.lost += 1
        self.close()  # opening it again mends its end
        if self.lost == 1:
            self._warn(f"`{self.path.name}` misses rows from here on, the run goes on: {error}")


def encode_row(row: Mapping[str, Any]) -> bytes:
    """One line, in the order of the keys; a lone surrogate becomes the escape that JSON has for it.

    >>> encode_row({"step": 1, "metrics": {"loss": 2.5}})
    b'{"step":1,"metrics":{"loss":2.5}}\\n'
    """
    text = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"


def number(value: Any) -> int | float | str:
    """A measured value as a row holds it: numbers of numpy and torch plain, non-finite ones as strings.

    >>> number(float("-inf")), number(2)
    ('-Infinity', 2)
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int):
        return int(value)
    if not isinstance(value, float):
        raise TypeError(f"a metric is a number, got {type(value).__name__}")
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def now() -> str:
    """The time in UTC, to the millisecond: `2026-11-21T12:00:00.123Z`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole row of a file; a last line without its end belongs to a row that is being written.

    Raises:
        MissingDataError: if there is no such file.
        DamageError: if a line is not a row; it names file and line.
    """
    for _, row in numbered_lines(path):
        yield row


def numbered_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """As `read_rows`, each row with the bytes of its line."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        raise MissingDataError(f"there is no `{path}`") from None
    for index, line in enumerate(lines[:-1], start=1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise DamageError(f"`{path}` line {index} is not a row")
        version = row.get("schema_version")
        if version != SCHEMA_VERSION:
            raise DamageError(
                f"`{path}` line {index} has schema_version {version!r}, expected {SCHEMA_VERSION}"
            )
        yield line + b"\n", row
