"""Rows into which several documents are packed: which positions may see each other.

B batch, T row length.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from codex.errors import ShapeError

__all__ = ["Documents"]


class Documents:
    """The document that each position of packed rows belongs to.

    Args:
        starts: (B, T) bool, where a document begins; what stands before the first one of a row is one too.
    Raises:
        ShapeError: if `starts` has another shape.

    >>> import torch
    >>> Documents(torch.tensor([[False, True, False]])).visible[0, 0].int()
    tensor([[1, 0, 0],
            [0, 1, 0],
            [0, 1, 1]], dtype=torch.int32)
    """

    def __init__(self, starts: Tensor) -> None:
        if starts.ndim != 2:
            raise ShapeError(f"`starts` has the shape {tuple(starts.shape)}, expected (B, T)")
        self._starts = starts
        #: (B, T) int64: counted along each row.
        self.numbers = starts.cumsum(dim=1)

    @cached_property
    def positions(self) -> Tensor:
        """(B, T) int64: counted from the start of each document.

        >>> import torch
        >>> Documents(torch.tensor([[False, True, False]])).positions
        tensor([[0, 0, 1]])
        """
        places = torch.arange(self.numbers.shape[1], device=self.numbers.device).expand_as(self.numbers)
        return places - (places * self._starts).cummax(dim=1).values

    @cached_property
    def visible(self) -> Tensor:
        """(B, 1, T, T) bool: whether a query sees a key, one of its own document and not after it; made once."""
        same = self.numbers[:, None, :, None] == self.numbers[:, None, None, :]
        return same.tril()
