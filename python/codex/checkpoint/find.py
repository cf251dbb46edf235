"""Which checkpoints there are, whether they hold, and which to go on from. Looking never writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from codex._core import CheckpointReader, checkpoint_find_latest, checkpoint_list, checkpoint_verify
from codex.checkpoint.pickled import refuse_pickled
from codex.errors import MissingDataError

__all__ = [
    "Found",
    "Listing",
    "Skipped",
    "Summary",
    "checkpoint_at",
    "find_latest",
    "list_checkpoints",
    "summarize",
    "verify",
]


class Skipped(NamedTuple):
    """A checkpoint passed over, and why, in one line."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Summary:
    """One checkpoint in a few figures."""

    path: Path
    step: int
    #: All its files, the manifest left out.
    bytes: int
    tensors: int
    #: What was measured at this step, by name.
    metrics: dict[str, float]


@dataclass(frozen=True)
class Listing:
    """The checkpoints of one folder, newest first, and those that do not open."""

    checkpoints: list[Summary]
    unreadable: list[Skipped]


@dataclass(frozen=True)
class Found:
    """The newest checkpoint whose every byte verifies."""

    path: Path
    step: int
    #: Those passed over, and why.
    skipped: list[Skipped]


def find_latest(checkpoints: Path | str) -> Found | None:
    """The newest checkpoint in the folder that verifies to the last byte, or None if there is none at all.

    Newest is by the step in the manifest, not by name or date.

    Raises:
        DamageError: if there are checkpoints and not one verifies.
    """
    latest = checkpoint_find_latest(checkpoints)
    if latest is None:
        return None
    path, step, skipped = latest
    return Found(path, step, _skipped(skipped))


def checkpoint_at(path: Path) -> Path:
    """The checkpoint that `path` means: itself, or the newest that verifies of the run or folder of checkpoints there.

    Raises:
        MissingDataError: if there is none.
        DataError: if `path` is a pickle.
        DamageError: if there are checkpoints and not one verifies.
    """
    refuse_pickled(path)
    if (path / "manifest.json").is_file():
        return path
    found = find_latest(path / "checkpoints" if (path / "checkpoints").is_dir() else path)
    if found is None:
        raise MissingDataError(f"no checkpoint in `{path}`", hint="`codex train` makes one")
    return found.path


def list_checkpoints(checkpoints: Path | str) -> Listing:
    """All checkpoints in the folder; manifests, file sizes and metrics are checked, tensors are not read.

    Raises:
        MissingDataError: if there is no such folder.
    """
    rows, unreadable = checkpoint_list(checkpoints)
    return Listing([Summary(*row) for row in rows], _skipped(unreadable))


def summarize(path: Path | str) -> Summary:
    """The checkpoint `path` in a few figures: manifest, file sizes and metric are checked, tensors not read.

    Raises:
        MissingDataError: if there is no such folder.
        DamageError: if it is not whole.
    """
    return Summary(*CheckpointReader(path).summary)


def verify(path: Path | str, *, progress: Callable[[int, int], None] | None = None) -> Summary:
    """Read every byte of the checkpoint `path` and compare it with what was saved.

    Args:
        path: one checkpoint, or a folder of `save_tensors`.
        progress: told after each file how many bytes have been read, and of how many.
    Raises:
        MissingDataError: if there is no such folder.
        DamageError: naming the file, and the tensor where there is one.
    """
    if progress is None:
        return Summary(*checkpoint_verify(path))
    reader = CheckpointReader(path)
    summary, done = Summary(*reader.summary), 0
    for name in reader.files:
        reader.verify(name)
        done += (summary.path / name).stat().st_size
        progress(done, summary.bytes)
    return summary


def _skipped(rows: list[tuple[Path, str]]) -> list[Skipped]:
    return [Skipped(*row) for row in rows]
