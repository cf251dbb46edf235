"""What two checkpoints hold differently: keys of configuration and state, files, tensors.

Digests are compared first. Where they are equal nothing is read, so two equal checkpoints cost two manifests; only
tensors that differ are opened, a bounded piece of each at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codex._core import CheckpointReader
from codex.checkpoint.layout import STATE_FILE, dtypes
from codex.checkpoint.stream import Row, rows_of, state_of, stream, whole_file
from codex.file import read_manifest

__all__ = ["Change", "Difference", "TensorChange", "diff"]

#: Elements compared at once, in float64.
_PIECE = 1 << 20


@dataclass(frozen=True)
class Change:
    """A key, or a file, that is not the same; None where one side has none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class TensorChange:
    """A tensor that is not the same."""

    file: str
    name: str
    #: Dtype and shape as text, None where that side has no such tensor.
    before: str | None
    after: str | None
    #: Elements whose bits differ, out of how many; None unless dtype and shape are equal.
    differing: int | None = None
    elements: int | None = None
    #: Largest absolute difference; NaN where one side alone is a NaN.
    largest: float | None = None


@dataclass(frozen=True)
class Difference:
    """All that differs; falsy if nothing does."""

    keys: list[Change]
    files: list[Change]
    tensors: list[TensorChange]
    #: Tensors that both sides have, whatever they hold.
    common: int

    def __bool__(self) -> bool:
        return bool(self.keys or self.files or self.tensors)


def diff(
    left: Path | str, right: Path | str, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Difference:
    """Compare two checkpoints by what was saved in them; `verify` says whether it is still that.

    Args:
        left, right: two checkpoints.
        progress: told the bytes compared, and of how many.
    Raises:
        MissingDataError: if one is not there.
        DamageError: if one is not whole, or a tensor that had to be read is not what was saved.
        MissingExtraError: if values must be compared and torch is not installed.

    >>> import tempfile, torch
    >>> from codex.checkpoint import save
    >>> rest = dict(optimizer={}, state_tensors={}, files={})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = save(folder, 1, model={"scale": torch.ones(3)}, state={"loss": 2.5}, **rest)
    ...     second = save(folder, 2, model={"scale": torch.tensor([1, 1, 3.0])}, state={"loss": 2.5}, **rest)
    ...     found = diff(first, second)
    >>> found.keys
    [Change(name='step', before=1, after=2)]
    >>> [(each.name, each.differing, each.largest) for each in found.tensors]
    [('scale', 1, 2.0)]
    """
    sides = _Side(Path(left)), _Side(Path(right))
    tensors: list[TensorChange] = []
    to_read: list[tuple[str, Row, Row]] = []
    common = 0
    for file in sorted(sides[0].tensor_files | sides[1].tensor_files):
        before, after = sides[0].rows(file), sides[1].rows(file)
        for name in sorted(before.keys() | after.keys()):
            one, other = before.get(name), after.get(name)
            if one is not None and one == other and one.stored != name:
                continue  # another name for a tensor that is compared under its own
            common += one is not None and other is not None
            if one is None or other is None or one[1:] != other[1:]:
                tensors.append(TensorChange(file, name, one and str(one), other and str(other)))
            elif sides[0].digest(file, one) != sides[1].digest(file, other):
                to_read.append((file, one, other))
    tensors += _compare(*sides, to_read, progress)
    return Difference(
        keys=_changes(sides[0].keys(), sides[1].keys()),
        files=list(_file_changes(*sides)),
        tensors=sorted(tensors, key=lambda each: (each.file, each.name)),
        common=common,
    )


class _Side:
    """One of the two, open."""

    def __init__(self, path: Path) -> None:
        self.reader = CheckpointReader(path)
        self.manifest = read_manifest(path)
        self.tensor_files = {whole_file(file) for file in self.manifest["tensors"]}
        self._digests = {
            (whole_file(file), name): digest
            for file, part in self.manifest["tensors"].items()
            for name, digest in part["tensors"].items()
        }
        plain = set(self.reader.plain_files) - {STATE_FILE}
        files = self.manifest["files"]
        self.files = {entry["path"]: entry["digest"] for entry in files if entry["path"] in plain}

    def rows(self, file: str) -> dict[str, Row]:
        return rows_of(self.reader, file) if file in self.tensor_files else {}

    def digest(self, file: str, row: Row) -> str:
        return str(self._digests[file, row.stored])

    def keys(self) -> dict[str, Any]:
        """The state, and what it was made from, by dotted keys."""
        return dict(_flat({**state_of(self.reader), "parents": self.manifest["parents"]}))


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The keys whose values are not the same JSON: 1 and 1.0 are two values, as they are in a file."""
    names = sorted(before.keys() | after.keys())
    return [
        Change(name, before.get(name), after.get(name))
        for name in names
        if (name in before) != (name in after) or json.dumps(before[name]) != json.dumps(after[name])
    ]


def _file_changes(left: _Side, right: _Side) -> Iterator[Change]:
    """Files that are neither tensors nor state."""
    for change in _changes(left.files, right.files):
        is_in_both = change.before is not None and change.after is not None
        if is_in_both and _algorithm(change.before) != _algorithm(change.after):
            name = change.name
            if left.reader.read_file(name) == right.reader.read_file(name):
                continue
        yield change


def _algorithm(digest: str) -> str:
    return digest.partition(":")[0]


def _compare(
    left: _Side,
    right: _Side,
    pairs: list[tuple[str, Row, Row]],
    progress: Callable[[int, int], None],
) -> Iterator[TensorChange]:
    """The values of tensors of one dtype and shape, whose digests differ."""
    total, done = sum(row.bytes for _, row, _ in pairs), 0
    for file in dict.fromkeys(file for file, _, _ in pairs):
        before = stream(left.reader, file, [row for name, row, _ in pairs if name == file])
        after = stream(right.reader, file, [row for name, _, row in pairs if name == file])
        for (row, one), (_, other) in zip(before, after, strict=True):
            change = _difference(file, row, one, other)
            done += row.bytes
            progress(done, total)
            if change.differing:  # digests of two algorithms differ over equal bytes
                yield change


def _difference(
    file: str, row: Row, before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]
) -> TensorChange:
    import torch

    dtype = dtypes()[row.dtype]
    differing, largest = 0, 0.0
    size = dtype.itemsize
    for start in range(0, len(before), _PIECE * size):
        ours, theirs = before[start : start + _PIECE * size], after[start : start + _PIECE * size]
        changed = torch.from_numpy((ours != theirs).reshape(-1, size).any(axis=1))
        count = int(changed.sum())
        if count:
            values = (torch.from_numpy(side).view(dtype)[changed].double() for side in (ours, theirs))
            gap = (next(values) - next(values)).abs().max().item()
            largest = max(largest, gap) if gap == gap and largest == largest else float("nan")
        differing += count
    text = str(row)
    return TensorChange(file, row.name, text, text, differing, len(before) // size, largest)
