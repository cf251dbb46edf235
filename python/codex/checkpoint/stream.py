"""The tensors of a checkpoint, one bounded batch at a time, each byte checked before it is handed out.

Plain bytes: nothing here needs torch. A tensor file may lie in shards; its rows are those of all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from codex.checkpoint.layout import STATE_FILE
from codex.checkpoint.migrate import read_state

if TYPE_CHECKING:
    from codex._core import CheckpointReader

__all__ = ["Row", "rows_of", "state_of", "stream", "whole_file"]

Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

#: Read at once, unless a single tensor is larger.
BATCH_BYTES = 64 << 20

_SHARD = re.compile(r"-\d{5,}-of-\d{5,}(?=\.safetensors$)")


class Row(NamedTuple):
    """One name in a tensor file."""

    name: str
    #: As safetensors calls it.
    dtype: str
    shape: tuple[int, ...]
    #: The name its bytes are stored under: its own, unless it is tied to another.
    stored: str

    @property
    def bytes(self) -> int:
        """How many it has."""
        return math.prod(self.shape) * int(re.findall(r"\d+", self.dtype.replace("BOOL", "U8"))[0]) // 8

    def __str__(self) -> str:
        tied = "" if self.stored == self.name else f", tied to `{self.stored}`"
        return f"{self.dtype} {list(self.shape)}{tied}"


def whole_file(name: str) -> str:
    """The tensor file that `name` is, or is a shard of.

    >>> whole_file("model-00002-of-00003.safetensors"), whole_file("model.safetensors")
    ('model.safetensors', 'model.safetensors')
    """
    return _SHARD.sub("", name)


def rows_of(reader: CheckpointReader, file: str) -> dict[str, Row]:
    """Every name in the tensor file, tied ones included; headers are read, tensors are not."""
    stored, tied = reader.tensors(file)
    rows = {name: Row(name, dtype, tuple(shape), name) for name, dtype, shape in stored}
    return rows | {alias: rows[name]._replace(name=alias) for alias, name in tied.items()}


def state_of(reader: CheckpointReader) -> dict[str, Any]:
    """The state, as this version would have saved it; empty where there is none."""
    if STATE_FILE not in reader.files:
        return {}
    return read_state(reader.read_file(STATE_FILE), f"{reader.path}/{STATE_FILE}")


def stream(reader: CheckpointReader, file: str, rows: Iterable[Row]) -> Iterator[tuple[Row, Bytes]]:
    """The bytes of `rows`, in their order.

    Raises:
        DamageError: naming the tensor whose bytes are not those that were saved.
    """
    for batch in _batches(rows):
        stored = {row.stored: np.empty(row.bytes, np.uint8) for row in batch}
        reader.read_into(file, list(stored.items()))
        for row in batch:
            yield row, stored[row.stored]


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        if batch and size + row.bytes > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row.bytes
    if batch:
        yield batch
