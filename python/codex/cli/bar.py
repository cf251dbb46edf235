"""Where the work is: a bar that redraws itself on a terminal, plain lines anywhere else.

No thread: a bar is drawn by the step that is due, so that drawing costs nothing between two of them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["Bar", "terminal_width"]

REDRAW_S = 0.1  # on a terminal
LINE_S = 10.0  # elsewhere


def terminal_width() -> int:
    """Columns there are: `COLUMNS`, else the terminal's, else 80."""
    return max(shutil.get_terminal_size().columns, 1)


class Bar:
    """The progress of one stage after another.

    Args:
        stream: where it is drawn.
        clock: seconds, for tests.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._every_s = REDRAW_S if self._is_terminal else LINE_S
        self._stage: str | None = None
        self._start = self._due = 0.0
        self._first = 0
        self._is_drawn = False

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Draw if it is time to, or if this is the last step of the stage."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._start, self._first, self._due = stage, now, done, now + self._every_s
            is_due = self._is_terminal
        else:
            is_due = now >= self._due
        if not is_due and done < total:
            return
        self._due = now + self._every_s
        if self._is_terminal:
            self._write(f"\r\x1b[2K{self._line(stage, done, total, note, now)}")
            self._is_drawn = done < total
            if done >= total:
                self._write("\n")
        else:
            self._write(f"{stage}: {done:,} of {total:,}{', ' * bool(note)}{note}\n")
        if done >= total:
            self._stage = None

    def clear(self) -> None:
        """Take the bar away, so that a line can be printed in its place; the next step draws it again."""
        if self._is_drawn:
            self._write("\r\x1b[2K")
            self._is_drawn = False

    def _line(self, stage: str, done: int, total: int, note: str, now: float) -> str:
        """The stage, a bar, and as much of the rest as fits."""
        share = done / total if total else 1.0
        parts = [f"{stage} {share:4.0%}"]
        extra = [f"{done:,}/{total:,}", note, self._left(done, total, now)]
        width = terminal_width() - 1  # the last column would wrap
        for part in filter(None, extra):
            if len("  ".join([*parts, part])) <= width:
                parts.append(part)
        room = width - len("  ".join(parts)) - 2
        if room >= 4:
            parts.insert(1, self._drawn(share, min(room, 30)))
        return "  ".join(parts)[:width]

    def _left(self, done: int, total: int, now: float) -> str:
        if done <= self._first or done >= total:
            return ""
        seconds = round((now - self._start) / (done - self._first) * (total - done))
        return f"{seconds // 60}:{seconds % 60:02} left"

    def _drawn(self, share: float, columns: int) -> str:
        full, empty = "━", "─"
        try:
            (full + empty).encode(self._stream.encoding or "ascii")
        except UnicodeEncodeError:
            full, empty = "#", "-"
        filled = int(share * columns)
        return full * filled + empty * (columns - filled)

    def _write(self, text: str) -> None:
        """A bar that cannot be drawn is no reason to stop."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            return
