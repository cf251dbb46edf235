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

    def copy(self, parts: Sequence[Mapping[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
        """Copies of all tensors, in the same order; the ones of the last call are overwritten."""
        import torch

        devices = {tensor.device for part in parts for tensor in part.values() if tensor.is_cuda}
        memory = self._of_size(
            sum(_room(tensor) for part in parts for tensor in part.values()), bool(devices)
        )
        copies: list[dict[str, torch.Tensor]] = []
        start = 0
        for part in parts:
            copies.append({})
            for name, tensor in part.items():
                place = memory[start : start + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
                place.copy_(tensor.detach(), non_blocking=True)
                copies[-1][name] = place
                start += _room(tensor)
        for device in devices:
            torch.cuda.current_stream(device).synchronize()
        return copies

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
