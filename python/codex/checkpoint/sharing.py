"""Which tensors share memory: ties are stored once under one name, any other overlap is refused by name.

safetensors cannot say that two tensors overlap, so storing both would silently untie them on load.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from codex.errors import UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["untie"]


def untie(tensors: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Split `tensors` into those to store and the aliases of those, alias to stored name.

    The first of several names for the same elements is the stored one.

    Raises:
        UsageError: if two tensors overlap without being the same, or one has no memory of its own to read.

    >>> import torch
    >>> embedding = torch.zeros(4, 2)
    >>> stored, tied = untie({"embed": embedding, "head": embedding})
    >>> list(stored), tied
    (['embed'], {'head': 'embed'})
    """
    import torch

    stored: dict[str, torch.Tensor] = {}
    tied: dict[str, str] = {}
    seen: dict[tuple[object, ...], str] = {}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta:
            kind = "meta" if tensor.is_meta else str(tensor.layout).removeprefix("torch.")
            raise UsageError(f"tensor `{name}` is {kind}, expected a dense one in memory")
        elements = _elements(tensor)
        if tensor.numel() and elements in seen:
            tied[name] = seen[elements]
        else:
            seen[elements] = name
            stored[name] = tensor
    _refuse_overlap(stored)
    return stored, tied


def _elements(tensor: torch.Tensor) -> tuple[object, ...]:
    """Equal for two tensors that are the same elements of the same memory in the same order."""
    strides: tuple[int, ...] = ()
    if not tensor.is_contiguous():
        strides = tuple(
            stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size != 1
        )
    return tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, strides


def _refuse_overlap(tensors: Mapping[str, torch.Tensor]) -> None:
    spans = sorted((*_span(tensor), name) for name, tensor in tensors.items() if tensor.numel())
    for (device, _, end, name), (next_device, start, _, next_name) in itertools.pairwise(spans):
        if device == next_device and start < end:
            raise UsageError(
                f"tensors `{name}` and `{next_name}` overlap in memory without being the same",
                hint="clone() one of them before saving",
            )


def _span(tensor: torch.Tensor) -> tuple[str, int, int]:
    """The device, and the first address and the one past the last that the elements touch."""
    start = tensor.data_ptr()
    if tensor.is_contiguous():
        return str(tensor.device), start, start + tensor.nbytes
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return str(tensor.device), start, start + (reach + 1) * tensor.element_size()
