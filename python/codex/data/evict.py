"""What a cache gives up: what was not used for long, and the longest unused beyond so many bytes.

Whatever is kept has a note, its manifest, whose time of change is that of its last use. The note goes first, so that none
speaks of files that are gone; other processes may use and evict the same cache meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["mark_used", "overdue_notes"]


def mark_used(note: Path) -> None:
    """Say that what the note is of was used now; a cache that cannot be written keeps its times."""
    with suppress(OSError):
        os.utime(note)


def overdue_notes(
    notes: Iterable[Path],
    bytes_of: Callable[[Path], int],
    *,
    maximum_bytes: int,
    maximum_days: float,
) -> list[Path]:
    """The notes of what is to go, the longest unused last.

    Args:
        notes: of all that is kept; one that is gone by now counts for nothing.
        bytes_of: of a note, what is kept with it.
        maximum_bytes: how much may stay, the last used first.
        maximum_days: how long something may stay unused.
    """
    now, kept_bytes, overdue = time.time(), 0, []
    used: list[tuple[float, str, Path, int]] = []
    for note in notes:
        with suppress(FileNotFoundError):
            used.append((-note.stat().st_mtime, note.name, note, bytes_of(note)))
    for minus_time, _, note, size in sorted(used):
        kept_bytes += size
        if kept_bytes > maximum_bytes or now + minus_time > maximum_days * 86_400:
            overdue.append(note)
    return overdue
