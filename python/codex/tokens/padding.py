"""Rows of ids of one length: cut what is too long, fill what is too short."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from codex.errors import UsageError

__all__ = ["Padded", "Padding", "Truncation", "pad", "truncated"]

#: Up to which length rows are filled.
Padding = Literal["longest", "max_length"]
#: Which end of a row is cut.
Truncation = Literal["right", "left"]


class Padded(NamedTuple):
    """`ids` and `mask`, int64 of shape (N, L), arrays or tensors; the mask is 1 where an id is of the text."""

    ids: Any
    mask: Any


def truncated(
    rows: list[list[int]], side: Truncation, max_length: int | None, ends: tuple[int, int]
) -> list[list[int]]:
    """Rows cut to `max_length` ids.

    Args:
        ends: how many ids at the start and at the end of each row stay whatever is cut.
    Raises:
        UsageError: if there is no length, it has no room for the ends, or there is no such side.

    >>> truncated([[1, 2, 3, 4, 5], [1, 2]], "right", 3, (1, 1))
    [[1, 2, 5], [1, 2]]
    """
    if side not in ("right", "left"):
        raise UsageError(f"`truncation` is `{side}`, expected `right` or `left`")
    before, after = ends
    if max_length is None or max_length < before + after:
        raise UsageError(
            f"`max_length` is {max_length}, expected at least {before + after} with `truncation`"
        )

    def cut(row: list[int]) -> list[int]:
        surplus = len(row) - max_length
        if surplus <= 0:
            return row
        if side == "left":
            return row[:before] + row[before + surplus :]
        end = len(row) - after
        return row[: end - surplus] + row[end:]

    return [cut(row) for row in rows]


def pad(
    rows: list[list[int]], pad_id: int, padding: Padding, max_length: int | None, kind: Literal["np", "pt"]
) -> Padded:
    """Rows filled on the right with `pad_id`.

    Raises:
        UsageError: if there is no such padding or kind of tensor, or a row is longer than `max_length`.

    >>> pad([[5, 6], [7]], 0, "longest", None, "np")
    Padded(ids=array([[5, 6],
           [7, 0]]), mask=array([[1, 1],
           [1, 0]]))
    """
    longest = max(map(len, rows), default=0)
    if padding not in ("longest", "max_length"):
        raise UsageError(f"`padding` is `{padding}`, expected `longest` or `max_length`")
    if kind not in ("np", "pt"):
        raise UsageError(f"`return_tensors` is `{kind}`, expected `np` or `pt`")
    if padding == "longest":
        max_length = longest
    elif max_length is None or longest > max_length:
        raise UsageError(
            f"`max_length` is {max_length}, expected at least {longest}, the longest row",
            hint="cut longer rows with `truncation`",
        )
    ids = np.full((len(rows), max_length), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    if kind == "pt":
        import torch

        return Padded(torch.from_numpy(ids), torch.from_numpy(mask))
    return Padded(ids, mask)
