"""Buffers that are kept between saves: a snapshot is one copy into memory that is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from codex._core import checkpoint_copy
from codex.checkpoint.memory import bytes_of, is_plain

if TYPE_CHECKING:
    import torch

    from codex.checkpoint.memory import Bytes

__all__ = ["KeptBuffer"]

#: Where a tensor may begin: a cache line.
_ALIGNED_BYTES = 64


class KeptBuffer:
    """One stretch of memory for everything a checkpoint stores, made at the first snapshot and grown if need be.

    What lies plain in the memory of the machine is copied past the caches, by several threads. Where a tensor is on a GPU the
    memory is pinned, so that the copies run at the speed of the link.

    >>> import torch
    >>> weight, buffer = torch.ones(2), KeptBuffer()
    >>> [kept] = buffer.copy([{"weight": weight}])
    >>> weight.zero_(), kept["weight"].view("float32")
    (tensor([0., 0.]), array([1., 1.], dtype=float32))
    """

    def __init__(self) -> None:
        self._memory: torch.Tensor | None = None
        self._layout: list[int] = []
        self._places: list[Bytes] = []

    def copy(self, parts: Sequence[Mapping[str, torch.Tensor]]) -> list[dict[str, Bytes]]:
        """The bytes of all tensors, copied, in the same order; those of the last call are overwritten."""
        import torch

        tensors = [tensor for part in parts for tensor in part.values()]
        devices = {tensor.device for tensor in tensors if tensor.is_cuda}
        places = self._places_for([tensor.nbytes for tensor in tensors], bool(devices))
        plain: list[tuple[Bytes, Bytes]] = []
        for place, tensor in zip(places, tensors, strict=True):
            if is_plain(tensor):
                plain.append((place, bytes_of(tensor)))
            elif tensor.nbytes:
                target = torch.from_numpy(place).view(tensor.dtype).view(tensor.shape)
                target.copy_(tensor.detach(), non_blocking=True)
        checkpoint_copy([place for place, _ in plain], [source for _, source in plain])
        for device in devices:
            torch.cuda.current_stream(device).synchronize()
        following = iter(places)
        return [{name: next(following) for name in part} for part in parts]

    def _places_for(self, layout: list[int], pinned: bool) -> list[Bytes]:
        """Where tensors of so many bytes go; the places of the last call if they were as many bytes each."""
        memory = self._memory
        if layout != self._layout or memory is None or (pinned and not memory.is_pinned()):
            self._places.clear()  # they would keep the memory that goes
            memory = self._of_size(sum(map(_room, layout)), pinned)
            start, stretch = 0, memory.numpy()
            for size in layout:
                self._places.append(stretch[start : start + size])
                start += _room(size)
            self._layout = layout
        return self._places

    def _of_size(self, needed_bytes: int, pinned: bool) -> torch.Tensor:
        import torch

        memory = self._memory
        if memory is None or memory.nbytes < needed_bytes or (pinned and not memory.is_pinned()):
            self._memory = None  # what was kept goes before the new memory comes
            memory = self._memory = torch.empty(needed_bytes, dtype=torch.uint8, pin_memory=pinned)
        return memory


def _room(size: int) -> int:
    """So many bytes, rounded up to whole cache lines."""
    return -(-size // _ALIGNED_BYTES) * _ALIGNED_BYTES
