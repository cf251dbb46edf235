"""Places in a text, counted in bytes of UTF-8 or in characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from codex.errors import UsageError

__all__ = ["Unit", "checked_unit", "to_bytes", "to_characters"]

#: What an offset counts.
Unit = Literal["bytes", "chars"]


def checked_unit(unit: str) -> None:
    """Refuse what is no unit.

    Raises:
        UsageError: if it is none.
    """
    if unit not in ("bytes", "chars"):
        raise UsageError(f"`unit` is `{unit}`, expected `bytes` or `chars`")


def to_characters(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of bytes as spans of characters; a character of which a span has a part counts as all its own.

    >>> to_characters("é!", [(0, 1), (1, 2), (2, 3)])
    [(0, 1), (0, 1), (1, 2)]
    >>> to_characters("é!", [(3, 3)])
    [(2, 2)]
    """
    if text.isascii() or not spans:
        return list(spans)
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    begun = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])  # characters begun before each byte
    bounds = np.asarray(spans)
    is_empty = bounds[:, 0] == bounds[:, 1]
    is_at_end = bounds[:, 0] == data.size
    starts = begun[np.minimum(bounds[:, 0] + 1, data.size)] - np.where(is_at_end, 0, 1)
    ends = np.where(is_empty, starts, begun[bounds[:, 1]])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def to_bytes(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of characters as spans of bytes.

    >>> to_bytes("é!", [(0, 1), (1, 2)])
    [(0, 2), (2, 3)]
    """
    if text.isascii() or not spans:
        return list(spans)
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    begins = np.append(np.flatnonzero((data & 0xC0) != 0x80), data.size)
    bounds = begins[np.asarray(spans)]
    return list(zip(bounds[:, 0].tolist(), bounds[:, 1].tolist(), strict=True))
