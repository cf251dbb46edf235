"""Buffers that are kept between saves: a snapshot is one copy into memory that is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["KeptBuffer"]

#: Where a tensor may begin: a cache line.
_ALIGNED_BYTES = 64


class KeptBuffer:
    """One stretch of memory for everything a checkpoint stores, made at the first snapshot and grown if need be.

    Where a tensor is on a GPU the memory is pinned, so that the copies run at the speed of the link.

    >>> import torch
    >>> weight, buffer = torch.ones(2), KeptBuffer()
    >>> [kept] = buffer.copy([{"weight": weight}])
    >>> weight.zero_(), kept["weight"]
    (tensor([0., 0.]), tensor([1., 1.]))
    """

    def __init__(self) -> None:
        self._memory: torch.Tensor | None = None
        self._layout: list[tuple[torch.dtype, torch.Size]] = []
        self._places: list[torch.Tensor] = []

    def copy(self, parts: Sequence[Mapping[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
        """Copies of all tensors, in the same order; the ones of the last call are overwritten."""
        import torch

        tensors = [tensor for part in parts for tensor in part.values()]
        devices = {tensor.device for tensor in tensors if tensor.is_cuda}
        places = self._places_for(tensors, bool(devices))
        for place, tensor in zip(places, tensors, strict=True):
            place.copy_(tensor.detach(), non_blocking=True)
        for device in devices:
            torch.cuda.current_stream(device).synchronize()
        following = iter(places)
        return [{name: next(following) for name in part} for part in parts]

    def _places_for(self, tensors: Sequence[torch.Tensor], pinned: bool) -> list[torch.Tensor]:
        """Where the tensors go; the places of the last call if they are of the same kinds and shapes."""
        layout = [(tensor.dtype, tensor.shape) for tensor in tensors]
        memory = self._memory
        if layout != self._layout or memory is None or (pinned and not memory.is_pinned()):
            self._places.clear()  # they would keep the memory that goes
            memory = self._of_size(sum(map(_room, tensors)), pinned)
            start = 0
            for tensor in tensors:
                stretch = memory[start : start + tensor.nbytes]
                self._places.append(stretch.view(tensor.dtype).view(tensor.shape))
                start += _room(tensor)
            self._layout = layout
        return self._places

    def _of_size(self, needed_bytes: int, pinned: bool) -> torch.Tensor:
        import torch

        memory = self._memory
        if memory is None or memory.nbytes < needed_bytes or (pinned and not memory.is_pinned()):
            self._memory = None  # what was kept goes before the new memory comes
            memory = self._memory = torch.empty(needed_bytes, dtype=torch.uint8, pin_memory=pinned)
        return memory


def _room(tensor: torch.Tensor) -> int:
    """The bytes of `tensor`, rounded up."""
    return -(-tensor.nbytes // _ALIGNED_BYTES) * _ALIGNED_BYTES
