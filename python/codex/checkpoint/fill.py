"""Tensors out of a file: new ones, or live ones filled in place.

A tensor that lies on the CPU without gaps, in the dtype it was stored in, takes its bytes straight from the
disk. Any other takes them from a staging buffer, which holds one batch of tensors at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from codex.checkpoint.layout import dtypes
from codex.checkpoint.sharing import untie
from codex.errors import DamageError, UsageError

if TYPE_CHECKING:
    import torch

    from codex._core import CheckpointReader

    Device: TypeAlias = torch.device | str | None

__all__ = ["Plan", "plan"]

#: The staging buffer, unless one tensor alone is larger.
STAGING_BYTES = 32 << 20

#: Tensors in the staging buffer begin on this boundary.
_ALIGNMENT = 64


@dataclass(frozen=True)
class _Stored:
    """One tensor as the file has it."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype} of shape {list(self.shape)}"


@dataclass(frozen=True)
class Plan:
    """Where each tensor of one file goes, checked before anything is read."""

    reader: CheckpointReader
    file: str
    #: Each stored tensor, and the tensors that take its values: the first from the disk, the rest from the first.
    fills: list[tuple[_Stored, list[torch.Tensor]]]
    #: What the caller gets, ties included.
    result: dict[str, torch.Tensor]
    is_live: bool

    def read(self, *, verify: bool = True) -> dict[str, torch.Tensor]:
        """Fill every tensor; after an error none of them may be used."""
        import torch

        direct = [(stored, targets) for stored, targets in self.fills if _is_direct(stored, targets[0])]
        staged = [(stored, targets) for stored, targets in self.fills if not _is_direct(stored, targets[0])]
        with torch.no_grad():
            self._from_disk([(stored.name, _bytes(targets[0])) for stored, targets in direct], verify)
            if self.is_live:
                touched = [targets[0] for _, targets in direct if not targets[0].is_inference()]
                torch.autograd.graph.increment_version(touched)  # a backward pass across a load is an error
            for batch in _batches(staged):
                self._through_staging(batch, verify)
            for _, (first, *others) in self.fills:
                for other in others:
                    other.copy_(first.reshape(other.shape))
        return self.result

    def _from_disk(self, destinations: list[tuple[str, Any]], verify: bool) -> None:
        self.reader.read_into(self.file, destinations, verify)

    def _through_staging(self, batch: list[tuple[_Stored, list[torch.Tensor]]], verify: bool) -> None:
        import torch

        on_cuda = any(targets[0].is_cuda for _, targets in batch)
        staging = torch.empty(
            sum(_room(stored) for stored, _ in batch), dtype=torch.uint8, pin_memory=on_cuda
        )
        pieces, start = [], 0
        for stored, _ in batch:
            pieces.append(staging[start : start + stored.bytes])
            start += _room(stored)
        names = [stored.name for stored, _ in batch]
        self._from_disk([(name, piece.numpy()) for name, piece in zip(names, pieces, strict=True)], verify)
        for piece, (stored, targets) in zip(pieces, batch, strict=True):
            targets[0].copy_(piece.view(stored.dtype).reshape(targets[0].shape))


def plan(
    reader: CheckpointReader,
    file: str,
    *,
    into: Mapping[str, torch.Tensor] | None = None,
    map_location: Device = None,
    cast: bool = False,
) -> Plan:
    """Decide where the tensors of `file` go: into new ones on `map_location`, or into the live ones of `into`.

    Raises:
        DamageError: if names, dtypes or shapes are not those of `into`.
        UsageError: if tensors of `into` overlap without being the same.
    """
    import torch

    rows, tied = reader.tensors(file)
    path = f"{reader.path}/{file}"
    stored = {name: _Stored(name, _dtype(path, name, dtype), tuple(shape)) for name, dtype, shape in rows}
    groups = {name: [name] for name in stored}
    for alias, name in tied.items():
        groups[name].append(alias)
    if into is None:
        new = {
            name: torch.empty(row.shape, dtype=row.dtype, device=map_location) for name, row in stored.items()
        }
        fills = [(stored[name], [tensor]) for name, tensor in new.items()]
        result = new | {alias: new[name] for alias, name in tied.items()}
        return Plan(reader, file, fills, result, is_live=False)
    if map_location is not None:
        raise UsageError("`map_location` and `into` exclude each other: live tensors stay where they are")
    _check_names(path, groups, into)
    distinct = _distinct(path, groups, into)
    fills = []
    for name, names in groups.items():
        for live in names:
            if live in into:
                _check_kind(path, stored[name], live, into[live], cast)
        # The tensor that can be filled from the disk comes first.
        targets = [distinct[live] for live in names if live in distinct]
        targets.sort(key=lambda tensor: not _is_direct(stored[name], tensor))
        fills.append((stored[name], targets))
    return Plan(reader, file, fills, dict(into), is_live=True)


def _dtype(path: str, name: str, dtype: str) -> torch.dtype:
    if dtype not in dtypes():
        raise DamageError(f"`{path}`: tensor `{name}` is {dtype}, which torch cannot hold")
    return dtypes()[dtype]


def _check_names(path: str, groups: Mapping[str, list[str]], into: Mapping[str, torch.Tensor]) -> None:
    """Every stored tensor has a place under one of its names, and every place a stored tensor."""
    known = {name for names in groups.values() for name in names}
    lacking = [name for name, names in groups.items() if not any(live in into for live in names)]
    if lacking:
        _refuse(path, lacking, "is stored, and `into` has no place for it")
    if asked := [name for name in into if name not in known]:
        _refuse(path, asked, "is not stored, and `into` asks for it")


def _refuse(path: str, names: list[str], reason: str) -> NoReturn:
    more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    raise DamageError(f"`{path}`: tensor `{names[0]}`{more} {reason}")


def _distinct(
    path: str, groups: Mapping[str, list[str]], into: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The tensors of `into`, each once; what is one tensor in memory must be one in the file."""
    distinct, tied = untie(into)
    stored_as = {name: stored for stored, names in groups.items() for name in names}
    for alias, name in tied.items():
        if stored_as[alias] != stored_as[name]:
            raise DamageError(f"`{path}`: `{alias}` and `{name}` are two tensors, and one in `into`")
    return distinct


def _check_kind(path: str, stored: _Stored, name: str, tensor: torch.Tensor, cast: bool) -> None:
    is_same = tensor.dtype == stored.dtype and tuple(tensor.shape) == stored.shape
    can_cast = tensor.numel() == math.prod(stored.shape)
    if is_same or (cast and can_cast):
        return
    raise DamageError(
        f"`{path}`: tensor `{name}` is {stored}, the one to fill is {tensor.dtype} of shape {list(tensor.shape)}",
        hint="`cast=True` converts it" if can_cast else None,
    )


def _is_direct(stored: _Stored, tensor: torch.Tensor) -> bool:
    """Whether the memory of `tensor` is what the file holds, byte for byte."""
    return (
        tensor.device.type == "cpu"
        and tensor.dtype == stored.dtype
        and tensor.is_contiguous()
        and not tensor.is_neg()
    )


def _bytes(tensor: torch.Tensor) -> Any:
    import torch

    return tensor.detach().reshape(-1).view(torch.uint8).numpy()


def _room(stored: _Stored) -> int:
    return -(-stored.bytes // _ALIGNMENT) * _ALIGNMENT


def _batches(
    fills: list[tuple[_Stored, list[torch.Tensor]]],
) -> Iterator[list[tuple[_Stored, list[torch.Tensor]]]]:
    """Tensors that fit the staging buffer together; one that does not comes alone."""
    batch: list[tuple[_Stored, list[torch.Tensor]]] = []
    held = 0
    for fill in fills:
        if batch and held + _room(fill[0]) > STAGING_BYTES:
            yield batch
            batch, held = [], 0
        batch.append(fill)
        held += _room(fill[0])
    if batch:
        yield batch
