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
    #: Device and first address: the address past the last, and whose memory it is.
    spans: dict[tuple[int, int], tuple[int, str]] = {}
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_meta:
            kind = "meta" if tensor.is_meta else str(tensor.layout).removeprefix("torch.")
            raise UsageError(f"tensor `{name}` is {kind}, expected a dense one in memory")
        if tensor.numel():
            start = tensor.data_ptr()
            _, first = spans.setdefault((tensor.get_device(), start), (start + _reach(tensor), name))
            if first != name:
                if not _is_same(tensor, stored[first]):
                    raise _overlap(first, name)
                tied[name] = first
                continue
        stored[name] = tensor
    ordered = sorted((*place, *owner) for place, owner in spans.items())
    for (device, _, end, name), (next_device, start, _, next_name) in itertools.pairwise(ordered):
        if device == next_device and start < end:
            raise _overlap(name, next_name)
    return stored, tied


def _reach(tensor: torch.Tensor) -> int:
    """How many bytes lie between the first element's first and the last one's last."""
    if tensor.is_contiguous():
        return tensor.nbytes
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return (last + 1) * tensor.element_size()


def _is_same(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether two tensors that begin at one address are the same elements in the same order."""

    def reading(tensor: torch.Tensor) -> tuple[object, ...]:
        steps = [step for step in zip(tensor.shape, tensor.stride(), strict=True) if step[0] != 1]
        return tensor.dtype, tensor.shape, tensor.is_neg(), steps

    return reading(left) == reading(right)


def _overlap(first: str, second: str) -> UsageError:
    return UsageError(
        f"tensors `{first}` and `{second}` overlap in memory without being the same",
        hint="clone() one of them before saving",
    )
