"""What a run measured and what happened to it, row by row.

    metrics.ndjson             {"schema_version":1,"time":...,"step":10,"split":"train","metrics":{"loss":2.5}}
    log.ndjson                 {"schema_version":1,"time":...,"level":"info","event":"started","message":...}
    system.ndjson              {"schema_version":1,"time":...,"metrics":{"processor_percent":...}}
    metrics.superseded.ndjson  rows of steps that were done again after a kill

Two journals are equal if their metrics are, times and rates aside: a rate is a metric whose name ends in `_per_second` or
`_seconds`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from codex.file import write_atomic
from codex.track.rows import SCHEMA_VERSION, Rows, now, number, numbered_lines, read_rows

__all__ = ["Journal", "differences", "is_rate"]

RATE_ENDINGS = ("_per_second", "_seconds")


class Journal:
    """The rows of one run.

    Args:
        folder: the run folder.
        warn: told in one line what could not be written; stderr if not given.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None] | None = None) -> None:
        warn = warn or _warn_on_stderr
        self._warn = warn
        self._metrics = Rows(folder / "metrics.ndjson", warn)
        self._log = Rows(folder / "log.ndjson", warn)
        self._system = Rows(folder / "system.ndjson", warn)
        self._superseded = folder / "metrics.superseded.ndjson"

    def metrics(self, step: int, split: str, **values: Any) -> None:
        """One row of numbers, measured after `step` steps."""
        measured = {name: number(value) for name, value in values.items()}
        self._write(self._metrics, step=step, split=split, metrics=measured)

    def log(
        self,
        event: str,
        message: str,
        *,
        level: Literal["info", "warning", "error"] = "info",
        **facts: Any,
    ) -> None:
        """One event: a fixed name to search for, a line for a person, and whatever plain facts belong to it."""
        self._write(self._log, level=level, event=event, message=message, **facts)

    def system(self, **values: Any) -> None:
        """One row about the machine; it has no step, so a resumed run supersedes none."""
        self._write(self._system, metrics={name: number(value) for name, value in values.items()})

    def rewind(self, step: int) -> int:
        """Move the metrics of later steps to `metrics.superseded.ndjson`; returns how many rows moved.

        Killed at any point and called again, it ends the same: the rows are added there before they are taken away
        here, each by one atomic write, and rows that already stand there are not added twice. Reads the file once.
        """
        self._metrics.close()
        self._metrics.mend()
        path = self._metrics.path
        lines = list(numbered_lines(path)) if path.exists() else []
        later = [line for line, row in lines if row["step"] > step]
        if not later:
            return 0
        moved = b"".join(later)
        before = self._superseded.read_bytes() if self._superseded.exists() else b""
        if not before.endswith(moved):  # rows hold their time, so equal bytes are the same rows
            write_atomic(self._superseded, before + moved)
        write_atomic(path, b"".join(line for line, row in lines if row["step"] <= step))
        return len(later)

    def sync(self) -> None:
        """Wait until every row is on the disk."""
        for rows in (self._metrics, self._log, self._system):
            rows.sync()

    def close(self) -> None:
        """Sync, and say how many rows were lost, if any were."""
        lost = {rows.path.name: rows.lost for rows in (self._metrics, self._log, self._system) if rows.lost}
        if lost:
            said = ", ".join(f"{count} of `{name}`" for name, count in lost.items())
            self.log("rows-lost", f"rows that could not be written: {said}", level="warning", lost=lost)
            self._warn(f"rows that could not be written: {said}")
        self.sync()
        for rows in (self._metrics, self._log, self._system):
            rows.close()

    @staticmethod
    def _write(rows: Rows, **columns: Any) -> None:
        rows.write({"schema_version": SCHEMA_VERSION, "time": now(), **columns})


def is_rate(name: str) -> bool:
    """Whether a metric depends on how fast the machine was.

    >>> is_rate("tokens_per_second"), is_rate("loss")
    (True, False)
    """
    return name.endswith(RATE_ENDINGS)


def differences(ours: Path, theirs: Path) -> list[str]:
    """Where two `metrics.ndjson` differ, times and rates aside; one line a row, empty if they are equal."""
    pairs = zip_longest(map(_comparable, read_rows(ours)), map(_comparable, read_rows(theirs)))
    return [
        f"row {index}: {_shown(one)} and {_shown(other)}"
        for index, (one, other) in enumerate(pairs, start=1)
        if one != other
    ]


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    metrics = {name: value for name, value in row["metrics"].items() if not is_rate(name)}
    return {name: value for name, value in row.items() if name != "time"} | {"metrics": metrics}


def _shown(row: dict[str, Any] | None) -> str:
    return "nothing" if row is None else f"step {row['step']} {row['split']} {row['metrics']}"


def _warn_on_stderr(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr)
