"""How a command speaks: data to stdout, talk to stderr.

`Output` is handed to every command as its first argument. It also is the `Progress` that the stages below ask
for: `prepare(config, cache=cache, progress=out)`.

    out.say("reading 12 files")                    talk: stderr, silent with --quiet
    out.warn("3 files are not text")               stderr, also with --quiet
    out.step("ingest", 5, 12, note="4 MB/s")       a bar on a terminal, plain lines elsewhere
    out.result("version", facts, text="codex 1")   stdout, once: `text`, or with --json the facts
    out.raw(b"...")                                stdout, bytes as they are; nothing with --json
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from codex.cli.bar import Bar, terminal_width
from codex.cli.paint import painted, printable

__all__ = ["Output", "json_line", "table", "talk"]

SCHEMA_VERSION = 1


class Output:
    """One command's voice.

    Args:
        json: `result` prints its facts instead of its text.
        quiet: no talk and no progress.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.is_json = json
        self.is_quiet = quiet
        self._bar = Bar(sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.clear()

    def say(self, line: str) -> None:
        """One line of talk."""
        if not self.is_quiet:
            self._bar.clear()
            talk(line)

    def warn(self, line: str) -> None:
        """One line the user should not miss, so `--quiet` does not hide it."""
        self._bar.clear()
        talk(f"{painted('warning:', 'yellow', sys.stderr)} {printable(line)}", is_printable=True)

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` units of `stage` are done; cheap enough to be called for each."""
        if not self.is_quiet:
            self._bar.step(stage, done, total, note)

    def result(self, kind: str, facts: Mapping[str, Any], text: str | Iterable[str] = ()) -> None:
        """What the command was run for, once.

        Args:
            kind: names the shape of `facts`, so that a reader knows what it holds.
            facts: plain values; paths, numpy numbers and non-finite floats are written as JSON can hold them.
            text: the same for a person.
        """
        self._bar.clear()
        if self.is_json:
            print(json_line(kind, facts))
            return
        lines = [text] if isinstance(text, str) else list(text)
        if lines:
            print("\n".join(lines))

    def raw(self, data: bytes) -> None:
        """Bytes to stdout as they are; with `--json` the result says it all."""
        if not self.is_json:
            self._bar.clear()
            sys.stdout.flush()
            sys.stdout.buffer.write(data)


def talk(line: str, *, is_printable: bool = False) -> None:
    """One line to stderr; whether anybody listens makes no difference to the work."""
    try:
        print(line if is_printable else printable(line), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def json_line(kind: str, facts: Mapping[str, Any]) -> str:
    r"""One JSON object in ASCII, so that it survives any locale.

    >>> json_line("example", {"loss": float("inf"), "path": "é"})
    '{"schema_version": 1, "kind": "example", "loss": "Infinity", "path": "\\u00e9"}'
    """
    return json.dumps({"schema_version": SCHEMA_VERSION, "kind": kind, **_plain(facts)}, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a number of numpy or torch
        return _plain(value.item())
    return str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of columns; where they do not fit the terminal, one `name: value` block for each row.

    >>> print("\\n".join(table(["run", "steps"], [["base", 830], ["base-2", 12]])))
    run     steps
    base    830
    base-2  12
    """
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(header, *cells, strict=True)]
    if sum(widths) + 2 * len(widths) - 2 <= terminal_width():
        return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in [list(header), *cells]]
    blocks = ([f"{name}: {cell}" for name, cell in zip(header, row, strict=True)] + [""] for row in cells)
    return [line for block in blocks for line in block][:-1]
