"""Remove the checkpoints that are no longer wanted, once a newer one is safe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codex._core import checkpoint_rotate
from codex.checkpoint.find import Skipped
from codex.errors import UsageError

__all__ = ["Rotation", "rotate"]


@dataclass(frozen=True)
class Rotation:
    """What a rotation did."""

    removed: list[Path]
    #: Damaged ones: left alone, and why.
    skipped: list[Skipped]


def rotate(checkpoints: Path | str, keep_last: int, keep_best: int) -> Rotation:
    """Remove all but the `keep_last` newest and the `keep_best` best; the newest that verifies always stays.

    Newest is by the step in the manifest; best is by `held_out_bits_per_byte` in the state, lowest first.
    The newest is read to the last byte before anything goes, and nothing goes if none verifies. Each
    removal is one rename, then the deletion: a kill leaves no half checkpoint.

    Raises:
        UsageError: for a negative count.
        LockError: while another process saves or rotates here.
    """
    if keep_last < 0 or keep_best < 0:
        raise UsageError(f"`keep_last` is {keep_last} and `keep_best` is {keep_best}, expected at least 0")
    removed, skipped = checkpoint_rotate(checkpoints, keep_last, keep_best)
    return Rotation(removed, [Skipped(*row) for row in skipped])
