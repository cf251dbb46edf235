"""Tensors as the bytes they are in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import torch

    Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

__all__ = ["bytes_of", "is_plain", "where_they_lie"]


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether the elements lie one after the other, as they are, in the memory of the machine."""
    return tensor.is_cpu and tensor.is_contiguous() and not tensor.is_neg()


def bytes_of(tensor: torch.Tensor) -> Bytes:
    """The elements as bytes, shared with `tensor` where it is plain and copied where it is not.

    >>> import torch
    >>> bytes_of(torch.tensor([1, 256], dtype=torch.int16))
    array([1, 0, 0, 1], dtype=uint8)
    """
    import torch

    plain = tensor.detach()
    if not is_plain(plain):
        plain = plain.cpu().resolve_neg().contiguous()
    return plain.view(-1).view(torch.uint8).numpy()


def where_they_lie(parts: Sequence[Mapping[str, torch.Tensor]]) -> list[dict[str, Bytes]]:
    """The bytes of all tensors, shared with those that are plain."""
    return [{name: bytes_of(tensor) for name, tensor in part.items()} for part in parts]
