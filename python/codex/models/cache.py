"""Keys and values of the positions a model has already seen, so that one more token costs one position.

B batch, S positions seen so far, K key-value heads, D head size.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Cache", "LayerCache"]


class LayerCache:
    """One layer's keys and values, each (B, S, K, D)."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    @property
    def length(self) -> int:
        """S, the positions held."""
        return 0 if self.keys is None else self.keys.shape[1]

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append keys and values (B, T, K, D); returns all (B, S + T, K, D). Copies what is held."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], dim=1), torch.cat([self.values, values], dim=1)
        self.keys, self.values = keys, values
        return keys, values


class Cache:
    """One `LayerCache` for each layer of a model.

    >>> Cache(layers=2).length
    0
    """

    def __init__(self, layers: int) -> None:
        self.layers = [LayerCache() for _ in range(layers)]

    @property
    def length(self) -> int:
        """Positions held."""
        return self.layers[0].length
