"""Many small texts as few large calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["batches"]

BATCH_CHARACTERS = 1 << 22

T = TypeVar("T")


def batches(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of items of a few million characters together, so that one call into Rust does much."""
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += characters(item) + 1
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
